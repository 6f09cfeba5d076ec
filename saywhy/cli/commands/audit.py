"""`saywhy audit`: the commands that attack thousands of images, report what was found, and compare."""

from __future__ import annotations

from importlib import import_module

import typer

HELP = """Audit a classifier over many images: how easily is it fooled, where, by what, and did the new version get worse?

[bold]Example:[/bold] saywhy audit run audit images/ --target onnx:model.onnx --budget 1000

[bold]Exit status:[/bold] 0 done; 1 some images could not be audited, or a rule of --fail-if holds; 2 the command could not run
to its end; 130 it was interrupted: finished images are kept, and the same command goes on.
"""

PARTS: tuple[str, ...] = ("run", "status", "report", "compare", "merge")


def register(app: typer.Typer) -> None:
    """Add the group and its commands."""
    group = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode="rich")
    for name in PARTS:
        import_module(f"saywhy.cli.commands.audits.{name}").register(group)
    app.add_typer(group, name="audit", help=HELP)
