"""Scores as tensors of other libraries, at every door: they may need gradients, be in bfloat16, or miss a probability."""

import json

import numpy as np
import pytest

from saywhy_core.arrays import to_numpy
from verbalize import (
    PixelSaliency,
    Prediction,
    Query,
    SaliencyError,
    SpecialToken,
    TemplateVerbalizer,
    TokenSaliency,
    read_saliency,
)
from verbalize.formats import to_record

torch = pytest.importorskip("torch")
HALVES = [0.5, -0.25, 2.0]  # exact in every floating type
DTYPES = ["float64", "float32", "float16", "bfloat16"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_door_takes_tensors_that_require_gradients(dtype):
    scores = torch.tensor(HALVES, dtype=getattr(torch, dtype), requires_grad=True)
    assert TokenSaliency(["a", "b", "c"], scores, Query("x")).scores.tolist() == HALVES
    assert TokenSaliency(["a", "b", "c"], [*scores], Query("x")).scores.tolist() == HALVES
    assert TokenSaliency(["a", "b", "c"], [0.5, scores[1], np.float32(2)], Query("x")).scores.tolist() == HALVES
    assert TokenSaliency.from_pieces(["a", "##b", "c"], scores, Query("x")).scores.tolist() == [0.25, 2.0]
    assert PixelSaliency(scores[None], Query("x")).scores.tolist() == [HALVES]
    assert read_saliency(scores[None], label="x")[0].scores.tolist() == [HALVES]
    (pairs,) = read_saliency(list(zip("abc", scores, strict=True)), label="x")
    assert pairs.scores.tolist() == HALVES


@pytest.mark.parametrize(
    "make", [lambda t: t.to_sparse(), lambda t: t.t().t(), lambda t: t.neg().neg(), lambda t: t.expand(2, 2)[:1]]
)
def test_tensors_of_every_layout(make):
    tensor = torch.tensor([[0.5, 2.0]])
    assert to_numpy(make(tensor)).tolist() == [[0.5, 2.0]]


@pytest.mark.parametrize("value", [torch.ones(2, device="meta"), torch.tensor([1 + 2j, 3])])
def test_a_tensor_without_real_values_is_refused(value):
    with pytest.raises(SaliencyError, match="must be numbers"):
        TokenSaliency(["a", "b"], value, Query("x"))
    with pytest.raises(SaliencyError):
        read_saliency(value, label="x")


@pytest.mark.parametrize("value", [0.75, torch.tensor(0.75, requires_grad=True), np.float32(0.75), torch.tensor([0.75])])
def test_a_probability_may_be_a_tensor_and_is_stored_as_a_number(value):
    said = Prediction("x", value, {"x": value})
    assert (type(said.probability), said.probability, said.scores["x"]) == (float, 0.75, 0.75)
    record = to_record(TokenSaliency(["a"], [1.0], Query("x"), prediction=said))
    assert json.loads(json.dumps(record))["prediction"]["probability"] == 0.75


@pytest.mark.parametrize("value", [torch.tensor([0.2, 0.8]), "0.5", [0.1], object(), torch.tensor(float("nan"))])
def test_a_probability_that_is_not_one_number_is_refused(value):
    if isinstance(value, list):
        assert Prediction("x", value).probability == 0.1
        return
    with pytest.raises(SaliencyError, match="probability"):
        Prediction("x", value)


def captum_record(pred_prob, pred_class=1, attributions=None):
    visualization = pytest.importorskip("captum.attr").visualization
    scores = torch.tensor(HALVES, dtype=torch.bfloat16, requires_grad=True) if attributions is None else attributions
    return visualization.VisualizationDataRecord(scores, pred_prob, pred_class, 0, 1, scores.sum(), ["a", "b", "c"], 0.0)


@pytest.mark.parametrize(
    ("pred_prob", "expected"),
    [
        (None, None),
        (0.75, 0.75),
        (torch.tensor(0.75, requires_grad=True), 0.75),
        (torch.tensor([0.25, 0.75]), 0.75),  # of all classes: the predicted one's
        (np.array([[0.25, 0.75]]), 0.75),
        ([0.25, 0.75], 0.75),
        (7.5, None),  # a logit
        (torch.tensor([1.0]), 1.0),
        (torch.tensor([], dtype=torch.float32), None),
    ],
)
def test_captum_records_without_one_probability(pred_prob, expected):
    (found,) = read_saliency(captum_record(pred_prob), class_names=["bad", "good"])
    assert found.scores.tolist() == HALVES
    assert found.prediction.probability == expected
    assert found.prediction.label == "good"
    assert TemplateVerbalizer().verbalize(found).text


def test_shap_values_may_be_tensors():
    shap = pytest.importorskip("shap")
    explanation = shap.Explanation(values=np.array(HALVES), data=np.array(["a ", "b ", "c"]))
    explanation.values = torch.tensor(HALVES, dtype=torch.bfloat16, requires_grad=True)
    (found,) = read_saliency(explanation, label="x")
    assert found.scores.tolist() == HALVES


def test_an_object_with_the_wrong_things_inside_is_one_sentence_and_costs_itself_only():
    good, bad, worse = captum_record(0.5), captum_record(0.5), captum_record(0.5)
    bad.word_attributions = torch.ones(2, 3)
    worse.raw_input_ids = None
    problems = []
    maps = read_saliency([good, bad, worse, good], class_names=["bad", "good"], on_problem=problems.append)
    assert len(maps) == 2
    assert [problem.id for problem in problems] == ["1", "2"]
    with pytest.raises(SaliencyError):
        read_saliency(worse, class_names=["bad", "good"])


def test_captums_attributions_of_pictures():
    """N×C×H×W as every captum method returns them, checked against the gradient worked out by hand."""
    attr = pytest.importorskip("captum.attr")

    class Net(torch.nn.Module):
        def forward(self, batch):
            return torch.stack([(batch * weights).sum((1, 2, 3)), -batch.sum((1, 2, 3))], dim=1)

    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(3, 4, 5, generator=generator)
    batch = torch.rand(2, 3, 4, 5, generator=generator)
    scores = attr.InputXGradient(Net()).attribute(batch.requires_grad_(), target=0)
    maps = read_saliency(scores, label="x", image=np.zeros((4, 5, 3)))
    expected = (batch * weights).sum(1).detach().numpy()
    np.testing.assert_allclose(np.stack([found.scores for found in maps]), expected, rtol=1e-5)
    assert all(found.signed for found in maps)


def test_torchcams_list_of_a_map_per_layer():
    methods = pytest.importorskip("torchcam.methods")
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 2)
    ).eval()
    with methods.LayerCAM(net, "1") as extractor:
        cams = extractor(0, net(torch.rand(2, 3, 9, 9)))
    assert [tuple(cam.shape) for cam in cams] == [(2, 7, 7)]
    notes = []
    maps = read_saliency(cams, label="x", image=np.zeros((9, 9, 3)), on_note=notes.append)
    assert [(found.shape, found.signed) for found in maps] == [((9, 9), False)] * 2
    assert any("enlarged" in note for note in notes)


ODD = {
    "nothing": None,
    "a text": "abc",
    "a number": 3,
    "a dictionary": {"a": 1},
    "a set": {1, 2},
    "a generator": (number for number in (1, 2)),
    "masked": np.ma.array([1.0, 2.0], mask=[False, True]),
    "objects": np.array([object(), 1], dtype=object),
    "ragged": [[1, 2], [3]],
    "bytes": b"ab",
    "a gap": [1, None],
    "too large": [10**400, 1],
    "infinite": [1e309, 1],
    "complex": [1j, 1],
    "dates": np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]"),
    "records": np.zeros(2, dtype=[("a", float)]),
    "one number": torch.tensor(1.0),
    "three axes": torch.ones(1, 1, 2, requires_grad=True),
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_what_are_no_scores_is_one_sentence_at_every_door(value):
    with pytest.raises(SaliencyError):
        TokenSaliency(["a", "b"], value, Query("x"))
    with pytest.raises(SaliencyError):
        PixelSaliency(value, Query("x"))
    if value is not None:
        with pytest.raises(SaliencyError):
            PixelSaliency(np.eye(2), Query("x"), image=value)
        with pytest.raises(SaliencyError):
            PixelSaliency(np.eye(2), Query("x"), masks=value)


@pytest.mark.parametrize("make", [np.matrix, np.asarray, torch.tensor, lambda value: np.ma.array(value)])
def test_other_arrays_of_numbers_are_read(make):
    assert PixelSaliency(make([[1.0, 2.0]]), Query("x")).scores.tolist() == [[1.0, 2.0]]


def test_images_and_masks_may_be_tensors():
    picture = torch.full((2, 2, 3), 0.5, dtype=torch.bfloat16, requires_grad=True)
    masks = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]], requires_grad=True)
    found = PixelSaliency(np.eye(2), Query("x"), image=picture, masks=masks)
    assert found.image.tolist() == [[[0.5] * 3] * 2] * 2
    assert found.masks.tolist() == [[[True, False], [False, False]]]
    (found,) = read_saliency(np.eye(2), label="x", image=torch.rand(4, 4, 3, requires_grad=True), on_note=str)
    assert found.shape == (4, 4)


def test_special_tokens_keep_a_number():
    token = SpecialToken("[CLS]", torch.tensor(0.5, requires_grad=True), 0)
    assert (type(token.score), token.score) == (float, 0.5)
    with pytest.raises(SaliencyError, match="one number"):
        SpecialToken("[CLS]", torch.ones(2), 0)


@pytest.mark.parametrize("offsets", [[(0,)], [0], 5, [("a", "b")]])
def test_offsets_are_pairs(offsets):
    with pytest.raises(SaliencyError, match="offsets"):
        TokenSaliency(["a"], [1.0], Query("x"), text="a", offsets=offsets)
