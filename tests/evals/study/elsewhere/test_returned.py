"""What platforms give back: each import against pages that were answered as the test says."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile

import pytest

from evals.study.flow.keys import Key, Way, way_steps
from evals.study.imports import detect, read_answers
from saywhy_core.errors import UsageError

WAY = Way(2, 1)


def chosen(question):
    """The last option, the rating 6, and so on: what "the participant" of these tests answers."""
    match question.kind:
        case "choice":
            return question.options[-1][0]
        case "rating":
            return 6
        case "number":
            return 44
        case "agree":
            return True
    raise AssertionError(question.kind)


def check(answers, study, person):
    """The rows are those that the way asks for, judged by hand: every last label is "negative"."""
    steps = way_steps(study, WAY)
    assert [(row.step, row.task) for row in answers.rows] == [(s.number, q.name) for s in steps for q in s.questions]
    assert list(answers.participants) == [person]
    assert answers.participants[person].cell == "latin-2"
    assert answers.participants[person].status == "complete"
    assert answers.participants[person].attributes == {"age": "44", "english": "no"}
    right = {"item-0-secret": True, "item-1-secret": False, "item-2-secret": True, "item-3-secret": False}
    told = {row.item: row.correct for row in answers.of_phase("trial") if row.task == "simulation"}
    assert told == right
    assert {row.value for row in answers.of_phase("trial") if row.kind == "rating"} == {6.0}
    conditions = {row.item: row.condition for row in answers.of_phase("trial")}
    assert conditions == {one.item: one.conditions[0] for one in study.cells[1].trials}
    assert [row.correct for row in answers.of_phase("attention", "comprehension")] == [True, True]
    assert answers.items["item-1-secret"] == {"label": "positive", "model_right": "yes"}


def handed_over(opened, **changed):
    answers = [
        {"step": step.number, "responses": {q.name: chosen(q) for q in step.questions}, "seconds": 2.5, "tries": 1}
        for step in way_steps(opened, WAY)
    ]
    return {
        "format": "saywhy-study-answers", "version": 1, "study": opened.digest, "participant": "P1", "cell": "latin-2", "seed": 1,
        "link": {}, "status": "complete", "started": "", "finished": "", "done": len(answers), "answers": answers, **changed,
    }  # fmt: skip


def test_what_the_pages_hand_over(study, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(handed_over(study)))
    assert detect(tmp_path / "a.json") == "jspsych"
    check(read_answers([tmp_path / "a.json"], study=study), study, "P1")


def test_results_of_jatos_as_text_and_as_zip(study, tmp_path):
    two = [handed_over(study), handed_over(study, participant="P2", status="active", answers=[])]
    (tmp_path / "a.txt").write_text("".join(json.dumps(one) + "\n" for one in two))
    assert detect(tmp_path / "a.txt") == "jspsych"
    answers = read_answers([tmp_path / "a.txt"], study=study)
    assert {one.code: one.status for one in answers.participants.values()} == {"P1": "complete", "P2": "left"}
    check(answers.only(["P1"]), study, "P1")
    with zipfile.ZipFile(tmp_path / "a.jrzip", "w") as packed:
        packed.writestr("study_result_1/comp-result_1/data.txt", json.dumps(two[0]))
        packed.writestr("study_result_2/comp-result_2/data.txt", "something else")
        packed.writestr("metadata.json", "{}")
    assert detect(tmp_path / "a.jrzip") == "jatos"
    problems = []
    check(read_answers([tmp_path / "a.jrzip"], study=study, problems=problems), study, "P1")
    assert [str(one) for one in problems] == [
        f"{tmp_path}/a.jrzip, study_result_2/comp-result_2/data.txt: the result holds nothing of saywhy's pages"
    ]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"study": "0"}, "another version of the study"),
        ({"cell": "latin-9"}, "no cell 'latin-9'"),
        ({"answers": [{"step": 99, "responses": {}}]}, "no page c2w1p100"),
        (
            {"answers": [{"step": 6, "responses": {"simulation": "neutral", "ease": 1, "helpfulness": 1}}]},
            "can't be its answer",
        ),
        ({"answers": [{"step": 6, "responses": {"other": 1}}]}, "no question 'other'"),
        ({"answers": 3}, "can't be used"),
        ({"seed": "x"}, "can't be used"),
    ],
)
def test_forged_answers_are_problems(study, tmp_path, changed, told):
    (tmp_path / "a.json").write_text(json.dumps(handed_over(study, **changed)))
    with pytest.raises(UsageError, match=told):
        read_answers([tmp_path / "a.json"], study=study)


def qualtrics(study, texts=True):
    """A CSV of Qualtrics with its three header lines; `texts` for choice text, else the choices' numbers."""
    header, cells = ["StartDate", "Status", "Finished", "ResponseId"], ["2026-01-01", "IP Address", "True", "R_1"]
    for step in way_steps(study, WAY):
        for number, question in enumerate(step.questions, 1):
            header.append(f"{Key(WAY, step.number)}q{number}")
            value = chosen(question)
            if question.kind == "choice" and not texts:
                value = len(question.options)
            cells.append("Yes" if value is True else value)
    header.append("c1w1p4q1")
    cells.append("")
    stream = io.StringIO()
    csv.writer(stream).writerows(
        [header, ["a text,\nwith a break"] * len(header), [f'{{"ImportId":"{one}"}}' for one in header], cells]
    )
    return stream.getvalue()


@pytest.mark.parametrize("texts", [True, False])
def test_qualtrics(study, tmp_path, texts):
    (tmp_path / "q.csv").write_text(qualtrics(study, texts))
    assert detect(tmp_path / "q.csv") == "qualtrics"
    check(read_answers([tmp_path / "q.csv"], study=study), study, "R_1")
    (tmp_path / "p.csv").write_text(qualtrics(study, texts).replace("IP Address", "Survey Preview"))
    columns = qualtrics(study, texts).splitlines()[0].count(",") + 1
    line = 1 + (columns + 1) + 1 + 1  # each text of the second heading has a line break
    with pytest.raises(UsageError, match=f"line {line}: the row is a preview"):
        read_answers([tmp_path / "p.csv"], study=study)


def test_label_studio(study, tmp_path):
    def result(question):
        kind = {"number": "number", "text": "textarea"}.get(question.kind, "choices")
        value = chosen(question)
        shown = "Yes" if value is True else str(value)
        told = {"number": value} if kind == "number" else {"choices": [shown]}
        return {"from_name": question.name, "to_name": "page", "type": kind, "value": told}

    tasks = [
        {
            "id": step.number,
            "annotations": [
                {"completed_by": 7, "was_cancelled": False, "lead_time": 3.5, "result": [result(q) for q in step.questions]},
                {"completed_by": 8, "was_cancelled": True, "result": []},
            ],
            "data": {"page": str(Key(WAY, step.number))},
        }
        for step in way_steps(study, WAY)
    ]
    (tmp_path / "l.json").write_text(json.dumps(tasks))
    assert detect(tmp_path / "l.json") == "label-studio"
    check(read_answers([tmp_path / "l.json"], study=study), study, "account-7")
    tasks[3]["data"] = {"text": "of another project"}
    (tmp_path / "l.json").write_text(json.dumps(tasks))
    with pytest.raises(UsageError, match=r"line 4: the task can't be used: it lacks 'page'"):
        read_answers([tmp_path / "l.json"], study=study)


def potato(study, folder):
    """The state that potato's server kept of a participant, as version 2.12.1 writes it."""

    def labels(step):
        found = []
        for question in step.questions:
            value = "yes" if question.kind == "agree" else str(chosen(question))
            found.append([{"schema": question.name, "name": "number" if question.kind == "number" else value}, value])
        return found

    steps = way_steps(study, WAY)
    inside = [step for step in steps if step.phase in ("practice", "trial", "attention")]
    state = {
        "user_id": "P1",
        "instance_id_ordering": [str(Key(WAY, step.number)) for step in inside],
        "current_phase_and_page": ["done", None],
        "instance_id_to_label_to_value": {str(Key(WAY, step.number)): labels(step) for step in inside},
        "phase_to_page_to_label_to_value": {
            "any": {f"page_{step.number + 1}": labels(step) for step in steps if step not in inside and step.questions}
        },
        "instance_id_to_behavioral_data": {str(Key(WAY, inside[1].number)): {"total_time_ms": 2500, "session_end": 1.5}},
    }
    place = folder / "annotation_output" / "P1"
    place.mkdir(parents=True)
    (place / "user_state.json").write_text(json.dumps(state))


def test_potato(study, tmp_path):
    potato(study, tmp_path)
    for place in (tmp_path, tmp_path / "annotation_output", tmp_path / "annotation_output" / "P1" / "user_state.json"):
        assert detect(place) == "potato"
        answers = read_answers([place], study=study)
        check(answers, study, "P1")
    timed = [row for row in answers.rows if row.seconds is not None]
    assert {row.seconds for row in timed} == {2.5}
    assert {row.trial for row in timed} == {1}


def test_the_tidy_table_comes_back_as_it_was(study, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(handed_over(study)))
    answers = read_answers([tmp_path / "a.json"], study=study)
    (tmp_path / "tidy.csv").write_text(answers.to_csv())
    assert detect(tmp_path / "tidy.csv") == "tidy"
    again = read_answers([tmp_path / "tidy.csv"])
    assert again.rows == answers.rows
    assert again.participants == answers.participants
    assert again.to_csv() == answers.to_csv()


def test_mixed_and_unknown_files_are_one_sentence(study, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(handed_over(study)))
    (tmp_path / "q.csv").write_text(qualtrics(study))
    with pytest.raises(UsageError, match=r"a.json is of the form jspsych and .*q.csv of the form qualtrics"):
        read_answers([tmp_path / "a.json", tmp_path / "q.csv"], study=study)
    with pytest.raises(UsageError, match="holds no right answers; name the study"):
        read_answers([tmp_path / "a.json"])
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="no answers of a form that is known"):
        detect(tmp_path / "x.csv")


@pytest.mark.parametrize(
    "changed",
    [
        {"instance_id_to_label_to_value": [1]},
        {"instance_id_to_label_to_value": {"c2w1p6": [[{"name": "x"}, "x"]]}},
        {"instance_id_to_label_to_value": {"c2w1p6": [["x"]]}},
        {"instance_id_to_behavioral_data": {"c2w1p6": 3}},
        {"instance_id_to_behavioral_data": {"c2w1p6": {"session_end": 1e300}}},
        {"current_phase_and_page": {"a": 1}},
        {"instance_id_ordering": ["of another project"]},
        {"user_id": 3},
    ],
)
def test_a_broken_state_of_potato_is_a_problem_and_the_others_are_read(study, tmp_path, changed):
    potato(study, tmp_path)
    broken = tmp_path / "annotation_output" / "P0"
    broken.mkdir()
    state = json.loads((tmp_path / "annotation_output" / "P1" / "user_state.json").read_text())
    (broken / "user_state.json").write_text(json.dumps(state | {"user_id": "P0"} | changed))
    problems = []
    answers = read_answers([tmp_path], study=study, problems=problems)
    check(answers.only(["P1"]), study, "P1")
    assert [one.where for one in problems] == [str(broken / "user_state.json")]


def test_times_that_no_clock_measures_and_tries_below_one_are_left_out(study, tmp_path):
    record = handed_over(study)
    record["answers"][0] |= {"seconds": -3, "tries": -1}
    record["answers"][3] |= {"seconds": 1e300}
    (tmp_path / "a.json").write_text(json.dumps(record))
    rows = read_answers([tmp_path / "a.json"], study=study).rows
    assert [row.seconds for row in rows[:3]] == [None, None, 2.5]
    assert rows[0].tries == 1


def test_a_zip_that_claims_to_be_small_is_not_unpacked_beyond_the_ceiling(study, tmp_path):
    from saywhy_core.reading.ceilings import ceilings

    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("data.txt", b" " * 2_000_000)
    with ceilings(bytes=1_000_000), pytest.raises(UsageError, match="bytes"):
        read_answers([tmp_path / "a.zip"], study=study)


def test_of_a_page_with_a_missing_answer_the_others_are_kept(study, tmp_path):
    record = handed_over(study)
    (page,) = [one for one in record["answers"] if one["step"] == 6]
    page["responses"]["ease"] = None
    (tmp_path / "a.json").write_text(json.dumps(record))
    answers = read_answers([tmp_path / "a.json"], study=study)
    (tmp_path / "b.json").write_text(json.dumps(handed_over(study)))
    whole = read_answers([tmp_path / "b.json"], study=study)
    lost = [row for row in whole.rows if row not in answers.rows]
    assert [(row.step, row.task) for row in lost] == [(6, "ease")]


def test_pages_of_another_version_of_the_study_are_refused(study, tmp_path):
    for version, fine in ((study.digest[:6], True), ("000000", False)):
        text = re.sub(r"\b(c2w1p\d+)(q\d+)", rf"\1v{version}\2", qualtrics(study))
        (tmp_path / "q.csv").write_text(text)
        if fine:
            check(read_answers([tmp_path / "q.csv"], study=study), study, "R_1")
        else:
            with pytest.raises(UsageError, match="page c2w1p1v000000 is of another version of the study"):
                read_answers([tmp_path / "q.csv"], study=study)
