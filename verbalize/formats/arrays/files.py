"""Array files: `.npy`, `.npz` and torch's `.pt`, none of which may run code while it is read."""

from __future__ import annotations

import warnings
import zipfile
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import ceiling, check_ceiling, over
from saywhy_core.reading.numpy_files import load_array, load_arrays
from saywhy_core.reading.regular_files import open_regular
from verbalize.saliency import SaliencyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    OnBadArray = Callable[[str, UsageError], None]

_SCORE = 8  # bytes of a score, once it is read


def load(path: Path, on_problem: OnBadArray | None = None) -> Mapping[str, Any]:
    """The arrays of a file by name; the one array of a `.npy` file, or the one tensor of a `.pt` file, has the name "".

    Args:
        path: the file.
        on_problem: called with the name of an array of an `.npz` file that can't be read and the error, and the others are
            returned; without it, that is an error.

    Raises:
        SaliencyError: the file is damaged, holds something else than arrays, or could only be read by running code in it, or it
            is larger than the ceiling `array` allows.
    """
    kind = path.suffix.lower()
    return _npz(path, on_problem) if kind == ".npz" else LOADERS[kind](path)


def _npy(path: Path) -> Mapping[str, Any]:
    try:
        return {"": load_array(path, least=_SCORE)}
    except UsageError as error:
        raise SaliencyError(str(error)) from None


def _npz(path: Path, on_problem: OnBadArray | None = None) -> Mapping[str, Any]:
    try:
        found = load_arrays(path, least=_SCORE, on_problem=on_problem)
    except UsageError as error:
        raise SaliencyError(str(error)) from None
    if not found:
        raise SaliencyError(f"{path} holds no arrays")
    return found


def _pt(path: Path) -> Mapping[str, Any]:
    import torch

    _check_size(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it looks like TorchScript; the error says what it is
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # noqa: BLE001 - torch, zipfile and pickle raise almost anything on damaged bytes
        said = str(error)
        if "GLOBAL" in said or "Unsupported global" in said or "Unsupported class" in said:
            what = "it holds objects that could run code; save tensors alone, such as torch.save(map.detach().cpu(), FILE)"
        else:
            what = "it is damaged, or no file of torch.save; save it again"
        raise SaliencyError(f"{path} can't be read as tensors: {what}") from None
    _check_values(loaded, path)
    if isinstance(loaded, (list, tuple)):
        loaded = {str(number): one for number, one in enumerate(loaded)}
    if not isinstance(loaded, dict):
        return {"": loaded}
    if not loaded:
        raise SaliencyError(f"{path} holds no arrays")
    if any(str(name).rpartition(".")[2] in ("weight", "bias") for name in loaded):
        raise SaliencyError(f"{path} holds the weights of a model, not maps")
    return {str(name): one for name, one in loaded.items()}


def _check_size(path: Path) -> None:
    """See whether a file of torch is within the ceiling `array`, also where it is an archive whose parts are packed.

    Raises:
        UsageError: it is not, or is no file.
    """
    packed = False
    with open_regular(path) as stream:
        size = stream.size
        try:
            with zipfile.ZipFile(stream) as archive:
                size = sum(part.file_size for part in archive.infolist())
                packed = any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist())
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            pass  # the form of older releases, or damaged, which torch tells
    check_ceiling("array", size, path)
    if packed:  # a few bytes that become many; torch would hold them twice
        raise SaliencyError(f"{path} can't be read as tensors: its parts are packed, as torch.save never does; save it again")


def _check_values(loaded: Any, path: Path) -> None:
    """See whether the tensors have so few numbers that these can be used: one number may stand for many, as in `expand`.

    Raises:
        UsageError: they have more than the ceiling `array` allows, or lists hold each other over and over.
    """
    numbers, left = 0, [loaded]
    for _ in range(ceiling("values")):
        if not left:
            break
        one = left.pop()
        if isinstance(one, (dict, list, tuple, set)):
            left += list(one.values() if isinstance(one, dict) else one)
        else:
            numbers += one.numel() if hasattr(one, "numel") else 1
            check_ceiling("array", numbers * _SCORE, path)
    if left:
        raise SaliencyError(over("values", f"{path} has more than {ceiling('values'):,} values"))


LOADERS: dict[str, Callable[[Path], Mapping[str, Any]]] = {".npy": _npy, ".npz": _npz, ".pt": _pt, ".pth": _pt}
