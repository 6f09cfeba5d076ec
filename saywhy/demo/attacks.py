"""Road signs under attack: how few pixels change the decision, and which pixels they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from saywhy.demo.answers import Answer, answer
from saywhy.demo.pictures import clear_signs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from adversarial import PixelBound
    from adversarial.result import AttackResult
    from verbalize.saliency import PixelSaliency
    from verbalize.write.template import TemplateVerbalizer

TARGETS = ("speed limit 30", "give way", "speed limit 80", "keep right")
SECONDS = 4.0  # of each proof: four of them keep the demo below some twenty seconds more
PIXELS = 1  # that is as much as this network, which was not trained to be robust, lets be proved in that time
_MARK = np.array([0.84, 0.37, 0.0], np.float32)  # vermilion, which people with any colour vision can tell from grey


@dataclass(frozen=True)
class AttackCard:
    """One attack: the decision, what it became, and the evidence.

    `text` says what the attack found. `touched` is the map of the pixels that the search changed, in words. `density` is the
    distribution over pixels with which the search began. `proof` is what is proved about the fewest pixels.
    """

    label: str
    becomes: str | None
    result: AttackResult
    text: str
    touched: Answer
    density: PixelSaliency
    proof: PixelBound

    @property
    def proved(self) -> str:
        """What is proved beside the attack, in words."""
        return self.proof.statement(self.class_names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes."""
        from saywhy import signs

        return signs.CLASS_NAMES

    @property
    def changed(self) -> int:
        """The number of pixels that the attack changed."""
        return int(_differs(self.result).sum())

    @property
    def difference(self) -> NDArray[np.float32]:
        """H×W×3: the original in pale grey, with the changed pixels in colour."""
        grey = 0.55 + 0.4 * self.result.original.mean(axis=2, keepdims=True).repeat(3, axis=2)
        return np.asarray(np.where(_differs(self.result)[..., None], _MARK, grey), np.float32)

    @property
    def trace(self) -> list[tuple[int, float]]:
        """Pairs of (queries so far, pixels changed in the best picture so far)."""
        return [(int(queries), float(distance)) for queries, distance in np.asarray(self.result.trace).reshape(-1, 2)]


def _differs(result: AttackResult) -> NDArray[np.bool_]:
    if result.adversarial is None:
        return np.zeros(result.original.shape[:2], bool)
    return np.asarray((result.adversarial != result.original).any(axis=2))


def attack_cards(verbalizer: TemplateVerbalizer, *, budget: int, seed: int = 0) -> Iterator[AttackCard]:
    """Attack one picture of each sign in `TARGETS`."""
    from adversarial import CallableClassifier, FeatureGuidedAttack, fewest_pixels
    from adversarial.findings import finding_in_words
    from saywhy import signs

    names = signs.CLASS_NAMES
    pictures = clear_signs()
    for name in TARGETS:
        classifier = CallableClassifier(signs.load().predict, scores="logits", class_names=names)
        attack = FeatureGuidedAttack(distance="l0", budget=budget, seed=seed)
        (result,) = attack.run(classifier, pictures[name][None], [names.index(name)])
        if result.density is None:
            raise RuntimeError("a search in L0 must return the density that guided it")
        yield AttackCard(
            label=name,
            becomes=None if result.adversarial_label is None else names[result.adversarial_label],
            result=result,
            text=finding_in_words(result, names, budget=budget),
            touched=answer(result.touched, verbalizer),
            density=result.density.saliency(image=result.original),
            proof=fewest_pixels(
                signs.load().module(),
                result.original,
                names.index(name),
                at_most=PIXELS,
                seconds=SECONDS,
                adversarial=result.adversarial,
                seed=seed,
            ),
        )
