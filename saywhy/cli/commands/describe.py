"""`saywhy describe`: a language model says what tells confusable classes apart."""

from __future__ import annotations

from math import comb
from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options import prompts as prompting
from saywhy.cli.options.console import counted, note
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import Rule, with_groups
from saywhy.cli.options.models import MODEL_FORMS, ModelOptions, tell_usage
from saywhy_core.errors import UsageError
from saywhy_core.progress import progress_bar

HELP = f"""Have a language model describe what tells confusable classes apart.

Only pairs of classes that some image needs are asked about, those that most images need first: an image needs a pair where both
classes are among its K most similar ones. --all-pairs asks about every pair, and needs no images. The run can be stopped at
any moment; the same command goes on with it. Pairs whose replies stay invalid are listed at the end.

{MODEL_FORMS}

[bold]Example:[/bold] saywhy describe --classes classes.json --images photos/ --encoder clip:PATH
--llm http://localhost:8000/v1#MODEL --out pairs.json

[bold]Exit status:[/bold] 0 all pairs are described; 1 some pairs or images were left out; 2 the command could not run to its
end, as where a ceiling is reached; 130 it was interrupted.
"""
RULES = (
    Rule(
        ("images", "encoder", "k", "embeddings", "trust"),
        "the pairs that images need; --all-pairs asks about every pair",
        lambda options: not options["all_pairs"],
    ),
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="describe", help=HELP)(with_groups(describe, RULES))


def describe(
    classes: prompting.ClassesOption,
    model: ModelOptions,
    out: Annotated[Path, typer.Option(help="The pair file to write (JSON, FuDD's format)."), Use.WRITTEN],
    images: Annotated[Path | None, typer.Option(help="A folder, a CSV with a column path, or a list of paths.")] = None,
    encoder: Annotated[str | None, typer.Option(help=prompting.ENCODER_HELP)] = None,
    k: Annotated[int, typer.Option(min=2, help="Candidate classes per image.")] = 10,
    all_pairs: Annotated[bool, typer.Option("--all-pairs", help="Describe every pair of classes.")] = False,
    template: prompting.TemplateOption = "a photo of a {}.",
    embeddings: prompting.EmbeddingsOption = None,
    trust: prompting.TrustOption = False,
) -> None:
    """Describe pairs of classes."""
    from agents.prompting import describe_to_file, every_pair, needed_pairs, problems_of
    from saywhy_core.names import read_class_names

    if not all_pairs and (images is None or encoder is None):
        raise UsageError("give --images and --encoder to find the pairs that are confused, or --all-pairs")
    names = read_class_names(classes)
    if len(names) < 2:
        raise UsageError(f"{classes} names one class alone; name two or more, so that there is a pair to describe")
    pairs = every_pair(len(names)) if all_pairs else []
    chat = model.open(out)  # says what is wrong with the model's options before images are encoded
    problems: list[object] = []
    looker = None
    if images is not None and encoder is not None:
        looker = prompting.opened(encoder, embeddings, trust=trust)
        found = prompting.encoded(looker, images)
        problems.extend(found.problems)
        pairs = needed_pairs(looker, names, found.rows, k=k, template=template)
        note(
            f"{counted(len(found.rows), 'image')} need{'s' if len(found.rows) == 1 else ''} {len(pairs)} of the "
            f"{counted(comb(len(names), 2), 'pair')}"
        )
    with progress_bar("describing pairs") as shown:
        described = describe_to_file(
            chat, names, pairs, out, template=template, retry_invalid=model.retry_invalid, on_progress=shown
        )
    note(
        f"{counted(len(described.pairs), 'pair')} in {out}"
        if described.pairs
        else f"no pair is described, so {out} was not written"
    )
    tell_usage(chat)
    problems.extend(problems_of(described, names))
    if described.unasked:
        left = f"{counted(len(described.unasked), 'pair')} not asked yet"
        left += f": {described.reason}" if described.permanent else f" ({described.reason}); the same command goes on with them"
        if described.stopped:
            prompting.tell_with(problems, looker)
            raise UsageError(left)
        problems.append(left)
    prompting.finish_with(problems, looker)
