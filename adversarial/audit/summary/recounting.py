"""Sentences about the whole of an audit read back, and their figures counted again in SQL, row by row.

The summary computes its figures in Python, over the records. Here each is read from the sentence and counted from a table of
the rows by a query of its own, and intervals are those of scipy, so that a mistake in one place shows in the other.
"""

from __future__ import annotations

import re
import sqlite3
import warnings
from contextlib import closing
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from adversarial.audit.summary.nouns import Statement
from adversarial.audit.summary.statements import percent
from adversarial.bounds.pixel_words import condition_of
from adversarial.distances.distance import DISTANCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from adversarial.audit.records import ImageRecord, ProofRecord, WeatherRecord
    from adversarial.findings.facts import Verdict

_ATTACKED, _JUDGED = "status IN ('found', 'held')", "status IN ('found', 'held', 'wrong')"
_TABLES = """
CREATE TABLE images (id INTEGER PRIMARY KEY, status TEXT, label INTEGER, label_name TEXT, adversarial INTEGER,
 adversarial_name TEXT, distance REAL, first INTEGER, queries INTEGER, place TEXT, png INTEGER, jpeg INTEGER);
CREATE TABLE weather (image INTEGER, kind TEXT, severity INTEGER, flipped INTEGER);
CREATE TABLE proofs (image INTEGER, lower INTEGER, upper INTEGER, condition TEXT, ended INTEGER);
CREATE VIEW attacked AS SELECT *,
 CASE WHEN label_name IS NULL THEN 'class ' || label ELSE char(39) || label_name || char(39) END AS said,
 CASE WHEN adversarial_name IS NULL THEN 'class ' || adversarial ELSE char(39) || adversarial_name || char(39) END AS now
 FROM images WHERE status IN ('found', 'held');
CREATE VIEW hit AS SELECT image, max(flipped) AS flipped FROM weather GROUP BY image
"""


class Rows:
    """The rows of an audit in a table of their own, for counting.

    Args:
        norm: the name of the distance.
    """

    def __init__(self, norm: str) -> None:
        self.norm = norm
        self._database = sqlite3.connect(":memory:")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Forget the rows."""
        self._database.close()

    def add(self, record: ImageRecord, distance: float | None) -> None:
        """Add an image, with its distance in the distance of the audit."""
        firsts = [queries for queries, found in record.trace if found is not None]
        values = (
            record.id, record.status, record.label, record.label_name, record.adversarial_label, record.adversarial_name,
            distance, firsts[0] if firsts else record.found_after, record.search_queries or record.queries, record.place,
            record.survives.get("png"), record.survives.get("jpeg"),
        )  # fmt: skip
        self._database.execute("INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def add_weather(self, records: Iterable[WeatherRecord]) -> None:
        """Add what the weather did."""
        rows = ((one.image, one.kind, one.severity, one.flipped) for one in records)
        self._database.executemany("INSERT INTO weather VALUES (?, ?, ?, ?)", rows)

    def add_proof(self, record: ProofRecord) -> None:
        """Add what was proved about an image."""
        self._database.execute(
            "INSERT INTO proofs VALUES (?, ?, ?, ?, ?)",
            (record.image, record.lower, record.upper, condition_of(record.network), record.ended),
        )

    def count(self, query: str, *values: Any) -> int:
        """How many rows a query finds, which is what follows "SELECT count"."""
        return int(self._database.execute(f"SELECT count(*) {query}", values).fetchone()[0])

    def column(self, query: str, *values: Any) -> list[Any]:
        """The first column that a query finds."""
        with closing(self._database.execute(query, values)) as found:
            return [row[0] for row in found]


_FOUND = "FROM attacked WHERE status = 'found'"
_AS_MANY = f"FROM (SELECT count(*) AS number {_FOUND} GROUP BY said, now) WHERE number >= ?"


def judged(about: str, text: str, rows: Rows) -> Statement:
    """The sentence with its verdict: "not verified" where no form reads it."""
    verdict: Verdict = "not verified"
    for form, holds in _FORMS:
        found = form.fullmatch(text)
        if found is not None:
            verdict = "true" if holds(found.groups(), rows) else "false"
            break
    return Statement(about, text, verdict)


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _images(said: Sequence[str], rows: Rows) -> bool:
    total, attacked, wrong, failed, waiting = map(_number, said)
    have = [rows.count(f"FROM images WHERE {which}") for which in (_ATTACKED, "status = 'wrong'")]
    have += [rows.count("FROM images WHERE status = ?", status) for status in ("failed", "waiting")]
    return [attacked, wrong, failed, waiting] == have and total == rows.count("FROM images")


def _outcomes(said: Sequence[str], rows: Rows) -> bool:
    attacked, found, held = map(_number, said)
    have = [rows.count("FROM images WHERE status = ?", status) for status in ("found", "held")]
    return [found, held] == have and attacked == rows.count("FROM attacked")


def _distance(text: str, rows: Rows) -> float | None:
    """A distance as `Distance.in_words` writes it; None where it is none of this distance."""
    distance = DISTANCES.get(rows.norm)
    found = re.fullmatch(r"([\d,]+) pixels?" if distance.counts_pixels else rf"(\S+) in {re.escape(distance.title)}", text)
    try:
        value = None if found is None else float(found[1].replace(",", ""))
    except ValueError:
        return None
    return value if value is not None and distance.in_words(value) == text else None


def _median(said: Sequence[str], rows: Rows) -> bool:
    """Whether half of the attacked images, not less, were turned within the smallest distance that is written so."""
    attacked = rows.count("FROM attacked")
    query = (
        "SELECT distance FROM (SELECT distance, rank() OVER (ORDER BY distance) + count(*) OVER (PARTITION BY distance) - 1 "
        "AS within FROM attacked WHERE distance IS NOT NULL) WHERE 2 * within >= ? ORDER BY distance LIMIT 1"
    )
    found = rows.column(query, attacked)
    return bool(found) and DISTANCES.get(rows.norm).in_words(found[0]) == said[0]


def _no_median(_: Sequence[str], rows: Rows) -> bool:
    return 2 * rows.count("FROM attacked WHERE distance IS NOT NULL") < rows.count("FROM attacked")


def _held_at(said: Sequence[str], rows: Rows) -> bool:
    from scipy.stats import binomtest

    at, total, held = _distance(said[0], rows), _number(said[2]), _number(said[1])
    if at is None or total != rows.count(f"FROM images WHERE {_JUDGED}"):
        return False
    have = rows.count("FROM attacked WHERE distance IS NULL OR distance > ?", at)
    interval = binomtest(have, total).proportion_ci(0.95, method="wilson")
    return held == have and _same(said[3:], (have / total, interval.low, interval.high))


def _held_after(said: Sequence[str], rows: Rows) -> bool:
    from scipy.stats import CensoredData, ecdf

    turned = rows.column("SELECT coalesce(first, queries) FROM attacked WHERE status = 'found'")
    held = rows.column("SELECT queries FROM attacked WHERE status = 'held'")
    curve = ecdf(CensoredData(uncensored=turned, right=held)).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # there is no interval where all or none are left
        limits: Any = curve.confidence_interval(0.95, method="log-log")
    at = float(_number(said[0]))
    figures: list[float] = [float(one.evaluate([at])[0]) for one in (curve, limits.low, limits.high)]
    return _same(said[1:], figures)


def _class(said: Sequence[str], rows: Rows) -> bool:
    least, name, count, of = _number(said[0]), said[1], _number(said[2]), _number(said[3])
    turned = rows.count("FROM attacked WHERE said = ? AND status = 'found'", name)
    all_ = rows.count("FROM attacked WHERE said = ?", name)
    others = _shares(least, rows)
    return (count, of) == (turned, all_) and all_ >= least and sum(share >= Fraction(count, of) for share in others) == 1


def _classes(said: Sequence[str], rows: Rows) -> bool:
    shares = _shares(_number(said[1]), rows)
    most = max(shares, default=Fraction(0))
    return shares.count(most) == _number(said[0]) > 1 and _same(said[2:], (float(most),))


def _shares(least: int, rows: Rows) -> list[Fraction]:
    """The share of turned images of each class with so many attacked ones."""
    turned = "FROM attacked GROUP BY said HAVING count(*) >= ? ORDER BY said"
    counts = zip(
        rows.column(f"SELECT sum(status = 'found') {turned}", least),
        rows.column(f"SELECT count(*) {turned}", least),
        strict=True,
    )
    return [Fraction(count, of) for count, of in counts]


def _flip(said: Sequence[str], rows: Rows) -> bool:
    label, now, count, of = said[0], said[1], _number(said[2]), _number(said[3])
    have = rows.count(f"{_FOUND} AND said = ? AND now = ?", label, now)
    return (count, of) == (have, rows.count(_FOUND)) and rows.count(_AS_MANY, count) == 1


def _flips(said: Sequence[str], rows: Rows) -> bool:
    alike, count, of = map(_number, said)
    more = rows.count(_AS_MANY, count + 1)
    return more == 0 and of == rows.count(_FOUND) and alike == rows.count(_AS_MANY, count) > 1


def _place(said: Sequence[str], rows: Rows) -> bool:
    from verbalize.parts import located

    count, of = _number(said[0]), _number(said[1])
    found = "FROM images WHERE status = 'found' AND place IS NOT NULL"
    places = rows.column(f"SELECT place {found} GROUP BY place ORDER BY count(*) DESC")
    mine = [place for place in places if located(place) == said[2]]
    most = rows.count(f"{found} AND place = ?", places[0]) if places else 0
    tied = rows.count(f"FROM (SELECT count(*) AS number {found} GROUP BY place) WHERE number = ?", most)
    tail = None if count == of else "as" if tied == 1 else "more"
    fits = bool(mine) and count == most == rows.count(f"{found} AND place = ?", mine[0]) and of == rows.count(found)
    return fits and said[3] == tail


def _any_weather(said: Sequence[str], rows: Rows) -> bool:
    have = rows.count("FROM attacked JOIN hit ON image = id WHERE flipped")
    return [_number(one) for one in said] == [have, rows.count("FROM attacked JOIN hit ON image = id")]


def _worst_weather(said: Sequence[str], rows: Rows) -> bool:
    kind, severity, count, of = said[0], _number(said[1]), _number(said[2]), _number(said[3])
    which = "FROM attacked JOIN weather ON image = id WHERE kind = ? AND severity = ?"
    have = rows.count(f"{which} AND flipped", kind, severity), rows.count(which, kind, severity)
    query = (
        "FROM (SELECT sum(flipped) AS turned, count(*) AS all_ FROM attacked JOIN weather ON image = id "
        "GROUP BY kind, severity) WHERE turned * ? > ? * all_"
    )
    return (count, of) == have and _same(said[4:], (count / of,)) and rows.count(query, of, count) == 0


def _brittle(said: Sequence[str], rows: Rows) -> bool:
    which = "FROM attacked JOIN hit ON image = id WHERE status = ? AND flipped = ?"
    cells = (("found", 0), ("held", 1), ("found", 1), ("held", 0))
    return [_number(one) for one in said] == [rows.count(which, *cell) for cell in cells]


def _saved(said: Sequence[str], rows: Rows) -> bool:
    column = {"PNG": "png", "JPEG": "jpeg"}[said[1]]
    of, have = (rows.count(f"FROM images WHERE {column} {which}") for which in ("IS NOT NULL", "= 1"))
    return (_number(said[0]), _number(said[2])) == (of, have) and _same(said[3:], (have / of,))


def _exact(said: Sequence[str], rows: Rows) -> bool:
    have = rows.count("FROM proofs WHERE lower = upper"), rows.count("FROM proofs")
    return tuple(map(_number, said)) == have


def _unproved(said: Sequence[str], rows: Rows) -> bool:
    return _number(said[0]) == rows.count(
        "FROM images WHERE status IN ('found', 'held') AND id NOT IN (SELECT image FROM proofs)"
    )


def _stopped(said: Sequence[str], rows: Rows) -> bool:
    return _number(said[0]) == rows.count("FROM proofs WHERE NOT ended AND lower IS NOT upper")


def _against(said: Sequence[str], rows: Rows) -> bool:
    number, of, words, values, condition = said
    pixels = 1 if words == "single pixel" else _number(words.removesuffix(" pixels"))
    have = rows.count("FROM proofs WHERE lower > ?", pixels), rows.count("FROM proofs")
    others = rows.count("FROM proofs WHERE condition IS NOT ?", condition)
    return (_number(number), _number(of)) == have and not others and (pixels == 1) == (values == "its value")


def _same(said: Sequence[str], figures: Sequence[float]) -> bool:
    return list(said) == [percent(figure) for figure in figures]


_N, _P = r"([\d,]+)", r"(100%|0%|over 99\.9%|under 0\.1%|\d{1,2}\.\d%)"
_IMAGES = (
    rf"Of {_N} images?, {_N} (?:was|were) attacked, {_N} (?:was|were) classified wrongly(?: \(or as the goal\))? before "
    rf"anything was changed, {_N} could not be attacked, and {_N} (?:is|are) waiting\."
)
_OUTCOMES = (
    rf"Of {_N} attacked images?, {_N} (?:was|were) turned by a change that the search found, and {_N} held within "
    r"the budget(?:, which does not prove that they always hold)?\."
)
_MEDIAN = r"The median distance of the attacked images is (.+); images that held count as farther\."
_NO_MEDIAN = r"Fewer than half of the attacked images were turned, so that there is no median distance\."
_HELD_AT = (
    rf"At (.+), {_N} of {_N} images? \({_P}\) have their right class and no known adversarial example "
    rf"\(95% interval {_P} to {_P}\)\."
)
_HELD_AFTER = (
    rf"After {_N} quer(?:y|ies), an estimated {_P} of the attacked images had not been turned "
    rf"\(95% interval {_P} to {_P}; searches that found nothing are censored\)\."
)
_EXACT = rf"For {_N} of {_N} images? with a proof, the fewest pixels that flip (?:it|them) are known exactly\."
_UNPROVED = rf"{_N} attacked images? ha(?:s|ve) no proof\."
_STOPPED = rf"{_N} (?:proof was|proofs were) interrupted, so that more may be proved\."
_AGAINST = (
    rf"{_N} of {_N} images? with a proof holds? against any (single pixel|[\d,]+ pixels), whatever (its value|their values) "
    r"\((.+)\)\."
)
_CLASS = rf"Of the classes with {_N} or more attacked images, (.+) was turned most often, with {_N} of {_N}\."
_CLASSES = rf"{_N} classes with {_N} or more attacked images were turned most often, with {_P} of each\."
_FLIP = rf"The most frequent flip is from (.+) to (.+), with {_N} of {_N}\."
_FLIPS = rf"{_N} flips are the most frequent, with {_N} of {_N} each\."
_PLACE = rf"In {_N} of {_N} adversarial examples?, the changed pixels lie (.+?)(?:; no other place is (more|as) frequent)?\."
_ANY_WEATHER = rf"Some weather changed the decision on {_N} of {_N} attacked images?\."
_WORST_WEATHER = rf"No weather changed more decisions than (.+) at severity {_N}, with {_N} of {_N} \({_P}\)\."
_BRITTLE = (
    rf"The search but no weather turned {_N} images?, some weather but not the search {_N}, both turned {_N}, and neither "
    rf"turned {_N}\."
)
_SAVED = rf"Of {_N} adversarial examples? that (?:was|were) saved as (PNG|JPEG), {_N} stayed adversarial \({_P}\)\."

_Holds: TypeAlias = "Callable[[Sequence[str], Rows], bool]"
_READERS: tuple[tuple[str, _Holds], ...] = (
    (_IMAGES, _images),
    (_OUTCOMES, _outcomes),
    (_MEDIAN, _median),
    (_NO_MEDIAN, _no_median),
    (_HELD_AT, _held_at),
    (_HELD_AFTER, _held_after),
    (_EXACT, _exact),
    (_UNPROVED, _unproved),
    (_STOPPED, _stopped),
    (_AGAINST, _against),
    (_CLASS, _class),
    (_CLASSES, _classes),
    (_FLIP, _flip),
    (_FLIPS, _flips),
    (_PLACE, _place),
    (_ANY_WEATHER, _any_weather),
    (_WORST_WEATHER, _worst_weather),
    (_BRITTLE, _brittle),
    (_SAVED, _saved),
)
_FORMS = tuple((re.compile(form, re.DOTALL), holds) for form, holds in _READERS)
