"""The options of every command that reads saliency maps, and the reader behind them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.options.choices import either
from saywhy.cli.options.console import counted, note, tell
from saywhy.cli.options.files import Use
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from saywhy_core.errors import Problem
    from verbalize.saliency import Saliency

PANEL = "Reading"

MapsArgument = Annotated[
    str,
    typer.Argument(help="File of saliency maps, or - for JSON Lines on standard input.", metavar="MAPS"),
    Use.READ,
]
OutOption = Annotated[
    str,
    typer.Option(help="JSON Lines file to write; - for standard output.", metavar="FILE"),
    Use.WRITTEN,
]
MaskOption = Annotated[bool, typer.Option("--mask-labels", help="Hide the labels, for studies in which people guess them.")]


def _option(text: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=PANEL, **settings)


@dataclass(frozen=True)
class ReadingOptions:
    """How maps are read. `read` reads them."""

    format: Annotated[
        str,
        _option("Format of MAPS.", "--maps-format", "--format", metavar=either("verbalize.formats:FORMATS", first=("auto",))),
    ] = "auto"
    label: Annotated[
        str | None, _option("Label that the scores speak for, where MAPS does not say it, or which of several outputs to read.")
    ] = None
    versus: Annotated[list[str] | None, _option("Label that it is set against (repeatable).")] = None
    class_names: Annotated[
        Path | None, _option("File of class names, one per line or a JSON list, for classes given by number.")
    ] = None
    tokenizer: Annotated[str | None, _option("Tokenizer (name or path), for records of token ids.")] = None
    image: Annotated[Path | None, _option("Picture that a pixel map belongs to.")] = None
    signed: Annotated[
        bool | None,
        _option("Whether negative scores have a meaning, where MAPS does not say it.", "--signed/--unsigned"),
    ] = None
    input_text: Annotated[str | None, _option("Text that the words come from, where MAPS does not hold it.")] = None
    axes: Annotated[
        str | None,
        _option(
            "Axes of an array, where its shape leaves it open: n maps, c channels (summed), h rows, w columns.",
            metavar=either("verbalize.formats.arrays.axes:AXES"),
        ),
    ] = None

    def read(self, source: str) -> MapReader:
        """A reader of the maps in a file, or on standard input ("-")."""
        return MapReader(source, self)


@dataclass
class MapReader:
    """Reads maps one by one, and gathers the records that can't be read.

    The first map comes once every option that was given has had an effect on some map; that an option has none is raised before
    any map is used, and so before anything is printed, drawn or asked.
    """

    source: str
    options: ReadingOptions
    problems: list[Problem] = field(default_factory=list)
    count: int = 0
    used: set[str] = field(default_factory=set)
    """Reading options that the command itself uses, so that the records need not."""
    status: int = 1
    """The exit status where records were left out."""
    _expected: list[tuple[str, str, Callable[[Saliency], bool]]] = field(default_factory=list)

    def expect(self, option: str, needs: str, holds: Callable[[Saliency], bool]) -> None:
        """Raise a `UsageError` after the last map, if an option that was given had an effect on none of them.

        Args:
            option: the option, such as "--pictures".
            needs: which maps it has an effect on, such as "maps over pixels".
            holds: whether it has an effect on a map.
        """
        self._expected.append((option, needs, holds))

    def __iter__(self) -> Iterator[Saliency]:
        from saywhy_core.names import read_class_names
        from verbalize.formats import ReadOptions, iter_saliency

        options = self.options
        names = tuple(read_class_names(options.class_names)) if options.class_names else None
        versus = tuple(options.versus or ())
        reading = ReadOptions(
            options.label,
            versus,
            names,
            options.tokenizer,
            options.image,
            options.signed,
            options.input_text,
            options.axes,
            used=self.used,
        )
        waiting = list(self._expected)
        source: Any = sys.stdin.buffer if self.source == "-" else Path(self.source)
        read = iter_saliency(source, reading, format=options.format, on_problem=self.problems.append, on_note=note)
        kept: list[Saliency] = []  # until every option has had an effect: that one has none is told before anything is done
        found = False
        for saliency in read:
            found = True
            waiting = [one for one in waiting if not one[2](saliency)]
            kept.append(saliency)
            if not waiting and not reading.unused():
                yield from self._counted(kept)
                kept.clear()
        if not found:  # ends the command before it writes an empty file
            self.finish()
            raise UsageError(f"{self.source} holds no maps")
        if waiting:
            option, needs, _ = waiting[0]
            raise UsageError(f"{option} has an effect on {needs} alone, and {self.source} holds none; leave it out")
        yield from self._counted(kept)

    def _counted(self, maps: Iterable[Saliency]) -> Iterator[Saliency]:
        for saliency in maps:
            self.count += 1
            yield saliency

    def finish(self, *others: tuple[str, Iterable[object]]) -> None:
        """Name the records that could not be read, and others that were left out; end with `status` where there are any.

        Args:
            others: (what became of the records, such as "not drawn"; the problems) pairs.
        """
        if self.tell(*others):
            raise typer.Exit(self.status)

    def tell(self, *others: tuple[str, Iterable[object]]) -> bool:
        """Name the records that could not be read, and others that were left out; whether there are any."""
        if self.problems:
            records = len(self.problems) + self.count
            others_done = "; the others were done" if self.count else ""
            note(f"{len(self.problems)} of {counted(records, 'record')} could not be read{others_done}")
        return tell(("not read", self.problems), *others)
