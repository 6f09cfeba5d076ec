"""Spans of words and regions of pictures."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, record
from parameters.maps import (
    GOOD,
    OTHER_PIXELS,
    PIXELS,
    SCORES,
)

from verbalize import (
    PixelSaliency,
)

RISING = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, -0.1]
SIX = [1.0, -0.5, 2.0, 0.0, 1.5, -3.0]
for spans, base in (("best_spans", {}), ("best_spans_holding", {"holding": 4})):
    case(
        f"verbalize.{spans}",
        {"scores": SIX, "max_words": 3, "max_spans": 2, **base},
        scores=SIX[::-1],
        max_words=1,
        max_spans=1,
        **({"holding": 5} if base else {}),
    )
    joined = {"holding": 2} if base else {}
    case(f"verbalize.{spans}", {"scores": SIX[:3], "max_words": 3, "max_spans": 1, **joined}, bridge=0.5)
    case(f"verbalize.{spans}", {"scores": [1.0, 2.0, 1.0], "max_words": 3, "max_spans": 1, **joined}, price=1.5, breaks=[2])
record("verbalize.Span", {"start": 0, "stop": 1, "score": 1.0}, start=-1, stop=2, score=2.0)
for search in ("convolution_search", "span_search"):
    case(
        f"verbalize.parts.{search}", {"scores": RISING, "share": 1.0}, scores=RISING[::-1], filter_length=4, share=0.2, sgn="-"
    )
case("verbalize.parts.total_order", {"scores": SCORES}, scores=SCORES[::-1], sgn="-")
record("verbalize.parts.Snippet", {"indices": (0,), "score": 1.0}, indices=(1,), score=2.0)
case("verbalize.parts.colour_in_words", {"rgb": (1.0, 0.0, 0.0)}, rgb=(0.0, 0.0, 1.0))
RAISED = PixelSaliency(np.outer(np.arange(12.0), np.arange(16.0)) + 5.0, GOOD, signed=False)
for counted in ("above_floor", "floor_of"):
    case(f"verbalize.parts.{counted}", {"saliency": PIXELS}, saliency=RAISED)
case("verbalize.parts.stands_out", {"saliency": RAISED}, saliency=PixelSaliency(np.ones((9, 9)), GOOD))
case("verbalize.parts.located", {"place": "centre"}, place="whole picture")
case(
    "verbalize.parts.place_in_words",
    {"part": np.eye(9, dtype=bool)[:3], "shape": (3, 9)},
    part=np.eye(9, dtype=bool)[:3, ::-1],
    shape=(9, 3),
)
case("verbalize.find_regions", {"saliency": PixelSaliency(np.outer(np.arange(12.0), np.arange(16.0)), GOOD)}, mass=0.2)
case("verbalize.find_regions", {"saliency": PIXELS}, saliency=OTHER_PIXELS, max_regions=1, method="superpixels")
REGION = {
    "mask": np.ones((2, 2), bool),
    "positive": 1.0,
    "negative": 0.0,
    "positive_share": 0.5,
    "negative_share": 0.0,
    "area": 0.1,
    "bbox": (0, 0, 1, 1),
    "centre": (0.0, 0.0),
    "place": "left",
    "colour": None,
    "name": "a",
}
record(
    "verbalize.Region",
    REGION,
    mask=np.zeros((2, 2), bool),
    positive=2.0,
    negative=1.0,
    positive_share=1.0,
    negative_share=1.0,
    area=0.2,
    bbox=(0, 0, 2, 2),
    centre=(1.0, 0.0),
    place="right",
    colour="red",
    name="b",
)
