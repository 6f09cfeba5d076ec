"""Pictures hold what they should: the texts and the numbers of an SVG are read back."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from agents import UsageError
from evals.prompts import (
    KPoint,
    KSweep,
    Measured,
    PromptReport,
    Share,
    compare,
    draw_by_cost,
    draw_by_k,
    draw_by_shots,
    draw_confusions,
    draw_reports,
)
from evals.prompts.plots import _counts, _most_telling, _pooled

SWEEP = KSweep(tuple(KPoint(k, Share(0.5, 0.4, 0.6), 0.7, 1, 0, 1.0, 1.0) for k in (1, 3, 10)))
NAMES = [f"breed {index}" for index in range(30)]
LABELS = np.repeat(np.arange(30), 4)
BEFORE, AFTER = np.random.default_rng(0).integers(0, 30, (2, 120))
BEFORE[:60] = AFTER[:60] = LABELS[:60]
CHANGE = compare(BEFORE, AFTER, LABELS, NAMES)


def texts(path):
    return re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))


def test_curves_name_their_lines_and_places(tmp_path):
    draw_by_k({"clip:$a_b$": SWEEP, "x" * 90: SWEEP}, tmp_path / "k.svg")
    found = texts(tmp_path / "k.svg")
    assert {"clip:$a_b$", "1", "3", "10", "class among the candidates", f"{'x' * 18}…{'x' * 21}"} <= set(found)
    rows = [{"method": "probe", "shots": shots, "accuracy": 0.5} for shots in (1, 2, 5)]
    draw_by_shots(rows, tmp_path / "s.svg")
    assert {"probe", "1", "2", "5", "labelled images per class"} <= set(texts(tmp_path / "s.svg"))
    draw_by_cost([Measured("a", 0, 0.5), Measured("b", 666, 0.6, 0.5, 0.7)], tmp_path / "c.svg", unit="dollars")
    assert {"a", "b", "0", "666", "dollars"} <= set(texts(tmp_path / "c.svg"))


def test_repeats_are_averaged_with_students_interval():
    pooled = _pooled([Measured("a", 1, value) for value in (0.4, 0.5, 0.6)])
    half = 4.302652729911275 * 0.1 / np.sqrt(3)  # t of two degrees of freedom
    assert (pooled.accuracy, pooled.low, pooled.high) == pytest.approx((0.5, 0.5 - half, 0.5 + half))


def test_confusions_show_the_classes_that_change_and_count_the_others(tmp_path):
    names = _most_telling(CHANGE, 20)
    assert names == sorted(names, key=NAMES.index)
    shown = [NAMES.index(name) for name in names]
    changes = {one.name: abs(one.after - one.before) for one in CHANGE.classes}
    assert min(changes[name] for name in names) >= max((changes[name] for name in NAMES if name not in names), default=0)
    for after, decided in ((False, BEFORE), (True, AFTER)):
        table = _counts(CHANGE, names, after=after)
        for row, true in enumerate(shown):
            for column, other in enumerate(shown):
                assert table[row, column] == ((true == LABELS) & (decided == other)).sum()
            assert table[row].sum() == (true == LABELS).sum()
    draw_confusions(CHANGE, tmp_path / "c.svg")
    found = texts(tmp_path / "c.svg")
    assert {"others", "true class", *names} <= set(found)
    assert not {name for name in NAMES if name not in names} & set(found)
    draw_confusions(compare(LABELS, LABELS, LABELS, NAMES), tmp_path / "same.png", most=3)
    assert Image.open(tmp_path / "same.png").size[0] > 500


def test_the_same_picture_is_the_same_file(tmp_path):
    for ending in ("svg", "png"):
        for name in ("a", "b"):
            draw_by_k({"clip": SWEEP}, tmp_path / f"{name}.{ending}")
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


@pytest.mark.long
def test_all_pictures_of_several_reports(tmp_path):
    small = compare(np.array([0, 1]), np.array([0, 0]), np.array([0, 1]), ["cat", "dog"])
    reports = {"one": PromptReport(small, (), sweep=SWEEP), "two": PromptReport(small, ())}
    written = draw_reports(reports, tmp_path / "new" / "plots")
    assert sorted(path.name for path in written) == [
        "by-k.png", "by-k.svg", "confusions-1.png", "confusions-1.svg", "confusions-2.png", "confusions-2.svg",
    ]  # fmt: skip
    assert all(path.stat().st_size for path in written)


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda folder: draw_by_k({}, folder / "a.png"), "1 to 8 lines, not 0"),
        (lambda folder: draw_by_k({str(one): SWEEP for one in range(9)}, folder / "a.png"), "not 9"),
        (lambda folder: draw_by_k({"a": SWEEP}, folder / "a.pdf"), "neither"),
        (lambda folder: draw_by_shots([{"method": "a", "shots": 1}], folder / "a.png"), "and a number 'accuracy'"),
        (lambda folder: draw_confusions(CHANGE, folder / "a.png", most=0), "at least 1 class"),
    ],
)
def test_wrong_arguments_are_told(tmp_path, draw, says):
    with pytest.raises(UsageError, match=says):
        draw(tmp_path)
    assert not list(tmp_path.iterdir())
