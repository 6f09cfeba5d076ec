"""What the commands share in reading maps: the options, and how broken records are told."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from saywhy_core.errors import Problem
    from verbalize.saliency import Saliency

stderr = Console(stderr=True, highlight=False)

MapsArgument = Annotated[
    str, typer.Argument(help="File of saliency maps, or - for JSON Lines on standard input.", metavar="MAPS")
]
FormatOption = Annotated[str, typer.Option("--format", help="Format of MAPS; guessed if not given.", rich_help_panel="Reading")]
LabelOption = Annotated[
    str | None, typer.Option(help="Label that the scores speak for, where MAPS does not say it.", rich_help_panel="Reading")
]
VersusOption = Annotated[
    list[str] | None, typer.Option(help="Label it is set against (repeatable).", rich_help_panel="Reading")
]
ClassNamesOption = Annotated[
    Path | None,
    typer.Option(help="Names of classes given by number: one per line, or a JSON list.", rich_help_panel="Reading"),
]
TokenizerOption = Annotated[
    str | None, typer.Option(help="Tokenizer (name or path) for records of token ids.", rich_help_panel="Reading")
]
ImageOption = Annotated[Path | None, typer.Option(help="Picture that a pixel map belongs to.", rich_help_panel="Reading")]


@dataclass
class MapReader:
    """Reads maps one by one and gathers the records that can't be read."""

    source: str
    format: str = "auto"
    label: str | None = None
    versus: tuple[str, ...] = ()
    class_names: Path | None = None
    tokenizer: str | None = None
    image: Path | None = None
    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    def __iter__(self) -> Iterator[Saliency]:
        from saywhy_core.names import read_class_names
        from verbalize.formats import ReadOptions, iter_saliency

        names = tuple(read_class_names(self.class_names)) if self.class_names else None
        options = ReadOptions(self.label, self.versus, names, self.tokenizer, self.image)
        source: Any = sys.stdin.buffer if self.source == "-" else Path(self.source)
        for saliency in iter_saliency(source, options, format=self.format, on_problem=self.problems.append):
            self.count += 1
            yield saliency

    def finish(self) -> None:
        """Tell the broken records, and end with status 1 where there were any."""
        tell_problems(self.problems, self.count)


def tell_problems(problems: list[Problem], read: int) -> None:
    """Print each problem as a line, then exit with status 1; do nothing where there is none."""
    if not problems:
        return
    for problem in problems:
        stderr.print(f"[red]not read:[/red] {_plain(str(problem))}", soft_wrap=True)
    stderr.print(f"{len(problems)} of {len(problems) + read} records could not be read; the others were done")
    raise typer.Exit(1)


def text_records(texts: str, problems: list[Problem]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The records with `id` and `text` of a JSON Lines file (- for standard input), each with its line; others are problems."""
    from saywhy_core.errors import Problem, UsageError

    try:
        stream = sys.stdin if texts == "-" else Path(texts).open(encoding="utf-8")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(f"{texts} can't be read: {error.strerror}") from None
    with stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                problems.append(Problem(texts, f"no JSON: {error.msg}", number))
                continue
            if not isinstance(record, dict) or not isinstance(record.get("text"), str) or "id" not in record:
                problems.append(Problem(texts, "a text needs 'id' and 'text'", number))
                continue
            yield number, record


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
