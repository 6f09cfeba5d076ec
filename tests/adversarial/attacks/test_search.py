"""The search as a whole and the growth of its tree, on classifiers whose minimum is known; and its constants."""

from __future__ import annotations

import dataclasses
import io
import re
import tokenize
from pathlib import Path

import numpy as np
import pytest

import adversarial
from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.attacks import tuning as tuning_module
from adversarial.attacks.feature_guided.growth import Growth
from adversarial.attacks.feature_guided.opening import tells_little
from adversarial.attacks.feature_guided.players import Players
from adversarial.attacks.feature_guided.search import PixelSearch
from adversarial.attacks.tuning import STANDARD, Tuning

SOURCE = Path(adversarial.__file__).parent / "attacks"
GROUPS = {
    field.name: getattr(STANDARD, field.name) for field in dataclasses.fields(Tuning) if field.name not in {"leaves", "tiny"}
}


def search(toy, seed=0, tuning=STANDARD):
    made = PixelSearch(toy.log, toy.moves, None, np.random.default_rng(seed), tuning)
    toy.run(made.steps())
    return made


@pytest.mark.parametrize("needed", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_the_fewest_pixels_are_found(two_classes, needed, seed):
    toy = two_classes(9, needed, seed, budget=1200)
    found = search(toy, seed)
    assert found.tree.best_size == needed
    assert toy.flips(found.tree.sets[found.tree.best])


def test_every_query_is_a_new_set_with_one_allowed_change_per_pixel(two_classes):
    toy = two_classes(9, 5, budget=900)
    tree = search(toy).tree
    assert toy.log.queries == sum(toy.asked) == len(tree.sets) == len(set(tree.sets))
    for changes in tree.sets:
        assert len({change // toy.moves.count for change in changes}) == len(changes)
        assert all(toy.moves.size[change] > 0 for change in changes)


def test_single_changes_take_their_share_of_the_queries(two_classes):
    """Nothing of one pixel flips; single changes and trees take turns, so that either gets a share."""
    toy = two_classes(16, 8, budget=1000)
    singles = sum(len(changes) == 1 for changes in search(toy).tree.sets)
    assert 0.2 * 1000 <= singles <= STANDARD.opening.share * 1000 + STANDARD.leaves


def saturated(gap):
    return 1 / (1 + np.exp(-200 * np.asarray(gap, np.float64)))


@pytest.mark.parametrize("target", [None, 2])
def test_a_search_with_fewer_queries_asks_what_one_with_more_asks_first(linear, target):
    weights = np.random.default_rng(1).normal(size=(2, 100))
    toys = [linear(np.full((10, 10, 1), 0.5), weights, [7.0, 9.0], budget=budget, target=target) for budget in (40, 150, 500)]
    short, middle, long = (search(toy).tree for toy in toys)
    assert middle.sets[: len(short.sets)] == list(short.sets)
    assert long.sets[: len(middle.sets)] == list(middle.sets)
    assert toys[0].log.distance >= toys[1].log.distance >= toys[2].log.distance


FLAT = {
    "rounded logits": ("logits", lambda gap: np.stack([0 * gap, np.ceil(gap / 2)], axis=1)),
    "clipped logits": ("logits", lambda gap: np.stack([0 * gap, np.clip(gap, -0.1, 0.1)], axis=1)),
    "saturated": ("probabilities", lambda gap: np.stack([1 - saturated(gap), saturated(gap)], axis=1)),
    "one decimal": ("sigmoid", lambda gap: np.stack([np.full(gap.shape, 0.5), saturated(gap / 10).round(1)], axis=1)),
}


@pytest.mark.parametrize("kind", FLAT)
def test_scores_that_tell_nothing_are_searched_by_the_decision(two_classes, kind):
    """The fewest are 4 of 144 pixels, whose gap a single change moves by at most 0.9 and mostly far less."""
    toy = two_classes(12, 4)
    toy.weights, toy.needs = toy.weights / toy.needs[0], np.ones(1)  # the flip is 1 away
    scores, made = FLAT[kind]
    classifier = CallableClassifier(lambda images: made(toy.predict(images)[:, 1]), scores)
    (found,) = FeatureGuidedAttack(budget=300, density="uniform").run(classifier, toy.image[None], [0])
    assert found.success
    assert found.distance <= 8
    assert toy.predict(found.adversarial[None])[0, 1] > 0


@pytest.mark.parametrize(("kept", "expected"), [(1.0, False), (0.4, False), (0.0, True)])
def test_exact_scores_of_some_pixels_are_no_rounding(linear, kept, expected):
    """Six of ten pixels, which the classifier does not see, leave the gap as it was; the others each move it otherwise."""
    rng = np.random.default_rng(3)
    toy = linear(np.full((10, 10, 1), 0.5), rng.normal(size=100) * (np.arange(100) % 10 < 10 * kept), [5.0])
    toy.run(toy.tree.ask([(), *[(2 * pixel,) for pixel in range(100)]]))
    assert tells_little(toy.tree) == expected


def test_an_opening_of_rounded_gaps_tells_little(linear):
    toy = linear(np.full((10, 10, 1), 0.5), np.round(np.random.default_rng(3).normal(size=100) / 2), [5.0])
    toy.run(toy.tree.ask([(), *[(2 * pixel,) for pixel in range(100)]]))
    assert tells_little(toy.tree)


def test_evidence_is_the_gain_of_each_pixel(linear):
    weights = np.zeros((1, 36))
    weights[0, [7, 22]] = 6.0, 4.0
    toy = linear(np.full((6, 6, 1), 0.5), weights, [4.5], budget=400)
    evidence = search(toy).evidence()
    assert evidence.shape == (6, 6)
    assert np.argsort(-evidence.ravel())[:2].tolist() == [7, 22]
    assert evidence[1, 1] == pytest.approx(3.0, abs=1e-2)  # from 0.5 to white, times 6
    assert evidence.min() >= 0


def test_another_class_is_found_behind_the_nearest(linear):
    """Class 1 seems near but needs five pixels; class 2 takes two whose effect shows only in themselves."""
    weights = np.zeros((2, 64))
    weights[0, :12] = 1.0
    weights[1, [30, 50]] = 8.0
    toy = linear(np.full((8, 8, 1), 0.5), weights, [2.2, 7.0], budget=1000)
    found = search(toy)
    assert found.tree.sets[found.tree.best] == (61, 101)


def test_trees_are_given_up_and_begun_again_until_the_last(two_classes):
    """A flip that needs every pixel of four: nothing smaller exists, and the search must end by itself."""
    toy = two_classes(2, 4, budget=100_000)
    found = search(toy)
    assert found.tree.best_size == 4
    assert found.trees > STANDARD.restarts.idle
    assert toy.log.queries <= 3**4


def test_growth_adds_one_change_to_a_parent_and_learns_from_it(two_classes):
    toy = two_classes(8, 6)
    toy.run(toy.tree.ask([()]))
    toy.run(toy.tree.ask([(change,) for change in range(40)]))
    effects = toy.effects()
    growth = Growth(toy.tree, effects, Players(toy.tree, None, np.random.default_rng(0)))
    before = len(toy.tree.sets)
    toy.run(growth.round(500))
    new = toy.tree.sets[before:]
    assert len(new) == STANDARD.leaves
    assert {len(changes) for changes in new} == {2}
    assert all(any((change,) in toy.tree.node_of for change in changes) for changes in new)
    assert toy.tree.visits.sum() == STANDARD.leaves


def test_growth_of_large_sets_leaps(two_classes):
    toy = two_classes(12, 40)
    toy.run(toy.tree.ask([()]))
    order = np.argsort(-toy.gains()[:, 0])
    pixels = np.unique(order // 2, return_index=True)[1]
    best = order[np.sort(pixels)]
    # a level of twelve changes with enough sets: the next one is a quarter larger
    sets = [tuple(sorted(best[start : start + 12].tolist())) for start in range(40)]
    toy.run(toy.tree.ask(sets))
    assert toy.tree.best is None
    growth = Growth(toy.tree, toy.effects(), Players(toy.tree, None, np.random.default_rng(0)))
    toy.run(growth.round(500))
    assert toy.tree.deepest == 15
    assert growth.added == 3


def test_constants_are_frozen_and_another_tuning_is_another_search(two_classes):
    with pytest.raises(dataclasses.FrozenInstanceError):
        STANDARD.leaves = 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        STANDARD.tree.elite = 3
    assert hash(STANDARD) == hash(Tuning())
    toy, other = (two_classes(9, 5, budget=400) for _ in range(2))
    search(toy)
    small = dataclasses.replace(STANDARD, leaves=8)
    assert search(other, tuning=small).tree.sets != search(two_classes(9, 5, budget=400)).tree.sets


@pytest.mark.parametrize("group", GROUPS)
def test_every_constant_is_used_and_has_its_reason(group):
    source = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py") if path.name != "tuning.py")
    text = Path(tuning_module.__file__).read_text(encoding="utf-8")
    comments = {
        token.line.split(":")[0].strip()
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and len(token.string) > 20
    }
    for field in dataclasses.fields(GROUPS[group]):
        assert re.search(rf"\.{field.name}\b", source), f"no search reads {group}.{field.name}"
        assert field.name in comments, f"{group}.{field.name} has no reason beside it"
