"""`saywhy evaluate prompts`: evidence for or against prompts and pair descriptions."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saywhy.cli.options import prompts as prompting

if TYPE_CHECKING:
    from evals.prompts import PromptReport

HELP = """Say whether prompts or pair descriptions help, on labelled images.

FILE is a prompt file, descriptions by class, or a pair file. Accuracy before and after with 95 % intervals, images fixed
and broken with an exact test, and the controls: class name alone, 80 templates, random words, a shuffled class.

[bold]Example:[/bold] saywhy evaluate prompts pairs.json --classes classes.json --images photos/ \\
--encoder clip:PATH
"""


def register(evaluate_app: typer.Typer) -> None:
    """Add the command to the group."""
    evaluate_app.command(name="prompts", help=HELP)(prompts)


def prompts(
    file: Annotated[Path, typer.Argument(help="Prompt file, descriptions by class, or pair file.", metavar="FILE")],
    classes: prompting.ClassesOption,
    images: prompting.ImagesOption,
    encoder: prompting.EncoderOption,
    k: Annotated[int, typer.Option(min=1, help="Candidates that get a second look (pair files).")] = 10,
    mix: Annotated[float, typer.Option(min=0, max=1, help="Weight of the second look (pair files).")] = 1.0,
    template: prompting.TemplateOption = "a photo of a {}.",
    draws: Annotated[int, typer.Option(min=0, help="Draws of the controls with chance; 0 leaves out all controls.")] = 5,
    seed: prompting.SeedOption = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole report as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="JSON file to write the report to.")] = None,
    embeddings: prompting.EmbeddingsOption = None,
) -> None:
    """Evaluate prompts or pair descriptions."""
    from agents.encoders import load_encoder
    from agents.prompting.pairs import is_pairs, parse_pairs, read_descriptions, read_json
    from agents.prompting.prompts import caption
    from evals.prompts import evaluate_pairs, evaluate_prompts
    from saywhy_core.files import atomic_open
    from saywhy_core.names import read_class_names

    names = read_class_names(classes)
    content = read_json(file, "prompts, descriptions by class, or pairs")
    looker = load_encoder(encoder, cache=embeddings)
    problems: list[object] = []
    if is_pairs(content):
        pairs = parse_pairs(content, str(file))
        problems.extend(pairs.problems)
        embedded = prompting.embed(looker, images)
        truth = embedded.images.label_indices(names)
        report = evaluate_pairs(
            looker, names, pairs, embedded.rows, truth, k=k, template=template, mix=mix, draws=draws, seed=seed
        )
    else:
        library = read_descriptions(file, names)
        texts = {name: [caption(text, name, template) for text in library[name]] or [template.format(name)] for name in names}
        embedded = prompting.embed(looker, images)
        truth = embedded.images.label_indices(names)
        report = evaluate_prompts(looker, names, texts, embedded.rows, truth, template=template, draws=draws, seed=seed)
    problems.extend(embedded.problems)
    if as_json:
        sys.stdout.write(json.dumps(report.to_dict(), ensure_ascii=False) + "\n")
    else:
        show(report)
    if out is not None:
        with atomic_open(out) as stream:
            json.dump(report.to_dict(), stream, ensure_ascii=False, indent=1)
    prompting.finish(problems, looker)


def show(report: PromptReport) -> None:
    """Print a report as plain text."""
    comparison, difference = report.comparison, report.comparison.difference
    lines = [
        f"images                {comparison.images}",
        f"template alone        {comparison.before}",
        f"with descriptions     {comparison.after}",
        f"difference            {difference.value:+.1%} ({difference.low:+.1%} to {difference.high:+.1%})",
        f"fixed / broken        {len(comparison.fixed)} / {len(comparison.broken)}, exact McNemar p = {comparison.p:.3g}",
    ]
    for control in report.controls:
        spread = ""
        if len(control.accuracies) > 1:
            spread = f" (mean of {len(control.accuracies)}, {min(control.accuracies):.1%} to {max(control.accuracies):.1%})"
        lines.append(f"  {control.name:20}{control.mean:.1%}{spread}, p against its best {control.p:.3g}")
    changed = sorted(
        (one for one in comparison.classes if one.after != one.before), key=lambda one: (one.before - one.after, one.name)
    )
    lines.extend(f"  {one.name}: {one.before} -> {one.after} of {one.images}" for one in changed)
    if report.missing:
        lines.append(f"{len(report.missing)} pair(s) that the images need are not described; the template stood in")
    lines.append(report.verdict)
    sys.stdout.write("\n".join(lines) + "\n")
