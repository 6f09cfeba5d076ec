"""`saywhy verbalize`: maps in, sentences out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.foreseen import YES_RULE, may_begin, opened_to_foresee
from saywhy.cli.options.choices import either, names_of
from saywhy.cli.options.console import Output, counted, note, on_terminal
from saywhy.cli.options.explained import EXPLAINED_OPTIONS, ExplainedOptions
from saywhy.cli.options.explained import MODEL_FORMS as EXPLAINED_FORMS
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import Rule, with_groups
from saywhy.cli.options.maps import MapReader, MapsArgument, MaskOption, ReadingOptions
from saywhy.cli.options.models import MODEL_FORMS, MODEL_OPTIONS, PANEL, ModelOptions, tell_usage
from saywhy_core.errors import UsageError
from saywhy_core.progress import progress_bar

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from langchain_core.language_models import BaseChatModel

    from agents.chat import Foreseen
    from saywhy_core.errors import Problem
    from saywhy_core.progress import OnProgress
    from verbalize import Background, TemplateVerbalizer
    from verbalize.models import Model
    from verbalize.saliency import Saliency

HELP = f"""Put saliency maps into words: text on a terminal, and one JSON object per line in a file or a pipe (--format).

Every sentence is true of its map, because it is made from claims that are checked against the map. No language model is
needed; with [bold]--style composed --llm MODEL[/bold] a language model chooses what to say, in which order, and for whom. With
[bold]--style free[/bold] it writes, and what it says is checked, sent back, cut or replaced before it gets out. A run that was
stopped goes on with the same command. --dry-run says what asking the language model would take; large runs need --yes.

{MODEL_FORMS}

With [bold]--model MODEL[/bold] the model that the maps explain is run on changed inputs, and the text also says what it does
without the most important part: "Without 'great', the model still says 'positive'." What a language model writes of changed
inputs with --style free is tested in the same way; to composed text the tested sentences are added. {EXPLAINED_FORMS}

[bold]Example:[/bold] saywhy verbalize maps.jsonl --style plain --max-words 12 --out texts.jsonl

[bold]Exit status:[/bold] 0 all maps are in words; 1 some were left out; 2 the command could not run to its
end, or a ceiling was reached; 130 it was interrupted.
"""
TEMPLATES, NARRATED = "verbalize.write:STYLES", "verbalize.narrate:STYLES"
_OLD_NAMES = {"narrate": "composed"}


def _narrated(options: Mapping[str, Any]) -> bool:
    return _OLD_NAMES.get(options["style"], options["style"]) in names_of(NARRATED)


def _asked(options: Mapping[str, Any], *styles: str) -> bool:
    return _OLD_NAMES.get(options["style"], options["style"]) in styles


RULES = (
    Rule((*MODEL_OPTIONS, "repairs"), "--style composed, free or smv-gpt: no other style needs a language model", _narrated),
    Rule(("audience", "pictures"), "--style composed and --style free", lambda options: _asked(options, "composed", "free")),
    Rule(("language",), "--style free", lambda options: _asked(options, "free")),
    Rule(
        ("length",),
        "--style plain and --style ranked",
        lambda options: not _narrated(options) and options["style"] != "smv",
    ),
    Rule(
        ("background",),
        "visible labels: background names them; leave out --mask-labels",
        lambda options: not options["mask_labels"],
    ),
    Rule(
        tuple(name for name in EXPLAINED_OPTIONS if name != "model_spec"),
        "--model: without it the model that the maps explain is not run",
        lambda options: options["model_spec"] is not None,
    ),
    Rule(
        ("replace_words",),
        "--model and a style without a language model: the model tells what it says of other words",
        lambda options: options["model_spec"] is not None and not _narrated(options),
    ),
    Rule(("max_spans",), "the styles without a language model", lambda options: not _narrated(options)),
    YES_RULE,
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="verbalize", help=HELP)(with_groups(verbalize, RULES))


def verbalize(
    maps: MapsArgument,
    reading: ReadingOptions,
    model: ModelOptions,
    explained: ExplainedOptions,
    out: Annotated[
        str,
        typer.Option(
            help="File to write, laid out by its suffix (.jsonl, .txt or .md); - for standard output.", metavar="FILE"
        ),
        Use.WRITTEN,
    ] = "-",
    layout: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar=either("verbalize.layout:LAYOUTS"),
            help="Layout of the texts. By default the suffix of OUT decides; without one, a terminal gets text, and all else "
            "jsonl.",
        ),
    ] = None,
    style: Annotated[str, typer.Option(help="How to say it.", metavar=either(TEMPLATES, NARRATED))] = "plain",
    max_words: Annotated[
        int | None,
        typer.Option(min=1, help="Words of the input that may be named (12); with a language model, words of the text (60)."),
    ] = None,
    max_spans: Annotated[int, typer.Option(min=1, help="Parts of the input that may be named.")] = 3,
    length: Annotated[str, typer.Option(help="How much to say.", metavar=either("verbalize.write:LENGTHS"))] = "short",
    mask_labels: MaskOption = False,
    background: Annotated[
        Path | None,
        typer.Option(
            help="Descriptions of pairs of classes (from saywhy describe, or FuDD's), for contrastive maps. They stand apart "
            "from the text, marked as background. Class names are those of the file, or of --class-names."
        ),
    ] = None,
    replace_words: Annotated[
        list[str] | None,
        typer.Option(
            "--replace",
            help="Words of the text and what takes their place, such as great=dull (repeatable): with --model, what the model "
            "does then is said, too.",
            metavar="WORDS=WORDS",
        ),
    ] = None,
    audience: Annotated[
        str,
        typer.Option(
            help="Who reads the text.", metavar=either("verbalize.narrate:AUDIENCES", last=("TEXT",)), rich_help_panel=PANEL
        ),
    ] = "lay",
    repairs: Annotated[int, typer.Option(min=0, help="How often a false draft is sent back.", rich_help_panel=PANEL)] = 2,
    language: Annotated[str, typer.Option(help="Language that is asked for.", rich_help_panel=PANEL)] = "English",
    pictures: Annotated[
        bool,
        typer.Option("--pictures", help="Send picture and heatmap of pixel maps to a model that sees.", rich_help_panel=PANEL),
    ] = False,
) -> None:
    """Put maps into words."""
    if style in _OLD_NAMES:
        note(f"--style {style} is now called {_OLD_NAMES[style]}")
        style = _OLD_NAMES[style]
    if style not in (styles := names_of(TEMPLATES, NARRATED)):
        raise UsageError(f"there is no style {style!r}; use one of {', '.join(styles)}")
    if layout in names_of("verbalize.formats:FORMATS"):
        if reading.format != "auto":
            raise UsageError(f"--format {layout} is no layout of the texts, and --maps-format names the format of MAPS already")
        note(f"--format is the layout of the texts; the format of MAPS is called --maps-format {layout} now")
        reading, layout = replace(reading, format=layout), None
    layout = _layout(layout, out)
    source = reading.read(maps)
    known = _read_background(background, reading.class_names, source)
    if style not in names_of(NARRATED):
        from verbalize import TemplateVerbalizer, TokenSaliency

        swaps = dict(map(_swap, replace_words)) if replace_words else None
        if swaps is not None:
            source.expect("--replace", "maps over texts with these words", lambda saliency: _has_any(saliency, swaps))
        if max_words is not None:
            source.expect("--max-words", "maps over texts", lambda saliency: isinstance(saliency, TokenSaliency))
        _by_template(
            TemplateVerbalizer(
                max_words=max_words or 12,
                max_spans=max_spans,
                style=style,
                mask_labels=mask_labels,
                length=length,
                background=known,
                model=_explained(explained, length, len(swaps or ())),
                replacements=swaps,
            ),
            source,
            out,
            layout,
        )
        return
    from verbalize import Narrator, PixelSaliency
    from verbalize.narrate import narrate_to_file, plan_to_file

    if pictures:
        source.expect("--pictures", "maps over pixels", lambda saliency: isinstance(saliency, PixelSaliency))
    read = list(source)
    run = cache(lambda: _explained(explained, "short"))

    def narrator_of(chat: BaseChatModel) -> Narrator:
        return Narrator(
            chat,
            audience=audience,
            max_words=max_words or 60,
            repairs=repairs,
            mask_labels=mask_labels,
            language=language,
            style=style,  # type: ignore[arg-type]  # one of NARRATED
            pictures=pictures,
            background=known,
            explained=run(),
        )

    def plan() -> Foreseen:
        planned = plan_to_file(narrator_of(opened_to_foresee(model, out)), read, out, model_name=_named(model, explained))
        if planned.finished:
            note(f"{planned.finished} of {counted(planned.maps, 'map')} have a text from an earlier run already")
        return planned.foreseen

    if not may_begin(model, len(read), plan):
        source.finish()
        return
    chat = model.open(out)
    narrator = narrator_of(chat)
    try:
        with _bar("narrating", out) as shown:
            done = narrate_to_file(narrator, read, out, model_name=_named(model, explained), layout=layout, on_progress=shown)
    finally:
        tell_usage(chat)
    if out != "-":
        _tell_written(done.texts, out, done.outcomes)
        if done.fallbacks:
            texts = counted(sum(done.fallbacks.values()), "text")
            note(f"{texts} from the template, because nothing of the model's replies could be used: {_counted(done.fallbacks)}")
        if done.falsehoods:
            note(f"false statements in drafts, none of which got out: {_counted(done.falsehoods)}")
    if done.problems:
        again = "; the same command asks about them again" if narrator.lasting < len(done.problems) else ""
        note(f"maps left out: {len(done.problems)}{again}")
    source.finish(("not narrated", done.problems))


def _named(model: ModelOptions, explained: ExplainedOptions) -> str:
    """The names of the models that a narrated text depends on."""
    return str(model.llm) if explained.model_spec is None else f"{model.llm} about {explained.model_spec}"


def _swap(given: str) -> tuple[str, str]:
    words, equals, to = given.partition("=")
    if not (equals and words.strip() and to.strip()):
        raise UsageError(f"--replace is given as WORDS=WORDS, such as great=dull, not {given!r}")
    return words.strip(), to.strip()


def _has_any(saliency: Saliency, words: Mapping[str, str]) -> bool:
    from verbalize import TokenSaliency
    from verbalize.write.naming import WordIndex

    if not isinstance(saliency, TokenSaliency):
        return False
    index = WordIndex.of(saliency)
    return any(index.places(one) for one in words)


def _explained(explained: ExplainedOptions, length: str, replacements: int = 0) -> Model | None:
    """The model that the maps explain, if it is named. How often it is run is said."""
    if explained.model_spec is None:  # and torch is not loaded
        return None
    from verbalize.masking import WAYS
    from verbalize.write.tested.parts import most_changes

    found = explained.open()
    changes = most_changes(paragraph=length == "paragraph", replacements=replacements)
    note(
        f"{explained.model_spec} is run on each input and on at most {changes} changed texts, or "
        f"{changes * len(WAYS)} changed pictures, for it"
    )
    return found


_OTHER_KINDS = (
    *(".pdf", ".html", ".htm", ".xhtml", ".doc", ".docx", ".odt", ".rtf", ".tex", ".ps", ".ppt", ".pptx", ".csv", ".tsv"),
    *(".xls", ".xlsx", ".parquet", ".xml", ".yaml", ".yml", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".npy", ".npz"),
    *(".pt", ".pkl", ".zip", ".gz", ".tar"),
)  # suffixes of files that hold something other than texts


def _layout(asked: str | None, out: str) -> str:
    from verbalize.layout import known_layout, layout_of

    if asked is not None:
        return known_layout(asked)
    by_default = "text" if out == "-" and on_terminal() else "jsonl"
    found = layout_of(out)
    if found is None and out.lower().endswith(_OTHER_KINDS):
        raise UsageError(f"texts are written as .jsonl, .txt or .md, and {out} ends otherwise; --format writes one to any name")
    return found or by_default


def _bar(description: str, out: str) -> AbstractContextManager[OnProgress]:
    """A progress bar, unless the texts go to the terminal on which it would be drawn."""
    if out == "-" and on_terminal():
        return nullcontext(lambda *_: None)
    return progress_bar(description)


def _by_template(verbalizer: TemplateVerbalizer, source: MapReader, out: str, layout: str) -> None:
    from saywhy_core.disk.files import atomic_open
    from saywhy_core.disk.locks import FileLock
    from verbalize import lay_out

    left_out: list[Problem] = []
    texts = verbalizer.verbalize_all(source, where=source.source, on_problem=left_out.append)
    written = 0
    with nullcontext() if out == "-" else FileLock(out, "file of texts"), _bar("verbalizing", out) as shown:
        made = next(texts, None)
        if made is not None:
            with nullcontext(Output()) if out == "-" else atomic_open(out) as stream:
                while made is not None:
                    after = next(texts, None)  # one text alone needs no id above it
                    stream.write(lay_out(made, layout, named=written > 0 or after is not None))
                    made, written = after, written + 1
                    shown(source.count, None)
    if out != "-":
        _tell_written(written, out)
    source.finish(("not put into words", left_out))


def _read_background(path: Path | None, class_names: Path | None, source: MapReader) -> Background | None:
    if path is None:
        return None
    from agents import read_pairs
    from saywhy.cli.options.prompts import tell_order
    from saywhy_core.names import read_class_names
    from verbalize import Background

    names = None if class_names is None else read_class_names(class_names)
    pairs = read_pairs(path, names)
    source.problems += pairs.problems
    if names is not None:
        tell_order(pairs, names, path)
    source.expect("--background", "contrastive maps", lambda saliency: saliency.query.contrastive)
    if class_names is not None:
        source.used.add("class_names")
    return Background.of(pairs, class_names=names)


def _tell_written(texts: int, out: str, outcomes: Mapping[str, int] | None = None) -> None:
    how = f": {_counted(outcomes)}" if outcomes else ""
    note(f"{counted(texts, 'text')} written to {out}{how}" if texts else f"no text was made, so {out} was not written")


def _counted(counts: Mapping[str, int], before: str = "") -> str:
    return (before if counts else "") + ", ".join(
        f"{count} {name}" for name, count in sorted(counts.items(), key=lambda item: -item[1])
    )
