"""The report on prompts: a comparison, controls, and a verdict that claims no more than their tests allow."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.prompts.comparison import LEVEL, Comparison, holm, mcnemar
from evals.prompts.controls import SHOWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from evals.prompts.sweep import KSweep


@dataclass(frozen=True)
class Control:
    """The accuracy of prompts that lack the information in the descriptions, for comparison.

    Attributes:
        name: one of the names of `controls.SHOWS`, which says what each is a measure of.
        accuracies: one per draw; a control without randomness has only one.
        fixed: how many images the evaluated prompts get right and the control's best draw gets wrong.
        broken: how many images the control's best draw gets right and the evaluated prompts get wrong.
        p: the p value of the exact McNemar test of these counts.
    """

    name: str
    accuracies: tuple[float, ...]
    fixed: int
    broken: int
    p: float

    @property
    def mean(self) -> float:
        """The mean accuracy over draws."""
        return float(np.mean(self.accuracies))

    @property
    def p_of_gain(self) -> float:
        """P where the evaluated prompts are better than the control's best draw, else 1: a claim to be better rests on it."""
        return self.p if self.fixed > self.broken else 1.0


@dataclass(frozen=True)
class PromptReport:
    """Evidence for or against prompts or pair descriptions.

    Three claims beside the comparison may be made, each where its test allows it at the 5 % level with regard to the number of
    claims (Holm 1979): that it matters which words stand with which class (better than the best draw of "random words" and of
    "shuffled class"; for a claim that needs both tests the larger p counts, without further correction: Berger 1982), that
    descriptions tell classes apart by themselves (`alone`), and that the follow-up adds something (`averaged`).

    Attributes:
        comparison: the comparison with the template alone, or with another first look.
        controls: the results of the controls.
        missing: pairs (i, j) of class indices that some image needed and that have no description.
        truncated: how many texts the encoder cut because they were too long.
        requests: how many requests the descriptions cost; `None` if unknown.
        tokens: how many tokens they cost; `None` if unknown.
        first: what the comparison is with.
        averaged: for pairs, the same captions without a follow-up: every class has the mean of its captions from all pairs.
        alone: descriptions without class names, compared with the best draw of those of other classes without class names;
            its accuracies are those of the draws.
        sweep: for pairs, accuracy by the number of candidates, where it was asked for.
        left_out: how many images are in no figure, because the prompts were searched with them or with other copies of them.
        may_be_seen: whether a file does not tell which images it was searched with, so that some may be in the figures.
    """

    comparison: Comparison
    controls: tuple[Control, ...]
    missing: tuple[tuple[int, int], ...] = ()
    truncated: int = 0
    requests: int | None = None
    tokens: int | None = None
    first: str = "template alone"
    averaged: Control | None = None
    alone: Control | None = None
    sweep: KSweep | None = None
    left_out: int = 0
    may_be_seen: bool = False

    @property
    def claims(self) -> dict[str, float]:
        """The p values of the claims that were tested, adjusted for their number: "words", "alone" and "follow-up"."""
        tests = [one for one in self.controls if one.name in {"random words", "shuffled class"}]
        raw = {"words": max(one.p_of_gain for one in tests)} if tests else {}
        raw |= {"alone": self.alone.p_of_gain} if self.alone else {}
        raw |= {"follow-up": self.averaged.p_of_gain} if self.averaged else {}
        return dict(zip(raw, holm(list(raw.values())), strict=True))

    @property
    def words_matter(self) -> bool:
        """Whether the prompts are significantly better than every draw of the controls "random words" and "shuffled class"."""
        return self.claims.get("words", 1.0) < LEVEL

    @property
    def verdict(self) -> str:
        """The conclusion: one sentence about the change, and one about each claim that was tested."""
        said = [self.comparison.verdict]
        claims = self.claims
        if "words" in claims:
            said.append(
                "Random words and another class's descriptions do worse, so it matters which words stand with which class."
                if claims["words"] < LEVEL
                else "Random words or another class's descriptions do as well within the noise, so nothing here shows that "
                "the meaning of the words matters."
            )
        if "alone" in claims:
            said.append(
                "Without class names, too, the descriptions tell the classes apart better than those of other classes."
                if claims["alone"] < LEVEL
                else "Without class names, nothing here shows that the descriptions tell the classes apart."
            )
        if "follow-up" in claims:
            averaged = self.averaged
            worse = averaged is not None and averaged.broken > averaged.fixed and averaged.p < LEVEL
            said.append(
                "The second look does better than the same captions averaged over all pairs."
                if claims["follow-up"] < LEVEL
                else "The same captions averaged over all pairs, without a second look, do better."
                if worse
                else "The same captions averaged over all pairs, without a second look, do as well within the noise."
            )
        return " ".join(said)

    def to_dict(self) -> dict[str, Any]:
        """The report as a dictionary that can be written as JSON, version 1."""
        shown = [{**asdict(one), "shows": SHOWS.get(one.name, "")} for one in self.controls]
        return {"version": 1, **asdict(self), "controls": shown, "claims": self.claims, "verdict": self.verdict}


def control_of(
    name: str, decisions: Sequence[NDArray[np.int64]], after: NDArray[np.int64], labels: NDArray[np.integer]
) -> Control:
    """A control by its decisions (N class indices per draw) and those of the evaluated prompts."""
    accuracies = [float((one == labels).mean()) for one in decisions]
    best = decisions[int(np.argmax(accuracies))] == labels
    right = after == labels
    fixed, broken = int((right & ~best).sum()), int((best & ~right).sum())
    return Control(name, tuple(accuracies), fixed, broken, mcnemar(fixed, broken))
