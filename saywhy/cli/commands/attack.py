"""`saywhy attack`: images in; for each the smallest change that flips the decision, with pictures and a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from adversarial.attacks import ATTACKS, ENGINES, PLAYERS
from adversarial.distances import DISTANCES
from saywhy.cli.options.console import counted, finish, note, stderr
from saywhy.cli.options.files import Use
from saywhy_core.classifiers import TARGETS
from saywhy_core.classifiers.answers.kinds import KINDS
from saywhy_core.errors import ArgumentError, UsageError
from saywhy_core.progress import progress_bar
from saywhy_core.stopping import Stopped

HELP = (
    "Search for the smallest change of each image that flips a classifier's decision, with few queries.\n\n"
    "The classifier is a black box: the command asks for its scores only, and never more than [bold]--budget[/bold] times per "
    "image. OUT gets one folder per image: panel.png (original, adversarial image, difference, and the density that guided "
    "the search), each of these alone in the image's own size, images.npz (exact values) and result.json (a sentence, the "
    "changed pixels, distances, the trace). An image with a finished result in OUT is not attacked again, and one that was "
    "begun goes on from what was learned.\n\n"
    "TARGET is onnx:FILE, torch:FILE (a program of torch.export, or TorchScript), transformers:FOLDER, python:module:function "
    "(with [bold]--scores[/bold]), or demo:signs, the road-sign classifier that comes with saywhy. What runs code of the "
    "target's author (python:, TorchScript, Python files in a folder) needs [bold]--trust[/bold].\n\n"
    "With [bold]--prove[/bold] SECONDS, a proof stands beside each attack: no so many pixels flip the decision, whatever their "
    "values. It needs the network itself, not its scores alone: an ONNX file, a torch module, or demo:signs.\n\n"
    "[bold]Example:[/bold] saywhy attack stop.png --target demo:signs --distance l0 --budget 1000 --out attacks\n\n"
    "[bold]Exit status:[/bold] 0 all images were attacked; 1 some images could not be attacked; 2 the command could not run to "
    "its end (finished images are kept); "
    "130 interrupted: finished images are kept.\n"
)
NAMES = frozenset({"names", "class_names"})  # what the option of a target is called that gives the class names


def _listed(names: Iterable[str]) -> str:
    """Names as help shows a choice; a wrong one is refused by the attack itself, with the same names."""
    return f"[{'|'.join(names)}]"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="attack", help=HELP)(attack)


def attack(
    # An image that may not be read is reported like a damaged one, so the command line does not stop at it (readable=False).
    images: Annotated[
        list[Path],
        typer.Argument(help="PNG, JPEG, NPY or NPZ files.", metavar="IMAGE...", show_default=False, readable=False),
    ],
    target: Annotated[
        str,
        typer.Option(
            help="The classifier: onnx:FILE, torch:FILE, transformers:FOLDER, python:module:function, demo:signs.",
            metavar=_listed(f"{kind}:..." for kind in TARGETS),
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder to write to; it is made where there is none.", file_okay=False), Use.FOLDER_WRITTEN
    ],
    scores: Annotated[
        str | None,
        typer.Option(
            help="What the classifier returns; needed if the model file does not state it.",
            rich_help_panel="Target",
            metavar=_listed(KINDS),
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="An option of the target, such as layout=nchw (repeatable).", rich_help_panel="Target"),
    ] = None,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust",
            help="Let code of the target's author run: a python: module, TorchScript, or Python files of a transformers model.",
            rich_help_panel="Target",
        ),
    ] = False,
    distance: Annotated[
        str, typer.Option(help="Which distance to make small; l0 counts pixels.", metavar=_listed(DISTANCES))
    ] = "l0",
    budget: Annotated[int, typer.Option(min=1, help="The most queries per image.")] = 3000,
    goal: Annotated[str | None, typer.Option(help="Class to reach, by name or number; any other class if not given.")] = None,
    label: Annotated[str | None, typer.Option(help="True class of all images; the predicted class if not given.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Text file with one class per line, in the order of the images.")] = None,
    classes: Annotated[Path | None, typer.Option(help="Class names: a text file with one per line, or a JSON list.")] = None,
    manipulation: Annotated[
        str | None,
        typer.Option(
            help="What may be done to a pixel: corners of the colour cube (the default in l0), plus_minus_tau:0.1, or "
            "colour:1,0,0 (or colour:#ff0000)."
        ),
    ] = None,
    player_two: Annotated[
        str,
        typer.Option(
            help="cooperative: find the smallest change. competitive: measure the change that the most robust feature needs. "
            "random: draw changes at random.",
            metavar=_listed(PLAYERS),
        ),
    ] = "cooperative",
    engine: Annotated[
        str,
        typer.Option(help="mcts is the stock package: slow, for cross-checking.", metavar=_listed(ENGINES)),
    ] = "batched",
    attack: Annotated[
        str | None,
        typer.Option(help="Which attack to use; chosen by the distance if not given.", metavar=_listed(ATTACKS)),
    ] = None,
    prior: Annotated[
        Path | None, typer.Option(help="Map in the place of SIFT (PNG, NPY or NPZ); it is resized to each image.")
    ] = None,
    resize: Annotated[
        str | None, typer.Option(help="Resize images to HEIGHTxWIDTH, or to the size that the classifier takes: auto.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Images per call of the classifier; 64 if not given.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same result.")] = 0,
    levels: Annotated[
        str,
        typer.Option(
            help="Keep every query to so many levels per channel, so that findings survive being saved as pictures. "
            "auto: those of the target's pictures, or 256 for images of 8 bits. any: any numbers.",
            metavar="NUMBER|auto|any",
        ),
    ] = "auto",
    tolerate_noise: Annotated[
        bool,
        typer.Option(
            "--tolerate-noise",
            help="Allow for a classifier that answers differently when asked again: findings are asked again, and counted.",
        ),
    ] = False,
    learn: Annotated[
        bool,
        typer.Option(
            "--learn",
            help="Begin each image with what earlier ones taught about the classifier; for several images, in l0.",
        ),
    ] = False,
    prove: Annotated[
        float | None,
        typer.Option(
            help="Seconds per image to prove how many pixels are needed at least; for l0, ONNX files and torch modules.",
            rich_help_panel="Proof",
            show_default=False,
        ),
    ] = None,
    prove_pixels: Annotated[
        int | None,
        typer.Option(min=1, help="The most pixels to prove; 3 if not given.", rich_help_panel="Proof", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Attack again, and replace the results that are there.")] = False,
) -> None:
    """Attack images."""
    from adversarial import AttackStopped, FeatureGuidedAttack
    from adversarial.audit import audit_images, gather_images, read_prior
    from adversarial.audit.gathering import read_size
    from adversarial.audit.image_folders.runner import AT_GOAL
    from adversarial.audit.proofs.prover import check_endpoint, check_proving
    from adversarial.distances.levels import read_levels
    from saywhy_core.classifiers import load_classifier, split_spec
    from saywhy_core.names import class_index, read_class_names
    from saywhy_core.trust import telling_trust

    check_proving(prove, prove_pixels)
    check_endpoint(prove, target)
    options = read_options(option or [], scores)
    if classes is not None and NAMES.intersection([*options, *split_spec(target)[1]]):
        raise UsageError("--classes and the target's option names both give the class names; leave one of them out")
    names: Sequence[str] | None = None if classes is None else read_class_names(classes)
    # class numbers, and lists of a few classes, can't be read without the names
    needed = names if {**split_spec(target)[1], **options}.get("scores") in ("label", "top-k") else None
    with telling_trust(note):
        classifier = load_classifier(target, trust=trust, class_names=needed, **options)
    names = classifier.class_names if names is None else names
    try:
        search = FeatureGuidedAttack(
            distance=distance, budget=budget, player_two=player_two, batch_size=batch_size, engine=engine, seed=seed,  # type: ignore[arg-type]
            levels=read_levels(levels), tolerate_noise=tolerate_noise, learn=learn,  # type: ignore[arg-type]
            manipulation=manipulation, density=None if prior is None else read_prior(prior, seed=seed), attack=attack,
        )  # fmt: skip
    except ArgumentError as error:
        raise UsageError(error.spelled(as_option)) from None
    wanted = None if goal is None else class_index(goal, names, "--goal")
    found, unread = gather_images(
        images, shape=classifier.image_shape, class_names=names, size=read_size(resize), label=label, labels=labels
    )
    try:
        with progress_bar("attacking", len(found), console=stderr) as bar:
            outcome = audit_images(
                classifier, found, out, search, goal=wanted, class_names=names, target=target, options=options, force=force,
                on_finding=lambda name, said: note(f"{name}: {said}"),
                on_progress=bar,
                on_resumed=lambda number: note(
                    f"{counted(number, 'image')} {'was' if number == 1 else 'were'} begun earlier and "
                    f"{'goes' if number == 1 else 'go'} on from what was learned"
                ),
                prove=prove, prove_pixels=prove_pixels,
                on_proof=lambda name, said: note(f"{name}, proof: {said}"),
                on_proving=bar.stage("proving"),
            )  # fmt: skip
    except AttackStopped as stopped:
        # the exit status tells Ctrl-C from a signal
        raise stopped.__cause__ if isinstance(stopped.__cause__, Stopped) else stopped from None
    kept = f"; {outcome.kept} were there already" if outcome.kept else ""
    proofs = f", {counted(outcome.proofs, 'proof')} added" if outcome.proofs else ""
    note(f"{counted(outcome.written, 'result')} written to {out}{kept}{proofs}")
    spelled = {AT_GOAL: "its label is already the class given with --goal"}
    problems = [replace(problem, what=spelled.get(problem.what, problem.what)) for problem in outcome.problems]
    finish(("not attacked", [*unread, *problems]), ("nothing is proved about", outcome.unproved))


def as_option(argument: str, value: str | None) -> str:
    """An argument of `FeatureGuidedAttack` as an option of the command, such as "--player-two random"."""
    option = "--prior" if argument == "density" else f"--{argument.replace('_', '-')}"
    return option if value is None else f"{option} {value}"


def read_options(pairs: list[str], scores: str | None) -> dict[str, Any]:
    """The options of a target from texts "name=value"."""
    from saywhy_core.classifiers import read_option

    options: dict[str, Any] = {}
    for pair in [*pairs, *([] if scores is None else [f"scores={scores}"])]:
        name, value = read_option(pair)
        if name == "trust":
            raise UsageError("trust is no option of a target: give --trust")
        if name in options:
            raise UsageError(f"the option {name!r} of the target is given twice; give it once")
        options[name] = value
    return options
