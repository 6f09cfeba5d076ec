"""`saywhy attribute`: a model and its inputs in, saliency maps out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.options.console import counted, finish, note, show, show_data
from saywhy.cli.options.explained import MODEL_FORMS, ExplainedOptions
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import with_groups
from saywhy.cli.options.maps import OutOption
from saywhy_core.errors import UsageError
from saywhy_core.progress import progress_bar

if TYPE_CHECKING:
    from saywhy_core.errors import Problem
    from verbalize.attribution.records import InputRecord
    from verbalize.saliency import Saliency

HELP = f"""Compute saliency maps: how much each word of a text, or each pixel of an image, speaks for a label in a model.

INPUTS for a model of texts are JSON Lines with `text` (and `id`, and the correct `label`), or plain texts with one input per
line; for a model of images pictures, folders of them, NPY and NPZ files, or a CSV with a column `path`. Maps over pixels are
stored in files beside OUT, so they need a file. [bold]saywhy attribute --methods[/bold] lists the methods.

{MODEL_FORMS}

[bold]Example:[/bold] saywhy attribute reviews.txt --model transformers:my-model --method occlusion --out maps.jsonl

[bold]Example:[/bold] saywhy attribute stop.png --model demo:signs --query stop --versus "no entry" --out maps.jsonl

[bold]Exit status:[/bold] 0 all inputs have maps; 1 some were left out; 2 the command could not run; 130 it was interrupted.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="attribute", help=HELP)(with_groups(attribute))


def _list_methods(wanted: bool) -> None:
    if not wanted:
        return
    from verbalize.attribution import METHODS

    for name, method in METHODS.usable():
        show(f"{name}: {method.summary}")
        for what, explainer in (("texts", method.tokens), ("images", method.pixels), ("images, by a layer", method.layer)):
            if explainer is not None:
                answers = f"{', '.join(explainer.questions)} questions" if explainer.questions else "no question about a class"
                settings = f"; settings: {', '.join(explainer.uses)}" if explainer.uses else ""
                show(f"    {what}: needs {explainer.needs}; answers {answers}{settings}")
    raise typer.Exit


def attribute(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Files of texts or images, or folders of images; - for texts on standard input.", metavar="INPUTS..."
        ),
        Use.READ,
    ],
    model: ExplainedOptions,
    out: OutOption = "-",
    method: Annotated[
        str, typer.Option(help="How to explain; --methods lists what each one needs and answers.", metavar="METHOD")
    ] = "integrated_gradients",
    query: Annotated[
        str | None,
        typer.Option(
            "--query", "--label", help="Label that is asked about; what the model predicts for each input if not given."
        ),
    ] = None,
    versus: Annotated[list[str] | None, typer.Option(help="Label that it is set against (repeatable).")] = None,
    member: Annotated[
        list[str] | None, typer.Option(help="Class that belongs to the group that --query names (repeatable).")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of the network that the method looks at.")] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="A setting of the method, such as steps=64 (repeatable).", metavar="NAME=VALUE")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="The most inputs, changed or not, in one call of the model.")] = 32,
    methods: Annotated[
        bool, typer.Option("--methods", callback=_list_methods, is_eager=True, help="List the methods, and end.")
    ] = False,
) -> None:
    """Compute maps."""
    del methods  # its callback has ended the command
    from saywhy_core.errors import Problem
    from verbalize.attribution.records import QueryTemplate, check_request, explain_records
    from verbalize.models import BlackBoxImages, ImageModel

    template = QueryTemplate(query, tuple(versus or ()), tuple(member or ()))
    settings = {**_settings(option or ()), **({} if layer is None else {"layer": layer})}
    opened = model.open()
    images = isinstance(opened, ImageModel | BlackBoxImages)
    if images and out == "-":
        raise UsageError("maps over pixels are stored in files beside the records; name a file with --out")
    check_request(opened, template, method, settings)
    records, total = _read(inputs, opened, images=images)
    what = "image" if images else "text"
    if total is not None:
        note(f"{counted(total, what)} to explain by {method}")
    unread: list[Problem] = []
    failed: list[Problem] = []

    def readable() -> Iterator[InputRecord]:
        for record in records:
            if isinstance(record, Problem):
                unread.append(record)
            else:
                yield record

    maps = explain_records(
        opened, readable(), template, method=method, batch_size=batch_size, on_problem=failed.append, **settings
    )
    with progress_bar("explaining", total) as shown:
        written = _write(_told(maps, what, total, shown), out)
    if out != "-":
        note(f"{counted(written, 'map')} written to {out}" if written else f"no map was made, so {out} was not written")
    finish(("not read", unread), ("not explained", failed))


def _read(inputs: Sequence[str], opened: Any, *, images: bool) -> tuple[Iterator[InputRecord | Problem], int | None]:
    """The inputs, and how many there are, where that is known before they are read."""
    from verbalize.attribution.records import InputRecord, read_image_inputs, read_text_inputs

    if images:
        return read_image_inputs(inputs, channels=opened.channels), None
    found = list(read_text_inputs(inputs))
    return iter(found), sum(isinstance(one, InputRecord) for one in found)


def _told(maps: Iterator[Saliency], what: str, total: int | None, shown: Any) -> Iterator[Saliency]:
    """The maps, with progress, and after the first of several what they all will take."""
    began = time.monotonic()
    for number, saliency in enumerate(maps, 1):
        if number == 1 and total is not None and total > 1:
            took = time.monotonic() - began
            note(f"the first {what} took {took:.1f} s; all {total} take about {_duration(took * total)}")
        shown(number, total)
        yield saliency


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _write(maps: Iterator[Saliency], out: str) -> int:
    from itertools import chain

    from verbalize.formats import to_record, write_saliency

    first = next(maps, None)
    if first is None:
        return 0
    if out != "-":
        return write_saliency(chain([first], maps), out)
    written = 0
    for saliency in chain([first], maps):
        show_data(json.dumps(to_record(saliency), ensure_ascii=False) + "\n")
        written += 1
    return written


def _settings(pairs: Sequence[str]) -> dict[str, Any]:
    from saywhy_core.classifiers import read_option

    found: dict[str, Any] = {}
    for pair in pairs:
        if "=" not in pair:
            raise UsageError(f"--option takes NAME=VALUE, such as steps=64, not {pair!r:.80}")
        name, value = read_option(pair)
        if name in found:
            raise UsageError(f"the setting {name!r} of the method is given twice; give it once")
        if name in ("id", "true_label", "layer"):
            raise UsageError(f"{name} is no setting of a method{'; give it with --layer' if name == 'layer' else ''}")
        found[name] = value
    return found
