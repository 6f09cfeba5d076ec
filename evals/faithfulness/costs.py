"""Counts what a model computes in a block of code: inputs forwards, and inputs backwards."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Passes:
    """How many inputs went forwards and backwards through a model."""

    forwards: int = 0
    backwards: int = 0


@contextmanager
def counted(model: Any) -> Iterator[Passes]:
    """Count the passes of a model inside the block. Of a model without a torch module nothing is counted.

    An input that is run in a batch counts once per pass. A backward pass is one that reaches the output of the module.
    """
    passes = Passes()
    module = _module(model)
    if module is None:
        yield passes
        return

    def after(_: nn.Module, given: Any, output: Any) -> None:
        del given
        found = _first_tensor(output)
        if found is None:
            return
        size = int(found.shape[0]) if found.ndim else 1
        passes.forwards += size
        if found.requires_grad:

            def back(_: torch.Tensor) -> None:
                passes.backwards += size

            found.register_hook(back)

    handle = module.register_forward_hook(after)
    try:
        yield passes
    finally:
        handle.remove()


def _module(model: Any) -> nn.Module | None:
    for found in (model, getattr(model, "module", None), getattr(model, "model", None)):
        if isinstance(found, nn.Module):
            return found
    return None


def _first_tensor(output: Any) -> torch.Tensor | None:
    if isinstance(output, torch.Tensor):
        return output
    values = output.values() if hasattr(output, "values") else output if isinstance(output, tuple | list) else ()
    return next((value for value in values if isinstance(value, torch.Tensor)), None)
