"""`saywhy evaluate maps`: how faithful the maps of attribution methods are to the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.options.choices import either
from saywhy.cli.options.console import counted, finish, note, show, show_data
from saywhy.cli.options.explained import MODEL_FORMS, ExplainedOptions
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import with_groups
from saywhy_core.errors import UsageError
from saywhy_core.progress import progress_bar

if TYPE_CHECKING:
    from evals.faithfulness import Comparison
    from saywhy_core.errors import Problem
    from verbalize.attribution.records import InputRecord

HELP = f"""Measure attribution methods on a model: how faithful are their maps, and do they agree?

INPUTS are texts or images, as for saywhy attribute. Each method explains each input for each kind of question; all metrics are
computed from the same masked inputs, and the row "random" holds shuffled maps, which every method should beat. Prints the
ranking over all metrics, says where the metrics and the methods disagree, and with --out writes means.csv, values.csv,
ranking.csv, costs.csv, agreement.csv, plots and report.html into a folder.

{MODEL_FORMS}

[bold]Example:[/bold] saywhy evaluate maps signs/ --model demo:signs --method integrated_gradients --method layer_cam --out maps

[bold]Example:[/bold] saywhy evaluate maps reviews.txt --model transformers:my-model --question contrastive --metric deletion

[bold]Exit status:[/bold] 0 all was measured; 1 some inputs or methods were left out; 2 the command could not run;
130 it was interrupted.
"""
_DEFAULTS = {
    "tokens": ("integrated_gradients", "input_x_gradient", "occlusion"),
    "pixels": ("integrated_gradients", "input_x_gradient", "occlusion"),
    "black box": ("occlusion",),
}


def register(group: typer.Typer) -> None:
    """Add the command to the group."""
    group.command(name="maps", help=HELP)(with_groups(maps))


def maps(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Files of texts or images, or folders of images; - for texts on standard input.", metavar="INPUTS..."
        ),
        Use.READ,
    ],
    model: ExplainedOptions,
    method: Annotated[
        list[str] | None,
        typer.Option(
            help="A method, with its options, such as occlusion?patch=4 (repeatable); saywhy attribute --methods lists them.",
            metavar="METHOD",
        ),
    ] = None,
    question: Annotated[
        list[str] | None,
        typer.Option(
            help="A kind of question about what is predicted (repeatable); pointwise by default.",
            metavar=either("evals.faithfulness.comparing.questions:KINDS"),
        ),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(help="A group of classes, for questions and metrics about groups (repeatable).", metavar="NAME=CLASS,..."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="A metric (repeatable); all that fit by default, without those that explain inputs again.",
            metavar=either("evals.faithfulness:METRICS"),
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="What stands in the place of hidden parts (repeatable): zero, grey, white, mean, blur, noise; of texts "
            "removal, mask, pad, unk.",
            metavar="FILL",
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            help="NPZ with masks of the decisive parts: for each input one array by its id, H×W or several of them (M×H×W).",
            dir_okay=False,
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The most inputs that are measured.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the tables, plots and the page.", metavar="DIR", file_okay=False),
        Use.FOLDER_WRITTEN,
    ] = None,
    level: Annotated[float, typer.Option(help="How often the intervals should cover the mean over all inputs.")] = 0.95,
    seed: Annotated[int, typer.Option(help="Seed of all that is random.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="The most inputs, changed or not, in one call of the model.")] = 32,
    as_json: Annotated[bool, typer.Option("--json", help="Print the means as one JSON object instead of the ranking.")] = False,
) -> None:
    """Measure attribution methods."""
    from evals.faithfulness import compare, write_comparison
    from saywhy_core.errors import Problem
    from verbalize.attribution.records import InputRecord
    from verbalize.models import BlackBoxImages, ImageModel

    opened = model.open()
    images = isinstance(opened, ImageModel | BlackBoxImages)
    found = _read(inputs, opened, images=images)
    unread = [one for one in found if isinstance(one, Problem)]
    records = [one for one in found if isinstance(one, InputRecord)][:limit]
    if not records:
        raise UsageError("there is no input to explain" + (f": {unread[0]}" if unread else ""))
    kind = "black box" if isinstance(opened, BlackBoxImages) else "pixels" if images else "tokens"
    methods = tuple(method or _DEFAULTS[kind])
    questions: Any = tuple(question or ("pointwise",))
    groups = _groups(group or ())
    note(
        f"{counted(len(records), 'input')}, {counted(len(methods), 'method')}, {counted(len(questions), 'kind')} of question: "
        f"{counted(len(records) * len(methods) * len(questions), 'map')} to make and to measure"
    )
    total = (len(methods)) * len(questions)
    with progress_bar("measuring", total) as shown:
        comparison = compare(
            opened, [one.content for one in records], methods, questions=questions, groups=groups, metrics=metric, by=by,
            truth=None if truth is None else _truth(truth, records), batch_size=batch_size, level=level, seed=seed,
            on_progress=lambda done, _: shown(done, None),
        )  # fmt: skip
    failed = [f"{run.method} ({run.question}): {run.problem}" for run in comparison.runs if run.problem]
    if as_json:
        show_data(json.dumps([dict(row) for row in comparison.table()], ensure_ascii=False) + "\n")
    else:
        _tell(comparison)
    if out is not None:
        paths = write_comparison(comparison, out)
        note(f"wrote {len(paths)} files to {out}: see {paths[-1]}")
    finish(("not read", unread), ("without maps", failed))


def _read(inputs: list[str], opened: Any, *, images: bool) -> list[InputRecord | Problem]:
    from verbalize.attribution.records import read_image_inputs, read_text_inputs

    return list(read_image_inputs(inputs, channels=opened.channels) if images else read_text_inputs(inputs))


def _groups(pairs: Any) -> dict[str, list[str]] | None:
    found: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, members = pair.partition("=")
        classes = [one.strip() for one in members.split(",") if one.strip()]
        if not equals or not name.strip() or not classes:
            raise UsageError(f"--group takes NAME=CLASS,CLASS, not {pair!r:.80}")
        if name.strip() in found:
            raise UsageError(f"the group {name.strip()!r} is given twice; give it once, with all its classes")
        found[name.strip()] = classes
    return found or None


def _truth(path: Path, records: list[InputRecord]) -> list[Any]:
    from saywhy_core.reading.numpy_files import load_arrays

    arrays = load_arrays(path)
    missing = [one.id for one in records if one.id not in arrays]
    if missing:
        raise UsageError(f"{path} has no masks for {missing[0]!r}; give one array for each input, named by its id")
    return [arrays[one.id] for one in records]


def _tell(comparison: Comparison) -> None:
    """The ranking of each question in a table and in words, and the agreement of the methods."""
    from evals.faithfulness import agree, rank

    for question in comparison.questions:
        ranking = rank(comparison, question)
        show(f"The question: {question}", style="bold")
        for row in ranking.table():
            ends = "" if row["low"] is None else f"  ({row['low']:.2f} to {row['high']:.2f})"
            mean = "-" if row["mean rank"] is None else f"{row['mean rank']:.2f}"
            show(f"  {row['method']:32}{mean:>6}{ends}")
        for sentence in ranking.sentences():
            show(sentence)
        real = {run.method: run.maps for run in comparison.of(question) if run.method != "random"}
        if len(real) > 1:
            found = agree(real, level=comparison.level)
            for sentence in found.sentences():
                show(sentence)
