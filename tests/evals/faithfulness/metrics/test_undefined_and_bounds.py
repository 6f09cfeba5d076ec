"""Where a metric is not defined and why, units and orders that must not matter, bounds, and settings of a wrong type."""

import numpy as np
import pytest
import torch
from torch import nn

from evals.faithfulness import METRICS, evaluate, sweep
from saywhy_core.errors import UsageError
from verbalize import PixelSaliency, Query, TokenSaliency
from verbalize.models import ImageModel, TextFunction

NAMES = ("a", "b", "c")
WORDS = ["a", "vile", "and", "rather", "long", "film"]
SCORES = np.array([0.1, -4.0, 0.2, 0.05, -1.0, 0.3])
MODEL = TextFunction(
    lambda texts: [[0.2 * len(text.split()) - 4 * ("vile" in text) - ("long" in text), 0.0] for text in texts], ("good", "bad")
)


def words_map(scores=SCORES, query=Query("good"), words=WORDS):  # noqa: B008 - it does not change
    return TokenSaliency(words, scores, query)


def pixel_map(query, seed=0):
    chance = np.random.default_rng(seed)
    return PixelSaliency(chance.random((6, 6)), query, image=chance.random((6, 6, 3), dtype=np.float32), signed=False)


def network():
    torch.manual_seed(0)
    return ImageModel(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)).eval(), NAMES)


@pytest.mark.parametrize("unit", [1e-200, 1e-16, 1e16, 1e100])
def test_the_unit_of_a_map_does_not_matter_but_to_infidelity(unit):
    with np.errstate(over="ignore"):
        found, scaled = evaluate(MODEL, [words_map()]), evaluate(MODEL, [words_map(SCORES * unit)])
    for one, other in zip(found.outcomes, scaled.outcomes, strict=True):
        if one.metric != "infidelity":
            assert other.values == pytest.approx(one.values, nan_ok=True), one.metric
            assert other.reasons == one.reasons


def test_sums_that_differ_by_rounding_do_not_correlate():
    scores = [0.1 + 0.2, 0.3, 0.3, 0.3, 0.3, 0.3]
    found = evaluate(MODEL, [words_map(scores)], metrics=["faithfulness_correlation", "tau_correlation"])
    assert np.isnan(found["faithfulness_correlation"].values[0])
    assert np.isnan(found["tau_correlation"].values[0])


def test_scores_of_one_magnitude_put_nothing_in_order_by_magnitude():
    saliency = words_map([1, -1, 1, -1, 1, -1])
    found = evaluate(MODEL, [saliency], metrics=["deletion", "faithfulness_correlation"], order="magnitude")
    assert found["deletion"].reasons == {0: "all scores of the map have the same magnitude"}
    assert not found["faithfulness_correlation"].reasons  # it looks at signed scores, whatever the order
    assert not evaluate(MODEL, [saliency], metrics=["deletion"])["deletion"].reasons
    truth = [[True, False, False, False, False, False]]
    pointed = evaluate(MODEL, [saliency], metrics=["pointing_game"], order="magnitude", truth=truth)
    assert pointed["pointing_game"].reasons == {0: "all scores of the map have the same magnitude"}
    flat = evaluate(MODEL, [words_map([1] * 6)], metrics=["deletion"], order="magnitude")
    assert flat["deletion"].reasons == {0: "all scores of the map are equal"}


def test_a_query_about_all_classes_has_no_other_class():
    saliency = pixel_map(Query("all", (), NAMES))
    names = ["ccs", "ccs_contrast", "cgs", "cgc_contrast", "pgs_contrast", "class_sensitivity"]

    def explain(images, queries):
        raise AssertionError("there is nothing to ask")

    found = evaluate(network(), [saliency], metrics=names, explain=explain)
    for name in ("ccs", "ccs_contrast", "cgs", "class_sensitivity"):
        assert found[name].reasons == {0: "its query is about all classes, so that there is no other one"}
    assert found["cgc_contrast"].reasons == {0: "its query is about the whole group, so that the group has no other class"}
    assert found["pgs_contrast"].reasons == {0: "its group holds all classes, so that there is no other one"}


def test_a_group_of_all_classes_is_told_apart_from_no_group():
    maps = [pixel_map(Query("a")), pixel_map(Query("a"), seed=1)]
    for groups, said in (({"all": list(NAMES)}, "its group holds all classes"), (None, "its classes are in no group")):
        found = evaluate(network(), maps, metrics=["pgs_contrast"], groups=groups)
        assert all(reason.startswith(said) for reason in found["pgs_contrast"].reasons.values())
        assert len(found["pgs_contrast"].reasons) == 2


@pytest.mark.parametrize(
    ("query", "mirrored"),
    [
        (Query("a", ("b",)), Query("b", ("a",))),
        (Query("a", ("b", "c")), Query("b or c", ("a",), ("b", "c"))),
        (Query("pair", ("c",), ("a", "b")), Query("c", ("a", "b"))),
    ],
)
def test_the_mirrored_question_holds_all_other_classes(query, mirrored):
    asked = []

    def explain(images, queries):
        asked.extend(queries)
        return [PixelSaliency(np.random.default_rng(1).random((6, 6)), one) for one in queries]

    evaluate(network(), [pixel_map(query)], metrics=["class_sensitivity"], explain=explain)
    assert asked == [mirrored]


@pytest.mark.parametrize("query", [Query("a"), Query("a", ("b",)), Query("a", ("b", "c")), Query("pair", ("c",), ("a", "b"))])
def test_values_and_intervals_in_probabilities_are_possible(query):
    """Networks that are sure of one thing and of its opposite, with large effects of single pixels."""
    chance = np.random.default_rng(0)
    for gain in (1, 30):
        module = nn.Sequential(nn.Flatten(), nn.Linear(27, 3)).eval()
        with torch.no_grad():
            module[1].weight.copy_(torch.from_numpy(chance.normal(size=(3, 27)) * gain))
        images = chance.random((5, 3, 3, 3), dtype=np.float32)
        maps = [PixelSaliency(chance.random((3, 3)), query, image=image, signed=False) for image in images]
        found = evaluate(ImageModel(module, NAMES), maps, groups={"ab": ["a", "b"]}, alphas=(0, 0.5, 1), level=0.999)
        for one in found.outcomes:
            settings = {**METRICS.get(one.metric).settings, "alphas": (0, 0.5, 1)}
            low, high = METRICS.get(one.metric).bounds_in(one.scale, contrastive=query.contrastive, settings=settings)
            known = one.values[~np.isnan(one.values)]
            assert (known >= low - 1e-9).all(), one.metric
            assert (known <= high + 1e-9).all(), one.metric
            assert np.isnan(one.low) or low <= one.low <= one.mean + 1e-9 <= one.high + 2e-9 <= high + 3e-9


def test_the_curve_of_a_probability_ends_at_one():
    metric = METRICS.get("deletion")
    assert metric.bounds_in("probabilities", contrastive=False, settings={}) == (0, 1)
    assert metric.bounds_in("probabilities", contrastive=True, settings={}) == (-1, 1)
    assert metric.bounds_in("logits", contrastive=False, settings={}) == (-np.inf, np.inf)
    found = METRICS.get("ccs").bounds_in("probabilities", contrastive=False, settings={"alphas": (0.1, 0.9)})
    assert found == pytest.approx((-0.8, 0.8))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"steps": 2.5}, "steps must be a whole number, 1 or more, not 2.5"),
        ({"steps": "x"}, "steps must be a whole number"),
        ({"steps": True}, "steps must be a whole number"),
        ({"bins": 0.5}, "bins must be a list of numbers from 0 to 1, not 0.5"),
        ({"bins": "ab"}, "bins must be a list of numbers"),
        ({"bins": ()}, "bins must be numbers"),
        ({"bins": (float("nan"),)}, "bins must be numbers"),
        ({"share": "a"}, "the share of the parts that stays"),
        ({"share": 1}, "between 0 and 1"),
        ({"samples": 2.5}, "samples must be a whole number, 2 or more"),
        ({"subset": 1.5}, "subset must be a number between 0 and 1"),
        ({"cells": 0}, "cells must be a whole number, 1 or more"),
        ({"seed": -1}, "seed must be a whole number, 0 or more"),
        ({"groups": ["good"]}, "groups must give the members of each group by its name"),
        ({"groups": {"A": "good"}}, "groups must give the members of each group by its name"),
        ({"alphas": (0.5,)}, "alphas must be two growing shares or more"),
        ({"alphas": (0.9, 0.1)}, "alphas must be two growing shares or more"),
        ({"alphas": 0.5}, "alphas must be a list"),
        ({"batch_size": 1.5}, "batch_size must be a whole number"),
        ({"memory": "much"}, "memory must be a number above 0"),
        ({"level": "x"}, "level"),
        ({"by": ("removal", "removal")}, "by names 'removal' twice"),
        ({"by": (1,)}, "by must be the name"),
        ({"by": 3}, "by must be the name"),
    ],
)
def test_wrong_settings_are_told(settings, said):
    with pytest.raises(UsageError, match=said):
        evaluate(MODEL, [words_map()], **settings)


def test_what_is_no_list_of_maps_is_told():
    for run in (evaluate, sweep):
        with pytest.raises(UsageError, match="not a map by itself"):
            run(MODEL, words_map())
        with pytest.raises(UsageError, match="item 1 is 'x', which is no map"):
            run(MODEL, [words_map(), "x"])
        with pytest.raises(UsageError, match="must be a list of maps"):
            run(MODEL, 3)


def test_a_query_about_an_unknown_class_is_told():
    with pytest.raises(UsageError, match="no class 'fine'"):
        evaluate(MODEL, [words_map(query=Query("fine"))], metrics=["ccs"])


def test_settings_of_robustness_are_checked():
    def explain(images, queries):
        return [PixelSaliency(np.random.default_rng(1).random((6, 6)), one) for one in queries]

    for settings, said in (
        ({"perturbations": 1.5}, "perturbations must be a whole number"),
        ({"radius": 0}, "radius must be a number above 0"),
    ):
        with pytest.raises(UsageError, match=said):
            evaluate(network(), [pixel_map(Query("a"))], metrics=["max_sensitivity"], explain=explain, **settings)
    with pytest.raises(UsageError, match="margin must be a number 0 or more"):
        evaluate(network(), [pixel_map(Query("a"))], metrics=["pointing_game"], truth=[np.eye(6, dtype=bool)], margin=-1)
