"""CLIP and SigLIP models of transformers as encoders, `clip:NAME_OR_FOLDER`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.encoders.vectors import unit_rows
from saywhy_core.bounded.preparing import prepare
from saywhy_core.bounded.tokenizing import Tokenizing
from saywhy_core.errors import UsageError
from saywhy_core.images import as_picture, image_batches
from saywhy_core.pretrained import fingerprint, from_pretrained
from saywhy_core.reading.ceilings import CeilingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from saywhy_core.images.reader import Images


def load(where: str, /, *, device: str | None = None, batch: int = 64, trust: bool = False) -> ClipEncoder:
    """Make a `ClipEncoder` of a model name or folder.

    Raises:
        UsageError: no CLIP or SigLIP model could be loaded.
    """
    return ClipEncoder(where, device=device, batch=batch, trust=trust)


class ClipEncoder:
    """A CLIP or SigLIP model of transformers (Radford et al. 2021; Zhai et al. 2023).

    Images go through the model's own PIL image processor as 8-bit pictures, so values are rounded to 1/255. A folder
    without a processor file gets the processor of its model type at the size that its configuration names.

    Args:
        name: a folder written by `save_pretrained`, or a model name.
        device: where to run; None for the GPU where there is one.
        batch: the largest number of images or texts per forward pass.
        dtype: the weights' type, "float32" or "bfloat16" (faster on a GPU, embeddings agree to about 1e-2).
        trust: whether Python files that come with the model may run. Most models have none.

    Attributes:
        model: the transformers model, in evaluation mode.
        identity: names the weights; equal identities give equal embeddings.
        scale: the learned factor from cosines to logits.
        truncated: how many of the texts encoded so far were longer than `max_tokens` and were cut.
    """

    def __init__(
        self,
        name: str | Path,
        *,
        device: str | None = None,
        batch: int = 64,
        dtype: str = "float32",
        trust: bool = False,
    ) -> None:
        import torch
        from transformers import AutoConfig, AutoModel, AutoTokenizer

        if dtype not in {"float32", "bfloat16"}:
            raise UsageError(f"dtype must be float32 or bfloat16, not {dtype!r}")
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        config = from_pretrained(AutoConfig, str(name), "model configuration", trust=trust)
        if not hasattr(config, "text_config") or not hasattr(config, "vision_config"):
            raise UsageError(f"{name} is a {config.model_type} model; clip: takes models with a text and a vision part")
        self._processor = _image_processor(str(name), config, trust=trust)
        self._tokenizer = from_pretrained(AutoTokenizer, str(name), "tokenizer", trust=trust)
        self._tokenizing = Tokenizing(str(name))
        model = from_pretrained(AutoModel, str(name), "CLIP or SigLIP model", trust=trust, dtype=dtype)
        self.model = model.eval().to(self.device)
        if not hasattr(self.model, "get_image_features") or not hasattr(self.model, "logit_scale"):
            raise UsageError(f"{name} is a {config.model_type} model; clip: takes CLIP, SigLIP and their like")
        self._name, self._batch = str(name), batch
        self._padding = "max_length" if config.model_type.startswith("siglip") else True
        self.max_tokens = int(config.text_config.max_position_embeddings)
        self.scale = float(self.model.logit_scale.detach().float().exp())
        self.identity = f"clip:{fingerprint(self.model)}:{dtype}"
        self.truncated = 0

    def encode_images(self, images: Images) -> NDArray[np.float32]:
        """Encode an N×H×W×C float32 array in [0, 1], or a sequence of arrays or paths, to N×D rows of length 1."""
        parts = [self._image_forward(part) for part in image_batches(images, self._batch)]
        return np.concatenate(parts) if parts else np.empty((0, self._dimension()), dtype=np.float32)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts to N×D float32 rows of length 1; texts beyond `max_tokens` are cut and counted."""
        return self.encode_texts_counting(texts)[0]

    def encode_texts_counting(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """As `encode_texts`, and which of the texts were cut."""
        if not texts:
            return np.empty((0, self._dimension()), dtype=np.float32), np.zeros(0, dtype=bool)
        ids = self._tokenizing(  # the tokenizer may be anyone's; what it reads in its time here, it reads again below
            lambda: self._tokenizer(list(texts), truncation=False, padding=False, verbose=False)["input_ids"], len(texts)
        )
        cut = np.array([len(row) > self.max_tokens for row in ids])
        self.truncated += int(cut.sum())
        parts = [self._text_forward(list(texts[start : start + self._batch])) for start in range(0, len(texts), self._batch)]
        return np.concatenate(parts), cut

    def _dimension(self) -> int:
        config = self.model.config
        return int(getattr(config, "projection_dim", None) or config.vision_config.hidden_size)

    def _image_forward(self, images: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        try:
            return self._together(images)
        except CeilingError:
            if len(images) == 1:
                raise
            half = -(-len(images) // 2)  # in parts that fit into the memory that a processor may take
            return np.concatenate([self._image_forward(images[:half]), self._image_forward(images[half:])])

    def _together(self, images: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        import torch

        pictures = [as_picture(image) for image in images]
        pixels = prepare(self._processor, pictures, self._name)
        with torch.inference_mode():
            features = self.model.get_image_features(pixel_values=pixels.to(self.device, self.model.dtype))
        return _unit(features)

    def _text_forward(self, texts: list[str]) -> NDArray[np.float32]:
        import torch

        tokens = self._tokenizer(
            texts, truncation=True, max_length=self.max_tokens, padding=self._padding, return_tensors="pt"
        ).to(self.device)
        with torch.inference_mode():
            features = self.model.get_text_features(
                **{key: tokens[key] for key in ("input_ids", "attention_mask") if key in tokens}
            )
        return _unit(features)


def _unit(features: Any) -> NDArray[np.float32]:
    tensor = getattr(features, "pooler_output", features)
    return unit_rows(tensor.float().cpu().numpy())


def _image_processor(name: str, config: Any, *, trust: bool) -> Any:
    if (
        Path(name).is_dir()
        and not (Path(name) / "preprocessor_config.json").is_file()
        and not (Path(name) / "processor_config.json").is_file()
    ):
        from transformers import CLIPImageProcessorPil, SiglipImageProcessorPil

        side = int(config.vision_config.image_size)
        if config.model_type.startswith("siglip"):
            return SiglipImageProcessorPil(size={"height": side, "width": side})
        return CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    from transformers import AutoImageProcessor

    return from_pretrained(AutoImageProcessor, name, "image processor", trust=trust, backend="pil")
