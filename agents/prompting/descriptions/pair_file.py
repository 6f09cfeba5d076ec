"""A pair file that grows: pairs are described into it, and a run that ended early goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agents.prompting.descriptions.accepting import usable
from agents.prompting.descriptions.describe import DifferentialDescriber
from agents.prompting.descriptions.pairs import read_pairs, write_pairs
from saywhy_core.disk.destinations import beside, is_stream
from saywhy_core.disk.files import check_writable, protected_inputs
from saywhy_core.disk.locks import FileLock
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from langchain_core.language_models import BaseChatModel

    from agents.encoders.protocol import ImageTextEncoder
    from agents.prompting.descriptions.describe import Described
    from agents.prompting.descriptions.pairs import PairDescriptions
    from saywhy_core.progress import OnProgress


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
        known = _earlier(file, class_names) if file.exists() and not streamed else None
        if known is not None and retry_invalid:
            known, _ = usable(known, class_names)
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
    return described


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
