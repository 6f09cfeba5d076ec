"""`saywhy attack`: images in; for each the smallest change that flips the decision, with pictures and a sentence."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from saywhy.cli.options import maps as reading
from saywhy_core.errors import UsageError
from saywhy_core.names import class_index, read_class_names
from saywhy_core.progress import progress_bar

HELP = (
    "Search for the smallest change of each image that flips a classifier's decision, with few queries.\n\n"
    "The classifier is a black box: only its scores are asked for, never more often than [bold]--budget[/bold] for an image. "
    "OUT gets a folder an image: panel.png (original, adversarial, difference, density), each of these alone, images.npz "
    "(exact values) and result.json (a sentence, the changed pixels, distances, the trace). What is there already is not "
    "attacked again.\n\n"
    "TARGET is onnx:FILE, torch:FILE (TorchScript), python:module:function (with [bold]--scores[/bold]), or demo:signs, the "
    "road-sign classifier that comes with saywhy.\n\n"
    "[bold]Example:[/bold] saywhy attack stop.png --target demo:signs --distance l0 --budget 1000 --out attacks\n"
)


class Scores(StrEnum):
    """What a classifier returns."""

    logits = "logits"
    probabilities = "probabilities"


class Distance(StrEnum):
    """What is made small."""

    l0 = "l0"
    l1 = "l1"
    l2 = "l2"
    linf = "linf"


class PlayerTwo(StrEnum):
    """Who plays against player I."""

    cooperative = "cooperative"
    competitive = "competitive"
    random = "random"


class Engine(StrEnum):
    """Whose tree search."""

    batched = "batched"
    mcts = "mcts"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="attack", help=HELP)(attack)


def attack(
    images: Annotated[list[Path], typer.Argument(help="PNG, JPEG, NPY or NPZ files.", metavar="IMAGE...", show_default=False)],
    target: Annotated[str, typer.Option(help="The classifier: onnx:FILE, torch:FILE, python:module:function, demo:signs.")],
    out: Annotated[Path, typer.Option(help="Folder to write to; made where there is none.", file_okay=False)],
    scores: Annotated[
        Scores | None, typer.Option(help="What the classifier returns, where it does not say.", rich_help_panel="Target")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="name=value for the target, such as layout=nchw (repeatable).", rich_help_panel="Target"),
    ] = None,
    distance: Annotated[Distance, typer.Option(help="What to make small; l0 counts pixels.")] = Distance.l0,
    budget: Annotated[int, typer.Option(min=1, help="The most queries an image.")] = 3000,
    goal: Annotated[str | None, typer.Option(help="Class to reach, by name or number; any other class if not given.")] = None,
    label: Annotated[str | None, typer.Option(help="True class of all images; the predicted one if not given.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Text file, one class a line, in the order of the images.")] = None,
    classes: Annotated[Path | None, typer.Option(help="Class names: one per line, or a JSON list.")] = None,
    manipulation: Annotated[
        str | None, typer.Option(help="corners (the default), plus_minus_tau:0.1, or colour:1,0,0 (or #ff0000).")
    ] = None,
    player_two: Annotated[
        PlayerTwo, typer.Option(help="competitive: what the most robust feature takes.")
    ] = PlayerTwo.cooperative,
    engine: Annotated[Engine, typer.Option(help="mcts is the stock package: slow, for cross-checking.")] = Engine.batched,
    prior: Annotated[
        Path | None, typer.Option(help="Map in the place of SIFT (PNG, NPY or NPZ); resized to each image.")
    ] = None,
    resize: Annotated[
        str | None, typer.Option(help="Resize images to HEIGHTxWIDTH, or to what the classifier takes: auto.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Images per call of the classifier; 64 if not given.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same result.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Attack again what is there already.")] = False,
) -> None:
    """Attack images."""
    from adversarial.audit import images_run as attacking

    if label is not None and labels is not None:
        raise UsageError("give --label for all images or --labels for each, not both")
    size = attacking.read_size(resize)
    options = attacking.read_options(option or [], None if scores is None else scores.value)
    classifier, shape = attacking.open_classifier(target, options)
    names = classifier.class_names if classes is None else read_class_names(classes)
    settings = attacking.Settings(
        target=target, options=options, model=attacking.model_digest(target), distance=distance.value, budget=budget,
        goal=None if goal is None else class_index(goal, names, "--goal"), manipulation=manipulation,
        player_two=player_two.value,
        engine=engine.value, batch_size=batch_size, seed=seed,
        prior=attacking.file_digest(prior),
    )  # fmt: skip
    run = attacking.Run(classifier, shape, settings, names, attacking.read_prior(prior))
    run.gather(images, out, size=size, label=label, labels=labels)
    todo = run.jobs if force else [job for job in run.jobs if not job.done]
    attacking.make_folder(out)
    with progress_bar("attacking", len(run.jobs)) as bar:
        bar.advance(len(run.jobs) - len(todo))

        def told(name: str, sentence: str) -> None:
            reading.stderr.print(f"{name}: {sentence}", soft_wrap=True, markup=False)
            bar.advance()

        run.attack(todo, told)
    there = len(run.jobs) - len(todo)
    kept = f"; {there} were there already" if there else ""
    reading.stderr.print(f"{run.written} results written to {out}{kept}", soft_wrap=True, markup=False)
    for problem in run.problems:
        reading.stderr.print(f"not attacked: {problem}", style="red", soft_wrap=True, markup=False)
    if run.problems:
        raise typer.Exit(1)
