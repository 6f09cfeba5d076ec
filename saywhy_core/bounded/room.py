"""How much memory a computation may take: the kernel refuses more, whatever native code asks for it."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.bounded.watched import OverTimeError
from saywhy_core.reading.ceilings import CeilingError, ceiling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

SLACK = 64 * 2**20  # bytes that Python and the allocators take of their own
COPIES = 2  # of the weights: as laid out for the kernels, and as packed by them
_LACKING = ("can't allocate memory", "not enough memory", "bad_alloc", "Cannot allocate memory", "out of memory")
_lock = threading.Lock()
_inside = 0
_before = (-1, -1)


def room_for(weights: int = 0, share: float = 1.0) -> int:
    """Bytes that a computation may take besides what is there: a share of the ceiling `array`, and copies of the weights."""
    return int(share * ceiling("array")) + SLACK + COPIES * weights


@contextmanager
def room(growth: int, where: str, what: str) -> Iterator[None]:
    """Bound the bytes by which this process grows inside the block. Only Linux does that.

    Args:
        growth: bytes.
        where: the model, for the error.
        what: what is done in the block, such as "compute 2 images".

    Raises:
        CeilingError: more was asked for, and refused.
    """
    holding = _enter(growth)
    try:
        yield
    except Exception as error:
        if not is_lack(error):
            raise
        raise CeilingError(
            f"{where} needs more than {growth:,} bytes of memory to {what}, the most that is allowed; if you trust it, raise "
            f"the ceiling, for example with --ceiling array={2 * ceiling('array')}"
        ) from None
    finally:
        if holding:
            _leave()


def begin_threads() -> None:
    """Let torch begin the threads that this one computes with, so that memory for their stacks does not count later."""
    import torch

    if torch.get_num_threads() > 1:
        torch.ones(2**16).add_(1)


def is_lack(error: BaseException) -> bool:
    """Whether an error says that there is not enough memory."""
    said = str(error)
    return isinstance(error, MemoryError) or (
        isinstance(error, (RuntimeError, OSError)) and any(one in said for one in _LACKING)
    )


def in_parts(compute: Callable[[NDArray[Any]], Any]) -> Callable[[NDArray[Any]], Any]:
    """The same function of a batch, computed in as many parts as it takes to stay within the ceilings."""
    sizes: dict[tuple[int, ...], int] = {}

    def parted(batch: NDArray[Any]) -> Any:
        shape = batch.shape[1:]
        size = min(len(batch), sizes.get(shape, len(batch)))
        while True:
            try:
                found = [compute(batch[start : start + size]) for start in range(0, len(batch), size)]
                return found[0] if len(found) == 1 else np.concatenate(found)
            except OverTimeError:
                raise
            except CeilingError:
                if size == 1:
                    raise
            size = -(-size // 2)
            sizes[shape] = size

    return parted


def _enter(growth: int) -> bool:
    global _inside, _before
    try:
        import resource

        held = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5]) * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError, ValueError, IndexError):
        return False
    with _lock:
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if _inside == 0:
            _before = (soft, hard)
        most = held + growth
        if _inside:  # another thread computes as well: what it may take is not taken from it
            most += soft - held if soft != resource.RLIM_INFINITY and soft > held else 0
        if _before[0] != resource.RLIM_INFINITY:
            most = min(most, _before[0])
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
        _inside += 1
    return True


def _leave() -> None:
    global _inside
    import resource

    with _lock:
        _inside -= 1
        if _inside == 0:
            resource.setrlimit(resource.RLIMIT_DATA, _before)
