"""The journal of a run that describes pairs: its records, and what is taken over from earlier versions of the request."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.prompting.descriptions.judging.judge import Refused
from agents.prompting.descriptions.pairs import Contrast, Provenance
from saywhy_core.disk.journal import Journal
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    Pair = tuple[int, int]

FORMAT = 1
EARLIER_VERSIONS = ("differential-1",)
"""Requests whose descriptions are taken over from a journal, though their invalid replies are not."""


def journal_of(path: str | os.PathLike[str], prompt_version: str, classes: tuple[str, ...], others: str | None) -> Journal:
    """The journal of these classes and this version of the request; for `others` see `Journal`."""
    return Journal(
        path,
        what="journal of descriptions",
        version=FORMAT,
        settings={"prompt_version": prompt_version, "classes": classes},
        others=others,
        check=from_record,
    )


def earlier_records(path: str | os.PathLike[str], classes: tuple[str, ...]) -> list[dict[str, Any]] | None:
    """The pairs that a journal of an earlier version of the request describes; None where the file is no such journal."""
    if not Path(path).is_file():
        return None
    for version in EARLIER_VERSIONS:
        with suppress(UsageError):
            records = journal_of(path, version, classes, "another version").records()
            if records:
                return [record for record in records if "invalid" not in record]
    return None


def to_record(pair: Pair, outcome: tuple[Contrast, ...] | str, refused: Sequence[Refused], model: str) -> dict[str, Any]:
    """The journal's record of a settled pair."""
    thrown = [[one.attribute, *one.captions, one.why, one.kind] for one in refused]
    if isinstance(outcome, str):
        return {"pair": list(pair), "invalid": outcome, "refused": thrown, "model": model}
    source = outcome[0].provenance
    origin = [source.model, source.prompt_version, source.time] if source else ["", "", ""]
    contrasts = [[contrast.attribute, *contrast.captions] for contrast in outcome]
    return {"pair": list(pair), "provenance": origin, "contrasts": contrasts, "refused": thrown}


def from_record(record: dict[str, Any]) -> tuple[Pair, tuple[Contrast, ...] | str, tuple[Refused, ...]]:
    """A record's pair, its descriptions or why it has none, and the captions that were refused."""
    pair = (int(record["pair"][0]), int(record["pair"][1]))
    refused = tuple(
        Refused(str(name), (str(a), str(b)), str(why), str(kind)) for name, a, b, why, kind in record.get("refused", ())
    )
    if "invalid" in record:
        return pair, str(record["invalid"]), refused
    source = Provenance(*record["provenance"])
    return pair, tuple(Contrast(name, (a, b), source) for name, a, b in record["contrasts"]), refused
