"""From an export's own files to answers: what a platform shows is chosen there, and comes back as the right row."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from evals.study.exports import export_study
from evals.study.imports import read_answers


def blocks(text):
    """Cell -> [(tag, lines of the question, choices)] of an Advanced Format text, read as Qualtrics' page describes it."""
    found = {}
    for block in re.split(r"^\[\[Block:Cell ", text, flags=re.MULTILINE)[1:]:
        number, _, rest = block.partition("]]")
        questions = []
        for part in re.split(r"\n\s*\n", rest):
            kind = re.search(r"^\[\[Question:(.*)\]\]$", part, re.MULTILINE)
            if kind and kind[1] != "DB":
                tag = re.search(r"^\[\[ID:(.*)\]\]$", part, re.MULTILINE)[1]
                _, _, choices = part.partition("[[Choices]]\n")
                questions.append((tag, kind[1], choices.splitlines() if choices else []))
        found[int(number)] = questions
    return found


def shown(html):
    """A choice as Qualtrics shows and exports it."""
    return re.sub(r"&(#?\w+);", lambda m: {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}.get(m[1]) or chr(int(m[1][1:])), html)


@pytest.mark.parametrize("split", [False, True])
def test_qualtrics_with_every_kind_of_task(rich_study, tmp_path, split):
    export_study(rich_study, "qualtrics", tmp_path / "out")
    header, cells = ["ResponseId", "Finished"], ["R_1", "1"]
    given = []
    for tag, kind, choices in blocks((tmp_path / "out" / "study.txt").read_text())[2]:
        if kind.startswith("MC:MultipleAnswer"):
            chosen = [shown(one) for one in choices[:2]]
            given.append(chosen)
            if split:
                header += [f"{tag}_{number}" for number in range(1, len(choices) + 1)]
                cells += [*chosen, *[""] * (len(choices) - 2)]
            else:
                header.append(tag)
                cells.append(",".join(chosen))
            continue
        header.append(tag)
        cells.append(shown(choices[-1]) if choices else "Because, so\nit is.")
        given.append(cells[-1])
    stream = io.StringIO()
    csv.writer(stream).writerows([header, header, [f'{{"ImportId":"{one}"}}' for one in header], cells])
    (tmp_path / "q.csv").write_text(stream.getvalue())
    answers = read_answers([tmp_path / "q.csv"], study=rich_study)
    check(answers, rich_study, given)


def test_label_studio_with_every_kind_of_task(rich_study, tmp_path):
    export_study(rich_study, "label-studio", tmp_path / "out")
    given, done = [], []
    for task in json.loads((tmp_path / "out" / "cell-2" / "tasks.json").read_text()):
        result = []
        for name in [key.removeprefix("ask_") for key, text in task["data"].items() if key.startswith("ask_") and text]:
            options = [one["value"] for one in task["data"].get(f"options_{name}", [])]
            several = options[:2] if name == "faults" else options[-1:]
            kind, value = ("choices", {"choices": several}) if options else ("textarea", {"text": ["Because, so", "it is."]})
            result.append({"from_name": name, "to_name": "page", "type": kind, "value": value})
            given.append(several if name == "faults" else several[0] if options else "Because, so\nit is.")
        done.append({"data": task["data"], "annotations": [{"completed_by": {"id": 3}, "result": result}]})
    (tmp_path / "l.json").write_text(json.dumps(done))
    check(read_answers([tmp_path / "l.json"], study=rich_study), rich_study, given)


def check(answers, study, given):
    """Every last option was chosen, the first two of several, and a text was written."""
    assert len(answers.rows) == len(given)
    by_kind = {}
    for row in answers.rows:
        by_kind.setdefault(row.kind, []).append(row)
    assert {row.response for row in by_kind["free_text"]} == {"Because, so\nit is."}
    assert {row.response for row in by_kind["trust"]} == {"wrong"}  # the last option
    rights = {item.id: item.predicted == item.true for item in study.items.values()}
    assert all(row.correct is (not rights[row.item]) for row in by_kind["trust"])
    assert all(row.response == row.condition.split(" vs ")[1] for row in by_kind["preference"])
    assert all(row.value == 0.0 for row in by_kind["preference"])
    assert all(json.loads(row.response)[1].startswith("Sentence two") for row in by_kind["error_finding"])
    assert {row.value for row in by_kind["rating"]} == {5.0, 7.0}
    what_if = {(row.item, row.expected) for row in by_kind["counterfactual"]}
    assert len(what_if) == 8  # two parts of four items, one with each right answer
    assert {row.response for row in by_kind["counterfactual"]} == {"negative"}
    assert [one.status for one in answers.participants.values()] == ["complete"]
