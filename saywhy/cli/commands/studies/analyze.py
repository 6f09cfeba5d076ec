"""`saywhy study analyze`: what the answers of a study say, as tables, a report page and words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.options.console import finish, note, show
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import Rule, with_groups
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from evals.study.answers import Answers
    from evals.study.folder import Study
    from saywhy_core.errors import Problem

HELP = (
    "Analyse the answers of a study: accuracy, ratings and times per condition with intervals over participants and items, "
    "agreement, differences, mixed models, subgroups, and the hypotheses of study.yaml, answered one by one.\n\n"
    "ANSWERS is a study's folder (its own database), or files with answers: the tidy table, or what jsPsych, JATOS, potato or "
    "Label Studio give back; any other table needs --columns, a file that says which column is what.\n\n"
    "The folder DIR gets report.html (one page, in which each number of the text leads to its cell), results.md, results.tex, "
    "results.json, accuracy.csv, ratings.csv and the other tables, plots, the analysed answers as tidy.csv, and analysis.R, "
    "which computes the models again in R. Answers of people and of simulated participants are never mixed.\n\n"
    "[bold]Example:[/bold] saywhy study analyze study --out results --reference plain\n\n"
    "[bold]Exit status:[/bold] 0 the files are written; 1 they are, and some rows could not be used, or nobody is left to "
    "analyse; 2 the command could not "
    "run to its end.\n"
)
RULES = (Rule(("form",), "files with answers; leave out --columns", lambda options: options["columns"] is None),)


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(name="analyze", help=HELP)(with_groups(analyze, RULES))


def analyze(
    answers: Annotated[list[Path], typer.Argument(help="A study's folder, or files with answers.", metavar="ANSWERS...")],
    out: Annotated[Path, typer.Option(help="Folder for the results.", metavar="DIR", file_okay=False), Use.FOLDER_WRITTEN],
    study: Annotated[
        Path | None,
        typer.Option(
            help="The study's folder: its exclusions, hypotheses and items. Not needed where ANSWERS is that folder.",
            metavar="STUDY",
            file_okay=False,
            show_default=False,
        ),
    ] = None,
    columns: Annotated[
        Path | None,
        typer.Option(help="A YAML file that says which column is what.", metavar="FILE", dir_okay=False, show_default=False),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="The form of the files; 'auto' looks at their content.", metavar="FORMAT")
    ] = "auto",
    alpha: Annotated[
        float | None, typer.Option(help="Level of tests; 0.05 unless the study says otherwise.", show_default=False)
    ] = None,
    bootstrap: Annotated[
        int | None, typer.Option(help="Resamples, from 200; 2,000 unless the study says otherwise.", show_default=False)
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="The condition that all others are compared with.", metavar="CONDITION", show_default=False),
    ] = None,
    subgroups: Annotated[
        str | None,
        typer.Option(
            help="Facts about items or participants that make subgroups, with commas between; 'none' for none.",
            metavar="FACT,...",
            show_default=False,
        ),
    ] = None,
    exclude_rule: Annotated[
        list[str] | None,
        typer.Option(
            help="An exclusion rule, instead of the study's, such as median_seconds_below=2 or failed_attention=off.",
            metavar="RULE=VALUE",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Analyse answers."""
    from evals.study.analysis import analyze as run
    from evals.study.analysis.reporting import write_analysis

    problems: list[Problem] = []
    found, opened = _read(answers, study, columns, None if form == "auto" else form, problems)
    chosen = None if subgroups is None else [] if subgroups == "none" else [one.strip() for one in subgroups.split(",")]
    result = run(
        found, study=opened, alpha=alpha, bootstrap=bootstrap, reference=reference, subgroups=chosen,
        rules=dict(_rule(one) for one in exclude_rule or ()), problems=problems,
    )  # fmt: skip
    paths = write_analysis(result, out)
    if not result.people:
        show("Simulated participants gave these answers. Nothing here says anything about people.", style="yellow")
    for paragraph in result.paragraphs:
        show(paragraph.heading, style="bold")
        for sentence in paragraph.sentences:
            show(sentence)
    note(f"wrote {len(paths)} files to {out}: see {paths[-1]}")
    nobody = "no participant with an answer to a trial is left; exclusions.csv says why each was left out"
    finish(("not used", problems), ("nothing to analyse", [] if result.tables["measures"].rows else [nobody]))


def _read(
    paths: list[Path], folder: Path | None, columns: Path | None, form: str | None, problems: list[Problem]
) -> tuple[Answers, Study | None]:
    """The answers, and the study where one is known."""
    from evals.study.folder import STUDY_FILE, open_study
    from evals.study.imports import IMPORTS, detect, read_answers

    own = [path for path in paths if (path / STUDY_FILE).is_file()]
    if own:
        if len(paths) > 1:
            raise UsageError(f"{own[0]} is a study's folder, which is analysed alone; give it, or files with answers")
        if folder is not None or columns is not None or form is not None:
            given = "--study" if folder is not None else "--columns" if columns is not None else "--format"
            raise UsageError(f"{own[0]} is a study's folder, and {given} has no effect beside it; leave it out")
        from evals.study.server.store import read_answers as read_store

        alone = open_study(own[0])
        return read_store(alone), alone
    opened = None if folder is None else open_study(folder)
    if columns is not None:
        return read_answers(paths, columns=columns, problems=problems), opened
    name = form or detect(paths[0])
    judged = name in IMPORTS and IMPORTS.get(name).judged
    return read_answers(paths, study=opened if judged else None, form=form, problems=problems), opened


def _rule(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign:
        raise UsageError(f"--exclude-rule {text} has no value; write {text}=VALUE, or {text}=off")
    said = value.strip().lower()
    if said in ("on", "yes", "true"):
        return name.strip(), True
    if said in ("off", "no", "false", "none"):
        return name.strip(), False if name.strip() in ("incomplete", "failed_comprehension") else None
    try:
        number = float(said)
    except ValueError:
        raise UsageError(f"--exclude-rule {text}: {value!r} is no number; give one, or on or off") from None
    return name.strip(), int(number) if number.is_integer() else number
