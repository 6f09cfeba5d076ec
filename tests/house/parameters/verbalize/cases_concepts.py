"""Concepts: a tiny network with random weights."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from parameters.harness import case, later, record
from parameters.verbalize.attribution.cases_attribution import network

from verbalize import Query

NAMES = ("a", "b", "c")
IMAGES = np.random.default_rng(1).random((4, 9, 12, 3), dtype=np.float32)
OTHERS = IMAGES[:, ::-1].copy()
BASE = {"images": IMAGES, "layer": "1", "count": 2, "patch": 5, "class_names": NAMES}
ACTIVATIONS = np.random.default_rng(2).random((12, 5))


def tensor(images=IMAGES):
    import torch

    return torch.from_numpy(images).permute(0, 3, 1, 2)


@cache
def made(seed=0):
    from verbalize.concepts import extract_concepts

    return extract_concepts(network(seed), **BASE)


def exactly(found, tools, arguments):
    return found.names, found.bank.directions


def told(found, tools, arguments):
    return found.names, found.bank.directions.round(4), found.amounts.round(4), found.batch_size, found.split.class_names


case("verbalize.concepts.extract_concepts", {"model": later(lambda tools: network(0)), **BASE}, told,
     model=later(lambda tools: network(1)), images=OTHERS, layer="4", count=3, extractor="kmeans", patch=4, leading=1,
     names=("x", "y"), class_names=("x", "y", "z"), batch_size=2)  # fmt: skip
case("verbalize.concepts.extract_concepts", {"model": later(lambda tools: network(0)), **BASE},
     lambda found, tools, arguments: found.bank.directions, seed=5)  # fmt: skip
case("verbalize.concepts.fit_bank", {"activations": ACTIVATIONS, "count": 2, "extractor": "kmeans"},
     lambda found, tools, arguments: found.directions, activations=1 - ACTIVATIONS, count=3, extractor="pca", seed=3)  # fmt: skip
record("verbalize.concepts.ConceptBank", {"directions": np.eye(2), "extractor": "nmf", "offset": np.zeros(2)},
       directions=np.ones((2, 2)), extractor="pca", offset=np.ones(2))  # fmt: skip
BANK = later(lambda tools: made().bank)
for method, width in (("encode", 8), ("error", 8), ("decode", 2)):
    given = np.random.default_rng(3).random((3, width))
    name = "coefficients" if method == "decode" else "activations"
    case(f"verbalize.concepts.ConceptBank.{method}", {"self": BANK, name: given}, **{name: given**3})
case("verbalize.concepts.total_indices", {"function": lambda points: points @ [1.0, 2.0], "inputs": 2, "samples": 8},
     function=lambda points: points @ [3.0, 2.0], inputs=3, samples=16, seed=1)  # fmt: skip
SPLIT = {"model": later(lambda tools: network(0)), "layer": "1", "images": later(lambda tools: tensor())}


def seen_of_split(found, tools, arguments):
    return found.shape, found.class_names, found.features(tensor()).shape, found.head(found.features(tensor())).detach()


case("verbalize.concepts.split_model", SPLIT, seen_of_split, model=later(lambda tools: network(1)), layer="3",
     images=later(lambda tools: tensor()[:, :, :, :9]), class_names=NAMES)  # fmt: skip


def half(name):
    def run(found, tools, arguments):
        return getattr(found, name).__self__.head(found.features(tensor())).detach(), found.layer, found.shape, found.alone

    return run


def model(seed=0):
    from verbalize.models import ImageModel

    return ImageModel(network(seed), NAMES)


case("verbalize.concepts.SplitModel", {"model": later(lambda tools: model()), "layer": "1", "shape": (3, 9, 12)}, half("head"),
     model=later(lambda tools: model(1)), layer="3", shape=(3, 9, 9), alone=False)  # fmt: skip
IN_HALVES = later(lambda tools: made().split)
case("verbalize.concepts.SplitModel.features", {"self": IN_HALVES, "images": later(lambda tools: tensor())},
     images=later(lambda tools: tensor(OTHERS)))  # fmt: skip
case("verbalize.concepts.SplitModel.placed", {"self": IN_HALVES, "images": later(lambda tools: tensor())},
     images=later(lambda tools: tensor(OTHERS)))  # fmt: skip
case("verbalize.concepts.SplitModel.head", {"self": IN_HALVES, "features": later(lambda tools: made().split.features(tensor()))},
     features=later(lambda tools: made().split.features(tensor(OTHERS))))  # fmt: skip

FIELDS = ("split", "bank", "names", "layout", "images", "crops", "amounts", "error")
record(
    "verbalize.concepts.Concepts",
    {name: later(lambda tools, name=name: getattr(made(), name)) for name in FIELDS},
    bank=later(lambda tools: made(1).bank),
    names=("x", "y"),
    layout=later(lambda tools: replace(made().layout, leading=1)),
    images=later(lambda tools: tensor(OTHERS)),
    crops=later(lambda tools: made().crops[::-1]),
    amounts=later(lambda tools: made().amounts[::-1]),
    error=0.5,
    batch_size=1,
)
case(
    "verbalize.concepts.Concepts",
    {name: later(lambda tools, name=name: getattr(made(), name)) for name in FIELDS},
    lambda found, tools, arguments: found.split.head(made().split.features(tensor())).detach(),
    split=later(lambda tools: made(1).split),
)
OWN = {"self": later(lambda tools: made())}
case(
    "verbalize.concepts.Concepts.named",
    {**OWN, "names": ("x", "y")},
    lambda found, tools, arguments: found.names,
    names=("x", "z"),
)
for method in ("coefficients", "maps"):
    case(f"verbalize.concepts.Concepts.{method}", {**OWN, "images": IMAGES}, images=OTHERS)
for method in ("importance", "saliencies"):
    asked = {**OWN, "images": IMAGES, "query": Query("a"), "samples": 8}
    case(
        f"verbalize.concepts.Concepts.{method}",
        asked,
        images=IMAGES**2,
        query=Query("b"),
        estimator="occlusion",
        samples=4,
        seed=2,
    )
case("verbalize.concepts.Concepts.top_crops", {**OWN, "concept": 0}, concept=1, count=2)
case("verbalize.concepts.Concepts.within", {**OWN, "concept": 0, "layer": "1", "count": 2}, exactly, concept=1, layer="4", count=1,
     seed=7)  # fmt: skip

IMPORTANCE = np.array([[0.7, 0.2], [0.1, 0.3], [0.4, 0.1]])
case("verbalize.concepts.strategy_graph", {"importance": IMPORTANCE, "names": NAMES[:2]},
     importance=IMPORTANCE[::-1], names=("x", "y"), right=[True, True, False])  # fmt: skip


@cache
def graph(right=None):
    from verbalize.concepts import strategy_graph

    return strategy_graph(IMPORTANCE, NAMES[:2], right)


record("verbalize.concepts.StrategyGraph", {"strategies": (), "edges": {}, "size": 1, "names": ("a",)},
       strategies=later(lambda tools: graph().strategies), edges={(0, 1): 1}, size=2, names=("b",), without=(0,))  # fmt: skip
record("verbalize.concepts.Strategy",
       {"concept": 0, "name": "a", "members": (0,), "prevalence": 1.0, "reliability": None, "importance": 1.0},
       concept=1, name="b", members=(1,), prevalence=0.5, reliability=1.0, importance=0.5)  # fmt: skip
case("verbalize.concepts.StrategyGraph.in_words", {"self": later(lambda tools: graph())}, most=1)
case("verbalize.concepts.strategies_png", {"graph": later(lambda tools: graph())},
     graph=later(lambda tools: graph((True, True, False))))  # fmt: skip
case("verbalize.concepts.concepts_png", {"concepts": later(lambda tools: made()), "importance": [1.0, 2.0], "crops": 1},
     concepts=later(lambda tools: made(1)), importance=[2.0, 1.0], crops=2)  # fmt: skip
case("verbalize.concepts.concepts_page", {"concepts": later(lambda tools: made()), "images": 0, "crops": 1},
     concepts=later(lambda tools: made(1)), query=Query("a", ("b",)), images=1, crops=2, title="x")  # fmt: skip
