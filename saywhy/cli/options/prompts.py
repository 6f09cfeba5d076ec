"""The options that the commands about descriptions and prompts share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saywhy.cli.options.choices import either, names_of
from saywhy.cli.options.console import counted, note, tell
from saywhy.cli.options.files import Use
from saywhy_core.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agents.encoders import EncodedImages, ImageTextEncoder
    from agents.prompting import PairDescriptions
    from agents.prompting.descriptions.by_class import ClassDescriptions

ENCODER_HELP = (
    "clip:NAME_OR_PATH, text:NAME_OR_PATH, or conse:CLASSIFIER+minilm, with CLASSIFIER a folder or FILE.onnx?names=NAMES.json."
)
ClassesOption = Annotated[Path, typer.Option(help="Class names: a JSON list, or a text file with one name per line.")]
ImagesOption = Annotated[
    Path, typer.Option(help="A folder (with one folder per class), a CSV with path and label, or a list of paths.")
]
ENCODERS = "|".join(f"{kind}:..." for kind in names_of("agents.encoders:ENCODERS"))
EncoderOption = Annotated[str, typer.Option(help=ENCODER_HELP, metavar=f"[{ENCODERS}]")]
TrustOption = Annotated[
    bool, typer.Option("--trust", help="Let code that comes with the encoder run, such as a python: classifier in conse:.")
]
TemplateOption = Annotated[str, typer.Option(help="The sentence that a class name is put into, in the place of {}.")]
EncodersOption = Annotated[
    list[str],
    typer.Option("--encoder", help=f"{ENCODER_HELP} Several, each with --encoder, give one table.", metavar=f"[{ENCODERS}]"),
]
FirstOption = Annotated[
    str,
    typer.Option(
        help="Texts of the first look: template, name, 80 (CLIP's templates), or a prompt file.",
        metavar="[template|name|80|FILE]",
    ),
]
AggregateOption = Annotated[
    str,
    typer.Option(
        help="How the captions of a candidate become its score; embeddings is the paper's.",
        metavar=either("agents.prompting.second_look.aggregation:AGGREGATES"),
    ),
]
EmbeddingsOption = Annotated[
    Path | None,
    typer.Option(help="Folder that keeps embeddings by content, so that nothing is encoded twice."),
    Use.FOLDER_WRITTEN,
]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same result.")]


def opened(spec: str, embeddings: Path | None, *, trust: bool) -> ImageTextEncoder:
    """The encoder of that name; says which code of its author runs."""
    from agents.encoders import load_encoder
    from saywhy_core.trust import telling_trust

    with telling_trust(note):
        return load_encoder(spec, cache=embeddings, trust=trust)


def encoded(encoder: ImageTextEncoder, source: Path) -> EncodedImages:
    """The images of a source as vectors, with a progress bar; says how many files of a folder are no images."""
    from agents.encoders import encode_image_files

    with progress_bar("encoding images") as shown:
        found = encode_image_files(encoder, source, on_progress=shown)
    if found.images.passed_over:
        note(f"{source}: {found.images.passed_over} file(s) are no images by their ending, and were passed over")
    return found


def check_second_look(first: str, aggregate: str, names: Sequence[str]) -> None:
    """See that the first look and the aggregation can be used, before anything is encoded."""
    from agents.prompting.second_look.aggregation import check_aggregate
    from agents.prompting.second_look.first_look import first_prompts

    first_prompts(first, names)
    check_aggregate(aggregate)


def tell_order(pairs: PairDescriptions, names: Sequence[str], file: Path) -> None:
    """Say that nothing tells whether the class numbers of a pair file fit the class list, for all classes or some, if so."""
    if not pairs:
        return
    if pairs.order == "unknown":
        note(f"{file} names no classes, neither beside its numbers nor in their captions, so their order could not be checked")
    elif pairs.unchecked:
        first = names[pairs.unchecked[0]]
        which = repr(first) if len(pairs.unchecked) == 1 else f"{len(pairs.unchecked)} classes ({first!r} first)"
        them = "it" if len(pairs.unchecked) == 1 else "them"
        note(f"{file}: the captions of {which} do not name {them}, so the order of its numbers could not be checked there")


def tell_descriptions(library: ClassDescriptions, file: Path) -> None:
    """Say which classes a file of descriptions leaves out, and of a pair file what `tell_order` says."""
    if library.pairs is not None:
        tell_order(library.pairs, list(library), file)
    if missing := library.missing:
        has = "has" if len(missing) == 1 else "have"
        first = f", {missing[0]!r} first" if len(missing) > 1 else f" ({missing[0]!r})"
        note(f"{len(missing)} of the {len(library)} classes{first}, {has} no descriptions in {file}")


def finish_with(problems: Iterable[object], encoder: ImageTextEncoder | None = None) -> None:
    """Say how many texts were cut and what was left out; end with status 1 where anything was left out."""
    if tell_with(problems, encoder):
        raise typer.Exit(1)


def tell_with(problems: Iterable[object], encoder: ImageTextEncoder | None = None) -> bool:
    """Say how many texts were cut and what was left out; return whether anything was left out."""
    from agents.encoders import truncated_of

    truncated = truncated_of(encoder) if encoder is not None else 0
    if truncated:
        note(f"{counted(truncated, 'text')} {'was' if truncated == 1 else 'were'} longer than the encoder takes, and cut")
    return tell(("left out", problems))
