"""Probabilities that were rounded before they were sent: recognised by their rounding, and compared as far as it allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

FLOOR = 1e-12  # smallest probability before the logarithm is taken, where nothing tells how small they may be
# Half of the smallest number above 0 of 16- and of 32-bit floats, and the smallest of 64-bit floats that keeps all its digits:
# some processors are set to take smaller ones for 0, which has no logarithm.
HALVES = ((np.float16, 2.0**-25), (np.float32, 2.0**-150))
LEAST = 2.0**-1022
DECIMALS = range(6, 13)  # that programs cut numbers off at; `UNITS` has those of fewer digits
# Decimals that endpoints round to, and the steps of networks whose outputs are bytes; the coarsest that fits is taken.
# One decimal is read as two: where 0.9 and 0.1 stand alone, most endpoints mean 0.90 and 0.10.
UNITS = (1e-2, 1 / 255, 1 / 256, 1e-3, 1e-4, 1e-5)
CLOSE = 1 - 1e-3  # of a unit: what is nearer to 0 is no multiple of it
PRECISION = 2e-7  # 32-bit floats of at most 1 are off by no more


def rounding_units(rows: Floats) -> Floats:
    """(N,) the unit of which all values of a row (N, K) in [0, 1] are multiples, such as 0.01; 0 where there is none.

    It is told from each row by itself, so that an answer means the same whatever was answered before. A row of nothing but 0
    and 1 has none.
    """
    found = np.zeros(len(rows))
    open_rows = np.flatnonzero(((rows > PRECISION) & (rows < 1 - PRECISION)).any(axis=1))
    for unit in UNITS:
        if not len(open_rows):
            break
        values = rows[open_rows]
        fits = (np.abs(np.rint(values / unit) * unit - values) <= PRECISION).all(axis=1)
        found[open_rows[fits]] = unit
        open_rows = open_rows[~fits]
    # values far below the unit are no zeros of that rounding: a softmax that goes down to 1e-9 was not rounded
    small = ((rows > 0) & (rows < CLOSE * found[:, None])).any(axis=1)
    found[small] = 0.0
    return found


def least_told(row: Floats) -> float:
    """What a probability of 0 stands for where a row (K,) is sent as this one is: less than the smallest number that it tells.

    That is half of the smallest 16- or 32-bit float if the row consists of such floats, half of the last decimal if all of its
    numbers end there, and otherwise the smallest 64-bit float. A row of nothing but 0 and 1, or of multiples of `UNITS`, counts
    as `FLOOR`: it does not say how the next one is rounded.
    """
    inner = row[(row > 0) & (row < 1)]
    if not len(inner) or rounding_units(row[None])[0] > 0:
        return FLOOR
    if inner.min() <= 1 / 2:  # of p and 1 - p, where one was computed from the other, the smaller one has no more digits
        inner = inner[inner <= 1 / 2]
    for kind, half in HALVES:
        with np.errstate(under="ignore"):
            if (inner.astype(kind) == inner).all():
                return half
    for digits in DECIMALS:
        if inner.min() >= CLOSE * 10.0**-digits and (np.abs(np.round(inner, digits) - inner) <= np.finfo(np.float64).eps).all():
            return 10.0**-digits / 2
    return LEAST


def lifted(rows: Floats, least: float = FLOOR) -> Floats:
    """Probabilities (N, K) above 0: a 0 of a rounded row counts as half its unit, every other one as `least`."""
    raised = np.maximum(rows, least)
    places = np.flatnonzero((rows <= 0).any(axis=1))
    if len(places):
        units = rounding_units(rows[places])
        raised[places] = np.maximum(raised[places], np.where(rows[places] <= 0, units[:, None] / 2, 0.0))
    return raised


def log_odds(rows: Floats, least: float = FLOOR) -> Floats:
    """Log p - log(1 - p) of sigmoids (N, K), finite: a 0 or 1 of a rounded row counts as half its unit from there.

    Every other 0 counts as `least`, and a 1 as 1 less `FLOOR`, or less `least` where that is more.
    """
    margins = np.full(len(rows), least)
    places = np.flatnonzero(((rows <= 0) | (rows >= 1)).any(axis=1))
    if len(places):
        margins[places] = np.maximum(least, rounding_units(rows[places]) / 2)
    inner = np.clip(rows, margins[:, None], 1 - np.maximum(margins, FLOOR)[:, None])
    return np.asarray(np.log(inner) - np.log1p(-inner))


def within_rounding(rows: Floats) -> NDArray[np.bool_]:
    """(N,) whether rows (N, K) in [0, 1] can be probabilities that were rounded or cut off: whether their sums allow it."""
    moves = _moves(rows)
    return np.asarray((moves > 0) & (rows.sum(axis=1) <= 1 + surplus(rows)) & (rows.sum(axis=1) >= 1 - moves * rows.shape[1]))


def surplus(rows: Floats) -> Floats:
    """(N,) how far the sums of rows (N, K) of probabilities may lie above 1 if each value was rounded, up or to the nearest.

    A value that became 0 was not rounded up. 0 for rows that were not rounded.
    """
    moves = _moves(rows)
    return np.asarray(np.where(moves > 0, moves * (rows > 0).sum(axis=1) + PRECISION * rows.shape[1], 0.0))


def _moves(rows: Floats) -> Floats:
    """(N,) how far rounding may have moved a value: by a unit, as digits may be cut off; with one decimal by half of 0.1."""
    units = rounding_units(rows)
    tenths = (np.abs(np.rint(rows * 10) / 10 - rows) <= PRECISION).all(axis=1)
    return np.asarray(np.where((units > 0) & tenths, 0.05, units))


def step_between(first: Floats, second: Floats) -> float:
    """How far rounding may move the values of two (K,) answers: one unit where the largest of both are multiples of it, else 0.

    Only the largest values are looked at, because the smallest ones may have been filled in.
    """
    largest = np.stack([np.sort(one)[-3:] for one in (first, second)])
    if largest.min() < 0 or largest.max() > 1:
        return 0.0
    return float(rounding_units(largest.reshape(1, -1))[0])
