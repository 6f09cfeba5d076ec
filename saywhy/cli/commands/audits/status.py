"""`saywhy audit status`: how far an audit is."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from saywhy.cli.commands.audits.run import tell_status
from saywhy.cli.options.console import finish, show_data

HELP = (
    "Say how far an audit is, also while it runs.\n\n"
    "[bold]Example:[/bold] saywhy audit status audit\n\n"
    "[bold]Exit status:[/bold] 0 no image failed; 1 some images could not be attacked; 2 there is no audit in DIR.\n"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="status", help=HELP)(status)


def status(
    directory: Annotated[Path, typer.Argument(help="The audit's folder.", metavar="DIR", file_okay=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Tell how far an audit is."""
    from adversarial.audit import Audit

    found = Audit(directory).status()
    if as_json:
        counts = {str(name): number for name, number in found.counts.items()}
        shown: dict[str, Any] = {
            "images": found.images, **counts, "begun": found.begun, "queries": found.queries, "settings": dict(found.settings),
            "proofs": None if found.proofs is None else asdict(found.proofs),
        }  # fmt: skip
        show_data(json.dumps(shown, ensure_ascii=False, indent=1) + "\n")
    else:
        tell_status(found)
    finish(("failed", found.problems))
