"""The inputs of maps: which maps are of one input, and what is no map."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from verbalize.saliency import PixelSaliency, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Hashable

    from verbalize.saliency import Saliency


def input_key(saliency: Saliency) -> tuple[Hashable, ...]:
    """What tells the input of a map from other inputs. Its first item says which inputs may share a call of the model."""
    if isinstance(saliency, PixelSaliency):
        image = saliency.image
        if image is None:
            raise UsageError("the model takes images, but a map has no image; give maps over pixels with image=")
        return image.shape, blake2b(image.tobytes(), digest_size=16).digest()
    return "text", saliency.tokens, saliency.text, saliency.offsets


def digest_of(key: tuple[Hashable, ...]) -> bytes:
    """16 bytes for an `input_key`, the same in every process."""
    digest = key[1]
    return digest if isinstance(digest, bytes) else blake2b(repr(key).encode("utf-8", "replace"), digest_size=16).digest()


def checked_maps(maps: Any) -> tuple[Saliency, ...]:
    """Maps, one or more.

    Raises:
        UsageError: there are none, one is none, or a single map is given in the place of a list.
    """
    if isinstance(maps, PixelSaliency | TokenSaliency):
        raise UsageError("give a list of maps, such as [saliency], not a map by itself")
    if not isinstance(maps, Iterable):
        raise UsageError(f"maps must be a list of maps, not {maps!r:.80}")
    found = tuple(maps)
    if not found:
        raise UsageError("there are no maps; give one or more")
    for index, one in enumerate(found):
        if not isinstance(one, PixelSaliency | TokenSaliency):
            raise UsageError(f"item {index} is {one!r:.80}, which is no map over words or pixels")
    return found
