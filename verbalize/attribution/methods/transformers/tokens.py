"""The tokens of a transformer: their attention, which of them the logits are read from, and where those of patches lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from saywhy_core.errors import UsageError
from verbalize.attribution.methods.transformers.recording import NO_ATTENTION, recording
from verbalize.models.patches import patch_grid

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from verbalize.attribution.image_question import ImageQuestion
    from verbalize.attribution.methods.transformers.recording import Recording
    from verbalize.attribution.text_question import TextQuestion


@dataclass(frozen=True)
class Attention:
    """The attention of a transformer on N inputs of T tokens, in float32.

    Args:
        layers: of each layer N×heads×T×T: how much each token (row) reads of each token (column). Each row sums to 1.
        gradients: of each layer N×heads×T×T, the gradient of the score; empty where it was not asked for.
        readers: N×T weights that sum to 1: the tokens that the logits are computed from, all alike. Mostly this is the class
            token; in models that average their tokens it is each of these.
        grid: rows and columns of the patches of an image, None for texts.
        prefix: how many tokens stand before the patches: class, distillation and register tokens.
    """

    layers: tuple[torch.Tensor, ...]
    gradients: tuple[torch.Tensor, ...]
    readers: torch.Tensor
    grid: tuple[int, int] | None = None
    prefix: int = 0

    def read(self, flow: torch.Tensor) -> torch.Tensor:
        """What the readers take of each token: N×T×T from token (row) to token (column) -> N×T."""
        return torch.einsum("nt,nts->ns", self.readers, flow)


def attention_of_images(question: ImageQuestion, *, gradients: bool = False) -> Attention:
    """The attention of a model of images, with the gradients of the score where they are asked for.

    Raises:
        UsageError: the model has no attention of all tokens to all tokens, the logits don't depend on it, or the places of the
            patches are unknown.
    """
    if question.module is None:
        raise UsageError(NO_ATTENTION)

    def score(rows: torch.Tensor, *, differentiable: bool) -> torch.Tensor:
        # the graph must reach the attention even where all weights are frozen
        batch = question.batch[rows].clone().requires_grad_(differentiable)
        return question.score(batch, rows)

    found, flow, gradient, readers = _looked_at(question.module, score, question.rows, gradients=gradients)
    grid, prefix = grid_of(found, flow[0].shape[2], question)
    return Attention(flow, gradient, readers, grid, prefix)


def attention_of_text(question: TextQuestion, *, gradients: bool = False) -> Attention:
    """The attention of a classifier of texts on one text.

    Raises:
        UsageError: the classifier has no transformer that shows its attention, or the logits don't depend on it.
    """
    module = getattr(question.classifier, "model", None)
    if not isinstance(module, torch.nn.Module):
        raise UsageError(NO_ATTENTION)

    def score(_rows: torch.Tensor, *, differentiable: bool) -> torch.Tensor:
        if not differentiable:
            return question.score(question.ids, question.mask)
        handle = question.embedding.register_forward_hook(_joined_to_graph)
        try:
            return question.score(question.ids, question.mask)
        finally:
            handle.remove()

    rows = torch.zeros(1, dtype=torch.long, device=question.ids.device)
    _, flow, gradient, readers = _looked_at(module, score, rows, gradients=gradients)
    return Attention(flow, gradient, readers)


def _joined_to_graph(_layer: nn.Module, _given: Any, output: torch.Tensor) -> torch.Tensor:
    return output if output.requires_grad else output.requires_grad_()


def _looked_at(
    module: nn.Module, score: Callable[..., torch.Tensor], rows: torch.Tensor, *, gradients: bool
) -> tuple[Recording, tuple[torch.Tensor, ...], tuple[torch.Tensor, ...], torch.Tensor]:
    """The recording, the attention of all rows, its gradients, and N×T readers.

    Without gradients one more pass, with the first row alone, tells the readers: those tokens after the last attention for
    which the gradient of the score is not zero, since from there on a transformer treats each token by itself.
    """
    with recording(module) as found:
        if gradients:
            with torch.enable_grad():
                value = score(rows, differentiable=True).sum()
            found.check()
            wanted = [*found.nodes, _tokens(found)]
            slopes = _slopes(value, wanted)
            flow = tuple(_plain(one) for one in found.attentions)
            gradient = tuple(_plain(slope).reshape(one.shape) for slope, one in zip(slopes[:-1], found.attentions, strict=True))
            return found, flow, gradient, _readers(found, slopes[-1])
        with torch.no_grad():
            score(rows, differentiable=False)
        found.check()
        flow = tuple(_plain(one) for one in found.attentions)
        with torch.enable_grad():
            value = score(rows[:1], differentiable=True).sum()
        readers = _readers(found, _slopes(value, [_tokens(found)])[0])
    return found, flow, (), readers.expand(len(rows), -1)


def _tokens(found: Recording) -> torch.Tensor:
    if found.tokens is None:
        raise UsageError(NO_ATTENTION)
    return found.tokens


def _slopes(value: torch.Tensor, wanted: list[torch.Tensor]) -> list[torch.Tensor]:
    """Gradients of a value; zeros where it does not depend on a tensor."""
    known = [one.requires_grad for one in wanted]
    if not value.requires_grad or not any(known):
        raise UsageError(
            "no gradient reaches the attention of the model: it computes its logits without a graph (torch.no_grad)"
        )
    asked = [one for one, one_known in zip(wanted, known, strict=True) if one_known]
    slopes = iter(torch.autograd.grad(value, asked, allow_unused=True))
    found = (next(slopes) if one_known else None for one_known in known)
    return [torch.zeros_like(one) if slope is None else slope for slope, one in zip(found, wanted, strict=True)]


def _readers(found: Recording, slope: torch.Tensor) -> torch.Tensor:
    """N×T weights of the tokens that are read, from the gradients of the tokens after the last attention."""
    read = (slope != 0).any(dim=2)
    read = read.T if found.tokens_first else read
    if not bool(read.any(dim=1).all()):
        raise UsageError("the score does not depend on the attention of the model; there is nothing to explain")
    return read.float() / read.sum(dim=1, keepdim=True)


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().float()


def grid_of(found: Recording, tokens: int, question: ImageQuestion) -> tuple[tuple[int, int], int]:
    """Rows and columns of the patches, and how many of `tokens` stand before them (see `patch_grid`).

    Raises:
        UsageError: there is no such grid.
    """
    return patch_grid(tokens, found.grid, question.batch.shape[2:])


def on_pixels(values: torch.Tensor, attention: Attention, question: ImageQuestion) -> torch.Tensor:
    """A value per token, N×T, as maps N×1×H×W: those of the patches, enlarged bilinearly. Tokens before them are left out."""
    return spread(values[:, attention.prefix :], attention.grid or (1, 1), question)


def spread(values: torch.Tensor, grid: tuple[int, int], question: ImageQuestion) -> torch.Tensor:
    """A value per patch, N×P, as maps N×1×H×W, enlarged bilinearly over the part of the image that the patches show.

    What the model crops away has the value zero.
    """
    top, bottom, left, right = _seen(question)
    coarse = values.reshape(len(values), 1, *grid).float()
    maps = coarse.new_zeros(len(values), 1, *question.batch.shape[2:])
    maps[:, :, top:bottom, left:right] = functional.interpolate(
        coarse, size=(bottom - top, right - left), mode="bilinear", align_corners=False
    )
    return maps


def _seen(question: ImageQuestion) -> tuple[int, int, int, int]:
    """The first row of pixels that reaches a patch and the row after the last one, then the same for columns.

    The preparation inside a model may resize and crop; the gradient of the patches tells which pixels are in them.
    """
    height, width = question.batch.shape[2:]
    whole = (0, height, 0, width)
    if question.module is None:
        return whole
    with torch.enable_grad(), recording(question.module) as found:
        first = question.batch[:1].clone().requires_grad_()
        question.score(first, question.rows[:1])
    if found.cut is None or not found.cut.requires_grad:
        return whole
    (reach,) = torch.autograd.grad(found.cut.float().sum(), first)
    inside = (reach != 0).any(dim=1)[0]
    rows, columns = inside.any(dim=1).nonzero()[:, 0], inside.any(dim=0).nonzero()[:, 0]
    if not len(rows):
        return whole
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
