"""Numbers of other libraries as numpy arrays."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from hashlib import sha1
from typing import TYPE_CHECKING, Any

import numpy as np
from xxhash import xxh3_128_digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_PLAIN = (int, float, bool, str, bytes, type(None))
_NOT_NUMBERS = {"c": "complex numbers", "m": "spans of time", "M": "dates"}


def image_key(image: NDArray[Any]) -> bytes:
    """16 bytes that change with an image (H, W, C) and its shape: the same bytes in another shape are another image.

    They are XXH3 with 128 bits, which is the same on all machines and takes a tenth of the time of SHA-1. Two of a million
    images share a key with a chance below 1e-26, unless somebody looks for such images: these keys are no protection.
    """
    return xxh3_128_digest(np.ascontiguousarray(image).data, _seed(image.shape))


def image_keys(images: NDArray[Any]) -> list[bytes]:
    """The keys of images (N, H, W, C), see `image_key`; those of `keyed` are not computed again."""
    known = _keyed.get()
    if known is not None and known[0] == _memory_of(images):
        return known[1]
    seed = _seed(images.shape[1:])
    return [xxh3_128_digest(image.data, seed) for image in np.ascontiguousarray(images)]


def former_image_key(image: NDArray[Any]) -> bytes:
    """The key of an image in files of answers that earlier releases wrote."""
    key = sha1(repr(image.shape).encode(), usedforsecurity=False)
    key.update(np.ascontiguousarray(image).data)
    return key.digest()[:16]


@lru_cache(maxsize=64)
def _seed(shape: tuple[int, ...]) -> int:
    return int.from_bytes(sha1(repr(shape).encode(), usedforsecurity=False).digest()[:8], "little")


@contextmanager
def keyed(images: NDArray[Any]) -> Iterator[list[bytes]]:
    """Inside the block, in this thread, the keys of these images are known. They must not be changed in it."""
    keys = image_keys(images)
    token = _keyed.set((_memory_of(images), keys))
    try:
        yield keys
    finally:
        _keyed.reset(token)


def _memory_of(images: NDArray[Any]) -> tuple[object, ...]:
    return images.__array_interface__["data"][0], images.shape, images.strides, images.dtype


_keyed: ContextVar[tuple[tuple[object, ...], list[bytes]] | None] = ContextVar("_keyed", default=None)


def to_numpy(value: Any) -> NDArray[Any]:
    """An array of numpy with the numbers of an array or tensor of another library, a number, or nested lists of these.

    Tensors may require gradients, be on a GPU, be sparse or quantized, or have a type that numpy lacks, such as bfloat16, which
    becomes float32 without loss. What a masked array hides is NaN. An array of numpy is returned itself, not copied. Texts and
    objects are not looked at.

    Raises:
        TypeError: `value` is a tensor without values, or holds complex numbers, dates or records.
        ValueError: nested lists do not have one length.
    """
    found = _array(value)
    if found.dtype.kind == "V" and found.dtype.names is None and found.dtype.itemsize <= 2:
        return found.astype(np.float32)  # bfloat16 and smaller floats of ml_dtypes (JAX)
    if found.dtype.kind in (*_NOT_NUMBERS, "V"):
        raise TypeError(f"these are {_NOT_NUMBERS.get(found.dtype.kind, 'records')}")
    return found


def _array(value: Any) -> NDArray[Any]:
    if "numpy.ma" in sys.modules and isinstance(value, np.ma.MaskedArray):  # loading it takes as long as half of numpy
        return np.where(np.ma.getmaskarray(value), np.nan, np.asarray(value.data)) if np.ma.is_masked(value) else value.data
    if isinstance(value, np.ndarray):
        return np.asarray(value)  # not one of its subclasses, such as a matrix, which has two axes whatever is cut out of it
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        return _from_torch(value)
    if isinstance(value, (list, tuple)) and not all(isinstance(one, _PLAIN) for one in value):
        return np.asarray([_array(one) for one in value])  # numpy can't convert tensors that stand in a list
    if hasattr(value, "numpy") and callable(value.numpy):  # TensorFlow
        return np.asarray(value.numpy())
    if hasattr(value, "get") and hasattr(value, "__cuda_array_interface__"):  # CuPy
        return np.asarray(value.get())
    return np.asarray(value)


def _from_torch(tensor: Any) -> NDArray[Any]:
    try:
        plain = tensor.detach()
        if plain.is_quantized:
            plain = plain.dequantize()
        if str(plain.layout) != "torch.strided":
            plain = plain.to_dense()
        plain = plain.cpu().resolve_conj().resolve_neg()
        if plain.is_floating_point() and plain.element_size() < 4 and str(plain.dtype) != "torch.float16":
            plain = plain.float()  # bfloat16 and 8 bits: numpy has no such types
        found: NDArray[Any] = plain.numpy()
    except (RuntimeError, NotImplementedError) as error:  # for example of the device "meta", or nested with several lengths
        raise TypeError(f"a tensor can't be read: {str(error).splitlines()[0]}") from None
    return found
