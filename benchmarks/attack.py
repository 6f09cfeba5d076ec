"""Measures how few changes flip real networks, with the same number of queries for this attack and for others, and the limits.

Run: python benchmarks/attack.py [--only l0,targeted,l2,linf,proofs,guidance,games,time] [--networks mnist_cnn,...]
[--budgets 100,300,1000,3000] [--half even|odd|both] [--images 20] [--seeds 0,1,2] [--jobs 2] [--keep FILE] [--seconds S]
[--data DIR] [--quick]

The networks and images are those of `shared/data` (SAYWHY_DATA, or --data), and the demo's road signs. The attack was tuned on
the signs and on images at even positions (of the correctly classified ones, in file order); those at odd positions are apart.
The peers are Sparse-RS with two searches over k, BruSLeAttack, SurFree, CGBA, RayS and the Square attack (each written anew
after its paper, see `benchmarks/peers/`) and foolbox's HopSkipJump. Every peer is credited with the nearest adversarial image
among all its queries, whether or not it returns that image. The white box sigma-zero sees the network's gradients.

With --keep, results are kept in a file as they come, and a later call goes on from there; with --seconds, a call ends by then
and prints what there is. "of ours" is a mean over that of this attack, on the images that both flipped; "worst image" is the
largest ratio of this attack to the best of all peers on one image; "8 bits" counts the findings that rounding leaves findings;
"unrounded" is this attack with levels=None.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]]

from benchmarks.attacks import contenders, games, guidance, keeping, proofs, tables  # noqa: E402
from benchmarks.attacks.networks import HALVES, NETWORKS, SIGNS, read  # noqa: E402

OTHERS = {"proofs": proofs.show, "guidance": guidance.show, "games": games.play, "time": games.clock}


def compare(chosen: argparse.Namespace, part: str, kept: keeping.Kept) -> None:
    """Run a part on every network, as far as it is not kept, and print its tables."""
    halves = HALVES if chosen.half == "both" else (chosen.half,)
    tasks, shown = [], []
    for network in chosen.networks:
        everything = read(chosen.data, network)
        for half in halves:
            positions = everything.half(half).first(chosen.images).positions.tolist()
            shown.append((network, half, [(seed, position) for seed in chosen.seeds for position in positions]))
            tasks += [
                keeping.Task(chosen.data, part, network, name, seed, position, chosen.budgets)
                for position in positions
                for seed in chosen.seeds
                for name in contenders.names(part)
                if name in chosen.attacks and name != contenders.REFERENCE
            ]
            if contenders.REFERENCE in chosen.attacks and contenders.REFERENCE in contenders.names(part):  # it draws nothing
                tasks += [
                    keeping.Task(chosen.data, part, network, contenders.REFERENCE, 0, position, ()) for position in positions
                ]
    left = keeping.run(kept, tasks, chosen.jobs, chosen.seconds)
    for network, half, places in shown:
        tables.show(kept, part, network, half, chosen.budgets, places)
    if left:
        print(f"\n{part}: {left} of {len(tasks)} runs are not done; the same call goes on with them")


def main() -> None:
    everyone = sorted({name for part in contenders.PARTS for name in contenders.names(part)})
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", default="l0,targeted,l2,linf,proofs,guidance,games,time", help="parts, with commas between")
    parser.add_argument("--networks", default=",".join([*NETWORKS, SIGNS]), help="networks, with commas between")
    parser.add_argument("--attacks", default=",".join(everyone), help=f"of {', '.join(everyone)}")
    parser.add_argument("--budgets", default="100,300,1000,3000", help="queries, with commas between")
    parser.add_argument("--half", choices=[*HALVES, "both"], default="even", help="positions of the images")
    parser.add_argument("--images", type=int, default=20, help="images of each half of each network")
    parser.add_argument("--seeds", default="0,1,2", help="with commas between")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--keep", type=Path, help="a file of JSON lines where results are kept")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin nothing new after so many, in each part")
    parser.add_argument("--proof-seconds", default="60,600", help="how long a proof may take, with commas between")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SAYWHY_DATA", ROOT.parent / "shared" / "data")))
    parser.add_argument("--quick", action="store_true", help="two images and small budgets, to see that it runs")
    chosen = parser.parse_args()
    if not (chosen.data / NETWORKS["mnist_cnn"][0]).is_file():
        sys.exit(f"no networks in {chosen.data}: give --data or SAYWHY_DATA")
    chosen.networks = chosen.networks.split(",")
    chosen.budgets = tuple(int(one) for one in chosen.budgets.split(","))
    chosen.seeds = [int(one) for one in chosen.seeds.split(",")]
    chosen.proof_seconds = [float(one) for one in chosen.proof_seconds.split(",")]
    chosen.attacks = chosen.attacks.split(",")
    if chosen.quick:
        chosen.images, chosen.budgets, chosen.seeds, chosen.proof_seconds = 2, (100, 300), [0], [2.0]
    parts = chosen.only.split(",")
    for given, known in (
        (parts, [*contenders.PARTS, *OTHERS]),
        (chosen.networks, [*NETWORKS, SIGNS]),
        (chosen.attacks, everyone),
    ):
        if unknown := [one for one in given if one not in known]:
            sys.exit(f"there is no {unknown[0]!r}; there are {', '.join(known)}")
    kept = keeping.Kept(chosen.keep)
    if kept.older():
        print(f"{kept.older()} of the {len(kept.rows)} results kept come from another state of the code")
    for part in parts:
        if part in contenders.PARTS:
            compare(chosen, part, kept)
        else:
            OTHERS[part](chosen, kept)


if __name__ == "__main__":
    main()
