"""Every parameter of the attack changes something where it is taken, and is refused where it would change nothing."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial import AttackInterrupted, CallableClassifier, FeatureGuidedAttack, KeypointMixture
from adversarial.attacks import ATTACKS, Attack, Task
from adversarial.distances import DISTANCES
from saywhy_core.errors import UsageError

SIDE = 12


def network(seed=0):
    rng = np.random.default_rng(seed)
    inner = rng.normal(size=(SIDE * SIDE * 3, 24)).astype(np.float32) / 6
    outer = rng.normal(size=(24, 5)).astype(np.float32)
    return lambda batch: np.maximum((batch.reshape(len(batch), -1) - 0.5) @ inner, 0) @ outer


IMAGES = np.random.default_rng(1).random((2, SIDE, SIDE, 3), dtype=np.float32)
LABELS = network()(IMAGES).argmax(axis=1)
CORNER = np.zeros((SIDE, SIDE))
CORNER[:3, :3] = 1
GEOMETRIC = [name for name in DISTANCES if DISTANCES.get(name).nearest is not None]


def outcome(budget=80, **arguments):
    results = FeatureGuidedAttack(budget=budget, **arguments).run(CallableClassifier(network()), IMAGES, LABELS)
    return [(result.queries, result.distance, result.trace.tolist(), result.touched.scores.tolist()) for result in results]


@pytest.mark.parametrize("distance", GEOMETRIC)
@pytest.mark.parametrize("argument", [{"density": "sift"}, {"density": "uniform"}, {"manipulation": "corners"}])
def test_what_does_not_count_in_the_waves_is_refused(distance, argument):
    (name,) = argument
    with pytest.raises(UsageError, match=f"{name} has no effect here.*'waves'.*{distance!r}.*[Ll]eave {name} out"):
        FeatureGuidedAttack(distance=distance, **argument)


def test_one_image_per_call_leaves_no_room_for_a_batch_size():
    with pytest.raises(UsageError, match="batch_size has no effect here"):
        FeatureGuidedAttack(engine="mcts", batch_size=8)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"attack": "magic"}, "no attack 'magic'; use one of feature_guided"),
        ({"attack": "waves"}, "needs a distance with a geometry"),
        ({"attack": "mcts_game", "player_two": "competitive"}, "can't be kept to one feature"),
        ({"attack": "feature_guided", "engine": "mcts"}, "picks an attack itself"),
        ({"attack": "feature_guided", "player_two": "random"}, "picks an attack itself"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments, words):
    with pytest.raises(UsageError, match=words):
        FeatureGuidedAttack(**arguments)


EFFECTS = [
    ({}, {"seed": 1}), ({}, {"budget": 20}), ({}, {"density": "uniform"}), ({}, {"manipulation": "colour:1,0,0"}),
    ({}, {"player_two": "competitive"}), ({}, {"player_two": "random"}), ({}, {"engine": "mcts"}), ({}, {"distance": "l2"}),
    ({}, {"density": KeypointMixture.from_map(CORNER)}), ({}, {"attack": "random_pixels"}),
    ({"distance": "l2"}, {"seed": 1}), ({"distance": "l2"}, {"player_two": "competitive"}),
    ({"distance": "l2"}, {"player_two": "random"}), ({"distance": "l2"}, {"engine": "mcts"}),
    ({"distance": "l2"}, {"distance": "l1"}), ({"distance": "l2"}, {"distance": "linf"}),
    ({"distance": "l2", "player_two": "competitive", "budget": 600}, {"density": "uniform"}),
    ({"player_two": "random"}, {"manipulation": "colour:1,0,0"}), ({"player_two": "random"}, {"density": "uniform"}),
    ({"player_two": "random"}, {"seed": 1}), ({"engine": "mcts", "budget": 40}, {"seed": 1}),
    ({"engine": "mcts", "budget": 40}, {"manipulation": "colour:1,0,0"}), ({"engine": "mcts", "budget": 40}, {"density": "uniform"}),
]  # fmt: skip


@pytest.mark.parametrize(("plain", "changed"), EFFECTS)
def test_what_is_taken_has_an_effect(plain, changed):
    assert outcome(**plain) != outcome(**plain | changed)


def test_the_batch_size_is_that_of_the_calls():
    sizes = []

    def predict(batch):
        sizes.append(len(batch))
        return network()(batch)

    for size in (None, 5):
        FeatureGuidedAttack(budget=60, batch_size=size).run(CallableClassifier(predict), IMAGES, LABELS)
        assert max(sizes) == size or (size is None and 5 < max(sizes) <= 64)
        sizes.clear()


@pytest.mark.parametrize("arguments", [{"distance": "l2"}, {"distance": "linf"}])
def test_no_mixture_is_computed_where_none_guides(monkeypatch, arguments):
    monkeypatch.setattr("adversarial.attack.keypoint_mixture", lambda *_, **__: pytest.fail("SIFT was computed"))
    for result in FeatureGuidedAttack(budget=20, **arguments).run(CallableClassifier(network()), IMAGES, LABELS):
        assert result.density is None


def test_the_mixture_is_made_once_for_each_image_and_kept():
    made = []

    def density(image):
        made.append(KeypointMixture.from_map(CORNER))
        return made[-1]

    results = FeatureGuidedAttack(budget=20, density=density).run(CallableClassifier(network()), IMAGES, LABELS)
    assert len(made) == 2
    for result, mixture in zip(results, made, strict=True):
        np.testing.assert_array_equal(result.density.density, mixture.density)
        np.testing.assert_array_equal(result.density.responsibilities, mixture.responsibilities)


def test_results_carry_the_place_of_their_image():
    told = []
    attack = FeatureGuidedAttack(budget=20, batch_size=3)
    images = IMAGES[[0, 0, 1, 0]]
    results = attack.run(
        CallableClassifier(network()), images, LABELS[[0, 0, 1, 0]], progress=lambda _done, _all, result: told.append(result)
    )
    assert [result.index for result in results] == [0, 1, 2, 3]
    assert sorted(result.index for result in told) == [0, 1, 2, 3]
    for result in told:
        np.testing.assert_array_equal(result.original, images[result.index])


def test_a_spent_budget_of_the_classifier_loses_nothing():
    classifier = CallableClassifier(network(), budget=60)
    with pytest.raises(AttackInterrupted, match="budget is 60 queries") as caught:
        FeatureGuidedAttack(distance="l2", budget=200, batch_size=16).run(classifier, IMAGES, LABELS)
    assert [result.index for result in caught.value.results] == [0, 1]
    assert all("not finished" in result.note for result in caught.value.results)
    assert classifier.queries <= 60


# --- the registry of attacks ---


@pytest.mark.parametrize("name", list(ATTACKS))
def test_every_attack_keeps_to_its_budget_and_finds_what_holds(name):
    attack = ATTACKS.get(name)
    assert attack.name == name
    distance = "l2" if attack.needs_geometry else "l0"
    for result in FeatureGuidedAttack(attack=name, distance=distance, budget=120).run(
        CallableClassifier(network()), IMAGES, LABELS
    ):
        assert result.queries <= 120
        assert result.touched.scores.shape == (SIDE, SIDE)
        assert (result.density is not None) == attack.uses_mixture
        if result.success:
            assert network()(result.adversarial[None])[0].argmax() == result.adversarial_label != result.label


class Inverted:
    """An attack of one query: every value is turned around."""

    def __init__(self, task: Task):
        self.log = task.log

    def steps(self):
        yield from self.log.ask(1 - self.log.image[None])

    def evidence(self):
        return np.ones(self.log.image.shape[:2])


def test_an_attack_of_ones_own_is_one_object_and_one_registration(monkeypatch):
    monkeypatch.setattr(ATTACKS, "_loaded", dict(ATTACKS._loaded))
    ATTACKS.register("inverted", Attack(name="inverted", start=Inverted, uses_mixture=False, uses_manipulation=False))
    assert "inverted" in list(ATTACKS)
    results = FeatureGuidedAttack(attack="inverted", distance="l1", budget=9).run(CallableClassifier(network()), IMAGES, LABELS)
    for image, result in zip(IMAGES, results, strict=True):
        assert result.queries == 1
        assert result.touched.scores.min() == 1
        if result.success:
            np.testing.assert_array_equal(result.adversarial, 1 - image)
            assert result.distance == pytest.approx(np.abs(1 - 2 * image.astype(float)).sum())
    with pytest.raises(UsageError, match="density has no effect here: the attack 'inverted'"):
        FeatureGuidedAttack(attack="inverted", density="sift")
