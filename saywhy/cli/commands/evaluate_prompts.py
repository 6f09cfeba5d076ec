"""`saywhy evaluate prompts`: evidence for or against prompts and pair descriptions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.options import prompts as prompting
from saywhy.cli.options.console import note, show_data, show_lines
from saywhy.cli.options.files import Use, hold
from saywhy.cli.options.groups import Rule, with_groups
from saywhy_core.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.prompts import EncoderTable

HELP = """Say whether prompts or pair descriptions help, on labelled images.

FILE is a prompt file, descriptions by class, or a pair file. Prints accuracy before and after with 95 % intervals, images fixed
and broken with an exact test, and the controls: class name alone, 80 templates, random words, a shuffled class, and the
descriptions without class names. For pairs, the same captions without a second look stand beside it, and --k-sweep adds the
accuracy for each number of candidates. Several --encoder give one table; one that fails is told, and the others go on.

[bold]Example:[/bold] saywhy evaluate prompts pairs.json --classes classes.json --images photos/ --encoder clip:PATH

[bold]Exit status:[/bold] 0 all images were used; 1 some images or records were left out, or an encoder failed; 2 the command
could not run; 130 it was interrupted.
"""


def _is_pair_file(options: Mapping[str, Any]) -> bool:
    from evals.prompts import is_pair_file

    return is_pair_file(options["file"])


RULES = (Rule(("k", "mix", "first", "aggregate", "k_sweep"), "a pair file; FILE holds prompts", _is_pair_file),)


def register(evaluate_app: typer.Typer) -> None:
    """Add the command to the group."""
    evaluate_app.command(name="prompts", help=HELP)(with_groups(prompts, RULES))


def prompts(
    file: Annotated[Path, typer.Argument(help="Prompt file, descriptions by class, or pair file.", metavar="FILE")],
    classes: prompting.ClassesOption,
    images: prompting.ImagesOption,
    encoder: prompting.EncodersOption,
    k: Annotated[
        int | None, typer.Option(min=1, help="Candidates that get a second look, for pair files; 10 by default.")
    ] = None,
    mix: Annotated[
        float | None, typer.Option(min=0, max=1, help="Weight of the second look, for pair files; 1 by default.")
    ] = None,
    first: prompting.FirstOption = "template",
    aggregate: prompting.AggregateOption = "embeddings",
    k_sweep: Annotated[
        bool, typer.Option("--k-sweep", help="Add the accuracy with 1, 2, 3, ... candidates, for pair files.")
    ] = False,
    template: prompting.TemplateOption = "a photo of a {}.",
    neutral: Annotated[
        str, typer.Option(help="The noun in the place of class names in the control without them, such as animal.")
    ] = "object",
    draws: Annotated[
        int, typer.Option(min=0, help="How often the controls with chance are drawn; 0 leaves out all controls.")
    ] = 5,
    seed: prompting.SeedOption = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole report as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="JSON file to write the report to."), Use.WRITTEN] = None,
    plots: Annotated[
        Path | None,
        typer.Option(help="Folder for pictures (PNG and SVG): confusions, accuracy by candidates."),
        Use.FOLDER_WRITTEN,
    ] = None,
    embeddings: prompting.EmbeddingsOption = None,
    trust: prompting.TrustOption = False,
) -> None:
    """Evaluate prompts or pair descriptions."""
    from agents.prompting import read_descriptions, read_pairs
    from evals.prompts import draw_reports, evaluate_file, is_pair_file, report_text, table_text, usual_ks
    from saywhy_core.disk.files import atomic_open
    from saywhy_core.names import read_class_names

    names = read_class_names(classes)
    options: dict[str, Any] = {"template": template, "draws": draws, "seed": seed, "neutral": neutral}
    if is_pair_file(file):  # says what is wrong with the file before anything is encoded
        prompting.check_second_look(first, aggregate, names)
        prompting.tell_order(read_pairs(file, names), names, file)
        options |= {"k": k, "mix": mix, "first": first, "aggregate": aggregate, "ks": usual_ks(len(names)) if k_sweep else ()}
    else:
        prompting.tell_descriptions(read_descriptions(file, names), file)
    hold(out, "report")
    hold(plots, "pictures")
    content: dict[str, Any]
    if len(encoder) == 1:
        looker = prompting.opened(encoder[0], embeddings, trust=trust)
        found = prompting.encoded(looker, images).of_classes(names)
        truth = found.images.label_indices(names)
        with progress_bar("deciding by texts and controls") as shown:
            report, problems = evaluate_file(
                looker, names, file, found.rows, truth, paths=found.images.paths, on_progress=shown, **options
            )
        reports, content, words = {encoder[0]: report}, report.to_dict(), report_text(report)
        left_out: Sequence[object] = [*found.problems, *problems]
    else:
        looker, table = None, _evaluated(encoder, names, file, images, embeddings, trust=trust, options=options)
        reports = {row.encoder: row.report for row in table.rows if row.report is not None}
        content, words = table.to_dict(), table_text(table)
        left_out = _left_out(table)
    if as_json:
        show_data(json.dumps(content, ensure_ascii=False) + "\n")
    else:
        show_lines(words)
    if out is not None:
        with atomic_open(out) as stream:
            json.dump(content, stream, ensure_ascii=False, indent=1)
    if plots is not None:
        draw_reports(reports, plots)
    prompting.finish_with(left_out, looker)


def _evaluated(
    encoders: Sequence[str],
    names: Sequence[str],
    file: Path,
    images: Path,
    embeddings: Path | None,
    *,
    trust: bool,
    options: Mapping[str, Any],
) -> EncoderTable:
    from evals.prompts import evaluate_encoders
    from saywhy_core.images import list_images
    from saywhy_core.trust import telling_trust

    listed = list_images(images)
    listed.classes_of(names)  # what is wrong with the images is said once, not for each encoder
    if listed.passed_over:
        note(f"{images}: {listed.passed_over} file(s) are no images by their ending, and were passed over")
    with telling_trust(note), progress_bar("encoding images") as shown:
        return evaluate_encoders(
            encoders, names, file, images, cache=embeddings, trust=trust, on_progress=shown,
            on_evaluated=shown.stage("deciding by texts and controls"), **options,
        )  # fmt: skip


def _left_out(table: EncoderTable) -> list[object]:
    """What was left out, each once though all encoders may say so, and the encoders that failed."""
    from saywhy_core.errors import Problem

    failed = [Problem(row.encoder, row.failure) for row in table.rows if row.report is None]
    return [*failed, *dict.fromkeys(problem for row in table.rows for problem in row.problems)]
