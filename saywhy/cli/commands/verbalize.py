"""`saywhy verbalize`: maps in, sentences out."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saywhy.cli.options import maps as reading
from saywhy.cli.options import models
from saywhy_core.errors import UsageError
from saywhy_core.progress import progress_bar

if TYPE_CHECKING:
    from verbalize.narrate.narrator import Narrator
    from verbalize.saliency import Saliency
    from verbalize.write import Background
    from verbalize.write.template import TemplateVerbalizer

HELP = """Put saliency maps into words: one JSON object a line with version, id, style, text, claims, coverage.

Every sentence is true of its map: it is made from claims that are checked against it. No language model is needed; with
[bold]--style narrate --llm SPEC[/bold] one writes, and what it says is checked, mended, cut, or replaced before it gets out.

[bold]Example:[/bold] saywhy verbalize maps.jsonl --style plain --max-words 12 --out texts.jsonl
"""
NARRATED = ("narrate", "smv-gpt")
_BATCH = 32  # maps whose requests are in flight together


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="verbalize", help=HELP)(verbalize)


def verbalize(
    maps: reading.MapsArgument,
    out: Annotated[str, typer.Option(help="JSON Lines file to write; - for standard output.")] = "-",
    style: Annotated[
        str,
        typer.Option(
            help="plain, ranked, smv (the published templates), narrate (a language model), smv-gpt (a language model, asked as published)."
        ),
    ] = "plain",
    max_words: Annotated[
        int | None, typer.Option(min=1, help="Words of the input that may be named (12); for narrate, words of the text (60).")
    ] = None,
    max_spans: Annotated[int, typer.Option(min=1, help="Parts that may be named.")] = 3,
    length: Annotated[str, typer.Option(help="clause, short or paragraph; for plain and ranked.")] = "short",
    mask_labels: Annotated[bool, typer.Option(help="Hide the labels, for studies in which people guess them.")] = False,
    background: Annotated[
        Path | None,
        typer.Option(
            help="Differential descriptions (of saywhy describe, or FuDD's) for contrastive maps; they stand apart, marked as "
            "background. Class names as in the file, or from --class-names."
        ),
    ] = None,
    llm: models.LlmOption = None,
    audience: Annotated[
        str, typer.Option(help="lay, developer, expert, or a description.", rich_help_panel="Language model")
    ] = "lay",
    repairs: Annotated[
        int, typer.Option(min=0, help="How often a false draft is sent back.", rich_help_panel="Language model")
    ] = 2,
    language: Annotated[str, typer.Option(help="Language asked for.", rich_help_panel="Language model")] = "English",
    cache: models.CacheOption = None,
    offline: models.OfflineOption = False,
    max_requests: models.MaxRequestsOption = None,
    max_cost: models.MaxCostOption = None,
    price: models.PriceOption = None,
    timeout: models.TimeoutOption = None,
    concurrency: models.ConcurrencyOption = None,
    format: reading.FormatOption = "auto",  # noqa: A002
    label: reading.LabelOption = None,
    versus: reading.VersusOption = None,
    class_names: reading.ClassNamesOption = None,
    tokenizer: reading.TokenizerOption = None,
    image: reading.ImageOption = None,
) -> None:
    """Put maps into words."""
    source = reading.MapReader(maps, format, label, tuple(versus or ()), class_names, tokenizer, image)
    known = _read_background(background, class_names, source)
    if style not in NARRATED:
        if llm is not None:
            raise UsageError(f"--llm goes with --style narrate; the style {style!r} needs no language model")
        from verbalize.write.template import TemplateVerbalizer

        template = TemplateVerbalizer(
            max_words=max_words or 12,
            max_spans=max_spans,
            style=style,  # type: ignore[arg-type]  # checked there, like length
            mask_labels=mask_labels,
            length=length,  # type: ignore[arg-type]
            background=known,
        )
        _by_template(template, source, out)
        return
    if length != "short":
        raise UsageError(f"--length goes with the plain and ranked styles; for {style} say how many words with --max-words")
    model = models.open_model(
        llm, cache=cache, out=out, offline=offline, max_requests=max_requests, max_cost=max_cost, price=price,
        timeout=timeout, concurrency=concurrency,
    )  # fmt: skip
    from verbalize.narrate.narrator import Narrator

    narrator = Narrator(
        model, audience=audience, max_words=max_words or 60, repairs=repairs, mask_labels=mask_labels, language=language,
        style=style,  # type: ignore[arg-type]  # one of NARRATED
        background=known,
    )  # fmt: skip
    try:
        failures = _by_model(narrator, source, out, str(llm))
    finally:
        models.tell_usage(model)
    if failures:
        for failure in failures:
            reading.stderr.print(f"[red]not narrated:[/red] {failure}", soft_wrap=True)
        reading.stderr.print(f"{len(failures)} maps were left out; the same command goes on with them")
    source.finish()
    if failures:
        raise typer.Exit(1)


def _read_background(path: Path | None, class_names: Path | None, source: reading.MapReader) -> Background | None:
    if path is None:
        return None
    from agents.prompting.pairs import read_pairs
    from saywhy_core.names import read_class_names
    from verbalize.write import Background

    pairs = read_pairs(path)
    source.problems += pairs.problems
    return Background.of(pairs, class_names=read_class_names(class_names) if class_names else None)


def _by_template(verbalizer: TemplateVerbalizer, source: reading.MapReader, out: str) -> None:
    from saywhy_core.files import atomic_open

    with nullcontext(sys.stdout) if out == "-" else atomic_open(out) as stream, progress_bar("verbalizing") as bar:
        for saliency in source:
            stream.write(json.dumps(verbalizer.verbalize(saliency).to_record(), ensure_ascii=False) + "\n")
            bar.advance()
    if out != "-":
        reading.stderr.print(f"{source.count} texts written to {out}", soft_wrap=True)
    source.finish()


def _by_model(narrator: Narrator, source: reading.MapReader, out: str, llm: str) -> list[str]:
    """Narrate what is not done yet; return a line for each map for which the model could not be asked."""
    from agents.prompting.pairs import dump_pairs
    from saywhy_core.journal import ResumableLines
    from verbalize.narrate.dialogue import PROMPT_VERSION

    maps = list(source)
    settings = {
        "llm": llm, "audience": narrator.audience, "max_words": narrator.max_words, "repairs": narrator.repairs,
        "mask_labels": narrator.mask_labels, "language": narrator.language, "style": narrator.style, "prompt": PROMPT_VERSION,
        "maps": hashlib.sha256(json.dumps([_content(saliency) for saliency in maps]).encode()).hexdigest(),
    }  # fmt: skip
    if narrator.background is not None:
        known = json.dumps(sorted(narrator.background.numbers.items())) + json.dumps(dump_pairs(narrator.background.pairs))
        settings["background"] = hashlib.sha256(known.encode()).hexdigest()
    failures: list[str] = []
    with ResumableLines(out, settings) as lines, progress_bar("narrating", len(maps)) as bar:
        todo = [saliency for saliency in maps if saliency.saliency_id not in lines.done]
        bar.advance(len(maps) - len(todo))
        for start in range(0, len(todo), _BATCH):
            batch = todo[start : start + _BATCH]
            for saliency, made in zip(batch, narrator.narrate_all(batch), strict=True):
                if made.problem is not None:
                    failures.append(f"{made.saliency_id}: {made.problem}")
                else:
                    lines.add(saliency.saliency_id, made.to_record())
                bar.advance()
        outcomes = Counter(str(record.get("outcome")) for record in lines.done.values())
        falsehoods: Counter[str] = Counter()
        for record in lines.done.values():
            falsehoods.update(record.get("falsehoods", {}))
        lines.finish([saliency.saliency_id for saliency in maps])
    if out != "-":
        reading.stderr.print(f"{len(lines.done)} texts written to {out}: {_counted(outcomes)}", soft_wrap=True)
        if falsehoods:
            reading.stderr.print(f"false statements in drafts, none of which got out: {_counted(falsehoods)}", soft_wrap=True)
    return failures


def _content(saliency: Saliency) -> list[str]:
    """What a text depends on, so that texts of other maps under the same ids are not taken over."""
    words = repr(getattr(saliency, "tokens", ""))
    digest = hashlib.sha256(saliency.scores.tobytes() + words.encode("utf-8", "surrogatepass"))
    return [saliency.saliency_id, digest.hexdigest(), repr(saliency.query)]


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())
