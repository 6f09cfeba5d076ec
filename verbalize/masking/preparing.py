"""Maps and their model, as inputs whose parts can be hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from verbalize.masking.changed_texts import text_and_places
from verbalize.masking.images import MaskedImages
from verbalize.masking.masked import MaskedInputs
from verbalize.masking.texts import MaskedTexts
from verbalize.models.image_models import BlackBoxImages, ImageModel
from verbalize.models.opening import as_model
from verbalize.saliency import PixelSaliency, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.saliency import Saliency


def mask_inputs(
    model: Any, maps: Sequence[Saliency], *, class_names: Sequence[str] | None = None, batch_size: int = 64
) -> MaskedInputs:
    """The inputs of maps, as inputs of the model whose words or pixels can be hidden.

    Args:
        model: whatever `verbalize.models.as_model` takes.
        maps: maps over the words of texts, or over images of one shape. A map over words needs no `text`: without one, the
            words are set as `verbalize.spacing` sets them. A map over pixels needs its `image`.
        class_names: one name per logit, where the model does not know them.
        batch_size: the most masked inputs in one call of the model.

    Raises:
        UsageError: there are no maps, they are of both kinds, a map has no image, or the model does not fit them.
    """
    opened = as_model(model, class_names)
    if not maps:
        raise UsageError("there are no maps; give one or more")
    if isinstance(opened, ImageModel | BlackBoxImages):
        images = [one.image for one in maps if isinstance(one, PixelSaliency) and one.image is not None]
        if len(images) < len(maps):
            raise UsageError("the model takes images, but a map has no image; give maps over pixels with image=")
        return MaskedInputs(MaskedImages(opened, images), batch_size=batch_size)
    texts = [text_and_places(one) for one in maps if isinstance(one, TokenSaliency)]
    if len(texts) < len(maps):
        raise UsageError("the model takes texts, but a map is over pixels")
    return MaskedInputs(
        MaskedTexts(opened, [text for text, _ in texts], [places for _, places in texts]), batch_size=batch_size
    )
