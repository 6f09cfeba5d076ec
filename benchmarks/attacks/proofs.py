"""The proofs as the limit: what is proven after so many seconds, beside what the attacks find."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial import fewest_pixels
from benchmarks.attacks.contenders import OURS, REFERENCE, STEPS
from benchmarks.attacks.keeping import FIELDS, Task, done
from benchmarks.attacks.networks import NETWORKS, Set, read

if TYPE_CHECKING:
    import argparse

    from benchmarks.attacks.keeping import Kept

AT_MOST = 6  # pixels that a proof is asked for at most
BUDGET = 3000  # queries of the attack beside it
PART, NAME = "proofs", "fewest_pixels"


def show(chosen: argparse.Namespace, kept: Kept) -> None:
    """Print one row for each image of the networks for proofs, and the counts that are asked for."""
    started = time.monotonic()
    for network in chosen.networks:
        if not NETWORKS.get(network, ("",))[0].startswith("verify/"):
            continue
        data = read(chosen.data, network).first(chosen.images)  # the first ones, of both halves
        for seconds in chosen.proof_seconds:
            print(f"\nproofs, {network}, the first {len(data.labels)} correctly classified images, {seconds:g} s each")
            rows = []
            for place in range(len(data.labels)):
                if time.monotonic() - started > chosen.seconds:
                    break
                rows.append(_proved(chosen, kept, data, place, seconds))
                print("  " + _line(rows[-1]), flush=True)
            _counts(rows, len(data.labels))


def _proved(chosen: argparse.Namespace, kept: Kept, data: Set, place: int, seconds: float) -> dict[str, Any]:
    key = (PART, data.name, NAME, 0, place, int(seconds))
    if key not in kept.rows:
        start = time.process_time()
        bound = fewest_pixels(
            chosen.data / NETWORKS[data.name][0], data.images[place], int(data.labels[place]), at_most=AT_MOST, seconds=seconds
        )
        upper = None if np.isinf(bound.upper) else int(bound.upper)
        found = {"lower": bound.lower, "upper": upper, "exact": bound.exact, "seconds": round(time.process_time() - start, 1)}
        found |= {"blocks": bound.proof.blocks, "rounding": bound.proof.rounding, "distance": None, "code": ""}
        kept.add([dict(zip(FIELDS, key, strict=True)) | found])
    row = dict(kept.rows[key])
    for name, budget in ((OURS, BUDGET), (REFERENCE, STEPS)):
        task = Task(chosen.data, "l0", data.name, name, 0, place, (budget,))
        if kept.missing([task]):
            kept.add(done(task))
        row[name] = kept.rows["l0", data.name, name, 0, place, budget]["distance"]
    return row


def _line(row: dict[str, Any]) -> str:
    upper = "?" if row["upper"] is None else row["upper"]
    others = "  ".join(f"{name} {'-' if row[name] is None else round(row[name])}" for name in (OURS, REFERENCE))
    meets = "  exact" if row["exact"] else ""
    broken = "  BROKEN: below the proven bound" if min(row[name] or np.inf for name in (OURS, REFERENCE)) < row["lower"] else ""
    proven = f"image {row['position']:3d}: no {row['lower'] - 1} pixels flip it, {upper} do"
    return f"{proven}  {others}  {row['seconds']:.0f} s, {row['blocks']:,} blocks{meets}{broken}"


def _counts(rows: list[dict[str, Any]], wanted: int) -> None:
    if not rows:
        return
    lower = np.array([row["lower"] for row in rows])
    exact = sum(row["exact"] for row in rows)
    proven = ", ".join(f"t >= {t} for {int((lower > t).sum())}" for t in range(1, int(lower.max())))
    both = [(row["upper"], row["lower"]) for row in rows if row["upper"] is not None]
    gap = (
        f", mean lower {np.mean([low for _, low in both]):.2f} and upper {np.mean([up for up, _ in both]):.2f}" if both else ""
    )
    print(f"  {len(rows)} of {wanted} images: proven {proven or 'nothing'}; {exact} exact{gap}")
