"""What lies in an output folder, or beside an output, may be somebody else's: no link there is followed, none ends a batch."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

MEMBERS = (
    "panel.png", "original.png", "adversarial.png", "difference.png", "density.png", "images.npz", "result.json", "answers.bin",
)  # fmt: skip


@pytest.fixture
def victim(tmp_path):
    place = tmp_path / "elsewhere" / "victim"
    place.parent.mkdir()
    place.write_text("mine")
    yield place
    assert place.read_text() == "mine"
    assert [path.name for path in place.parent.iterdir()] == ["victim"]


# how a foreign folder's member is made: a link to a file, to nothing, to a folder, ...
def plant(path, kind, victim):
    path.parent.mkdir(parents=True, exist_ok=True)
    match kind:
        case "link":
            path.symlink_to(victim)
        case "dangling":
            path.symlink_to(victim.with_name("new"))
        case "link to a folder":
            path.symlink_to(victim.parent)
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)


LONG = [pytest.param(one, marks=pytest.mark.long) for one in ("dangling", "link to a folder", "pipe")]
KINDS = ["link", "folder", *LONG]


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("kind", KINDS)
def test_foreign_members_of_result_folders_stop_their_image_alone(in_process, tmp_path, victim, kind, force):
    for number, name in enumerate((*MEMBERS, "good", "whole")):
        np.save(tmp_path / f"{name}-in.npy", np.full((48, 48, 3), 90 + number, dtype=np.uint8))
        if name in MEMBERS:
            plant(tmp_path / "o" / f"{name}-in" / name, kind, victim)
    plant(tmp_path / "o" / "whole-in", "pipe" if kind == "folder" else kind, victim)  # what is to be the folder itself
    (tmp_path / "link").symlink_to("o")  # the folder that the user names may be a link
    images = [f"{name}-in.npy" for name in (*MEMBERS, "good", "whole")]
    words = ["attack", *images, "--target", "demo:signs", "--budget", "3", "--out", "link", *force]
    done = in_process.run_command(*words, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert (tmp_path / "o" / "good-in" / "result.json").is_file()
    told = [line for line in done.stderr.splitlines() if line.startswith("not attacked: ")]
    assert len(told) == len(MEMBERS) + 1, done.stderr
    for name in (*MEMBERS, "whole"):
        (line,) = (line for line in told if line.startswith(f"not attacked: {name}-in: "))
        assert "link" in line or kind in ("folder", "pipe"), line
        assert "FILE" not in line
        if name != "whole":
            assert os.listdir(tmp_path / "o" / f"{name}-in") == [name]  # noqa: PTH208


def test_an_input_in_a_result_folder_is_told_before_the_search(in_process, tmp_path):
    (tmp_path / "o" / "x").mkdir(parents=True)
    rows = np.random.default_rng(0).integers(0, 255, (2, 48, 48, 3), dtype=np.uint8)
    from PIL import Image

    Image.fromarray(rows[0]).save(tmp_path / "o" / "x.png")
    Image.fromarray(rows[1]).save(tmp_path / "o" / "x" / "original.png")
    before = (tmp_path / "o" / "x" / "original.png").read_bytes()
    words = ["attack", "o/x.png", "o/x/original.png", "--target", "demo:signs", "--budget", "3", "--out", "o"]
    done = in_process.run_command(*words, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "not attacked: x: " in done.stderr
    assert (tmp_path / "o" / "original" / "result.json").is_file()
    assert (tmp_path / "o" / "x" / "original.png").read_bytes() == before


@pytest.mark.parametrize("kind", KINDS)
def test_foreign_members_of_a_folder_of_pictures(at_work, tmp_path, victim, kind):
    plant(tmp_path / "o" / "m1.html", kind, victim)
    done = at_work("picture", "o")
    assert done.returncode == 1, done.stderr
    assert "not drawn: " in done.stderr
    assert "5 pictures written to o" in done.stderr
    assert "FILE" not in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_of_the_demo(tmp_path, victim, kind):
    from saywhy.demo.run import run
    from saywhy_core.errors import UsageError

    plant(tmp_path / "o" / "index.html", kind, victim)
    with pytest.raises(UsageError, match=r"index\.html is a"):
        run(tmp_path / "o")


@pytest.mark.parametrize("kind", ["link", *LONG[:2]])
@pytest.mark.parametrize(
    ("writer", "ending"),
    [
        ("narrate", ".part"), ("narrate", ".replies.sqlite"), ("describe", ".journal"), ("describe", ".replies.sqlite"),
        ("improve", ".state"), ("convert pixels", ".arrays"), ("verbalize", ".lock"), ("convert", ".lock"),
    ],
)  # fmt: skip
def test_files_beside_an_output_are_no_links(at_work, tmp_path, victim, writer, ending, kind):
    plant(tmp_path / f"o.json{ending}", kind, victim)
    done = at_work(writer, "o.json")
    assert done.returncode == 2, done.stderr
    assert f"o.json{ending} is " in done.stderr.splitlines()[-1]
    assert at_work.requests == 0


def test_arrays_beside_an_output_are_no_links(at_work, tmp_path, victim):
    plant(tmp_path / "o.jsonl.arrays" / "000000.scores.npy", "dangling", victim)
    done = at_work("convert pixels", "o.jsonl")
    names = {path.name for path in (tmp_path / "o.jsonl.arrays").iterdir() if not path.is_symlink()}
    assert done.returncode == 2 or (done.returncode == 0 and names), done.stderr


def test_the_report_beside_prompts_is_no_link(in_process, outputs_world, tmp_path, victim):
    plant(tmp_path / "o.report.json", "link", victim)
    world = outputs_world
    words = ["improve", "--shots", world / "photos", "--test", world / "photos", "--encoder", f"clip:{world / 'clip'}"]
    done = in_process.run_command(*map(str, words), "--out", "o.json", folder=tmp_path)
    assert done.returncode == 2
    assert "o.report.json is a link" in done.stderr


def test_an_output_itself_may_be_a_link(at_work, tmp_path, command):
    (tmp_path / "real").mkdir()
    name = "o.html" if command == "picture page" else "o"
    folder = command in ("picture", "attack")
    (tmp_path / name).symlink_to("real" if folder else "real/file")
    done = at_work(command, "o")
    assert done.returncode in (0, 1), done.stderr
    assert (tmp_path / name).is_symlink()
    assert json.dumps(os.listdir(tmp_path / "real")) != "[]"  # noqa: PTH208
