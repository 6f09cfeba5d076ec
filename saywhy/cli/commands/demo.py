"""`saywhy demo`: one page that shows what saywhy gives, computed offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options.console import note
from saywhy.cli.options.files import Use
from saywhy_core.progress import progress_bar

HELP = """Explain texts and road signs, attack the signs, and put it all on one page, offline.

[bold]Example:[/bold] saywhy demo --out demo, then open demo/index.html in a browser.

[bold]Exit status:[/bold] 0 the page is written; 2 the command could not run;
130 it was interrupted.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="demo", help=HELP)(demo)


def demo(
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder to write index.html to; it is made where there is none.", file_okay=False),
        Use.FOLDER_WRITTEN,
    ] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Seed of the attacks.", min=0)] = 0,
    budget: Annotated[int, typer.Option(help="Queries that each attack may spend.", min=1)] = 1_000,
) -> None:
    """Write the page."""
    from saywhy.demo.run import run

    with progress_bar(keep=True) as bar:
        page = run(out, seed=seed, budget=budget, advance=lambda stage, done, total: bar.stage(stage)(done, total))
    note(f"wrote {page}")
