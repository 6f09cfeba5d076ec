"""Maps from tiles, segments, gaze, visual tokens, time and groups."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, record
from parameters.maps import BAD, GOOD, OTHER, PIXELS, TEXT

from verbalize import Claim, PixelSaliency

TILES = {"attention": [0.1, 0.2, 0.3, 0.4], "tiles": [(0, 0, 4, 4), (0, 2, 4, 6), (2, 0, 6, 4), (4, 4, 8, 8)]}
case(
    "verbalize.adapters.tiles_to_map",
    {**TILES, "image_size": (8, 8), "query": GOOD},
    attention=[0.4, 0.3, 0.2, 0.1],
    tiles=(2, 2),
    image_size=(9, 8),
    query=BAD,
    names=["a", "b", "c", "d"],
    named=2,
    signed=True,
    id="x",
)
HALVES = np.repeat([[0, 1]], 12, axis=0).repeat(8, axis=1)
case(
    "verbalize.adapters.with_segments",
    {"saliency": PIXELS, "segments": HALVES},
    saliency=PixelSaliency(-PIXELS.scores, GOOD),
    segments=1 - 2 * HALVES,
    names=["a", "b"],
    ignore=[1],
)
GAZE = [(2, 3, 0.25), (12, 3, 0.5), (4, 5, 0.125)]
case(
    "verbalize.adapters.scanpath_to_map",
    {"fixations": GAZE, "image_size": (12, 16), "query": GOOD, "segments": HALVES},
    fixations=GAZE[::-1],
    image_size=(12, 17),
    query=BAD,
    segments=1 - HALVES,
    names=["a", "b"],
    sigma=2.0,
    id="x",
)
record("verbalize.adapters.Visit", {"name": "a", "start": 0.0, "duration": 1.0, "fixations": 1},
       name="b", start=1.0, duration=2.0, fixations=2)  # fmt: skip


def path():
    from verbalize.adapters import scanpath_to_map

    return scanpath_to_map(GAZE, (12, 16), GOOD, segments=HALVES)


record("verbalize.adapters.Scanpath", {"saliency": PIXELS, "visits": ()},
       saliency=PixelSaliency(PIXELS.scores, BAD), visits=path().visits, outside=1)  # fmt: skip
case("verbalize.adapters.Scanpath.in_words", {"self": path()}, most=1)
TOKENS = {"importance": np.arange(6.0), "grid": (2, 3), "image_size": (8, 9), "query": GOOD}
case(
    "verbalize.adapters.visual_tokens_to_map",
    TOKENS,
    importance=np.arange(6.0)[::-1],
    grid=(3, 2),
    image_size=(8, 12),
    query=BAD,
    leading=1,
    signed=True,
    smooth=True,
    id="x",
)
JOINT = {
    "importance": [0.1, 0.2, 0.3, 0.4],
    "pieces": ["a", "<image>", "<image>", "b"],
    "is_image": [False, True, True, False],
    "grids": [(1, 2)],
    "image_size": (8, 8),
    "query": GOOD,
}
case(
    "verbalize.adapters.split_tokens",
    JOINT,
    importance=[0.4, 0.3, 0.2, 0.1],
    pieces=["c", "<image>", "<image>", "b"],
    is_image=[True, True, False, False],
    grids=[(2, 1)],
    image_size=(8, 10),
    query=BAD,
    signed=True,
    images=[np.zeros((8, 8, 3))],
    id="x",
)
record("verbalize.adapters.JointMaps", {"text": TEXT, "images": (), "text_share": 1.0},
       text=OTHER, images=(PIXELS,), text_share=0.5)  # fmt: skip
FRAMES = np.random.default_rng(0).random((3, 12, 16))
case(
    "verbalize.adapters.maps_over_time",
    {"scores": FRAMES, "query": GOOD, "segments": HALVES},
    scores=FRAMES[::-1],
    query=BAD,
    tokens=["a", "b"],
    segments=1 - HALVES,
    names=["a", "b"],
    frames=np.zeros((12, 16, 3)),
    starts=[1],
    times=["a", "b", "c"],
    signed=False,
    method="x",
)
record("verbalize.adapters.OverTime", {"maps": (TEXT,), "names": ("a",)}, maps=(OTHER,), names=("b",))
record("verbalize.adapters.Change", {"before": "a", "after": "b", "text": "c", "claims": ((), ())},
       before="x", after="x", text="x", claims=((Claim("supports", (0,)),), ()))  # fmt: skip
case("verbalize.adapters.salient_in_all", {"maps": [TEXT]}, maps=[OTHER], top=1)
case("verbalize.adapters.mean_map", {"maps": [PIXELS]}, maps=[PixelSaliency(PIXELS.scores[::-1], GOOD)])
case("verbalize.adapters.shared_map", {"maps": [PIXELS]}, maps=[PixelSaliency(PIXELS.scores[::-1], GOOD)], share=0.05)
record("verbalize.adapters.PartCount", {"name": "a", "salient": 1, "present": 1, "members": (0,)},
       name="b", salient=2, present=2, members=(1,))  # fmt: skip


def group():
    from verbalize.adapters import salient_in_all

    return salient_in_all([TEXT])


record("verbalize.adapters.GroupSummary", {"counts": (), "size": 1, "top": 1, "example": TEXT},
       counts=group().counts, size=2, top=2, example=OTHER, question=" for 'good'")  # fmt: skip
case("verbalize.adapters.GroupSummary.in_words", {"self": group()}, most=1)
