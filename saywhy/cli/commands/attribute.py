"""`saywhy attribute`: a model and its inputs in, saliency maps out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.options.console import counted, finish, note, show, show_data
from saywhy.cli.options.explained import MODEL_FORMS, ExplainedOptions
from saywhy.cli.options.files import Use, check_is_free
from saywhy.cli.options.groups import with_groups
from saywhy.cli.options.maps import OutOption
from saywhy_core.disk.destinations import is_stream
from saywhy_core.errors import UsageError
from saywhy_core.progress import progress_bar

if TYPE_CHECKING:
    from saywhy_core.errors import Problem
    from verbalize.attribution.records import InputRecord
    from verbalize.attribution.records.costs import Cost
    from verbalize.saliency import Saliency

HELP = f"""Compute saliency maps: how much each word of a text, or each pixel of an image, speaks for a label in a model.

Each map is kept in OUT.part as soon as it is finished. A run that was stopped goes on where it was when it is started again.

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
    from verbalize.attribution.records.costs import channels_of, cost_of
    from verbalize.attribution.records.explaining import check_classes
    from verbalize.attribution.records.keeping import KeptMaps
    from verbalize.formats.own import check_unpacked
    from verbalize.models import BlackBoxImages, ImageModel, TextFunction

    template = QueryTemplate(query, tuple(versus or ()), tuple(member or ()))
    settings = {**_settings(option or ()), **({} if layer is None else {"layer": layer})}
    opened = model.open()
    images = isinstance(opened, ImageModel | BlackBoxImages)
    if images and out == "-":
        raise UsageError("maps over pixels are stored in files beside the records; name a file with --out")
    check_is_free(out, "maps")
    explainer = check_request(opened, template, method, settings)
    records, total, texts = _read(inputs, opened, images=images)
    if not is_stream(out):
        check_unpacked(Path(out))
    records, first = _first(records)
    if first is not None and (model.model_classes is not None or model.described):
        check_classes(opened, first)
    what = "image" if images else "text"
    if first is not None:
        channels = channels_of(explainer, opened, settings, first)
        each = cost_of(explainer, settings, first, channels)
        costs = [cost_of(explainer, settings, one) for one in texts]
        bounded = isinstance(opened, TextFunction)
        if bounded:
            costs = [_distinct(cost, one) for cost, one in zip(costs, texts, strict=True)]
        known = counted(total, what) if total is not None else f"{what}s"
        note(f"{known} to explain by {method}; {_costs(each, total, costs, most=bounded)}")
    unread: list[Problem] = []
    failed: list[Problem] = []
    order: list[str] = []
    waiting: dict[str, InputRecord] = {}
    kept = None if is_stream(out) else KeptMaps(out, _dependencies(model, opened, template, method, settings))

    def readable() -> Iterator[InputRecord]:
        for record in records:
            if isinstance(record, Problem):
                unread.append(record)
                continue
            order.append(record.id)
            if kept is None or not kept.holds(record):
                waiting[record.id] = record
                yield record

    maps = explain_records(
        opened, readable(), template, method=method, batch_size=batch_size, on_problem=failed.append, **settings
    )
    with progress_bar("explaining", total) as shown:
        told = _told(maps, what, total, (lambda: 0) if kept is None else (lambda: kept.earlier), shown)
        if kept is None:
            written = _write(told, out)
        else:
            with kept:
                for saliency in told:
                    kept.add(waiting.pop(saliency.saliency_id), saliency)
                if kept.earlier:
                    note(f"from an earlier run: {counted(kept.earlier, 'map')}")
                written = kept.finish(order, whole=not failed)
    if out != "-":
        note(f"{counted(written, 'map')} written to {out}" if written else f"no map was made, so {out} was not written")
    finish(("not read", unread), ("not explained", failed))


def _dependencies(model: ExplainedOptions, opened: Any, template: Any, method: str, settings: dict[str, Any]) -> dict[str, Any]:
    """All that the maps depend on besides their inputs; maps of an earlier run with other ones are not used again."""
    from verbalize.attribution.records.keeping import weights_of

    classes = [getattr(opened, name, None) for name in ("class_names", "descriptions", "continuations", "template")]
    return {
        "model": model.model_spec, "options": sorted(model.model_option or ()), "classes": repr(classes),
        "weights": weights_of(opened), "query": repr(template), "method": method,
        "settings": {name: repr(value) for name, value in sorted(settings.items())},
    }  # fmt: skip


def _read(
    inputs: Sequence[str], opened: Any, *, images: bool
) -> tuple[Iterator[InputRecord | Problem], int | None, list[InputRecord]]:
    """The inputs, how many there are, where that is known before they are read, and those that are read: the texts."""
    from verbalize.attribution.records import read_image_inputs, read_text_inputs
    from verbalize.attribution.records.inputs import InputRecord, count_images

    if images:
        return read_image_inputs(inputs, channels=opened.channels), count_images(inputs), []
    found = list(read_text_inputs(inputs))
    texts = [one for one in found if isinstance(one, InputRecord)]
    return iter(found), len(texts), texts


def _first(
    records: Iterator[InputRecord | Problem],
) -> tuple[Iterator[InputRecord | Problem], InputRecord | None]:
    """The records again, and the first one that could be read."""
    from itertools import chain

    from saywhy_core.errors import Problem

    seen: list[InputRecord | Problem] = []
    for record in records:
        seen.append(record)
        if not isinstance(record, Problem):
            return chain(seen, records), record
    return chain(seen, records), None


def _distinct(cost: Cost, record: InputRecord) -> Cost:
    """The cost of a text whose changed texts are each run once: there are no more than sets of its words."""
    from verbalize.spacing import word_places

    return replace(cost, forwards=min(cost.forwards, 2 ** len(word_places(str(record.content)))))


def _costs(each: Cost, total: int | None, texts: Sequence[Cost], *, most: bool = False) -> str:
    """How often inputs go through the model: `each` of `total`, which may be unknown; of texts each by itself."""
    whole = texts[0] if texts else each.times(total or 1)
    for one in texts[1:]:
        whole += one
    mean = "on average, " if any(one != texts[0] for one in texts) else ""
    if mean:
        each = replace(whole, forwards=round(whole.forwards / len(texts)), backwards=round(whole.backwards / len(texts)))
    elif texts:
        each = texts[0]
    said = f"{mean}each goes {'at least' if each.least else 'at most' if most else 'about'} {_passes(each)}"
    if total is None or total < 2:
        return said
    differs = 0 < whole.backwards != whole.forwards
    return f"{said}, {whole.forwards} times {f'and {whole.backwards} times back ' if differs else ''}in all"


def _passes(cost: Cost) -> str:
    said = f"{counted(cost.forwards, 'time')} through the model"
    if not cost.backwards:
        return said
    if cost.backwards == cost.forwards:
        return f"{said} and back"
    return f"{said} and {counted(cost.backwards, 'time')} back"


def _told(maps: Iterator[Saliency], what: str, total: int | None, earlier: Callable[[], int], shown: Any) -> Iterator[Saliency]:
    """The maps, with progress, and after the first of several what those that an earlier run left will take."""
    began = time.monotonic()
    for number, saliency in enumerate(maps, 1):
        left = None if total is None else total - earlier()
        if number == 1 and left is not None and left > 1:
            took = time.monotonic() - began
            note(f"the first {what} took {took:.1f} s; all {left} take about {_duration(took * left)}")
        shown(number + earlier(), total)
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
