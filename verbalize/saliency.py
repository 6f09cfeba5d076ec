"""The saliency map: over the words of a text or the pixels of an image."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.arrays import to_numpy
from saywhy_core.errors import UsageError, argument
from saywhy_core.images import read_image
from saywhy_core.reading.records import in_words
from verbalize.alignment import align_tokens, check_places, hull, scored_words
from verbalize.pieces import merge_pieces
from verbalize.query import Prediction as Prediction
from verbalize.query import Query as Query
from verbalize.query import SaliencyError as SaliencyError
from verbalize.query import check_scores, check_texts, checked_names, checked_numbers, checked_special, checked_words, whole
from verbalize.spacing import gaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]

Part: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SpecialToken:
    """A token that is not a word of the text, such as [CLS], with its score. `position` is the number of words before it."""

    token: str
    score: float
    position: int

    def __post_init__(self) -> None:
        check_texts(token=self.token)
        given: object = self.score
        if not isinstance(given, float):  # it may be a tensor, which no record can hold
            score = _finite(given, "scores", None)  # type: ignore[arg-type]
            if score.size != 1:
                raise SaliencyError(f"the score of {self.token!r} must be one number, not {score.size}")
            object.__setattr__(self, "score", float(score.reshape(-1)[0]))


@dataclass(frozen=True, eq=False)
class TokenSaliency:
    """A score for each word of a text. A positive score speaks for the query's label, a negative one against it.

    The scores of an unsigned map, such as attention weights or norms of gradients, only say how much each word matters.

    Args:
        tokens: the words, in order. The same word at two places counts as two parts.
        scores: (n,) finite numbers, one per word.
        query: the question that the scores answer.
        text: the original text. If `offsets` are not given, the words are looked up in it.
        offsets: (start, stop) character positions of each word in `text`, which must hold the word.
        prediction: what the model predicted.
        special: tokens that are not words of the text, such as [CLS].
        id: the name of the record. Without it, `saliency_id` is a digest of the content.
        method: the attribution method.
        signed: whether the sign of a score has a meaning. If not, no score may be negative.

    Raises:
        SaliencyError: the lengths differ, a score is not finite, a score of an unsigned map is negative, or a word does not
            occur in the text after the word before it.
    """

    tokens: tuple[str, ...]
    scores: Floats
    query: Query
    text: str | None = None
    offsets: tuple[tuple[int, int], ...] | None = None
    prediction: Prediction | None = None
    special: tuple[SpecialToken, ...] = ()
    id: str | None = None
    method: str | None = None
    signed: bool = True

    def __init__(
        self,
        tokens: Sequence[str],
        scores: ArrayLike,
        query: Query,
        text: str | None = None,
        offsets: Sequence[tuple[int, int]] | None = None,
        prediction: Prediction | None = None,
        special: Sequence[SpecialToken] = (),
        id: str | None = None,  # noqa: A002 - records call it so
        method: str | None = None,
        signed: bool = True,
    ) -> None:
        words = checked_words(tokens, text)
        values = _finite(scores, "scores", words)
        if values.ndim != 1:
            raise SaliencyError(f"token scores must be one number per token, not an array of shape {values.shape}")
        if len(words) != len(values):
            raise SaliencyError(f"there are {len(words)} tokens but {len(values)} scores; give one score for each token")
        if not isinstance(query, Query):
            raise SaliencyError(f"query must be a Query, not {type(query).__name__}")
        _agrees_with_sign(values, signed)
        places = _offsets(words, text, offsets)
        for name, value in (
            ("tokens", words),
            ("scores", values),
            ("query", query),
            ("text", text),
            ("offsets", places),
            ("prediction", prediction),
            ("special", checked_special(special)),
            ("id", None if id is None else str(id)),
            ("method", method),
            ("signed", bool(signed)),
        ):
            object.__setattr__(self, name, value)
        check_texts(id=self.id, method=method)

    @classmethod
    def from_pieces(
        cls,
        pieces: Sequence[str],
        scores: ArrayLike,
        query: Query,
        *,
        text: str | None = None,
        scheme: str = "auto",
        special_tokens: Sequence[str] = (),
        offsets: Sequence[tuple[int, int]] | None = None,
        special: Sequence[SpecialToken] = (),
        **fields: Any,
    ) -> TokenSaliency:
        """Merge a tokenizer's sub-word pieces into words. The score of a word is the sum of the scores of its pieces.

        With sums, additive attributions stay complete: the scores of the words have the same total as those of the pieces.

        Args:
            pieces: the pieces, in order.
            scores: (n,) finite numbers, one per piece.
            query: the question that the scores answer.
            text: the original text.
            scheme: how the tokenizer marks its pieces: "wordpiece" (`##`), "bpe" (`Ġ`, byte-level), "sentencepiece" (`▁`),
                "clip" (`</w>`), "subword-nmt" (`@@`), "spaces" (white space itself), "none", or "auto", which recognises the
                scheme from the pieces.
            special_tokens: tokens that are not words of the text, besides the usual ones. They and line ends go to `.special`.
            offsets: (start, stop) character positions of each piece in `text`.
            special: tokens that are not among the pieces; their `position` is a number of pieces.
            **fields: the other arguments of `TokenSaliency`.

        Raises:
            SaliencyError: as for `TokenSaliency`.
            ValueError: the scheme is unknown.
        """
        names = checked_words(pieces, text)
        values = _finite(scores, "scores", names)
        if values.shape != (len(names),):
            raise SaliencyError(f"there are {len(names)} tokens but scores of shape {values.shape}; give one for each token")
        merged = merge_pieces(names, scheme=scheme, special_tokens=special_tokens, text=text or "")
        words = [word for word, _ in merged.words]
        sums = [float(values[list(indices)].sum()) for _, indices in merged.words]
        between = [SpecialToken(names[i], float(values[i]), position) for i, position in merged.special]
        between += [SpecialToken(line_end, 0.0, position) for line_end, position in merged.breaks]
        firsts = [indices[0] for _, indices in merged.words]
        between += [replace(token, position=bisect_left(firsts, token.position)) for token in special]
        between.sort(key=lambda token: token.position)
        if offsets is not None:
            places = _offsets(names, text, offsets, check=False) or ()
            offsets = [hull(text or "", [places[i] for i in indices]) for _, indices in merged.words]
        return cls(words, sums, query, text=text, offsets=offsets, special=between, **fields)

    def __len__(self) -> int:
        return len(self.tokens)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TokenSaliency):
            return NotImplemented
        return self._key() == other._key() and np.array_equal(self.scores, other.scores)

    def __hash__(self) -> int:
        return hash((self.tokens, self.scores.tobytes(), self.query))

    def _key(self) -> tuple[object, ...]:
        said = self.prediction
        prediction = None if said is None else (said.label, said.probability, said.true_label, dict(said.scores))
        return (self.tokens, self.query, self.text, self.offsets, prediction, self.special, self.id, self.method, self.signed)

    @property
    def scored(self) -> tuple[int, int] | None:
        """How many words of the text have a score, of how many; `None` if the text is unknown or each word has one."""
        if self.text is None or self.offsets is None:
            return None
        have, words = scored_words(self.text, self.offsets)
        return (have, words) if have < words else None

    @property
    def saliency_id(self) -> str:
        """The record's id, or a digest of its content if it has no id."""
        return self.id or _digest(repr(self.tokens).encode(), self.scores.tobytes(), repr(self.query).encode())

    def text_of(self, part: Sequence[int]) -> str:
        """The words of a part as they stand in the text. A gap in the part is written as " ... "."""
        runs: list[list[int]] = []
        for index in sorted(part):
            if runs and index == runs[-1][-1] + 1:
                runs[-1].append(index)
            else:
                runs.append([index])
        return " ... ".join(self._run_text(run[0], run[-1]) for run in runs)

    def _run_text(self, first: int, last: int) -> str:
        if self.text is not None and self.offsets is not None:
            return self.text[self.offsets[first][0] : self.offsets[last][1]]
        spaces = gaps(self.tokens)
        return self.tokens[first] + "".join(spaces[i] + self.tokens[i] for i in range(first + 1, last + 1))


@dataclass(frozen=True, eq=False)
class PixelSaliency:
    """A score for each pixel of an image.

    Args:
        scores: (H, W) finite numbers.
        query: the question that the scores answer.
        image: the image, (H, W, C), float in [0, 1] or uint8, RGB or grey. It is stored as float32.
        signed: whether negative scores have a meaning. A class activation map is unsigned: it can't speak against a label.
        masks: (M, H, W) booleans: parts of the image that come with the map, such as those of a segmenter. They may overlap.
        mask_names: one name per mask.
        prediction: what the model predicted.
        id: the name of the record. Without it, `saliency_id` is a digest of the content.
        method: the attribution method.
        floor: the score from which those of an unsigned map count: 0 where zero has a meaning; see `verbalize.parts.floor_of`.

    Raises:
        SaliencyError: a shape is wrong, a score or the floor is not finite, a score of an unsigned map is negative, a signed
            map has a floor, or the image is out of [0, 1].
    """

    scores: Floats
    query: Query
    image: NDArray[np.float32] | None = None
    signed: bool = True
    masks: NDArray[np.bool_] | None = None
    mask_names: tuple[str, ...] | None = None
    prediction: Prediction | None = None
    id: str | None = None
    method: str | None = None
    floor: float | None = None

    def __post_init__(self) -> None:
        shape: tuple[int, ...] = getattr(self.scores, "shape", ())
        if len(shape) == 2:  # before they are copied
            check_scores(int(shape[0]), int(shape[1]))
        values = _finite(self.scores, "pixel scores", None)
        if values.ndim != 2:
            raise SaliencyError(
                f"pixel scores must have shape (height, width), not {values.shape}; sum over the channels first"
            )
        check_scores(values.shape[0], values.shape[1])
        if not isinstance(self.query, Query):
            raise SaliencyError(f"query must be a Query, not {type(self.query).__name__}")
        _agrees_with_sign(values, self.signed)
        object.__setattr__(self, "scores", values)
        object.__setattr__(self, "floor", _floor(self.floor, self.signed))
        object.__setattr__(self, "id", None if self.id is None else str(self.id))
        check_texts(id=self.id, method=self.method)
        if self.image is not None:
            object.__setattr__(self, "image", _image(self.image, values.shape))
        if self.masks is not None:
            masks, names = _masks(self.masks, self.mask_names, values.shape)
            object.__setattr__(self, "masks", masks)
            object.__setattr__(self, "mask_names", names)
        elif self.mask_names is not None:
            raise SaliencyError("mask_names were given without masks")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PixelSaliency):
            return NotImplemented
        same = (self.query, self.signed, self.mask_names, self.id, self.method, self.floor) == (
            other.query, other.signed, other.mask_names, other.id, other.method, other.floor,
        )  # fmt: skip
        return same and all(
            (mine is None and theirs is None) or (mine is not None and theirs is not None and np.array_equal(mine, theirs))
            for mine, theirs in ((self.scores, other.scores), (self.image, other.image), (self.masks, other.masks))
        )

    def __hash__(self) -> int:
        return hash((self.scores.tobytes(), self.query))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return (self.scores.shape[0], self.scores.shape[1])

    @property
    def saliency_id(self) -> str:
        """The record's id, or a digest of its content if it has no id."""
        return self.id or _digest(repr(self.scores.shape).encode(), self.scores.tobytes(), repr(self.query).encode())


Saliency: TypeAlias = TokenSaliency | PixelSaliency


def _finite(scores: ArrayLike, what: str, words: Sequence[str] | None) -> Floats:
    try:
        values = np.array(to_numpy(checked_numbers(scores)), dtype=np.float64)
    except (TypeError, ValueError, OverflowError, MemoryError, RecursionError) as error:
        raise SaliencyError(f"{what} must be numbers: {in_words(error)}") from None
    fine = np.isfinite(values)
    if not fine.all():
        index = tuple(int(i) for i in np.unravel_index(int(fine.argmin()), values.shape))
        place = f"of token {index[0]} ({words[index[0]]!r:.80})" if words and index and index[0] < len(words) else f"at {index}"
        raise SaliencyError(f"the score {place} is {values[index]}; every score must be a finite number")
    values.setflags(write=False)
    return values


def _agrees_with_sign(values: Floats, signed: bool) -> None:
    if not signed and values.size and values.min() < 0:
        raise SaliencyError(f"the map is said to be unsigned but holds negative scores; pass {argument('signed', True)}")


def _floor(floor: Any, signed: bool) -> float | None:
    if floor is None:
        return None
    if signed:
        raise SaliencyError("a floor has no effect on a signed map, whose zero has a meaning; leave it out")
    given = np.asarray(to_numpy(floor))
    found = given if given.dtype.kind in "iuf" else np.array(np.nan)
    if found.shape or not np.isfinite(found):
        raise SaliencyError(f"the floor must be one number, not {floor!r:.80}")
    return float(found)


def _offsets(
    words: tuple[str, ...], text: str | None, offsets: Sequence[tuple[int, int]] | None, *, check: bool = True
) -> tuple[tuple[int, int], ...] | None:
    if text is None:
        if offsets is not None:
            raise SaliencyError("offsets were given without the text they point into")
        return None
    if offsets is None:
        try:
            return align_tokens(words, text)
        except ValueError as error:
            raise SaliencyError(str(error)) from None
    try:
        places = tuple((whole(start), whole(stop)) for start, stop in offsets)
    except (TypeError, ValueError, OverflowError):
        raise SaliencyError(f"offsets must be (start, stop) for each token, not {offsets!r:.80}") from None
    if len(places) != len(words):
        raise SaliencyError(f"there are {len(words)} tokens but {len(places)} offsets; give one (start, stop) for each token")
    for index, (start, stop) in enumerate(places):
        if not 0 <= start <= stop <= len(text):
            raise SaliencyError(f"the offsets {(start, stop)} of token {index} lie outside the text of {len(text)} characters")
    if check:
        try:
            check_places(words, text, places)
        except ValueError as error:
            raise SaliencyError(str(error)) from None
    return places


def _image(image: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float32]:
    given = tuple(getattr(image, "shape", shape))
    try:  # a copy: the map must not change when the caller's array does
        pixels = np.array(read_image(image)) if given[:2] == shape else None
    except UsageError as error:
        raise SaliencyError(str(error)) from None
    if pixels is None or pixels.shape[:2] != shape:
        have = given if pixels is None else pixels.shape
        raise SaliencyError(f"the image has shape {have}, which does not match the map's {shape} (height, width)")
    pixels.setflags(write=False)
    return pixels


def _masks(masks: ArrayLike, names: Sequence[str] | None, shape: tuple[int, ...]) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    try:
        given = to_numpy(masks)
        flags = np.array(given if given.shape[1:] == shape else [], dtype=bool)
    except (TypeError, ValueError) as error:
        raise SaliencyError(f"masks must be an array of booleans: {error}") from None
    if given.ndim != 3 or given.shape[1:] != shape:
        raise SaliencyError(f"masks have shape {given.shape}; they must be (number, height, width) with the map's {shape}")
    labels = tuple(names) if names is not None else tuple(f"part {i + 1}" for i in range(len(flags)))
    if len(labels) != len(flags):
        raise SaliencyError(f"there are {len(flags)} masks but {len(labels)} mask names")
    flags.setflags(write=False)
    return flags, checked_names(labels, "mask name")


def _digest(*chunks: bytes) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()[:12]
