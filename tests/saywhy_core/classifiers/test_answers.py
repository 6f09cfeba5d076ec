"""What classifiers answer, in every form that they answer in: read with its decision kept, or refused with what would fit."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from saywhy_core.classifiers import (
    CallableClassifier,
    ClassifierError,
    as_probabilities,
    comparable,
    confidence,
    least_probability,
    same_answer,
)
from saywhy_core.classifiers.answers.kinds import KINDS
from saywhy_core.classifiers.answers.reading import read_answer
from saywhy_core.errors import UsageError

NAMES = ("stop", "yield", "30", "go")
LOGITS = np.array([[2.0, -1.0, 0.5, 0.0], [-3.0, 4.0, 1.0, 2.0], [0.1, 0.2, 0.4, 0.3]])
SOFT = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
WINNERS = [0, 1, 2]
IMAGES = np.random.default_rng(0).random((3, 2, 2, 1), dtype=np.float32)


def asked(answer, kind, images=IMAGES, **options):
    return CallableClassifier(lambda batch: answer, kind, **options)(images)


def grad(values):
    import torch

    return torch.tensor(values, requires_grad=True)


def half(values):
    import torch

    return torch.tensor(values, dtype=torch.bfloat16)


MASKED = [[-np.inf, 1, 2, 0], [-np.inf, 5, 2, 0], [-np.inf, 1, 2, 0]]
PAIRS = [[("stop", 0.9), ("yield", 0.05)], [("yield", 0.6), ("go", 0.3)], [("30", 0.5), ("go", 0.5)]]
ROUNDED = [[0.77, 0.04, 0.17, 0.0], [0.0, 0.84, 0.04, 0.1], [0.21, 0.24, 0.28, 0.26]]
FORMS = {
    "lists": ("logits", LOGITS.tolist(), WINNERS, {}),
    "objects": ("logits", LOGITS.astype(object), WINNERS, {}),
    "a tensor that requires grad": ("logits", lambda: grad(LOGITS), WINNERS, {}),
    "bfloat16": ("logits", lambda: half(LOGITS), WINNERS, {}),
    "a list of tensors": ("logits", lambda: [grad(row) for row in LOGITS], WINNERS, {}),
    "-inf for a masked class": ("logits", MASKED, [2, 1, 2], {}),
    "the least float for a masked class": ("logits", np.where(np.isinf(MASKED), np.finfo(np.float32).min, MASKED), [2, 1, 2], {}),
    "-1e9 for a masked class": ("logits", np.where(np.isinf(MASKED), -1e9, MASKED), [2, 1, 2], {}),
    "-1e4 for a masked class": ("logits", np.where(np.isinf(MASKED), -1e4, MASKED), [2, 1, 2], {}),
    "probabilities": ("probabilities", SOFT, WINNERS, {}),
    "16-bit probabilities": ("probabilities", SOFT.astype(np.float16), WINNERS, {}),
    "two decimals": ("probabilities", ROUNDED, WINNERS, {}),
    "bytes": ("probabilities", np.floor(SOFT * 255).astype(int) / 255, WINNERS, {}),
    "a softmax that underflows": ("probabilities", [[1, 0, 0, 0], [0, 1, 0, 0], [1e-9, 0, 1 - 1e-9, 0]], WINNERS, {}),
    "one sigmoid": ("sigmoid", [0.2, 0.7, 0.5], [0, 1, 0], {}),
    "a column of sigmoids": ("sigmoid", [[0.2], [0.7], [1.0]], [0, 1, 1], {}),
    "multi-label sigmoids": ("sigmoid", [[0.9, 0.8, 0.7, 0.1], [0, 1, 0.9, 0.2], [0, 0, 0.3, 0.1]], WINNERS, {}),
    "NaN for classes left out": ("top-k", np.where(SOFT >= 0.2, SOFT, np.nan), WINNERS, {}),
    "0 for classes left out": ("top-k", np.where(SOFT >= 0.2, SOFT, 0), WINNERS, {}),
    "-inf for classes left out": ("top-k", np.where(SOFT >= 0.2, SOFT, -np.inf), WINNERS, {}),
    "pairs with names": ("top-k", PAIRS, WINNERS, {"class_names": NAMES}),
    "pairs with numbers": ("top-k", [[(0, 0.4)], [(1, 0.3), (2, 0.3)], [[2, 0.9]]], WINNERS, {"classes": 4}),
    "lists with numbers": ("top-k", [[[0, 0.4], [1, 0.1]], [[1, 0.3], [2, 0.3]], [[2, 0.9], [0, 0.1]]], WINNERS, {"classes": 4}),
    "an array of pairs": ("top-k", np.array([[[0, 0.6]], [[1, 0.5]], [[2, 0.9]]]), WINNERS, {"classes": 4}),
    "dicts": ("top-k", [[{"label": "stop", "score": 0.4}], [{"label": "yield", "score": 1}], [{"label": "30", "score": 0.3}]], WINNERS, {"class_names": NAMES}),
    "one dict per image": ("top-k", [{"label": f"LABEL_{n}", "score": 0.3} for n in range(3)], WINNERS, {"classes": 2000}),
    "a tie that the list decides": ("top-k", [[(3, 0.5), (0, 0.5)], [(1, 0.2), (0, 0.2)], [(2, 0.1)]], [3, 1, 2], {"classes": 4}),
    "one-hot": ("label", np.eye(4, dtype=int)[WINNERS], WINNERS, {}),
    "1 against -1": ("label", 2 * np.eye(4)[WINNERS] - 1, WINNERS, {}),
    "booleans": ("label", np.eye(4, dtype=bool)[WINNERS], WINNERS, {}),
    "class numbers": ("label", np.array(WINNERS), WINNERS, {"classes": 4}),
    "a column of class numbers": ("label", np.array(WINNERS, dtype=float)[:, None], WINNERS, {"classes": 4}),
    "class names": ("label", ["stop", "yield", "30"], WINNERS, {"class_names": NAMES}),
    "class names as objects": ("label", np.array(["stop", "yield", "30"], dtype=object), WINNERS, {"class_names": NAMES}),
    "pairs for a decision": ("label", PAIRS, WINNERS, {"class_names": NAMES}),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_each_form_keeps_its_decision_and_can_be_compared(form):
    kind, answer, winners, options = FORMS[form]
    scores = asked(answer() if callable(answer) else answer, kind, **options)
    assert scores.dtype == np.float64
    assert scores.ndim == 2
    assert np.isfinite(scores).all()
    assert scores.argmax(axis=1).tolist() == winners
    values = comparable(scores, kind)
    assert np.isfinite(values).all()
    assert values.argmax(axis=1).tolist() == winners
    assert all(same_answer(row, row) for row in scores)
    sure = confidence(scores, kind)
    assert (sure is None) == (kind == "label")
    if sure is not None:
        assert ((sure > 0) & (sure <= 1 + 1e-9)).all()


WRONG = {
    "NaN": ("logits", [[1, np.nan, 2, 0]] * 3, "not finite .*class 1 in row 0.*scores='top-k'"),
    "an overflow": ("logits", [[1, np.inf, 2, 0]] * 3, "not finite .*inf for class 1.*overflow"),
    "nothing but masks": ("logits", [[0, 1, 2, 3], [-np.inf] * 4, [0, 0, 0, 1]], "-inf for every class in row 1"),
    "a single row": ("logits", [0.1, 0.5, 0.4, 2], "one row per image"),
    "transposed": ("logits", LOGITS.T, "one column per image, so transpose it"),
    "too many axes": ("logits", LOGITS[:, :, None, None], "remove the last axes"),
    "a column of logits": ("logits", [[-3.5], [2.0], [0.5]], "column of zeros before it"),
    "a column of sigmoids": ("logits", [[0.5], [0.25], [0.125]], "scores='sigmoid'"),
    "class numbers": ("logits", [3, 1, 2], "scores='label'"),
    "texts": ("logits", [["a", "b"]] * 3, "no array of numbers but holds texts such as 'a'"),
    "nothing": ("logits", None, "None; return the scores"),
    "a dict": ("logits", {"logits": LOGITS}, "has the keys 'logits'; return one"),
    "an object": ("logits", object(), "of type object, is no array of numbers"),
    "ragged": ("logits", [[1, 2], [1, 2, 3], [1]], "no array of numbers"),
    "logits for probabilities": ("probabilities", LOGITS, "no probabilities .*sums to .*say scores='logits'"),
    "sigmoids for probabilities": ("probabilities", [[0.9, 0.8, 0.7, 0.81]] * 3, r"sums to 3\.21, .*say scores='sigmoid'"),
    "rounded sigmoids for probabilities": ("probabilities", [[0.95, 0.8, 0.7, 0.75]] * 3, "say scores='sigmoid'"),
    "top-k for probabilities": ("probabilities", [[0.3, 0.12345, 0, 0]] * 3, "say scores='top-k'"),
    "NaN for probabilities": ("probabilities", [[0.3, np.nan, 0.1, 0]] * 3, "not finite .*say scores='top-k'"),
    "percentages": ("probabilities", SOFT * 100, "divide them by 100"),
    "logarithms": ("probabilities", np.log(SOFT), "say scores='logits': these are logarithms"),
    "nothing left": ("probabilities", [[0.25] * 4, [0, 0, 0, 0], [0.25] * 4], "row 1 of 3 is 0 for every class"),
    "columns that sum to 1": ("probabilities", [[0.6, 0.9, 0.7], [0.2, 0.05, 0.2], [0.2, 0.05, 0.1]], "columns sum to 1: transpose"),
    "logits for sigmoids": ("sigmoid", LOGITS, "no sigmoids.*say scores='logits'"),
    "a column of logits for sigmoids": ("sigmoid", [-3.5, 2, 0.5], "no sigmoids.*column of zeros"),
    "class numbers for sigmoids": ("sigmoid", [3, 1, 2], "no sigmoids.*scores='label'"),
    "logits for the first classes": ("top-k", [[7.1, np.nan, 3.0, np.nan]] * 3, "must be probabilities.*softmax"),
    "percentages for the first classes": ("top-k", [[71, np.nan, 3.0, np.nan]] * 3, "must be probabilities.*by 100"),
    "no class": ("top-k", [[0.5, 0, 0, 0], [0, 0, 0, 0], [0.5, 0, 0, 0]], "image 1 names no class"),
    "pairs without names": ("top-k", [[("stop", 0.9)]] * 3, "doesn't show how many .*classes="),
    "probabilities for labels": ("label", SOFT, "row 0 .*holds 4 different numbers.*scores='probabilities'"),
    "two labels": ("label", [[1, 1, 0, 0]] * 3, "marks 2 classes"),
    "no label": ("label", [[0, 0, 0, 0]] * 3, "marks no class"),
    "sigmoids for labels": ("label", [0.2, 0.7, 0.5], r"0\.2, which is no class number; say scores='sigmoid'"),
    "labels without end": ("label", [np.inf, 1, 2], "inf, which is no class number"),
    "labels of unknown classes": ("label", [3, 1, 2], "don't show how many classes"),
}  # fmt: skip


@pytest.mark.parametrize("form", WRONG)
def test_each_other_form_is_refused_with_what_was_seen_and_what_would_fit(form):
    kind, answer, words = WRONG[form]
    with pytest.raises(ClassifierError, match=words) as told:
        asked(answer, kind)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("kind", "answer", "options", "words"),
    [
        ("label", [7, 1, 2], {"classes": 4}, "class 7, and classes have numbers from 0 to 3"),
        ("label", [-1, 1, 2], {"classes": 4}, "class -1"),
        ("label", ["stop", "halt", "30"], {"class_names": NAMES}, "'halt': no class is called so"),
        ("top-k", [[("stop", 0.5), ("stop", 0.2)]] * 3, {"class_names": NAMES}, "'stop' twice"),
        ("top-k", [[("stop", "0.5")]] * 3, {"class_names": NAMES}, "is '0.5', and no finite number"),
        ("top-k", [[{"label": "stop", "p": 0.5}]] * 3, {"class_names": NAMES}, "needs label and score"),
        ("top-k", [[(4, 0.5)]] * 3, {"class_names": NAMES}, "numbers from 0 to 3"),
        ("top-k", [[("stop", 0.5)]] * 2, {"class_names": NAMES}, "3 images with 2 lists"),
        ("top-k", [[("stop", 0.5)], [], [("30", 0.1)]], {"class_names": NAMES}, "image 1 names no class"),
        ("sigmoid", [0.1, 0.2, 0.3], {"class_names": NAMES}, "two classes apart, but has 4"),
        ("logits", LOGITS, {"classes": 5}, "4 scores per image but has 5 classes"),
    ],
)
def test_classes_that_do_not_exist_are_named(kind, answer, options, words):
    with pytest.raises(ClassifierError, match=words):
        asked(answer, kind, **options)


def test_one_image_may_be_answered_by_the_list_of_its_classes_alone():
    listed = [{"label": "go", "score": 0.75}, {"label": "stop", "score": 0.2}]
    scores = asked(listed, "top-k", IMAGES[:1], class_names=NAMES)
    np.testing.assert_allclose(scores, [[0.2, 0.025, 0.025, 0.75]], rtol=1e-6)


def test_classes_left_out_share_what_is_left_and_never_pass_the_least_seen():
    scores = asked([[0.6, 0.1, np.nan, np.nan], [0.3, np.nan, np.nan, np.nan], [0.5, 0.5, 0, 0]], "top-k")
    np.testing.assert_allclose(scores[0], [0.6, 0.1, 0.1, 0.1], rtol=1e-5)  # 0.15 each would pass the least seen
    assert (scores[0, 2:] < 0.1).all()
    np.testing.assert_allclose(scores[1], [0.3, 0.7 / 3, 0.7 / 3, 0.7 / 3], rtol=1e-6)
    np.testing.assert_allclose(scores[2], [0.5, 0.5, 0.0025, 0.0025])  # half a unit of two decimals, for two classes


def test_a_zero_of_rounded_probabilities_counts_as_half_a_unit():
    values = comparable(asked(ROUNDED, "probabilities"), "probabilities")
    assert values[0, 3] == pytest.approx(np.log(0.005))
    fine = [[0.997, 0.002, 0.001, 0.0]] * 3
    assert comparable(asked(fine, "probabilities"), "probabilities")[0, 3] == pytest.approx(np.log(0.0005))
    exact = [[0.7, 0.3 - 1e-9, 1e-9, 0.0]] * 3
    assert comparable(asked(exact, "probabilities"), "probabilities")[0, 3] < np.log(1e-11)


def softmax(logits, kind=np.float64):
    powers = np.exp(np.array(logits) - np.max(logits))
    return (powers / powers.sum()).astype(kind).astype(np.float64)


@pytest.mark.parametrize(
    ("sent", "least"),
    [
        (softmax([0, -3, -300, -1000]), 2.3e-308),
        (softmax([0, -3, -90, -1000], np.float32), 2.0**-149),
        (softmax([0, -3, -9, -1000], np.float16), 2.0**-24),
        (softmax([0, -3, -90]), 2.3e-308),
        (softmax([0, -3, -9, -1000]).round(7), 1e-7),
        (softmax([0, -3, -9, -1000]).round(10), 1e-10),
    ],
)
def test_no_probability_that_can_be_sent_is_taken_for_another(sent, least):
    """`least` is the smallest number above 0 of that kind of float, or of so many decimals."""
    told = least_probability(sent, "probabilities")
    assert least / 2.5 <= told < least
    rows = np.array([[1 - least, least, 0.0], [1 - 2 * least, 2 * least, 0.0]])
    first, second = comparable(rows, "probabilities", told)
    assert first[2] < first[1] < second[1]
    assert np.isfinite([first, second]).all()


def test_answers_that_tell_no_kind_of_number_are_compared_as_ever():
    for sent in ([1.0, 0.0, 0.0], [0.97, 0.03, 0.0], [0.9993, 0.0007, 0.0]):
        assert least_probability(np.array(sent), "probabilities") == 1e-12
        rows = np.array([sent])
        np.testing.assert_array_equal(comparable(rows, "probabilities", 1e-12), comparable(rows, "probabilities"))
    assert least_probability(np.array([5.0, 1e-40]), "logits") == 1e-12


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_of_one_sigmoid_and_its_complement_the_smaller_tells_the_kind_of_float(kind):
    for value in (0.3123456, 0.7123456, 0.0543219, 0.9543219):
        sent = float(kind(value))
        expected = {np.float16: 2.0**-25, np.float32: 2.0**-150}[kind]
        assert least_probability(np.array([1 - sent, sent]), "sigmoid") == expected


def test_small_sigmoids_are_told_apart():
    values = comparable(np.array([[1.0, 1e-40], [1.0, 1e-30], [0.9, 0.1]]), "sigmoid", 2.0**-150)
    np.testing.assert_allclose(values[:, 1], [np.log(1e-40), np.log(1e-30), np.log(1 / 9)])
    np.testing.assert_allclose(values[:2, 0], np.log(1e12), rtol=1e-3)


@pytest.mark.parametrize(("classes", "decimals"), [(4, 2), (43, 2), (1000, 3), (1000, 2), (10, 4)])
@pytest.mark.parametrize("cut", [np.round, lambda values, decimals: np.floor(values * 10**decimals) / 10**decimals])
@pytest.mark.parametrize("width", [np.float64, np.float32])
def test_probabilities_of_many_classes_may_be_rounded_or_cut(classes, decimals, cut, width):
    rng = np.random.default_rng(classes + decimals)
    logits = rng.normal(size=(3, classes)) * rng.uniform(1, 6, size=(3, 1))
    soft = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    sent = cut(soft, decimals).astype(width)
    sent[sent.max(axis=1) == 0, 0] = 10.0**-decimals
    scores = asked(sent, "probabilities")
    assert scores.argmax(axis=1).tolist() == sent.argmax(axis=1).tolist()
    made = as_probabilities(scores, "probabilities")
    assert np.abs(made.sum(axis=1) - 1).max() <= 1e-2 + 1e-9


def test_what_rounding_moves_is_the_same_answer():
    assert same_answer(np.array([0.5, 0.3, 0.2]), np.array([0.5, 0.31, 0.19]))
    assert not same_answer(np.array([0.5, 0.3, 0.2]), np.array([0.5, 0.33, 0.17]))
    assert not same_answer(np.array([0.5, 0.3012345, 0.1987655]), np.array([0.5, 0.3112345, 0.1887655]))
    assert not same_answer(np.array([1.0, 0.0]), np.array([0.0, 1.0]))


def test_probabilities_are_given_where_there_are_any():
    np.testing.assert_allclose(
        as_probabilities(asked([0.2, 0.7, 0.5], "sigmoid"), "sigmoid"), [[0.8, 0.2], [0.3, 0.7], [0.5, 0.5]]
    )
    made = as_probabilities(asked([[0.6, 0.1, np.nan, np.nan]] * 3, "top-k"), "top-k")
    np.testing.assert_allclose(made.sum(axis=1), 1)
    for kind, answer, words in (
        ("label", np.eye(4)[:3], "decision alone"),
        ("sigmoid", [[0.9, 0.8, 0.1, 0]] * 3, "one sigmoid per class"),
    ):
        with pytest.raises(UsageError, match=words):
            as_probabilities(asked(answer, kind), kind)


def test_a_masked_class_leaves_the_scale_of_the_others():
    scores = asked(np.where(np.isinf(MASKED), np.finfo(np.float32).min, MASKED), "logits")
    np.testing.assert_array_equal(scores[:, 1:], np.array(MASKED)[:, 1:])
    assert scores[:, 0].tolist() == [-20, -20, -20]
    far = np.array([[0.0, -20000.0], [0.0, -3e7], [1.0, -5.0]])
    np.testing.assert_array_equal(asked(far, "logits"), far)  # far from a flip, and no mask


def test_an_answer_means_the_same_in_any_company():
    for kind, answer, _, options in FORMS.values():
        whole = answer() if callable(answer) else answer
        scores = asked(whole, kind, **options)
        for row in range(3):
            alone = asked(whole[row : row + 1], kind, IMAGES[row : row + 1], **options)
            np.testing.assert_array_equal(alone[0], scores[row])


def test_the_number_of_classes_is_checked():
    with pytest.raises(UsageError, match="classes must be a whole number of at least two"):
        CallableClassifier(len, "label", classes=1)
    with pytest.raises(UsageError, match="leave out their number"):
        CallableClassifier(len, "label", NAMES, classes=4)


@given(
    arrays(
        np.float64,
        (3, 4),
        elements=st.one_of(st.floats(0, 1), st.floats(-50, 50), st.sampled_from([np.nan, np.inf, -np.inf, 0, 1])),
    ),
    st.sampled_from(KINDS),
)
def test_any_numbers_are_read_or_refused(values, kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            scores = asked(values, kind)
        except ClassifierError:
            return
        assert np.isfinite(scores).all()
        assert np.isfinite(comparable(scores, kind)).all()
        seen = np.where(np.isnan(values), -np.inf, values)
        assert scores.argmax(axis=1).tolist() == seen.argmax(axis=1).tolist()


def softmaxes(classes):
    logits = np.random.default_rng(classes).normal(scale=2.0, size=(200, classes))
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("classes", [3, 5, 12, 40])
@pytest.mark.parametrize(
    "rounded",
    [
        lambda rows: rows.round(1), lambda rows: rows.round(2), lambda rows: rows.round(3),
        lambda rows: np.ceil(rows * 100) / 100, lambda rows: np.floor(rows * 100) / 100,
        lambda rows: np.rint(rows * 100) / 100, lambda rows: np.float32(rows).round(1),
    ],
    ids=["one decimal", "two", "three", "two, up", "two, cut off", "percent by 100", "one decimal of float32"],
)  # fmt: skip
def test_however_probabilities_are_rounded_they_are_read(classes, rounded):
    rows = rounded(softmaxes(classes))
    rows = rows[rows.any(axis=1)]
    assert len(rows) > 50
    assert (read_answer(rows, "probabilities", len(rows)) == rows).all()
    assert (
        read_answer(np.where(rows > 0, rows, np.nan), "top-k", len(rows)).argmax(axis=1).tolist()
        == rows.argmax(axis=1).tolist()
    )


@pytest.mark.parametrize("rows", [[[0.9, 0.8, 0.7, 0.8]], [[0.5, 0.5, 0.3]], [[0.9, 0.9]], [[0.98, 0.2, 0.1]]])
def test_sums_that_no_rounding_explains_are_refused(rows):
    with pytest.raises(UsageError, match="no probabilities"):
        read_answer(np.array(rows), "probabilities", 1)


@pytest.mark.parametrize(
    ("rows", "advice"),
    [
        ([[97, 1, 1, 1]], "percentages"), ([[100, 0, 0, 0]], "percentages"), ([[98, 1, 1, 1]], "percentages"),
        ([[97.25, 1.25, 1.25, 0.25]], "percentages"), ([[5, 0, 0, 0]], "label"), ([[-1, 1, -1, -1]], "label"),
        ([[0.7, 0.2, 0.2, 0.2]], "sigmoid"), ([[0.4, 0, 0]], "top-k"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_advised_is_not_a_decision_where_none_is_marked(rows, advice):
    with pytest.raises(UsageError, match=advice):
        read_answer(np.array(rows), "probabilities", 1)
