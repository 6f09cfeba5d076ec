"""`saywhy doctor`: is this environment fit for use?"""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

HELP = """Look at the environment: versions, import names that another package owns too, optional parts, plug-ins, the device.

[bold]Example:[/bold] saywhy doctor

[bold]Exit status:[/bold] 0 all is well; 1 something needs mending; 130 it was interrupted.
"""
COLOURS = {"ok": "green", "note": "cyan", "mend": "red"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="doctor", help=HELP)(doctor)


def doctor() -> None:
    """Report on the environment."""
    from saywhy.environment import examine

    findings = examine()
    table = Table("", "what", "found", show_header=False, box=None)
    for finding in findings:
        table.add_row(Text(finding.state, COLOURS[finding.state]), Text(finding.what), Text(finding.detail))
    Console(highlight=False).print(table)
    if any(finding.state == "mend" for finding in findings):
        raise typer.Exit(1)
