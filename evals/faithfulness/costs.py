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
    """Count the passes of a model inside the block.

    An input that is run in a batch counts once per pass. A backward pass is one that reaches the output of the module. Of a
    model without a torch module, such as a `TextFunction` or a black box, the inputs that it is asked about are counted.
    """
    passes = Passes()
    module = _module(model)
    with _hooked(module, passes) if module is not None else _asked(model, passes):
        yield passes


@contextmanager
def _hooked(module: nn.Module, passes: Passes) -> Iterator[None]:
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
        yield
    finally:
        handle.remove()


@contextmanager
def _asked(model: Any, passes: Passes) -> Iterator[None]:
    """Count the inputs of what answers inside the model: its `function`, its `classifier`, or its own `logits`."""
    name = next((one for one in ("function", "classifier", "logits") if callable(getattr(model, one, None))), None)
    if name is None:
        yield
        return
    before = getattr(model, name)
    own = name in vars(model)
    object.__setattr__(model, name, _Counting(before, passes))  # the models are frozen, and have it back afterwards
    try:
        yield
    finally:
        if own:
            object.__setattr__(model, name, before)
        else:
            object.__delattr__(model, name)


class _Counting:
    """What it is given, with a count of the inputs of each call."""

    def __init__(self, inner: Any, passes: Passes) -> None:
        self._inner, self._passes = inner, passes

    def __call__(self, inputs: Any, *more: Any, **named: Any) -> Any:
        self._passes.forwards += len(inputs)
        return self._inner(inputs, *more, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


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
