"""Few-shot classifiers against plain loops, other libraries and made-up spaces in which the best answer is known."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.few_shot import (
    METHODS,
    find_method,
    fit_anchored_probe,
    fit_probe,
    fit_prototypes,
    fit_tip_adapter,
    read_classifier,
    stratified_folds,
    write_classifier,
)
from agents.few_shot.prototypes import centres, leave_one_out_scores
from agents.few_shot.shots import Shots
from saywhy_core.errors import UsageError

IMAGE_METHODS = [name for name, method in METHODS.items() if method.fit is not None]


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def world(classes=6, shots=2, width=24, text_noise=0.5, image_noise=0.5, gap=1.0, seed=0):
    """Class centres; texts and images scattered around them, with an offset between texts and images."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=(classes, width))
    texts = unit(centre + text_noise * rng.normal(size=centre.shape))
    offset = gap * rng.normal(size=width)

    def images(each):
        labels = np.repeat(np.arange(classes), each)
        return unit(centre[labels] + image_noise * rng.normal(size=(len(labels), width)) + offset), labels

    return texts, *images(shots), *images(40)


def accuracy(classifier, rows, labels):
    return (classifier.predict(rows) == labels).mean()


def test_a_prototype_is_the_weighted_mean_of_text_and_images_worked_out_by_hand():
    texts = np.array([[1.0, 0.0], [0.0, 1.0]])
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    found = fit_prototypes(rows, np.array([0, 1, 1]), texts, ratio=2.0)
    means = np.array([[1.0, 0.0], [0.3, 0.9]])
    spread = texts - texts.mean(axis=0)
    slope = (spread * (means - means.mean(axis=0))).sum() / (spread**2).sum()
    expected = means.mean(axis=0) + slope * spread
    by_hand = np.stack([(expected[0] + 2 * means[0]) / 3, (expected[1] + 4 * means[1]) / 5])
    np.testing.assert_allclose(found.weights, by_hand)
    np.testing.assert_allclose(found.bias, [-(one @ one) / 2 for one in by_hand])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 16.0))
def test_leaving_one_out_in_closed_form_equals_a_loop(seed, ratio):
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(3), rng.integers(0, 3, 6)])
    rows, texts = unit(rng.normal(size=(9, 5))), unit(rng.normal(size=(4, 5)))
    shots = Shots(rows, labels, texts)
    quick = leave_one_out_scores(shots, ratio)
    prior = centres(shots, 0.0)
    for index in range(9):
        where = np.empty_like(texts)
        for klass in range(4):
            own = [row for at, row in enumerate(rows) if labels[at] == klass and at != index]
            where[klass] = (prior[klass] + ratio * sum(own, np.zeros(5))) / (1 + ratio * len(own))
        slow = rows[index] @ where.T - (where**2).sum(axis=1) / 2
        np.testing.assert_allclose(quick[index], slow, atol=1e-9)


def test_tip_adapter_is_the_published_formula():
    texts, rows, labels, fresh, _ = world()
    found = fit_tip_adapter(rows, labels, texts, alpha=1.5, beta=4.0, scale=100.0).scores(fresh)
    for image in range(5):
        by_hand = 100.0 * fresh[image] @ texts.T
        for key, owner in zip(rows, labels, strict=True):
            by_hand[owner] += 1.5 * np.exp(-4.0 * (1 - fresh[image] @ key))
        np.testing.assert_allclose(found[image], by_hand)


def test_the_probe_is_scikit_learns():
    linear = pytest.importorskip("sklearn.linear_model")
    texts, rows, labels, fresh, _ = world(shots=4)
    theirs = linear.LogisticRegression(C=3.0, tol=1e-8, max_iter=5000).fit(rows, labels)
    ours = fit_probe(rows, labels, texts, strength=3.0)
    np.testing.assert_allclose(ours.scores(fresh), theirs.decision_function(fresh), atol=2e-3)


def test_the_anchored_probe_is_at_the_minimum_of_its_loss():
    torch = pytest.importorskip("torch")
    texts, rows, labels, fresh, _ = world(classes=4, shots=3)
    ratio = 2.0
    found = fit_anchored_probe(rows, labels, texts, ratio=ratio)
    means = np.stack([rows[labels == klass].mean(axis=0) for klass in range(4)])
    spread = texts - texts.mean(axis=0)
    line = max((spread * (means - means.mean(axis=0))).sum() / (spread**2).sum(), 0)
    anchors, middle = torch.tensor(line * spread), torch.tensor(means.mean(axis=0))
    centred = torch.tensor(rows) - middle
    grid = np.geomspace(1.0, 300.0, 60)
    likely = [torch.log_softmax(s * centred @ anchors.T, dim=1)[range(12), labels].mean().item() for s in grid]
    scale = grid[int(np.argmax(likely))] * (1 + ratio)
    change = torch.zeros_like(anchors, requires_grad=True)
    optimizer = torch.optim.LBFGS([change], max_iter=500, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        logits = scale * centred @ (anchors + change).T
        value = torch.nn.functional.cross_entropy(logits, torch.tensor(labels), reduction="sum")
        value = value + scale / ratio / 2 * (change**2).sum()
        value.backward()
        return value

    optimizer.step(loss)
    expected = scale * (torch.tensor(fresh) - middle) @ (anchors + change.detach()).T
    np.testing.assert_allclose(found.scores(fresh), expected.numpy(), atol=5e-3 * scale)


@pytest.mark.parametrize("shots", [1, 2, 8])
def test_the_anchored_probe_loses_nothing_where_texts_are_good_and_gains_where_they_are_not(shots):
    for noise, seed in ((0.1, 1), (0.1, 2), (3.0, 3), (3.0, 4)):
        texts, rows, labels, fresh, truth = world(20, shots, 64, text_noise=noise, image_noise=1.0, seed=seed)
        by_text = accuracy(METHODS["template"](rows, labels, texts), fresh, truth)
        anchored = accuracy(fit_anchored_probe(rows, labels, texts), fresh, truth)
        if noise < 1:
            assert anchored >= by_text - 0.02
            assert anchored >= accuracy(fit_probe(rows, labels, texts), fresh, truth) - 0.01
        else:
            assert anchored > by_text + 0.2


@pytest.mark.parametrize("name", IMAGE_METHODS)
def test_odd_shots_are_taken(name):
    texts, rows, labels, fresh, truth = world(classes=4, shots=5)
    for chosen in (
        labels >= 1,  # a class without images
        np.arange(20) == 7,  # a single image in all
        np.isin(np.arange(20), [0, 1, 2, 5, 10, 15]),  # unequal numbers
        np.isin(np.arange(20), [0, 5, 10, 15]),  # one per class
    ):
        scores = METHODS[name](rows[chosen], labels[chosen], texts).scores(fresh)
        assert scores.shape == (160, 4)
        assert np.isfinite(scores).all()
    twice = METHODS[name](np.repeat(rows, 2, axis=0), np.repeat(labels, 2), texts)
    assert accuracy(twice, fresh, truth) > 0.5
    assert METHODS[name](rows[labels < 2], labels[labels < 2], texts[:2]).predict(fresh).max() == 1
    longer = METHODS[name](3 * rows, labels, 7 * texts).predict(2 * fresh)
    np.testing.assert_array_equal(longer, METHODS[name](rows, labels, texts).predict(fresh))


def test_a_class_without_images_is_found_by_its_text_but_not_by_the_plain_probe():
    texts, rows, labels, fresh, truth = world(classes=5, shots=3, text_noise=0.1, image_noise=0.3)
    known = labels != 4
    for name in ("prototype", "anchored-probe"):
        assert accuracy(METHODS[name](rows[known], labels[known], texts), fresh[truth == 4], 4) > 0.8
    assert not (fit_probe(rows[known], labels[known], texts).predict(fresh) == 4).any()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows, labels, texts: (rows, labels, texts[:1]), "at least two classes"),
        (lambda rows, labels, texts: (rows[:, :3], labels, texts), "embeddings must be"),
        (lambda rows, labels, texts: (rows[:0], labels[:0], texts), "at least one image"),
        (lambda rows, labels, texts: (rows, labels[:2], texts), "one class index for each"),
        (lambda rows, labels, texts: (rows, labels + 9, texts), "between 0 and 5"),
        (lambda rows, labels, texts: (rows * np.nan, labels, texts), "image 0 is not finite"),
        (lambda rows, labels, texts: (rows, labels, texts * 0), "text 0 is zero"),
    ],
)
@pytest.mark.parametrize("fit", [fit_prototypes, fit_tip_adapter, fit_probe, fit_anchored_probe])
def test_what_does_not_fit_is_refused(fit, change, says):
    texts, rows, labels, *_ = world()
    with pytest.raises(UsageError, match=says):
        fit(*change(rows, labels, texts))


def test_wrong_settings_are_refused():
    texts, rows, labels, *_ = world()
    for call in (
        lambda: fit_prototypes(rows, labels, texts, ratio=-1),
        lambda: fit_anchored_probe(rows, labels, texts, ratio=0),
        lambda: fit_probe(rows, labels, texts, strength=np.nan),
        lambda: stratified_folds(labels, 1),
        lambda: find_method("svm"),
        lambda: fit_probe(rows, labels, texts).scores(rows[:, :5]),
        lambda: fit_probe(rows, labels, texts).scores(rows * np.inf),
    ):
        with pytest.raises(UsageError):
            call()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(2, 6), st.integers(0, 99))
def test_folds_spread_each_class_and_keep_the_only_image_of_a_class(labels, folds, seed):
    truth = np.array(labels)
    fold = stratified_folds(truth, folds, seed=seed)
    counts = np.bincount(truth)
    assert fold.max() < folds
    for klass in np.unique(truth):
        own = fold[truth == klass]
        if counts[klass] == 1:
            assert own[0] == -1
        else:
            sizes = np.bincount(own, minlength=min(folds, counts.max()))
            assert own.min() >= 0
            assert sizes.max() - sizes.min() <= 1
            assert (sizes > 0).sum() >= 2  # whichever fold is left out, one image of the class stays


def test_copies_of_an_image_lie_in_one_fold():
    rows = np.repeat(np.random.default_rng(0).normal(size=(6, 4)), 2, axis=0)
    fold = stratified_folds(np.repeat([0, 1], 6), 3, rows=rows)
    assert (fold[::2] == fold[1::2]).all()
    assert (stratified_folds(np.repeat([0, 1], 2), 3, rows=np.repeat(np.eye(2), 2, axis=0)) == -1).all()


@pytest.mark.parametrize("name", [*IMAGE_METHODS, "template"])
def test_a_file_gives_the_scores_back_in_the_order_of_the_classes(name, tmp_path):
    texts, rows, labels, fresh, _ = world(classes=3)
    names = ["a {b}", "ü, ñ", "c"]
    classifier = METHODS[name](rows, labels, texts)
    write_classifier(tmp_path / "c.npz", classifier, names, method=name)
    file = read_classifier(tmp_path / "c.npz")
    assert (file.class_names, file.method, file.encoder) == (tuple(names), name, None)
    np.testing.assert_allclose(file.scores(fresh, names[::-1], None)[:, ::-1], classifier.scores(fresh), rtol=1e-4, atol=1e-4)
    shouted = [name.upper() for name in names]
    np.testing.assert_array_equal(file.scores(fresh, shouted, None), file.scores(fresh, names, None))


class Named:
    def __init__(self, identity):
        self.identity = identity


def test_a_file_of_another_encoder_or_other_classes_is_refused(tmp_path):
    texts, rows, labels, fresh, _ = world(classes=3)
    write_classifier(tmp_path / "c.npz", fit_probe(rows, labels, texts), "abc", encoder=Named("one"), method="probe")
    file = read_classifier(tmp_path / "c.npz")
    assert file.scores(fresh, "abc", Named("one")).shape == (120, 3)
    with pytest.raises(UsageError, match="another encoder"):
        file.scores(fresh, "abc", Named("two"))
    with pytest.raises(UsageError, match="'d' is in one of them only"):
        file.scores(fresh, "abcd", Named("one"))
    with pytest.raises(UsageError, match="one name of its own"):
        write_classifier(tmp_path / "d.npz", fit_probe(rows, labels, texts), "aab")


def test_a_damaged_file_is_refused(tmp_path):
    texts, rows, labels, *_ = world(classes=3)
    write_classifier(tmp_path / "c.npz", fit_tip_adapter(rows, labels, texts), "abc", method="tip-adapter")
    arrays = dict(np.load(tmp_path / "c.npz"))
    about = json.loads(bytes(arrays["about"]))

    def said(**changed):
        return np.frombuffer(json.dumps({**about, **changed}).encode(), dtype=np.uint8)

    for changed in (
        {"weights": arrays["weights"][:2]},
        {"weights": arrays["weights"] * np.nan},
        {"bias": arrays["bias"][:, None]},
        {"keys": arrays["keys"][:, :3]},
        {"key_labels": arrays["key_labels"] + 3},
        {"key_labels": arrays["key_labels"].astype(float)},
        {"about": said(version=2)},
        {"about": said(class_names=["a", "a", "b"])},
        {"about": said(alpha="1")},
        {"about": np.frombuffer(b"[]", dtype=np.uint8)},
        {"about": np.frombuffer(b"{", dtype=np.uint8)},
        {"about": arrays["about"].astype(float)},
    ):
        np.savez(tmp_path / "bad.npz", **{**arrays, **changed})
        with pytest.raises(UsageError, match=r"bad\.npz"):
            read_classifier(tmp_path / "bad.npz")
    np.savez(tmp_path / "bad.npz", images=rows)
    with pytest.raises(UsageError, match="lacks 'about'"):
        read_classifier(tmp_path / "bad.npz")
    np.savez(tmp_path / "bad.npz", **{**arrays, "about": np.array([{"a": 1}], dtype=object)})
    with pytest.raises(UsageError):
        read_classifier(tmp_path / "bad.npz")
    with zipfile.ZipFile(tmp_path / "bad.npz", "w"):
        pass
    with pytest.raises(UsageError):
        read_classifier(tmp_path / "bad.npz")
