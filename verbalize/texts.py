"""Read texts about maps from JSON Lines, pair them with their maps, and check them, whoever wrote them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import Problem, UsageError
from verbalize.claims.checking import check
from verbalize.claims.claim import Claim
from verbalize.read.reading import read_sentences

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from verbalize.claims.checking import ClaimError
    from verbalize.saliency import Saliency


@dataclass(frozen=True)
class TextRecord:
    """One text about one map.

    Attributes:
        id: the id of the map that the text is about.
        text: the sentences.
        claims: claims that the author states beside the text, as `Claim.to_record` writes them.
        line: the line number of the record in its file, counted from 1.
    """

    id: str
    text: str
    claims: tuple[Mapping[str, Any], ...] = ()
    line: int | None = None


@dataclass(frozen=True)
class TextReport:
    """The claims that a text makes about its map, and which of them are false.

    Attributes:
        claims: the claims that were checked: those read from the text, and those that are only stated beside it.
        errors: one error for each false claim.
        unread: sentences about the evidence that can't be read as a claim. They are neither true nor false.
    """

    claims: tuple[Claim, ...]
    errors: tuple[ClaimError, ...]
    unread: tuple[str, ...]

    def to_record(self) -> dict[str, Any]:
        """The report as JSON content, as `saywhy check --json` prints it."""
        errors = [{"kind": error.kind, "message": error.message, "claim": error.claim.to_record()} for error in self.errors]
        return {"claims": len(self.claims), "errors": errors, "unread": list(self.unread)}


def iter_texts(source: str | os.PathLike[str], on_problem: Callable[[Problem], None] | None = None) -> Iterator[TextRecord]:
    """Read texts from a JSON Lines file whose records have `id` and `text`, and optionally `claims`.

    Args:
        source: the file; "-" stands for standard input.
        on_problem: called with each record that can't be read; the others are read. Without it, the first such record raises.

    Raises:
        UsageError: the file can't be read or holds no record, or a record can't be read and `on_problem` is not given.
    """
    try:
        stream = sys.stdin if source == "-" else Path(source).open(encoding="utf-8-sig")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(f"{source} can't be read: {error.strerror}") from None
    any_record = False
    with stream:
        try:
            for number, line in enumerate(stream, 1):
                found = _text_record(line, number, str(source)) if line.strip() else None
                any_record = any_record or found is not None
                if isinstance(found, TextRecord):
                    yield found
                elif found is not None:
                    _tell(found, on_problem)
        except UnicodeDecodeError as error:
            raise UsageError(f"{source} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    if not any_record:
        raise UsageError(f"{'standard input' if source == '-' else source} holds no texts")


def with_maps(
    texts: Iterable[TextRecord],
    saliencies: Iterable[Saliency],
    *,
    where: str = "the texts",
    on_problem: Callable[[Problem], None] | None = None,
) -> Iterator[tuple[TextRecord, Saliency]]:
    """Pair each text with the map of the same id.

    Args:
        texts: the texts, as `iter_texts` reads them.
        saliencies: the maps; all are read before the first pair is returned.
        where: the source of the texts, which problems name.
        on_problem: called with each text that has no map. Without it, the first such text raises.

    Raises:
        UsageError: a text has no map and `on_problem` is not given.
    """
    by_id = {saliency.saliency_id: saliency for saliency in saliencies}
    for record in texts:
        if record.id in by_id:
            yield record, by_id[record.id]
        else:
            _tell(Problem(where, "there is no map with this id", record.line, record.id), on_problem)


def check_text(text: str, saliency: Saliency, stated: Iterable[Claim | Mapping[str, Any]] = ()) -> TextReport:
    """Read a text back into claims and check each against the map, together with claims stated beside the text.

    A stated claim that the text also makes is checked and counted once.

    Raises:
        UsageError: a stated claim is malformed.
    """
    sentences = read_sentences(text, saliency)
    read = [claim for sentence in sentences for claim in sentence.claims]
    meanings = {_meaning(claim) for claim in read}
    claims = [claim if isinstance(claim, Claim) else Claim.from_record(claim) for claim in stated]
    report = check([*read, *(claim for claim in claims if _meaning(claim) not in meanings)], saliency)
    return TextReport(report.claims, report.errors, tuple(sentence.text for sentence in sentences if sentence.unread))


def _text_record(line: str, number: int, where: str) -> TextRecord | Problem:
    try:
        record = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        return Problem(where, f"not JSON: {getattr(error, 'msg', 'nested too deep')}", number)
    if not isinstance(record, Mapping) or not isinstance(record.get("text"), str) or "id" not in record:
        return Problem(where, "a text needs 'id' and 'text'", number)
    claims = record.get("claims") or ()
    if not isinstance(claims, list | tuple) or not all(isinstance(claim, Mapping) for claim in claims):
        return Problem(where, "'claims' must be a list of objects", number, str(record["id"]))
    return TextRecord(str(record["id"]), record["text"], tuple(claims), number)


def _tell(problem: Problem, on_problem: Callable[[Problem], None] | None) -> None:
    if on_problem is None:
        raise UsageError(str(problem))
    on_problem(problem)


def _meaning(claim: Claim) -> tuple[object, ...]:
    return (claim.kind, claim.part, claim.other, claim.direction or "supports", claim.value)
