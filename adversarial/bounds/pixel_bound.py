"""Between which numbers the fewest pixels lie that flip a decision, how that was proved, and both in words and as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from adversarial.bounds.pixel_words import pixel_bound_in_words, pixels_in_words
from adversarial.findings.words import class_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float32]

VERSION = 1  # of the form of `PixelBound.to_json`


@dataclass(frozen=True, kw_only=True)
class PixelProof:
    """What was done to prove a lower bound.

    Attributes:
        pixels: the largest t for which it is proved that no t pixels flip the class, 0 if none.
        asked: the largest t that was asked for.
        finished: whether nothing was left to do: all t up to `asked` were proved, or an example of t + 1 pixels is known.
        share: of the sets of t + 1 pixels, the share that was proved before the time ran out.
        blocks: sets of sets of pixels that were bounded, each by one computation.
        seconds: the time it took, all runs of a resumed proof together.
        rounding: how much the label's score must be ahead of any other in the computation, to make up for rounding errors of
            the computation itself and of inference in float32.
        network: what was proved about, in words, such as "this ONNX file".
        image_pixels: how many pixels the image has; None where that is not known.
        digest: a text that is another one for other weights, another image or label, or another number of `pixels`; by it a
            later proof knows whether it may go on from this one. "" where that is not known.
    """

    pixels: int
    asked: int
    finished: bool
    share: float
    blocks: int
    seconds: float
    rounding: float
    network: str
    image_pixels: int | None = None
    digest: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class PixelBound:
    """Between which numbers the fewest pixels lie that flip an image's class, all channels of a pixel together.

    Attributes:
        lower: no fewer pixels flip the class, whatever their values in [0, 1]. One more than the image has where nothing flips
            it. 0 where the image is not classified as its label, or where scores tie, so that rounding decides it.
        upper: the pixels that `witness` changes; infinite where no example is known.
        label: the class of the image.
        witness: (H, W, C) float32, an adversarial example, or None.
        witness_label: its class, or None.
        proof: how the lower bound was proved.
    """

    lower: int
    upper: float
    label: int
    witness: Floats | None
    witness_label: int | None
    proof: PixelProof

    def __str__(self) -> str:
        return self.statement()

    def __repr__(self) -> str:
        witness = "None" if self.witness is None else f"<image of shape {self.witness.shape}>"
        told = f"lower={self.lower}, upper={self.upper}, label={self.label}, witness={witness}"
        return f"PixelBound({told}, witness_label={self.witness_label}, proof=<{self.proof.seconds:.3g} seconds>)"

    @property
    def exact(self) -> bool:
        """Whether both bounds meet."""
        return self.lower == self.upper

    @property
    def condition(self) -> str:
        """Under what the lower bound holds, in words."""
        return f"for {self.proof.network}, pixel values in [0, 1], rounding accounted for"

    def statement(self, class_names: Sequence[str] | None = None) -> str:
        """Both bounds in a sentence or two, with the condition; see `adversarial.bounds.pixel_words`.

        Args:
            class_names: one name per class; without them, classes are numbered.
        """
        proof = self.proof
        return pixel_bound_in_words(
            lower=self.lower,
            upper=self.upper,
            label=class_name(self.label, class_names),
            now=None if self.witness_label is None else class_name(self.witness_label, class_names),
            condition=self.condition,
            still_open=None if proof.finished else 1 - proof.share,
            image_pixels=proof.image_pixels,
        )

    def to_json(self, class_names: Sequence[str] | None = None) -> dict[str, Any]:
        """The bounds as plain JSON values, with a version, without the pictures; an infinite upper bound becomes None.

        Args:
            class_names: as for `statement`.
        """

        def named(index: int | None) -> dict[str, Any] | None:
            if index is None:
                return None
            known = class_names is not None and 0 <= index < len(class_names)
            return {"index": int(index), "name": class_names[index] if class_names is not None and known else None}

        return {
            "version": VERSION,
            "statement": self.statement(class_names),
            "condition": self.condition,
            "pixels": pixels_in_words(self.lower, self.upper, self.proof.image_pixels),
            "lower": int(self.lower),
            "upper": None if self.upper == math.inf else int(self.upper),
            "exact": self.exact,
            "label": named(self.label),
            "adversarial_label": named(self.witness_label),
            "proof": asdict(self.proof),
        }
