"""Images of an audit that can't be used, tables of labels that contradict themselves, and names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adversarial.audit import gather_images
from adversarial.audit.sources import list_sources
from saywhy_core.errors import UsageError


def picture(path, size=(6, 6)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (9, 99, 199)).save(path)
    return path


@pytest.mark.parametrize("depth", ["", "deep/", "deep/deeper/"])
@pytest.mark.parametrize("broken", ["loop.png", "loop", "nothing.png"])
def test_a_link_that_leads_nowhere_costs_itself_alone(tmp_path, depth, broken):
    good = picture(tmp_path / f"set/{depth}good.png")
    (good.parent / broken).symlink_to("none.png" if broken == "nothing.png" else broken)
    found, problems = list_sources([tmp_path / "set"])
    assert [Path(one.path).name for one in found] == ["good.png"]
    assert [problem.where for problem in problems] == ([str(good.parent / broken)] if broken != "loop" else [])


@pytest.mark.parametrize("name", ["none.png", "none", "none.csv", "none.npy", "loop.png", "x" * 300, "a/b/c.png"])
def test_a_path_that_is_not_there_is_a_problem_at_once(tmp_path, name):
    good = picture(tmp_path / "good.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    found, problems = list_sources([tmp_path / name, good])
    assert [one.path for one in found] == [str(good)]
    assert [problem.where for problem in problems] == [str(tmp_path / name)]
    with pytest.raises(UsageError, match=r"there are no images to audit; first problem: .*(no such file|nowhere)"):
        list_sources([tmp_path / name])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("path,label\na.png,1\nb.png,0\na.png,2\n", "lines 2 and 4 contradict each other: 'a.png' is '1' and '2'"),
        ("path,label\na.png,1\n./a.png,2\n", "lines 2 and 3 contradict"),
        ("path,label,label\na.png,1,2\n", "two columns 'label'"),
        ("path,path,label\na.png,b.png,2\n", "two columns 'path'"),
    ],
)
def test_a_table_that_contradicts_itself_is_an_error(tmp_path, rows, said):
    files = [picture(tmp_path / name) for name in ("a.png", "b.png")]
    table = tmp_path / "table.csv"
    table.write_text(rows)
    with pytest.raises(UsageError, match=said):
        list_sources(files, labels=table)
    with pytest.raises(UsageError, match=said):
        list_sources([table])


def test_the_same_row_twice_is_no_contradiction_and_names_may_have_their_ending(tmp_path):
    files = [picture(tmp_path / name) for name in ("a.png", "b.png")]
    table = tmp_path / "table.csv"
    table.write_text("name,label\na.png,1\nb,0\na.png,1\n")
    assert [one.label for one in list_sources(files, labels=table)[0]] == [1, 0]
    table.write_text("name,label\nc.png,1\n")
    with pytest.raises(UsageError, match="names none of the images in its column 'name'; an image's name is such as 'a'"):
        list_sources(files, labels=table)


def test_an_array_that_may_be_one_image_with_its_channels_first_is_refused(tmp_path):
    np.save(tmp_path / "first.npy", np.zeros((3, 6, 6)))
    np.savez(tmp_path / "labelled.npz", images=np.zeros((3, 6, 6)), labels=np.array([0, 1, 2]))
    np.save(tmp_path / "grey.npy", np.zeros((3, 6, 6, 1)))
    for shape in ((6, 6, 3), (None, None, 3)):
        (one,), _ = list_sources([tmp_path / "first.npy"], shape=shape)
        assert "one image with its channels first or 3 grey images; save it as (6, 6, 3) for one" in one.error
        found, (problem,) = gather_images([tmp_path / "first.npy"], shape=shape)
        assert not found
        assert problem.what == one.error
        for name in ("labelled.npz", "grey.npy"):
            assert not any(one.error for one in list_sources([tmp_path / name], shape=shape)[0])
            assert len(gather_images([tmp_path / name], shape=shape)[0]) == 3
    for shape in ((6, 6, 1), (7, 6, 3), (None, None, None)):
        assert len(list_sources([tmp_path / "first.npy"], shape=shape)[0]) == 3


def test_pictures_of_one_name_are_told_apart_by_their_endings(tmp_path):
    for name in ("x.png", "x.bmp", "y.png", "deep/x.png"):
        picture(tmp_path / "set" / name)
    names = {os.path.relpath(one.path, tmp_path / "set"): one.name for one in list_sources([tmp_path / "set"])[0]}
    assert names == {"x.png": "x.png", "x.bmp": "x.bmp", "y.png": "y", "deep/x.png": "deep/x"}


def test_a_file_whose_name_is_no_text_is_a_row_that_failed(tmp_path):
    """Given in a folder, beside class folders, or itself; a database can't hold its name, and a report must tell of it."""
    (tmp_path / "set" / "dark").mkdir(parents=True)
    for folder in (tmp_path / "set", tmp_path / "set" / "dark"):
        Image.new("RGB", (8, 8)).save(folder / "b.png")
        shutil.copy(folder / "b.png", os.path.join(os.fsencode(folder), b"a\xff.png"))  # noqa: PTH118 - a path of bytes
    found, problems = list_sources([tmp_path / "set"], class_names=("dark", "bright"))
    assert problems == []
    assert sorted((one.name, bool(one.error)) for one in found) == [
        ("a\\udcff", True), ("b", False), ("dark/a\\udcff", True), ("dark/b", False)
    ]  # fmt: skip
    assert {one.error for one in found} == {"", "its name is no UTF-8 text; rename it"}
    (one,), _ = list_sources([os.fsdecode(os.path.join(os.fsencode(tmp_path / "set"), b"a\xff.png"))])  # noqa: PTH118 - a path of bytes
    assert one.error == "its name is no UTF-8 text; rename it"
    assert all(one.path.encode() for one in found)
