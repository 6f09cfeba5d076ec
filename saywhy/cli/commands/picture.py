"""`saywhy picture`: maps in, heatmaps or rationales out, one file per map."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options.choices import either
from saywhy.cli.options.console import counted, note
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import Rule, with_groups
from saywhy.cli.options.maps import MapsArgument, MaskOption, ReadingOptions
from saywhy_core.errors import Problem, UsageError
from saywhy_core.progress import progress_bar

HELP = """Draw saliency maps: a heatmap as HTML or PNG, or the words that decided (a rationale).

Blue speaks for the label, orange (dashed) against it; violet matters, where a map has no signs. One file per map is written
to the folder --out, or one page with all maps if --out ends in .html or .htm. Files are named after the ids of the maps;
characters that are not safe in a file name are replaced. A rationale is the text cut down to the words that speak most for
the label, as HTML.

[bold]Example:[/bold] saywhy picture maps.jsonl --out pictures --kind png

[bold]Example:[/bold] saywhy picture maps.jsonl --out page.html

[bold]Exit status:[/bold] 0 all maps were drawn; 1 some were left out; 2 the command could not run;
130 it was interrupted.
"""
_PAGES = (".html", ".htm")
_FILES = (  # suffixes of files; a folder with such a name would be a surprise
    *(".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp", ".tif", ".tiff", ".pdf", ".ps", ".eps"),
    *(".txt", ".md", ".tex", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".xhtml", ".mhtml", ".doc", ".docx", ".odt", ".ppt"),
    *(".pptx", ".xls", ".xlsx", ".npy", ".npz", ".pt", ".pkl", ".parquet", ".zip", ".gz", ".tar"),
)
RULES = (
    Rule(("max_words",), "--kind rationale: a heatmap shows all words", lambda options: options["kind"] == "rationale"),
    Rule(
        ("mask_labels",),
        "--kind html and --kind png: a rationale names no label",
        lambda options: options["kind"] != "rationale",
    ),
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="picture", help=HELP)(with_groups(picture, RULES))


def picture(
    maps: MapsArgument,
    reading: ReadingOptions,
    out: Annotated[
        Path,
        typer.Option(help="Folder to write to, made where there is none; or a page to write, if it ends in .html or .htm."),
        Use.PLACE_WRITTEN,
    ],
    kind: Annotated[str, typer.Option(help="What to write for each map.", metavar=either("verbalize.draw:PICTURES"))] = "html",
    max_words: Annotated[int | None, typer.Option(min=1, help="Words in a rationale; 12 by default.")] = None,
    mask_labels: MaskOption = False,
) -> None:
    """Draw maps."""
    from saywhy_core.disk.destinations import enclosed
    from saywhy_core.disk.files import UnusableFileError, is_in_the_way
    from saywhy_core.disk.locks import FileLock, folder_lock
    from saywhy_core.names import safe_file_name
    from saywhy_core.reading.records import told
    from verbalize.draw import PICTURES, MissingGlyphWarning, draw_to_file, page_of_maps

    one_page = out.suffix.lower() in _PAGES
    if one_page and out.is_dir():
        raise UsageError(f"--out {out} is a folder, and by its ending a page; name a page that is none, or another folder")
    if out.suffix.lower() in _FILES and not out.is_dir():
        raise UsageError(
            f"--out names a folder, or a page that ends in .html or .htm; {out} looks like a file of another kind"
            " (--kind png writes one picture for each map to a folder)"
        )
    if out.exists() and not out.is_dir() and not one_page:
        raise UsageError(f"--out names a folder or a page that ends in .html or .htm, but {out} is another file")
    suffix = PICTURES.get(kind).suffix
    source = reading.read(maps)
    taken: set[str] = set()
    undrawn: list[Problem] = []
    with ExitStack() as held, progress_bar("drawing") as shown, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("default", MissingGlyphWarning)
        for saliency in source:
            if source.count == 1:  # not before: where there are no maps, nothing is made
                if one_page:
                    held.enter_context(FileLock(out, "page"))
                    page = page_of_maps(out, kind, title=out.stem, max_words=max_words, mask_labels=mask_labels)
                    add = held.enter_context(page)
                else:
                    held.enter_context(folder_lock(out))
                    held.enter_context(enclosed(out))
            try:
                with told(what="it can't be drawn"):
                    if one_page:
                        add(saliency)
                    else:
                        path = out / safe_file_name(saliency.saliency_id, suffix, taken)
                        with FileLock(path, "picture"):
                            draw_to_file(saliency, path, kind, max_words=max_words, mask_labels=mask_labels)
            except UsageError as error:
                if isinstance(error, UnusableFileError) and (one_page or not is_in_the_way(path)):
                    raise  # no other map could be drawn either
                undrawn.append(Problem(maps, str(error), id=saliency.saliency_id))
            shown(source.count, None)
    drawn = source.count - len(undrawn)
    for text in dict.fromkeys(str(one.message) for one in warned):
        note(text)
    note(f"{counted(drawn, 'picture')} written to {out}")
    source.finish(("not drawn", undrawn))
