"""`saywhy study build`: maps in, a study's folder out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options.console import counted, note, show
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import Rule, with_groups
from saywhy.cli.options.maps import MapsArgument, ReadingOptions
from saywhy.cli.options.models import MODEL_FORMS, MODEL_OPTIONS, ModelOptions, tell_usage
from saywhy_core.errors import UsageError

HELP = f"""Build a study: the items that people see under each condition, and study.yaml, which is ready to edit.

CONDITIONS have commas between them: heatmap, rationale, list, each style of [bold]saywhy verbalize[/bold] (plain, ranked, smv;
plain-paragraph for another length), narrate (a language model, checked), a file of texts (mytexts.jsonl or .csv with id and
text), and the controls none, random and other (the explanation of another label). [bold]plain+heatmap[/bold] shows two at
once, and [bold]random-plain[/bold] is a control in the form of another condition.

Labels are masked where people guess what the model chose, and no explanation may name one.

{MODEL_FORMS}

[bold]Example:[/bold] saywhy study build maps.jsonl --conditions heatmap,rationale,plain,random,none --items 40 --out study

[bold]Exit status:[/bold] 0 the study is built; 1 it is built, and some maps were left out; 2 the command could not run to its
end.
"""


def _narrates(conditions: object) -> bool:
    return "narrate" in str(conditions)


RULES = (
    Rule(
        MODEL_OPTIONS,
        "the condition narrate: no other needs a language model",
        lambda options: _narrates(options["conditions"]),
    ),
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="build", help=HELP)(with_groups(build, RULES))


def build(
    maps: MapsArgument,
    reading: ReadingOptions,
    model: ModelOptions,
    conditions: Annotated[str, typer.Option(help="Conditions, with commas between them.", metavar="NAME,...")],
    out: Annotated[Path, typer.Option(help="Folder of the study.", metavar="STUDY"), Use.FOLDER_WRITTEN],
    design: Annotated[str, typer.Option(help="Who sees what.", metavar="[between|within|latin|blocks|mixed]")] = "latin",
    items: Annotated[int, typer.Option(min=1, max=2000, help="Items per participant, without those for practice.")] = 40,
    tasks: Annotated[
        str, typer.Option(help="What is asked about each item, with commas between.", metavar="NAME,...")
    ] = "simulation,helpfulness,ease",
    labels: Annotated[
        str | None, typer.Option(help="All labels, with commas between them. By default those that the maps name.")
    ] = None,
    choices: Annotated[
        int, typer.Option(min=2, help="Of more labels than this, so many are offered per item.", metavar="N")
    ] = 8,
    participants: Annotated[int | None, typer.Option(min=1, help="People who are to complete the study.")] = None,
    practice: Annotated[int, typer.Option(min=0, max=50, help="Items for practice, with feedback.")] = 2,
    mask_labels: Annotated[
        bool | None,
        typer.Option(
            "--mask-labels/--show-labels", help="Whether no explanation may name a label. By default where people guess it."
        ),
    ] = None,
    synonyms: Annotated[
        Path | None,
        typer.Option(
            help='JSON file of other names of labels that no explanation may hold, such as {"positive": ["positiv", "gut"]}.',
            metavar="FILE",
        ),
    ] = None,
    replace_leaks: Annotated[
        bool,
        typer.Option(
            "--replace-leaks",
            help="Put 'the label' in the place of labels in texts of a file; else items with such texts are left out.",
        ),
    ] = False,
    binary: Annotated[
        bool,
        typer.Option("--binary", help="Of two labels, scores against one speak for the other: turn such maps round."),
    ] = False,
    title: Annotated[str, typer.Option(help="Title that participants see.")] = "Explanations of a computer model",
    sampling_seed: Annotated[int, typer.Option("--study-seed", min=0, help="Seed of everything random in the study.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Write over a study that has no answers yet.")] = False,
) -> None:
    """Build a study."""
    from evals.study.building import build_study
    from evals.study.design.file import DesignPart
    from saywhy_core.errors import Problem

    source = reading.read(maps)
    left_out: list[Problem] = []
    chat = model.open(out) if _narrates(conditions) else None
    planned = DesignPart.model_validate(
        {"kind": design, "items": items} | ({"participants": participants} if participants else {})
    )
    try:
        study = build_study(
            source,
            conditions,
            out=out,
            design=planned,
            tasks=tasks,
            labels=[one.strip() for one in labels.split(",") if one.strip()] if labels else (),
            choices=choices,
            seed=sampling_seed,
            practice=practice,
            mask_labels=mask_labels,
            synonyms=_read_synonyms(synonyms),
            replace_leaks=replace_leaks,
            binary=binary,
            title=title,
            chat=chat,
            force=force,
            on_problem=left_out.append,
            on_note=note,
        )
    finally:
        if chat is not None:
            tell_usage(chat)
    shown = [item for item in study.items.values() if not item.practice]
    show(
        f"{out}: {counted(len(shown), 'item')} and {len(study.items) - len(shown)} for practice, under "
        f"{counted(len(study.file.conditions), 'condition')}"
    )
    show(f"next: saywhy study preview {out}")
    source.finish(("left out", left_out))


def _read_synonyms(path: Path | None) -> dict[str, list[str]] | None:
    if path is None:
        return None
    from saywhy_core.reading.documents import read_json

    found = read_json(path, holds="a JSON object from label to a list of other names")
    if not isinstance(found, dict) or not all(
        isinstance(names, list) and all(isinstance(name, str) for name in names) for names in found.values()
    ):
        raise UsageError(f'{path} holds no names of labels; write {{"label": ["another name", ...], ...}}')
    return found
