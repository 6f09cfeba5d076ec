"""What is run once, what memory allows, what is counted, and what methods share."""

import tracemalloc

import numpy as np
import pytest
import torch
from torch import nn

from evals.faithfulness import Hide, compare, evaluate, random_map, sweep
from evals.faithfulness.costs import counted
from evals.faithfulness.evaluating import evaluate_together
from tests.evals.faithfulness.planted import Additive, good_maps, text_model
from verbalize import PixelSaliency, Query, TokenSaliency
from verbalize.models import BlackBoxImages, ImageModel, TextFunction

NAMES = ("a", "b", "c")
WEIGHTS = {"vile": -4, "good": 3, "very": 0.5, "long": -1}
TEXTS = ["a very good film", "vile and vile", "so long so good so vile", "good"]


def answers(texts):
    scores = np.array([sum(WEIGHTS.get(word, 0) for word in text.split()) for text in texts], float)
    return np.stack([scores, -scores], axis=1)


def recorded(seen):
    return TextFunction(lambda texts: (seen.extend(texts), answers(texts))[1], ("good", "bad"))


def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    ).eval()


def test_equal_texts_are_read_once_whatever_was_hidden():
    seen = []
    words = ["so", "so", "so", "so", "good"]
    found = evaluate(recorded(seen), [TokenSaliency(words, [1, 2, 3, 4, 5], Query("good"))])
    assert len(seen) == len(set(seen)) == found.forwards
    seen.clear()
    swept = sweep(recorded(seen), [TokenSaliency(words, [1, 2, 3, 4, 5], Query("good"))], what="token")
    assert set(seen) == {"so so so so good", "so so so good", "so so so so"}
    assert swept.forwards == 3
    assert swept.logits[0, :, 0].tolist() == [3, 3, 3, 3, 0]


def test_texts_cut_in_different_words_share_what_is_left():
    text = "very good film"
    maps = [
        TokenSaliency(["very", "good", "film"], [1, 2, 3], Query("good"), text=text),
        TokenSaliency(
            ["very", "go", "od", "film"], [1, 2, 2.5, 3], Query("good"), text=text, offsets=((0, 4), (5, 7), (7, 9), (10, 14))
        ),
    ]
    seen = []
    evaluate(recorded(seen), maps, metrics=["deletion", "tau_correlation"])
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("images", [True, False])
def test_maps_of_one_input_are_parted_where_memory_is_short(images):
    chance = np.random.default_rng(0)
    if images:
        image = chance.random((12, 12, 3), dtype=np.float32)
        maps = [PixelSaliency(chance.normal(size=(12, 12)), Query("a"), image=image) for _ in range(9)]
        model = ImageModel(net(), NAMES)
    else:
        maps = [TokenSaliency(TEXTS[2].split(), chance.normal(size=6), Query("good")) for _ in range(9)]
        model = TextFunction(answers, ("good", "bad"))
    much, little = evaluate(model, maps), evaluate(model, maps, memory=0.05)
    assert little.forwards == much.forwards  # what several of them need is remembered from one block to the next
    for one, other in zip(much.outcomes, little.outcomes, strict=True):
        assert one.values == pytest.approx(other.values, abs=1e-5, nan_ok=True)
        assert one.forwards == other.forwards


def test_memory_bounds_what_many_maps_of_one_image_take():
    chance = np.random.default_rng(0)
    image = chance.random((32, 32, 3), dtype=np.float32)
    maps = [PixelSaliency(chance.random((32, 32)), Query("a"), image=image, signed=False) for _ in range(60)]
    model = ImageModel(net(), NAMES)
    evaluate(model, maps[:1], metrics=["infidelity", "tau_correlation"])  # imports take memory, too
    tracemalloc.start()
    evaluate(model, maps, metrics=["infidelity", "tau_correlation"], memory=1)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    assert peak < 2  # all masks of all maps, a byte per pixel, take 6.7


@pytest.mark.parametrize("parts", [1, 2, 5, 7, 10, 21, 1000, 50_176])
def test_shares_that_stay_are_as_many_as_those_that_are_hidden(parts):
    shares = [step / 100 for step in range(101)]
    hidden = Hide("top", shares).counts(parts)
    assert hidden.tolist() == [(2 * step * parts + 100) // 200 for step in range(101)]  # half rounded up, without floats
    assert (Hide("bottom", [1 - share for share in shares]).counts(parts) == parts - hidden).all()


def test_the_word_that_a_small_bin_hides_stays_in_it_alone():
    words = ["good", *["x"] * 9]
    saliency = TokenSaliency(words, np.linspace(1, 0.1, 10), Query("good"))
    seen = []
    names = ["comprehensiveness", "sufficiency"]
    found = evaluate(recorded(seen), [saliency], metrics=names, bins=(0.05,))
    assert set(seen) == {" ".join(words), " ".join(words[1:]), "good"}
    assert [found[name].values[0] for name in names] == [3, 0]


def test_groups_of_maps_are_measured_as_each_alone_and_run_together():
    model = TextFunction(answers, ("good", "bad"))
    first = [TokenSaliency(text.split(), [WEIGHTS.get(word, 0) for word in text.split()], Query("good")) for text in TEXTS]
    second = [random_map(one, seed=index) for index, one in enumerate(first)]
    seen = []
    together = evaluate_together(recorded(seen), [first, second], metrics=["deletion", "infidelity"])
    assert len(seen) == len(set(seen))
    for maps, found in zip((first, second), together, strict=True):
        alone = evaluate(model, maps, metrics=["deletion", "infidelity"])
        assert (found.maps, found.sweeps) == (tuple(maps), alone.sweeps)
        for one, other in zip(found.outcomes, alone.outcomes, strict=True):
            assert one.values == pytest.approx(other.values, nan_ok=True)
            assert (one.mean, one.low, one.high) == pytest.approx((other.mean, other.low, other.high), nan_ok=True)
            assert (one.reasons, one.forwards) == (other.reasons, other.forwards)


def test_methods_share_masked_inputs_and_each_tells_what_it_needs_alone():
    seen = []
    methods = ["occlusion", "lime?samples=20", "kernel_shap?samples=20"]
    metrics = ["deletion", "infidelity", "tau_correlation"]
    found = compare(recorded(seen), TEXTS[:3], methods, metrics=metrics, batch_size=8)
    alone = [evaluate(TextFunction(answers, ("good", "bad")), run.maps, metrics=metrics) for run in found.runs]
    assert [run.evaluation.forwards for run in found.runs] == [one.forwards for one in alone]
    for run, own in zip(found.runs, alone, strict=True):
        for one, other in zip(run.evaluation.outcomes, own.outcomes, strict=True):
            assert (one.metric, one.scale, one.mean) == (other.metric, other.scale, pytest.approx(other.mean, nan_ok=True))
    explaining = sum(run.forwards for run in found.runs)
    assert len(seen) - explaining - len(TEXTS[:3]) < sum(one.forwards for one in alone)


def test_metrics_that_explain_again_stand_beside_the_shared_ones():
    model = TextFunction(answers, ("good", "bad"))
    names = ["class_sensitivity", "deletion"]
    found = compare(model, TEXTS[:3], ["occlusion", "lime?samples=20"], metrics=names)
    for run in found.runs[:-1]:
        assert list(dict.fromkeys(one.metric for one in run.evaluation.outcomes)) == names
        alone = evaluate(model, run.maps, metrics=["deletion"])
        assert run.evaluation["deletion"].mean == pytest.approx(alone["deletion"].mean)
    assert [one.metric for one in found.runs[-1].evaluation.outcomes] == ["deletion"] * 2
    only = compare(model, TEXTS[:3], ["occlusion"], metrics=["class_sensitivity"])
    assert only.runs[0].evaluation is not None
    assert only.runs[-1].evaluation is None


def test_calls_of_models_without_a_module_are_counted():
    model = TextFunction(answers, ("good", "bad"))
    before = model.function
    with counted(model) as passes:
        model.answers(["a", "b", "c"])
        model.answers(["d"])
    assert passes.forwards == 4
    assert model.function is before
    found = compare(model, TEXTS[:2], ["occlusion"], metrics=["deletion"])
    assert found.runs[0].forwards > 2
    assert {row["method"]: row["forwards"] for row in found.costs()}["occlusion"] == found.runs[0].forwards

    class Box:
        scores, class_names, image_shape = "logits", NAMES, (None, None, 3)

        def ask_again(self):
            return False

        def __call__(self, images):
            return np.stack([images.mean(axis=(1, 2, 3))] * 3, axis=1)

    box = BlackBoxImages(Box())
    with counted(box) as passes:
        box.logits(torch.zeros(5, 3, 4, 4))
    assert passes.forwards == 5
    assert isinstance(box.classifier, Box)

    class Reader:
        def logits(self, ids, mask):
            return ids

    reader = Reader()
    with counted(reader) as passes:
        reader.logits(torch.zeros(2, 3), None)
    assert passes.forwards == 2
    assert "logits" not in vars(reader)
    with counted(object()) as passes:
        pass
    assert passes.forwards == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_models_of_other_precision(dtype):
    saliency = good_maps(1)[0]
    model = ImageModel(net().to(dtype), ("object", "other", "more"))
    found = evaluate(model, [saliency], metrics=["deletion", "infidelity"])
    plain = evaluate(ImageModel(net(), ("object", "other", "more")), [saliency], metrics=["deletion"])
    assert found["deletion"].values[0] == pytest.approx(plain["deletion"].values[0], abs=0.02)


def test_a_model_that_names_no_classes_is_run_within_memory():
    assert evaluate(Additive(), good_maps(2)[:1] * 2, metrics=["average_gain"], class_names=("object", "other")).sweeps == 2
    bare = [PixelSaliency(one.scores, Query("0"), one.image) for one in good_maps(2)]
    assert evaluate(Additive(), bare, metrics=["deletion"], memory=0.1).sweeps > 2


def test_the_words_of_a_text_model_are_counted_once_with_several_fills():
    found = evaluate(text_model(), [TokenSaliency(["a", "vile", "film"], [1, 3, 2], Query("bad"))], metrics=["deletion"])
    assert found.sweeps == found["deletion"].forwards == 4
