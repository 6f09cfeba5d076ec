"""`learn=True`: earlier images teach the next ones, by a rule that does not hang on batches, and a run that goes on keeps to it."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial import AnswerFile, AttackStopped, AttackTask, CallableClassifier, FeatureGuidedAttack
from adversarial.attacks.feature_guided.experience import Experience, Lesson
from adversarial.attacks.moves import make_move_table
from adversarial.streaming import rounds
from saywhy_core.errors import UsageError

SIDE = 16


def network(seed=5):
    rng = np.random.default_rng(seed)
    inner = rng.normal(size=(SIDE * SIDE, 24)).astype(np.float32) / 6
    outer = rng.normal(size=(24, 4)).astype(np.float32)
    return lambda batch: np.maximum((batch.reshape(len(batch), -1) - 0.5) @ inner, 0) @ outer


def pictures(count, side=SIDE, seed=1):
    return np.random.default_rng(seed).random((count, side, side, 1), dtype=np.float32)


def told(results):
    return [(one.index, one.distance, one.queries, one.trace.tolist(), one.adversarial) for one in results]


def same(first, second):
    for one, other in zip(told(first), told(second), strict=True):
        assert one[:4] == other[:4]
        np.testing.assert_array_equal(one[4], other[4])


def one_place(row=11, column=4, need=0.2):
    """A classifier that flips where one pixel gets brighter by `need` than the mean of the image; others matter a little."""
    weights = np.random.default_rng(0).normal(size=SIDE * SIDE) / 1000

    def predict(batch):
        flat = batch.reshape(len(batch), -1).astype(np.float64)
        seen = flat[:, row * SIDE + column] - 0.5 - need + (flat - 0.5) @ weights
        return np.stack([np.zeros(len(batch)), seen], axis=1)

    return predict


def first_flips(results):
    return [int(one.trace[0, 0]) for one in results]


def test_the_second_image_flips_at_once_at_the_place_that_the_first_one_taught():
    images = pictures(4)
    images[:, 11, 4] = 0.5
    run = {"budget": 150, "density": "uniform"}
    classifier = CallableClassifier(one_place())
    alone = FeatureGuidedAttack(**run).run(classifier, images, [0] * 4)
    learned = FeatureGuidedAttack(**run, learn=True).run(classifier, images, [0] * 4)
    same(alone[:1], learned[:1])
    assert [one.distance for one in learned] == [1, 1, 1, 1]
    assert first_flips(learned)[1] <= 9  # the original and 8 sets at most
    assert all(flip < 0.5 * before for flip, before in zip(first_flips(learned)[1:], first_flips(alone)[1:], strict=True))


def test_the_same_images_in_the_same_order_give_the_same_results_whatever_the_batches():
    images, predict = pictures(11), network()
    labels = predict(images).argmax(axis=1)
    runs = [
        FeatureGuidedAttack(budget=60, learn=True, batch_size=size).run(CallableClassifier(predict), images, labels)
        for size in (1, 7, 500)
    ]
    same(runs[0], runs[1])
    same(runs[0], runs[2])
    unlearned = FeatureGuidedAttack(budget=60).run(CallableClassifier(predict), images, labels)
    assert told(unlearned)[0][:4] == told(runs[0])[0][:4]
    assert [one.trace.tolist() for one in unlearned] != [one.trace.tolist() for one in runs[0]]


def test_rounds_are_1_1_2_4_8_and_then_16_images():
    tasks = (AttackTask(index, pictures(1)[0]) for index in range(40))
    assert [[task.index for task in some] for some in rounds(tasks)] == [
        [0], [1], [2, 3], [4, 5, 6, 7], list(range(8, 16)), list(range(16, 32)), list(range(32, 40)),
    ]  # fmt: skip
    assert not list(rounds([]))


def test_a_run_that_was_stopped_goes_on_to_the_same_results(tmp_path):
    images, predict = pictures(5), network()
    labels = predict(images).argmax(axis=1)
    attack = FeatureGuidedAttack(budget=60, learn=True, batch_size=16)
    whole = attack.run(CallableClassifier(predict), images, labels)
    calls = [0]

    def stopping(batch):
        calls[0] += 1
        if calls[0] in {3, 9, 15}:
            raise KeyboardInterrupt
        return predict(batch)

    results = None
    for _ in range(4):
        files = {}

        def memory(index, files=files):
            files[index] = AnswerFile(tmp_path / f"{index}.answers", {"image": index})
            return files[index]

        try:
            results = attack.run(CallableClassifier(stopping), images, labels, memory=memory)
        except AttackStopped:
            pass
        finally:
            for file in files.values():
                file.close()
    assert results is not None
    same(whole, results)


def test_an_image_that_can_not_be_attacked_teaches_nothing_and_the_others_go_on():
    images, predict = pictures(4), network()
    labels = predict(images).argmax(axis=1)
    problems = {}
    labels[1] = 9
    attack = FeatureGuidedAttack(budget=40, learn=True)
    results = attack.run(CallableClassifier(predict), images, labels, on_problem=problems.__setitem__)
    assert [one.index for one in results] == [0, 2, 3]
    assert list(problems) == [1]


def test_images_of_several_sizes_teach_each_other():
    images = [pictures(1, side)[0] for side in (16, 12, 1, 20, 120)]

    def predict(batch):
        middle = batch[:, batch.shape[1] // 2, batch.shape[2] // 2, 0]
        return np.stack([np.full(len(batch), 0.5), middle, 0 * middle], axis=1)

    results = FeatureGuidedAttack(budget=80, learn=True).run(CallableClassifier(predict), images)
    assert len(results) == 5
    for one in results:
        if one.success:
            assert predict(one.adversarial[None]).argmax() == one.adversarial_label


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"distance": "l2"},
            "learn has no effect with distance='l2': the attack 'waves' does not go by earlier images; use distance='l0'",
        ),
        ({"player_two": "random"}, "learn has no effect with player_two='random': the attack 'random_pixels' does not go by"),
        ({"player_two": "competitive"}, "player_two='competitive'"),
        ({"engine": "mcts"}, "does not go by earlier images"),
        ({"attack": "random_pixels"}, "does not go by earlier images"),
    ],
)
def test_where_learning_has_no_effect_it_is_an_error(options, words):
    with pytest.raises(UsageError, match="learn has no effect with") as told:
        FeatureGuidedAttack(learn=True, **options)
    assert words in str(told.value)


def test_one_image_alone_targets_and_labels_alone_are_errors():
    attack, images = FeatureGuidedAttack(learn=True, budget=20), pictures(2)
    with pytest.raises(UsageError, match="one image alone"):
        attack.run(CallableClassifier(network()), images[:1])
    with pytest.raises(UsageError, match="a class to reach"):
        attack.run(CallableClassifier(network()), images, targets=2)
    with pytest.raises(UsageError, match="learn has no effect"):
        attack.run(CallableClassifier(lambda batch: network()(batch).argmax(axis=1), scores="label", classes=4), images)


def lesson(label=0, effects=(1.0,), agreement=(0.0, 0.0, 0.0), place=(0.5, 0.5), colour=1.0):
    return Lesson(
        label, np.array([1]), np.array([place], dtype=np.float32), np.array([[colour]], dtype=np.float32),
        np.array([effects], dtype=np.float32), np.ones(1, dtype=np.float32), agreement,
    )  # fmt: skip


def as_they_are(moves):
    """Shares nothing between changes."""
    return lambda changes, amounts: np.stack([np.bincount(changes, one, minlength=moves.size.size) for one in amounts])


def test_what_is_expected_is_the_mean_by_hand():
    moves = make_move_table(np.full((3, 3, 1), 0.5, dtype=np.float32), "corners")
    lessons = [
        lesson(label=0, effects=(2.0,)),
        lesson(label=1, effects=(-4.0,)),
        lesson(effects=(8.0,), place=(0.1, 0.1), colour=0),
    ]
    experience = Experience(lessons, 0, moves)
    experience.begin(np.array([1, 2]), as_they_are(moves))
    expected = experience.expected(np.array([0, 1]))
    by_hand = np.zeros((2, 18))
    by_hand[0, 4 * 2 + 1] = (2 - 0.25 * 4) / (1.25 + 3)  # the middle in white; another label counts for a quarter
    by_hand[0, 0] = 8 / (1 + 3)  # the corner in black
    np.testing.assert_allclose(expected, by_hand, rtol=1e-6)
    assert experience.untested
    assert experience.certainty == 0


def test_certainty_grows_with_tests_that_held_and_stays_0_where_they_failed():
    moves = make_move_table(np.full((3, 3, 1), 0.5, dtype=np.float32), "corners")

    def certainty(count, agreement):
        return Experience([lesson(agreement=agreement)] * count, 0, moves).certainty

    held = [certainty(count, (0.8, 1.0, 1.0)) for count in (1, 5, 50)]
    # slope (0.8 n) / (n + 0.04), and of the variance it explains that times (0.8 n) / (n + 2)
    np.testing.assert_allclose(held, [0.8 * n / (n + 0.04) * 0.8 * n / (n + 2) for n in (1, 5, 50)])
    assert certainty(50, (-0.5, 1.0, 1.0)) == 0
    assert certainty(1000, (1.0, 1.0, 1.0)) == 0.95
