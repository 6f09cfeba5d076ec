"""`saywhy audit report`: what an audit found, as a page, a table, or a record for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options.console import note
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import Rule, with_groups
from saywhy_core.errors import UsageError

HELP = (
    "Write the report of an audit: by default report.html, one page with pictures, tables and filters that needs no other "
    "file, and report.json, which [bold]saywhy check[/bold] reads.\n\n"
    "Robust accuracy against distance and against queries comes with intervals; every sentence was checked against the rows, "
    "the pictures or the maps, and what is not true is left out. A report can be written while the audit runs.\n\n"
    "[bold]Example:[/bold] saywhy audit report audit --format html,junit --fragile-below 5\n\n"
    "[bold]Exit status:[/bold] 0 the reports are written; 2 the command could not run to its end.\n"
)
DEFAULT = "html,json"
_PICTURED, _TESTED = {"html", "json"}, {"junit"}


def _formats(options: object) -> set[str]:
    return {name.strip() for name in str(options).split(",")}


RULES = (
    Rule(
        ("pictures",),
        "--format html or json; no other format shows single images",
        lambda options: bool(_PICTURED & _formats(options["format"]) or _brought(_formats(options["format"]), "pictures")),
    ),
    Rule(
        ("fragile_below",),
        "--format junit",
        lambda options: bool(_TESTED & _formats(options["format"]) or _brought(_formats(options["format"]), "fragile_below")),
    ),
)


def _brought(names: set[str], option: str) -> bool:
    """Whether a format of another distribution uses the option."""
    from adversarial.audit.reporters import REPORTERS

    return any(option in REPORTERS.get(name).uses for name in names if name in REPORTERS)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="report", help=HELP)(with_groups(report, RULES))


def report(
    directory: Annotated[Path, typer.Argument(help="The audit's folder.", metavar="DIR", file_okay=False)],
    format: Annotated[  # noqa: A002 - the option's own word
        str, typer.Option(help="Formats with commas between: html, json, csv, parquet, junit.", metavar="FORMAT,...")
    ] = DEFAULT,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write to, or a file with the ending of the format; DIR if not given.", show_default=False),
        Use.PLACE_WRITTEN,
    ] = None,
    pictures: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=1000,
            show_default=False,
            help="Of how many images, the most fragile first, the page shows pictures; 60 if not given. All others are rows.",
        ),
    ] = None,
    fragile_below: Annotated[
        float | None,
        typer.Option(
            help="In JUnit, an image that a change below this distance turns is a failure.",
            metavar="DISTANCE",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write reports."""
    from adversarial.audit.reporters import write_reports
    from adversarial.audit.store import AuditStore

    names = [name.strip() for name in format.split(",") if name.strip()]
    if not names:
        raise UsageError("--format names no format; give some of html, json, csv, parquet and junit, with commas between")
    with AuditStore(directory) as store:
        for path in write_reports(store, names, out, pictures=pictures, fragile_below=fragile_below):
            note(f"wrote {path}")
