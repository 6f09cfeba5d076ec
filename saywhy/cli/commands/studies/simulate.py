"""`saywhy study simulate`: a dry run with scripted participants and language models, before anybody is paid."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.foreseen import YES_RULE, may_begin, opened_to_foresee
from saywhy.cli.options.console import note, show
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import Rule, with_groups
from saywhy.cli.options.models import MODEL_FORMS, MODEL_OPTIONS, ModelOptions, tell_usage

HELP = (
    "Let simulated participants take a study over the same server as people will. It finds items that nobody can answer, what "
    "gives answers away, and tasks without room for improvement, and says which differences the study could detect.\n\n"
    "Their answers are marked, go into files of their own, and can't be analysed together with people's.\n\n"
    "--dry-run says what asking a language model would take, and nobody takes the study; large runs need --yes.\n\n"
    f"{MODEL_FORMS}\n\n"
    "[bold]Example:[/bold] saywhy study simulate study --llm http://127.0.0.1:8000/v1#NAME --count 8\n\n"
    "[bold]Exit status:[/bold] 0 nothing stands in the way of people; 1 something is broken or gives answers away; 2 the "
    "command could not run to its end.\n"
)
_OF_THE_MODEL = tuple(name for name in MODEL_OPTIONS if name not in ("llm", "replies"))
RULES = (Rule(_OF_THE_MODEL, "--llm", lambda options: options["llm"] is not None), YES_RULE)


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(name="simulate", help=HELP)(with_groups(simulate, RULES))


def simulate(
    directory: Annotated[
        Path, typer.Argument(help="The study's folder.", metavar="STUDY", file_okay=False), Use.FOLDER_WRITTEN
    ],
    model: ModelOptions,
    participants: Annotated[
        str | None,
        typer.Option(
            help="Kinds of scripted participants with commas between, or 'none'; all built-in ones if not given.",
            metavar="KIND,...",
            show_default=False,
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=1000, help="Participants of each kind.")] = 4,
    chance: Annotated[int, typer.Option("--chance", help="Seed of the scripted participants' choices.", min=0)] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for answers.csv and dry-run.md; STUDY/dry-run if not given.", show_default=False),
        Use.PLACE_WRITTEN,
    ] = None,
) -> None:
    """Take the study."""
    from evals.simulate import SCRIPTED
    from evals.simulate import simulate as run
    from evals.study.folder import open_study
    from evals.study.simulated import dry_run_text, foresee_study, language_model_kind, requests_of
    from saywhy_core.disk.files import atomic_open

    study = open_study(directory)
    place = out or directory / "dry-run"
    named = (participants or "").strip()
    kinds = SCRIPTED if participants is None else () if named == "none" else tuple(one.strip() for one in named.split(","))
    models = {}
    chat = None
    if model.llm is not None:
        kept = place / "answers.csv"
        if not may_begin(
            model,
            requests_of(study, count),
            lambda: foresee_study(study, opened_to_foresee(model, kept), count, before=len(kinds) * count),
        ):
            return
        chat = model.open(kept)
        name = model.llm.rpartition("#")[2].rpartition("/")[2]
        models[name] = language_model_kind(chat, name)
        note(f"{name}: up to {requests_of(study, count):,} requests, {count} participants with one request per page")
    dry = run(study, kinds, count=count, models=models, seed=chance)
    text = dry_run_text(study, dry)
    place.mkdir(parents=True, exist_ok=True)
    with atomic_open(place / "answers.csv") as stream:
        stream.write(dry.answers.to_csv())
    with atomic_open(place / "dry-run.md") as stream:
        stream.write(text)
    for line in text.splitlines():
        show(line)
    if chat is not None:
        tell_usage(chat)
    note(f"wrote {place / 'answers.csv'} and {place / 'dry-run.md'}")
    if dry.broken:
        raise typer.Exit(1)
