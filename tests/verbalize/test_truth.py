"""The benchmark of truth: its facts hold, its forms can be filled in, its figures count right, and its targets are met."""

import importlib.util
import re
import sys
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("benchmark_of_truth", ROOT / "benchmarks" / "truth.py")
truth = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = truth
spec.loader.exec_module(truth)

from benchmarks.truth_forms import form as forms_module  # noqa: E402 - truth.py puts the root on the path
from benchmarks.truth_forms.form import load_forms, pairs, placeholders, render  # noqa: E402
from benchmarks.truth_forms.verification import verified  # noqa: E402
from benchmarks.truth_forms.world import KINDS, draw_world  # noqa: E402
from verbalize.models import TextFunction  # noqa: E402

FORMS = load_forms("all")


def test_the_same_seed_gives_the_same_map():
    assert draw_world(7) == draw_world(7)
    assert draw_world(7) != draw_world(8)


@pytest.mark.parametrize("kind", KINDS)
def test_facts_hold_on_every_kind_of_map(kind):
    for seed in range(40):
        world = verified(draw_world(seed, kind))
        scores = np.array(world.scores)
        assert kind in world.traits
        assert ("both sides" in world.traits) == bool((scores > 0).any() and (scores < 0).any())
        if "top" in world.words:
            (top,) = world.words["top"]
            assert top == scores.argmax()
        if "share_for" in world.texts:
            said = re.match(r"\d+|[a-z-]+", world.texts["share_for"])[0]
            share = 100 * scores[scores > 0].sum() / np.abs(scores).sum()
            assert not said.isdigit() or abs(int(said) - share) <= 0.5


@pytest.mark.long
def test_a_fact_that_does_not_hold_is_found():
    world = next(world for world in truth.pool(0) if "top" in world.words and "neg" in world.words)
    world = truth.World(**{**vars(world), "words": {**world.words, "top": world.words["neg"]}})
    with pytest.raises(AssertionError):
        verified(world)


def test_every_form_can_be_filled_in_for_several_maps():
    for form in FORMS:
        for text, traits in ((form.true, form.on), (form.false, form.false_on)):
            made = (found for world in truth.pool(0) if (found := render(text, traits, world)) is not None)
            assert len(list(islice(made, 5))) == 5, f"{form.name}: fewer than 5 maps fit {text!r}"


def test_truth_and_lie_differ_in_text_or_map():
    for form in FORMS:
        assert form.true != form.false or form.on != form.false_on, form.name
    assert len({form.name for form in FORMS}) == len(FORMS)


def test_every_placeholder_is_documented():
    known = set(re.findall(r"\{(\w+)\}", forms_module.__doc__))
    wrong = {f"wrong_{name}" for name in known}
    for form in FORMS:
        assert placeholders(form.true) | placeholders(form.false) <= known | wrong, form.name


def test_there_are_enough_forms_and_most_are_natural():
    dev = load_forms("dev")
    natural = sum(form.nature == "natural" for form in dev)
    assert len(dev) >= 280
    assert 0.6 <= natural / len(dev) <= 0.8


def case(true, outcome, told=()):
    return truth.Case(FORMS[0], truth.pool(0)[0], "a text", true, outcome, 0.001, 1, "", dict(told))


def test_figures_are_shares_of_lies_and_of_truths():
    lies = [
        case(False, "false"),
        case(False, "verified", {"smv-gpt": "a text"}),
        case(False, "nothing found"),
        case(False, "not verified", {"smv-gpt": "(in part) a", "comment": "a text"}),
    ]
    truths = [case(True, "verified"), case(True, "false"), case(True, "not verified"), case(True, "error")]
    found = truth.figures(lies + truths)
    assert found["lies verified"] == 1 / 4
    assert found["lies in silence"] == 2 / 4
    assert found["lies out of the narrator"] == 1 / 4
    assert found["out in part"] == 1 / 4
    assert found["lies out as a comment"] == 1 / 4
    assert found["lies past a loose reader"] == 3 / 4
    assert (found["truths verified"], found["truths called false"], found["truths not verified"]) == (1 / 4, 1 / 4, 2 / 4)
    assert found["crashes"] == 1 / 8


def test_a_plain_truth_is_verified_and_a_plain_lie_is_found():
    plain = pairs("plain", [("{pos:single} speaks for {label:single}.", "{neg:single} speaks for {label:single}.")])
    cases = truth.run(plain, 3, 0)
    assert {(case.true, case.outcome) for case in cases} == {(True, "verified"), (False, "false")}
    assert not any(case.told for case in cases)


@pytest.mark.long
def test_the_command_prints_targets_and_shows_texts(capsys):
    assert (
        truth.main(["--set", "dev_a", "--maps", "1", "--families", "--show", "false", "--no-narrator", "--changed", "0"]) == 0
    )
    printed = capsys.readouterr().out
    assert "lies verified" in printed
    assert "dev natural" in printed
    assert re.search(r"false: \d+ texts of \d+ forms", printed)


def test_the_command_prints_the_statements_alone(capsys):
    assert truth.main(["--set", "dev_c", "--texts"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n  true: ") == printed.count("\n  false:") == len(load_forms("dev_c"))


def test_an_unknown_set_is_refused():
    with pytest.raises(ValueError, match="no set of forms"):
        load_forms("nonsense")


@pytest.mark.long
@pytest.mark.parametrize("stage", ["dev", "held-out"])
@pytest.mark.parametrize("nature", ["natural", "adversarial"])
@pytest.mark.parametrize("row", truth.TARGETS)
def test_targets(stage, nature, row):
    cases = [case for case in measured(stage) if case.form.nature == nature]
    if not cases:
        pytest.skip("there are no such forms yet")
    figure, target = truth.figures(cases)[row], truth.TARGETS[row][nature]
    assert figure >= target if row == "truths verified" else figure <= target


@cache
def measured(stage):
    return truth.run(load_forms(stage), 3, 0)


def test_no_lie_of_a_quick_sample_in_adversarial_phrasing_passes():
    sample = [form for form in FORMS if form.nature == "adversarial"][::4]
    cases = truth.run(sample, 1, 1)
    assert [case.text for case in cases if not case.true and (case.silent or "comment" in case.told)] == []


def sums_of(texts):
    """What a classifier says that adds up the weights of words."""
    weights = {"wonderful": 2.0, "great": 2.0, "dull": -1.0, "slow": -1.0, "awful": -3.0, "hated": -2.0, "well": 1.0}
    sums = [0.25 + sum(weights.get(word, 0.0) for word in text.split()) for text in texts]
    return [[total, -total] for total in sums]


def test_no_false_statement_about_a_changed_input_comes_out_as_true(capsys):
    cases = truth.changed_cases(TextFunction(sums_of, ("positive", "negative")), each=1, seed=1)
    assert not [one.text for one, outcome in cases if outcome == ("false" if one.true else "verified")]
    # A false statement with two senses, of which one holds, is left open.
    plain = [
        (one, outcome) for one, outcome in cases if one.form.source != "held out" and (one.true or len(one.form.senses) == 1)
    ]
    assert len(plain) > 60
    assert not [one.text for one, outcome in plain if outcome == "not verified"]
    truth.print_changed(cases, seed=1)
    assert "held out" in capsys.readouterr().out


@pytest.mark.long
def test_the_section_about_changed_inputs_finds_every_lie(capsys):
    assert truth.main(["--changed-only", "--changed", "1", "--seed", "3"]) == 0
    assert "development" in capsys.readouterr().out
