"""The comparison of optimised prompts with plain alternatives: no leaks, the right pick, and what the table says."""

from __future__ import annotations

import numpy as np
import pytest

from agents.few_shot import METHODS
from agents.prompting import PromptOptimizer
from evals.prompts.alternatives import MethodRow, improve_prompts, table_text
from evals.prompts.alternatives.choice import pick
from evals.prompts.alternatives.cross_validation import cross_validate
from evals.prompts.comparison import wilson
from saywhy_core.errors import UsageError

NAMES = [f"thing {number}" for number in range(6)]
QUICK = {"templates": ["a {}.", "the {}."], "template_steps": 1, "children": 2, "beam": 2, "rounds": 1, "groups": 1, "steps": 1}


class Space:
    """A text lies near the place of the class that it names, by more or less noise; images bring their own vectors."""

    def __init__(self, noise=0.2, width=32):
        rng = np.random.default_rng(0)
        self.places, self.noise, self.identity, self.asked = rng.normal(size=(len(NAMES), width)), noise, "space", []

    def encode_texts(self, texts):
        self.asked += texts
        rows = []
        for text in texts:
            place = next(self.places[index] for index, name in enumerate(NAMES) if name in text)
            own = np.random.default_rng(list(text.encode()))
            rows.append(place + self.noise * own.normal(size=len(place)))
        rows = np.array(rows).reshape(-1, self.places.shape[1])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def encode_images(self, images):
        return np.asarray(images, dtype=np.float32)

    def images(self, each, seed, noise=0.8):
        labels = np.repeat(np.arange(len(NAMES)), each)
        rows = self.places[labels] + noise * np.random.default_rng(seed).normal(size=(len(labels), self.places.shape[1]))
        return rows.astype(np.float32), labels


def improved(space, each=2, **options):
    return improve_prompts(space, NAMES, *space.images(each, 1), {"thing 0": ["thing 0, red"]}, **QUICK, **options)


def test_one_image_per_class_is_picked_for_by_rule_and_the_table_says_so():
    found = improved(Space(), each=1)
    assert (found.method, found.folds) == ("anchored-probe", 0)
    assert "by rule" in found.reason
    assert "Nothing here says" in found.verdict
    assert {row.name for row in found.rows} == set(METHODS)
    assert all(row.held_out is None and row.test is None and row.p == 1.0 for row in found.rows)
    assert [row.shots for row in found.rows] == [0, 0, 0, 6, 6, 6, 6, 6, 6]
    assert found.classifier is not None


@pytest.mark.long
def test_texts_that_say_nothing_lose_against_images():
    space = Space(noise=20.0)
    found = improved(space, each=6, test=space.images(30, 2))
    by_name = {row.name: row for row in found.rows}
    assert found.classifier is not None
    assert by_name[found.method].test.value > by_name["prompts"].test.value + 0.05
    assert found.verdict.startswith("Texts and image means does better than the optimised prompts on the test images")
    assert "(p = " in found.verdict
    assert found.folds == 5
    right = found.decisions["probe"] == space.images(30, 2)[1]
    assert by_name["probe"].test == wilson(int(right.sum()), len(right))
    chosen = found.decisions[found.method] == space.images(30, 2)[1]
    assert (by_name["probe"].better, by_name["probe"].worse) == (int((right & ~chosen).sum()), int((chosen & ~right).sum()))
    assert set(found.to_dict()["methods"][0]) == set(MethodRow.__dataclass_fields__)


def test_every_fold_searches_without_the_images_that_it_judges():
    rows, labels = Space().images(4, 1)
    seen = []

    def search(part, truth):
        seen.append({row.tobytes() for row in part})
        assert len(part) == len(truth) == 18
        return Space().encode_texts(NAMES)

    vectors = {"template": Space().encode_texts(NAMES)}
    found = cross_validate(rows, labels, vectors, search, ["template", "prompts"], folds=5, repeats=2, seed=0)
    assert (found.folds, len(seen), len(found.judged)) == (4, 8, 24)
    for repeat in (seen[:4], seen[4:]):
        missing = [{row.tobytes() for row in rows} - part for part in repeat]
        assert sum(map(len, missing)) == len(set.union(*missing)) == 24
    by_text = (rows @ vectors["template"].T).argmax(axis=1) == labels
    np.testing.assert_array_equal(found.right["template"], by_text.astype(float))
    np.testing.assert_array_equal(found.right["prompts"], by_text.astype(float))


def test_shuffled_labels_give_chance_on_unseen_folds():
    """A leak would show here: nothing can be learned, so that nothing beats one in six by more than chance."""
    space = Space(noise=20.0)
    rows, labels = space.images(8, 1)
    labels = np.random.default_rng(5).permutation(labels)
    found = improve_prompts(space, NAMES, rows, labels, **QUICK)
    assert all(row.held_out.low < 1 / 6 + 0.1 for row in found.rows)


def test_texts_are_encoded_once_over_all_folds():
    space = Space()
    improved(space, each=3)
    assert len(space.asked) == len(set(space.asked))


def test_the_prompts_are_those_of_the_search_or_of_the_method_of_texts():
    space = Space()
    rows, labels = space.images(2, 1)
    alone = PromptOptimizer(space, NAMES, **QUICK).fit_embedded(rows, labels, {"thing 0": ["thing 0, red"]})
    assert improved(space, method="probe", folds=0).prompts.prompts == alone.prompts
    found = improved(space, method="templates", folds=0)
    assert found.classifier is None
    assert len(found.prompts.prompts["thing 0"]) == 80
    assert improved(space, method="template", folds=0, template="the {}").prompts.prompts["thing 1"] == ["the thing 1"]


@pytest.mark.long
def test_a_method_that_breaks_a_pinned_image_is_not_picked():
    space = Space()
    wrong, _ = space.images(3, 7, noise=0.1)
    labels = np.repeat(np.roll(np.arange(6), 1), 3)  # shots that say that each class looks like another
    pins = space.images(1, 3, noise=0.1)
    found = improve_prompts(space, NAMES, wrong, labels, must_not_break=pins, **QUICK)
    assert found.pinned == 6
    assert found.method in {"template", "templates", "descriptions", "prompts"}
    assert "break pinned images" in found.reason
    assert "anchored-probe" in found.reason
    broken = {row.name: row.broken for row in found.rows}
    assert broken["probe"] > 0 == broken["template"] == broken[found.method]
    with pytest.raises(UsageError, match="pinned image"):
        improve_prompts(space, NAMES, wrong, labels, must_not_break=pins, method="probe", **QUICK)
    free = improve_prompts(space, NAMES, wrong, labels, **QUICK)
    assert free.classifier is not None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"method": "svm"}, "no method 'svm'"),
        ({"folds": 1}, "folds must be"),
        ({"repeats": 0}, "repeats must be"),
        ({"method": "probe", "texts_only": True}, "more than prompts"),
    ],
)
def test_wrong_options_are_refused_before_the_search(options, says):
    space = Space()
    with pytest.raises(UsageError, match=says):
        improved(space, **options)
    assert not space.asked


def test_texts_only_picks_prompts():
    assert improved(Space(), each=1, texts_only=True).classifier is None


def test_the_usual_method_stays_unless_another_is_surely_better():
    rng = np.random.default_rng(0)
    usual = (rng.random(200) < 0.6).astype(float)
    a_little = usual.copy()
    a_little[np.flatnonzero(usual == 0)[:2]] = 1  # two more of 200: one standard error and a half
    much = np.maximum(usual, (rng.random(200) < 0.5).astype(float))
    right = {"anchored-probe": usual, "probe": a_little, "prompts": usual}
    assert pick(right, list(right))[0] == "anchored-probe"
    assert pick({**right, "prompts": much}, list(right))[0] == "prompts"
    assert pick({**right, "prompts": much}, ["anchored-probe", "probe"])[0] == "anchored-probe"
    assert pick(right, ["prompts", "probe"])[0] == "probe"  # without the usual one, the best on held-out shots
    assert pick({**right, "probe": usual}, ["probe", "prompts"])[0] == "prompts"
    assert pick(None, ["template", "prompts"])[0] == "prompts"
    assert pick({"anchored-probe": np.zeros(3), "probe": np.ones(3)}, ["anchored-probe", "probe"])[0] == "probe"


def test_the_table_marks_the_chosen_method_and_counts_what_breaks():
    rows = [
        MethodRow("prompts", "optimised prompts", None, wilson(5, 10), 0, 4, 0.125, 0, 0, 1.0, 2, 6, 0, 1.25),
        MethodRow("probe", "linear probe", None, wilson(9, 10), 0, 0, 1.0, 4, 0, 0.125, 0, 6, 0, 0.5),
    ]
    head, first, second = table_text(rows, "probe", pinned=7).splitlines()
    assert head.split()[-3:] == ["breaks", "seconds", "shots"]
    assert first.startswith("  prompts")
    assert "50.0% (23.7% to 76.3%)" in first
    assert "0 / 4, p = 0.125" in first
    assert first.split()[-3:] == ["2", "1.2", "6"]
    assert second.startswith("* probe")
    assert "breaks" not in table_text(rows, "probe")


def test_searches_with_several_seeds_are_offered_where_the_folds_choose_among_them():
    space = Space(4)
    one, two = (improved(space, folds=2, searches=count).prompts for count in (1, 2))
    assert {score.seed for score in one.cross_validation.scores} == {0}
    assert {score.seed for score in two.cross_validation.scores} == {0, 1}
    assert two.candidates > one.candidates
    with pytest.raises(UsageError, match="searches must be at least 1"):
        improved(space, searches=0)
