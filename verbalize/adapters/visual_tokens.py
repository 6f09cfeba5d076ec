"""How much the visual tokens of a transformer matter, as a map; and tokens of text and pictures together, as several maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.arrays import to_numpy
from saywhy_core.errors import UsageError
from verbalize.adapters.boxes import checked_size, grid_boxes, owners_of, spread, vector
from verbalize.adapters.given import SHARED, check_fields
from verbalize.saliency import PixelSaliency, Query, TokenSaliency
from verbalize.write.naming import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.saliency import Floats


@dataclass(frozen=True, eq=False)
class JointMaps:
    """The importance of the tokens of a text and of one or several pictures, in one map each.

    Args:
        text: the map over the words.
        images: one map per picture.
        text_share: the share of all magnitudes that lies on the words, special tokens left out; 0 if all scores are zero.
    """

    text: TokenSaliency
    images: tuple[PixelSaliency, ...]
    text_share: float

    def in_words(self) -> str:
        """How the importance is shared out between the words and the pictures, computed from the scores."""
        pictures = "the picture" if len(self.images) == 1 else f"the {len(self.images)} pictures"
        words = percent(self.text_share)
        rest = percent(1.0 - self.text_share)
        if words is None and not any(one.scores.any() for one in self.images):
            return f"Every word and every token of {pictures} scores zero."
        if words is None or rest is None:
            return f"All the importance lies on {pictures if words is None else 'the words'}."
        return f"The words hold {words[0]} of the importance, {pictures} {rest[0]}."


def visual_tokens_to_map(
    importance: Any,
    grid: tuple[int, int],
    image_size: Sequence[int],
    query: Query,
    *,
    leading: int = 0,
    signed: bool = False,
    smooth: bool = False,
    **fields: Any,
) -> PixelSaliency:
    """A map from one score per visual token: attention of the class token, gradients, relevance, and the like.

    The score of a token is spread evenly over the pixels of its patch, so that the score of a region is the sum of the scores
    of its tokens, whatever the size of the picture.

    Args:
        importance: (N,) scores, one per token, row by row.
        grid: (rows, columns) of the visual tokens.
        image_size: (height, width) of the picture in pixels.
        query: the question that the scores answer.
        leading: how many tokens before the visual ones are left out: a class token, registers, distillation tokens.
        signed: whether a negative score speaks against the label.
        smooth: whether to interpolate bilinearly between the centres of the patches. The sum of the map stays.
        **fields: other arguments of `PixelSaliency`, such as `image`, `prediction`, `id` and `method`.

    Raises:
        UsageError: the number of tokens is not that of the grid and the leading ones, or the picture is smaller than the grid.
    """
    check_fields(fields, (*SHARED, "image"))
    size = checked_size(image_size)
    scores = vector(importance, "the scores of the tokens")
    rows, columns = (int(side) for side in grid)
    if leading < 0 or len(scores) != leading + rows * columns:
        raise UsageError(
            f"there are {len(scores)} scores for a grid of {rows} x {columns} tokens after {leading} leading ones; "
            "say with leading= how many tokens come before those of the picture"
        )
    kept = scores[leading:]
    if not signed and kept.min(initial=0.0) < 0:
        raise UsageError("a score is negative; give signed=True if it speaks against the label, else the magnitudes")
    plane = spread(kept, owners_of(grid_boxes(rows, columns, size), size))
    return PixelSaliency(
        _smoothed(kept.reshape(rows, columns), size, plane) if smooth else plane, query, signed=signed, **fields
    )


def split_tokens(
    importance: Any,
    pieces: Sequence[str],
    is_image: Any,
    grids: Sequence[tuple[int, int]],
    image_size: Sequence[int],
    query: Query,
    *,
    signed: bool = False,
    images: Sequence[Any] | None = None,
    **fields: Any,
) -> JointMaps:
    """Maps over the words and over the pictures, from one score per token of a prompt that holds both.

    Special tokens, such as `<s>` or those that mark where a picture begins, are in the text map's `special`.

    Args:
        importance: (N,) scores of all tokens of the prompt.
        pieces: the N tokens, as `tokenizer.convert_ids_to_tokens` gives them.
        is_image: (N,) whether each token is one of a picture: `input_ids == model.config.image_token_id`.
        grids: (rows, columns) of the visual tokens of each picture, in the order in which they come.
        image_size: (height, width) of the pictures in pixels.
        query: the question that the scores answer.
        signed: whether a negative score speaks against the label.
        images: the pictures themselves, one per grid, for heatmaps and for the names of regions.
        **fields: other arguments of both kinds of map, such as `id`, `method` and `prediction`.

    Raises:
        UsageError: the numbers of tokens, scores, grids or pictures don't agree.
    """
    check_fields(fields, SHARED)
    scores = vector(importance, "the scores of the tokens")
    visual = np.asarray(to_numpy(is_image)).astype(bool).reshape(-1)
    if not len(scores) == len(pieces) == len(visual):
        raise UsageError(
            f"there are {len(scores)} scores, {len(pieces)} tokens and {len(visual)} flags; give one of each per token"
        )
    sizes = [int(rows) * int(columns) for rows, columns in grids]
    if sum(sizes) != int(visual.sum()):
        raise UsageError(f"{int(visual.sum())} tokens belong to pictures, but the grids hold {sum(sizes)}")
    if images is not None and len(images) != len(sizes):
        raise UsageError(f"there are {len(images)} pictures for {len(sizes)} grids; give one grid for each picture")
    words = [piece for piece, drawn in zip(pieces, visual, strict=True) if not drawn]
    if not signed and scores.min(initial=0.0) < 0:
        raise UsageError("a score is negative; give signed=True if it speaks against the label, else the magnitudes")
    text = TokenSaliency.from_pieces(words, scores[~visual], query, signed=signed, **fields)
    parts = np.split(scores[visual], np.cumsum(sizes)[:-1]) if sizes else []
    maps = tuple(
        visual_tokens_to_map(
            part, grid, image_size, query, signed=signed, image=None if images is None else images[index], **fields
        )
        for index, (part, grid) in enumerate(zip(parts, grids, strict=True))
    )
    on_text = float(np.abs(text.scores).sum())
    total = on_text + sum(float(np.abs(one.scores).sum()) for one in maps)
    return JointMaps(text, maps, on_text / total if total else 0.0)


def _smoothed(scores: Floats, size: tuple[int, int], plane: Floats) -> Floats:
    """The scores interpolated bilinearly, scaled so that each sign keeps the sum that it has in `plane`."""
    import cv2

    fine: Floats = np.asarray(cv2.resize(scores, (size[1], size[0]), interpolation=cv2.INTER_LINEAR), dtype=np.float64)
    for side in (fine > 0, fine < 0):
        held = float(fine[side].sum())
        wanted = float(plane[plane > 0].sum() if held > 0 else plane[plane < 0].sum())
        if held:
            fine[side] *= wanted / held
    return fine
