"""Where and with how many threads a proof is computed."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def computing(device: str | None = None, threads: int | None = None) -> Iterator[None]:
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
        if device is not None and not device.startswith("cpu"):
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        yield


def check_device(device: Any) -> None:
    """See whether proofs can be computed on a device; None is the processor.

    Raises:
        UsageError: there is no such device here, or it can't compute in 64-bit numbers.
    """
    if device is None:
        return
    if not isinstance(device, str):
        raise UsageError(f'{argument("device")} must be the name of a device, such as "cpu" or "cuda", not {device!r:.80}')
    import torch

    try:
        torch.ones(2, dtype=torch.float64, device=device).sum().item()
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:  # what torch raises depends on its build
        why = str(error).strip().splitlines()[0][:160].rstrip(".") if str(error).strip() else type(error).__name__
        raise UsageError(
            f"{argument('device', device)}: no proof can be computed there ({why}); give the name of a device that computes in "
            "64-bit numbers, or leave it out for the processor"
        ) from None
