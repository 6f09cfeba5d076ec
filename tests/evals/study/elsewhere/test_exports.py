"""Exports: complete, escaped, and without right answers."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET

import pytest
import yaml

from evals.study.exports import EXPORTS, export_study
from evals.study.flow.keys import Key, Way, parse_key, way_steps, ways_of
from saywhy_core.errors import UsageError

LAID_OUT = ["csv", "qualtrics", "potato", "label-studio"]  # the others need jsPsych: see test_pages_elsewhere.py


def everything(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("platform", LAID_OUT)
def test_no_file_of_a_participant_tells_items_conditions_or_right_answers(study, tmp_path, platform):
    export_study(study, platform, tmp_path / "out")
    files = everything(tmp_path / "out")
    assert files
    kept_back = {"key.csv"} if platform == "csv" else set()
    for name, content in files.items():
        if name in kept_back or name.endswith(".png"):
            continue
        text = content.decode()
        assert "secret" not in text  # the items' ids
        assert "latin-" not in text  # the cells' names
        assert not re.search(r"expected|predicted|correct|\"answer\"", text)
        for label in ("positive", "negative"):  # wherever one label stands, the other stands as an option beside it
            assert text.count(label) == text.count({"positive": "negative", "negative": "positive"}[label])


@pytest.mark.parametrize("platform", LAID_OUT)
def test_pictures_go_along(study, tmp_path, platform):
    export_study(study, platform, tmp_path / "out")
    files = everything(tmp_path / "out")
    picture = (study.folder / "images" / "p.png").read_bytes()
    if platform == "label-studio":
        import base64

        assert base64.b64encode(picture).decode() in files["cell-1/tasks.json"].decode()
    else:
        assert picture in files.values()


def test_qualtrics_reads_each_question_once_and_no_mark_of_a_text(study, tmp_path):
    notes = export_study(study, "qualtrics", tmp_path / "out")
    text = (tmp_path / "out" / "study.txt").read_text()
    asked = sum(len(step.questions) for way in ways_of(study) for step in way_steps(study, way))
    assert len(re.findall(r"^\[\[Question:(?:MC|TE)", text, re.MULTILINE)) == asked
    assert text.count("[[Block:") == 2 == len(study.cells)
    ids = re.findall(r"^\[\[ID:(.*)\]\]$", text, re.MULTILINE)
    assert len(set(ids)) == len(ids)
    for line in text.splitlines():  # marks stand alone on their lines, as the format wants them
        assert "[[" not in line or re.fullmatch(r"\[\[[\w: .]+\]\]", line)
    assert "${" not in text
    assert "a &lt;b&gt; &amp; &#91;&#91;Choices&#93;&#93;" in text
    assert "positive\nnegative\n" in text
    assert any("randomizer" in note for note in notes)


def test_potato_hides_what_a_page_does_not_ask(study, tmp_path):
    export_study(study, "potato", tmp_path / "out")
    config = yaml.safe_load((tmp_path / "out" / "config.yaml").read_text())
    assert [one["name"] for one in config["annotation_schemes"]] == ["simulation", "helpfulness", "ease", "awake"]
    css = (tmp_path / "out" / "study.css").read_text()
    assert 'body:has(.no-helpfulness) form[data-schema-name="helpfulness"] { display: none; }' in css
    for group in config["batch_assignment"]["groups"]:
        for line in (tmp_path / "out" / group["data_file"]).read_text().splitlines():
            page = json.loads(line)
            key = parse_key(page["id"])
            step = way_steps(study, key.way)[key.step]
            asked = {question.name for question in step.questions}
            assert {one for one in ("simulation", "helpfulness", "ease", "awake") if f"no-{one}" not in page["text"]} == asked


def test_label_studio_has_a_control_for_each_question_and_data_for_each_value(study, tmp_path):
    export_study(study, "label-studio", tmp_path / "out")
    for cell in (1, 2):
        root = ET.parse(tmp_path / "out" / f"cell-{cell}" / "interface.xml").getroot()
        tasks = json.loads((tmp_path / "out" / f"cell-{cell}" / "tasks.json").read_text())
        values = {one.get("value").removeprefix("$") for one in root.iter() if (one.get("value") or "").startswith("$")}
        steps = way_steps(study, Way(cell, 1))
        assert len(tasks) == len(steps)
        for task, step in zip(tasks, steps, strict=True):
            assert values <= set(task["data"])
            shown = {name.removeprefix("ask_") for name, text in task["data"].items() if name.startswith("ask_") and text}
            assert shown == {question.name for question in step.questions}


def test_sheets_hold_every_page_and_no_formula(study, tmp_path):
    study.items["item-0-secret"].stimuli["heatmap"].__dict__["text"] = "=SUM(A1)"
    export_study(study, "csv", tmp_path / "out")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "cell-1.csv").read_text())))
    assert {parse_key(row["page"]).step for row in rows} == set(range(len(way_steps(study, Way(1, 1)))))
    assert not any(cell[:1] in "=+-@" for row in rows for cell in row.values() if cell)
    keys = list(csv.DictReader(io.StringIO((tmp_path / "out" / "key.csv").read_text())))
    assert {row["item"] for row in keys if row["task"]} == set(study.items)


def test_a_key_reads_as_it_is_written():
    key = Key(Way(12, 345), 6)
    assert str(key) == "c12w345p7"
    assert parse_key(str(key)) == key
    for wrong in ("", "c0w1p1", "c1w1p0", "c1w1", "xc1w1p1", "c1w1p1x", "c1w1p-1"):
        assert parse_key(wrong) is None


def test_the_place_must_be_free(study, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        export_study(study, "csv", tmp_path / "out")
    with pytest.raises(UsageError, match=r"ends in \.jzip"):
        export_study(study, "jatos", tmp_path / "study.zip")
    with pytest.raises(UsageError, match="none-such"):
        export_study(study, "none-such", tmp_path / "new")
    assert set(EXPORTS) >= {*LAID_OUT, "static", "jatos"}
