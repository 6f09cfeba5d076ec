"""Which module may import which. The floors themselves are contracts of import-linter, in pyproject.toml."""

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from importlib import metadata
from pathlib import Path

import pytest


def package_of(module):
    return module.split(".")[0]


def is_private(found):
    """Whether an import names a private module or a private name. `__version__` and the like are public."""
    parts = found.module.split(".") + ([found.name] if found.name else [])
    return any(part.startswith("_") and not part.startswith("__") for part in parts)


def test_no_private_import_across_packages(imports):
    wrong = [str(found) for found in imports if package_of(found.module) != package_of(found.importer) and is_private(found)]
    assert not wrong, "\n".join(wrong)


def test_private_imports_are_seen(tmp_path, read_imports):
    module = tmp_path / "module.py"
    module.write_text(
        "from typing import TYPE_CHECKING\n"
        "from agents._chat import ask\n"
        "import verbalize._secret.door\n"
        "if TYPE_CHECKING:\n    from agents.chat import _Private\n"
        "def late():\n    from evals import _tables as tables\n"
        "from saywhy import __version__\n"
        "from agents import ask\n",
        encoding="utf-8",
    )
    found = [item for item in read_imports(module, "adversarial.module") if is_private(item)]
    assert {item.imported for item in found} == {
        "agents._chat.ask",
        "verbalize._secret.door",
        "agents.chat._Private",
        "evals._tables",
    }


def test_private_attributes_are_not_reached_across_packages(source, imports):
    """`import agents` and then `agents._name` is a private import in two steps."""
    modules = {}
    for found in imports:
        if package_of(found.module) != package_of(found.importer) and (found.name is None or found.imported in source):
            modules.setdefault(found.importer, set()).add((found.name or found.module).split(".")[-1])
    wrong = []
    for module, names in modules.items():
        for node in ast.walk(ast.parse(source[module].read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and node.attr.startswith("_")
                and not node.attr.startswith("__")
                and isinstance(node.value, ast.Name)
                and node.value.id in names
            ):
                wrong.append(f"{module}, line {node.lineno}: {node.value.id}.{node.attr}")
    assert not wrong, "\n".join(wrong)


def behind_faces(source, read_imports):
    """(face, name) -> the module from which the face's `.pyi` takes the name."""
    homes = {}
    for module, path in source.items():
        stub = path.with_suffix(".pyi")
        if path.stem == "__init__" and stub.exists():
            for found in read_imports(stub, module):
                homes[module, found.name] = found.module
    return homes


def test_no_circles_between_modules(source, imports, read_imports):
    """Faces load lazily, so that a circle through one hides from Python until a name is asked for: they are looked through."""
    homes = behind_faces(source, read_imports)
    needs = {}
    for found in imports:
        target = found.module
        if found.name and f"{target}.{found.name}" in source:
            target = f"{target}.{found.name}"
        while (target, found.name) in homes:
            target = homes[target, found.name]
        if target in source and target != found.importer:
            needs.setdefault(found.importer, set()).add(target)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        pytest.fail("a circle of imports: " + " <- ".join(error.args[1]))


def test_every_library_is_declared(root, source, packages, read_imports):
    """What the packages import is in pyproject.toml: as a dependency, or in an extra (imported by functions only)."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(requirements):
        return {re.split(r"[^\w.-]", line)[0].lower().replace("_", "-") for line in requirements}

    declared = names(project["dependencies"])
    declared |= {name for extra, lines in project["optional-dependencies"].items() if extra != "test" for name in names(lines)}
    owners = metadata.packages_distributions()
    imported = {found.module.split(".")[0]: found for module, path in source.items() for found in read_imports(path, module)}
    missing = {}
    for name in imported.keys() - {"", *packages} - sys.stdlib_module_names:
        by = {owner.lower().replace("_", "-") for owner in owners.get(name, [name])}
        if not by & declared:
            missing[name] = f"{imported[name]}, which {', '.join(by)} brings"
    assert not missing, "not in pyproject.toml:\n" + "\n".join(missing.values())


def lint(folder):
    program = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [program, "--no-cache", "--no-logo", folder / "pyproject.toml"],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False, env={"PYTHONPATH": str(folder)},
    )  # fmt: skip


def test_the_contracts_hold(root):
    done = lint(root)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("place", ["top", "function", "types"])
def test_an_upward_import_breaks_the_contracts(root, packages, tmp_path, place):
    """The contracts, over a house of empty rooms in which one module imports from the floor above."""
    (tmp_path / "pyproject.toml").write_text((root / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    for package in packages:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("", encoding="utf-8")
    assert lint(tmp_path).returncode == 0
    statement = {
        "top": "import adversarial",
        "function": "def late():\n    import adversarial",
        "types": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import adversarial",
    }[place]
    (tmp_path / "verbalize" / "upward.py").write_text(statement, encoding="utf-8")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert "verbalize.upward -> adversarial" in done.stdout
