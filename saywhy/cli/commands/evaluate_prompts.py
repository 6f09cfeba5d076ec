"""`saywhy evaluate prompts`: evidence for or against prompts and pair descriptions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from saywhy.cli.options import prompts as prompting
from saywhy.cli.options.console import show_data, show_lines
from saywhy.cli.options.files import Use, hold
from saywhy.cli.options.groups import Rule, with_groups

HELP = """Say whether prompts or pair descriptions help, on labelled images.

FILE is a prompt file, descriptions by class, or a pair file. Prints accuracy before and after with 95 % intervals, images fixed
and broken with an exact test, and the controls: class name alone, 80 templates, random words, a shuffled class.

[bold]Example:[/bold] saywhy evaluate prompts pairs.json --classes classes.json --images photos/ --encoder clip:PATH

[bold]Exit status:[/bold] 0 all images were used; 1 some images or records were left out; 2 the command could not run;
130 it was interrupted.
"""


def _is_pair_file(options: Mapping[str, Any]) -> bool:
    from evals.prompts import is_pair_file

    return is_pair_file(options["file"])


RULES = (Rule(("k", "mix"), "a pair file; FILE holds prompts", _is_pair_file),)


def register(evaluate_app: typer.Typer) -> None:
    """Add the command to the group."""
    evaluate_app.command(name="prompts", help=HELP)(with_groups(prompts, RULES))


def prompts(
    file: Annotated[Path, typer.Argument(help="Prompt file, descriptions by class, or pair file.", metavar="FILE")],
    classes: prompting.ClassesOption,
    images: prompting.ImagesOption,
    encoder: prompting.EncoderOption,
    k: Annotated[
        int | None, typer.Option(min=1, help="Candidates that get a second look, for pair files; 10 by default.")
    ] = None,
    mix: Annotated[
        float | None, typer.Option(min=0, max=1, help="Weight of the second look, for pair files; 1 by default.")
    ] = None,
    template: prompting.TemplateOption = "a photo of a {}.",
    draws: Annotated[
        int, typer.Option(min=0, help="How often the controls with chance are drawn; 0 leaves out all controls.")
    ] = 5,
    seed: prompting.SeedOption = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole report as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="JSON file to write the report to."), Use.WRITTEN] = None,
    embeddings: prompting.EmbeddingsOption = None,
    trust: prompting.TrustOption = False,
) -> None:
    """Evaluate prompts or pair descriptions."""
    from agents.prompting import read_pairs
    from evals.prompts import evaluate_file, is_pair_file, report_text
    from saywhy_core.disk.files import atomic_open
    from saywhy_core.names import read_class_names

    names = read_class_names(classes)
    if is_pair_file(file):  # says what is wrong with the file before anything is encoded
        prompting.tell_order(read_pairs(file, names).order, file)
    looker = prompting.opened(encoder, embeddings, trust=trust)
    hold(out, "report")
    found = prompting.encoded(looker, images).of_classes(names)
    report, problems = evaluate_file(
        looker, names, file, found.rows, found.images.label_indices(names),
        k=k, mix=mix, template=template, draws=draws, seed=seed,
    )  # fmt: skip
    if as_json:
        show_data(json.dumps(report.to_dict(), ensure_ascii=False) + "\n")
    else:
        show_lines(report_text(report))
    if out is not None:
        with atomic_open(out) as stream:
            json.dump(report.to_dict(), stream, ensure_ascii=False, indent=1)
    prompting.finish_with([*found.problems, *problems], looker)
