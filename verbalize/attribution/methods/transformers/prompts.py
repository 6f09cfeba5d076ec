"""Class prompts in a frozen vision transformer: a classifier whose classes look at the image by their own attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from saywhy_core.errors import UsageError
from saywhy_core.images import read_image
from verbalize.attribution.methods.transformers.keys import last_projection
from verbalize.models.image_models import ImageModel
from verbalize.models.opening import as_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from saywhy_core.progress import OnProgress

PASSES, RATE = 60, 3e-2  # a few hundred images of road signs are learned in about 60 passes; only K + 1 vectors change
_TOKENS = ("hidden_states", "src", "x", "input")  # what the layers of transformers and torch call their tokens


class PromptedImages(nn.Module):  # type: ignore[misc]  # torch's types are not followed
    """A frozen vision transformer with one prompt per class in its last layer: N×C×H×W in [0, 1] -> N×K logits.

    The transformer itself is not changed: the prompts are taken away again after the layer.

    Args:
        backbone: the transformer, as a module that takes images.
        prompts: K×D, one token per class.
        direction: (D,) the vector w that scores the outputs of all prompts, after a normalisation of each output to mean 0 and
            variance 1. A normalisation with weights of its own, as at the end of a transformer, would add nothing to w.
        class_names: one name per prompt.
    """

    def __init__(self, backbone: nn.Module, prompts: torch.Tensor, direction: torch.Tensor, class_names: Sequence[str]) -> None:
        super().__init__()
        self.backbone = backbone
        self.prompts, self.direction = nn.Parameter(prompts), nn.Parameter(direction)
        self.class_names = tuple(class_names)
        self.train(mode=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """N×K logits."""
        block = last_block(self.backbone)
        outputs: list[torch.Tensor] = []

        def remove(_block: nn.Module, _given: Any, output: Any) -> Any:
            tokens = output[0] if isinstance(output, tuple) else output
            outputs.append(tokens[:, -len(self.prompts) :])
            rest = tokens[:, : -len(self.prompts)]
            return (rest, *output[1:]) if isinstance(output, tuple) else rest

        handles = (
            block.register_forward_pre_hook(
                lambda _block, given, named: _with_tokens(given, named, _beside(_tokens_of(given, named), self.prompts)),
                with_kwargs=True,
            ),
            block.register_forward_hook(remove),
        )
        try:
            self.backbone(images)
        finally:
            for handle in handles:
                handle.remove()
        return _scores(outputs[-1], self.direction)


def train_prompts(
    model: Any,
    images: Sequence[ArrayLike],
    labels: Sequence[int] | Sequence[str],
    *,
    class_names: Sequence[str] = (),
    passes: int = PASSES,
    rate: float = RATE,
    seed: int = 0,
    batch_size: int = 32,
    on_progress: OnProgress | None = None,
) -> PromptedImages:
    """Train one prompt per class in the last layer of a frozen vision transformer (Prompt-CAM, Chowdhury et al. 2025).

    Only the prompts and one vector that all classes share are learned, by cross-entropy and AdamW with a cosine schedule. The
    layers before the last one see each image once, since no prompt reaches them: this is the paper's "deep" form without its
    prompts of no class in earlier layers.

    Args:
        model: a vision transformer: whatever `verbalize.models.as_model` takes. It stays as it is.
        images: N images of one shape H×W×C.
        labels: N class numbers, or N names out of `class_names`.
        class_names: one name per class; by default those of the model. Other classes than those of the model can be learned.
        passes: how often each image is learned from.
        rate: the learning rate at the start, relative to the spread of the tokens.
        seed: the same seed gives the same prompts on the same machine.
        batch_size: the most images in one call of the model.
        on_progress: called with (finished passes, all passes) after each pass.

    Raises:
        UsageError: the model is no vision transformer, images and labels don't fit each other, a label is unknown, or there are
            fewer than two classes.
    """
    opened = as_model(model)
    if not isinstance(opened, ImageModel):
        raise UsageError("class prompts are trained in a vision transformer; the model given is none, or a black box")
    if min(passes, batch_size) < 1 or not rate > 0:
        raise UsageError(f"passes, batch_size and rate must be above zero, not {passes}, {batch_size} and {rate}")
    pixels = [np.asarray(read_image(image)) for image in images]
    if not pixels or len(pixels) != len(labels) or any(one.shape != pixels[0].shape for one in pixels):
        raise UsageError(f"give images of one shape and one label for each, not {len(pixels)} images and {len(labels)} labels")
    block = last_block(opened.module)
    batch = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous().to(opened.device)
    tokens, run = _before(opened, block, batch, batch_size)
    names, truth = _classes(tuple(class_names) or tuple(opened.class_names), labels)
    generator = torch.Generator().manual_seed(seed)
    spread = float(tokens.float().std())
    prompts = (torch.randn(len(names), tokens.shape[2], generator=generator) * spread).to(tokens.device).requires_grad_()
    direction = (torch.randn(tokens.shape[2], generator=generator) * tokens.shape[2] ** -0.5).to(tokens.device).requires_grad_()
    optimiser = torch.optim.AdamW(
        [{"params": [prompts], "lr": rate * spread}, {"params": [direction], "lr": rate}], weight_decay=0
    )
    steps = passes * -(-len(truth) // batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    answers = truth.to(tokens.device)
    for done in range(passes):
        for chosen in torch.randperm(len(truth), generator=generator).to(tokens.device).split(batch_size):
            with torch.enable_grad():
                out = run(_beside(tokens[chosen], prompts))[:, -len(names) :]
                loss = functional.cross_entropy(_scores(out, direction), answers[chosen])
            prompts.grad, direction.grad = torch.autograd.grad(loss, [prompts, direction])
            optimiser.step()
            schedule.step()
        if on_progress is not None:
            on_progress(done + 1, passes)
    found = PromptedImages(opened.module, prompts.detach(), direction.detach(), names)
    found.prompts.requires_grad_(requires_grad=False)  # of the backbone nothing is changed
    found.direction.requires_grad_(requires_grad=False)
    return found


def last_block(module: nn.Module) -> nn.Module:
    """The last layer of a transformer: attention and what follows it, as it stands in its list of layers.

    Raises:
        UsageError: the module has no attention, or no list of layers.
    """
    path = last_projection(module)[0].split(".")
    for end in range(len(path), 0, -1):
        if isinstance(module.get_submodule(".".join(path[: end - 1])), nn.ModuleList | nn.Sequential):
            return module.get_submodule(".".join(path[:end]))
    raise UsageError("the layers of the model don't stand in a list (nn.ModuleList or nn.Sequential); no prompt can be added")


def _classes(names: tuple[str, ...], labels: Sequence[Any]) -> tuple[tuple[str, ...], torch.Tensor]:
    """The class names, and the class number of each label."""
    numbers = []
    for label in labels:
        known = names.index(label) if isinstance(label, str) and label in names else label
        if isinstance(known, str | bool) or int(known) != known or not 0 <= int(known) < len(names):
            raise UsageError(f"{label!r} is no class: there are {len(names)}, {', '.join(names[:20])}")
        numbers.append(int(known))
    if len(names) < 2:
        raise UsageError("class prompts need two classes or more; give class_names=")
    return names, torch.tensor(numbers)


def _before(
    opened: ImageModel, block: nn.Module, batch: torch.Tensor, batch_size: int
) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
    """The tokens that enter the last layer, N×T×D, and the layer as a function of tokens."""
    kept: list[torch.Tensor] = []
    settings: list[tuple[Any, Any]] = []

    def keep(_block: nn.Module, given: Any, named: dict[str, Any]) -> None:
        kept.append(_tokens_of(given, named).detach())
        settings.append((given, named))

    handle = block.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        with torch.no_grad():
            for part in batch.split(batch_size):
                opened.logits(part)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise UsageError(f"the model can't take these images; torch says: {error}") from error
    finally:
        handle.remove()
    if not kept:
        raise UsageError("the model does not call its last layer as a module; no prompt can be added")
    given, named = settings[-1]
    others = [*given[1:], *(value for name, value in named.items() if given or name not in _TOKENS)]
    if any(
        isinstance(one, torch.Tensor) for other in others for one in (other if isinstance(other, tuple | list) else [other])
    ):
        raise UsageError(
            "the last layer of the model takes more than tokens, such as the positions of the patches; no prompt can be added"
        )
    if any(not layer.batch_first for layer in block.modules() if isinstance(layer, nn.MultiheadAttention)):
        raise UsageError("the model has the tokens on its first axis (batch_first=False); no prompt can be added")

    def run(tokens: torch.Tensor) -> torch.Tensor:
        positional, by_name = _with_tokens(given, named, tokens)
        try:
            found = block(*positional, **by_name)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise UsageError(
                f"the last layer of the model takes no tokens beside those of the image; torch says: {error}"
            ) from error
        first: torch.Tensor = found[0] if isinstance(found, tuple) else found
        return first

    return torch.cat(kept), run


def _scores(outputs: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """N×K logits from what the layer makes of the prompts, N×K×D."""
    return functional.layer_norm(outputs.float(), outputs.shape[-1:]) @ direction


def _beside(tokens: torch.Tensor, prompts: torch.Tensor) -> torch.Tensor:
    return torch.cat([tokens, prompts.to(tokens.dtype).expand(len(tokens), -1, -1)], dim=1)


def _tokens_of(given: Any, named: dict[str, Any]) -> torch.Tensor:
    found = given[0] if given else next((named[name] for name in _TOKENS if name in named), None)
    if not isinstance(found, torch.Tensor):
        raise UsageError("the last layer of the model does not take its tokens as its first argument; no prompt can be added")
    return found


def _with_tokens(given: Any, named: dict[str, Any], tokens: torch.Tensor) -> tuple[Any, dict[str, Any]]:
    if given:
        return (tokens, *given[1:]), named
    return given, {name: tokens if name in _TOKENS else value for name, value in named.items()}
