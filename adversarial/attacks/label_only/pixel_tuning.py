"""The constants of the label-only search for the fewest pixels, with the reason for each value.

They were chosen by measuring on images of MNIST, GTSRB and CIFAR-10 at odd places in their files; the figures in the docs are
those of other images.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PixelTuning:
    """The constants of `LabelPixels`. Frozen: a search that is given another one is another search."""

    lanes: int = 4  # questions per batch: starts are made side by side, and swaps are asked about together
    uniform: float = 0.3  # of the density is uniform: a mixture that misses the decisive pixels must not hide them
    first_rung: int = 8  # changes of the smallest start tried: fewer flip too seldom to be worth a query
    rung: float = 1.5  # from one size of a start to the next: what is too much is soon left out again
    target_rung: float = 4.0  # the same with a target: few starts reach it, so that many must be tried
    few_pixels: int = 64  # in an image: there, sets of fewer changes than in any start reach a target that starts don't
    palette: int = 3  # values at most in a drawn start: few make shapes, many make noise
    single: float = 0.2  # of the drawn starts have a value of its own for each pixel
    dropped: float = 0.5  # of a set is left out at first: half of a start is superfluous more often than not
    bolder: float = 1.3  # times as much is left out next where leaving out succeeded
    warier: float = 0.6  # and where it failed
    most_dropped: float = 0.6  # of a set at a time
    block: float = 4 / 3  # times `near`: the side of the blocks of one value, four pixels on small images
    head_start: int = 12  # questions of each start before the worst are given up: sizes differ by then
    hopeless: float = 1.5  # times as large as the smallest start: such a start is given up
    merges: int = 2  # ways in which two sets put together are made smaller: chance decides what remains
    mergeable: float = 2.0  # times as large as the smallest set: a larger one has little to offer
    large: int = 16  # changes: from so large a set a share is taken out at a time, since a few would take too long
    share: float = 0.3  # of a large set is taken out at most
    near: float = 3.0  # pixels, the standard deviation of the place of a new change around one that matters
    near_side: float = 40.0  # pixels, the root of the area: on larger images new changes lie farther off in proportion
    anywhere: float = 0.2  # of the new changes lie anywhere: what matters may lie far from the first set found
    farthest: float = 0.5  # of the new changes take the value that changes the pixel most: it does most, more often than not
    copied: float = 0.7  # of the others copy the value of the change beside them
    taken: tuple[float, ...] = (0.15, 0.45, 0.25, 0.15)  # how often one, two, three or four changes are taken out at once
    sideways: float = 0.3  # of the swaps put back as many as they take: sets of one size differ in what can be spared next
    patience: float = 0.2  # of the queries so far without a smaller set, after which other starts are tried
    least_patience: int = 40  # queries without a smaller set at least: a share of few queries would be too short
    idle: int = 200  # swaps in a row that were all asked before, after which the search ends: small images run out of them


STANDARD = PixelTuning()
