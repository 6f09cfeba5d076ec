"""A few maps over words and pixels, and what is known of their classes."""

from __future__ import annotations

import numpy as np

from agents.prompting import Contrast, PairDescriptions
from verbalize import (
    Claim,
    PixelSaliency,
    Query,
    TokenSaliency,
)

GOOD, BAD = Query("good"), Query("bad")
WORDS = ("the", "acting", "is", "great", "and", "the", "plot", "is", "great", "but", "slow", "and", "awful")
SCORES = (0.0, 0.5, 0.1, 0.9, -0.1, 0.0, 0.2, 0.1, 1.0, -0.2, -0.6, -0.1, -0.9)
TEXT = TokenSaliency(WORDS, SCORES, GOOD, text=" ".join(WORDS))
OTHER = TokenSaliency(("a", "dull", "film"), (0.1, -2.0, 0.3), BAD)
PICTURE = np.random.default_rng(0).random((12, 16, 3)).astype(np.float32)
SPOTS = np.zeros((12, 16))
SPOTS[1:5, 1:5], SPOTS[7:11, 9:15], SPOTS[8:10, 1:4] = 3.0, 1.0, -2.0
PIXELS = PixelSaliency(SPOTS, GOOD, image=PICTURE)
OTHER_PIXELS = PixelSaliency(SPOTS[::-1], BAD, image=PICTURE)
MASKS = np.stack([SPOTS > 0, SPOTS < 0])
PAIRS = PairDescriptions(
    {(0, 1): [Contrast(name, (f"a good one with {name}", f"a bad one without {name}")) for name in ("ears", "fur", "tail")]},
    {0: "good", 1: "bad"},
)
VERSUS = TokenSaliency(WORDS, SCORES, Query("good", ("bad",)))
CLAIM = Claim("supports", (3,))


def written(result, tools, arguments):
    return (
        result,
        sorted(path.name for path in tools.folder.iterdir()),
        [path.read_bytes() for path in sorted(tools.folder.iterdir()) if path.is_file()],
    )
