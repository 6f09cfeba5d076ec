"""`saywhy improve`: search better prompts with a few labelled images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options import prompts as prompting

HELP = """Search better prompts with a few labelled images, one a class is enough.

Templates are searched first, then the descriptions of each class. --test gives images that the search does not see: only
they can say whether the prompts are better. The run can be stopped at any moment; the same command goes on with it.

[bold]Example:[/bold] saywhy improve --shots shots/ --test photos/ --encoder clip:PATH \\
--descriptions pairs.json --out prompts.json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="improve", help=HELP)(improve)


def improve(
    shots: Annotated[Path, typer.Option(help="Labelled images: a folder (a class a folder), or a CSV with path and label.")],
    encoder: prompting.EncoderOption,
    out: Annotated[Path, typer.Option(help="The prompt file to write (JSON).")],
    descriptions: Annotated[Path | None, typer.Option(help="Descriptions by class, or a pair file.")] = None,
    classes: Annotated[Path | None, typer.Option(help="Class names; by default the classes of the shots.")] = None,
    test: Annotated[Path | None, typer.Option(help="Labelled images that the search does not see.")] = None,
    template: prompting.TemplateOption = "a photo of a {}.",
    entropy_weight: Annotated[float, typer.Option(min=0, help="Weight of the entropy term in the fitness.")] = 1.0,
    rounds: Annotated[int, typer.Option(min=0, help="Most rounds over groups of confused classes.")] = 4,
    seed: prompting.SeedOption = 0,
    embeddings: prompting.EmbeddingsOption = None,
) -> None:
    """Search better prompts."""
    from agents.encoders import load_encoder
    from agents.prompting.optimize import PromptOptimizer
    from agents.prompting.pairs import read_descriptions
    from saywhy_core.errors import UsageError
    from saywhy_core.files import atomic_open
    from saywhy_core.images import list_images
    from saywhy_core.names import read_class_names
    from saywhy_core.progress import progress_bar

    listed = list_images(shots)
    if listed.labels is None:
        raise UsageError(f"{shots} names no classes: put the shots into a folder a class, or give a CSV with path and label")
    names = read_class_names(classes) if classes is not None else sorted(set(listed.labels))
    library = read_descriptions(descriptions, names) if descriptions is not None else None
    looker = load_encoder(encoder, cache=embeddings)
    few = prompting.embed(looker, shots)
    state = out.with_name(f"{out.name}.state")
    with progress_bar("searching prompts") as bar:
        optimizer = PromptOptimizer(
            looker,
            names,
            seed=seed,
            template=template,
            entropy_weight=entropy_weight,
            rounds=rounds,
            state=state,
            progress=lambda _: bar.advance(),
        )
        found = optimizer.fit_embedded(few.rows, few.images.label_indices(names), library)
    found.write(out)
    state.unlink(missing_ok=True)
    prompting.note(
        f"{sum(map(len, found.prompts.values()))} prompts for {len(names)} classes in {out}; {found.candidates} prompt sets "
        f"scored, fitness on the shots {found.start_fitness:.3f} -> {found.fitness:.3f}"
    )
    problems = [*few.problems]
    if test is None:
        prompting.note("Whether they are better, only images that the search did not see can say: give --test.")
    else:
        import json

        from evals.prompts import evaluate_prompts
        from saywhy.cli.commands.evaluate_prompts import show

        unseen = prompting.embed(looker, test)
        problems.extend(unseen.problems)
        truth = unseen.images.label_indices(names)
        fresh = _unseen(few.images.paths, unseen.images.paths)
        if not fresh:
            raise UsageError(f"every image of {test} is one of the shots; give images that the search did not see")
        if len(fresh) < len(truth):
            prompting.note(f"{len(truth) - len(fresh)} of the test images are shots, and were left out of the test")
        report = evaluate_prompts(looker, names, found.prompts, unseen.rows[fresh], truth[fresh], template=template, seed=seed)
        show(report)
        with atomic_open(out.with_name(f"{out.stem}.report.json")) as stream:
            json.dump(report.to_dict(), stream, ensure_ascii=False, indent=1)
    prompting.finish(problems, looker)


def _unseen(seen: tuple[Path, ...], paths: tuple[Path, ...]) -> list[int]:
    """The positions of files whose content is none of the shots'."""
    import hashlib

    known = {hashlib.sha256(path.read_bytes()).digest() for path in seen}
    return [index for index, path in enumerate(paths) if hashlib.sha256(path.read_bytes()).digest() not in known]
