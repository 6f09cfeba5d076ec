"""`saywhy picture`: one safe file a map, broken records told, nothing outside the folder."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from saywhy_core.names import safe_file_name
from verbalize.formats import write_saliency
from verbalize.saliency import PixelSaliency, Query, TokenSaliency


@pytest.fixture
def command(saywhy):
    return lambda *arguments: saywhy("picture", *arguments)


def words(name, scores=(0.9, -0.3)):
    return TokenSaliency(["good", "film"], scores, Query("positive"), id=name)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(("kind", "ending"), [("html", "html"), ("png", "png"), ("rationale", "html")])
def test_one_file_a_map(command, tmp_path, kind, ending):
    write_saliency([words("a-1"), words("a-2")], tmp_path / "maps.jsonl")
    done = command(tmp_path / "maps.jsonl", "--out", tmp_path / "out", "--kind", kind)
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "out") == [f"a-1.{ending}", f"a-2.{ending}"]
    content = (tmp_path / "out" / f"a-1.{ending}").read_bytes()
    if ending == "png":
        assert Image.open(io.BytesIO(content)).size[0] == 900
    else:
        assert b"good" in content
        assert (b"film" in content) == (kind == "html")


HOSTILE = ["../../escape", "/etc/passwd", "..", ".", ".hidden", "a/b", "a\\b", "CON", "nul.txt", "x" * 400, "-rf", "é ü", "a\nb", "A", "a",
           "%2e%2e%2f", "<script>alert(1)</script>", "中文", "trailing.", "a b", "a_b", "~root"]  # fmt: skip


def test_hostile_ids_stay_in_the_folder_and_none_is_lost(command, tmp_path):
    write_saliency([words(name) for name in HOSTILE], tmp_path / "maps.jsonl")
    before = files(tmp_path)
    done = command(tmp_path / "maps.jsonl", "--out", tmp_path / "deep" / "out")
    assert done.returncode == 0, done.stderr
    written = files(tmp_path / "deep" / "out")
    assert len({name.casefold() for name in written}) == len(HOSTILE)
    assert set(files(tmp_path)) == {*before, *(f"deep/out/{name}" for name in written)}
    for name in written:
        assert len(name) <= 120
        assert name.isascii()
        assert not set(name) & set('/\\:*?"<>| \n')
        assert not name.startswith((".", "-"))
        assert name.split(".")[0].casefold() not in {"con", "nul"}
        assert "<script>" not in (tmp_path / "deep" / "out" / name).read_text(encoding="utf-8")


def test_names_are_the_same_each_time():
    first, second = ([safe_file_name(name, ".png", taken) for name in HOSTILE] for taken in (set(), set()))
    assert first == second


def test_broken_records_are_told_and_the_rest_is_drawn(command, tmp_path):
    maps = tmp_path / "maps.jsonl"
    write_saliency([words("first"), words("last")], maps)
    lines = maps.read_text(encoding="utf-8").splitlines()
    broken = json.loads(lines[0]) | {"id": "bad one", "scores": [1.0]}
    maps.write_text("\n".join([lines[0], json.dumps(broken), "{not json", lines[1]]) + "\n", encoding="utf-8")
    done = command(maps, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "line 2" in done.stderr
    assert "bad one" in done.stderr
    assert "line 3" in done.stderr
    assert files(tmp_path / "out") == ["first.html", "last.html"]


def test_pixel_maps_are_drawn_and_have_no_rationale(command, tmp_path):
    maps = tmp_path / "maps.jsonl"
    spot = PixelSaliency(np.eye(6), Query("stop"), image=np.zeros((6, 6, 3), dtype=np.float32), id="sign")
    write_saliency([spot, words("text")], maps)
    assert command(maps, "--out", tmp_path / "png", "--kind", "png").returncode == 0
    assert files(tmp_path / "png") == ["sign.png", "text.png"]
    done = command(maps, "--out", tmp_path / "why", "--kind", "rationale")
    assert done.returncode == 1
    assert "sign" in done.stderr
    assert files(tmp_path / "why") == ["text.html"]


def test_labels_are_masked(command, tmp_path):
    write_saliency([words("a")], tmp_path / "maps.jsonl")
    for arguments, shown in (((), True), (("--mask-labels",), False)):
        assert command(tmp_path / "maps.jsonl", "--out", tmp_path / "out", *arguments).returncode == 0
        assert ("positive" in (tmp_path / "out" / "a.html").read_text(encoding="utf-8")) == shown


def test_a_rationale_with_nothing_to_say_says_so(command, tmp_path):
    write_saliency([words("a", (-1.0, -2.0))], tmp_path / "maps.jsonl")
    assert command(tmp_path / "maps.jsonl", "--out", tmp_path, "--kind", "rationale").returncode == 0
    assert "No word speaks for it" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_is_one_sentence(command, tmp_path):
    write_saliency([words("a")], tmp_path / "maps.jsonl")
    (tmp_path / "file").write_text("")
    done = command(tmp_path / "maps.jsonl", "--out", tmp_path / "file" / "out")
    assert done.returncode == 2
    assert "can't be written to" in done.stderr


def test_maps_that_are_not_there_leave_no_folder(command, tmp_path):
    done = command(tmp_path / "none.jsonl", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "none.jsonl" in done.stderr
    assert files(tmp_path) == []
    assert not (tmp_path / "out").exists()


def test_help_shows_an_example(command):
    assert "saywhy picture maps.jsonl --out pictures --kind png" in " ".join(command("--help").stdout.split())


def test_one_page_for_all_maps(command, tmp_path):
    write_saliency([words("first"), words("last")], tmp_path / "maps.jsonl")
    done = command(tmp_path / "maps.jsonl", "--out", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert html.index("<h2>first</h2>") < html.index("<h2>last</h2>")
    assert files(tmp_path) == ["maps.jsonl", "page.html"]
    refused = command(tmp_path / "maps.jsonl", "--out", tmp_path / "other.html", "--kind", "png")
    assert refused.returncode == 2
    assert "a page holds HTML" in refused.stderr
    (tmp_path / "a.txt").write_text("here")
    assert command(tmp_path / "maps.jsonl", "--out", tmp_path / "a.txt").returncode == 2
    assert (tmp_path / "a.txt").read_text() == "here"


def test_the_suffix_of_out_says_what_is_written(command, tmp_path):
    write_saliency([words("a")], tmp_path / "maps.jsonl")
    assert command(tmp_path / "maps.jsonl", "--out", tmp_path / "page.htm").returncode == 0
    assert (tmp_path / "page.htm").read_text(encoding="utf-8").startswith("<!doctype html>")
    for name in ("p.png", "P.PDF", "maps.json"):
        done = command(tmp_path / "maps.jsonl", "--out", tmp_path / name)
        assert done.returncode == 2
        assert "a file of another kind" in " ".join(done.stderr.split())
        assert not (tmp_path / name).exists()
