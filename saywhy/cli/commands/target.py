"""`saywhy target`: what is known of a classifier, what it says of a few images, and whether its settings are likely right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from saywhy.cli.commands.attack import read_options
from saywhy.cli.options.console import counted, finish, note, show, show_data, show_table, tell

HELP = (
    "Show what is known of an image classifier, its answers to a few images, and likely mistakes in its settings.\n\n"
    "The images are asked about as they are, again, alone, and in variants: red and blue exchanged, values from 0 to 255 or "
    "divided by 255, with and without normalisation, channels first. Where a variant's answers are clearly better, the option "
    "to try is named; where neither way is clearly better, that is said. Give at least five images, as different as possible, "
    "and their labels if you know them: one image says little. All that is asked is counted.\n\n"
    "[bold]Example:[/bold] saywhy target demo:signs stop.png speed-limit-30.png\n\n"
    "[bold]Exit status:[/bold] 0 nothing is likely to be wrong; 1 a mistake is likely, or an image could not be used; 2 the "
    "target could not be opened or asked.\n"
)
TOP = 5  # classes that are shown for each image
Show = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="target", help=HELP)(target)


def target(
    target: Annotated[str, typer.Argument(help="The classifier, such as onnx:FILE or oip:URL#MODEL.", metavar="SPEC")],
    images: Annotated[
        list[Path],
        typer.Argument(help="PNG, JPEG, NPY or NPZ files.", metavar="IMAGE...", show_default=False, readable=False),
    ],
    scores: Annotated[
        str | None, typer.Option(help="What the classifier returns; needed if the model does not state it.")
    ] = None,
    option: Annotated[list[str] | None, typer.Option(help="An option of the target, such as layout=nchw (repeatable).")] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Let code of the target's author run.")] = False,
    label: Annotated[str | None, typer.Option(help="True class of all images, by name or number.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Text file with one class per line, in the order of the images.")] = None,
    resize: Annotated[
        str | None, typer.Option(help="Resize images to HEIGHTxWIDTH, or to the size that the classifier takes: auto.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object in the place of the texts.")] = False,
) -> None:
    """Examine a target."""
    from adversarial.audit.gathering import gather_images, read_size
    from saywhy_core.classifiers import load_classifier, split_spec, target_options
    from saywhy_core.classifiers.classifier import EndpointError
    from saywhy_core.classifiers.examining.examination import answerable, examine
    from saywhy_core.errors import Problem
    from saywhy_core.trust import telling_trust

    with telling_trust(note):
        classifier = load_classifier(target, trust=trust, **read_options(option or [], scores))
    found, unread = gather_images(
        images, shape=classifier.image_shape, class_names=classifier.class_names, size=read_size(resize), label=label,
        labels=labels,
    )  # fmt: skip
    kind = split_spec(target)[0].partition(":")[0]
    options = None if kind not in _kinds() else target_options(kind)
    told: list[Show] = []
    findings: list[Show] = []
    untold: list[Show] = []
    problems = list(unread)
    queries = classifier.queries  # what opening it took
    down: EndpointError | None = None
    for shape in dict.fromkeys(image.pixels.shape for image in found):
        group = [image for image in found if image.pixels.shape == shape]
        before = classifier.queries
        try:
            refused = answerable(classifier, np.stack([one.pixels for one in group]))
            queries += classifier.queries - before
            problems += [Problem(group[place].source or group[place].name, why) for place, why in refused.items()]
            group = [one for place, one in enumerate(group) if place not in refused]
            if not group:
                continue
            result = examine(classifier, np.stack([one.pixels for one in group]), [one.label for one in group], options=options)
        except EndpointError as error:  # no image is to blame; what was answered before is shown all the same
            down = error
            break
        queries += result.queries
        told += [_told(one.name, row, classifier) for one, row in zip(group, result.scores, strict=True)]
        findings += [{"name": one.name, "sure": one.sure, "text": one.text, "images": len(group)} for one in result.findings]
        untold += [{"text": one, "images": len(group)} for one in result.untold_in_words()]
    named = None if classifier.class_names is None else len(classifier.class_names)
    about = {
        "target": target, "kind": kind, "classes": told[0]["classes"] if told else named,
        "class_names": classifier.class_names is not None, "image_shape": list(classifier.image_shape),
        "scores": classifier.scores, "levels": getattr(classifier, "levels", None),
        "concurrency": getattr(classifier, "concurrency", 1), "layout": _layout(classifier), "queries": queries,
    }  # fmt: skip
    for one in told:
        one.pop("classes", None)
    if as_json and (told or down is None):
        unasked = [{"image": one.where, "error": one.what} for one in problems]
        shown = {**about, "images": told, "not_asked": unasked, "findings": findings, "untold": untold}
        show_data(json.dumps(shown, ensure_ascii=False, indent=1) + "\n")
    elif told or down is None:
        _print(about, told, findings, untold)
    if down is not None:
        tell(("not asked", problems))
        raise down
    if any(one["sure"] != "possible" for one in findings):
        finish(("not asked", problems))
        raise typer.Exit(1)
    finish(("not asked", problems))


def _kinds() -> Sequence[str]:
    from saywhy_core.classifiers import TARGETS

    return [*TARGETS]


def _layout(classifier: Any) -> str:
    """What is sent, in words: what the library hands over where the kind of target has no layout of its own."""
    return "8-bit pictures" if getattr(classifier, "levels", None) else "numbers from 0 to 1, scaled as the options say"


def _told(name: str, row: Any, classifier: Any) -> Show:
    """The best classes of an image."""
    best = np.argsort(-row, kind="stable")[:TOP]
    names = classifier.class_names
    classes = [
        {"class": int(place), "name": None if names is None else names[place], "score": float(row[place])} for place in best
    ]
    return {"image": name, "best": classes, "classes": len(row)}


def _print(about: Show, told: list[Show], findings: list[Show], untold: list[Show]) -> None:
    height, width, channels = ("any" if size is None else str(size) for size in about["image_shape"])
    classes = (
        "unknown" if about["classes"] is None else f"{about['classes']}{'' if about['class_names'] else ', without names'}"
    )
    levels = "any value from 0 to 1" if about["levels"] is None else f"{about['levels']} values per channel"
    show_table([
        ("target", str(about["target"])),
        ("images", f"{height} x {width}, channels: {channels} (height x width)"),
        ("values", f"{levels}; {about['layout']}"),
        ("classes", classes),
        ("scores", str(about["scores"])),
    ])  # fmt: skip
    for one in told:
        show("")
        show(one["image"], style="bold")
        show_table([
            (f"{place['score']:.4g}", place["name"] if place["name"] is not None else f"class {place['class']}")
            for place in one["best"]
        ])  # fmt: skip
    show("")
    for one in findings:
        show(f"{one['sure']}: {one['text']}", style="yellow")
    for one in untold:
        show(one["text"])
    if told and not findings:
        few = "; fewer than five images say little" if len(told) < 5 else ""
        show(f"nothing {'else ' if untold else ''}looks wrong with the settings{few}")
    show(f"{counted(about['queries'], 'query').replace('querys', 'queries')} spent")
