"""An image classifier of the library transformers as a target: `transformers:FOLDER_OR_NAME`."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from typing import TYPE_CHECKING

from saywhy_core.bounded.pace import Pace, interruptible
from saywhy_core.bounded.preparing import prepare
from saywhy_core.bounded.room import begin_threads, in_parts, room, room_for
from saywhy_core.bounded.turns import OVERLAPPING, in_turns
from saywhy_core.classifiers.callable_classifier import CallableClassifier
from saywhy_core.errors import UsageError
from saywhy_core.images.convert import as_picture
from saywhy_core.pretrained import fingerprint, from_pretrained
from saywhy_core.reading.ceilings import ceiling
from saywhy_core.reading.model_folder import picture_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray

SHARE = 0.75  # of the ceiling on arrays; the library itself takes some 500 MB


def load(
    name: str,
    *,
    class_names: Sequence[str] | None = None,
    device: str | None = None,
    batch_size: int | None = None,
    trust: bool = False,
) -> CallableClassifier:
    """A classifier from a folder written by `save_pretrained`, or from a model name; it returns logits.

    Images go through the model's own image processor, without torchvision: as 8-bit pictures, so values are rounded to
    multiples of 1/255, and scaled to the model's size, so images of any size are taken.

    Args:
        name: the folder, or a model name that is in the local cache or can be downloaded.
        class_names: one name per class, in the place of those of the model's configuration.
        device: where the model runs; None for the GPU where there is one.
        batch_size: the largest number of images per forward pass.
        trust: whether Python files that come with the model may run. Most models have none.

    Raises:
        TrustError: the model has Python files of its own, and `trust` is false.
        UsageError: no image classifier could be loaded, or there is no such device.
    """
    import torch
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    try:
        place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    except (RuntimeError, TypeError) as error:
        raise UsageError(f"there is no device {device!r}: {str(error).splitlines()[0][:160]}") from None
    processor = from_pretrained(AutoImageProcessor, name, "image processor", trust=trust, backend="pil")
    needed = picture_bytes(processor.to_dict(), f"{name}: its image processor")
    at_once = max(1, ceiling("array") // needed) if needed else None
    model = from_pretrained(AutoModelForImageClassification, name, "image classifier", trust=trust).eval().to(place)
    own_names = [str(model.config.id2label[index]) for index in range(model.config.num_labels)]

    def predict(images: NDArray[np.float32]) -> NDArray[np.floating]:
        pixels = prepare(processor, [as_picture(image) for image in images], name)
        with bounded(len(images)), torch.inference_mode():
            logits: NDArray[np.floating] = model(pixel_values=pixels.to(place)).logits.float().cpu().numpy()
        return logits

    def bounded(images: int) -> AbstractContextManager[None]:
        if place.type != "cpu":
            return nullcontext()
        begin_threads()
        return room(room_for(weights, SHARE), name, f"compute {images} image{'s' * (images > 1)}")

    weights = sum(one.numel() * one.element_size() for one in model.parameters())
    pace = Pace(name, weights, accelerated=place.type != "cpu")
    interruptible(model)
    preparation = hashlib.sha256(processor.to_json_string().encode()).hexdigest()[:8]
    classifier = CallableClassifier(
        in_turns(in_parts(pace.timed(predict))), "logits", own_names if class_names is None else class_names,
        batch_size=min(batch_size or at_once, at_once) if at_once else batch_size,
        identity=f"transformers:{fingerprint(model)}:{preparation}",
    )  # fmt: skip
    classifier.concurrency = OVERLAPPING
    return classifier
