"""The results in words: what was found, how sure it is, and what was not decided."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from evals.study.analysis.nouns import Figure, Name, Paragraph, Sentence
from evals.study.analysis.numbers import count, figure, p_value, percent, plain, seconds, two_places
from evals.study.analysis.tables.agreeing import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from evals.study.analysis.nouns import Table, Value

    Spell = Callable[[Value], str]
    Part = str | Figure | Name

_DID: Mapping[str, str] = {
    "simulation": "Participants named the label that the model chose in",
    "counterfactual": "Participants foretold what the model decides without a part of the input in",
    "trust": "Participants judged rightly whether the model is right in",
    "error_finding": "Participants found the error in",
}
_SPELL: Mapping[str, Spell] = {"points": percent, "ratio": seconds, "rating": two_places}
_UNIT: Mapping[str, str] = {"points": " points", "ratio": " times", "rating": ""}
_MOST_CLEAR, _MOST_OPEN = 8, 3  # comparisons that a paragraph tells one by one


def paragraphs_of(
    tables: Mapping[str, Table], kinds: Mapping[str, str], alpha: float, reference: str | None
) -> tuple[Paragraph, ...]:
    """All paragraphs.

    Args:
        tables: the tables of the analysis.
        kinds: the kind of task of each measure.
        alpha: the level of tests.
        reference: the condition that the others are compared with, if one was named.
    """
    told = _Told(tables, alpha, reference)
    found = [Paragraph("Participants", told.flow()), Paragraph("Hypotheses", told.hypotheses())]
    for row in tables["measures"].rows:
        name = str(row["measure"])
        sentences = {
            "accuracy": lambda name=name: (
                *told.accuracy(name, kinds.get(name, "")),
                *told.differences(name),
                *told.trust(name),
            ),
            "rating": lambda name=name: (*told.ratings(name), *told.differences(name)),
            "preference": lambda name=name: told.preferences(name),
            "seconds": lambda name=name: (*told.times(name), *told.differences(name)),
        }[str(row["kind"])]()
        found.append(
            Paragraph(
                "Time" if row["kind"] == "seconds" else name[:1].upper() + name[1:],
                (*sentences, *told.models(name), *told.agreement(name)),
            )
        )
    return tuple(one for one in found if one.sentences)


class _Told:
    """Sentences about the tables."""

    def __init__(self, tables: Mapping[str, Table], alpha: float, reference: str | None) -> None:
        self.tables, self.alpha, self.reference = tables, alpha, reference
        self.level = next(n for n, row in enumerate(tables["settings"].rows) if row["setting"] == "level of intervals, %")

    def at(self, name: str, row: int, column: str, spell: Spell) -> Figure:
        return figure(self.tables[name], row, column, spell)

    def rows(self, name: str, measure: str) -> list[tuple[int, Mapping[str, Value]]]:
        return [(n, row) for n, row in enumerate(self.tables[name].rows) if row["measure"] == measure]

    def interval(self, name: str, row: int, spell: Spell) -> tuple[Part, ...]:
        """The interval in brackets."""
        values = self.tables[name].rows[row]
        if values["low"] is None or values["high"] is None:
            return ("(no interval)",)
        return ("[", self.at(name, row, "low", spell), ", ", self.at(name, row, "high", spell), "]")

    def flow(self) -> tuple[Sentence, ...]:
        rows = list(enumerate(self.tables["flow"].rows))
        noun = str(self.tables["settings"].rows[0]["value"])
        last = rows[-1][0]
        if self.tables["flow"].rows[0]["participants"] == 1:
            noun = {"people": "person"}.get(noun, noun.removesuffix("s"))
        are = " is analysed" if self.tables["flow"].rows[last]["participants"] == 1 else " are analysed"
        parts: list[Part] = ["Of ", self.at("flow", 0, "participants", count), f" {noun} who joined, "]
        parts += [self.at("flow", last, "participants", count), are]
        out = [(n, row) for n, row in rows if row["kept"] == "no"]
        if out:
            parts.append("; ")
            parts += _joined([(self.at("flow", n, "participants", count), f" {row['stage']}") for n, row in out])
        parts.append(".")
        said = [Sentence(tuple(parts))]
        if self.tables["flow"].rows[last]["participants"] == 0:
            return (*said, Sentence(("Nobody is left to analyse, so there are no results.",)))
        if any(
            row.get("low") is not None
            for name in ("accuracy", "ratings", "times", "preferences")
            for row in self.tables[name].rows
        ):
            level = self.at("settings", self.level, "value", plain)
            said.append(
                Sentence(
                    (
                        "Brackets hold ",
                        level,
                        " % confidence intervals over participants and items.",
                    )
                )
            )
        if any(
            row["p_holm"] is not None for name in ("differences", "preferences", "hypotheses") for row in self.tables[name].rows
        ):
            said.append(Sentence(("All p are corrected for several comparisons by Holm's method; the intervals are not.",)))
        return tuple(said)

    def accuracy(self, name: str, kind: str) -> tuple[Sentence, ...]:
        rows = self.rows("accuracy", name)
        start = _DID.get(kind)
        lead: tuple[Part, ...] = (start,) if start else ("Participants answered ", Name(name, set_off=False), " rightly in")
        each = [
            (
                self.at("accuracy", number, "mean", percent), " % of the trials" if not n else " %", " with ",
                Name(str(row["condition"])), " ", *self.interval("accuracy", number, percent),
            )
            for n, (number, row) in enumerate(rows)
        ]  # fmt: skip
        return (Sentence((*lead, " ", *_joined(each), ".")),) if rows else ()

    def ratings(self, name: str) -> tuple[Sentence, ...]:
        return self._means("ratings", name, (Name(name[:1].upper() + name[1:], set_off=False), " was rated "), two_places, "")

    def times(self, name: str) -> tuple[Sentence, ...]:
        return self._means("times", name, ("A trial took ",), seconds, " s")

    def _means(self, table: str, name: str, lead: tuple[Part, ...], spell: Spell, unit: str) -> tuple[Sentence, ...]:
        rows = self.rows(table, name)
        each = [
            (
                self.at(table, number, "mean", spell), f"{unit} with ", Name(str(row["condition"])), " ",
                *self.interval(table, number, spell),
            )
            for n, (number, row) in enumerate(rows)
        ]  # fmt: skip
        average = " in the geometric mean" if table == "times" else " on average"
        return (Sentence((*lead, *_joined(each), f"{average}.")),) if rows else ()

    def differences(self, name: str) -> tuple[Sentence, ...]:
        rows = self.rows("differences", name)
        if not rows:
            there = self.tables["measures"].rows[[row["measure"] for row in self.tables["measures"].rows].index(name)]
            one = there["conditions"] == 1
            return (Sentence(("There is only one condition, so nothing is compared.",)),) if one else ()
        untested = [one for one in rows if one[1]["p_holm"] is None]
        clear = [one for one in rows if one[1]["p_holm"] is not None and float(one[1]["p_holm"]) < self.alpha]
        unclear = [one for one in rows if one not in clear and one not in untested]
        said: list[Sentence] = []
        for number, row in clear[:_MOST_CLEAR]:
            said.append(Sentence((*self._clear(number, row), ".")))
        if len(clear) > _MOST_CLEAR:
            said.append(Sentence(("More clear differences are in the table.",)))
        if unclear:
            said.append(self._unclear(unclear, some=bool(clear)))
        if untested:
            names = _joined(
                [(Name(str(row["condition"])), " and ", Name(str(row["reference"]))) for _, row in untested[:_MOST_OPEN]],
                word=" or between ",
            )
            why = ": there are too few participants or items, or no spread."
            more = ", among others" if len(untested) > _MOST_OPEN else ""
            said.append(Sentence(("No test was possible between ", *names, more + why)))
        return tuple(said)

    def _clear(self, number: int, row: Mapping[str, Value]) -> tuple[Part, ...]:
        condition, reference = Name(str(row["condition"])), Name(str(row["reference"]))
        spell = _SPELL[str(row["unit"])]
        tail: tuple[Part, ...] = (
            " (", *self.interval("differences", number, spell), ", p ", self._p("differences", number, "p_holm"), ")"
        )  # fmt: skip
        size = abs(float(row["difference"] or 0.0))
        if row["unit"] == "ratio":
            shown = self.at("differences", number, "difference", spell)
            return ("With ", condition, ", a trial took ", shown, " times as long as with ", reference, *tail)
        shown = Figure(spell(size), "differences", number, "difference")
        way = "higher" if float(row["difference"] or 0.0) > 0 else "lower"
        unit = " points" if row["unit"] == "points" else ""
        noun = "The share was " if row["unit"] == "points" else "The rating was "
        return (noun, shown, f"{unit} {way} with ", condition, " than with ", reference, *tail)

    def _unclear(self, rows: Sequence[tuple[int, Mapping[str, Value]]], *, some: bool) -> Sentence:
        """What was not decided: one by one, or where these are many, the largest difference of them."""

        def told(number: int, row: Mapping[str, Value]) -> tuple[Part, ...]:
            spell = _SPELL[str(row["unit"])]
            return (
                Name(str(row["condition"])), " and ", Name(str(row["reference"])), " (",
                self.at("differences", number, "difference", spell), _UNIT[str(row["unit"])], " ",
                *self.interval("differences", number, spell), ", p ", self._p("differences", number, "p_holm"), ")",
            )  # fmt: skip

        if len(rows) <= _MOST_OPEN:
            each = _joined([told(*one) for one in rows], word=" or between ")
            return Sentence(("Not decided is whether there is a difference between ", *each, "."))
        largest = max(rows, key=lambda one: _size(one[1]))
        start = "No other comparison was decided" if some else "No comparison was decided"
        return Sentence((f"{start}; the largest difference among them is that between ", *told(*largest), "."))

    def models(self, name: str) -> tuple[Sentence, ...]:
        """Whether mixed models decide the comparisons with the reference as the differences do.

        Without a reference, Holm's correction goes over other comparisons there than here, so that nothing is said.
        """
        if self.reference is None:
            return ()
        clear = {
            frozenset((str(row["condition"]), str(row["reference"]))): float(row["p_holm"] or 0) < self.alpha
            for _, row in self.rows("differences", name)
            if row["p_holm"] is not None
        }
        said: list[Sentence] = []
        alike: list[str] = []
        for kind in dict.fromkeys(str(row["model"]) for _, row in self.rows("models", name)):
            compared = [
                (number, row, clear[pair])
                for number, row in self.rows("models", name)
                if row["model"] == kind
                and row["p_holm"] is not None
                and (pair := frozenset((str(row["term"]), str(row["reference"])))) in clear
            ]
            apart = [(number, row) for number, row, known in compared if (float(row["p_holm"] or 0) < self.alpha) != known]
            each = [
                (
                    Name(str(row["term"])), " (", self.at("models", number, "estimate", two_places), " ", str(row["unit"]), " ",
                    *self.interval("models", number, two_places), ", p ", self.at("models", number, "p_holm", p_value), ")",
                )
                for number, row in apart
            ]  # fmt: skip
            if apart:
                reference = Name(str(apart[0][1]["reference"]))
                start = f"A {kind} mixed model comes to another decision about "
                said.append(Sentence((start, *_joined(each), " against ", reference, ".")))
            elif compared:
                alike.append(kind)
        if alike:
            reference = Name(next(str(row["reference"]) for _, row in self.rows("models", name)))
            kinds = (
                f"A {alike[0]} mixed model comes"
                if len(alike) == 1
                else f"{' and '.join(alike).capitalize()} mixed models come"
            )
            said.append(Sentence((f"{kinds} to the same decisions about all comparisons with ", reference, ".")))
        return tuple(said)

    def preferences(self, name: str) -> tuple[Sentence, ...]:
        said = []
        for number, row in self.rows("preferences", name):
            p = row["p_holm"]
            clear = p is not None and float(p) < self.alpha
            share: tuple[Part, ...] = (
                Name(str(row["condition"])), " was preferred over ", Name(str(row["reference"])), " in ",
                self.at("preferences", number, "share", percent), " % of the comparisons (",
                *self.interval("preferences", number, percent),
                *(() if p is None else (", p ", self._p("preferences", number, "p_holm"))), ")",
            )  # fmt: skip
            said.append(Sentence((*share, "." if clear else "; which of the two is preferred was not decided.")))
        return tuple(said)

    def trust(self, name: str) -> tuple[Sentence, ...]:
        rows = self.rows("trust", name)
        by_condition: dict[str, dict[str, int]] = {}
        for number, row in rows:
            by_condition.setdefault(str(row["condition"]), {})[str(row["model"])] = number
        said = []
        for condition, numbers in by_condition.items():
            each = [
                (
                    self.at("trust", numbers[model], "said_right", percent), f" % of the trials in which it is{is_not} ",
                    *self.interval("trust", numbers[model], percent),
                )
                for model, is_not in (("right", ""), ("wrong", " not"))
                if model in numbers
            ]  # fmt: skip
            said.append(
                Sentence(("With ", Name(condition), ", participants said that the model is right in ", *_joined(each), "."))
            )
        return tuple(said)

    def agreement(self, name: str) -> tuple[Sentence, ...]:
        rows = [
            (number, row)
            for number, row in self.rows("agreement", name)
            if row["value"] is not None and row["condition"] != ALL
        ]
        by_statistic: dict[str, list[tuple[Part, ...]]] = {}
        for number, row in rows:
            own = by_statistic.setdefault(str(row["statistic"]), [])
            shown = self.at("agreement", number, "value", two_places)
            own.append((shown, " with ", Name(str(row["condition"])), " ", *self.interval("agreement", number, two_places)))
        statistic = next((one for one in by_statistic if "alpha" in one), next(iter(by_statistic), None))
        if statistic is None:
            return ()
        return (
            Sentence(
                (
                    "Participants agreed with each other by ",
                    Name(statistic, set_off=False),
                    " ",
                    *_joined(by_statistic[statistic]),
                    ".",
                )
            ),
        )

    def hypotheses(self) -> tuple[Sentence, ...]:
        said = []
        for number, row in enumerate(self.tables["hypotheses"].rows):
            parts: list[Part] = ["Hypothesis ", self.at("hypotheses", number, "number", count), ", that "]
            parts += [Name(str(row["hypothesis"]), set_off=False), ", is ", str(row["verdict"])]
            if row["difference"] is not None:
                spell = _SPELL[str(row["unit"])]
                what = "ratio" if row["unit"] == "ratio" else "difference"
                unit = " points" if row["unit"] == "points" else ""
                parts += [f" ({what} ", self.at("hypotheses", number, "difference", spell), unit]
                parts += [", ", *self.interval("hypotheses", number, spell)]
                if row["p_holm"] is not None:
                    parts += [", p ", self._p("hypotheses", number, "p_holm")]
                parts.append(")")
            said.append(Sentence((*parts, ": ", str(row["why"]), ".")))
        return tuple(said)

    def _p(self, name: str, number: int, column: str) -> Figure:
        return self.at(name, number, column, p_value)


def _size(row: Mapping[str, Value]) -> float:
    """How large a difference is; a ratio and its inverse are as large."""
    value = float(row["difference"] or 0.0)
    return abs(log(value)) if row["unit"] == "ratio" and value > 0 else abs(value)


def _joined(each: Sequence[tuple[Part, ...]], *, word: str = " and ") -> list[Part]:
    """Things in a row: a, b and c."""
    parts: list[Part] = []
    for n, one in enumerate(each):
        if n:
            parts.append((", between " if "between" in word else ", ") if n < len(each) - 1 else word)
        parts += one
    return parts
