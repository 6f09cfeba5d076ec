"""Rooms of one size, each with a name of its own."""

from collections import Counter

MOST_LINES = 400
MOST_FILES = 12

# Folders with more than MOST_FILES Python files. Each has its reason; the list only gets shorter.
LARGE_FOLDERS = {
    "saywhy/cli/commands": "one file per subcommand, and nobody looks for a subcommand in a wing",
}


def test_no_module_stands_beside_a_folder_of_its_name(source):
    wrong = [
        f"{path} beside {twin.name}"
        for path in source.values()
        if path.stem != "__init__"
        for twin in (path.with_suffix(""), path.with_name(f"_{path.stem}"), path.with_name(f"_{path.name}"))
        if twin.exists()
    ]
    assert not wrong, "\n".join(wrong)


def test_no_two_files_of_one_name_in_a_folder(source):
    """`_spans.py` beside `spans.py` counts, and so does `vectors.py` beside `vector/`."""
    for folder in {path.parent for path in source.values()}:
        rooms = [child for child in folder.iterdir() if child.suffix == ".py" or (child / "__init__.py").exists()]
        twice = [name for name, count in Counter(room.stem.strip("_") for room in rooms).items() if count > 1]
        assert not twice, f"{folder}: {twice}"


def test_folders_are_small(root, source):
    files = Counter(path.parent.relative_to(root).as_posix() for path in source.values())
    large = {folder: count for folder, count in files.items() if count > MOST_FILES}
    assert not {folder: count for folder, count in large.items() if folder not in LARGE_FOLDERS}
    assert set(LARGE_FOLDERS) <= set(large), "a folder has become small: take it out of LARGE_FOLDERS"


def test_modules_are_short(root, source):
    lengths = {
        path.relative_to(root).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in source.values()
    }
    assert not {path: lines for path, lines in lengths.items() if lines > MOST_LINES}


def test_every_package_says_what_it_is(source):
    for module, path in source.items():
        assert path.read_text(encoding="utf-8").lstrip().startswith('"""'), f"{module} has no docstring"


def test_a_module_is_not_named_like_a_name_of_its_face(source):
    """`from package import thing` would be the module or the function, by which of them was imported first."""
    for module, path in source.items():
        stub = path.with_suffix(".pyi")
        if path.stem == "__init__" and stub.exists():
            names = {
                line.rpartition(" as ")[2].strip() for line in stub.read_text(encoding="utf-8").splitlines() if " as " in line
            }
            rooms = {child.stem for child in path.parent.iterdir() if child.suffix == ".py" or (child / "__init__.py").exists()}
            assert not names & rooms, f"{module}: {sorted(names & rooms)}"
