"""What an audit keeps of each image: the rows of its database, and the pictures."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

Status: TypeAlias = Literal["waiting", "found", "held", "wrong", "failed"]
STATUSES: tuple[Status, ...] = ("waiting", "found", "held", "wrong", "failed")
FINISHED: tuple[Status, ...] = ("found", "held", "wrong")


@dataclass(frozen=True, kw_only=True)
class ImageRecord:
    """One image of an audit, a row of the table `images`.

    Attributes:
        id: its place in the audit, counted from 1.
        name: its name, which no other image of the audit has.
        path: the file that it was read from.
        part: its place in that file, counted from 0; None for a picture.
        status: "waiting"; "found", an adversarial example was found; "held", none was found within the budget; "wrong", the
            classifier saw another class (or the goal) before anything was changed; "failed", it could not be attacked.
        label: the number of the class that it shows; None where that is not known yet.
        label_name: the name of that class.
        predicted: the number of the class that the classifier saw in the original.
        predicted_name: its name.
        adversarial_label: the number of the class that it saw in the adversarial example; None where there is none.
        adversarial_name: its name.
        confidence: the probability of `predicted`; None where the classifier gives no probabilities.
        norm: the distance that was made small, such as "l0".
        distance: of the adversarial example, in that distance; None where none was found.
        distances: the same in every distance.
        queries: all images that were asked about, those of the weather and of the survival included.
        search_queries: those of the search.
        found_after: the query with which the example was found; None where none was.
        trace: pairs of queries and the smallest distance by then.
        changed_pixels: how many pixels the example changes.
        place: where they are, in words.
        sentence: what was found.
        touched: the map of what mattered to the search, in words.
        survives: whether the example stays adversarial when it is saved as "png" or "jpeg".
        height: of the image, in pixels.
        width: of the image, in pixels.
        channels: of the image.
        pixels: a text that changes with the pixels.
        digest: a text that changes with the image and the settings.
        note: what a reader must know besides.
        error: why it could not be attacked.
        file: the file with its arrays, as seen from the audit's folder; None where there is none.
    """

    id: int
    name: str
    path: str
    part: int | None = None
    status: Status = "waiting"
    label: int | None = None
    label_name: str | None = None
    predicted: int | None = None
    predicted_name: str | None = None
    adversarial_label: int | None = None
    adversarial_name: str | None = None
    confidence: float | None = None
    norm: str | None = None
    distance: float | None = None
    distances: Mapping[str, float] = field(default_factory=dict)
    queries: int = 0
    search_queries: int = 0
    found_after: int | None = None
    trace: tuple[tuple[int, float | None], ...] = ()
    changed_pixels: int | None = None
    place: str | None = None
    sentence: str | None = None
    touched: str | None = None
    survives: Mapping[str, bool] = field(default_factory=dict)
    height: int | None = None
    width: int | None = None
    channels: int | None = None
    pixels: str | None = None
    digest: str | None = None
    note: str | None = None
    error: str | None = None
    file: str | None = None


@dataclass(frozen=True, kw_only=True)
class WeatherRecord:
    """What one kind of weather did to one image, a row of the table `weather`.

    Attributes:
        image: the `id` of the image.
        kind: such as "blur".
        severity: from 1 to 5.
        value: what the severity stands for, in the unit of the kind.
        predicted: the class that the classifier saw.
        confidence: its probability; None where the classifier gives no probabilities.
        flipped: whether that is another class than the one that it saw in the original.
    """

    image: int
    kind: str
    severity: int
    value: float
    predicted: int
    confidence: float | None
    flipped: bool


@dataclass(frozen=True, kw_only=True)
class ProofRecord:
    """Between which numbers the fewest pixels lie that flip one image, a row of the table `proofs`.

    Attributes:
        image: the `id` of the image.
        lower: no fewer pixels flip it, see `adversarial.PixelBound`.
        upper: so many do; None where no example is known.
        adversarial_label: the class of the example with so many pixels; None where there is none.
        adversarial_name: its name.
        changed: the example, where it is not that of the attack: a JSON list of [y, x, values]; None where it is.
        sentence: both bounds in words.
        condition: under what the lower bound holds.
        network: what it was proved about, such as "this ONNX file".
        asked: the largest number of pixels that was to be proved.
        allowed: the seconds that were allowed.
        ended: whether the proof came to its end, or to the end of its time; not where it was interrupted.
        finished: whether nothing is left to do.
        share: of the sets of `lower` pixels, the share that was proved.
        blocks: how many bounds were computed.
        seconds: how long it took.
        rounding: how far the label's score had to be ahead of any other, to make up for rounding.
        digest: by it a later proof knows whether it may go on from this one, see `adversarial.PixelProof`.
    """

    image: int
    lower: int
    upper: int | None
    sentence: str
    condition: str
    network: str
    asked: int
    allowed: float
    ended: bool
    finished: bool
    share: float
    blocks: int
    seconds: float
    rounding: float
    adversarial_label: int | None = None
    adversarial_name: str | None = None
    changed: str | None = None
    digest: str = ""

    @property
    def exact(self) -> bool:
        """Whether both bounds meet."""
        return self.lower == self.upper


@dataclass(frozen=True, eq=False)
class ImageArrays:
    """The pictures of one image.

    Attributes:
        original: (H, W, C) float32 in [0, 1].
        adversarial: (H, W, C) the same, or None.
        density: (H, W) what guided the search, or None.
        touched: (H, W) how much each pixel mattered to the search, or None.
    """

    original: NDArray[np.float32]
    adversarial: NDArray[np.float32] | None = None
    density: NDArray[np.float32] | None = None
    touched: NDArray[np.float32] | None = None


def wrong_field(record: ImageRecord | WeatherRecord | ProofRecord) -> str:
    """What in a row can't be, such as "status is 'gone'"; "" where all is well."""
    for one in fields(record):
        value = getattr(record, one.name)
        if not _KINDS[str(one.type)](value):
            return f"{one.name} is {str(value)[:40]!r}"
    return ""


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return _whole(value) or isinstance(value, float)


_KINDS: Mapping[str, Any] = {  # by the annotation of a field
    "int": _whole,
    "int | None": lambda value: value is None or _whole(value),
    "float": _number,
    "float | None": lambda value: value is None or _number(value),
    "str": lambda value: isinstance(value, str),
    "str | None": lambda value: value is None or isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "Status": lambda value: value in STATUSES,
    "Mapping[str, float]": lambda value: isinstance(value, dict) and all(map(_number, value.values())),
    "Mapping[str, bool]": lambda value: isinstance(value, dict) and all(isinstance(one, bool) for one in value.values()),
    "tuple[tuple[int, float | None], ...]": lambda value: (
        isinstance(value, tuple)
        and all(
            isinstance(pair, tuple) and len(pair) == 2 and _whole(pair[0]) and (pair[1] is None or _number(pair[1]))
            for pair in value
        )
    ),
}
