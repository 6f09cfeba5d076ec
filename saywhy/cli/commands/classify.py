"""`saywhy classify`: classify images by descriptions, and say what the second look changed."""

from __future__ import annotations

import csv
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.options import prompts as prompting

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

HELP = """Classify images by descriptions of confusable pairs, or by a prompt file.

Prints CSV: path, label (where the source names one), first look, final decision, and the candidates with their scores.

[bold]Example:[/bold] saywhy classify --classes classes.json --images photos/ --encoder clip:PATH \\
--descriptions pairs.json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="classify", help=HELP)(classify)


def classify(
    classes: prompting.ClassesOption,
    images: prompting.ImagesOption,
    encoder: prompting.EncoderOption,
    descriptions: Annotated[Path | None, typer.Option(help="Pair file in FuDD's format.")] = None,
    prompts: Annotated[Path | None, typer.Option(help="Prompt file, or descriptions by class.")] = None,
    k: Annotated[int, typer.Option(min=1, help="Candidates that get a second look.")] = 10,
    mix: Annotated[float, typer.Option(min=0, max=1, help="Weight of the second look; 1 is the paper.")] = 1.0,
    template: prompting.TemplateOption = "a photo of a {}.",
    out: Annotated[Path | None, typer.Option(help="CSV file to write; standard output by default.")] = None,
    embeddings: prompting.EmbeddingsOption = None,
) -> None:
    """Classify images."""
    from agents.encoders import load_encoder, top_indices, unit_rows
    from agents.prompting.differential import DifferentialClassifier
    from agents.prompting.pairs import PairDescriptions, read_descriptions, read_pairs
    from agents.prompting.prompts import caption, class_vectors
    from saywhy_core.errors import UsageError
    from saywhy_core.files import atomic_open
    from saywhy_core.names import read_class_names

    if descriptions is not None and prompts is not None:
        raise UsageError("give either --descriptions or --prompts, not both")
    names = read_class_names(classes)
    pairs = read_pairs(descriptions, names) if descriptions is not None else PairDescriptions({})
    library = read_descriptions(prompts, names) if prompts is not None else None
    looker = load_encoder(encoder, cache=embeddings)
    embedded = prompting.embed(looker, images)
    classifier = DifferentialClassifier(looker, names, pairs, k=k if descriptions else 1, template=template, mix=mix)
    result = classifier.predict_embedded(embedded.rows)
    final, candidates, scores = result.final, result.candidates, result.scores
    if library is not None:
        texts = [[caption(text, name, template) for text in library[name]] or [template.format(name)] for name in names]
        cosines = unit_rows(embedded.rows) @ class_vectors(looker, texts).T
        candidates = top_indices(cosines, min(k, len(names)))
        scores = cosines[[[row] for row in range(len(cosines))], candidates]
        final = candidates[:, 0]
    labels = embedded.images.labels
    target: AbstractContextManager[Any] = atomic_open(out) if out is not None else nullcontext(sys.stdout)
    with target as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["path", *(["label"] if labels else []), "first", "final", "candidates", "scores"])
        for row, path in enumerate(embedded.images.paths):
            writer.writerow(
                [
                    str(path),
                    *([labels[row]] if labels else []),
                    names[result.first[row]],
                    names[final[row]],
                    "|".join(names[index] for index in candidates[row]),
                    "|".join(f"{score:.5f}" for score in scores[row]),
                ]
            )
    if labels and set(labels) <= set(names):
        from evals.prompts import compare

        comparison = compare(result.first, final, embedded.images.label_indices(names), names)
        prompting.note(f"first look {comparison.before}, final {comparison.after}")
        prompting.note(comparison.verdict)
    problems: list[object] = [*embedded.problems, *pairs.problems]
    if descriptions is not None and result.missing:
        first, second = result.missing[0]
        prompting.note(
            f"{len(result.missing)} pair(s) that the images need are not described ({names[first]} / {names[second]} first); "
            f"the template stood in for them"
        )
    prompting.finish(problems, looker)
