"""Clusters of maps."""

from __future__ import annotations

from functools import cache

import numpy as np
from parameters.harness import case, later, record
from parameters.maps import GOOD, OTHER, PIXELS, TEXT

from verbalize import PixelSaliency, TokenSaliency
from verbalize.write import TemplateVerbalizer

RANDOM = np.random.default_rng(5)
MAPS = [PixelSaliency(RANDOM.normal(size=(12, 16)), GOOD, image=RANDOM.random((12, 16, 3))) for _ in range(9)]
TEXTS = [TokenSaliency(tuple("abcdef"), RANDOM.normal(size=6), GOOD) for _ in range(7)]


def assigned(found, tools, arguments):
    return found.assigned, sorted(found.silhouettes.items())


case("verbalize.clusters.cluster_maps", {"maps": MAPS}, assigned,
     maps=MAPS[::-1], clusters=2, most=3, algorithm="spectral", side=2, seed=4)  # fmt: skip
case("verbalize.clusters.cluster_maps", {"maps": TEXTS}, assigned, words=2)


@cache
def made(clusters=2):
    from verbalize.clusters import cluster_maps

    return cluster_maps(MAPS, clusters=clusters)


FEW = {"clustering": later(lambda tools: made()), "members": 0}
case("verbalize.clusters.clusters_png", FEW, clustering=later(lambda tools: made(3)), members=1)
case("verbalize.clusters.clusters_page", FEW, clustering=later(lambda tools: made(3)), members=1, title="x",
     verbalizer=TemplateVerbalizer(mask_labels=True))  # fmt: skip
for what in ("Cluster", "Clustering"):
    case(f"verbalize.clusters.{what}.in_words",
         {"self": later(lambda tools, what=what: made() if what == "Clustering" else made().clusters[0])},
         verbalizer=TemplateVerbalizer(mask_labels=True))  # fmt: skip
record("verbalize.clusters.Cluster",
       {"number": 1, "members": (0,), "labels": {"a": 1}, "favourable": TEXT, "unfavourable": TEXT, "mean": TEXT, "of": 1},
       number=2, members=(1,), labels={"b": 1}, favourable=OTHER, unfavourable=OTHER, mean=OTHER, of=2)  # fmt: skip
record("verbalize.clusters.Clustering", {"maps": (TEXT,), "clusters": ()},
       maps=(PIXELS,), clusters=later(lambda tools: made().clusters), silhouettes={2: 0.5})  # fmt: skip
