"""`saywhy evaluate agree`: where the maps of several methods agree, in numbers and in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saywhy.cli.options.console import counted, note, show, show_data
from saywhy.cli.options.files import Use, hold
from saywhy.cli.options.groups import with_groups
from saywhy.cli.options.maps import ReadingOptions
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from verbalize.saliency import Saliency

HELP = """Say where the maps of several methods agree: "four of five methods name 'rude'; they disagree on 'still'".

Each file of MAPS holds the maps of one method, of the same inputs in every file: those with the same id are compared. A method
goes by the name in its maps, or by the name of its file. Prints one sentence per input, and the agreement of the methods over
all inputs; --json prints for each method the parts that it names, and their places, counted from 1. --out writes one row per
input as CSV, --pairs one row per pair of methods with intervals.

[bold]Example:[/bold] saywhy evaluate agree gradients.jsonl occlusion.jsonl lime.jsonl

[bold]Exit status:[/bold] 0 all was compared; 1 some records were left out, or are not in every file;
2 the command could not run; 130 it was interrupted.
"""


def register(group: typer.Typer) -> None:
    """Add the command to the group."""
    group.command(name="agree", help=HELP)(with_groups(agree))


def agree(
    maps: Annotated[list[str], typer.Argument(help="Files of saliency maps, one per method.", metavar="MAPS..."), Use.READ],
    reading: ReadingOptions,
    k: Annotated[int, typer.Option(min=1, help="Words of a text that count as named by a method.")] = 3,
    level: Annotated[float, typer.Option(help="How often the intervals should cover the mean over all inputs.")] = 0.95,
    out: Annotated[Path | None, typer.Option(help="CSV file to write, one row per input."), Use.WRITTEN] = None,
    pairs: Annotated[Path | None, typer.Option(help="CSV file to write, one row per pair of methods."), Use.WRITTEN] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per input instead of sentences.")] = False,
) -> None:
    """Compare the maps of methods."""
    from evals.faithfulness import agree as compared
    from saywhy_core.disk.files import atomic_open

    if len(maps) < 2:
        raise UsageError("give the files of two methods or more, such as gradients.jsonl occlusion.jsonl")
    twice = next((one for index, one in enumerate(maps) if _same(one, maps[:index])), None)
    if twice is not None:
        raise UsageError(f"{twice} is given twice, and a method always agrees with itself; give each file once")
    hold(out, "table")
    hold(pairs, "table")
    by_method: dict[str, dict[str, Saliency]] = {}
    sources = []
    for where in maps:
        source = reading.read(where)
        sources.append(source)
        found = {one.saliency_id: one for one in source}
        name = _name(where, list(found.values()), by_method)
        by_method[name] = found
    shared = [one for one in next(iter(by_method.values())) if all(one in found for found in by_method.values())]
    if not shared:
        raise UsageError("no input has a map in every file: maps of one input must have the same id")
    lost = {name: len(found) - len(shared) for name, found in by_method.items() if len(found) > len(shared)}
    for name, count in lost.items():
        note(f"{name}: left out {counted(count, 'map')} of inputs that are not in every file")
    agreement = compared({name: [found[one] for one in shared] for name, found in by_method.items()}, k=k, level=level)
    for one in agreement.inputs:
        if as_json:
            named = {name: one.named_by(row) for row, name in enumerate(agreement.methods)}
            places = {
                name: [place for place, yes in zip(one.places, row, strict=True) if yes]
                for name, row in zip(agreement.methods, one.named, strict=True)
            }
            record = {"id": one.id, "text": one.text, "named": named, "places": places}
            show_data(json.dumps(record, ensure_ascii=False) + "\n")
        else:
            show(f"{one.id}: {one.text}" if len(shared) > 1 else one.text)
    if not as_json:
        for sentence in agreement.sentences():
            show(sentence)
    for path, table in ((out, agreement.table()), (pairs, agreement.pairs)):
        if path is not None:
            with atomic_open(path) as stream:
                stream.write(table.to_csv())
    told = [source.tell() for source in sources]
    if any(told) or lost:
        raise typer.Exit(1)


def _same(where: str, others: list[str]) -> bool:
    return where in others or any(Path(where).exists() and Path(one).exists() and Path(where).samefile(one) for one in others)


def _name(where: str, found: list[Saliency], taken: dict[str, dict[str, Saliency]]) -> str:
    methods = {one.method for one in found if one.method}
    name = methods.pop() if len(methods) == 1 else Path(where).stem
    if name in taken:
        name = Path(where).stem
    if name in taken:
        raise UsageError(f"two of the files are called {name}; give each a name of its own")
    return name
