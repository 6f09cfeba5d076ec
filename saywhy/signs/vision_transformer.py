"""A small vision transformer for the road signs, of the library transformers. Its weights come with the package."""

from __future__ import annotations

import tempfile
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from saywhy.signs.draw import CLASS_NAMES, SIZE
from saywhy.signs.model import SignClassifier
from saywhy_core.errors import UsageError
from saywhy_core.reading.numpy_files import load_arrays
from verbalize.models import PreparedImages

if TYPE_CHECKING:
    from collections.abc import Mapping

VIT_WEIGHTS = "vit_weights.npz"
_PATCH = 6  # pixels: eight patches per side, so that a digit of a speed limit covers several
_WIDTH, _DEPTH, _HEADS = 64, 4, 4  # as small as reads the digits of speed limits apart


def sign_transformer(state: Mapping[str, torch.Tensor] | None = None) -> PreparedImages:
    """The network: N×3×48×48 in [0, 1] -> N×12 logits.

    Patches of 6×6 pixels, a class token, four layers of width 64 with four heads each.

    Args:
        state: its weights by the names of published checkpoints, which every version of transformers reads; random without.

    Raises:
        UsageError: a weight is missing, unknown, or of another shape.
    """
    from transformers import ViTConfig, ViTForImageClassification
    from transformers.utils import logging

    config = ViTConfig(
        hidden_size=_WIDTH, num_hidden_layers=_DEPTH, num_attention_heads=_HEADS, intermediate_size=2 * _WIDTH,
        image_size=SIZE, patch_size=_PATCH, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        id2label=dict(enumerate(CLASS_NAMES)), label2id={name: index for index, name in enumerate(CLASS_NAMES)},
    )  # fmt: skip
    if state is None:
        model = ViTForImageClassification(config)
    else:
        shown = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # 70 small arrays are read at once
        try:
            model, found = ViTForImageClassification.from_pretrained(
                None, config=config, state_dict=dict(state), output_loading_info=True
            )
        finally:
            if shown:
                logging.enable_progress_bar()
        wrong = [*found["missing_keys"], *found["unexpected_keys"], *found["mismatched_keys"]]
        if wrong:
            raise UsageError(f"the weights of the sign transformer are not complete: {wrong[0]}")
    # pixels in [0, 1] become numbers in [-2, 2], as the convolutional network takes them
    size = {"height": SIZE, "width": SIZE}
    return PreparedImages(model, {"do_resize": True, "size": size, "do_normalize": True, "image_mean": 0.5, "image_std": 0.25})


def load_vit(weights: Path | None = None) -> SignClassifier:
    """The vision transformer with the weights of the package, or with those that `saywhy.signs.train --vit` wrote to a file.

    Its `module()` takes images of any size, which it resizes to 48×48. Weights are plain float16 arrays: nothing in the file
    can run code.

    Raises:
        UsageError: the file isn't one that `saywhy.signs.train --vit` wrote.
    """
    if weights is None:
        with as_file(files("saywhy.signs") / VIT_WEIGHTS) as path:
            return load_vit(path)
    try:
        state = {name: torch.from_numpy(one.astype(np.float32)) for name, one in load_arrays(weights).items()}
        network = sign_transformer(state)
    except (OSError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise UsageError(f"{weights} holds no weights of the sign transformer: {error}") from None
    network.eval().requires_grad_(requires_grad=False)
    return SignClassifier(network)


def save_vit(network: PreparedImages, path: Path) -> None:
    """Write the weights as float16 arrays, under the names of published checkpoints."""
    from safetensors.numpy import load_file

    with tempfile.TemporaryDirectory() as folder:
        network.model.save_pretrained(folder)  # which knows the published names
        arrays = load_file(Path(folder) / "model.safetensors")
    np.savez_compressed(path, **{name: value.astype(np.float16) for name, value in arrays.items()})
