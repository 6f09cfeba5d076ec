"""Sentences about findings are read back and held against the pictures: what saywhy writes is true, what is changed is false."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from adversarial import FeatureGuidedAttack
from adversarial.distances import DISTANCES
from adversarial.findings import FindingFacts, check_finding, class_name, finding_in_words
from saywhy import signs
from saywhy_core.classifiers import CallableClassifier, load_classifier

NAMES = tuple(signs.CLASS_NAMES)


def facts_of(result, names=NAMES, budget=None):
    reached = result.trace[np.argmin(result.trace[:, 1])][0] if result.success else None
    return FindingFacts(
        success=result.success, label=class_name(result.label, names),
        now=class_name(result.adversarial_label, names) if result.success else None,
        goal=None if result.target is None else class_name(result.target, names), queries=result.queries, budget=budget,
        found_after=None if reached is None else int(reached), norm=result.norm, original=result.original,
        adversarial=result.adversarial, touched=result.touched.scores, exhausted="had nothing more to ask" in result.note,
        labels=frozenset(class_name(number, names) for number in range(len(NAMES))),
    )  # fmt: skip


@pytest.fixture(scope="module")
def results():
    classifier = load_classifier("demo:signs")
    images, labels = signs.samples()
    found = []
    for norm, budget in (("l0", 150), ("l0", 4), ("l1", 30), ("l2", 30), ("linf", 20)):
        attack, last = FeatureGuidedAttack(distance=norm, budget=budget), 3 if norm == "l0" else 2
        found += [(result, budget) for result in attack.run(classifier, images[1:last], labels[1:last])]
    wrong = FeatureGuidedAttack(budget=9).run(classifier, images[:1], [(labels[0] + 1) % len(NAMES)])
    goal = FeatureGuidedAttack(budget=5).run(classifier, images[:1], labels[:1], targets=[(labels[0] + 2) % len(NAMES)])
    return [*found, (wrong[0], 9), (goal[0], 5)]


def verdicts(text, facts):
    return [sentence.verdict for sentence in check_finding(text, facts)]


def test_what_saywhy_writes_of_a_finding_is_true(results):
    forms = set()
    for result, budget in results:
        for names in (NAMES, None):
            text = finding_in_words(result, names, budget=budget)
            facts = facts_of(result, names, budget)
            for sentence in check_finding(text, facts):
                forms.add(sentence.text.split()[0])
                expected = "not verified" if sentence.text.startswith("Note:") else "true"
                assert sentence.verdict == expected, (sentence, text)
    assert {"Changing", "It", "No", "There", "The"} <= forms


def tiny(images):
    """Class 1 where the mean is below 0.5."""
    mean = np.asarray(images).reshape(len(images), -1).mean(axis=1)
    return np.stack([mean - 0.5, 0.5 - mean], axis=1)


def held(images):
    return tiny(images) * 0.1 + [0, 1]


BUDGET = 1000  # more than the 256 images of one grey pixel


@pytest.mark.parametrize("norm", ["l0", "l1", "l2", "linf"])
@pytest.mark.parametrize(("predict", "target"), [(tiny, None), (tiny, 1), (held, None)])
def test_searches_with_nothing_more_to_ask_are_read_back(predict, target, norm):
    attack = FeatureGuidedAttack(distance=norm, budget=BUDGET, levels=256)
    (result,) = attack.run(CallableClassifier(predict), np.full((1, 1, 1, 1), 0.4, np.float32), targets=target)
    text, facts = finding_in_words(result, budget=BUDGET), facts_of(result, None, BUDGET)
    assert result.queries < BUDGET
    assert ("nothing more to ask" in text) == (target is None)
    assert ("class 1, the class to reach, without" in text) == (target is not None)
    said = [one for one in check_finding(text, facts) if not one.text.startswith("Note:")]
    assert {one.verdict for one in said} == {"true"}, said
    other = replace(facts, exhausted=False, now="class 0" if target else facts.now)
    assert "false" in verdicts(text, other)
    assert verdicts(text, replace(facts, exhausted=None))[0 if predict is held else 1 : 2] != ["true"]


def test_the_only_pixel_and_the_fewest_are_checked_in_the_pictures():
    attack = FeatureGuidedAttack(budget=200)
    (result,) = attack.run(CallableClassifier(tiny), np.full((1, 1, 1, 3), 0.4, np.float32))
    text, facts = finding_in_words(result, budget=200), facts_of(result, None, 200)
    assert "Changing the only pixel of the picture turns" in text
    assert "one pixel is the fewest" in text
    assert verdicts(text.replace("the only pixel of the picture", "1 pixel all over the picture"), facts)[0] == "true"
    two = replace(facts, original=np.zeros((1, 2, 3)), adversarial=np.ones((1, 2, 3)))
    assert verdicts(text, two)[:2] == ["false", "false"]
    one = replace(two, adversarial=np.array([[[0, 0, 1], [0, 0, 0]]]))
    assert verdicts(text, one)[:2] == ["false", "true"]
    assert verdicts(text, replace(facts, norm="l2"))[1] == "false"


def test_another_number_is_false(results):
    for result, budget in results:
        text = finding_in_words(result, None, budget=budget).partition(" Note:")[0]
        facts = facts_of(result, None, budget)
        for found in re.finditer(r"\d+", text):
            lie = f"{text[: found.start()]}{int(found[0]) + 1}{text[found.end() :]}"
            assert set(verdicts(lie, facts)) != {"true"}, lie


def test_another_class_place_or_outcome_is_false(results):
    result, budget = results[0]
    facts, text = facts_of(result, NAMES, budget), finding_in_words(result, NAMES, budget=budget)
    other = next(name for name in NAMES if class_name(NAMES.index(name), NAMES) not in (facts.label, facts.now))
    assert verdicts(text.replace(facts.label, f"'{other}'"), facts)[0] == "false"
    assert verdicts(text.replace(facts.now, "'no such class'"), facts)[0] == "false"
    assert verdicts(f"Changing 1 pixel across the picture turns {facts.now} into {facts.label}.", facts) == ["false"]
    place = next(claim.said for claim in check_finding(text, facts)[0].claims if claim.kind == "place")
    elsewhere = "at the top" if place != "at the top" else "at the bottom"
    assert verdicts(text.replace(f" {place} ", f" {elsewhere} "), facts)[0] == "false"
    assert verdicts(f"No change that turns {facts.label} into another class was found within 9 queries.", facts) == ["false"]
    assert verdicts("There may still be one.", facts) == ["false"]


@pytest.mark.parametrize(
    "text",
    ["", "The model is brittle.", "Changing some pixels turns it.", "Changing 4 pixels turns 'stop' into 'yield'!", "." * 50,
     "Note: all is well.", "Of 5 features tried alone, 2 could be made to turn it.", "Changing 4 pixels " * 2000],
)  # fmt: skip
def test_what_no_form_reads_is_not_verified(results, text):
    assert set(verdicts(text, facts_of(results[0][0]))) <= {"not verified"}


def test_without_pictures_pixels_are_not_verified(results):
    result, budget = results[0]
    facts = replace(facts_of(result, NAMES, budget), original=None, adversarial=None)
    assert verdicts(finding_in_words(result, NAMES, budget=budget), facts) == ["not verified", "true"]


@pytest.mark.parametrize(
    "names",
    [("a' into 'b", "c"), ("x. It was found after 3 queries", "y"), ("\u202eevil\n", "<b>"), ("it's", "'quoted'"), ("", " ")],
)
def test_any_name_of_a_class_is_read_as_it_was_written(results, names):
    result = replace(results[0][0], label=0, adversarial_label=1)
    facts = replace(facts_of(result, names), labels=frozenset(class_name(number, names) for number in (0, 1)))
    assert verdicts(finding_in_words(result, names), facts)[0] == "true"


def test_names_that_leave_two_readings_are_not_verified(results):
    names = ("a", "b' into 'c", "a' into 'b", "c")
    result = replace(results[0][0], label=0, adversarial_label=1)
    facts = replace(facts_of(result, names), labels=frozenset(class_name(number, names) for number in range(4)))
    assert verdicts(finding_in_words(result, names), facts)[0] == "not verified"


def test_a_distance_of_another_package_is_read_by_its_own_words(results, monkeypatch):
    from adversarial.distances import Distance

    monkeypatch.setattr(DISTANCES, "_loaded", dict(DISTANCES._loaded))
    luma = Distance(name="luma", title="Luma", measure=DISTANCES.get("l2").measure, change="{pixels}, {value} luma away,")
    DISTANCES.register("luma", luma)
    result = replace(results[0][0], norm="luma", distances={**results[0][0].distances, "luma": results[0][0].distances["l2"]})
    text = finding_in_words(result, NAMES)
    assert "luma away" in text
    assert verdicts(text, facts_of(result))[0] == "true"
    assert verdicts(text.replace(" luma away", "9 luma away"), facts_of(result))[0] == "false"
