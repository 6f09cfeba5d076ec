"""The proofs as the limit: what is proven after so many seconds, beside what the attacks find."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial import fewest_pixels
from benchmarks.attacks.contenders import OURS, REFERENCE, STEPS
from benchmarks.attacks.keeping import FIELDS, Task, done
from benchmarks.attacks.networks import NETWORKS, Set, read

if TYPE_CHECKING:
    import argparse

    from adversarial import PixelBound
    from benchmarks.attacks.keeping import Kept

AT_MOST = 8  # pixels that a proof is asked for at most
LONG = 1e6  # seconds that never pass
BUDGET = 3000  # queries of the attack beside it
PART, NAME = "proofs", "fewest_pixels"


def show(chosen: argparse.Namespace, kept: Kept) -> None:
    """Print one row for each of the first images of the networks for proofs, and the counts that are asked for.

    Seconds are those of the processor, on one thread, so that other work on the machine does not count.

    The proof of each image goes on from one time to the next, and its time counts what it took before. With a file to keep
    results in, the journals of the proofs stand beside it, so that a call that was cut off costs at most one proof.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        journals = Path(temporary) if chosen.keep is None else chosen.keep.with_suffix(".proofs")
        journals.mkdir(exist_ok=True)
        for network in chosen.networks:
            if not NETWORKS.get(network, ("",))[0].startswith("verify/"):
                continue
            data = read(chosen.data, network).first(chosen.images)  # the first ones, of both halves
            for seconds in sorted(chosen.proof_seconds):
                rows = []
                print(f"\nproofs, {network}, the first {len(data.labels)} correctly classified images, {seconds:g} s each")
                for place in range(len(data.labels)):
                    if time.monotonic() - started > chosen.seconds:
                        break
                    rows.append(_proved(chosen, kept, data, place, seconds, journals / f"{network}-{place}"))
                    print("  " + _line(rows[-1]), flush=True)
                _count(rows, len(data.labels))


def _proved(chosen: argparse.Namespace, kept: Kept, data: Set, place: int, seconds: float, journal: Path) -> dict[str, Any]:
    key = (PART, data.name, NAME, 0, place, int(seconds))
    if key not in kept.rows:
        own = [row for row in kept.rows.values() if (row["part"], row["network"], row["position"]) == (PART, data.name, place)]
        left = max(seconds - max((row["took"] for row in own), default=0.0), 1.0)
        path, image, label = chosen.data / NETWORKS[data.name][0], data.images[place], int(data.labels[place])
        started = time.process_time()
        bound = _until(path, image, label, left, journal)
        took = max((row["took"] for row in own), default=0.0) + time.process_time() - started
        upper = None if math.isinf(bound.upper) else int(bound.upper)
        found = {"lower": bound.lower, "upper": upper, "exact": bound.exact, "took": round(took, 1)}
        found |= {"blocks": bound.proof.blocks, "share": bound.proof.share, "distance": None, "code": ""}
        kept.add([dict(zip(FIELDS, key, strict=True)) | found])
    row = dict(kept.rows[key])
    for name, budget in ((OURS, BUDGET), (REFERENCE, STEPS)):
        task = Task(chosen.data, "l0", data.name, name, 0, place, (budget,))
        if kept.missing([task]):
            kept.add(done(task))
        row[name] = kept.rows["l0", data.name, name, 0, place, budget]["distance"]
    return row


class _OverError(Exception):
    """The time of a proof is over."""


def _until(path: Path, image: np.ndarray, label: int, seconds: float, journal: Path) -> PixelBound:
    """A proof that ends after so many seconds of the processor, whatever else runs on the machine."""
    started = time.process_time()

    def watch(_: object) -> None:
        if time.process_time() - started > seconds:
            raise _OverError

    try:
        return fewest_pixels(path, image, label, at_most=AT_MOST, seconds=LONG, journal=journal, threads=1, progress=watch)
    except _OverError:
        return fewest_pixels(path, image, label, at_most=AT_MOST, seconds=0.001, journal=journal, threads=1)


def _line(row: dict[str, Any]) -> str:
    upper = "an unknown number does" if row["upper"] is None else f"{row['upper']} do"
    found = {name: row[name] for name in (OURS, REFERENCE)}
    others = "  ".join(f"{name} {'-' if value is None else round(value)}" for name, value in found.items())
    best = min((value for value in found.values() if value is not None), default=math.inf)
    meets = "  exact" if row["exact"] else ""
    broken = "  BROKEN: an example is below the proven bound" if best < row["lower"] else ""
    proven = f"image {row['position']:3d}: no {row['lower'] - 1} flip it, {upper}"
    return f"{proven}  ({others})  {row['took']:.0f} s, {row['blocks']:,} blocks{meets}{broken}"


def _count(rows: list[dict[str, Any]], wanted: int) -> None:
    if not rows:
        return
    lower = np.array([row["lower"] for row in rows])
    exact = sum(row["exact"] for row in rows)
    proven = ", ".join(f"t >= {t} for {int((lower > t).sum())}" for t in range(1, int(lower.max())))
    print(
        f"  {len(rows)} of {wanted} images: proven {proven or 'nothing'}; {exact} exact; mean lower {lower.mean():.2f}", end=""
    )
    for name in ("upper", OURS, REFERENCE):
        known = [row[name] for row in rows if row[name] is not None]
        print(f", {name} {np.mean(known):.2f} ({len(known)})" if known else "", end="")
    print()
