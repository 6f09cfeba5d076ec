"""`saywhy study serve`: the study on the web, with a page for its researchers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options.console import note, show
from saywhy.cli.options.files import Use

HELP = """Serve a study: people take part with a browser, and each answer is on the disk before it is acknowledged.

[bold]Example:[/bold] saywhy study serve study --port 8000 --prefix /study

Behind a reverse proxy, which also encrypts the connection, --prefix is the path at which the proxy shows the study. The link
for researchers asks for a token, which is printed when the study is first served; SAYWHY_STUDY_ADMIN_TOKEN gives another one.

[bold]Exit status:[/bold] 2 the study can't be served; 130 it was interrupted, or 143 stopped by SIGTERM: every acknowledged
answer is kept, and the same command goes on.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="serve", help=HELP)(serve)


def serve(
    study: Annotated[
        Path,
        typer.Argument(help="The study's folder, as saywhy study build makes it.", metavar="STUDY", file_okay=False),
        Use.FOLDER_WRITTEN,
    ],
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; 0 for any free one.", min=0, max=65535)] = 8000,
    prefix: Annotated[str, typer.Option(help="Path at which a reverse proxy shows the study, such as /study.")] = "",
    new_token: Annotated[
        bool, typer.Option("--new-token", help="Make a new token for researchers; the one before is no longer valid.")
    ] = False,
) -> None:
    """Serve until a signal comes."""
    from evals.study.folder import open_study
    from evals.study.server import open_store, study_app
    from evals.study.server import serve as run
    from evals.study.server.admin import admin_routes, admin_token
    from evals.study.server.listening import check_installed
    from evals.study.server.served import has_assets
    from evals.study.server.shielding import checked_prefix
    from saywhy_core.errors import UsageError

    check_installed()
    opened, path = open_study(study), checked_prefix(prefix)
    if not has_assets(opened):
        raise UsageError(f"{study} holds no pages yet; fetch jsPsych into it with saywhy study assets {study}")
    for said in opened.problems:
        note(said, style="yellow")
    store = open_store(opened)
    try:
        digest, token = admin_token(opened, renew=new_token)
        app = study_app(store, prefix=path, more=admin_routes(store, digest))

        def ready(taken: int) -> None:
            shown = f"[{host}]" if ":" in host else host
            address = f"http://{shown}:{taken}{path}/"
            show(f"participants: {address}")
            show(f"researchers:  {address}admin")
            if token is not None:
                show(f"token:        {token}")
                note("the token is shown this once; keep it, or make another one with --new-token")
            if host not in ("127.0.0.1", "localhost", "::1"):
                note("the connection is not encrypted; let people in through a reverse proxy with https")

        run(app, host=host, port=port, ready=ready)
    finally:
        store.close()
