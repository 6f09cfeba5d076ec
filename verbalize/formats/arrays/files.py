"""Array files: `.npy`, `.npz` and torch's `.pt`, none of which may run code while it is read."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import UsageError
from saywhy_core.images import load_array
from verbalize.saliency import SaliencyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

LARGEST = 4 * 2**30  # bytes of one array in memory; no map that anyone can read is larger, but a header may say so


def load(path: Path) -> Mapping[str, Any]:
    """The arrays of a file by name; the one array of a `.npy` file, or the one tensor of a `.pt` file, has the name "".

    Raises:
        SaliencyError: the file is damaged, holds something else than arrays, or could only be read by running code in it.
    """
    return LOADERS[path.suffix.lower()](path)


def _npy(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as stream:
            _check_header(path, stream, path.stat().st_size)
        return {"": load_array(path)}
    except UsageError as error:
        raise SaliencyError(_about(path, str(error))) from None


def _npz(path: Path) -> Mapping[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.filename.endswith(".npy"):
                    with archive.open(member) as stream:
                        _check_header(path, stream, member.file_size)
        with np.load(path, allow_pickle=False) as loaded:
            if not loaded.files:
                raise SaliencyError(f"{path} holds no arrays")
            return {name: loaded[name] for name in loaded.files}
    except (SaliencyError, FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # noqa: BLE001 - zipfile, zlib and numpy raise almost anything on damaged bytes
        raise SaliencyError(_about(path, f"{path} can't be read as an array file ({error or type(error).__name__})")) from None


def _pt(path: Path) -> Mapping[str, Any]:
    import torch

    try:
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
    if isinstance(loaded, (list, tuple)):
        loaded = {str(number): one for number, one in enumerate(loaded)}
    if not isinstance(loaded, dict):
        return {"": loaded}
    if not loaded:
        raise SaliencyError(f"{path} holds no arrays")
    if any(str(name).rpartition(".")[2] in ("weight", "bias") for name in loaded):
        raise SaliencyError(f"{path} holds the weights of a model, not maps")
    return {str(name): one for name, one in loaded.items()}


def _check_header(path: Path, stream: Any, size: int) -> None:
    """See whether the file is as long as its header says, before anything of that size is made.

    Raises:
        SaliencyError: it is not, the header can't be read, or the array holds objects.
    """
    try:
        version = np.lib.format.read_magic(stream)
        read: Callable[..., Any] = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(stream)
    except Exception as error:  # noqa: BLE001 - the header is parsed as Python, and may hold anything
        raise SaliencyError(f"{path} can't be read as an array file ({error or type(error).__name__}); save it again") from None
    if dtype.hasobject:
        raise SaliencyError(f"{path} can't be read: it holds objects, which could run code; save numbers alone")
    wanted = int(np.prod([int(one) for one in shape], dtype=object)) * dtype.itemsize
    if wanted > LARGEST:
        raise SaliencyError(f"{path} says that it holds {wanted / 2**30:.1f} GiB of numbers in one array; split it")
    if wanted > size:
        raise SaliencyError(f"{path} says that it holds {wanted} bytes of numbers, but has {size}; save it again")


def _about(path: Path, said: str) -> str:
    return said if str(path) in said else f"{path}: {said}"


LOADERS: dict[str, Callable[[Path], Mapping[str, Any]]] = {".npy": _npy, ".npz": _npz, ".pt": _pt, ".pth": _pt}
