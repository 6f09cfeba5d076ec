"""Sweeps: what is hidden of which input, each distinct masked input once, and what is refused."""

import numpy as np
import pytest
import torch
from torch import nn

from evals.faithfulness import evaluate, inverted_map, random_map, sweep
from evals.faithfulness.intervals import skewed_interval
from saywhy_core.errors import UsageError
from tests.evals.faithfulness.planted import Additive, good_maps, text_model
from verbalize import PixelSaliency, Query, TokenSaliency

NAMES = ("object", "other")
TEXTS = ("a vile film", "so good", "fine", "this is not a vile film, but a long one")


def text_maps():
    maps = []
    for index, text in enumerate(TEXTS):
        words = text.replace(",", " ,").split()
        maps.append(TokenSaliency(words, np.random.default_rng(index).normal(size=len(words)), Query("bad"), text=text))
    return maps


class Counting(nn.Module):
    """Remembers each image that it is run on."""

    def __init__(self):
        super().__init__()
        self.seen = []
        self.eval()

    def forward(self, images):
        self.seen += [image.numpy().tobytes() for image in images]
        return torch.stack([images.mean(dim=(1, 2, 3)), images.amax(dim=(1, 2, 3))], dim=1)


def test_every_distinct_masked_image_is_run_once():
    net = Counting()
    image = np.random.default_rng(0).random((6, 5, 3), dtype=np.float32)
    scores = np.random.default_rng(1).normal(size=(6, 5))
    maps = [PixelSaliency(scores, Query(name), image=image) for name in NAMES] + [
        PixelSaliency(-scores, Query("object"), image=image)
    ]
    found = evaluate(net, maps, by=("zero", "mean"), class_names=NAMES, batch_size=7)
    others = net.seen[1:]  # the first answer tells how many classes there are; here they are given, so it is one of the runs
    assert len(set(net.seen)) == len(net.seen) == found.forwards == found.sweeps
    assert len(others) < sum(one.forwards for one in found.outcomes)


def test_texts_of_different_lengths_are_answered_as_each_alone():
    calls = []
    maps = text_maps()
    model = text_model(calls)
    for what in ("top", "bottom", "token", "word"):
        together = sweep(model, maps, what=what)
        for row, one in enumerate(maps):
            alone = sweep(model, [one], what=what)
            there = alone.logits.shape[1]
            assert together.logits[row, :there] == pytest.approx(alone.logits[0])
            assert np.isnan(together.logits[row, there:]).all()
    assert sweep(model, maps, what="word").hidden[3] == ("this", "is", "not", "a", "vile", "film,", "but", "a", "long", "one")
    calls.clear()
    assert sweep(model, maps, what="top", steps=3).forwards == len(calls)


def test_ties_are_in_the_order_of_the_text_and_bottom_is_top_backwards():
    seen = []
    model = text_model(seen)
    saliency = TokenSaliency(("a", "b", "c", "d"), [1.0, 2.0, 1.0, 1.0], Query("bad"))
    sweep(model, [saliency], shares=(0.25, 0.5, 0.75))
    assert seen[:1] != []
    assert set(seen) == {"a b c d", "a c d", "c d", "d"}
    seen.clear()
    sweep(model, [saliency], what="bottom", shares=(0.25, 0.5, 0.75))
    assert set(seen) == {"a b c d", "a b c", "a b", "b"}
    seen.clear()
    sweep(model, [TokenSaliency(("a", "b"), [1.0, -2.0], Query("bad"))], shares=(0.5,), order="magnitude")
    assert set(seen) == {"a b", "a"}


def test_regions_and_masks_are_hidden_or_stay_alone():
    saliency = good_maps(1)[0]
    masks = np.zeros((2, 16, 16), dtype=bool)
    masks[0, 4:8, 8:12] = True
    masks[1, 12:, :4] = True
    named = PixelSaliency(saliency.scores, saliency.query, saliency.image, masks=masks, mask_names=("square", "corner"))
    model = Additive()
    hidden = sweep(model, [named], what="mask", class_names=NAMES)
    assert hidden.hidden == (("square", "corner"),)
    falls = hidden.original[0, 0] - hidden.logits[0, :, 0]
    assert falls == pytest.approx([saliency.scores[mask].sum() for mask in masks], abs=1e-5)
    alone = sweep(model, [named], what="mask", alone=True, class_names=NAMES)
    assert alone.logits[0, :, 0] + 1.0 == pytest.approx([saliency.scores[mask].sum() for mask in masks], abs=1e-5)
    (names,) = sweep(model, [saliency], what="region", class_names=NAMES).hidden
    assert len(names) >= 1


def test_little_memory_gives_the_same_answers():
    maps = [*good_maps(7), *(random_map(one) for one in good_maps(7))]
    much = evaluate(Additive(), maps, class_names=NAMES)
    little = evaluate(Additive(), maps, class_names=NAMES, memory=0.2, batch_size=3)
    assert little.forwards == much.forwards
    for one, other in zip(much.outcomes, little.outcomes, strict=True):
        assert one.values == pytest.approx(other.values, abs=1e-5, nan_ok=True)


@pytest.mark.parametrize("by", ["zero", "mean", "blur", "noise", "grey", "white"])
def test_all_fills_of_images(by):
    found = sweep(Additive(), good_maps(2), by=by, steps=2, class_names=NAMES)
    assert found.fills == (by,) * 3
    assert np.isfinite(found.logits).all()
    assert found.scores("probabilities")[:, 0] == pytest.approx(found.probabilities[:, 0, 0])


def test_flat_maps_are_undefined_with_a_reason():
    image = np.full((4, 5, 3), 0.5, dtype=np.float32)
    flat = PixelSaliency(np.ones((4, 5)), Query("a"), image=image)
    net = nn.Sequential(nn.Flatten(), nn.Linear(60, 2)).eval()
    found = evaluate(net, [flat], class_names=("a", "b"), metrics=["deletion", "infidelity"])
    assert np.isnan(found["deletion"].values[0])
    assert found["deletion"].reasons == {0: "all scores of the map are equal"}
    assert np.isfinite(found["infidelity"].values[0])
    assert "all scores of the map are equal" in str(found.table())
    one_word = TokenSaliency(("fine",), [1.0], Query("bad"))
    assert np.isnan(evaluate(text_model(), [one_word], metrics=["insertion"])["insertion"].mean)
    empty = TokenSaliency((), [], Query("bad"), text="")
    assert np.isnan(evaluate(text_model(), [empty, text_maps()[0]])["deletion"].values[0])


def test_intervals_are_over_inputs_and_end_where_the_metric_does():
    maps = text_maps()
    found = evaluate(text_model(), maps, metrics=["deletion"]).of("deletion", "probabilities")
    values = found.values[~np.isnan(found.values)]
    low, high = skewed_interval(values, 0.95)
    assert (found.mean, found.low, found.high) == pytest.approx((values.mean(), max(0, low), min(1, high)))
    twice = evaluate(text_model(), [*maps, *maps], metrics=["deletion"]).of("deletion", "probabilities")
    assert (twice.mean, twice.low, twice.high) == pytest.approx((found.mean, found.low, found.high))


def test_baselines():
    signed = TokenSaliency(("a", "b", "c"), [1.0, -2.0, 0.5], Query("x"), id="r")
    assert inverted_map(signed).scores.tolist() == [-1.0, 2.0, -0.5]
    assert sorted(random_map(signed, seed=3).scores) == sorted(signed.scores)
    unsigned = good_maps(1)[0]
    turned = inverted_map(unsigned)
    assert turned.scores.min() >= 0
    assert np.argmax(turned.scores) == np.argmin(unsigned.scores)
    assert (turned.query, turned.signed, inverted_map(signed).id) == (unsigned.query, False, "r")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"what": "region"}, "no regions"),
        ({"what": "noun"}, "what is hidden is"),
        ({"what": "token", "steps": 3}, "steps has no effect"),
        ({"steps": 3, "shares": (0.5,)}, "not both"),
        ({"alone": True}, "alone has no effect"),
        ({"by": "blur"}, "can be filled with"),
        ({"by": ()}, "names nothing"),
        ({"order": "length"}, 'by "scores" or'),
        ({"batch_size": 0}, "batch_size must be a whole number, 1 or more"),
        ({"batch_size": 1.5}, "batch_size must be a whole number"),
        ({"memory": 0}, "memory must be a number above 0"),
        ({"shares": 0.5}, "shares must be a list of numbers"),
        ({"steps": 2.5}, "steps must be a whole number"),
        ({"by": ("removal", "removal")}, "names 'removal' twice"),
        ({"shares": (1.5,)}, "from 0 to 1"),
    ],
)
def test_what_has_no_effect_or_is_unknown_is_refused(options, said):
    with pytest.raises(UsageError, match=said):
        sweep(text_model(), text_maps(), **options)


def test_what_an_evaluation_refuses():
    maps = text_maps()
    for options, said in (
        ({"metrics": ["max_sensitivity"]}, "measures maps over pixels"),
        ({"metrics": []}, "names none"),
        ({"metrics": ["deletion"], "samples": 3}, "samples has no effect"),
        ({"metrics": ["deletion"], "explain": max}, "explain has no effect"),
        ({"metrics": ["deletion"], "truth": [[True]] * 3}, "masks for 3"),
        ({"metrics": ["none-such"]}, "there is no metric"),
        ({"level": 2.0}, "level"),
    ):
        with pytest.raises(UsageError, match=said):
            evaluate(text_model(), maps, **options)
    with pytest.raises(UsageError, match="no maps"):
        evaluate(text_model(), [])
    with pytest.raises(UsageError, match="no image"):
        evaluate(Additive(), [PixelSaliency(np.eye(3), Query("object"))], class_names=NAMES)
    with pytest.raises(UsageError, match="explain="):
        evaluate(Additive(), good_maps(1), metrics=["max_sensitivity"], class_names=NAMES)
