"""The attack as a user sees it: budgets to the query, distances that hold, determinism, failures that lose nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adversarial import (
    AttackInterrupted,
    AttackStopped,
    CallableClassifier,
    FeatureGuidedAttack,
    KeypointMixture,
    load_classifier,
)
from saywhy_core.errors import UsageError

SIDE = 12


def network(channels=3, classes=5, seed=0, side=SIDE):
    """A small seeded two-layer network: not linear, many classes."""
    rng = np.random.default_rng(seed)
    inner = rng.normal(size=(side * side * channels, 24)).astype(np.float32) / 6
    outer = rng.normal(size=(24, classes)).astype(np.float32)

    def predict(batch):
        return np.maximum((batch.reshape(len(batch), -1) - 0.5) @ inner, 0) @ outer

    return predict


def pictures(count=3, channels=3, seed=1, side=SIDE):
    return np.random.default_rng(seed).random((count, side, side, channels), dtype=np.float32)


def right_labels(predict, images):
    return predict(images).argmax(axis=1)


class Counting:
    def __init__(self, predict):
        self.predict, self.count, self.sizes = predict, 0, []

    def __call__(self, batch):
        self.count += len(batch)
        self.sizes.append(len(batch))
        return self.predict(batch)


@pytest.mark.parametrize("distance", ["l0", "l1", "l2", "linf"])
@pytest.mark.parametrize("budget", [1, 2, 7, 60])
@pytest.mark.parametrize("player_two", ["cooperative", "competitive", "random"])
def test_budget_is_respected_to_the_query(distance, budget, player_two):
    predict = Counting(network())
    images = pictures()
    labels = right_labels(predict.predict, images)
    results = FeatureGuidedAttack(distance=distance, budget=budget, player_two=player_two).run(
        CallableClassifier(predict), images, labels
    )
    assert all(1 <= result.queries <= budget for result in results)
    assert predict.count <= sum(result.queries for result in results)
    if budget <= 7 and player_two == "cooperative":
        assert predict.count == sum(result.queries for result in results)


@pytest.mark.parametrize("distance", ["l0", "l1", "l2", "linf"])
@pytest.mark.parametrize("targeted", [False, True])
def test_findings_hold(distance, targeted):
    predict = network()
    images = pictures()
    labels = right_labels(predict, images)
    targets = (labels + 1) % 5 if targeted else None
    results = FeatureGuidedAttack(distance=distance, budget=500).run(
        CallableClassifier(predict), images, labels, targets=targets
    )
    for number, result in enumerate(results):
        assert result.success
        assert result.adversarial.dtype == np.float32
        assert result.adversarial.min() >= 0
        assert result.adversarial.max() <= 1
        winner = int(predict(result.adversarial[None])[0].argmax())
        assert winner == result.adversarial_label != result.label
        if targeted:
            assert winner == targets[number]
        change = result.adversarial.astype(float) - images[number]
        want = {
            "l0": (change != 0).any(axis=-1).sum(), "l1": np.abs(change).sum(),
            "l2": np.linalg.norm(change), "linf": np.abs(change).max(),
        }  # fmt: skip
        for name, value in want.items():
            assert result.distances[name] == pytest.approx(value, rel=1e-5)
        assert result.distance == result.distances[distance]
        queries, best = result.trace.T
        assert (np.diff(queries) > 0).all()
        assert (np.diff(best) <= 0).all()
        assert best[-1] == pytest.approx(result.distance)
        assert queries[-1] == result.queries
        assert result.touched.scores.shape == (SIDE, SIDE)
        assert result.touched.scores.any()


def test_one_weighty_pixel_is_found():
    """Only pixel (7, 3) matters: black there flips, and nothing else does. The smallest change is known."""

    def predict(batch):
        red = batch[:, 7, 3, 0]
        return np.stack([red - 0.2, np.zeros_like(red), np.full_like(red, -9)], axis=1)

    image = np.full((1, 10, 9, 3), 0.9, dtype=np.float32)
    (result,) = FeatureGuidedAttack(budget=600, density="uniform").run(CallableClassifier(predict), image, [0])
    assert result.success
    assert result.distance == 1
    assert np.argwhere((result.adversarial != image[0]).any(axis=-1)).tolist() == [[7, 3]]
    assert np.unravel_index(result.touched.scores.argmax(), (10, 9)) == (7, 3)


@pytest.mark.parametrize("seed", range(4))
def test_linear_classifiers_have_known_minima(seed):
    """Against closed forms: in L0 the greatest gains a pixel, summed; in L2 the distance to the plane; in L-infinity its dual."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(6, 6, 1)) * rng.random((6, 6, 1)) ** 2
    image = (0.35 + 0.3 * rng.random((1, 6, 6, 1))).astype(np.float32)
    gap = 0.25 * np.abs(weights).sum() * 0.5
    offset = float((weights * image[0]).sum()) + gap

    def predict(batch):
        score = (batch.astype(float) * weights).sum(axis=(1, 2, 3)) - offset
        return np.stack([-score, np.zeros(len(batch))], axis=1) * 3 - 1

    gains = np.sort(np.where(weights > 0, weights * (1 - image[0]), -weights * image[0]).ravel())[::-1]
    fewest = int(np.searchsorted(np.cumsum(gains), gap)) + 1
    expected = {"l0": fewest, "l2": gap / np.linalg.norm(weights), "linf": gap / np.abs(weights).sum()}
    for distance, value in expected.items():
        density = "uniform" if distance == "l0" else None
        (result,) = FeatureGuidedAttack(distance=distance, budget=1500, density=density).run(
            CallableClassifier(predict), image, [0]
        )
        assert result.success
        slack = 0 if distance == "l0" else 0.05 * value
        assert value - 1e-6 <= result.distance <= value + slack, distance


def test_same_seed_same_result_in_any_company():
    predict = network()
    images = pictures(5)
    labels = right_labels(predict, images)
    together = FeatureGuidedAttack(budget=200).run(CallableClassifier(predict), images, labels)
    again = FeatureGuidedAttack(budget=200, batch_size=7).run(CallableClassifier(predict), images[::-1], labels[::-1])[::-1]
    for number in range(5):
        (alone,) = FeatureGuidedAttack(budget=200).run(
            CallableClassifier(predict), images[number : number + 1], labels[number : number + 1]
        )
        for other in (alone, again[number]):
            assert other.distance == together[number].distance
            assert other.queries == together[number].queries
            np.testing.assert_array_equal(other.adversarial, together[number].adversarial)
            np.testing.assert_array_equal(other.trace, together[number].trace)


class Watched(CallableClassifier):
    """Notes how many images each call brings, the checks included."""

    def ask_some_again(self, images, again):
        self.__dict__.setdefault("sizes", []).append(len(images))
        return super().ask_some_again(images, again)

    def __call__(self, images):
        self.__dict__.setdefault("sizes", []).append(len(images))
        return super().__call__(images)


def test_batches_are_full():
    predict = network()
    images = pictures(12)
    classifier = Watched(predict)
    FeatureGuidedAttack(budget=100, batch_size=32).run(classifier, images, right_labels(predict, images))
    assert max(classifier.sizes) == 32
    assert np.mean(classifier.sizes) > 20
    # the first brings one look at each image; at the end the last images have nobody to share their batches with
    assert classifier.sizes[1:7] == [32] * 6


@pytest.mark.parametrize("budget", [300])
def test_competitive_is_never_nearer_than_cooperative(budget):
    predict = network(seed=3)
    images = pictures(4, seed=5, side=SIDE)
    labels = right_labels(predict, images)
    kwargs = {"budget": budget, "seed": 2}
    nearest = FeatureGuidedAttack(**kwargs).run(CallableClassifier(predict), images, labels)
    robust = FeatureGuidedAttack(player_two="competitive", **kwargs).run(CallableClassifier(predict), images, labels)
    for one, two in zip(nearest, robust, strict=True):
        assert two.distance >= one.distance
        assert two.features
        assert math.isclose(sum(feature.weight for feature in two.features), 1, rel_tol=1e-6)
    if budget == 300:
        assert any(math.isfinite(feature.distance) for result in robust for feature in result.features)


def test_competitive_changes_stay_inside_their_feature():
    def predict(batch):  # only the left half counts
        left = batch[:, :, :6].mean(axis=(1, 2, 3))
        return np.stack([left * 40 - 19.6, np.zeros(len(batch))], axis=1)

    image = np.full((1, 12, 12, 1), 0.5, dtype=np.float32)
    two_halves = np.repeat(np.array([[1.0] * 6 + [1.0] * 6]), 12, axis=0)
    mixture = KeypointMixture.from_map(two_halves)
    (result,) = FeatureGuidedAttack(budget=1000, player_two="competitive", density=mixture).run(
        CallableClassifier(predict), image, [0]
    )
    found = [feature.centre[1] < 6 for feature in result.features if math.isfinite(feature.distance)]
    assert found
    assert all(found)


def test_misclassified_and_already_on_target():
    predict = network()
    images = pictures(2)
    labels = right_labels(predict, images)
    results = FeatureGuidedAttack(budget=50).run(CallableClassifier(predict), images, (labels + 1) % 5)
    for result, seen in zip(results, labels, strict=True):
        assert result.success
        assert result.distance == 0
        assert result.queries == 1
        assert result.adversarial_label == seen
        assert "nothing had to be changed" in result.note
    (result,) = FeatureGuidedAttack(budget=50).run(
        CallableClassifier(predict), images[:1], (labels[:1] + 1) % 5, targets=labels[:1]
    )
    assert result.success
    assert result.distance == 0
    assert f"saw class {labels[0]}, the class to reach, in the original" in result.note


def test_one_image_that_is_the_target_already_leaves_the_others():
    predict = network()
    images = pictures(3)
    labels = right_labels(predict, images)
    goal, attack, classifier = int(labels[1]), FeatureGuidedAttack(budget=50), CallableClassifier(predict)
    there = labels == goal
    results = attack.run(classifier, images, targets=goal)
    assert [one.distance == 0 for one in results] == there.tolist()
    assert (results[1].label, results[1].adversarial_label, results[1].queries) == (goal, goal, 1)
    told = {}
    results = attack.run(classifier, images, labels, targets=goal, on_problem=told.__setitem__)
    assert [one.index for one in results] == np.flatnonzero(~there).tolist()
    assert sorted(told) == np.flatnonzero(there).tolist()
    assert "the target is the label itself" in str(told[1])


def test_unbreakable_image_is_reported_so():
    def predict(batch):
        return np.tile([1.0, 0.0], (len(batch), 1))

    (result,) = FeatureGuidedAttack(budget=80).run(CallableClassifier(predict, class_names=["a", "b"]), pictures(1), [0])
    assert not result.success
    assert result.adversarial is None
    assert result.adversarial_label is None
    assert result.distance == math.inf
    assert result.queries <= 80
    assert result.touched.query.label == "not a"


def test_probabilities_are_attacked_as_well():
    logits = network()

    def predict(batch):
        values = np.exp(logits(batch) - logits(batch).max(axis=1, keepdims=True))
        return values / values.sum(axis=1, keepdims=True)

    images = pictures(3)
    labels = right_labels(predict, images)
    results = FeatureGuidedAttack(budget=300).run(CallableClassifier(predict, "probabilities"), images, labels)
    plain = FeatureGuidedAttack(budget=300).run(CallableClassifier(logits), images, labels)
    assert [result.distance for result in results] == [result.distance for result in plain]


@pytest.mark.parametrize("manipulation", ["plus_minus_tau:0.3", "colour:1,0,0"])
def test_manipulations_are_kept_to(manipulation):
    predict = network()
    images = pictures(2)
    results = FeatureGuidedAttack(budget=400, manipulation=manipulation).run(
        CallableClassifier(predict), images, right_labels(predict, images)
    )
    for image, result in zip(images, results, strict=True):
        assert result.success
        changed = (result.adversarial != image).any(axis=-1)
        if manipulation.startswith("colour"):
            assert (result.adversarial[changed] == [1, 0, 0]).all()
        else:
            assert np.abs(result.adversarial - image).max() <= 0.3 + 1e-6


class Failing:
    """Fails in a way of its own after so many batches."""

    def __init__(self, how, after):
        self.how, self.left, self.predict = how, after, network(seed=3)

    def __call__(self, batch):
        self.left -= 1
        if self.left >= 0:
            return self.predict(batch)
        if self.how == "changes":  # the finding is asked about once more, alone
            return self.predict(batch) * (-1 if len(batch) == 1 else 1)
        if self.how == "raises":
            raise RuntimeError("out of memory")
        if self.how == "nan":
            return np.full((len(batch), 5), np.nan)
        if self.how == "rows":
            return self.predict(batch)[:-1]
        if self.how == "stopped":
            raise KeyboardInterrupt
        raise AssertionError(self.how)


@pytest.mark.parametrize(
    ("how", "words"), [("raises", "out of memory"), ("nan", "not finite"), ("rows", "one row"), ("changes", "another answer")]
)
def test_failures_lose_nothing(how, words):
    images = pictures(3)
    labels = right_labels(network(seed=3), images)
    with pytest.raises(AttackInterrupted, match=words) as caught:
        FeatureGuidedAttack(budget=150, batch_size=16).run(CallableClassifier(Failing(how, 6)), images, labels)
    assert len(caught.value.results) == 3
    assert any(result.success for result in caught.value.results)
    for result in caught.value.results:
        assert 1 <= result.queries <= 150
        assert "not finished" in result.note or result.success


def test_control_c_loses_nothing():
    images = pictures(3)
    labels = right_labels(network(seed=3), images)
    with pytest.raises(AttackStopped) as caught:
        FeatureGuidedAttack(budget=150, batch_size=16).run(CallableClassifier(Failing("stopped", 6)), images, labels)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert any(result.success for result in caught.value.results)


def test_failing_at_once_is_told():
    with pytest.raises(AttackInterrupted, match="out of memory") as caught:
        FeatureGuidedAttack().run(CallableClassifier(Failing("raises", 0)), pictures(1), [0])
    assert [result.success for result in caught.value.results] == [False]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"distance": "l3"}, "no distance"), ({"budget": 0}, "budget"), ({"batch_size": 2.5}, "batch_size"),
        ({"player_two": "nobody"}, "no second player"), ({"engine": "magic"}, "no engine"),
        ({"engine": "mcts", "player_two": "competitive"}, "no second player that minimises"),
        ({"manipulation": "magic"}, "no manipulation"), ({"density": "magic"}, "no density"),
    ],
)  # fmt: skip
def test_arguments_are_checked(arguments, words):
    with pytest.raises(UsageError, match=words):
        FeatureGuidedAttack(**arguments)


def test_inputs_are_checked():
    classifier = CallableClassifier(network())
    attack = FeatureGuidedAttack(budget=5)
    for images, labels, targets, words in (
        (pictures(1)[0, 0, 0], [0], None, "images must be an array"),
        (pictures(1) * 255, [0], None, "divide"),
        (pictures(2), [0], None, "labels must be 2"),
        (pictures(1), [0.5], None, "labels must be"),
        (pictures(1), [1], [1], "target is the label itself"),
        (pictures(1), [77], None, "no class 77"),
    ):
        with pytest.raises(UsageError, match=words):
            attack.run(classifier, images, labels, targets=targets)
    with pytest.raises(UsageError, match="CallableClassifier"):
        attack.run(network(), pictures(1), [0])


def test_stock_engine_plays_the_same_game():
    predict = Counting(network(channels=1, side=6))
    images = pictures(1, channels=1, side=6)
    labels = right_labels(predict.predict, images)
    (stock,) = FeatureGuidedAttack(budget=120, engine="mcts").run(CallableClassifier(predict), images, labels)
    assert predict.count <= 120
    assert stock.queries <= 120
    assert stock.success
    (ours,) = FeatureGuidedAttack(budget=120).run(CallableClassifier(predict.predict), images, labels)
    assert ours.distance <= stock.distance


def test_the_stock_engine_finishes_one_image_before_it_begins_the_next():
    images, predict, asked = pictures(3, channels=1, side=6), network(channels=1, side=6), []
    told = []

    def counted(batch):
        asked.append(len(batch))
        return predict(batch)

    FeatureGuidedAttack(budget=30, engine="mcts").run(
        CallableClassifier(counted), images, right_labels(predict, images),
        progress=lambda done, total, result: told.append((result.index, sum(asked))),
    )  # fmt: skip
    assert [index for index, _ in told] == [0, 1, 2]
    assert all(spent <= 30 * (index + 1) for index, spent in told)


def test_progress_is_told():
    told = []
    predict = network()
    images = pictures(3)
    FeatureGuidedAttack(budget=20).run(
        CallableClassifier(predict),
        images,
        right_labels(predict, images),
        progress=lambda done, total, result: told.append((done, total, result)),
    )
    assert [entry[:2] for entry in told] == [(1, 3), (2, 3), (3, 3)]
    assert all(entry[2] is not None for entry in told)


@pytest.fixture(scope="module")
def data():
    import os
    from pathlib import Path

    root = Path(os.environ.get("SAYWHY_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    if not (root / "mnist" / "mnist_cnn.onnx").is_file():
        pytest.skip("the networks of shared/data are not here (SAYWHY_DATA)")
    return root


@pytest.mark.long
@pytest.mark.parametrize(
    ("folder", "network_file", "images_file", "budget", "most"),
    [
        ("mnist", "mnist_cnn.onnx", "mnist_test.npz", 1000, 6.3),
        ("mnist", "mnist_cnn.onnx", "mnist_test.npz", 3000, 5.4),
        ("gtsrb", "gtsrb_cnn.onnx", "gtsrb_test.npz", 2800, 5.1),
        ("cifar10", "resnet20.onnx", "cifar10_test_png.npz", 1700, 2.9),
    ],
)
def test_few_pixels_flip_real_networks(data, folder, network_file, images_file, budget, most):
    pytest.importorskip("onnxruntime")
    classifier = load_classifier(f"onnx:{data / folder / network_file}")
    with np.load(data / folder / images_file) as arrays:
        images, labels = arrays["images"].astype(np.float32) / 255, arrays["labels"].astype(int)
    images = images if images.ndim == 4 else images[..., None]
    right = np.flatnonzero(classifier(images[:60]).argmax(axis=1) == labels[:60])[:20]
    results = FeatureGuidedAttack(budget=budget).run(CallableClassifier(classifier.predict), images[right], labels[right])
    assert len(results) == 20
    assert all(result.success for result in results)
    assert np.mean([result.distance for result in results]) <= most


@pytest.mark.parametrize("seed", [-1, 1.5, "a", None, True])
def test_a_seed_is_a_whole_number_of_0_or_more(seed):
    with pytest.raises(UsageError, match="seed must be a whole number of 0 or more"):
        FeatureGuidedAttack(seed=seed)


@pytest.mark.parametrize("density", [np.ones(3), np.zeros((4, 4)), [["a"]], 3, object()])
def test_a_density_that_is_none_says_what_it_takes(density):
    with pytest.raises(UsageError, match=r"density must be 'sift', 'uniform', a map \(height, width\) of numbers"):
        FeatureGuidedAttack(density=density)


def test_a_map_guides_a_search_and_is_resized():
    given = np.zeros((4, 4))
    given[0, 0] = 1
    attack = FeatureGuidedAttack(density=given)
    given[:] = 1  # the attack has its own copy
    mixture = attack.mixture(np.zeros((8, 8, 1), np.float32))
    assert mixture.source == "map"
    assert np.unravel_index(mixture.density.argmax(), (8, 8)) <= (1, 1)
    assert mixture.density[4:, 4:].sum() == 0


def test_nothing_is_said_of_a_finding_where_nothing_was_found():
    image = np.full((1, 6, 6, 1), 0.1234, np.float32)
    for flips in (False, True):
        classifier = CallableClassifier(
            lambda batch, flips=flips: np.eye(2)[(flips * (batch.max(axis=(1, 2, 3)) > 0.9)).astype(int)]
        )
        (result,) = FeatureGuidedAttack(budget=60).run(classifier, image, [0])
        assert result.success == flips
        assert ("no picture of 8 bits" in result.note) == flips
