"""A folder of a model, looked at before transformers reads it: the kinds of its files, and how large a model they ask for."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.ceilings import check_ceiling
from saywhy_core.reading.documents import read_json
from saywhy_core.reading.regular_files import kind_of

CONFIGURATIONS = (
    "config.json", "tokenizer_config.json", "preprocessor_config.json", "processor_config.json", "generation_config.json",
    "image_processor_config.json", "video_preprocessor_config.json", "feature_extractor_config.json", "adapter_config.json",
    "processor.json", "special_tokens_map.json",
)  # fmt: skip
TEXTS = (".json", ".jsonl", ".txt", ".jinja", ".model", ".py")  # read whole by transformers, tokenizers and sentencepiece
WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".gguf")
MOST_LAYERS, MOST_LABELS = 10_000, 1_000_000  # lists of this length are made before the first layer is
_COUNTS = ("layer", "depth", "block", "stage", "num_expert")
COPIES = 4  # of a picture while it is prepared: as bytes, scaled, as numbers, and in the order of the network
NUMBER = 8  # bytes


def check_folder(folder: str | Path) -> dict[str, dict[str, Any]]:
    """The configuration files of a folder by name, after a look at every file that transformers may read.

    Raises:
        UsageError: a file is a pipe or a device, is no JSON or over the ceiling of bytes, asks for more layers or classes than
            any model has, or names weights outside of the folder.
    """
    for path in sorted(Path(folder).iterdir()):
        if path.name.lower().endswith((*TEXTS, *WEIGHTS)):
            _check_file(path)
    found: dict[str, dict[str, Any]] = {}
    for name in CONFIGURATIONS:
        path = Path(folder) / name
        if path.is_file():
            content = read_json(path)
            if not isinstance(content, dict):
                raise UsageError(f"{path} must be a JSON object; give a folder written by save_pretrained")
            _check_counts(content, legible(str(path)))
            found[name] = content
    for path in sorted(Path(folder).glob("*.index.json")):
        _check_index(path)
    return found


def weights_of(folder: str | Path) -> int:
    """The bytes of the files of weights in a folder."""
    return sum(one.stat().st_size for one in Path(folder).iterdir() if one.name.lower().endswith(WEIGHTS) and one.is_file())


def picture_bytes(processor: dict[str, Any], where: str) -> int:
    """How many bytes it takes to prepare one picture of the size that the settings of an image processor ask for.

    Raises:
        CeilingError: more than the ceiling on arrays.
    """
    most = 0
    for name, value in processor.items():
        if not any(part in name for part in ("size", "crop", "pad")):
            continue
        pixels = _pixels(value)
        needed = pixels * 3 * NUMBER * COPIES
        check_ceiling(
            "array", needed, f"{where}: a picture of the {name} {value}".replace("'", ""), "bytes while it is prepared"
        )
        most = max(most, needed)
    return most


def _pixels(value: Any) -> int:
    """Height times width; 0 for what is no size, which the processor itself tells."""
    if not isinstance(value, dict):
        return _whole(value) ** 2
    if "height" in value and "width" in value:
        return _whole(value["height"]) * _whole(value["width"])
    return next((_whole(value[edge]) ** 2 for edge in ("shortest_edge", "longest_edge") if value.get(edge)), 0)


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, (int, float)) and 0 < value < 1e18 else 0


def _check_file(path: Path) -> None:
    try:
        found = path.stat()
    except OSError:  # a link to nothing is as good as no file
        return
    shown = legible(str(path))
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{shown} is {kind_of(found.st_mode)}, not a file; give a folder written by save_pretrained")
    if path.name.lower().endswith(TEXTS):
        check_ceiling("bytes", found.st_size, shown)


def _check_counts(content: dict[str, Any], where: str) -> None:
    for name, value in content.items():
        counted = any(part in name for part in _COUNTS)
        most = MOST_LABELS if name in ("num_labels", "num_classes") else MOST_LAYERS
        for number in value if isinstance(value, list) else [value]:
            if (counted or most == MOST_LABELS) and isinstance(number, (int, float)) and number > most:
                raise UsageError(f"{where}: {name:.80} is {number}, and at most {most:,} are built; no such model exists"[:400])
        if isinstance(value, dict):
            _check_counts(value, where)


def _check_index(path: Path) -> None:
    content = read_json(path)
    names = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(names, dict) or not names or not all(isinstance(one, str) for one in names.values()):
        raise UsageError(
            f"{path} must be a JSON object with a weight_map of file names; give a folder written by save_pretrained"
        )
    for name in dict.fromkeys(names.values()):
        if Path(name).name != name or "\0" in name or not (path.parent / name).is_file():
            raise UsageError(
                f"{path} names {name!r:.120}, which is no file of that folder; give a folder written by save_pretrained"
            )
