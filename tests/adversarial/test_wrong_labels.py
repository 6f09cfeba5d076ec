"""Labels that belong to another list of classes are an error; a bad classifier, one image, and one class are not."""

import numpy as np
import pytest
from scipy.stats import binom

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.audit import Audit, audit_images, gather_images
from adversarial.driving.labels import LabelsError, LabelWatch, _tail, wrong_labels
from saywhy_core.errors import UsageError

RNG = np.random.default_rng(0)


def predict(images):
    """Ten classes: that of the brightest pixel in the first row."""
    return images[:, 0, :, 0].astype(np.float64)


def pictures(classes):
    made = (0.2 + 0.1 * np.random.default_rng(1).random((len(classes), 4, 10, 1))).astype(np.float32)
    made[np.arange(len(classes)), 0, classes, 0] = 0.9
    return made


def drawn(accuracy, truth, classes=10, seed=0):
    """What a classifier of this accuracy sees: the truth, or any class."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(truth)) < accuracy, truth, rng.integers(0, classes, len(truth)))


@pytest.mark.parametrize("count", [8, 20, 50])
@pytest.mark.parametrize("accuracy", [1.0, 0.8])
def test_shifts_and_orders_are_told_for_good_classifiers(count, accuracy):
    truth = np.random.default_rng(count).permutation(np.arange(count) % 8)
    seen = drawn(accuracy, truth)
    if count == 50 or accuracy == 1.0:
        assert "count from 1, and classes count from 0" in wrong_labels(list(zip(truth + 1, seen, strict=True)), 10)
        assert "number is 1 above it" in wrong_labels(list(zip(truth, seen + 1, strict=True)), 11)
    order = np.array([3, 7, 1, 0, 2, 6, 9, 8, 4, 5])
    if count == 50:
        why = wrong_labels(list(zip(order[truth], seen, strict=True)), 10)
        assert "in another order of the classes" in why
        assert "those of class 0 as class 3" in why
        labels = np.random.default_rng(9).permutation(truth)
        seen = np.roll(drawn(accuracy, labels), 1)
        assert "labelled; look for a row too much or too few" in wrong_labels(list(zip(labels, seen, strict=True)), 10)


@pytest.mark.parametrize("classes", [2, 3, 4, 10, 43])
def test_a_classifier_that_guesses_may_be_attacked(classes):
    """By the rule at most one run in 10,000 is refused; here are 1,000 runs of each length."""
    refused = 0
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        count = int(rng.choice([1, 4, 5, 8, 14, 30, 50]))
        refused += bool(wrong_labels(list(rng.integers(0, classes, (count, 2))), classes))
    assert refused <= 1


def test_legitimate_runs_with_bad_classifiers():
    labels = np.arange(50) % 10
    assert not wrong_labels([(int(one), 3) for one in labels], 10)  # it always says the same
    assert not wrong_labels([(4, 3)] * 50, 10)  # one class, always taken for the one before it
    assert not wrong_labels([(4, 3), (7, 6)] * 25, 10)  # two of them
    near = [(int(one), int(max(0, one - (place % 3 != 0)))) for place, one in enumerate(RNG.permutation(labels))]
    assert not wrong_labels(near, 10)  # ordinal classes: two in three are taken for the one before, and the others are right
    assert not wrong_labels([(1, 0), (2, 1), (3, 2), (4, 3)], 10)  # four images
    assert not wrong_labels([(0, 1), (1, 0)] * 6, 2)  # 12 of 12 by chance: 1 in 4,096
    assert "exchanged" in wrong_labels([(0, 1), (1, 0)] * 7, 2)  # 14 of 14: 1 in 16,384
    assert not wrong_labels([(0, 1)] * 30, 2)


def test_the_tail_is_that_of_the_binomial_distribution():
    for least, count, chance in [(3, 5, 0.1), (0, 4, 0.5), (50, 50, 1 / 9), (1, 50, 0.02)]:
        assert _tail(least, count, chance) == pytest.approx(binom.sf(least - 1, count, chance))
    assert _tail(4, 4, 1.0) == 1.0


def test_an_order_of_finishing_does_not_matter_and_dropped_images_do_not_count():
    labels = [(place, 1 + place % 5) for place in range(20)]
    for order in (range(20), reversed(range(20))):
        watch, told = LabelWatch(labels, 10), 0
        with pytest.raises(LabelsError, match="count from 1"):
            for place in order:
                watch.see(place, labels[place][1] - 1)
                told += 1
        assert told >= 17  # what was not seen counts as right
    watch = LabelWatch(labels, 10)
    for place in range(12):
        watch.drop(place)
    with pytest.raises(LabelsError, match="of 8 labelled images none is"):
        for place in range(12, 20):
            watch.see(place, labels[place][1] - 1)


def test_a_label_above_the_last_class_is_evidence_and_the_last_image_too(tmp_path):
    labels = np.array([1, 5, 9, 3, 7, 10])
    for order in (range(6), reversed(range(6))):
        watch = LabelWatch(enumerate(labels.tolist()))
        with pytest.raises(LabelsError, match=r"6 labelled images none is .* 5 as the class before it, and there is no class"):
            for place in order:
                if labels[place] == 10:
                    watch.drop(place, "there is no class 10: the classifier has 10, counted from 0")
                else:
                    watch.see(place, int(labels[place]) - 1)
    watch = LabelWatch(enumerate([1, 2, 3, 4, 5, 6, 9, 9]), 10)
    for place in range(6):
        watch.see(place, place)
    watch.drop(6)
    with pytest.raises(LabelsError, match="of 6 labelled"):
        watch.drop(7, "it can't be read")  # nothing is seen afterwards
    watch = LabelWatch([(0, 3)])
    watch.drop(0)
    watch.drop(0)
    np.savez(tmp_path / "set.npz", images=pictures(labels - 1), labels=labels)
    images, _ = gather_images([tmp_path / "set.npz"])
    with pytest.raises(UsageError, match="count from 1"):
        audit_images(CallableClassifier(predict), images, tmp_path / "attack", FeatureGuidedAttack(budget=20))
    with pytest.raises(UsageError, match="count from 1"):
        Audit(tmp_path / "audit").run([tmp_path / "set.npz"], target=CallableClassifier(predict), budget=20)
    with pytest.raises(UsageError, match="count from 1"):
        FeatureGuidedAttack(budget=20).run(
            CallableClassifier(predict), pictures(labels - 1), labels, on_problem=lambda *_: None
        )


def test_a_run_of_labels_that_count_from_one_is_an_error_and_costs_one_query_per_image():
    truth = np.arange(16) % 8
    classifier = CallableClassifier(predict)
    with pytest.raises(UsageError, match=r"^the labels seem to count from 1, and classes count from 0: of 16 labelled images"):
        FeatureGuidedAttack(budget=50).run(classifier, pictures(truth), truth + 1)
    assert classifier.queries <= 16
    with pytest.raises(
        UsageError, match=r"there is no class 10: the classifier has 10, .*; numbers that count from 1 are one too"
    ):
        FeatureGuidedAttack(budget=50).run(classifier, pictures([9]), [10])
    problems = []
    with pytest.raises(UsageError, match="count from 1"):
        FeatureGuidedAttack(budget=50).run(
            classifier, pictures(np.arange(30) % 10), np.arange(30) % 10 + 1, on_problem=lambda index, _: problems.append(index)
        )
    assert problems


def test_single_images_goals_and_right_labels_go_on():
    truth = np.arange(8)
    classifier = CallableClassifier(predict)
    attack = FeatureGuidedAttack(budget=50)
    (one,) = attack.run(classifier, pictures(truth[:1]), truth[:1] + 1)
    assert one.distance == 0
    assert "nothing had to be changed" in one.note
    assert len(attack.run(classifier, pictures(truth), truth)) == 8
    assert len(attack.run(classifier, pictures(truth), truth + 1, targets=[9] * 8)) == 8
    results = attack.run(classifier, pictures(truth[:4]), truth[:4] + 1)
    assert [one.distance for one in results] == [0] * 4  # fewer than five
    with pytest.raises(UsageError, match="of 7 labelled"):  # the eighth has no label
        attack.run(classifier, pictures(truth), [*(truth[:7] + 1), None])


@pytest.mark.long
def test_audits_and_folders_tell_it_too(tmp_path):
    truth = np.arange(7)
    np.savez(tmp_path / "set.npz", images=pictures(truth), labels=truth + 1)
    images, _ = gather_images([tmp_path / "set.npz"])
    with pytest.raises(UsageError, match=r"count from 1.*what was written of these images stays: give --force"):
        audit_images(CallableClassifier(predict), images, tmp_path / "attack", FeatureGuidedAttack(budget=20))
    audit = Audit(tmp_path / "audit")
    for _ in range(2):  # when it is given again it says so at once
        with pytest.raises(UsageError, match=r"count from 1.*in another folder"):
            audit.run([tmp_path / "set.npz"], target=CallableClassifier(predict), budget=20)
    np.savez(tmp_path / "set.npz", images=pictures(truth), labels=truth)
    assert (
        Audit(tmp_path / "right").run([tmp_path / "set.npz"], target=CallableClassifier(predict), budget=20).counts["wrong"]
        == 0
    )


@pytest.mark.long
def test_a_folder_is_attacked_again_with_the_right_labels(tmp_path):
    truth = np.arange(7)
    np.savez(tmp_path / "set.npz", images=pictures(truth), labels=truth)
    images, _ = gather_images([tmp_path / "set.npz"])
    made = audit_images(CallableClassifier(predict), images, tmp_path / "attack", FeatureGuidedAttack(budget=20))
    assert made.written == 7


@pytest.mark.parametrize(("classes", "count", "said"), [(1000, 5, True), (1000, 6, False), (10, 6, True)])
def test_the_classifiers_classes_count_and_not_the_largest_label(classes, count, said):
    """Labels 1 to 5 of 1,000 classes: by the labels alone there might be six classes, and five images could fit by chance."""
    truth = np.arange(count)

    def sees(images):
        return np.eye(classes)[np.rint(images[:, 0, 0, 0] * classes).astype(int)]

    images = np.ones((count, 6, 6, 1), np.float32) * (truth[:, None, None, None] / classes).astype(np.float32)
    classifier = CallableClassifier(sees, "logits", classes=classes if said else None)
    with pytest.raises(UsageError, match=f"of {count} labelled images none is .*, and {count} as the class before it"):
        FeatureGuidedAttack(budget=3, levels=None).run(classifier, images, truth + 1)


def test_the_error_counts_the_images_that_are_done():
    watch = LabelWatch([(place, place + 1) for place in range(20)], lambda: 43)
    with pytest.raises(
        LabelsError, match="of 20 labelled images 18 are done, and of these none is classified as labelled, and 18 as"
    ):
        for place in range(20):
            watch.see(place, place)
