"""Evaluates prompts and pair descriptions against the template alone and against controls."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.encoders import truncated_of, unit_rows
from agents.prompting.descriptions.captions import class_vectors
from agents.prompting.descriptions.differential import DifferentialClassifier
from agents.prompting.descriptions.pairs import as_pairs
from evals.prompts import controls as prompt_controls
from evals.prompts.comparison import LEVEL, Comparison, compare, mcnemar
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agents.encoders import ImageTextEncoder
    from agents.prompting.descriptions.pairs import PairDescriptions


@dataclass(frozen=True)
class Control:
    """The accuracy of prompts that lack the information in the descriptions, for comparison.

    Attributes:
        name: "class name alone", "80 templates", "random words" or "shuffled class".
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


@dataclass(frozen=True)
class PromptReport:
    """Evidence for or against prompts or pair descriptions.

    Attributes:
        comparison: the comparison with the template alone.
        controls: the results of the controls.
        missing: pairs (i, j) of class indices that some image needed and that have no description.
        truncated: how many texts the encoder cut because they were too long.
        requests: how many requests the descriptions cost; `None` if unknown.
        tokens: how many tokens they cost; `None` if unknown.
    """

    comparison: Comparison
    controls: tuple[Control, ...]
    missing: tuple[tuple[int, int], ...] = ()
    truncated: int = 0
    requests: int | None = None
    tokens: int | None = None

    @property
    def words_matter(self) -> bool:
        """Whether the prompts are significantly better than every draw of the controls "random words" and "shuffled class"."""
        tests = [one for one in self.controls if one.name in {"random words", "shuffled class"}]
        return bool(tests) and all(one.p < LEVEL and one.fixed > one.broken for one in tests)

    @property
    def verdict(self) -> str:
        """The conclusion, in at most two sentences."""
        said = self.comparison.verdict
        if not self.controls:
            return said
        if self.words_matter:
            return f"{said} Random words and another class's descriptions do worse, so the meaning of the words matters."
        return (
            f"{said} Random words or another class's descriptions do as well within the noise, so nothing here shows that "
            f"the meaning of the words matters."
        )

    def to_dict(self) -> dict[str, Any]:
        """The report as a dictionary that can be written as JSON, version 1."""
        return {"version": 1, **asdict(self), "verdict": self.verdict}


def evaluate_prompts(
    encoder: ImageTextEncoder,
    class_names: Sequence[str],
    prompts: Mapping[str, Sequence[str]],
    embeddings: NDArray[np.float32],
    labels: NDArray[np.integer],
    *,
    template: str = "a photo of a {}.",
    draws: int = 5,
    seed: int = 0,
    requests: int | None = None,
    tokens: int | None = None,
) -> PromptReport:
    """Compare prompts with the template alone and with controls. The images must not have been used to choose the prompts.

    Args:
        encoder: the encoder that made the image embeddings; it encodes the texts.
        class_names: the K classes.
        prompts: prompts by class name; a class vector is the mean of their embeddings.
        embeddings: N×D image embeddings.
        labels: N class indices.
        template: the prompt to compare with; prompts of random words begin with it, too.
        draws: how often each random control is drawn; 0 leaves all controls out.
        seed: seed of the draws and of the bootstrap.
        requests: how many requests the prompts cost, for the report.
        tokens: how many tokens they cost.

    Raises:
        UsageError: a class has no prompts, or the numbers of embeddings and labels differ.
    """
    rows, truth = unit_rows(embeddings), np.asarray(labels)
    if missing := [name for name in class_names if not prompts.get(name)]:
        raise UsageError(f"{len(missing)} class(es) have no prompts, {missing[0]!r} first")
    own = {name: list(prompts[name]) for name in class_names}

    def decide(texts: Mapping[str, Sequence[str]]) -> NDArray[np.int64]:
        decided: NDArray[np.int64] = (rows @ class_vectors(encoder, list(texts.values())).T).argmax(axis=1)
        return decided

    before = decide({name: [template.format(name)] for name in class_names})
    after = decide(own)
    controls: list[Control] = []
    if draws:
        seeds = [seed + number for number in range(draws)]
        controls = [
            _control("class name alone", [decide(prompt_controls.class_names_alone(class_names))], after, truth),
            _control("80 templates", [decide(prompt_controls.eighty_templates(class_names))], after, truth),
            _control(
                "random words",
                [decide(prompt_controls.random_words(own, seed=one, template=template)) for one in seeds],
                after,
                truth,
            ),
            _control(
                "shuffled class", [decide(prompt_controls.shuffled_classes(own, seed=one)) for one in seeds], after, truth
            ),
        ]
    return PromptReport(
        comparison=compare(before, after, truth, class_names, seed=seed),
        controls=tuple(controls),
        truncated=truncated_of(encoder),
        requests=requests,
        tokens=tokens,
    )


def evaluate_pairs(
    encoder: ImageTextEncoder,
    class_names: Sequence[str],
    pairs: PairDescriptions | Mapping[Any, Any] | str | os.PathLike[str],
    embeddings: NDArray[np.float32],
    labels: NDArray[np.integer],
    *,
    k: int = 10,
    template: str = "a photo of a {}.",
    mix: float = 1.0,
    draws: int = 5,
    seed: int = 0,
    requests: int | None = None,
    tokens: int | None = None,
) -> PromptReport:
    """Compare the decisions of the follow-up, made by pair descriptions, with those of the first look and of controls.

    The arguments are those of `evaluate_prompts` and of `DifferentialClassifier`.
    """
    described, truth = as_pairs(pairs, class_names), np.asarray(labels)
    rows = unit_rows(embeddings)

    def follow_up(with_pairs: PairDescriptions) -> NDArray[np.int64]:
        classifier = DifferentialClassifier(encoder, class_names, with_pairs, k=k, template=template, mix=mix)
        return classifier.predict_embedded(rows).final

    def decide(texts: Mapping[str, Sequence[str]]) -> NDArray[np.int64]:
        decided: NDArray[np.int64] = (rows @ class_vectors(encoder, list(texts.values())).T).argmax(axis=1)
        return decided

    classifier = DifferentialClassifier(encoder, class_names, described, k=k, template=template, mix=mix)
    result = classifier.predict_embedded(rows)
    controls: list[Control] = []
    if draws:
        seeds = [seed + number for number in range(draws)]
        words = [prompt_controls.random_word_pairs(described, class_names, seed=one, template=template) for one in seeds]
        others = [prompt_controls.shuffled_class_pairs(described, class_names, seed=one) for one in seeds]
        controls = [
            _control("class name alone", [decide(prompt_controls.class_names_alone(class_names))], result.final, truth),
            _control("80 templates", [decide(prompt_controls.eighty_templates(class_names))], result.final, truth),
            _control("random words", [follow_up(one) for one in words], result.final, truth),
            _control("shuffled class", [follow_up(one) for one in others], result.final, truth),
        ]
    return PromptReport(
        comparison=compare(result.first, result.final, truth, class_names, seed=seed),
        controls=tuple(controls),
        missing=result.missing,
        truncated=truncated_of(encoder),
        requests=requests,
        tokens=tokens,
    )


def _control(
    name: str, decisions: Sequence[NDArray[np.int64]], after: NDArray[np.int64], labels: NDArray[np.integer]
) -> Control:
    accuracies = [float((one == labels).mean()) for one in decisions]
    best = decisions[int(np.argmax(accuracies))] == labels
    right = after == labels
    fixed, broken = int((right & ~best).sum()), int((best & ~right).sum())
    return Control(name, tuple(accuracies), fixed, broken, mcnemar(fixed, broken))
