"""Image sets out of folders, CSV files and lists, bad records and all."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saywhy_core.errors import UsageError
from saywhy_core.images import list_images, read_image, read_images, readable
from saywhy_core.images.sets import SUFFIXES
from saywhy_core.reading.ceilings import CeilingError, ceilings


@pytest.fixture
def photos(tmp_path):
    for name in ("cat/b.png", "cat/a.jpg", "dog/deep/c.png", ".hidden/d.png", "loose.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 4), (255, 0, 51)).save(path)
    (tmp_path / "photos" / "cat" / "notes.txt").write_text("no image")
    return tmp_path / "photos"


def test_a_class_a_folder(photos):
    found = list_images(photos)
    assert [path.name for path in found.paths] == ["a.jpg", "b.png", "c.png"]
    assert found.labels == ("cat", "cat", "dog")
    assert [problem.where for problem in found.problems] == [str(photos / "loose.png")]
    np.testing.assert_array_equal(found.label_indices(["dog", "cat"]), [1, 1, 0])
    with pytest.raises(UsageError, match="'cat' first"):
        found.label_indices(["dog"])


def test_a_flat_folder_names_no_classes(photos):
    found = list_images(photos / "cat")
    assert found.labels is None
    with pytest.raises(UsageError, match="one folder per class"):
        found.label_indices(["cat"])


def test_csv_keeps_file_order_and_reports_bad_rows(photos):
    table = photos / "list.csv"
    table.write_text("path,label\ndog/deep/c.png,dog\nno/such.png,cat\ncat/a.jpg,\ncat/b.png,cat\n", encoding="utf-8")
    found = list_images(table)
    assert [path.name for path in found.paths] == ["c.png", "b.png"]
    assert found.labels == ("dog", "cat")
    assert [(problem.where, problem.line) for problem in found.problems] == [(str(table), 3), (str(table), 4)]
    table.write_text("file\na.png\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no column `path`"):
        list_images(table)


def test_lists_and_single_files(photos):
    (photos / "list.txt").write_text("cat/b.png\n\nmissing.png\n", encoding="utf-8")
    found = list_images(photos / "list.txt")
    assert [path.name for path in found.paths] == ["b.png"]
    assert found.problems[0].line == 3
    assert len(list_images(photos / "loose.png")) == 1


@pytest.mark.parametrize("what", ["nowhere", "empty"])
def test_a_source_without_images_is_refused(tmp_path, what):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        list_images(tmp_path / what)


def test_pixels_are_rgb_in_unit_range_and_upright(tmp_path):
    picture = Image.new("RGB", (2, 1))
    picture.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.png", exif=exif)
    pixels = read_image(tmp_path / "turned.png")
    assert pixels.shape == (2, 1, 3)
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels[0, 0], [1, 0, 0])


def test_broken_files_are_found_without_stopping(photos):
    (photos / "cat" / "a.jpg").write_bytes(b"not a picture")
    found = list_images(photos)
    good, problems = readable(found.paths)
    assert good == [1, 2]
    assert problems[0].where.endswith("a.jpg")
    with pytest.raises(UsageError, match=r"a\.jpg"):
        read_image(found.paths[0])


def test_a_cut_file_is_found_and_one_without_its_last_bytes_is_read_as_everywhere(photos):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    for name, kept in (("cut.jpg", 0.6), ("cut.tif", 0.6), ("noend.png", None)):
        Image.fromarray(pixels).save(photos / name)
        content = (photos / name).read_bytes()
        (photos / name).write_bytes(content[:-12] if kept is None else content[: int(len(content) * kept)])
    good, problems = readable([photos / "cut.jpg", photos / "noend.png", photos / "cut.tif", photos / "loose.png"])
    assert good == [1, 3]
    assert [problem.where for problem in problems] == [str(photos / "cut.jpg"), str(photos / "cut.tif")]
    assert read_image(photos / "noend.png").shape == (40, 60, 3)
    np.savez(photos / "two.npz", np.zeros((2, 4, 4, 3)))
    assert "holds 2 images" in readable([photos / "two.npz"])[1][0].what


def test_a_folder_lists_all_that_can_be_read_but_nothing_hidden(tmp_path):
    names = ["a.apng", "a.avif", "a.jfif", "a.jp2", "a.npy", "a.npz", "a.pgm", "a.tga"]
    for name in (*names, ".hidden.png", "._a.png", "notes.txt", "photo.heic"):
        (tmp_path / name).touch()
    found = list_images(tmp_path)
    assert [path.name for path in found.paths] == names
    assert found.passed_over == 2
    (tmp_path / "cat" / ".cache").mkdir(parents=True)
    for name in ("cat/a.png", "cat/.b.png", "cat/.cache/c.png", "cat/d.txt"):
        (tmp_path / name).touch()
    found = list_images(tmp_path)
    assert [path.name for path in found.paths] == ["a.png"]
    assert (found.passed_over, len(found.problems)) == (3, len(names))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("path\nn\xe9e.png\n".encode("latin-1"), "UTF-8"),
        ("path\na.png\n".encode("utf-16"), "UTF-8"),
        (b'path\nloose.png\n"' + b"x" * 200_000, "line 2.*quotation mark"),
        (b"path\n" + b"x" * 5000 + b"\n", "there is no file"),
        (b"path\na\0b.png\n", "there is no file|NUL"),
    ],
)
def test_a_csv_that_is_none_is_an_error_that_says_so(photos, content, said):
    (photos / "list.csv").write_bytes(content)
    with pytest.raises(UsageError, match=rf"(?s)list\.csv.*({said})"):
        list_images(photos / "list.csv")


def test_lines_that_can_be_no_paths_are_problems(photos):
    (photos / "list.txt").write_text("x" * 5000 + "\na\0b\nloose.png\n", encoding="utf-8")
    found = list_images(photos / "list.txt")
    assert ([path.name for path in found.paths], [problem.line for problem in found.problems]) == (["loose.png"], [1, 2])


def test_the_page_names_every_ending_that_folders_are_searched_for():
    page = (Path(__file__).parents[3] / "docs" / "images.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\.[a-z0-9]+)`", page.split("In a folder, a file is an image by its ending")[1])) == SUFFIXES


def test_a_folder_with_pipes_links_and_odd_names_is_listed_and_nothing_hangs(tmp_path):
    folder = tmp_path / "classes" / "cat"
    folder.mkdir(parents=True)
    for name in ("a.png", "b\nc.png", "\x1b[31m.png", "[bold].png"):
        Image.new("RGB", (3, 3)).save(folder / name)
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(folder / "pipe.txt")
    (folder / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (folder / "circle").symlink_to(folder)
    (folder / "linked.png").symlink_to(folder / "a.png")
    (folder / "device.png").symlink_to("/dev/zero")
    with open(os.fsencode(folder) + b"/\xff.png", "wb") as stream:  # noqa: PTH123 - the name is bytes
        stream.write(b"")
    found = list_images(tmp_path / "classes")
    assert {path.name for path in found.paths} == {"a.png", "b\nc.png", "\x1b[31m.png", "[bold].png", "linked.png"}
    assert set(found.labels) == {"cat"}
    assert found.passed_over == 1
    said = {Path(problem.where).name: problem.what for problem in found.problems}
    assert said == {
        "pipe.png": "it is a pipe, not a file",
        "gone.png": "it is a link to nothing, not a file",
        "circle": "it is a link to a folder, and was not followed",
        "device.png": "it is a device, not a file",
        "\\udcff.png": "its name is no UTF-8 text; rename it",
    }


def test_a_class_folder_whose_name_is_no_text_is_a_problem(photos):
    os.mkdir(os.fsencode(photos) + b"/\xff")  # noqa: PTH102 - the name is bytes
    with open(os.fsencode(photos) + b"/\xff/a.png", "wb") as stream:  # noqa: PTH123 - the name is bytes
        stream.write(b"")
    found = list_images(photos)
    assert found.labels == ("cat", "cat", "dog")
    assert "no UTF-8 text" in next(one for one in found.problems if "udcff" in one.where).what
    str(found.problems).encode("utf-8")


def test_more_images_than_records_are_refused(photos):
    with ceilings(records=3):
        assert len(list_images(photos)) == 3
    with ceilings(records=2), pytest.raises(CeilingError, match="--ceiling records=3"):
        list_images(photos)
    (photos / "list.txt").write_text("loose.png\n" * 3, encoding="utf-8")
    (photos / "list.csv").write_text("path\n" + "loose.png\n" * 3, encoding="utf-8")
    for name in ("list.txt", "list.csv"):
        with ceilings(records=2), pytest.raises(CeilingError, match=rf"{name} has 3 records"):
            list_images(photos / name)
        with ceilings(bytes=20), pytest.raises(CeilingError, match=rf"{name}.*--ceiling bytes"):
            list_images(photos / name)


def test_an_image_whose_name_is_no_text_has_a_name_that_can_be_written(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    Image.new("RGB", (3, 3)).save(path.open("wb"), "PNG")
    (image,) = read_images([path])
    assert image.name == "\\udcff"


def tree(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2)).save(root / name)
    return list_images(root)


@pytest.mark.parametrize(
    ("files", "classes"),
    [
        (["Yorkshire_Terrier/a.png", "great-dane/b.png"], [0, 1]),
        (["train/great dane/a.png", "train/YORKSHIRE TERRIER/b.png"], [0, 1]),
        (["great dane/2024/a.png", "Yorkshire-terrier/x/y/b.png"], [1, 0]),
        (["animals/great_dane/a.png", "more/pets/yorkshire_terrier/b.png"], [1, 0]),
        (["train/great_dane/a.png", "great_dane/b.png", "val/yorkshire_terrier/c.png"], [1, 1, 0]),
    ],
)
def test_the_class_is_the_folder_that_has_the_name_of_one(tmp_path, files, classes):
    found = tree(tmp_path, *files)
    assert [path.relative_to(tmp_path).as_posix() for path in found.paths] == sorted(files)
    by_path = dict(zip(sorted(files), found.label_indices(["Yorkshire terrier", "Great Dane"]), strict=True))
    names = {"yorkshire": 0, "great": 1}
    for file, number in by_path.items():
        assert number == next(names[word] for word in names if word in file.lower())
    assert sorted(by_path.values()) == sorted(classes)


def test_folders_of_two_classes_on_one_way(tmp_path):
    found = tree(tmp_path, "cat/tiger/a.png", "cat/lion/b.png")
    np.testing.assert_array_equal(found.label_indices(["cat", "tiger", "lion"]), [2, 1])  # the deeper level tells more apart
    mixed = tree(tmp_path, "cat/c.png")
    with pytest.raises(UsageError, match="lies in folders of two classes, 'cat' and 'lion'"):
        mixed.label_indices(["cat", "tiger", "lion"])


@pytest.mark.parametrize(
    ("files", "doubted"),
    [
        (["train/cat/a.png", "train/dog/b.png", "val/cat/c.png"], True),
        (["animals/cat/a.png", "animals/dog/b.png"], True),
        (["cat/images/a.png", "dog/images/b.png"], False),
        (["cat/a.png", "dog/more/b.png", "dog/most/c.png"], False),
        (["cat/a.png"], False),
        # a stray picture hides nothing
        (["train/cat/a.png", "train/dog/b.png", "val/cat/c.png", "train/stray.png", "more/stray.png"], True),
    ],
)
def test_levels_that_may_be_no_classes_are_doubted(tmp_path, files, doubted):
    found = tree(tmp_path, *files)
    assert bool(found.doubt) == doubted
    if doubted:
        assert "give the list of classes" in found.doubt


def test_a_label_that_is_near_a_class_is_suggested(tmp_path):
    found = tree(tmp_path, "abysinian/a.png")
    with pytest.raises(UsageError, match="is 'Abyssinian' meant"):
        found.label_indices(["Bengal", "Abyssinian"])
    with pytest.raises(UsageError, match=r"may be the class 'abysinian ' or 'Abysinian_'"):
        tree(tmp_path, "Abysinian/b.png").classes_of(["abysinian ", "Abysinian_"])
