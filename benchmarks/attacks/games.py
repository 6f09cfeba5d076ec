"""The games of this attack beside each other, and the share of the time that the classifier takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from adversarial import CallableClassifier, FeatureGuidedAttack
from benchmarks.attacks.networks import Set, read
from benchmarks.attacks.tables import cell, middle

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from adversarial import AttackResult
    from benchmarks.attacks.keeping import Kept

BUDGET, SLOW = 1000, 300  # the stock package for tree searches takes its time


def ours(data: Set, budget: int, **options: object) -> list[AttackResult]:
    """This attack on every image of a set."""
    attack = FeatureGuidedAttack(budget=budget, **options)  # type: ignore[arg-type]
    return attack.run(CallableClassifier(data.predict), data.images, data.labels)


def play(chosen: argparse.Namespace, kept: Kept) -> None:  # noqa: ARG001 - as every part
    """Print what each game finds; the competitive one must never be better than the cooperative one."""
    for name in chosen.networks:
        data = read(chosen.data, name).half("even").first(min(chosen.images, 10))
        print(f"\nThe games, {name}, {len(data.labels)} images, {BUDGET:,} queries")
        games = {
            player: ours(data, BUDGET, player_two=player, seed=chosen.seeds[0])
            for player in ("cooperative", "competitive", "random")
        }
        for player, results in games.items():
            _row(player, results)
        pairs = zip(games["cooperative"], games["competitive"], strict=True)
        better = sum(two.distance < one.distance for one, two in pairs)
        print(f"  the competitive game is better than the cooperative one on {better} images (must be 0)")
        few = data.first(5)
        _row(f'engine="mcts", cooperative, {SLOW} queries', ours(few, SLOW, engine="mcts", seed=chosen.seeds[0]))
        _row("the standard search, same images and queries", ours(few, SLOW, seed=chosen.seeds[0]))


def _row(name: str, results: Sequence[AttackResult]) -> None:
    found = np.array([result.distance for result in results])
    queries = np.mean([result.queries for result in results])
    mean, median = middle(found)
    hits = np.isfinite(found).sum()
    print(
        f"  {name:46s} success {hits}/{len(found)}  mean {cell(mean)}  median {cell(median)}  queries {queries:.0f}", flush=True
    )


def clock(chosen: argparse.Namespace, kept: Kept) -> None:  # noqa: ARG001 - as every part
    """Print the share of the time that is spent inside the classifier, and the rest for each query."""
    for name in chosen.networks:
        data = read(chosen.data, name).half("even").first(chosen.images)
        inside, asked = [0.0], [0]

        def timed(
            images: NDArray[np.float32], data: Set = data, inside: list[float] = inside, asked: list[int] = asked
        ) -> NDArray[np.floating]:
            start = time.perf_counter()
            scores = data.predict(images)
            inside[0] += time.perf_counter() - start
            asked[0] += len(images)
            return scores

        for distance in ("l0", "l2", "linf"):
            inside[0], asked[0] = 0.0, 0
            start = time.perf_counter()
            FeatureGuidedAttack(budget=BUDGET, distance=distance, seed=chosen.seeds[0]).run(
                CallableClassifier(timed), data.images, data.labels
            )
            wall = time.perf_counter() - start
            rest = 1000 * (wall - inside[0]) / asked[0]
            print(
                f"  time, {name}, {distance}, {len(data.labels)} images: {100 * inside[0] / wall:.0f} % of {wall:.1f} s inside "
                f"the classifier, {rest:.2f} ms a query outside",
                flush=True,
            )
