"""`saywhy check`: texts checked against the maps they are about."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.foreseen import YES_RULE, may_begin, opened_to_foresee
from saywhy.cli.options.console import counted, fail, note, show, show_data
from saywhy.cli.options.explained import EXPLAINED_OPTIONS, ExplainedOptions
from saywhy.cli.options.explained import MODEL_FORMS as EXPLAINED_FORMS
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import Rule, with_groups
from saywhy.cli.options.maps import ReadingOptions
from saywhy.cli.options.models import MODEL_FORMS, MODEL_OPTIONS, ModelOptions, tell_usage
from saywhy.cli.options.texts import TEXTS_HELP, MapsOption, name_of_texts, pair_texts
from saywhy_core.legible import legible
from saywhy_core.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.language_models import BaseChatModel

    from saywhy_core.errors import Problem
    from verbalize import CheckedSentence, Claim, TextRecord, TextReport
    from verbalize.models import Model
    from verbalize.saliency import Saliency

HELP = f"""Check sentences against the saliency maps that they are about, whoever wrote them.

TEXTS is JSON Lines with `text` and `id` (of the map), or a plain text; `claims`, where given, are checked too. Texts without
ids belong to the maps in their order. Each sentence is read back into claims, and is [bold]true[/bold], [bold]false[/bold], or
[bold]not verified[/bold]: it was not read whole, or says nothing of the map, or the map can't decide it.
The command lists what is false, with what the map says instead, and what is not verified.

With [bold]--llm MODEL[/bold] a language model turns what was not read into claims, one request per sentence. They are checked
like all others and counted apart: they can make a sentence false, and never true. --dry-run says what that would take; large
runs need --yes. {MODEL_FORMS}

With [bold]--model MODEL[/bold] the model that the maps explain is run on changed inputs, and decides sentences such as
"without 'great', the model says 'negative'". How many inputs that are is told beforehand. {EXPLAINED_FORMS}

[bold]Example:[/bold] saywhy check texts.jsonl --maps maps.jsonl

[bold]Example:[/bold] saywhy check --text "'great' speaks for 'positive'." --map maps.jsonl

[bold]Exit status:[/bold] 0 nothing false was found; 1 something false was found, or, with --strict, something was not
verified; 2 nothing false was found, but not everything was checked, or the command could not run; 130 it was interrupted.
"""
_COLOURS = {"true": "green", "false": "red", "not verified": "yellow"}

RULES = (
    Rule(("why",), "the printed list; leave out --json, which tells it always", lambda options: not options["as_json"]),
    Rule(
        tuple(name for name in EXPLAINED_OPTIONS if name != "model_spec"),
        "--model: without it the model that the maps explain is not run",
        lambda options: options["model_spec"] is not None,
    ),
    Rule(
        tuple(name for name in MODEL_OPTIONS if name != "llm"),
        "--llm: without it no language model is asked",
        lambda options: options["llm"] is not None,
    ),
    YES_RULE,
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="check", help=HELP)(with_groups(check, RULES))


def check(
    maps: MapsOption,
    reading: ReadingOptions,
    model: ModelOptions,
    explained: ExplainedOptions,
    texts: Annotated[str | None, typer.Argument(help=TEXTS_HELP, metavar="TEXTS"), Use.READ] = None,
    text: Annotated[str | None, typer.Option(help="The text itself, in the place of TEXTS.", metavar="TEXT")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything is not verified.")] = False,
    why: Annotated[
        bool,
        typer.Option("--why", help="List every sentence, with its claims, the rules that read it, and the words left over."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per text instead of the list.")] = False,
) -> None:
    """Check texts against maps."""
    from verbalize import check_texts
    from verbalize.formats.own import is_empty_report

    where = name_of_texts(texts, text, maps)
    if text is None and all(_is_regular(one) and is_empty_report(Path(one)) for one in {where, maps}):
        note(f"{where} is the report of an audit that has no maps and no texts yet")
        if not as_json:
            show("0 texts, 0 sentences: nothing to check")
        return
    chat = None
    if model.llm is not None:  # before the work: the model's name may be wrong
        chat = opened_to_foresee(model, "-") if model.dry_run else model.open("-")
    opened = explained.open() if explained.model_spec is not None and not model.dry_run else None
    source = reading.read(maps)
    source.status = 2
    unchecked: list[Problem] = []
    reports: list[tuple[TextRecord, Saliency, TextReport]] = []
    pairs = pair_texts(where, text, source, unchecked)
    by_record = {id(record): saliency for record, saliency in pairs}
    if opened is not None:
        from verbalize.text_report import most_inputs

        note(
            f"{explained.model_spec} is run on at most {counted(most_inputs(pairs), 'input')}, changed or not"
            + (", and on those that the language model reads" if chat is not None else "")
        )
    with progress_bar("checking", len(pairs)) as shown:
        for record, report in check_texts(pairs, opened, where=where, on_problem=unchecked.append):
            reports.append((record, by_record[id(record)], report))
            shown(len(reports), None)
    if chat is not None and not _may_ask(model, reports):
        if source.tell(("not checked", unchecked)):
            raise typer.Exit(2)
        return
    stopped = None if chat is None else _ask(chat, str(model.llm), reports, opened)
    if as_json:
        for record, _, report in reports:
            show_data(json.dumps({"id": record.id, **report.to_record()}, ensure_ascii=False) + "\n")
    else:
        _print(reports, why=why)
    left_out = source.tell(("not checked", unchecked))
    if stopped is not None:
        fail(f"not all sentences were read by the model: {stopped}")
    statuses = {report.status for _, _, report in reports}
    if "false" in statuses or (strict and "not verified" in statuses):
        raise typer.Exit(1)
    if left_out or stopped is not None:
        raise typer.Exit(2)


def _is_regular(where: str) -> bool:
    """Whether a file can be read twice, which a pipe can't."""
    return where != "-" and Path(where).is_file()


def _may_ask(model: ModelOptions, reports: list[tuple[TextRecord, Saliency, TextReport]]) -> bool:
    """Tell what reading the open sentences will take, where that was asked for or is much; whether they may be asked about."""
    from verbalize import ModelReader, open_sentences

    asked = [(one.text, record.text, saliency) for record, saliency, report in reports for one in open_sentences(report)]
    return may_begin(model, len(asked), lambda: ModelReader(opened_to_foresee(model, "-")).foresee(asked))


def _ask(
    chat: BaseChatModel, name: str, reports: list[tuple[TextRecord, Saliency, TextReport]], explained: Model | None
) -> Exception | None:
    """Give what the rules did not read to a language model, in place; what ended that early, if anything did.

    What it reads of changed inputs is decided by the model that the maps explain, if it is given.
    """
    from verbalize import ModelReader, open_sentences, read_again

    asked = sum(len(open_sentences(report)) for _, _, report in reports)
    note(
        f"{counted(asked, 'sentence')} for {name}: {counted(asked, 'request')}, and one more for each reply that can't be used"
    )
    try:
        with progress_bar("reading", asked) as shown:
            reader = ModelReader(chat, on_progress=shown)
            again = read_again([(record.text, saliency, report) for record, saliency, report in reports], reader, explained)
    finally:
        tell_usage(chat)
    reports[:] = [(record, saliency, report) for (record, saliency, _), report in zip(reports, again, strict=True)]
    return reader.stopped


def _print(reports: list[tuple[TextRecord, Saliency, TextReport]], *, why: bool) -> None:
    counts: Counter[str] = Counter()
    stated = false_stated = by_model = 0
    for record, saliency, report in reports:
        name = f"id {legible(str(record.id))}: " if len(reports) > 1 else ""
        counts.update(report.counts)
        by_model += report.read_by_model
        for sentence in report.sentences:
            if why or sentence.status != "true":
                _print_sentence(name, sentence, saliency, why=why)
        if not report.sentences:
            show(f"not verified: {name}the text has no sentences", style=_COLOURS["not verified"])
        parts = [part for one in report.sentences for part in (one, one.second) if part is not None]
        in_text = {id(error) for part in parts for error in part.errors}
        for error in report.errors:
            if id(error) not in in_text:
                show(f"false: {name}the stated claim {_claim(error.claim, saliency)}", style=_COLOURS["false"])
                show(f"    {error.kind}: {legible(error.message)}")
                false_stated += 1
        stated += len(report.claims) - sum(len(part.claims) for part in parts)
    if not reports:
        return
    found = ", ".join(f"{counts[status]} {status}" for status in _COLOURS)
    show(f"{counted(len(reports), 'text')}, {counted(counts.total(), 'sentence')}: {found}")
    if by_model:
        show(f"of those not verified, {by_model} true as read by a model")
    if stated:
        show(f"of the claims given beside the texts, {stated} more than the sentences say: {false_stated} of them false")


def _print_sentence(name: str, sentence: CheckedSentence, saliency: Saliency, *, why: bool) -> None:
    show(f"{sentence.status}: {name}{legible(sentence.text)}", style=_COLOURS[sentence.status])
    second = sentence.second
    for error in sentence.errors:
        show(f"    {error.kind}: {legible(error.message)}")
    for error in second.errors if second is not None else ():
        show(f"    {error.kind}, as read by a model: {legible(error.message)}")
    if sentence.reason:
        show(f"    {legible(sentence.reason)}")
    if second is not None and second.status != "false":
        told = "true as read by a model" if second.problem is None else f"the model did not read it: {legible(second.problem)}"
        show(f"    {told if not second.undecided else 'the map cannot decide what a model read'}")
    for message in sentence.notes:
        show(f"    note: {legible(message)}")
    if why:
        for claim in second.claims if second is not None else ():
            show(f"    claim read by a model: {_claim(claim, saliency)}")
        for claim in sentence.claims:
            show(f"    claim: {_claim(claim, saliency)}")
        if sentence.rules:
            show(f"    rules: {', '.join(sentence.rules)}")
        if sentence.left_over:
            show(f"    left over: {legible(', '.join(sentence.left_over))}")


def _claim(claim: Claim, saliency: Saliency) -> str:
    """A claim as its kind and its fields, with parts by their words."""
    from verbalize.evidence import evidence_of

    names = evidence_of(saliency).names
    fields: Mapping[str, Any] = claim.to_record()
    said: list[str] = [claim.kind]
    for field, value in fields.items():
        if field in ("part", "other"):
            words = " ".join(names[index] if 0 <= index < len(names) else f"[{index}]" for index in value or ())
            said += [f"{'' if field == 'part' else 'other='}'{words}'"] if value else []
        elif field not in ("kind", "quote", "tolerance"):
            said.append(f"{field}={value!r}")
    return legible(" ".join(said))
