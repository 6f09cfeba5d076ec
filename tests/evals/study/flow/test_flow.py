"""A participant's way: which pages come, what is asked, and what answers are worth."""

import json
from dataclasses import replace

import pytest

from evals.study import open_study
from evals.study.flow import judge, steps_for
from evals.study.flow.markup import rendered
from saywhy_core.errors import UsageError

FINE = {"guess": "neg", "guess.confidence": 4, "wrong": ["3"], "helpfulness": 6, "why": "So."}


def page(study, phase, where=lambda step: True, seed=1, cell=0):
    return next(step for step in steps_for(study, study.cells[cell], seed) if step.phase == phase and where(step))


def answer(study, step, responses, **more):
    return judge(study, step, responses, participant="p", seed=1, **more)


def test_the_pages_come_in_their_order(write_study):
    steps = steps_for(write_study(), write_study().cells[0], 1)
    assert [step.number for step in steps] == list(range(len(steps)))
    phases = [step.phase for step in steps]
    assert phases[:4] == ["consent", "instructions", "instructions", "comprehension"]
    assert phases[4:8] == ["practice"] * 4  # each with a page that tells what the model chose
    assert phases[-2:] == ["demographics", "debriefing"]
    trials = [step for step in steps if step.phase == "trial"]
    assert [step.trial for step in trials] == [n for n in range(1, 7) for _ in range(2)] + [7, 8]
    assert phases.index("attention") == next(n for n, step in enumerate(steps) if step.trial == 4) - 1
    assert phases.count("break") == 1
    assert phases.index("break") == next(n for n, step in enumerate(steps) if step.trial == 5) - 1
    assert [len(step.conditions) for step in trials[-2:]] == [2, 2]
    assert len({step.name for step in steps}) == len(steps)


def test_the_same_seed_gives_the_same_way(write_study):
    study = write_study()
    assert steps_for(study, study.cells[0], 5) == steps_for(study, study.cells[0], 5)
    assert [s.item for s in steps_for(study, study.cells[0], 5)] != [s.item for s in steps_for(study, study.cells[0], 6)]


def test_a_page_asks_what_fits_its_condition_and_tells_the_label_only_at_the_end(write_study):
    study = write_study()
    names = [question.name for question in page(study, "trial", lambda s: s.conditions == ("bare",)).questions]
    assert names == ["guess", "guess.confidence", "why"]
    full = page(study, "trial", lambda s: s.conditions == ("heatmap",))
    assert [q.name for q in full.questions] == ["guess", "guess.confidence", "wrong", "helpfulness", "why"]
    assert not any("chose “" in question.prompt for question in full.questions)
    told = page(study, "trial", lambda s: s.name.endswith("-told"))
    item = study.items[told.item]
    asked = {question.name: question.prompt for question in told.questions}
    assert item.predicted in asked["trusted"]
    # which part matters is told there, too, and not where people guess: a control would tell it
    assert told.tasks == {"trusted": ("trusted", "trust"), "without": ("without", "counterfactual")}


def test_no_page_tells_names_of_conditions_or_right_answers(write_study):
    study = write_study()
    for step in steps_for(study, study.cells[0], 1):
        record = json.dumps(step.to_record())
        assert "heatmap" not in record
        assert "bare" not in record
        assert '"answers"' not in record


def test_what_researchers_write_is_safe_html(write_study):
    html = page(write_study(), "consent").html
    assert "<strong>you</strong>" in html
    assert "<li>&lt;script&gt;alert(1)&lt;/script&gt;</li>" in html
    assert '<a href="https://example.org" target="_blank" rel="noopener noreferrer">us</a>' in html


@pytest.mark.parametrize(
    "text",
    ["[x](javascript:alert(1))", "![x](https://evil.org/a.png)", "<img src=x onerror=alert(1)>", "[x](data:text/html,<script>)",
     "<https://a.org/\"onclick=\"alert(1)>", "[x](jAvAsCrIpT:alert(1))", "[x]( \x01javascript:alert(1))", "[a]: vbscript:x\n\n[a]"],
)  # fmt: skip
def test_hostile_markup_stays_text(text):
    html = rendered(text)
    tags = html.replace('<a href="https://', "<a=").lower()
    for bad in ("<script", "<img", "href=", 'onclick="', " onerror=alert(1)>"):
        assert bad not in tags


def test_consent_refused_ends_without_rows(write_study):
    study = write_study()
    step = page(study, "consent")
    refused = answer(study, step, {"agree": False})
    assert (refused.accepted, refused.refused, refused.rows) == (False, True, ())
    assert "tick this box" in answer(study, step, {}).problems["agree"]
    agreed = answer(study, step, {"agree": True})
    assert (agreed.accepted, agreed.rows[0].response) == (True, "true")


def test_comprehension_has_two_tries_and_never_tells_the_answer(write_study):
    study = write_study()
    step = page(study, "comprehension")
    first = answer(study, step, {"job": "sleep", "speed": "slow"})
    assert (first.accepted, first.screened_out) == (False, False)
    assert [(one["question"], one["correct"], one["expected"]) for one in first.feedback] == [
        ("job", False, None), ("speed", True, None)
    ]  # fmt: skip
    assert "guess" not in first.feedback[0]["message"]
    assert answer(study, step, {"job": "sleep", "speed": "slow"}, tries=2).screened_out
    passed = answer(study, step, {"job": "guess", "speed": "slow"}, tries=2)
    assert passed.accepted
    assert not passed.screened_out
    assert [row.tries for row in passed.rows] == [2, 2]


def test_practice_tells_the_right_answer_in_words_and_trials_do_not(write_study):
    study = write_study()
    step = page(study, "practice", lambda s: s.conditions == ("heatmap",) and "guess" in s.tasks)
    outcome = answer(study, step, FINE)
    expected = study.items[step.item].predicted
    told = {one["question"]: one for one in outcome.feedback}
    assert told["guess"]["message"] == f"That is {'' if expected == 'neg' else 'not '}right. The model chose: {expected}."
    assert set(told) == {"guess", "wrong"}
    second = page(study, "practice", lambda s: s.conditions == ("heatmap",) and "without" in s.tasks)
    (gone,) = [
        one for one in answer(study, second, {"without": "pos", "trusted": "right"}).feedback if one["question"] == "without"
    ]
    assert gone["message"] == "That is right. Without it, the model chooses: pos."
    trial = page(study, "trial", lambda s: s.conditions == ("heatmap",) and "guess" in s.tasks)
    assert answer(study, trial, FINE).feedback == ()


def test_answers_are_judged_by_their_task(write_study):
    study = write_study()
    step = page(study, "trial", lambda s: s.conditions == ("heatmap",) and s.item in ("i1", "i3", "i5") and "guess" in s.tasks)
    rows = {row.task: row for row in answer(study, step, FINE, seconds=2.5).rows}
    assert (rows["guess"].expected, rows["guess"].correct, rows["guess"].value) == ("pos", False, 0.0)
    sure = rows["guess.confidence"]
    assert (sure.kind, sure.value, sure.correct) == ("rating", 4.0, None)
    assert (rows["wrong"].correct, json.loads(rows["wrong"].response)) == (True, ["It is good."])
    assert (rows["helpfulness"].value, rows["why"].response) == (6.0, "So.")
    assert {row.condition for row in rows.values()} == {"heatmap"}
    assert {row.seconds for row in rows.values()} == {2.5}
    assert answer(study, step, FINE | {"wrong": ["1"]}).rows[2].correct is False  # the same words, at another place
    assert answer(study, step, FINE | {"wrong": ["1", "3"]}).rows[2].correct is False
    assert answer(study, step, FINE | {"wrong": ["none", "3"]}).rows[2].correct is False


def test_nothing_wrong_is_an_answer(write_study):
    study = write_study()
    where = lambda s: s.item in ("i0", "i2", "i4") and s.conditions == ("heatmap",) and "wrong" in s.tasks  # noqa: E731
    step = next(step for cell in study.cells for step in steps_for(study, cell, 1) if step.phase == "trial" and where(step))
    assert answer(study, step, FINE | {"wrong": ["none"]}).rows[2].correct is True
    assert answer(study, step, FINE | {"wrong": ["2"]}).rows[2].correct is False
    assert "wrong" in answer(study, step, FINE | {"wrong": []}).problems


def test_trust_is_right_where_the_model_is(write_study):
    study = write_study()
    for seed in range(2):
        step = page(study, "trial", lambda s: s.name.endswith("-told"), seed=seed)
        right = study.items[step.item].predicted == "neg"
        rows = {
            row.task: row for row in judge(study, step, {"trusted": "right", "without": "pos"}, participant="p", seed=seed).rows
        }
        assert (rows["trusted"].correct, rows["trusted"].expected) == (right, "right" if right else "wrong")
        assert rows["without"].correct is True


def test_a_preference_is_kept_as_the_condition(write_study):
    study = write_study()
    step = page(study, "trial", lambda s: len(s.conditions) == 2)
    left, right = step.conditions
    rows = {said: answer(study, step, {"preferred": said}).rows[0] for said in ("left", "none", "right")}
    assert [row.response for row in rows.values()] == [left, "no preference", right]
    assert [row.value for row in rows.values()] == [1.0, 0.5, 0.0]
    assert {row.condition for row in rows.values()} == {f"{left} vs {right}"}
    assert step.html.count('<section class="stimulus">') == 2


@pytest.mark.parametrize(
    ("responses", "problem"),
    [
        ({"guess": "neutral"}, "guess"), ({"guess": 1}, "guess"), ({"guess": ["neg"]}, "guess"), ({"helpfulness": 8}, "helpfulness"),
        ({"helpfulness": "6"}, "helpfulness"), ({"helpfulness": True}, "helpfulness"), ({"wrong": ["9"]}, "wrong"),
        ({"wrong": ["1", "1"]}, "wrong"), ({"guess.confidence": 6}, "guess.confidence"), ({"why": "x" * 5001}, "why"),
        ({"extra": "x"}, "extra"), ({"guess": None}, "guess"), ({"why": {"a": 1}}, "why"),
    ],
)  # fmt: skip
def test_responses_that_do_not_fit_are_told_and_not_kept(write_study, responses, problem):
    study = write_study()
    step = page(study, "trial", lambda s: s.conditions == ("heatmap",) and "guess" in s.tasks)
    outcome = answer(study, step, FINE | responses)
    assert list(outcome.problems) == [problem]
    assert (outcome.accepted, outcome.rows) == (False, ())


def test_attention_and_demographics(write_study):
    study = write_study()
    check = page(study, "attention")
    assert answer(study, check, {"blue": "red"}).rows[0].correct is False
    assert answer(study, check, {"blue": "red"}).accepted
    about = page(study, "demographics")
    assert answer(study, about, {"age": 30}).rows[0].response == "30"
    assert answer(study, about, {}).rows[0].response == ""
    assert answer(study, about, {"age": float("nan")}).problems
    assert "us@example.org" in page(study, "debriefing").html


def test_items_that_do_not_serve_their_tasks_are_told(write_study):
    plain = write_study().items["i0"]
    items = [replace(plain, id=f"i{n}", true=None, answers={}) for n in range(4)]
    study = write_study(items=items)
    said = " ".join(study.problems)
    for part in ("needs items with a true label", "i0", "without a part", "6 items", "for practice"):
        assert part in said


def test_a_study_without_an_explanation_of_an_item_does_not_open(write_study, tmp_path):
    path = tmp_path / "items.jsonl"
    write_study()
    path.write_text(path.read_text().replace('"bare"', '"other"', 1))
    with pytest.raises(UsageError, match="item 'i0' has no condition bare"):
        open_study(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"id": "i1", ', "", "line 2: this is no item (it has no 'id')"),
        ('"i1"', "1", "id must be a text"),
        ('"form": "text"', '"form": "video"', "form must be text or image"),
        ('"labels": ["neg", "pos"]', '"labels": "neg"', "labels must be a list"),
        ('"facts": {}', '"facts": []', "facts must be an object"),
        ('"version": 1', '"version": 9', "items of version 9"),
        ('{"version"', '["version"', "not JSON"),
        ('"i1"', '"i0"', "there is an item 'i0' already"),
    ],
)
def test_a_line_that_is_no_item_is_named(write_study, tmp_path, old, new, says):
    write_study()
    path = tmp_path / "items.jsonl"
    lines = path.read_text().split("\n")
    assert old in lines[1]
    path.write_text("\n".join([lines[0], lines[1].replace(old, new, 1), *lines[2:]]))
    with pytest.raises(UsageError) as caught:
        open_study(tmp_path)
    assert says in str(caught.value)
    assert "line 2" in str(caught.value)


def test_other_line_ends_in_texts_end_no_line(write_study):
    odd = "a\u2028b\x85c"
    items = [replace(one, input=replace(one.input, text=odd)) for one in write_study().items.values()]
    assert write_study(items=items).items["i0"].input.text == odd
