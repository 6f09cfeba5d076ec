"""Draw the figure of `docs/how-a-search-works.md` from two real runs on the demo's road signs.

Run: python docs/figures/how_a_search_works.py [OUT.png]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl
import numpy as np

from adversarial import keypoint_mixture
from adversarial.attacks.feature_guided import growth, opening, search
from adversarial.attacks.feature_guided.search import PixelSearch
from adversarial.attacks.moves import make_move_table
from adversarial.distances import DISTANCES
from adversarial.query_log import BudgetSpent, QueryLog
from saywhy import signs

mpl.use("Agg")
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

BUDGET = 1500
EASY, HARD = 2, 9  # the demo's signs "speed limit 50" and "keep right"
PHASES = {  # phases in the words of the page, the functions that make them up, and their colours
    "blocks": ("blocks", "#5b9bd5"),
    "single changes": ("singles", "#cfe3f5"),
    "climb": ("climb", "#f4b183"),
    "shed": ("shed", "#fbe2cf"),
    "exchange": ("exchange", "#f7cbac"),
    "leave out singly": ("drop_singly", "#a9d18e"),
    "tree": ("round", "#f0f0f0"),
}


class Recorded(NamedTuple):
    """One search, where its queries went, and when it began another tree."""

    search: PixelSearch
    phases: list[tuple[int, str]]
    restarts: list[int]


def watch() -> list[str]:
    """Wrap the functions of each phase, so that the last entry of the list returned names the phase that is running."""
    running = ["tree"]

    def named(phase: str, function: Callable[..., Iterator[object]]) -> Callable[..., Iterator[object]]:
        def wrapped(*arguments: object, **options: object) -> Iterator[object]:
            running.append(phase)
            try:
                return (yield from function(*arguments, **options))
            finally:
                running.pop()

        return wrapped

    owners = {"blocks": opening.Opening, "singles": opening.Opening, "climb": opening, "round": growth.Growth}
    for phase, (function, _) in PHASES.items():
        owner = owners.get(function, search)
        setattr(owner, function, named(phase, getattr(owner, function)))
    return running


def record(number: int, running: list[str]) -> Recorded:
    """Run the search on one of the demo's signs, and note the phase of every query."""
    pictures, labels = signs.samples()
    predict = signs.load().predict
    log = QueryLog(pictures[number], int(labels[number]), None, distance=DISTANCES.get("l0"), budget=BUDGET, kind="logits")
    moves, mixture = make_move_table(log.image, "corners"), keypoint_mixture(log.image)
    made = PixelSearch(log, moves, mixture, np.random.default_rng(0))
    phases, restarts = [], []
    steps = made.steps()
    try:
        images = next(steps)
        while True:
            trees = made.trees
            phases += [(log.queries + place, running[-1]) for place in range(len(images))]
            images = steps.send(predict(images).astype(np.float64))
            if made.trees > trees:
                restarts.append(log.queries)
    except (StopIteration, BudgetSpent):
        return Recorded(made, phases, restarts)


def draw_course(axes: Axes, run: Recorded, title: str) -> None:
    """The best distance against queries, with the phases behind it."""
    for phase, (_, colour) in PHASES.items():
        queries = np.array([query for query, name in run.phases if name == phase and query < BUDGET])
        if len(queries):
            ends = np.flatnonzero(np.diff(queries) > 1)
            for first, last in zip(queries[[0, *(ends + 1)]], queries[[*ends, -1]], strict=True):
                axes.axvspan(first, last + 1, color=colour, lw=0)
    for query in run.restarts:
        axes.axvline(query, color="#888888", lw=0.8, ls=":")
    queries, best = run.search.log.trace().T
    axes.step(queries, best, where="post", color="black", lw=1.6)
    axes.plot(queries[0], best[0], "o", color="black", ms=4)
    axes.annotate(f"first flip: {best[0]:.0f}", (queries[0], best[0]), (6, 4), textcoords="offset points", fontsize=8)
    axes.annotate(f"{best[-1]:.0f}", (queries[-1], best[-1]), (-4, 5), textcoords="offset points", fontsize=8, ha="right")
    axes.set(xlim=(0, BUDGET), yscale="log", xlabel="queries", title=title)
    axes.set_yticks([3, 5, 10, 20, 50, 100, 200], ["3", "5", "10", "20", "50", "100", "200"])
    axes.minorticks_off()
    axes.set_ylim(best[-1] * 0.75, best[0] * 1.7)


def draw_maps(axes: list[Axes], run: Recorded) -> None:
    """The image, what guided the search, where it asked, what it learned, and what it found."""
    log, tree = run.search.log, run.search.tree
    shape = log.image.shape[:2]
    touched = tree.touched.reshape(shape)
    maps: list[tuple[str, NDArray[np.floating], str | None]] = [
        ("the image", log.image, None),
        ("the mixture", keypoint_mixture(log.image).density, "Greys"),
        ("visits of each pixel (log)", np.log1p(touched), "Blues"),
        ("learned effects", run.search.evidence(), "Oranges"),
        (f"found: {log.distance:.0f} pixels (enlarged)", log.image if log.best is None else log.best, None),
    ]
    for one, (title, values, colours) in zip(axes, maps, strict=True):
        one.imshow(values, cmap=colours, interpolation="nearest")
        one.set_title(title, fontsize=9)
        one.set_xticks([])
        one.set_yticks([])
    changed = np.argwhere((log.best != log.image).any(axis=-1))
    for row, column in changed:
        axes[-1].add_patch(plt.Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, ec="#d000d0", lw=1.5))
    middle = (changed.min(axis=0) + changed.max(axis=0)) / 2
    half = max(10.0, float(np.ptp(changed, axis=0).max()))
    axes[-1].set(xlim=(middle[1] - half, middle[1] + half), ylim=(middle[0] + half, middle[0] - half))


def main() -> None:
    """Write the picture."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "how-a-search-works.png"
    running = watch()
    easy, hard = record(EASY, running), record(HARD, running)
    plt.rcParams.update({"font.size": 9, "axes.titlesize": 10})
    figure = plt.figure(figsize=(10, 6), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(3, 2))
    left, right = above.subplots(1, 2)
    draw_course(left, easy, "A: speed limit 50, a few pixels are enough")
    draw_course(right, hard, "B: keep right, hard to flip")
    left.set_ylabel("changed pixels, best so far")
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for _, colour in PHASES.values()]
    handles.append(plt.Line2D([0], [0], color="#888888", lw=0.8, ls=":"))
    above.legend(handles, [*PHASES, "another tree"], loc="outside lower center", ncols=8, frameon=False, fontsize=9)
    draw_maps(list(below.subplots(1, 5)), easy)
    below.suptitle("A, at the end", fontsize=10)
    figure.savefig(out, dpi=110)
    print(f"{out}: {out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
