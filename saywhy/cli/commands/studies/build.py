"""`saywhy study build`: maps in, a study's folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saywhy.cli.foreseen import YES_RULE, opened_to_foresee, told_or_stopped
from saywhy.cli.options.console import counted, note, show
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import Rule, with_groups
from saywhy.cli.options.maps import MapsArgument, ReadingOptions
from saywhy.cli.options.models import MANY_REQUESTS, MODEL_FORMS, MODEL_OPTIONS, ModelOptions, tell_usage
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from agents.chat import Foreseen
    from evals.study.design.file import DesignPart
    from saywhy_core.classifiers import Classifier

HELP = f"""Build a study: the items that people see under each condition, and study.yaml, which is ready to edit.

CONDITIONS have commas between them: heatmap, rationale, list, each style of [bold]saywhy verbalize[/bold] (plain, ranked, smv;
plain-paragraph for another length), narrate (a language model, checked), a file of texts (mytexts.jsonl or .csv with id and
text), and the controls none, random and other (the explanation of another label). [bold]plain+heatmap[/bold] shows two at
once, and [bold]random-plain[/bold] is a control in the form of another condition.

Labels are masked where people guess what the model chose, and no explanation may name one.

--dry-run says what the condition narrate would take, and builds nothing; large runs need --yes.

{MODEL_FORMS}

[bold]Example:[/bold] saywhy study build maps.jsonl --conditions heatmap,rationale,plain,random,none --items 40 --out study

[bold]Exit status:[/bold] 0 the study is built; 1 it is built, and some maps were left out; 2 the command could not run to its
end.
"""


def _narrates(conditions: object) -> bool:
    return "narrate" in str(conditions)


RULES = (
    Rule(("trust",), "--target", lambda options: options["target"] is not None),
    Rule(
        MODEL_OPTIONS,
        "the condition narrate: no other needs a language model",
        lambda options: _narrates(options["conditions"]),
    ),
    YES_RULE,
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
    block_size: Annotated[int | None, typer.Option(min=2, help="Conditions per participant, in the design blocks.")] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(
            help="Conditions of a group, with commas between them, in the design mixed (repeatable).", metavar="NAME,..."
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            help="Facts that items are stratified by: label, model_right, coverage, length. By default as many of these "
            "as make no more kinds than items.",
            metavar="FACT,...",
        ),
    ] = None,
    equal: Annotated[
        bool, typer.Option("--equal", help="Draw each kind of item equally often, not as often as it is there.")
    ] = False,
    answers: Annotated[
        Path | None,
        typer.Option(
            help="JSON Lines with id, part and label: what the model says without a part, for the task counterfactual.",
            metavar="FILE",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            help="The image classifier that the maps explain, as in saywhy attack, to be asked what it says without the most "
            "important region, for the task counterfactual.",
            metavar="TARGET",
        ),
    ] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Allow code that comes with the target to run.")] = False,
    participants: Annotated[int | None, typer.Option(min=1, help="People who are to complete the study.")] = None,
    practice: Annotated[int, typer.Option(min=0, max=50, help="Items for practice, with feedback.")] = 2,
    mask_labels: Annotated[
        bool | None,
        typer.Option(
            "--mask-labels/--show-labels", help="Whether no explanation may name a label. By default where people guess it."
        ),
    ] = None,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Show texts of files even where they are false of their maps.")
    ] = False,
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
    from evals.study.building import build_study, parse_conditions
    from evals.study.building.estimating import minutes_of
    from evals.study.building.making_study import strata_in
    from saywhy_core.errors import Problem

    source = reading.read(maps)
    left_out: list[Problem] = []
    chat = None
    if _narrates(conditions):
        chat = opened_to_foresee(model, out) if model.dry_run else model.open(out)
    most = (items + practice) * sum(map(_narrates, conditions.split(",")))

    def before_asking(foreseen: Foreseen) -> None:
        if not told_or_stopped(foreseen, model):
            raise typer.Exit

    planned = _planned(design, items, participants, block_size, group)
    try:
        study = build_study(
            source,
            parse_conditions(conditions, unchecked=unchecked),
            out=out,
            design=planned,
            tasks=tasks,
            by=None if by is None else [one.strip() for one in by.split(",") if one.strip()],
            allocation="equal" if equal else "proportional",
            answers=answers,
            target=_opened(target, trust=trust),
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
            before_asking=before_asking if model.dry_run or model.price is not None or most > MANY_REQUESTS else None,
        )
    except typer.Exit:  # all that was asked for is told
        if source.tell(("left out", left_out)):
            raise typer.Exit(1) from None
        raise
    except UsageError:
        source.tell(("left out", left_out))  # which may be why it ends here
        raise
    finally:
        if chat is not None and not model.dry_run:
            tell_usage(chat)
    practised = sum(item.practice for item in study.items.values())
    show(f"{out}: {counted(len(study.items) - practised, 'item')}, and {practised} for practice")
    for kind, count in strata_in(study.items.values()).items():
        show(f"  {kind}: {count}")
    trials = sorted({len(cell.trials) for cell in study.cells})
    each = " to ".join(str(number) for number in dict.fromkeys((trials[0], trials[-1])))
    conditions = counted(len(study.file.conditions), "condition")
    show(f"{conditions}, {counted(len(study.cells), 'cell')}, {each} trials per participant")
    minutes = max(1, round(minutes_of(study.file, list(study.items.values()), trials[-1])))
    show(f"about {counted(minutes, 'minute')} per participant")
    show(f"next: edit {out}/study.yaml where it says EDIT, then saywhy study preview {out}")
    if source.tell(("left out", left_out)) or study.problems:
        raise typer.Exit(1)


def _planned(design: str, items: int, participants: int | None, block_size: int | None, groups: list[str] | None) -> DesignPart:
    from evals.study.building.asking import checked_part
    from evals.study.design.file import DesignPart

    kinds = ("between", "within", "latin", "blocks", "mixed")
    if design not in kinds:
        raise UsageError(f"there is no design {design!r:.60}; use one of {', '.join(kinds)}")
    given = {"kind": design, "items": items, "participants": participants, "block_size": block_size}
    if groups:
        given["groups"] = [[name.strip() for name in group.split(",") if name.strip()] for group in groups]
    return checked_part(DesignPart, **{name: value for name, value in given.items() if value is not None})


def _opened(target: str | None, *, trust: bool) -> Classifier | None:
    if target is None:
        return None
    from saywhy_core.classifiers import load_classifier

    return load_classifier(target, trust=trust)


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
