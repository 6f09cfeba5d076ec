"""Every kind of task, whatever it is: what its options are, and what it says of items that don't serve it."""

from pathlib import Path
from random import Random

import pytest

from evals.study import Item, Stimulus
from evals.study.design.file import TaskPart
from evals.study.steps import Question
from evals.study.tasks import TASKS, Asked, Option

PAGE = (Path(__file__).parents[4] / "docs" / "study-design.md").read_text(encoding="utf-8")
ITEM = Item(
    id="i", form="text", input=Stimulus("x", "x"), predicted="b", true="a", labels=("a", "b", "c"),
    stimuli={"one": Stimulus("1", "1"), "two": Stimulus("2", "2")},
    answers={
        "counterfactual": [{"part": "good {label}", "label": "a"}, {"part": "film", "label": "c"}],
        "error_finding": {"one": {"parts": ["p", "q"], "false": ["q"]}},
    },
)  # fmt: skip


def asked(item=ITEM, conditions=("one",), seed=0):
    return Asked(item, conditions, None, Random(seed))


def part(kind, **options):
    return TaskPart(name="task", kind=kind, question=None, options=options)


@pytest.mark.parametrize("kind", TASKS.builtin)
def test_every_option_is_in_the_docs_and_has_a_fitting_default(kind):
    task = TASKS.get(kind)
    assert f"`{kind}`" in PAGE
    for name, option in task.options.items():
        assert f"`{name}`" in PAGE, name
        assert option.problem(option.default) is None
    assert ("confidence" in task.options) == (task.measure == "accuracy")


@pytest.mark.parametrize("kind", TASKS.builtin)
def test_every_question_takes_its_own_answers_and_judges_them(kind):
    task = TASKS.get(kind)
    conditions = ("one", "two") if task.compared else ("one",)
    questions = task.ask(part(kind), asked(conditions=conditions))
    assert questions
    for question in questions:
        assert question.name.partition(".")[0] == "task"
        answers = {
            "choice": [value for value, _ in question.options],
            "parts": [[value] for value, _ in question.options],
            "rating": list(range(1, question.points + 1)),
            "text": ["x"],
        }[question.kind]
        judged = [task.judge(part(kind), asked(conditions=conditions), question.name, one) for one in answers]
        assert all(question.problem(one) is None for one in answers)
        if task.measure == "accuracy":
            assert [one.correct for one in judged].count(True) == 1
            assert all(one.value == float(one.correct) for one in judged)
        if task.measure == "rating":
            assert [one.value for one in judged] == answers


def test_each_part_of_a_counterfactual_has_its_question():
    task = TASKS.get("counterfactual")
    questions = task.ask(part("counterfactual", confidence=True), asked())
    assert [question.name for question in questions] == ["task.1", "task.2", "task.confidence"]
    assert "“good {label}”" in questions[0].prompt
    assert [task.judge(part("counterfactual"), asked(), name, "c").correct for name in ("task.1", "task.2")] == [False, True]


def test_labels_in_a_random_order_are_the_same_for_the_same_seed():
    task = TASKS.get("simulation")
    shuffled = [task.ask(part("simulation", shuffle=True), asked(seed=n))[0].options for n in range(20)]
    assert len(set(shuffled)) > 3
    assert all(sorted(one) == [("a", "a"), ("b", "b"), ("c", "c")] for one in shuffled)
    assert shuffled[3] == task.ask(part("simulation", shuffle=True), asked(seed=3))[0].options


def test_trust_tells_the_label_or_not():
    task = TASKS.get("trust")
    assert "“b”" in task.ask(part("trust"), asked())[0].prompt
    assert task.tells(part("trust"))
    hidden = part("trust", tell=False)
    assert "b”" not in task.ask(hidden, asked())[0].prompt
    assert not task.tells(hidden)
    assert task.judge(hidden, asked(), "task", "wrong").correct is True


BARE = Item(id="i", form="text", input=Stimulus("x", "x"), predicted="z", labels=("a",), stimuli={"one": Stimulus("1", "1")})


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("simulation", ["two or more labels", "not among the labels"]),
        ("counterfactual", ["without a part"]),
        ("trust", ["a true label"]),
        ("error_finding", ["which parts"]),
    ],
)
def test_items_without_what_a_task_needs_are_named(kind, says):
    told = " ".join(TASKS.get(kind).check(part(kind), [BARE]))
    assert all(one in told for one in says), told
    assert not TASKS.get(kind).check(part(kind), [])


def test_a_model_that_is_always_right_tells_nothing_of_trust():
    right = Item(id="r", form="text", input=Stimulus("x", "x"), predicted="a", true="a", labels=("a", "b"))
    assert "the model is right in all items" in TASKS.get("trust").check(part("trust"), [right])[0]


@pytest.mark.parametrize("false", [[5], [-1], ["r"], [True], "q", None])
def test_wrong_parts_that_are_none_count_as_not_known(false):
    answers = {"error_finding": {"one": {"parts": ["p", "q"], "false": false}}}
    odd = Item(id="o", form="text", input=Stimulus("x", "x"), predicted="a", answers=answers)
    assert TASKS.get("error_finding").ask(part("error_finding"), asked(odd)) == ()


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        (Option("x", int, 1, 2, 5), 6, "at most 5"),
        (Option("x", int, 1, 2, 5), 1, "at least 2"),
        (Option("x", bool, True), 1, "true or false"),
        (Option("x", int, 1), True, "a whole number"),
        (Option("x", str, "", 0, 2), "abc", "at most 2 characters"),
        (Option("x", str, ""), 3, "a text"),
    ],
)
def test_options_are_held_to_their_types(option, value, says):
    assert says in option.problem(value)


@pytest.mark.parametrize(
    ("kind", "response", "fine"),
    [
        ("parts", ["1", "2"], True),
        ("parts", ["none"], True),
        ("parts", ["2", "none"], False),
        ("parts", ["none", "1", "2"], False),
        ("choice", "none", True),
    ],
)
def test_none_is_wrong_goes_with_no_part(kind, response, fine):
    question = Question(name="q", kind=kind, prompt="Which?", options=(("1", "a"), ("2", "b"), ("none", "None")))
    assert question.problem(response) is None
    assert (question.contradiction(response) is None) is fine
