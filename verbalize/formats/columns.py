"""What the columns of a table of words and scores mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from saywhy_core.errors import argument
from verbalize.saliency import SaliencyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TOKEN = ("token", "tokens", "word", "words", "piece", "subword", "term", "feature", "ngram")
_SCORE = ("score", "scores", "attribution", "attributions", "saliency", "importance", "weight", "weights", "relevance",
          "contribution", "shap", "shap_value", "shap_values")  # fmt: skip
_MAGNITUDE = ("attention", "attentions", "attention_weight", "attention_score", "norm", "gradient_norm")  # no signs
_WEAK_SCORE = ("value", "values")  # where another column holds scores, this is the value of a feature (eli5)
_LABEL = ("label", "class", "target", "class_name", "class_id", "label_id", "target_id")
_PREDICTED = ("prediction", "predicted", "pred", "predicted_label", "pred_label", "predicted_class", "pred_class")
_PROBABILITY = ("probability", "prob", "proba", "pred_prob", "confidence")
_TEXT = ("text", "input_text", "sentence", "document", "review")
_SIGNED = ("signed", "is_signed")
_POSITION = ("position", "pos", "index", "idx", "token_index", "token_position", "word_index", "start", "offset")
# what a text is called; "sentence", "sentence_id", "sentence_idx", "sentence_no", "Sentence #" and the like name it
_TEXT_NAME = re.compile(
    r"(?:u|gu|uu)id|(?:sent|sentence|sample|example|instance|doc|document|text|record|review|item|utterance|tweet|post|comment|"
    r"message|paragraph|passage|article|case|entry|observation|dialog|dialogue|turn|prompt|input_text)"
    r"(?:_?(?:uid|guid|id|ids|idx|index|ix|no|nr|num|number|key|name|#))?"
)
# names that may as well be of something else: they count where no other column names the texts
_PERHAPS = re.compile(
    r"(?:line|file|group|row|source|page|title|key|url|path|block|seq|sequence|n|no|nr|number|batch)"
    r"(?:_?(?:id|idx|index|no|nr|num|number|key|name|#))?"
)
_ID = frozenset(
    ("id", "record", "sample", "idx", "example", "instance", "doc", "document", "sentence", "review", "item", "utterance",
     "index", "sentenceid", "sampleid", "exampleid", "instanceid", "docid", "textid", "recordid")
)  # fmt: skip
# ids of something else than a text: of the word, of the label, of the segment within the text
_NO_ID = re.compile(
    r"(token|word|piece|subword|tok|vocab|input|feature|position|label|class|target|type|token_type|segment)_id"
)


@dataclass(frozen=True)
class Columns:
    """Where a table has what.

    Args:
        places: the number of the column of each kind, of "token" and "score" at least.
        ids: the numbers of the columns whose values together name the text of a row.
        header: whether the first row names the columns.
        unread: the names of the other columns.
        text_names: whether the column of texts is filled in each row, so that it names the text of a row.
        ranked: whether the table is eli5's, which lists for each target the features that count there.
        in_order: whether the rows of a text stand in its order, as far as the names of the columns tell.
        magnitude: whether the scores are magnitudes without signs, as the name of their column says.
    """

    places: dict[str, int]
    ids: tuple[int, ...] = ()
    header: bool = True
    unread: tuple[str, ...] = field(default=())
    text_names: bool = False
    in_order: bool = True
    magnitude: bool = False
    ranked: bool = False

    def cell(self, row: Sequence[str], kind: str, *, blank: bool = False) -> str | None:
        """The value of a kind in a row, or `None` where the row has none (or, unless `blank`, an empty one)."""
        place = self.places.get(kind)
        if place is None or place >= len(row) or not (blank or row[place].strip()):
            return None
        return row[place] if kind in ("token", "text") else row[place].strip()

    def id_of(self, row: Sequence[str]) -> str | None:
        """The name of the text of a row, or `None` where no column names it."""
        return "-".join(row[place].strip() for place in self.ids if place < len(row)) or None


def check_joined(rows: Sequence[Sequence[str]], columns: Columns, names: Sequence[str], source: str) -> None:
    """Check that a table without names of its texts holds one text, as far as the other columns tell.

    Raises:
        SaliencyError: a column is constant over runs of rows and changes between them, so that it may name texts.
    """
    used = {columns.places.get(kind) for kind in ("token", "score", "position", "label", "signed")}
    unread, read = set(columns.unread), set(columns.places.values())
    for place, name in enumerate(names):
        if place in used or (name.strip() not in unread and place not in read):
            continue
        values = [_cell(row, place) for row in rows]
        runs = [(value, len(list(group))) for value, group in groupby(values)]
        different = len({value for value, _ in runs}) == len(runs) and len(values) >= 2 * len(runs)
        if len(runs) > 1 and all(values) and (different or all(length > 1 for _, length in runs)):
            raise SaliencyError(
                f"{source}: the column {name.strip()!r} may name several texts ({runs[0][0]!r:.30}, {runs[1][0]!r:.30}, ...), "
                "and their words would be joined into one text; name the column 'id' if it names the texts, else leave it out"
            )


def find_columns(rows: Sequence[Sequence[str]], source: str) -> Columns:
    """Find out what the columns mean, from their names and their values.

    Raises:
        SaliencyError: no columns hold words and scores, two columns may hold the same thing and differ, or the values of a
            column contradict its name.
    """
    first = [cell.strip() for cell in rows[0]]
    names = [re.sub(r"[\s.-]+", "_", cell.casefold()) for cell in first]
    if len(set(names) & set(_TOKEN)) == 0 or not set(names) & {*_SCORE, *_MAGNITUDE, *_WEAK_SCORE}:
        if len(first) == 2 and _is_number(first[1]) and first[0]:
            return Columns({"token": 0, "score": 1}, header=False)
        raise SaliencyError(
            f"{source}: the table needs columns 'token' and 'score' in its first line, which is {list(rows[0])!r:.100}"
        )
    return _Finder(first, names, rows[1:], source).columns()


@dataclass
class _Finder:
    """The search for the columns of a table with a header. `taken` grows with each column that is found."""

    first: list[str]
    names: list[str]
    body: Sequence[Sequence[str]]
    source: str
    taken: set[int] = field(default_factory=set)

    def columns(self) -> Columns:
        strong = (*_SCORE, *_MAGNITUDE)
        places = {
            "token": self._one("the words", _TOKEN),
            "score": self._one("the scores", strong if set(self.names) & set(strong) else _WEAK_SCORE),
            "label": self._one("the label", _LABEL),
        }
        self._check_labels(places["label"])
        places["probability"] = self._first(_PROBABILITY)
        places["predicted"] = self._first(_PREDICTED)
        if places["predicted"] is not None and self._all(places["predicted"], _is_fraction):
            if places["probability"] is None:
                places["probability"] = places["predicted"]
            places["predicted"] = None
        if places["label"] is None:
            places["label"] = places["predicted"]
        places["signed"] = self._first(_SIGNED)
        ids = self._ids()
        places["text"] = self._first(_TEXT, lambda place: not self._all(place, _is_number))
        places["position"] = self._first(_POSITION, self._orders)
        weak = {
            place for place, name in enumerate(self.names) if name in _WEAK_SCORE or not name or name.startswith("unnamed:")
        }
        read = self.taken | weak
        unread = tuple(cell for place, cell in enumerate(self.first) if place not in read)
        found = {kind: place for kind, place in places.items() if place is not None}
        token = self.names[found["token"]]
        names_text = "text" in found and all(_cell(row, found["text"]) for row in self.body)
        in_order = token not in ("feature", "ngram") or "position" in found
        magnitude = self.names[found["score"]] in _MAGNITUDE
        ranked = "label" in found and (token, self.names[found["label"]]) == ("feature", "target")
        return Columns(found, ids, True, unread, names_text, in_order, magnitude, ranked)

    def _one(self, what: str, words: Sequence[str]) -> int | None:
        """The only column with one of the names, or the first of several whose values are the same."""
        found = [place for place, name in enumerate(self.names) if name in words and place not in self.taken]
        self.taken.update(found)
        for other in found[1:]:
            if any(_cell(row, other) != _cell(row, found[0]) for row in self.body):
                listed = " and ".join(repr(self.first[place]) for place in (found[0], other))
                raise SaliencyError(f"{self.source}: the columns {listed} may both hold {what}; keep one of them")
        return found[0] if found else None

    def _first(self, words: Sequence[str], holds: Callable[[int], bool] | None = None) -> int | None:
        places = {name: place for place, name in reversed(list(enumerate(self.names))) if place not in self.taken}
        found = next((places[word] for word in words if word in places and (holds is None or holds(places[word]))), None)
        self.taken |= set() if found is None else {found}
        return found

    def _all(self, place: int, holds: Callable[[str], bool]) -> bool:
        values = [value for row in self.body if (value := _cell(row, place))]
        return bool(values) and all(map(holds, values))

    def _check_labels(self, place: int | None) -> None:
        if place is not None and self._all(place, _is_fraction):
            value = next(value for row in self.body if (value := _cell(row, place)))
            raise SaliencyError(
                f"{self.source}: the column {self.first[place]!r} holds {value}, which is a probability and no label; "
                f"name the column 'probability', and the label with {argument('label', ...)}"
            )

    def _ids(self) -> tuple[int, ...]:
        """The columns that name the text of a row. One that differs from each row to the next numbers the words instead."""
        found = [
            place
            for place, name in enumerate(self.names)
            if place not in self.taken
            and (name in _ID or _TEXT_NAME.fullmatch(name) or (name.endswith("_id") and not _NO_ID.fullmatch(name)))
            and not (name in _TEXT and not self._all(place, _is_number))
        ]
        if not found and not set(self.names) & set(_TEXT):
            weak = [place for place, name in enumerate(self.names) if place not in self.taken and _PERHAPS.fullmatch(name)]
            found = [place for place in weak if not self._changes(place)]
        numbering = [place for place in found if len(self.body) > 1 and self._changes(place)]
        if numbering and len(numbering) == len(found):
            named = [place for place in numbering if self.names[place] not in _POSITION]
            if named and not set(self.names) & set(_TEXT):
                raise SaliencyError(
                    f"{self.source}: the column {self.first[named[0]]!r} changes with every row, so that every text would have "
                    "one word; the rows of one text share its id"
                )
        ids = tuple(place for place in found if place not in numbering)
        self.taken.update(ids)
        self.taken.update(place for place in numbering if self.names[place] not in _POSITION)
        return ids

    def _changes(self, place: int) -> bool:
        values = [_cell(row, place) for row in self.body]
        return all(before != after for before, after in pairwise(values))

    def _orders(self, place: int) -> bool:
        """Whether the rows can be put in order by the values of a column."""
        return self._all(place, _is_number) and all(_cell(row, place) for row in self.body)


def _cell(row: Sequence[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _is_fraction(value: str) -> bool:
    """Whether the value is a number that can be a probability and no number of a class."""
    return _is_number(value) and 0 <= float(value) <= 1 and not re.fullmatch(r"\d+(\.0*)?", value)
