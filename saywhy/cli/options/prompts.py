"""What the commands about descriptions and prompts share: options, class lists, images, encoders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from saywhy_core.errors import Problem
    from saywhy_core.images import ImageSet

ClassesOption = Annotated[Path, typer.Option(help="Class names: a JSON list, or a text file with a name a line.")]
ImagesOption = Annotated[Path, typer.Option(help="A folder (a class a folder), a CSV with path and label, or a list.")]
EncoderOption = Annotated[
    str, typer.Option(help="clip:NAME_OR_PATH, or conse:CLASSIFIER+minilm with CLASSIFIER as FILE.onnx?names=NAMES.json.")
]
TemplateOption = Annotated[str, typer.Option(help="The sentence a class name is put into for the first look.")]
EmbeddingsOption = Annotated[
    Path | None, typer.Option(help="Folder in which embeddings are kept by content, so that nothing is encoded twice.")
]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same result.")]


@dataclass(frozen=True)
class Embedded:
    """Images as vectors, with the records that could not be used."""

    images: ImageSet
    rows: NDArray[np.float32]
    problems: tuple[Problem, ...]


def embed(encoder: Any, source: Path) -> Embedded:
    """List and encode the images of a source, with a progress bar; files that are no images are left out and reported."""
    import numpy as np

    from saywhy_core.errors import UsageError
    from saywhy_core.images import ImageSet, list_images, readable
    from saywhy_core.progress import progress_bar

    listed = list_images(source)
    good, unreadable = readable(listed.paths)
    if not good:
        raise UsageError(f"none of the {len(listed)} files of {source} is an image that can be read: {unreadable[0]}")
    paths = tuple(listed.paths[index] for index in good)
    labels = None if listed.labels is None else tuple(listed.labels[index] for index in good)
    parts: list[NDArray[np.float32]] = []
    with progress_bar("encoding images", len(paths)) as bar:
        for start in range(0, len(paths), 256):
            chunk = paths[start : start + 256]
            parts.append(encoder.encode_images(chunk))
            bar.advance(len(chunk))
    return Embedded(ImageSet(paths, labels), np.concatenate(parts), (*listed.problems, *unreadable))


def note(text: str) -> None:
    """Say something on standard error."""
    typer.echo(text, err=True)


def finish(problems: Sequence[object], encoder: Any = None) -> None:
    """Say how many texts were cut and which records could not be used; leave with status 1 where there are any."""
    truncated = int(getattr(encoder, "truncated", 0))
    if truncated:
        note(f"{truncated} text(s) were longer than the encoder takes, and were cut")
    for problem in problems:
        note(f"left out: {problem}")
    if problems:
        raise typer.Exit(1)
