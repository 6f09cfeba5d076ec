"""What keeps a prompt search from fooling its user: published weights, folds, pinned images, warnings, failing encoders."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from agents import PromptOptimizer, UsageError, class_vectors
from agents.few_shot import stratified_folds
from agents.prompting import FitnessWeights, read_descriptions, released_names
from agents.prompting.fitness import Scorer
from agents.prompting.library import candidate_texts, checked_synonyms, without_near_duplicates
from agents.prompting.operators import learned_odds
from agents.prompting.pruning import pruned
from agents.prompting.selection.folds import clearly_better, fold_count
from agents.prompting.selection.mixture import counts_of, learned_mixtures
from agents.prompting.weights import fitness_weights

CLASSES = ["cat", "dog", "owl", "fish", "newt", "bee", "ant"]
QUICK = {"templates": ["the {}.", "one {}!", "my {}"], "template_steps": 2, "rounds": 2, "groups": 2, "steps": 2, "children": 3}
LIBRARY = {name: [f"a {name}, look {number}" for number in range(5)] for name in CLASSES}


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


class Space:
    """A text lies near its class; even looks nearer than odd ones. One text can be made to fail."""

    def __init__(self, seed=0, width=16):
        self.places, self.width = unit(np.random.default_rng(seed).normal(size=(len(CLASSES), width))), width
        self.bad, self.value, self.calls = "", np.nan, 0

    def encode_texts(self, texts):
        self.calls += 1
        rows = []
        for text in texts:
            own = next((self.places[index] for index, name in enumerate(CLASSES) if name in text), 0)
            noise = np.random.default_rng(list(text.encode())).normal(size=self.width) / self.width**0.5
            rows.append(noise + own * (0.5 + (text[-1:] in {"0", "2", "4"})))
            if self.bad and text == self.bad:
                rows[-1] = np.full(self.width, self.value)
        return np.array(rows, dtype=np.float32)

    def encode_images(self, images):
        return np.asarray(images, dtype=np.float32)

    def images(self, each, seed, noise=0.8):
        labels = np.repeat(np.arange(len(CLASSES)), each)
        rng = np.random.default_rng(seed)
        return unit(self.places[labels] + noise * rng.normal(size=(len(labels), self.width)) / 2).astype(np.float32), labels


# weights


def published_fitness(vectors, images, labels, scale, top1, top5, entropy, redundancy):
    """As the program released with the paper counts it: accuracies in per cent, cross-entropy subtracted, redundancy added."""
    logits = scale * images.astype(float) @ vectors.T.astype(float)
    best = np.argsort(-softmax(logits, axis=1), axis=1)
    hits = best == labels[:, None]
    alike = np.triu(vectors @ vectors.T - np.eye(len(vectors)))
    cross_entropy = -np.mean([row[label] for row, label in zip(log_softmax(logits, axis=1), labels, strict=True)])
    return (
        100 * hits[:, :1].any(axis=1).mean() * top1
        + 100 * hits[:, :5].any(axis=1).mean() * top5
        + np.sqrt((alike**2).sum()) * redundancy
        - cross_entropy * entropy
    )


@pytest.mark.parametrize(
    ("name", "stage", "published"),
    [
        (None, "descriptions", (0, 0.001, 10, 0)),
        ("oxford_pets", "templates", (0.05, 0.1, 10, 0.1)),
        ("oxford_pets/RN50", "templates", (0.1, 0, 10, 0)),
        ("euro_sat", "templates", (0.05, 0, 10, 1.0)),
        ("places365/ViT-B-32", "descriptions", (5.0, 8.0, 10, 0)),
        ("imagenet", "descriptions", (0.008, 0.8, 10, 0)),
    ],
)
def test_fitness_is_that_of_the_released_program(name, stage, published):
    rng = np.random.default_rng(3)
    prompts = [unit(rng.normal(size=(4, 12))).astype(np.float32) for _ in range(8)]
    images, labels = unit(rng.normal(size=(30, 12))).astype(np.float32), rng.integers(0, 8, size=30)
    scorer = Scorer(images, labels, prompts, scale=7.0, weights=getattr(fitness_weights(name), stage))
    masks = rng.random((6, 8, 4)) < 0.5
    masks[:, :, 0] = True
    for value, mask in zip(scorer.rate_sets(masks).value, masks, strict=True):
        vectors = np.stack([unit(rows[on].mean(axis=0)) for rows, on in zip(prompts, mask, strict=True)])
        assert value == pytest.approx(published_fitness(vectors, images, labels, 7.0, *published), abs=1e-3)


def test_every_released_section_is_there_and_the_default_is_the_one_that_most_share():
    names = [name for name in released_names() if "/" in name]
    assert len(names) == 26
    found = [getattr(fitness_weights(name), stage) for name in names for stage in ("templates", "descriptions")]
    counts = {weights: found.count(weights) for weights in found}
    assert max(counts, key=counts.get) == FitnessWeights()
    assert counts[FitnessWeights()] == 9


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ("imagnet", "no released"),
        ("1,2", "four numbers"),
        ("0,0,0,1", "more than 0"),
        ("nan,0,1,0", "finite"),
        ("-1,0,1,0", "neg"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights, says):
    with pytest.raises(UsageError, match=says):
        PromptOptimizer(Space(), CLASSES, weights=weights)


# texts


def test_synonyms_take_the_place_of_the_name():
    texts = candidate_texts("Cat", ["a CAT with fur", "long tail"], ["kitty"], "a photo of a {}.")
    assert texts == [
        "a CAT with fur", "a photo of a Cat, long tail.",
        "a photo of a kitty.", "a kitty with fur", "a photo of a kitty, long tail.",
    ]  # fmt: skip
    assert checked_synonyms(["cat", "dog"], {"dog": ["hound ", "dog", "hound"]}) == [[], ["hound"]]


@pytest.mark.parametrize(
    ("synonyms", "says"),
    [
        ({"yak": ["ox"]}, "'yak'"),
        ({"cat": "kitty"}, "list of texts"),
        ({"cat": ["Dog"]}, "'dog'"),
        ({"cat": ["pet"], "dog": ["pet"]}, "'cat'"),
    ],
)
def test_synonyms_that_do_not_fit_are_refused(synonyms, says):
    with pytest.raises(UsageError, match=says):
        PromptOptimizer(Space(), ["cat", "dog"], synonyms=synonyms)


def test_near_duplicates_are_dropped_but_not_the_first_ones():
    rows = unit(np.array([[1, 0], [1, 0.01], [1, 0.02], [0, 1]], dtype=np.float32))
    assert without_near_duplicates(list("abcd"), rows) == ["a", "d"]
    assert without_near_duplicates(list("abcd"), rows, first=2) == ["a", "b", "d"]
    assert without_near_duplicates(list("abcd"), rows, cosine=1.1) == list("abcd")


# learning and pruning


def test_sizes_that_help_are_drawn_more_often():
    odds = np.ones((3, 2))
    one_by_one = 1.0
    for gain in (0.5, 0.5):
        one_by_one = 0.9 * one_by_one + 0.1 * (1 + gain)
    found = learned_odds(odds, np.array([0, 0, 1, 4]), np.array([1, 1, 0, 0]), np.array([0.5, 0.5, -9.0, 7.0]))
    assert found[0, 1] == pytest.approx(one_by_one)
    assert found[1, 0] == pytest.approx(0.9 - 0.8)
    assert found[0, 0] == found[2, 1] == 1.0


def test_pruning_never_lowers_fitness_or_accuracy_and_leaves_only_what_is_needed():
    rng = np.random.default_rng(5)
    prompts = [unit(rng.normal(size=(6, 8))).astype(np.float32) for _ in range(4)]
    images, labels = unit(rng.normal(size=(12, 8))).astype(np.float32), rng.integers(0, 4, size=12)
    scorer = Scorer(images, labels, prompts, scale=5.0)
    mask = np.ones((4, 6), dtype=bool)
    less = pruned(scorer, mask)
    before, after = scorer.rate_sets(mask[None]), scorer.rate_sets(less[None])
    assert less.any(axis=1).all()
    assert less.sum() < mask.sum()
    assert after.value[0] >= before.value[0]
    assert after.accuracy[0] >= before.accuracy[0]
    last = less.copy()
    for member in np.flatnonzero(less[3]) if less[3].sum() > 1 else []:  # no later class has changed since
        last[3] = less[3]
        last[3, member] = False
        rated = scorer.rate_sets(last[None])
        assert rated.value[0] < after.value[0] or rated.accuracy[0] < after.accuracy[0]


def test_weights_of_prompts_cannot_be_bettered_by_small_steps():
    rng = np.random.default_rng(1)
    prompts = unit(rng.normal(size=(3, 4, 6))).astype(np.float32)
    images, labels = unit(rng.normal(size=(9, 6))).astype(np.float32), np.arange(9) % 3
    prior = np.full((3, 4), 0.25)

    def objective(weights, strength):
        sums = np.einsum("km,kmd->kd", weights, prompts.astype(float))
        logits = 6.0 * images @ unit(sums).T
        kl = (weights * np.log(np.maximum(weights, 1e-12) / prior)).sum(axis=1).mean()
        return log_softmax(logits, axis=1)[np.arange(9), labels].mean() - strength * kl

    for strength, weights in zip(
        (3.0, 0.3), learned_mixtures(prompts, prior, images, labels, scale=6.0, strengths=(3.0, 0.3)), strict=True
    ):
        np.testing.assert_allclose(weights.sum(axis=1), 1.0)
        assert objective(weights, strength) >= objective(prior, strength)
        for _ in range(40):  # but for the last thousandths, which no decision depends on
            step = weights * np.exp(0.05 * rng.normal(size=weights.shape))
            assert objective(step / step.sum(axis=1, keepdims=True), strength) < objective(weights, strength) + 2e-3


def test_counts_keep_the_proportions():
    counts = counts_of(np.array([[0.5, 0.25, 0.25], [0.98, 0.01, 0.01]]), 8)
    np.testing.assert_array_equal(counts, [[4, 2, 2], [8, 0, 0]])


# folds


def test_folds_hold_each_class_in_equal_parts():
    labels = np.repeat(np.arange(5), [4, 4, 6, 3, 3])
    fold = stratified_folds(labels, 3)
    for index in range(5):
        parts = np.bincount(fold[labels == index], minlength=3)
        assert parts.max() - parts.min() <= 1
        assert parts.min() >= 1


def test_copies_of_an_image_come_into_one_fold_and_make_no_folds():
    space = Space(2)
    rows, labels = space.images(2, 1)
    found = PromptOptimizer(space, CLASSES, **QUICK).fit_embedded(rows.repeat(2, axis=0), labels.repeat(2), LIBRARY)
    assert found.cross_validation.folds == 2  # four images of each class, of which two differ
    one, of_it = space.images(1, 1)
    found = PromptOptimizer(space, CLASSES, **QUICK).fit_embedded(one.repeat(3, axis=0), of_it.repeat(3), LIBRARY)
    assert found.cross_validation.gap is None
    assert "one labelled image only" in found.cross_validation.note


def test_one_image_per_class_makes_no_folds_and_says_so():
    labels = np.arange(4)
    assert fold_count(labels, 4, None)[0] == 0
    assert "one labelled image only" in fold_count(labels, 4, 5)[1]
    assert fold_count(np.repeat(labels, 2), 4, 5) == (
        2, "a class has 2 labelled images only, so that 2 folds were made in the place of 5",
    )  # fmt: skip
    assert fold_count(np.repeat(labels, 9), 4, None) == (3, "")
    with pytest.raises(UsageError, match="at least 2"):
        fold_count(labels, 4, 1)
    space = Space()
    found = PromptOptimizer(space, CLASSES, **QUICK).fit_embedded(*space.images(1, 1), LIBRARY)
    assert found.cross_validation.gap is None
    assert "unknown" in found.cross_validation.note


def test_the_gap_is_that_of_searches_made_by_hand():
    space = Space(2)
    rows, labels = space.images(4, 1)
    found = PromptOptimizer(space, CLASSES, **QUICK, folds=2).fit_embedded(rows, labels, LIBRARY)
    fold, kind = stratified_folds(labels, 2, rows=rows), found.cross_validation.chosen
    right = {True: [], False: []}
    for index in range(2):
        inside = fold != index
        alone = PromptOptimizer(space, CLASSES, **QUICK, folds=0, kind=kind, scale=found.scale)
        prompts = alone.fit_embedded(rows[inside], labels[inside], LIBRARY).prompts
        hits = (rows @ class_vectors(space, [prompts[name] for name in CLASSES]).T).argmax(axis=1) == labels
        right[True] += hits[inside].tolist()
        right[False] += hits[~inside].tolist()
    assert found.cross_validation.gap == pytest.approx(np.mean(right[True]) - np.mean(right[False]))
    assert kind == "weighted templates and prompts, strength 0.01"


def test_only_what_is_clearly_better_takes_the_place_of_the_usual_kind():
    usual = np.zeros(40, dtype=bool)
    usual[:10] = True
    four, five = usual.copy(), usual.copy()
    four[10:14], five[10:15] = True, True
    assert not clearly_better(four, usual)  # 4 = 2 standard errors of 4 changed images
    assert clearly_better(five, usual)
    five[:3] = False
    assert not clearly_better(five, usual)


def test_repeats_return_what_one_of_their_seeds_returns():
    space = Space(2)
    shots = space.images(2, 1)
    both = PromptOptimizer(space, CLASSES, **QUICK, folds=2, repeats=2, kind="descriptions").fit_embedded(*shots, LIBRARY)
    alone = [
        PromptOptimizer(space, CLASSES, **QUICK, folds=0, seed=seed, kind="descriptions").fit_embedded(*shots, LIBRARY).prompts
        for seed in (0, 1)
    ]
    best = max(both.cross_validation.scores, key=lambda score: (score.name == "descriptions", score.unseen_likelihood))
    assert both.prompts == alone[best.seed]


# pinned images


@pytest.mark.parametrize("each", [1, 2])
def test_pinned_images_stay_right(each):
    for seed in range(4):
        space = Space(seed)
        shots, labels = space.images(each, 50 + seed, noise=1.5)
        pins, truth = space.images(3, 90 + seed, noise=1.5)
        start = class_vectors(space, [[f"a photo of a {name}."] for name in CLASSES])
        right = (pins @ start.T).argmax(axis=1) == truth
        found = PromptOptimizer(space, CLASSES, **QUICK, seed=seed).fit_embedded(
            shots, labels, LIBRARY, must_not_break=(pins, truth)
        )
        after = (pins @ class_vectors(space, list(found.prompts.values())).T).argmax(axis=1) == truth
        assert after[right].all()
        assert any("wrong with the starting template already" in text for text in found.warnings) == (not right.all())


# warnings


def test_too_few_rounds_are_told():
    space = Space(1)
    shots = space.images(2, 3, noise=2.0)
    few = PromptOptimizer(space, CLASSES, **{**QUICK, "rounds": 1, "groups": 1, "steps": 1, "group_size": 2}, folds=0)
    warnings = few.fit_embedded(*shots, LIBRARY).warnings
    assert any("no group of the search held them" in text for text in warnings)
    many = PromptOptimizer(space, CLASSES, **{**QUICK, "rounds": 60, "groups": 7, "template_steps": 60}, folds=0)
    assert not many.fit_embedded(*shots, LIBRARY).warnings


# failures


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_a_failing_text_is_no_score_and_the_resumed_run_equals_the_uninterrupted_one(tmp_path, value):
    space = Space(3)
    shots = space.images(2, 4)
    whole = PromptOptimizer(space, CLASSES, **QUICK).fit_embedded(*shots, LIBRARY)
    state = tmp_path / "state"
    space.bad, space.value = "a owl, look 3", value
    with pytest.raises(UsageError, match="owl, look 3"):
        PromptOptimizer(space, CLASSES, **QUICK, state=state).fit_embedded(*shots, LIBRARY)
    assert state.exists()  # the search over templates is kept
    space.bad = ""
    resumed = PromptOptimizer(space, CLASSES, **QUICK, state=state).fit_embedded(*shots, LIBRARY)
    assert (resumed.prompts, resumed.history, resumed.cross_validation) == (
        whole.prompts, whole.history, whole.cross_validation,
    )  # fmt: skip


def test_killed_within_a_fold_and_resumed_is_the_same(tmp_path):
    space = Space(3)
    shots = space.images(2, 4)
    whole = PromptOptimizer(space, CLASSES, **QUICK).fit_embedded(*shots, LIBRARY)
    seen = []

    def stop(step):
        seen.append(step)
        if len(seen) == len(whole.history) + 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PromptOptimizer(space, CLASSES, **QUICK, state=tmp_path / "s", progress=stop).fit_embedded(*shots, LIBRARY)
    again = PromptOptimizer(space, CLASSES, **QUICK, state=tmp_path / "s").fit_embedded(*shots, LIBRARY)
    assert (again.prompts, again.cross_validation, again.candidates) == (
        whole.prompts,
        whole.cross_validation,
        whole.candidates,
    )


def test_images_without_a_usable_embedding_are_refused():
    space = Space()
    rows, labels = space.images(1, 1)
    for value in (np.nan, 0.0):
        spoilt = rows.copy()
        spoilt[2] = value
        with pytest.raises(UsageError, match="image 2"):
            PromptOptimizer(space, CLASSES).fit_embedded(spoilt, labels)


def test_a_state_of_an_earlier_version_is_told(tmp_path):
    state = tmp_path / "state"
    state.write_text('{"journal": "state of a prompt search", "settings": {"search": "x"}, "version": 2}\n', encoding="utf-8")
    space = Space()
    with pytest.raises(UsageError, match="earlier version"):
        PromptOptimizer(space, CLASSES, **QUICK, state=state).fit_embedded(*space.images(1, 1))


# a kind of prompts that was asked for


class Blunt(Space):
    """Texts that name a class are told apart in nothing else, so that no description says more than a template does."""

    def encode_texts(self, texts):
        return np.array([next(row for row, name in zip(self.places, CLASSES, strict=True) if name in text) for text in texts])


@pytest.mark.parametrize("kind", ["descriptions", "weighted prompts, strength 0.01"])
@pytest.mark.parametrize("repeats", [1, 2])
def test_a_kind_that_a_search_does_not_offer_is_replaced_and_told(kind, repeats):
    space = Blunt()
    found = PromptOptimizer(space, CLASSES, **QUICK, kind=kind, folds=0, repeats=repeats).fit_embedded(
        *space.images(2, 1), LIBRARY
    )
    taken = found.cross_validation.chosen
    assert taken in {"templates", "weighted templates, strength 0.01"}
    (told,) = [one for one in found.warnings if "no prompts of the kind" in one]
    assert repr(kind) in told
    assert repr(taken) in told


@pytest.mark.parametrize("kind", ["", "description", "weighted prompts, strength 0.02"])
def test_an_unknown_kind_is_refused_before_the_search(kind):
    with pytest.raises(UsageError, match=r"no prompts of the kind .*; there are template, templates, descriptions"):
        PromptOptimizer(Space(), CLASSES, kind=kind)


# the prompt file


def test_weights_survive_the_prompt_file(tmp_path):
    space = Space()
    optimizer = PromptOptimizer(space, CLASSES, **QUICK, kind="weighted prompts, strength 0.01")
    found = optimizer.fit_embedded(*space.images(2, 1), LIBRARY)
    assert {len(texts) for texts in found.prompts.values()} == {64}
    found.write(tmp_path / "prompts.json")
    assert read_descriptions(tmp_path / "prompts.json", CLASSES) == found.prompts
