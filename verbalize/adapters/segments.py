"""The masks of a segmenter as the named regions of a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.arrays import to_numpy
from saywhy_core.errors import UsageError
from verbalize.adapters.given import checked_list

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

    from verbalize.saliency import PixelSaliency

    Names = Mapping[int, str] | Sequence[str] | None
    Mask = NDArray[np.bool_]


_IDS, _MASKS = 2, 3  # axes


def with_segments(
    saliency: PixelSaliency, segments: Any, names: Names = None, *, ignore: Collection[int | str] | int | str = ()
) -> PixelSaliency:
    """The map with the parts that a segmenter found as its regions, which sentences then name: "the region 'sky'".

    Segments without a pixel are left out. Segments of one name get a number each ("person 1", "person 2").

    Args:
        saliency: a map over the same pixels as the segments.
        segments: an (H, W) array of whole numbers, one per segment or class, as `post_process_semantic_segmentation` of
            transformers gives; a dictionary with "segmentation" and "segments_info", as `post_process_panoptic_segmentation`
            gives; masks, (M, H, W) or a list of (H, W); or a list of dictionaries with "mask" and "label" (a pipeline of
            transformers) or "segmentation" (SAM).
        names: the name of each id, as in `model.config.id2label`, or a sequence of them by id; for masks, one name per mask.
        ignore: ids or names of what is no part, such as `[255]` or `["background"]`; one of them may stand alone.

    Raises:
        UsageError: the segments have another size than the map, are of no such kind, or none is left.
    """
    found = list(_named(segments, names))
    for _, _, mask in found:
        if mask.shape != saliency.shape:
            raise UsageError(
                f"the segments have {' x '.join(map(str, mask.shape))} pixels and the map {saliency.shape[0]} x "
                f"{saliency.shape[1]}; post-process them with target_sizes=[(height, width)] of the map"
            )
    left = {ignore} if isinstance(ignore, str) or not hasattr(ignore, "__iter__") else set(ignore)
    kept = [(name, mask) for key, name, mask in found if key not in left and name not in left and mask.any()]
    if not kept:
        raise UsageError("no segment is left: all are empty or ignored")
    return replace(saliency, masks=np.stack([mask for _, mask in kept]), mask_names=tuple(name for name, _ in kept))


def _named(segments: Any, names: Names) -> Iterator[tuple[int, str, Mask]]:
    """(id, name, mask) of each segment."""
    if names is not None and not isinstance(names, Mapping):
        names = checked_list(names, "the names of the segments")
    if isinstance(segments, Mapping):
        yield from _panoptic(segments, names)
        return
    if isinstance(segments, Sequence) and segments and isinstance(segments[0], Mapping):
        masks = [one["mask"] if "mask" in one else one.get("segmentation") for one in segments]
        told = [one.get("label") for one in segments]
        if names is None and all(isinstance(name, str) for name in told):
            names = told
    else:
        plane = np.asarray(to_numpy(segments)) if not isinstance(segments, Sequence) else None
        if isinstance(segments, str) or (plane is not None and plane.ndim not in (_IDS, _MASKS)):
            raise UsageError(
                f"segments are an array of ids, masks, or the result of a segmenter, not {type(segments).__name__}; "
                "without segments, leave the map as it is"
            )
        if plane is not None and plane.ndim == _IDS:
            ids = _whole(plane)
            for key in np.unique(ids).tolist():
                yield key, _name(key, names, "segment"), ids == key
            return
        masks = list(segments) if plane is None else list(plane)
    if names is not None and len(names) != len(masks):
        raise UsageError(f"there are {len(masks)} masks and {len(names)} names; give one name for each mask")
    for index, mask in enumerate(masks):
        yield index, _name(index, names, "segment"), _flags(mask, index)


def _panoptic(result: Mapping[str, Any], names: Names) -> Iterator[tuple[int, str, Mask]]:
    """The segments of a panoptic or instance result of transformers. Pixels of no listed segment belong to none."""
    if "segmentation" not in result or "segments_info" not in result:
        raise UsageError("a panoptic result has the keys 'segmentation' and 'segments_info'")
    plane = np.asarray(to_numpy(result["segmentation"]))
    infos = list(result["segments_info"])
    if plane.ndim == _MASKS:  # one mask per segment, as return_binary_maps=True gives
        if len(plane) != len(infos):
            raise UsageError(f"there are {len(plane)} masks for {len(infos)} entries of 'segments_info'")
        masks = [_flags(mask, index) for index, mask in enumerate(plane)]
    else:
        ids = _whole(plane)
        masks = [ids == int(info["id"]) for info in infos]
    for info, mask in zip(infos, masks, strict=True):
        label = info.get("label_id", info.get("category_id"))
        if label is None:
            raise UsageError("a segment of the panoptic result has no 'label_id'")
        yield int(label), _name(int(label), names, "label"), mask


def _whole(plane: NDArray[Any]) -> NDArray[np.int64]:
    if plane.ndim != 2 or plane.dtype.kind not in "biuf" or not np.array_equal(plane, np.floor(plane)):
        raise UsageError("the ids of segments are an array (height, width) of whole numbers; take the argmax of scores first")
    return plane.astype(np.int64)


def _name(key: int, names: Names, what: str) -> str:
    if names is None:
        return f"{what} {key}"
    if isinstance(names, Mapping):
        named = names.get(key, names.get(str(key)))  # type: ignore[call-overload]  # a configuration read from JSON has texts
        return str(named) if named is not None else f"{what} {key}"
    return str(names[key]) if 0 <= key < len(names) else f"{what} {key}"


def _flags(mask: Any, index: int) -> Mask:
    """(H, W) booleans, from booleans, 0 and 1, or the 0 and 255 of a picture."""
    values = np.asarray(mask if hasattr(mask, "getbands") else to_numpy(mask))
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise UsageError(f"mask {index} must be (height, width) booleans, not an array of shape {values.shape}")
    if values.dtype.kind != "b" and len(np.unique(values[values != 0])) > 1:
        raise UsageError(f"mask {index} has more than two values; compare it with a threshold first")
    return values != 0  # type: ignore[no-any-return]
