"""The tensors of a program, from raw bytes; pickled ones only where they hold nothing but tensors."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from saywhy_core.classifiers.exported.pickles import check_saved
from saywhy_core.classifiers.exported.schema import SCALAR_TYPES, fixed_size, reading
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import ceiling

if TYPE_CHECKING:
    from saywhy_core.classifiers.exported.archive import Archive

STRIDED = 7  # the number of the layout torch.strided in the format
ALIGNED = 64  # bytes; torch.export.save puts each tensor at a multiple of it, and kernels may rely on that


def from_config(archive: Archive, folder: str, config: Any, where: str) -> dict[str, torch.Tensor]:
    """The tensors that a configuration of weights or constants names.

    Args:
        archive: the file.
        folder: the folder of the tensors in it.
        config: the parsed JSON.
        where: the file and the configuration, for errors.

    Raises:
        UsageError: a tensor is pickled, no tensor at all, or reaches beyond its bytes.
    """
    stored: dict[tuple[str, torch.dtype], torch.Tensor] = {}
    found: dict[str, torch.Tensor] = {}
    with reading(where):
        for name, meta in config["config"].items():
            path = str(meta["path_name"])
            if meta["use_pickle"] or not isinstance(meta["tensor_meta"], dict):
                raise UsageError(
                    f"{where}: {name!r:.80} is stored as a pickle, which could run code; the file was refused. "
                    "Only programs whose weights are plain tensors are read"
                )
            found[name] = _tensor(archive, f"{folder}{path}", meta["tensor_meta"], stored, where)
    return found


def _tensor(
    archive: Archive, member: str, meta: dict[str, Any], stored: dict[tuple[str, torch.dtype], torch.Tensor], where: str
) -> torch.Tensor:
    if meta["layout"] != STRIDED:
        raise UsageError(f"{where}: {member} is a sparse tensor, and only dense ones are read")
    dtype = SCALAR_TYPES[meta["dtype"]]
    sizes, strides = ([fixed_size(one) for one in meta[name]] for name in ("sizes", "strides"))
    offset = fixed_size(meta["storage_offset"])
    if len(sizes) != len(strides):
        raise UsageError(f"{where}: {member} has {len(sizes)} sizes and {len(strides)} strides; the file is damaged")
    if math.prod(sizes) == 0:
        return torch.zeros([min(size, 2**31) for size in sizes], dtype=dtype)
    if (member, dtype) not in stored:
        stored[member, dtype] = _raw(archive.array(member), dtype, f"{where}: {member}")
    raw = stored[member, dtype]
    last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if last >= raw.numel() or math.prod(sizes) * dtype.itemsize > max(ceiling("array"), raw.numel() * dtype.itemsize):
        raise UsageError(f"{where}: {member} is said to be larger than it is; the file is damaged")
    return raw.as_strided(sizes, strides, offset)


def _raw(content: np.ndarray[Any, np.dtype[np.uint8]], dtype: torch.dtype, where: str) -> torch.Tensor:
    if not content.size or content.size % dtype.itemsize:
        raise UsageError(f"{where} has {content.size} bytes, which is no number of values of type {dtype}; the file is damaged")
    if content.ctypes.data % ALIGNED:
        content = np.array(content)
    return torch.from_numpy(content).view(dtype)


def from_saved(content: bytes, where: str) -> dict[str, torch.Tensor]:
    """The tensors of a file of torch.save, in which earlier versions of torch kept weights.

    Raises:
        UsageError: it holds anything else than named dense tensors.
    """
    if not content:
        return {}
    check_saved(content, where)
    try:
        loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - torch, zipfile and pickle raise almost anything on damaged bytes
        raise UsageError(f"{where} can't be read as tensors ({(str(error).splitlines() or [''])[0][:120]})") from None
    if not isinstance(loaded, dict) or not all(
        isinstance(name, str) and type(one) in (torch.Tensor, torch.nn.Parameter) and one.layout == torch.strided
        for name, one in loaded.items()
    ):
        raise UsageError(f"{where} holds other things than named dense tensors; the file was refused")
    return {name: one.detach() for name, one in loaded.items()}
