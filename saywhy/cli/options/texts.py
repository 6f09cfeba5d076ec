"""The texts of every command that checks or measures texts: a file of them, or one text, paired with the maps."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING, Annotated

import typer

from saywhy.cli.options.console import note
from saywhy.cli.options.files import Use
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from saywhy.cli.options.maps import MapReader
    from saywhy_core.errors import Problem
    from verbalize import TextRecord
    from verbalize.saliency import Saliency

MapsOption = Annotated[
    str,
    typer.Option("--maps", "--map", help="File of the saliency maps that the texts are about.", metavar="MAPS"),
    Use.READ,
]
TEXTS_HELP = "JSON Lines with text and id, a JSON list of them, or one plain text; - for standard input."
TextsArgument = Annotated[str, typer.Argument(help=TEXTS_HELP, metavar="TEXTS"), Use.READ]


def name_of_texts(texts: str | None, text: str | None, maps: str) -> str:
    """What problems call the texts: the file that holds them, or "--text".

    Args:
        texts: the file, if one is given.
        text: the text, if it is given itself.
        maps: the file of maps.

    Raises:
        UsageError: neither or both are given, or they are most likely something else than was meant.
    """
    if (texts is None) == (text is None):
        raise UsageError("give a file of texts, or one text with --text" + (", not both" if text is not None else ""))
    if texts is not None:
        if texts == maps == "-":
            raise UsageError("TEXTS and --maps can't both be standard input; write one of them to a file")
        if texts != "-" and " " in texts.strip() and not os.path.lexists(texts):
            raise UsageError(f"there is no file {texts!r:.80}; a text itself is given with --text")
        return texts
    if text is not None and not text.strip():
        raise UsageError("--text is empty; give the text to check")
    if text is not None and os.path.isfile(text):  # noqa: PTH113 - Path.is_file raises where the text is too long for a name
        raise UsageError(f"--text takes the text itself, and {text} is a file; leave out --text")
    return "--text"


def pair_texts(where: str, text: str | None, source: MapReader, problems: list[Problem]) -> list[tuple[TextRecord, Saliency]]:
    """Each text with its map.

    Args:
        where: the file of texts, or what problems call the one text.
        text: the one text, if it is given itself.
        source: reads the maps.
        problems: gathers the texts that can't be read, or have no map.

    Raises:
        UsageError: the texts or maps can't be read, or texts without ids can't be paired with the maps for certain.
    """
    from verbalize import TextRecord, iter_texts, with_maps

    records = [TextRecord(None, text)] if text is not None else list(iter_texts(where, problems.append))
    maps = list(source)
    lost = [*source.problems, *problems]
    if lost and any(record.id is None for record in records):
        for problem in lost:
            note(problem)
        raise UsageError(f"{where}: a text without an 'id' can't be paired for certain, because a record could not be read")
    return list(with_maps(records, maps, where=where, on_problem=problems.append))
