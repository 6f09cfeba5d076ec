"""`saywhy demo`: one page that shows what saywhy gives, computed offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from saywhy_core.progress import progress_bar


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write index.html to; made where it is missing.")] = Path(
        "demo"
    ),
    seed: Annotated[int, typer.Option(help="Seed of everything random.", min=0)] = 0,
    budget: Annotated[int, typer.Option(help="Questions that each attack may ask.", min=1)] = 1_000,
) -> None:
    """Explain texts and road signs, attack the signs, and put it all on one page, offline.

    Example: [bold]saywhy demo --out demo[/bold], then open demo/index.html in a browser.
    """
    from saywhy.demo.run import run

    with progress_bar(keep=True) as bar:
        page = run(out, seed=seed, budget=budget, advance=lambda stage, done, total: bar.stage(stage)(done, total))
    Console(stderr=True).print(f"wrote {page}", highlight=False, soft_wrap=True)
