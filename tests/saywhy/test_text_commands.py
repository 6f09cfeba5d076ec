"""verbalize, check, convert, evaluate wording and doctor, as a user calls them."""

import json
import subprocess
import sys

import numpy as np
import pytest

from verbalize import PixelSaliency, Query, TokenSaliency, write_saliency


@pytest.fixture
def maps(tmp_path):
    words = ["a", "truly", "great", "film", "but", "not", "short"]
    path = tmp_path / "maps.jsonl"
    write_saliency(
        [
            TokenSaliency(
                words, [0, 1, 3, 0.5, 0, -2, -1], Query("positive"), id="r1", text="A truly great film, but not short."
            ),
            TokenSaliency(words, [1.0] * 7, Query("positive", ("negative",)), id="flat"),
            TokenSaliency([], [], Query("positive"), id="empty"),
            PixelSaliency(np.pad(np.ones((6, 6)), ((2, 24), (24, 2))), Query("stop"), id="sign"),
        ],
        path,
    )
    return path


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_verbalize_then_check_then_evaluate(saywhy, maps, tmp_path):
    done = saywhy("verbalize", maps, "--style", "plain", "--max-words", 12, "--out", tmp_path / "texts.jsonl")
    assert done.returncode == 0, done.stderr
    texts = lines((tmp_path / "texts.jsonl").read_text())
    assert [list(record) for record in texts] == [["version", "id", "style", "text", "claims", "coverage"]] * 4
    assert [record["id"] for record in texts] == ["r1", "flat", "empty", "sign"]
    assert "'great'" in texts[0]["text"] or "great" in texts[0]["text"]
    assert "stands out" in texts[1]["text"]
    assert "upper right" in texts[3]["text"]
    done = saywhy("check", tmp_path / "texts.jsonl", "--maps", maps)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 texts" in done.stdout
    assert " 0 false" in done.stdout
    done = saywhy("evaluate", "wording", tmp_path / "texts.jsonl", "--maps", maps, "--out", tmp_path / "rows.csv", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["false"] == 0
    assert (tmp_path / "rows.csv").read_text().count("\n") == 5


def test_lies_are_told_by_kind_and_exit_with_1(saywhy, maps, tmp_path):
    (tmp_path / "texts.jsonl").write_text(
        "\n".join(
            json.dumps({"id": "r1", "text": text})
            for text in (
                "'not' speaks for 'positive'.",
                "'splendid' speaks for 'positive'.",
                "'film' is the most important word for 'positive'.",
                "'great' holds 90% of the evidence for 'positive'.",
                "'great' speaks for 'negative'.",
                "'great' speaks for 'positive'.",
            )
        )
    )
    done = saywhy("check", tmp_path / "texts.jsonl", "--maps", maps, "--json")
    assert done.returncode == 1
    kinds = [[error["kind"] for error in record["errors"]] for record in lines(done.stdout)]
    assert [found[0] if found else None for found in kinds] == [
        "wrong sign", "part not in the input", "wrong rank", "wrong number", "wrong label", None,
    ]  # fmt: skip
    table = saywhy("check", tmp_path / "texts.jsonl", "--maps", maps)
    assert table.returncode == 1
    for kind in ("wrong sign", "part not in the input", "wrong rank", "wrong number", "wrong label"):
        assert kind in table.stdout


def test_stated_claims_are_checked_too(saywhy, maps, tmp_path):
    record = {"id": "r1", "text": "'great' speaks for 'positive'.", "claims": [{"kind": "supports", "part": [5]}]}
    (tmp_path / "texts.jsonl").write_text(json.dumps(record))
    done = saywhy("check", tmp_path / "texts.jsonl", "--maps", maps)
    assert done.returncode == 1
    assert "wrong sign" in done.stdout


def test_standard_input_and_output(saywhy, maps, tmp_path):
    done = saywhy("verbalize", "-", stdin=maps.read_text().splitlines()[0] + "\n")
    assert done.returncode == 0, done.stderr
    assert lines(done.stdout)[0]["id"] == "r1"
    checked = saywhy("check", "-", "--maps", maps, stdin=done.stdout)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_broken_record_is_named_and_the_rest_is_done(saywhy, maps, tmp_path):
    good = maps.read_text().splitlines()
    (tmp_path / "mixed.jsonl").write_text("\n".join([good[0], good[0].replace("3.0", "NaN").replace("r1", "r2"), "{", good[2]]))
    done = saywhy("verbalize", tmp_path / "mixed.jsonl", "--out", tmp_path / "t.jsonl")
    assert done.returncode == 1
    assert "line 2, id r2" in done.stderr
    assert "line 3" in done.stderr
    assert [record["id"] for record in lines((tmp_path / "t.jsonl").read_text())] == ["r1", "empty"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verbalize", "nothing.jsonl"], "there is no file"),
        (["verbalize", "empty.jsonl", "--out", "out.jsonl"], "is empty"),
        (["verbalize", "maps.jsonl", "--style", "purple", "--out", "out.jsonl"], "there is no style 'purple'"),
        (["verbalize", "maps.jsonl", "--style", "composed", "--out", "out.jsonl"], "--llm"),
        (["verbalize", "maps.jsonl", "--llm", "openai:x", "--out", "out.jsonl"], "--style composed"),
        (["verbalize", "maps.jsonl", "--style", "composed", "--length", "clause", "--llm", "openai:x"], "--length goes with"),
        (["check", "nothing.jsonl", "--maps", "maps.jsonl"], "does not exist"),
        (["convert", "maps.jsonl", "--format", "xls", "--out", "out.jsonl"], "no format 'xls'"),
        (["convert", "cam.png", "--label", "x", "--out", "out.jsonl"], "can't be read"),
        (["evaluate", "wording", "nothing.jsonl", "--maps", "maps.jsonl"], "does not exist"),
    ],
)
def test_mistakes_are_told_in_one_sentence_and_leave_nothing_behind(saywhy, maps, tmp_path, arguments, message):
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "cam.png").write_bytes(b"no picture")
    before = sorted(tmp_path.iterdir())
    done = saywhy(*arguments, folder=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_every_command_shows_an_example_in_its_help(saywhy):
    names = [
        line.split()[1] for line in saywhy("--help").stdout.splitlines() if line.startswith(("│ ", "| ")) and line[2] != " "
    ]
    names = [name for name in names if name.isalpha() and not name.startswith("-")]
    assert {"verbalize", "check", "convert", "picture", "doctor", "demo"} <= set(names)
    for name in names:
        shown = saywhy(name, "--help").stdout
        assert "Example:" in shown, name
        assert f"saywhy {name}" in shown, name


def test_doctor_finds_this_environment_fit_and_a_stolen_name_unfit(saywhy, tmp_path):
    done = saywhy("doctor")
    assert done.returncode == 0, done.stdout
    info = tmp_path / "rival-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rival\nVersion: 1.0\n")
    (info / "RECORD").write_text("agents/__init__.py,,\n")
    (info / "top_level.txt").write_text("agents\n")
    (tmp_path / "agents").mkdir()
    code = f"import sys; sys.path.append({str(tmp_path)!r}); sys.argv = ['saywhy', 'doctor']; from saywhy.cli.app import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stdout
    assert "rival" in done.stdout
