"""Tables of others, by a mapping of their columns."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from evals.study.imports import read_answers, read_columns, read_mapping
from saywhy_core.errors import UsageError

ROOT = Path(__file__).parents[4]
CROWD = Path(os.environ.get("SAYWHY_DATA") or ROOT.parent / "shared" / "data") / "smv_crowd"
MAPPING = """version: 1
participant: {file_name: 'rater-(\\d+)'}
item: Item
condition:
  column: Type
  codes: {HM: heatmap, TX: text}
  rules:
    - {condition: heatmap, when: {column: Shown, blank: true}}
    - {condition: text}
leave_out:
  - {column: [Nr, Number], blank: true}
trial: [Nr, Number]
tasks:
  - {name: simulation, kind: simulation, column: {words: [model, predict]}, codes: {Good: pos, Bad: neg}, blank: wrong}
  - {name: ease, kind: rating, column: {matches: '^how easy'}, points: 7}
tables:
  - {file: labels.csv, item: id, answers: {simulation: predicted}, facts: {model_right: {same: [predicted, true]}, label: predicted}}
"""
WITH_TYPE = 'Nr,Item,Type,"What does the model\n predict?","How easy?\n\n1 (not) - 7 (very)"\n'
WITHOUT = 'Number,Item,Shown,"What does the model predict?","How  easy?"\n'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "map.yaml").write_text(MAPPING)
    (tmp_path / "labels.csv").write_text("id,predicted,true\na,pos,pos\nb,neg,pos\nb,neg,pos\n")
    (tmp_path / "rater-1.csv").write_text(WITH_TYPE + "1,a,HM,Good,5\n2,b,TX,,6\n,c,HM,,\n")
    (tmp_path / "rater-2.csv").write_text(WITHOUT + "1,a,,Bad,2\n2,b,a text,Bad,\n")
    return tmp_path


def test_headings_codes_rules_blanks_and_right_answers(folder):
    answers = read_columns([folder / "rater-1.csv", folder / "rater-2.csv"], folder / "map.yaml")
    assert [(r.participant, r.item, r.condition, r.task, r.response, r.correct, r.value, r.trial) for r in answers.rows] == [
        ("1", "a", "heatmap", "simulation", "pos", True, 1.0, 1),
        ("1", "a", "heatmap", "ease", "5", None, 5.0, 1),
        ("1", "b", "text", "simulation", "", False, 0.0, 2),  # blank is wrong
        ("1", "b", "text", "ease", "6", None, 6.0, 2),
        ("2", "a", "heatmap", "simulation", "neg", False, 0.0, 1),
        ("2", "a", "heatmap", "ease", "2", None, 2.0, 1),
        ("2", "b", "text", "simulation", "neg", True, 1.0, 2),  # a blank rating is missing
    ]
    assert answers.items == {"a": {"model_right": "yes", "label": "pos"}, "b": {"model_right": "no", "label": "neg"}}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("1,a,HM,Good,5", "1,a,XX,Good,5", r"rater-1.csv, line 5: 'XX' is no condition; the codes are HM, TX"),
        ("1,a,HM,Good,5", "1,a,HM,Fine,5", r"line 5: 'Fine' is none of the codes of 'simulation': Good, Bad"),
        ("1,a,HM,Good,5", "1,a,HM,Good,8", r"line 5: the rating 'ease' is 8, and the points are 1 to 7"),
        ("1,a,HM,Good,5", "1,a,HM,Good,lots", r"line 5: the rating 'ease' is 'lots', which is no number"),
        ("1,a,HM,Good,5", "1,z,HM,Good,5", r"line 5: there is no right answer of 'simulation' for item 'z'"),
        ("2,b,TX,,6", "2,a,HM,Bad,6", r"line 6: participant '1' answered 'simulation' for item 'a' .* already \(.*line 5\)"),
        ("1,a,HM,Good,5", "1,a,HM,Good,5,7", r"line 5: this row has 6 cells, and there are 5 headings"),
        ("Item,Type", "Thing,Type", r"no heading fits 'Item' for the item; the headings are 'Nr', 'Thing'"),
        (
            "Item,Type,",
            "Item,Type,How easy now,",
            r"the headings 'How easy now' and 'How easy\? .*' both fit the pattern '\^how easy'",
        ),
    ],
)
def test_a_wrong_row_or_heading_is_one_sentence_with_its_line(folder, old, new, told):
    path = folder / "rater-1.csv"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(UsageError, match=told):
        read_columns([path], folder / "map.yaml")


def test_wrong_rows_are_noted_and_the_others_read(folder):
    path = folder / "rater-1.csv"
    path.write_text(path.read_text().replace("HM,Good,5", "XX,Good,5"))
    problems = []
    assert len(read_answers([path], columns=folder / "map.yaml", problems=problems).rows) == 2
    assert [one.line for one in problems] == [5]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("item: Item", "itme: Item", r"map.yaml, line 3: there is no key 'itme'; did you mean 'item'\?"),
        ("points: 7", "point: 7", r"line 15: there is no key 'point'; did you mean 'points'\?"),
        ("'^how easy'", "'('", r"line 15: tasks.2.column.matches: '\(' is no regular expression"),
        ("version: 1", "version: 2", r"line 1: version"),
        ("blank: wrong", "blank: bad", r"line 14: tasks.1.blank"),
        ("answers: {simulation: predicted}, ", "", r"task 'simulation' has right answers: name their column"),
        ("item: Item", "item: [", r"line \d+"),
    ],
)
def test_a_wrong_mapping_is_told_with_its_line(folder, old, new, told):
    assert old in MAPPING
    (folder / "map.yaml").write_text(MAPPING.replace(old, new))
    with pytest.raises(UsageError, match=told):
        read_mapping(folder / "map.yaml")


def test_data_of_another_experiment_with_jspsych(tmp_path):
    """jsPsych keeps what a survey page was answered as an object in the column `response`."""
    (tmp_path / "map.yaml").write_text(
        "version: 1\nparticipant: {column: subject}\nitem: stimulus_id\ncondition: {column: condition}\n"
        "only: [{column: task, values: [rate]}]\nseconds: seconds\n"
        "tasks: [{name: ease, kind: rating, column: response.Q0, points: 7, codes: {'0': '1', '4': '5'}}]\n"
    )
    rows = (
        '[{"trial_type": "preload", "subject": "s1"},\n{"task": "rate", "subject": "s1", "stimulus_id": "a", "condition": "x", '
        '"response": {"Q0": 4}, "seconds": 1.5}]'
    )
    (tmp_path / "data.json").write_text(rows)
    (row,) = read_columns([tmp_path / "data.json"], tmp_path / "map.yaml").rows
    assert (row.participant, row.item, row.condition, row.value, row.seconds) == ("s1", "a", "x", 5.0, 1.5)
    table = 'task,subject,stimulus_id,condition,response,seconds\nrate,s1,a,x,"{""Q0"": 4}",1.5\n,s1,,,x,\n'
    (tmp_path / "data.csv").write_text(table)
    assert read_columns([tmp_path / "data.csv"], tmp_path / "map.yaml").rows == (row,)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_are_told_from_the_rows(folder, delimiter):
    text = (WITHOUT + "1,a,,Bad,2\n2,b,a text,Bad,3\n").replace(",", delimiter).replace("a text", '"a text, with; both"')
    (folder / "rater-2.csv").write_text(text)
    assert len(read_columns([folder / "rater-2.csv"], folder / "map.yaml").rows) == 4


@pytest.mark.long
@pytest.mark.skipif(not CROWD.is_dir(), reason="the published crowd files are not on this machine")
def test_the_published_study_comes_out(capsys):
    place = ROOT / "benchmarks" / "study" / "published.py"
    spec = importlib.util.spec_from_file_location("published", place)
    published = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(published)
    assert published.main([str(CROWD), "--quick"]) == 0
    told = capsys.readouterr().out
    assert "heatmap         90.75%     90.75%         4.73   4.35" in told
    assert "gpt             77.60%     77.60%         5.63   5.77" in told
