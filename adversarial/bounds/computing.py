"""Where and with how many threads a proof is computed."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch


@contextmanager
def computing(device: str | torch.device | None = None, threads: int | None = None) -> Iterator[None]:
    """Let torch compute proofs on a device, and with so many threads, inside the block.

    On a graphics card, the library cuDNN stays out: it may convolve by other algorithms than sums of products, which the term
    for rounding errors does not cover.

    Args:
        device: such as "cpu" or "cuda"; None for the processor.
        threads: on the processor; None for torch's own choice.

    Raises:
        UsageError: there is no such device, or it can't compute in 64-bit numbers.
    """
    import torch

    check_device(device)
    with ExitStack() as stack:
        if threads is not None:
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(threads)
        if device is not None and torch.device(device).type != "cpu":
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        yield


def check_device(device: Any) -> None:
    """See whether proofs can be computed on a device; None is the processor.

    Raises:
        UsageError: there is no such device here, or it can't compute in 64-bit numbers.
    """
    if device is None:
        return
    import torch

    if not isinstance(device, str | torch.device):
        raise UsageError(f'{argument("device")} must be the name of a device, such as "cpu" or "cuda", not {device!r:.80}')
    shown = argument("device", str(device)[:40])
    try:
        known = torch.device(device)
    except RuntimeError:
        raise UsageError(f'{shown}: torch knows no such device; give "cpu" or "cuda", or leave it out') from None
    if known.type == "cpu" and known.index not in (None, 0):
        raise UsageError(f'{shown}: the processor has no number; give "cpu", or leave it out')
    try:
        torch.ones(2, dtype=torch.float64, device=known).sum().item()
    except (RuntimeError, AssertionError, TypeError, NotImplementedError):  # what torch raises depends on its build
        raise UsageError(
            f"{shown}: no proof can be computed there, as the device is not here or can't compute in 64-bit numbers; give the "
            "name of another one, or leave it out for the processor"
        ) from None
