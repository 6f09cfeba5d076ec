"""`saywhy picture`: maps in, heatmaps or rationales out, one file a map."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saywhy.cli.options import maps as reading
from saywhy_core.progress import progress_bar

if TYPE_CHECKING:
    from verbalize.saliency import Saliency

HELP = """Draw saliency maps: a heatmap a map, as HTML or PNG, or the words that decided.

Blue speaks for the label, orange (dashed) against it. Files are named by the records' ids; what a file name should not hold
is replaced. A rationale is the text cut down to the words that speak most for the label.

[bold]Example:[/bold] saywhy picture maps.jsonl --out pictures --kind png
"""


class Kind(StrEnum):
    """What to write for each map."""

    html = "html"
    png = "png"
    rationale = "rationale"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="picture", help=HELP)(picture)


def picture(
    maps: reading.MapsArgument,
    out: Annotated[Path, typer.Option(help="Folder to write to; made where there is none.", file_okay=False)],
    kind: Annotated[Kind, typer.Option(help="What to write for each map; a rationale is HTML.")] = Kind.html,
    max_words: Annotated[int, typer.Option(min=1, help="Words in a rationale.")] = 12,
    mask_labels: Annotated[bool, typer.Option(help="Hide the labels, for studies in which people guess them.")] = False,
    format: reading.FormatOption = "auto",  # noqa: A002
    label: reading.LabelOption = None,
    versus: reading.VersusOption = None,
    class_names: reading.ClassNamesOption = None,
    tokenizer: reading.TokenizerOption = None,
    image: reading.ImageOption = None,
) -> None:
    """Draw maps."""
    from saywhy_core.errors import Problem, UsageError
    from saywhy_core.names import safe_file_name

    source = reading.MapReader(maps, format, label, tuple(versus or ()), class_names, tokenizer, image)
    taken: set[str] = set()
    undrawn: list[Problem] = []
    with progress_bar("drawing") as bar:
        for saliency in source:
            try:
                _draw(saliency, out / safe_file_name(saliency.saliency_id, _suffix(kind), taken), kind, max_words, mask_labels)
            except UsageError as error:
                undrawn.append(Problem(maps, str(error), None, saliency.saliency_id))
            except OSError as error:
                raise UsageError(f"{out} can't be written to: {error.strerror}") from None
            bar.advance()
    drawn = source.count - len(undrawn)
    reading.stderr.print(f"{drawn} {'picture' if drawn == 1 else 'pictures'} written to {out}", soft_wrap=True, markup=False)
    for problem in undrawn:
        reading.stderr.print(f"not drawn: {problem}", style="red", markup=False, soft_wrap=True)
    source.finish()
    if undrawn:
        raise typer.Exit(1)


def _suffix(kind: Kind) -> str:
    return ".png" if kind is Kind.png else ".html"


def _draw(saliency: Saliency, path: Path, kind: Kind, max_words: int, mask_labels: bool) -> None:
    from saywhy_core.files import atomic_open
    from verbalize.draw.heatmaps import extractive_rationale, save_picture
    from verbalize.draw.page import html_page

    if kind is not Kind.rationale:
        save_picture(saliency, path, mask_labels=mask_labels)
        return
    rationale = extractive_rationale(saliency, max_words)  # type: ignore[arg-type]  # it says so where it is given pixels
    body = rationale.html if rationale.part else "<p><em>No word speaks for it.</em></p>"
    with atomic_open(path) as stream:
        stream.write(html_page(body, saliency.saliency_id))
