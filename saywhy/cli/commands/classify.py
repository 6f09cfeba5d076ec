"""`saywhy classify`: images classified by descriptions or prompts, and what that changed."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from saywhy.cli.options import prompts as prompting
from saywhy.cli.options.console import Output, counted, note
from saywhy.cli.options.files import Use, hold
from saywhy.cli.options.groups import Rule, with_groups
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray

    from agents import Predictions
    from agents.encoders import ImageTextEncoder
    from agents.few_shot import ClassifierFile
    from agents.prompting.second_look.aggregation import Aggregate
    from saywhy_core.images import ImageSet

HELP = """Classify images by descriptions of confusable pairs (--descriptions), a prompt file (--prompts) or a --classifier.

Prints CSV: path, label (where the source names one), first look, final decision, and the candidates with their scores. The
first look uses the template alone, or --first; so does the final decision where no file is given.

[bold]Example:[/bold] saywhy classify --classes classes.json --images photos/ --encoder clip:PATH --descriptions pairs.json

[bold]Exit status:[/bold] 0 all images were classified; 1 some images or records were left out; 2 the command could not run;
130 it was interrupted.
"""
RULES = (
    Rule(("mix", "first", "aggregate"), "--descriptions", lambda options: options["descriptions"] is not None),
    Rule(
        ("k",),
        "--descriptions, --prompts or --classifier",
        lambda options: any(options[name] is not None for name in ("descriptions", "prompts", "classifier")),
    ),
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="classify", help=HELP)(with_groups(classify, RULES))


def classify(
    classes: prompting.ClassesOption,
    images: prompting.ImagesOption,
    encoder: prompting.EncoderOption,
    descriptions: Annotated[Path | None, typer.Option(help="Pair file in FuDD's format, from saywhy describe.")] = None,
    prompts: Annotated[Path | None, typer.Option(help="Prompt file, from saywhy improve, or descriptions by class.")] = None,
    classifier: Annotated[Path | None, typer.Option(help="Classifier file, from saywhy improve (.classifier.npz).")] = None,
    k: Annotated[
        int, typer.Option(min=1, help="Candidates per image: they get a second look (--descriptions) and stand in the CSV.")
    ] = 10,
    mix: Annotated[float, typer.Option(min=0, max=1, help="Weight of the second look; 1 is the paper's.")] = 1.0,
    first: prompting.FirstOption = "template",
    aggregate: prompting.AggregateOption = "embeddings",
    template: prompting.TemplateOption = "a photo of a {}.",
    out: Annotated[Path | None, typer.Option(help="CSV file to write; standard output by default."), Use.WRITTEN] = None,
    embeddings: prompting.EmbeddingsOption = None,
    trust: prompting.TrustOption = False,
) -> None:
    """Classify images."""
    from agents.few_shot import read_classifier
    from agents.prompting import DifferentialClassifier, PairDescriptions, classify_by_prompts, read_descriptions, read_pairs
    from agents.prompting.second_look.first_look import first_library
    from evals.prompts import compare
    from evals.prompts.unseen import unseen_by
    from saywhy_core.names import read_class_names

    if sum(file is not None for file in (descriptions, prompts, classifier)) > 1:
        raise UsageError("give one of --descriptions, --prompts and --classifier")
    names = read_class_names(classes)
    pairs = PairDescriptions({}) if descriptions is None else read_pairs(descriptions, names)
    library = None if prompts is None else read_descriptions(prompts, names)
    trained = None if classifier is None else read_classifier(classifier)
    if descriptions is not None:
        prompting.check_second_look(first, aggregate, names)
        prompting.tell_order(pairs, names, descriptions)
    if library is not None and prompts is not None:
        prompting.tell_descriptions(library, prompts)
    looker = prompting.opened(encoder, embeddings, trust=trust)
    hold(out, "table")
    found = prompting.encoded(looker, images)
    if trained is not None:
        result = _by_classifier(trained, looker, names, template, found.rows, k)
    elif library is None:
        by_pairs = DifferentialClassifier(
            looker, names, pairs, k=1 if descriptions is None else k, template=template, mix=mix,
            first=first, aggregate=cast("Aggregate", aggregate),
        )  # fmt: skip
        result = by_pairs.predict_embedded(found.rows)
    else:
        result = classify_by_prompts(looker, names, library, found.rows, candidates=k, template=template)
    _write(out, found.images.named(names), names, result)
    truth = found.images.classes_of(names) if found.images.labels else None
    if truth is not None and (known := truth >= 0).any():
        if not known.all():
            note(f"{counted(int((~known).sum()), 'image')} of other classes than the list's, left out of these figures:")
        looks = first_library(first, names)  # prompts of the first look were searched, too
        makers = [one.seen for one in (library, looks) if one is not None and one.searched]
        makers += [] if trained is None else [trained.seen]
        file = prompts or classifier or first
        fresh, unknown = unseen_by(makers, found.rows, found.images.paths, looker)
        if (shots := known & ~fresh).any():
            note(f"{counted(int(shots.sum()), 'image')} with which {file} was made, or copies, left out of these figures:")
            known &= fresh
        if unknown:
            note(f"{file} does not say which images it was made of; figures on these would be too good")
        if known.any():
            comparison = compare(result.first[known], result.final[known], truth[known], names)
            note(f"first look {comparison.before}, final {comparison.after}")
            note(comparison.verdict)
        else:
            note("none is left, so nothing says whether it helps; give images that the search did not see")
    if result.missing:
        one, other = result.missing[0]
        many, are, them = ("pairs", "are", "them") if len(result.missing) > 1 else ("pair", "is", "it")
        note(
            f"{len(result.missing)} {many} that the images need {are} not described ({names[one]} / {names[other]} first); "
            f"the template stood in for {them}"
        )
    prompting.finish_with([*found.problems, *pairs.problems, *(library.problems if library else ())], looker)


def _by_classifier(
    trained: ClassifierFile, looker: ImageTextEncoder, names: Sequence[str], template: str, rows: NDArray[np.float32], k: int
) -> Predictions:
    """The decisions of a classifier file; the first look is that of the template, as everywhere."""
    from dataclasses import replace

    import numpy as np

    from agents.encoders import top_indices
    from agents.prompting import classify_by_prompts

    scores = trained.scores(rows, names, looker)
    best = top_indices(scores, k)
    by_template = classify_by_prompts(looker, names, {}, rows, candidates=1, template=template)
    ranked = np.take_along_axis(scores, best, axis=1).astype(np.float32)
    return replace(by_template, final=best[:, 0].copy(), candidates=best, scores=ranked)


def _write(out: Path | None, images: ImageSet, names: Sequence[str], result: Predictions) -> None:
    from saywhy_core.csv_rows import csv_row
    from saywhy_core.disk.files import atomic_open

    target: AbstractContextManager[Any] = nullcontext(Output()) if out is None else atomic_open(out)
    labels = images.labels
    with target as stream:
        stream.write(csv_row(["path", *(["label"] if labels else []), "first", "final", "candidates", "scores"]))
        for row, path in enumerate(images.paths):
            cells = [
                str(path),
                *([labels[row]] if labels else []),
                names[result.first[row]],
                names[result.final[row]],
                "|".join(names[index] for index in result.candidates[row]),
                "|".join(f"{score:.5f}" for score in result.scores[row]),
            ]
            stream.write(csv_row(cells))
