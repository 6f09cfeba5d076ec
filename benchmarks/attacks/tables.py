"""Tables of what the contenders found: per half, network and budget, and how this attack stands beside its peers."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.attacks.contenders import OURS, PRECISE, REFERENCE, STEPS, is_peer, names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmarks.attacks.keeping import Kept

    Floats = NDArray[np.float64]
    Places = Sequence[tuple[int, int]]  # (seed, position)


def distances(kept: Kept, part: str, network: str, attack: str, budget: int, places: Places) -> Floats:
    """(N,) in the order of the places; infinite where nothing was found, nan where it was not measured."""
    values = []
    for seed, position in places:
        row = kept.rows.get((part, network, attack, seed, position, budget))
        found = math.nan if row is None else row["distance"]
        values.append(math.inf if found is None else found)
    return np.array(values, dtype=np.float64)


def show(kept: Kept, part: str, network: str, half: str, budgets: Sequence[int], places: Places) -> None:
    """Print a network's table of a part, for the images of one half."""
    images = len({position for _, position in places})
    seeds = len({seed for seed, _ in places})
    if not images:
        return
    kind = "untouched" if half == "odd" else "tuned on"
    print(f"\n{part}, {network}, {half} positions ({kind}): {images} images, {seeds} seeds")
    head = f"  {'':36s}{'success':>9s}{'mean':>10s}{'median':>10s}{'of ours':>9s}{'worst image':>13s}{'8 bits':>9s}"
    reference = distances(kept, part, network, REFERENCE, STEPS, [(0, position) for _, position in places])
    for budget in budgets:
        found = {name: distances(kept, part, network, name, budget, places) for name in names(part) if name != REFERENCE}
        found = {name: values for name, values in found.items() if not np.isnan(values).all()}
        if not found:
            continue
        print(f" {budget} queries\n{head}")
        ours = found.get(OURS)
        peers = [values for name, values in found.items() if is_peer(name)]
        best = np.fmin.reduce(peers) if peers else np.full(len(places), math.nan)
        for name, values in found.items():
            mean, median = middle(values)
            bits = survived(kept, part, network, name, budget, places)
            ratio = "" if ours is None or name == OURS else cell(shared_mean(values, ours))
            worst = cell(worst_ratio(values, best)) if name in (OURS, PRECISE) else ""
            known = values[~np.isnan(values)]
            flipped = f"{np.isfinite(known).sum()}/{len(known)}"
            print(f"  {name:36s}{flipped:>9s}{cell(mean):>10s}{cell(median):>10s}{ratio:>9s}{worst:>13s}{bits:>9s}", flush=True)
        if ours is not None and peers:
            print(f"  {verdict(ours, [(name, values) for name, values in found.items() if is_peer(name)])}")
    if not np.isnan(reference).all():
        mean, median = middle(reference)
        flipped = f"{np.isfinite(reference).sum()}/{(~np.isnan(reference)).sum()}"
        print(f" {REFERENCE} (white box, {STEPS:,} steps): {flipped}, mean {cell(mean)}, median {cell(median)}")
    steps = [distances(kept, part, network, OURS, budget, places) for budget in budgets]
    worse = np.array([after > before + 1e-9 for before, after in pairwise(steps)])
    if worse.size:
        print(f" a larger budget gave this attack a worse result {int(worse.sum())} times of {worse.size} (must be 0)")


def middle(values: Floats) -> tuple[float, float]:
    """The mean over the successes, and the median over all, in which a failure is the largest."""
    known = values[~np.isnan(values)]
    hits = known[np.isfinite(known)]
    if not len(known):
        return math.nan, math.nan
    ordered = np.sort(known)  # np.median would subtract infinities
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return (float(hits.mean()) if len(hits) else math.inf), float(high if np.isinf(high) else (low + high) / 2)


def shared_mean(values: Floats, ours: Floats) -> float:
    """The mean of a contender over that of this attack, on the images that both flipped."""
    both = np.isfinite(values) & np.isfinite(ours)
    return float(values[both].mean() / ours[both].mean()) if both.any() and ours[both].mean() > 0 else math.nan


def worst_ratio(values: Floats, best: Floats) -> float:
    """The largest ratio to the best of all peers on one image; infinite where one of these flips it and this does not."""
    known = ~np.isnan(values) & np.isfinite(best) & (best > 0)
    return float((values[known] / best[known]).max()) if known.any() else math.nan


def survived(kept: Kept, part: str, network: str, attack: str, budget: int, places: Places) -> str:
    """How many findings are findings still when they are rounded to 8 bits."""
    rows = [kept.rows.get((part, network, attack, seed, position, budget)) for seed, position in places]
    known = [row["survives"] for row in rows if row is not None and row["survives"] is not None]
    return f"{sum(known)}/{len(known)}" if known else ""


def verdict(ours: Floats, peers: list[tuple[str, Floats]]) -> str:
    """This attack beside the peer with the best mean, and the one with the best median."""
    told = []
    for what, place in (("mean", 0), ("median", 1)):
        own = middle(ours)[place]
        name, value = min(((name, middle(values)[place]) for name, values in peers), key=lambda pair: pair[1])
        told.append(f"{what} {cell(own / value if value else math.nan)} of the best peer's ({name} {cell(value)})")
    return "-> this attack: " + ", ".join(told)


def cell(value: Any) -> str:
    """A number with as many digits as a table needs."""
    if math.isnan(value):
        return "-"
    return "inf" if math.isinf(value) else f"{value:.4g}" if value < 1 else f"{value:.2f}"
