"""The photographs of Oxford-IIIT Pet, embedded: what the benchmarks of the follow-up and of the prompt search share."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agents import load_encoder, read_pairs
from saywhy_core.images import list_images

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from agents import PairDescriptions
    from agents.encoders import ImageTextEncoder


@dataclass(frozen=True, eq=False)
class Pets:
    """The breeds, the embedded photographs (N×D) with their class indices (N), and FuDD's descriptions of the breeds."""

    names: list[str]
    encoder: ImageTextEncoder
    rows: NDArray[np.float32]
    labels: NDArray[np.int64]
    pairs: PairDescriptions


@contextmanager
def embedded_pets() -> Iterator[Pets | None]:
    """The photographs under ConSE over SqueezeNet and MiniLM; `None`, with a printed line, if the files are not here.

    The encoder keeps its embeddings in a temporary folder, which is removed at the end.
    """
    data = Path(os.environ.get("SAYWHY_DATA") or Path(__file__).parents[1].parent / "shared" / "data") / "pets"
    if not (data / "pets_images.zip").exists():
        print("Pets: skipped, because the images are not here (set SAYWHY_DATA to the folder that holds them)")
        yield None
        return
    names = json.loads((data / "class_names.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(data / "pets_images.zip") as archive:
            archive.extractall(Path(folder) / "photos")
        spec = f"conse:{data}/squeezenet.onnx?names={data}/imagenet_class_names.json+minilm"
        encoder = load_encoder(spec, cache=Path(folder) / "kept")
        photos = list_images(Path(folder) / "photos")
        rows = encoder.encode_images(photos.paths)
        yield Pets(names, encoder, rows, photos.label_indices(names), read_pairs(data / "fudd_pets_pairs.json", names))
