"""Sentences about two audits read back, and their figures counted again in SQL.

The comparison computes its figures in Python, over the records. Here each is read from the sentence and counted from a table of
the rows by a query of its own, so that a mistake in one place shows in the other.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from adversarial.audit.comparing.measuring import PairedAudits

SLACK = 1 + 1e-6  # what lies between two figures is rounded up here and down there
Verdict: TypeAlias = Literal["true", "false", "not verified"]

_TABLES = """
CREATE TABLE images (side TEXT, id INTEGER, status TEXT, label INTEGER, distance REAL, trace TEXT, lower INTEGER,
 upper INTEGER, PRIMARY KEY (side, id));
CREATE TABLE weather (side TEXT, image INTEGER, kind TEXT, severity INTEGER, value REAL, predicted INTEGER,
 PRIMARY KEY (side, image, kind, severity));
CREATE TABLE pairs (before INTEGER, after INTEGER)
"""
_JUDGED = "{0}.status IN ('found', 'held', 'wrong')"
_NEAREST = """CASE WHEN {0}.status = 'wrong' THEN 0.0 WHEN {0}.status = 'held' THEN 9e999
 WHEN :queries IS NULL THEN {0}.distance
 ELSE coalesce((SELECT min(json_extract(step.value, '$[1]')) FROM json_each({0}.trace) AS step
  WHERE json_extract(step.value, '$[0]') <= :queries), 9e999) END"""
_PAIRED = """FROM pairs JOIN images AS one ON one.side = 'before' AND one.id = pairs.before
 JOIN images AS two ON two.side = 'after' AND two.id = pairs.after"""
_VALUES = {
    "accuracy": "{0}.status != 'wrong'",
    "robust_accuracy": f"{{0}}.status != 'wrong' AND CASE WHEN :at IS NULL THEN {_NEAREST} >= 9e999 "
    f"ELSE {_NEAREST} > :at * 1.000001 END",
    "found": f"{{0}}.status = 'found' AND {_NEAREST} < 9e999",
    "failed": "{0}.status = 'failed'",
    "median_distance": _NEAREST,
    "mean_distance": _NEAREST,
    "proved_bound": "{0}.lower",
    "exact_bounds": "coalesce({0}.lower = {0}.upper, 0)",
}
_IN_WEATHER = f"""
SELECT avg(one.status != 'wrong' AND w.predicted = one.label), avg(two.status != 'wrong' AND v.predicted = two.label)
 {_PAIRED} JOIN weather AS w ON w.side = 'before' AND w.image = one.id
 JOIN weather AS v ON v.side = 'after' AND v.image = two.id AND (v.kind, v.severity, v.value) = (w.kind, w.severity, w.value)
 WHERE {_JUDGED.format("one")} AND {_JUDGED.format("two")} AND w.kind = coalesce(:kind, w.kind)
 AND w.severity = coalesce(:severity, w.severity) GROUP BY one.id
"""
_VALUE = r"([\d,.]+(?:e[+-]\d+)?%?|beyond what was found)(?: \([^()]* to [^()]*\))?"
_SENTENCE = re.compile(
    rf"(\S+) (?:(falls|rises) from {_VALUE} to|stays(?: at)?) {_VALUE} on ([\d,]+) images?"
    r"(?:, a difference of [^()]+(?:\([^()]*\))?)?"
    r" \((?:([\d,]+) higher, ([\d,]+) lower, p = [^()]*|no image changed)\)(?:; .*)?\."
)


class Recount:
    """The rows of two audits in tables of their own.

    Args:
        audits: both, paired.
    """

    def __init__(self, audits: PairedAudits) -> None:
        self._limit = audits.limit
        self._database = sqlite3.connect(":memory:")
        self._database.executescript(_TABLES)
        for side, audit in (("before", audits.before), ("after", audits.after)):
            self._database.executemany(
                "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",
                (
                    (side, one.id, one.status, one.label, one.distance, json.dumps([row for row in one.trace if row[1]]))
                    for one in audit.records
                ),
            )  # fmt: skip
            self._database.executemany(
                "UPDATE images SET lower = ?, upper = ? WHERE side = ? AND id = ?",
                ((one.lower, one.upper, side, number) for number, one in audit.proofs.items()),
            )
            self._database.executemany(
                "INSERT INTO weather VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (side, one.image, one.kind, one.severity, round(one.value, 9), one.predicted)
                    for found in audit.weather.values()
                    for one in found
                ),
            )
        self._database.executemany("INSERT INTO pairs VALUES (?, ?)", ((one.id, two.id) for one, two in audits.pairs))

    def close(self) -> None:
        """Forget the rows."""
        self._database.close()

    def judge(self, sentence: str) -> Verdict:
        """Whether the figures of a sentence about a metric are those of the rows; "not verified" where no form reads it."""
        read = _SENTENCE.fullmatch(sentence)
        if read is None:
            return "not verified"
        metric, _, old, new, images, rises, falls = read.groups()
        values = self._values(metric)
        if values is None:
            return "not verified"
        name = re.split("[:@]", metric)[0]
        sides = [self._total(name, side, [pair[place] for pair in values]) for place, side in enumerate(("before", "after"))]
        if name == "mean_distance":
            top = max(value for pair in values for value in pair if math.isfinite(value))
            sides = [math.fsum(min(pair[place], top) for pair in values) / len(values) for place in (0, 1)]
        ups, downs = sum(two > one for one, two in values), sum(two < one for one, two in values)
        said = [_number(images), _number(rises or "0"), _number(falls or "0")]
        fits = _says(new, sides[1]) and (_says(old, sides[0]) if old else math.isclose(sides[0], sides[1]))
        return "true" if fits and said == [len(values), ups, downs] else "false"

    def _values(self, metric: str) -> list[tuple[float, float]] | None:
        """The values of each image in both audits."""
        head, _, points = metric.partition("@")
        name, _, kind = head.partition(":")
        given = dict(point.split("=") for point in points.split(",") if point)
        queries = min((one for one in (given.pop("queries", None), self._limit) if one is not None), key=int, default=None)
        severity, at = given.pop("severity", None), next(iter(given.values()), None)
        named = {
            "queries": None if queries is None else int(queries), "at": None if at is None else float(at),
            "kind": kind or None, "severity": None if severity is None else int(severity),
        }  # fmt: skip
        if name == "weather":
            if self._count("SELECT count(*) FROM images WHERE status = 'wrong'"):
                return None  # such images may have no rows in the weather, and count as wrong there all the same
            query = _IN_WEATHER
        elif name in _VALUES:
            value, judged = _VALUES[name], " AND ".join(_JUDGED.format(one) for one in ("one", "two"))
            where = "1" if name == "failed" else judged
            if name.endswith("_distance"):
                where += " AND one.status != 'wrong' AND two.status != 'wrong'"
            if name in ("proved_bound", "exact_bounds"):
                where += " AND one.lower IS NOT NULL AND two.lower IS NOT NULL AND 'wrong' NOT IN (one.status, two.status)"
            query = f"SELECT {value.format('one')}, {value.format('two')} {_PAIRED} WHERE {where}"
        else:
            return None
        with closing(self._database.execute(query, named)) as found:
            return [(float(one), float(two)) for one, two in found]

    def _total(self, name: str, side: str, values: list[float]) -> float:
        if name == "failed":
            return float(self._count(f"SELECT count(*) FROM images WHERE status = 'failed' AND side = '{side}'"))  # noqa: S608
        if name == "found":
            return math.fsum(values)
        if name == "median_distance":
            return sorted(values)[(len(values) + 1) // 2 - 1]
        return math.fsum(values) / len(values)

    def _count(self, query: str) -> int:
        return int(self._database.execute(query).fetchone()[0])


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _says(text: str, value: float) -> bool:
    """Whether a figure is this value, as far as its digits tell."""
    if text == "beyond what was found":
        return math.isinf(value)
    if not math.isfinite(value):
        return False
    if text.endswith("%"):
        return abs(float(text[:-1]) - 100 * value) <= 0.05 * SLACK
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 3) if value else 0.0  # of the last of four digits
    return text == f"{value:,.0f}" or abs(float(text.replace(",", "")) - value) <= 0.5 * unit * SLACK
