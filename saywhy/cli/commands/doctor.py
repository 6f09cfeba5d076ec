"""`saywhy doctor`: is this environment fit for use?"""

from __future__ import annotations

import typer

from saywhy.cli.options.console import show_table

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
    show_table(((finding.state, COLOURS[finding.state]), finding.what, finding.detail) for finding in findings)
    if any(finding.state == "mend" for finding in findings):
        raise typer.Exit(1)
