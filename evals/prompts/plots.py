"""Pictures of evaluations of prompts: accuracy by candidates, by shots and by cost, and confusions before and after."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from evals.prompts.comparison import Comparison
    from evals.prompts.evidence import PromptReport
    from evals.prompts.sweep import KSweep

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#7f7f7f")
"""Okabe and Ito's colours, which most people tell apart who see few colours, and grey."""
MARKERS = "osD^vPX*"
MOST_LINES = len(COLOURS)
MOST_TICKS = 12
"""Places on an axis that each get a number; more would run into each other."""
MOST_CLASSES = 20
"""Classes in a picture of confusions: the numbers in more cells can't be read on a page."""


@dataclass(frozen=True)
class Measured:
    """One point of a curve: a method, where it stands on the axis, and its accuracy.

    Attributes:
        method: name of the method.
        at: number of shots, or cost.
        accuracy: share of images.
        low: lower end of its interval; None where there is none.
        high: upper end of its interval.
    """

    method: str
    at: float
    accuracy: float
    low: float | None = None
    high: float | None = None


def draw_by_k(sweeps: Mapping[str, KSweep], path: str | os.PathLike[str]) -> None:
    """Accuracy by the number of candidates, with 95 % intervals, and the share of images whose class is among them.

    Args:
        sweeps: sweeps by the name of their line, such as the encoder.
        path: the file, .png or .svg.

    Raises:
        UsageError: there is no sweep, there are more than eight, or the file is neither .png nor .svg.
    """
    _check(len(sweeps), path)
    with _picture(path, (7, 4.4)) as (_, axes):
        for number, (name, sweep) in enumerate(sweeps.items()):
            at = np.array([one.k for one in sweep.points]) * _apart(number, len(sweeps))
            values = np.array([one.accuracy.value for one in sweep.points])
            reach = [
                [one.accuracy.value - one.accuracy.low for one in sweep.points],
                [one.accuracy.high - one.accuracy.value for one in sweep.points],
            ]
            _line(axes, number, at, values, np.maximum(reach, 0), _plain(name))
            reachable = [one.reachable for one in sweep.points]
            axes.plot(at, reachable, color=COLOURS[number], linestyle=":", linewidth=1)
        grey = COLOURS[0] if len(sweeps) == 1 else "#555555"
        axes.plot([], [], color=grey, linestyle=":", label="class among the candidates")
        axes.set_xscale("log")
        _ticks(axes, sorted({one.k for sweep in sweeps.values() for one in sweep.points}))
        axes.set_xlabel("candidates that get a second look (1: first look alone)")
        _finish(axes)


def draw_by_shots(rows: Sequence[Measured | Mapping[str, Any]], path: str | os.PathLike[str]) -> None:
    """Accuracy by the number of labelled images per class, one line per method.

    Args:
        rows: `Measured`, or mappings with "method", "shots" and "accuracy" (and "low" and "high"). Several rows of a method at
            one place are repeats, such as seeds: their mean is drawn, with the 95 % interval of the mean (Student's t).
        path: the file, .png or .svg.

    Raises:
        UsageError: there are no rows, more than eight methods, a row lacks something, or the file is neither .png nor .svg.
    """
    _draw_rows(rows, path, "shots", "labelled images per class")


def draw_by_cost(
    rows: Sequence[Measured | Mapping[str, Any]], path: str | os.PathLike[str], unit: str = "requests to the language model"
) -> None:
    """Accuracy by cost, one line per method; the arguments are those of `draw_by_shots`, with "cost" in the place of "shots".

    Args:
        rows: as in `draw_by_shots`.
        path: the file, .png or .svg.
        unit: what the cost is counted in.

    Raises:
        UsageError: as in `draw_by_shots`.
    """
    _draw_rows(rows, path, "cost", unit)


def draw_confusions(comparison: Comparison, path: str | os.PathLike[str], most: int = MOST_CLASSES) -> None:
    """What images of each class are taken for, before and after, side by side: a cell counts images.

    With more than `most` classes those are shown whose number of right images changes most, then those that are confused most
    often; the last column counts the decisions for classes that are not shown.

    Args:
        comparison: the comparison.
        path: the file, .png or .svg.
        most: how many classes are shown.

    Raises:
        UsageError: `most` is below 1, or the file is neither .png nor .svg.
    """
    _check(1, path)
    if most < 1:
        raise UsageError(f"a picture of confusions shows at least 1 class, not {most}")
    names = _most_telling(comparison, most)
    tables = [_counts(comparison, names, after=after) for after in (False, True)]
    others = any(table[:, -1].any() for table in tables)
    labels = [_plain(name) for name in names]
    side = 0.5 + 0.27 * len(names)
    words_wide = 0.07 * max(map(len, labels), default=0)  # inches of the longest name
    size = (max(7.0, 2 * side + words_wide + 0.6), side + words_wide + 1.0)
    with _picture(path, size, columns=2) as (figure, panels):
        peak = max(1, *(int(table.max()) for table in tables))
        for axes, table, words, share in zip(
            panels, tables, ("before", "after"), (comparison.before, comparison.after), strict=True
        ):
            shown = table if others else table[:, :-1]
            right = np.arange(shown.shape[0])[:, None] == np.arange(shown.shape[1])
            for colours, of in (("Blues", right), ("Oranges", ~right)):
                values = np.ma.masked_array(shown, mask=~of | (shown == 0))
                axes.imshow(values, cmap=colours, vmin=0, vmax=peak * 1.4, aspect="equal")
            for row, column in zip(*np.nonzero(shown), strict=True):
                dark = shown[row, column] > 0.75 * peak
                axes.text(column, row, shown[row, column], ha="center", va="center", fontsize=7, color="w" if dark else "k")
            axes.set_xticks(range(shown.shape[1]), [*labels, "others"][: shown.shape[1]], rotation=90, fontsize=8)
            axes.set_yticks(range(len(names)), labels if axes is panels[0] else [""] * len(names), fontsize=8)
            axes.set_xticks(np.arange(shown.shape[1] + 1) - 0.5, minor=True)
            axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
            axes.grid(which="minor", color="#dddddd", linewidth=0.6)
            axes.tick_params(which="both", length=0)
            axes.spines[:].set_visible(False)
            axes.set_title(f"{words}: {share.value:.1%} of all images right", fontsize=9)
            axes.set_xlabel("decided")
        panels[0].set_ylabel("true class")
        all_of = len(comparison.classes)
        more = f"{len(names)} of {all_of} classes: those that change or are confused most. " if all_of > len(names) else ""
        figure.suptitle(f"{more}{len(comparison.fixed)} fixed, {len(comparison.broken)} broken", fontsize=10)


def draw_reports(reports: Mapping[str, PromptReport], folder: str | os.PathLike[str]) -> list[Path]:
    """Draw what reports hold, as .png and as .svg: the confusions of each, and accuracy by k of those with a sweep.

    Args:
        reports: reports by name, such as the encoder's.
        folder: where the files go; it is made if there is none.

    Returns:
        The files: `confusions.png` (or `confusions-1.png` and so on for several reports), `by-k.png`, and the same as .svg.

    Raises:
        UsageError: there are more than eight reports.
    """
    where = Path(folder)
    where.mkdir(parents=True, exist_ok=True)
    sweeps = {name: report.sweep for name, report in reports.items() if report.sweep is not None}
    written: list[Path] = []
    for ending in (".png", ".svg"):
        for number, report in enumerate(reports.values(), start=1):
            written.append(where / f"confusions{f'-{number}' if len(reports) > 1 else ''}{ending}")
            draw_confusions(report.comparison, written[-1])
        if sweeps:
            written.append(where / f"by-k{ending}")
            draw_by_k(sweeps, written[-1])
    return written


def _most_telling(comparison: Comparison, most: int) -> list[str]:
    """The classes to show, in the order of the class list."""
    confused: dict[str, int] = {}
    for one in comparison.confused:
        for name in (one.true, one.decided):
            confused[name] = confused.get(name, 0) + one.before + one.after
    changes = {one.name: abs(one.after - one.before) for one in comparison.classes}
    ranked = sorted(changes, key=lambda name: (-changes[name], -confused.get(name, 0)))
    chosen = set(ranked[:most])
    return [one.name for one in comparison.classes if one.name in chosen]


def _counts(comparison: Comparison, names: Sequence[str], *, after: bool) -> NDArray[np.int64]:
    place = {name: index for index, name in enumerate(names)}
    table = np.zeros((len(names), len(names) + 1), dtype=np.int64)
    for one in comparison.classes:
        if one.name in place:
            table[place[one.name], place[one.name]] = one.after if after else one.before
    for pair in comparison.confused:
        if pair.true in place:
            table[place[pair.true], place.get(pair.decided, -1)] += pair.after if after else pair.before
    return table


def _draw_rows(rows: Sequence[Measured | Mapping[str, Any]], path: str | os.PathLike[str], key: str, axis: str) -> None:
    measured = [one if isinstance(one, Measured) else _measured(one, key) for one in rows]
    methods = list(dict.fromkeys(one.method for one in measured))
    _check(len(methods), path)
    with _picture(path, (7, 4.4)) as (_, axes):
        places = sorted({one.at for one in measured})
        wide = places[0] > 0 and places[-1] / places[0] >= 4  # shots are 1, 2, 5, 10; costs span more than that
        for number, method in enumerate(methods):
            points = [_pooled([one for one in measured if one.method == method and one.at == at]) for at in places]
            own = [one for one in points if one is not None]
            at = np.array([one.at for one in own]) * (_apart(number, len(methods)) if wide else 1)
            values = np.array([one.accuracy for one in own])
            low = np.array([one.accuracy if one.low is None else one.low for one in own])
            high = np.array([one.accuracy if one.high is None else one.high for one in own])
            _line(axes, number, at, values, np.maximum([values - low, high - values], 0), _plain(method))
        if wide:
            axes.set_xscale("log")
        _ticks(axes, places)
        axes.set_xlabel(axis)
        _finish(axes)


def _measured(row: Mapping[str, Any], key: str) -> Measured:
    try:
        low, high = row.get("low"), row.get("high")
        return Measured(
            str(row["method"]),
            float(row[key]),
            float(row["accuracy"]),
            None if low is None else float(low),
            None if high is None else float(high),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(f"a row needs a method, a number {key!r} and a number 'accuracy', and {row!r:.200} has not") from None


def _pooled(points: Sequence[Measured]) -> Measured | None:
    """The mean of repeats, with the interval of the mean; a single point as it is."""
    if len(points) < 2:
        return points[0] if points else None
    from scipy.stats import t

    values = np.array([one.accuracy for one in points])
    half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    mean = float(values.mean())
    return Measured(points[0].method, points[0].at, mean, mean - half, mean + half)


def _check(lines: int, path: str | os.PathLike[str]) -> None:
    if not 1 <= lines <= MOST_LINES:
        raise UsageError(f"a picture shows 1 to {MOST_LINES} lines, not {lines}")
    if Path(path).suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"a picture is written as .png or .svg, and {path} is neither")


@contextmanager
def _picture(path: str | os.PathLike[str], size: tuple[float, float], columns: int = 1) -> Iterator[tuple[Any, Any]]:
    """An empty figure and its axes; the file is written at the end."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    kind = Path(path).suffix.lower()[1:]
    # no mathematics between dollar signs in names of classes; texts of an SVG stay texts
    with mpl.rc_context({"svg.hashsalt": "saywhy", "svg.fonttype": "none", "text.parse_math": False}):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(1, columns)
        yield figure, axes
        metadata: dict[str, Any] = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
        with atomic_open(path, "wb") as stream:
            figure.savefig(stream, format=kind, dpi=150, metadata=metadata)


def _line(axes: Any, number: int, at: Any, values: Any, reach: Any, label: str) -> None:
    axes.errorbar(
        at, values, yerr=reach, color=COLOURS[number], marker=MARKERS[number], markersize=4, capsize=2, linewidth=1.4,
        elinewidth=0.8, label=label,
    )  # fmt: skip


def _apart(number: int, count: int) -> float:
    """A factor that sets the points of several lines side by side on a logarithmic axis, so that their bars stand apart."""
    return float(1.012 ** (number - (count - 1) / 2))


def _ticks(axes: Any, places: Sequence[float]) -> None:
    if len(places) <= MOST_TICKS:
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.set_xticks([], minor=True)


def _finish(axes: Any) -> None:
    percent: Callable[[float, object], str] = lambda value, _: f"{100 * value:.3g}%"  # noqa: E731
    axes.yaxis.set_major_formatter(percent)
    axes.set_ylabel("accuracy, with 95 % intervals")
    axes.grid(axis="y", color="#e5e5e5", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=2, fontsize=8, frameon=False)


def _plain(name: str) -> str:
    """A name short enough for a picture."""
    return name if len(name) <= 40 else f"{name[:18]}…{name[-21:]}"
