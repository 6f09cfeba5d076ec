"""`saywhy improve`: search better prompts with a few labelled images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options import prompts as prompting
from saywhy.cli.options.console import counted, note, show_lines
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import Rule, with_groups
from saywhy_core.errors import UsageError
from saywhy_core.progress import progress_bar

HELP = """Search better prompts with a few labelled images; one per class is enough.

Templates are searched first, then the descriptions of each class. --test names images that the search does not see: only
they can say whether the prompts are better. The run can be stopped at any moment; the same command goes on with it.

[bold]Example:[/bold] saywhy improve --shots shots/ --test photos/ --encoder clip:PATH --descriptions pairs.json
--out prompts.json

[bold]Exit status:[/bold] 0 all images were used; 1 some images were left out; 2 the command could not run;
130 it was interrupted.
"""
RULES = (
    Rule(
        ("rounds",),
        "--descriptions: without them templates alone are searched",
        lambda options: options["descriptions"] is not None,
    ),
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="improve", help=HELP)(with_groups(improve, RULES))


def improve(
    shots: Annotated[
        Path, typer.Option(help="Labelled images: a folder (with one folder per class), or a CSV with path and label.")
    ],
    encoder: prompting.EncoderOption,
    out: Annotated[Path, typer.Option(help="The prompt file to write (JSON)."), Use.WRITTEN],
    descriptions: Annotated[Path | None, typer.Option(help="Descriptions by class, or a pair file.")] = None,
    classes: Annotated[Path | None, typer.Option(help="Class names; by default the classes of the shots.")] = None,
    test: Annotated[Path | None, typer.Option(help="Labelled images that the search does not see.")] = None,
    template: prompting.TemplateOption = "a photo of a {}.",
    entropy_weight: Annotated[
        float, typer.Option(min=0, help="Weight of the mean log probability of the true class in the fitness.")
    ] = 1.0,
    rounds: Annotated[int, typer.Option(min=0, help="The most rounds over groups of confused classes.")] = 4,
    seed: prompting.SeedOption = 0,
    embeddings: prompting.EmbeddingsOption = None,
    trust: prompting.TrustOption = False,
) -> None:
    """Search better prompts."""
    from agents.prompting import PromptOptimizer, read_descriptions
    from evals.prompts import evaluate_prompts, held_out, report_text
    from saywhy_core.disk.destinations import beside, check_own, is_stream
    from saywhy_core.disk.files import atomic_open, check_is_no_input
    from saywhy_core.disk.locks import FileLock
    from saywhy_core.images import list_images
    from saywhy_core.names import read_class_names

    comparison = out.with_name(f"{out.stem}.report.json")
    streamed = is_stream(out)
    if test is not None:
        if streamed:
            raise UsageError(
                f"--test writes {comparison.name} beside OUT, and {out} is no file; name a file, or leave --test out"
            )
        check_is_no_input(comparison)
        check_own(comparison, comparison.parent)
    listed = list_images(shots)
    if listed.labels is None:
        raise UsageError(
            f"{shots} names no classes: put the shots into one folder per class, or give a CSV with path and label"
        )
    if classes is None and listed.doubt:
        raise UsageError(f"{listed.doubt} (--classes FILE)")
    # what joins the words of a folder's name is no part of the class's name: it would stand in every prompt
    names = sorted({label.replace("_", " ") for label in listed.labels}) if classes is None else read_class_names(classes)
    library = None if descriptions is None else read_descriptions(descriptions, names)
    looker = prompting.opened(encoder, embeddings, trust=trust)
    state = None if streamed else beside(out, ".state")
    with FileLock(out, "prompt file"):
        few = prompting.encoded(looker, shots).of_classes(names)
        with progress_bar("searching prompts") as bar:
            optimizer = PromptOptimizer(
                looker, names, seed=seed, template=template, entropy_weight=entropy_weight, rounds=rounds, state=state,
                progress=lambda _: bar.advance(),
            )  # fmt: skip
            found = optimizer.fit_embedded(few.rows, few.images.label_indices(names), library)
        found.write(out)
        if state is not None:
            state.unlink(missing_ok=True)
    note(
        f"{counted(sum(map(len, found.prompts.values())), 'prompt')} for {len(names)} classes in {out}; "
        f"{counted(found.candidates, 'prompt set')} scored, "
        f"fitness on the shots {found.start_fitness:.3f} -> {found.fitness:.3f}"
    )
    if test is None:
        note("Whether they are better, only images that the search did not see can say: give --test.")
        prompting.finish_with(few.problems, looker)
        return
    unseen = prompting.encoded(looker, test).of_classes(names)
    truth = unseen.images.label_indices(names)
    fresh = held_out(unseen.images.paths, few.images.paths)
    if not fresh:
        raise UsageError(f"every image of {test} is one of the shots; give images that the search did not see")
    if len(fresh) < len(truth):
        left = len(truth) - len(fresh)
        note(f"{left} {'test image is a shot' if left == 1 else 'test images are shots'}, and left out of the test")
    report = evaluate_prompts(looker, names, found.prompts, unseen.rows[fresh], truth[fresh], template=template, seed=seed)
    show_lines(report_text(report))
    with atomic_open(comparison) as stream:
        json.dump(report.to_dict(), stream, ensure_ascii=False, indent=1)
    prompting.finish_with([*few.problems, *unseen.problems], looker)
