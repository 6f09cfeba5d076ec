"""The arrays beside a file of maps: an earlier file keeps its own until the new one stands in its place."""

import numpy as np
import pytest

from saywhy_core.disk.files import UnusableFileError, protected_inputs
from verbalize import PixelSaliency, Query, TokenSaliency, read_saliency, write_saliency


def a_map(value, name):
    return PixelSaliency(np.full((3, 4), float(value)), Query("x"), image=np.full((3, 4, 3), 0.5), id=name)


def files(path):
    folder = path.with_name(f"{path.name}.arrays")
    return sorted(one.name for one in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def path(tmp_path):
    return tmp_path / "maps.jsonl"


def test_a_file_that_could_not_be_replaced_is_what_it_was(path):
    first = [a_map(1, "a"), a_map(2, "b")]
    write_saliency(first, path)
    before = files(path)

    def stops():
        yield a_map(7, "a")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_saliency(stops(), path)
    assert read_saliency(path) == first
    assert files(path) == before


def test_a_file_can_be_read_while_it_is_written_anew(path):
    """In another order: with the earlier names, the second map would be the first one by the time that it is read."""
    write_saliency([a_map(1, "a"), a_map(2, "b")], path)
    a, b = read_saliency(path)
    write_saliency((one for one in (b, a)), path)
    assert [float(one.scores[0, 0]) for one in read_saliency(path)] == [2.0, 1.0]


def test_arrays_that_nothing_names_any_more_are_removed(path):
    for round_ in range(4):
        write_saliency([a_map(10 * round_ + number, str(number)) for number in range(3 - round_ % 2)], path)
        assert len(files(path)) == 2 * (3 - round_ % 2)
    write_saliency([a_map(1, "same")], path)
    write_saliency([a_map(1, "same")], path)
    assert len(files(path)) == 2
    write_saliency([TokenSaliency(["a"], [1.0], Query("x"), id="t")], path)
    assert files(path) == []


def test_what_else_lies_there_stays(path):
    write_saliency([a_map(1, "a")], path)
    (path.with_name("maps.jsonl.arrays") / "notes.txt").write_text("mine")
    write_saliency([TokenSaliency(["a"], [1.0], Query("x"), id="t")], path)
    assert files(path) == ["notes.txt"]
    path.write_bytes(b"\xff\xfe no maps")
    write_saliency([a_map(1, "a")], path)
    assert len(read_saliency(path)) == 1


def test_the_copy_of_a_file_keeps_its_arrays_while_it_is_read(tmp_path, path):
    write_saliency([a_map(1, "a"), a_map(2, "b")], path)
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(path.read_bytes())
    with protected_inputs([copy]):
        maps = read_saliency(copy)
        write_saliency(maps[:1], path)
        assert [float(one.scores[0, 0]) for one in read_saliency(copy)] == [1.0, 2.0]
        with pytest.raises(UnusableFileError, match="files that are read"):
            write_saliency(maps, copy)
