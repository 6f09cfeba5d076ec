"""A pair file that grows: pairs are described into it, and a run that ended early goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.prompting.descriptions.describe import DifferentialDescriber
from agents.prompting.descriptions.judging.judge import usable
from agents.prompting.descriptions.judging.repeated import repeated_captions
from agents.prompting.descriptions.pairs import read_pairs, write_pairs
from saywhy_core.disk.destinations import beside, is_stream
from saywhy_core.disk.files import atomic_open, check_writable, protected_inputs
from saywhy_core.disk.locks import FileLock
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from langchain_core.language_models import BaseChatModel

    from agents.encoders.protocol import ImageTextEncoder
    from agents.prompting.descriptions.describe import Described, Planned
    from agents.prompting.descriptions.judging.judge import Refused
    from agents.prompting.descriptions.pairs import PairDescriptions
    from saywhy_core.progress import OnProgress

MOST_JUDGED = 50_000
"""Caption pairs of a file that are judged without being asked for, at some 0.4 ms each. `retry_invalid` judges all."""


def describe_to_file(
    model: BaseChatModel,
    class_names: Sequence[str],
    pairs: Iterable[tuple[int, int]],
    out: str | os.PathLike[str],
    *,
    encoder: ImageTextEncoder | None = None,
    template: str = "a photo of a {}.",
    retry_invalid: bool = False,
    on_progress: OnProgress | None = None,
) -> Described:
    """Describe pairs of classes into a pair file in FuDD's format; pairs that the file holds already are not asked about.

    Settled pairs are kept in `OUT.journal` while the run goes on. The journal is removed once every pair is described, and it
    stays where pairs are invalid or not yet asked about, so that the next run takes it up. Beside a pipe or a device, nothing
    is kept.

    Args:
        model: any chat model; ceilings and the reply cache belong to it.
        class_names: the K classes.
        pairs: the pairs of class indices, in the order in which they are asked about.
        out: the pair file.
        encoder: also refuses captions that it finds to say the same as another one.
        template: the sentence that is put before a caption which does not name its class.
        retry_invalid: ask again about pairs whose replies stayed invalid in an earlier run, and drop captions of the file that
            would not be accepted today, which asks again about pairs that keep none.
        on_progress: called with (pairs settled, pairs wanted).

    Raises:
        UsageError: the file or its journal is of other classes, or can't be used; or another process writes the file.
    """
    file = Path(out)
    check_writable(file)
    streamed = is_stream(file)
    journal = beside(file, ".journal")
    # the journal has a lock too, but reading the file before and writing it after belong to the same work
    with FileLock(file, "pair file"):
        known, refused = _known(file, class_names, retry_invalid=retry_invalid)
        describer = DifferentialDescriber(
            model,
            class_names,
            journal=None if streamed else journal,
            known=known,
            encoder=encoder,
            template=template,
            retry_invalid=retry_invalid,
        )
        described = describer.describe(pairs, progress=on_progress)
        if described.pairs:
            write_pairs(described.pairs, file)
        if not streamed and not described.invalid and not described.unasked:
            journal.unlink(missing_ok=True)
    many = sum(map(len, described.pairs.values())) > MOST_JUDGED
    repeated = [] if many and not retry_invalid else repeated_captions(described.pairs, class_names)
    return replace(described, known_refused=tuple(refused), repeated=tuple(repeated))


def plan_file(
    model: BaseChatModel,
    class_names: Sequence[str],
    pairs: Iterable[tuple[int, int]],
    out: str | os.PathLike[str],
    *,
    retry_invalid: bool = False,
) -> Planned:
    """What `describe_to_file` would do with the same arguments; nothing is sent, and nothing is written.

    Args:
        model: the chat model; its cache says which requests cost nothing.
        class_names: the K classes.
        pairs: the pairs of class indices.
        out: the pair file; it need not exist.
        retry_invalid: as in `describe_to_file`.

    Raises:
        UsageError: as `describe_to_file`.
    """
    file = Path(out)
    known, _ = _known(file, class_names, retry_invalid=retry_invalid)
    journal = None if is_stream(file) else beside(file, ".journal")
    return DifferentialDescriber(model, class_names, journal=journal, known=known, retry_invalid=retry_invalid).plan(pairs)


def write_refusals(described: Described, class_names: Sequence[str], path: str | os.PathLike[str]) -> None:
    """Write a report of what was refused, and why, as JSON, whole or not at all.

    It has the lists "refused" (captions of replies), "known" (captions that the pair file held before) and "invalid" (pairs
    without a description), each entry with the numbers and names of the two classes and the reason. "repeated" has captions
    that are kept, but said of many classes.

    Args:
        described: the result of a run.
        class_names: the K classes.
        path: the file.
    """

    def of_pair(pair: tuple[int, int]) -> dict[str, Any]:
        return {"pair": list(pair), "classes": [class_names[number] for number in pair]}

    def of_captions(found: Iterable[tuple[tuple[int, int], Refused]]) -> list[dict[str, Any]]:
        return [
            {**of_pair(pair), "attribute": one.attribute, "captions": list(one.captions), "kind": one.kind, "why": one.why}
            for pair, one in found
        ]

    content = {
        "format": 1,
        "refused": of_captions(described.refused),
        "known": of_captions(described.known_refused),
        "invalid": [{**of_pair(pair), "why": why} for pair, why in described.invalid],
        "repeated": [
            {"caption": one.caption, "classes": [class_names[number] for number in one.classes], "why": one.why}
            for one in described.repeated
        ],
    }
    with atomic_open(path) as stream:
        json.dump(content, stream, ensure_ascii=False, indent=1)
        stream.write("\n")


def _known(
    file: Path, class_names: Sequence[str], *, retry_invalid: bool
) -> tuple[PairDescriptions | None, list[tuple[tuple[int, int], Refused]]]:
    """The pairs that the file holds, without the captions that are refused today where these are asked for again."""
    if not file.exists() or is_stream(file):
        return None, []
    held = _earlier(file, class_names)
    if not retry_invalid and sum(map(len, held.values())) > MOST_JUDGED:
        return held, []
    kept, refused = usable(held, class_names)
    return (kept if retry_invalid else held), refused


def _earlier(file: Path, class_names: Sequence[str]) -> PairDescriptions:
    """The pairs that the file holds. It is no input: it is written again with the new ones in it."""
    with protected_inputs():  # what is read inside is protected to the end of the block
        held = read_pairs(file)
        ours = held.arranged(class_names, str(file))
        if len(ours) < len(held):
            raise UsageError(
                f"{file} holds pairs of classes that the class list lacks ({ours.problems[-1].what}), and they would be lost; "
                f"name another --out, or add these classes to the list"
            )
        return ours
