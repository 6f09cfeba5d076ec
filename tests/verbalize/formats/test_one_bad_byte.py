"""A byte that is no UTF-8, and a packed file that is cut short, cost what they hold and no more, where that can be known."""

from __future__ import annotations

import gzip
import json

import pytest

from saywhy_core.errors import UsageError
from saywhy_core.images.sets import list_images
from verbalize import SaliencyError, read_saliency
from verbalize.formats import write_saliency

TABLE = "id,token,score,label\na,so,0.1,p\na,great,0.9,p\nd,bad,-1,p\nd,dull,-2,p\ne,fine,1,p\n"


def _read(path):
    problems = []
    found = read_saliency(path, on_problem=problems.append, on_note=[].append)
    return [one.id for one in found], [(one.id, one.line) for one in problems], [one.what for one in problems]


@pytest.mark.parametrize("bad", [b"\xff", b"caf\xe9", b"\xc3", b"\xed\xa0\x80", b"'\x80'"])
@pytest.mark.parametrize("place", ["token", "score"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_row_with_another_byte_is_the_problem_of_its_map(tmp_path, bad, place, mark):
    old = b"d,dull,-2,p" if place == "token" else b"d,bad,-1,p"
    new = b"d," + bad + b",-2,p" if place == "token" else b"d,bad," + bad + b",p"
    (tmp_path / "t.csv").write_bytes(mark + TABLE.encode().replace(old, new))
    ids, problems, what = _read(tmp_path / "t.csv")
    assert ids == ["a", "e"]
    assert problems == [("d", 5 if place == "token" else 4)]
    assert "UTF-8" in what[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"score", b"sc\xff"),  # the names of the columns
        (b"d,dull", b"\xff,dull"),  # the name of the text
        (b"-2,p", b"-2,\xff"),  # the label
        (b"p\nd,dull", b"p\xffd,dull"),  # a line end
        (b"d,dull", b"d\xffdull"),  # the end of a cell
        (b"d,dull", b"d,d\xff,ull"),
    ],
)
def test_a_table_is_refused_where_nobody_knows_which_map_misses_a_word(tmp_path, old, new):
    (tmp_path / "t.csv").write_bytes(TABLE.encode().replace(old, new, 1))
    problems = []
    with pytest.raises(SaliencyError):
        read_saliency(tmp_path / "t.csv", on_problem=problems.append)
    assert not problems


@pytest.mark.parametrize("cut", [1, 9, 40])
def test_the_whole_lines_before_a_cut_are_read(tmp_path, cut):
    lines = [
        {"id": f"m{i}", "tokens": [f"w{i * 7919 % 1009}", "great"], "scores": [i / 7, 1], "label": "p"} for i in range(300)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    packed = gzip.compress(text.encode())
    (tmp_path / "m.jsonl.gz").write_bytes(packed[: len(packed) * cut // 41])
    if cut == 1:
        with pytest.raises(UsageError, match="cut short"):
            _read(tmp_path / "m.jsonl.gz")
        return
    ids, problems, what = _read(tmp_path / "m.jsonl.gz")
    assert 10 < len(ids) < 300
    assert ids == [f"m{i}" for i in range(len(ids))]
    assert problems == [(None, len(ids) + 1)]
    assert "cut short" in what[0]


@pytest.mark.parametrize(
    "content", ['[{"tokens": ["a"], "scores": [1], "label": "p"},\n' * 50, '{"tokens": ["a"' + ', "a"' * 500]
)
def test_a_packed_document_that_is_cut_short_is_refused(tmp_path, content):
    packed = gzip.compress(content.encode())
    (tmp_path / "m.json.gz").write_bytes(packed[:-9])
    with pytest.raises(UsageError, match="cut short"):
        _read(tmp_path / "m.json.gz")


@pytest.mark.parametrize("name", ["list.csv", "list.txt"])
def test_a_line_of_a_list_of_images(tmp_path, name):
    for image in ("a.png", "b.png"):
        (tmp_path / image).write_bytes(b"")
    first = b"path,label\n" if name.endswith("csv") else b""
    label = b",x" if name.endswith("csv") else b""
    (tmp_path / name).write_bytes(first + b"\n".join(one + label for one in (b"a.png", b"\xff.png", b"b.png")) + b"\n")
    found = list_images(tmp_path / name)
    assert [path.name for path in found.paths] == ["a.png", "b.png"]
    assert [problem.line for problem in found.problems] == [3 if first else 2]
    (tmp_path / name).write_bytes(b"\xff\xd8\xff\xe0JFIF\npath\n")
    with pytest.raises(UsageError, match="UTF-8"):
        list_images(tmp_path / name)


@pytest.mark.parametrize("name", ["m.jsonl.gz", "m.JSONL.BZ2", "m.zip"])
def test_maps_are_not_written_under_the_name_of_a_packed_file(tmp_path, name):
    (found,) = read_saliency({"tokens": ["a"], "scores": [-1.0], "label": "p"})
    with pytest.raises(UsageError, match="not packed"):
        write_saliency(found, tmp_path / name)
    assert not list(tmp_path.iterdir())
