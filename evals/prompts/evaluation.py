"""Evaluates prompts and pair descriptions against the template alone and against controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from agents.encoders import truncated_of, unit_rows
from agents.encoders.remembering import RememberingEncoder
from agents.prompting import DifferentialClassifier, class_vectors
from agents.prompting.descriptions.pairs import as_pairs
from agents.prompting.second_look.first_look import first_look_words
from evals.prompts import controls as prompt_controls
from evals.prompts.comparison import compare
from evals.prompts.evidence import Control, PromptReport, control_of
from evals.prompts.nameless import NEUTRAL, pairs_without_class_names, without_class_names
from evals.prompts.sweep import sweep_of
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from agents.encoders import ImageTextEncoder
    from agents.prompting import PairDescriptions
    from agents.prompting.second_look.aggregation import Aggregate
    from agents.prompting.second_look.first_look import FirstLook
    from saywhy_core.progress import OnProgress

    Decisions = NDArray[np.int64]


T = TypeVar("T")


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
    neutral: str = NEUTRAL,
    requests: int | None = None,
    tokens: int | None = None,
    on_progress: OnProgress | None = None,
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
        seed: seed of the draws.
        neutral: the noun in the place of class names in the control without them, such as a word for what all classes are.
        requests: how many requests the prompts cost, for the report.
        tokens: how many tokens they cost.
        on_progress: called with (sets of texts by which all images are decided, such sets in all): the template, the prompts
            and each draw of each control.

    Raises:
        UsageError: a class has no prompts, or the numbers of embeddings and labels differ.
    """
    rows, truth = unit_rows(embeddings), np.asarray(labels)
    if missing := [name for name in class_names if not prompts.get(name)]:
        raise UsageError(f"{len(missing)} class(es) have no prompts, {missing[0]!r} first")
    own = {name: list(prompts[name]) for name in class_names}
    step = _steps(2 + _of_controls(draws), on_progress)
    decide = _by_prompts(encoder, rows, class_names, step)
    before = decide({name: [template.format(name)] for name in class_names})
    after = decide(own)
    seeds = [seed + number for number in range(draws)]
    nameless = without_class_names(own, neutral=neutral) if draws else {}
    decide_bare = _by_prompts(RememberingEncoder(encoder), rows, class_names, step)
    return PromptReport(
        comparison=compare(before, after, truth, class_names),
        **_controlled(
            class_names,
            decide,
            after,
            truth,
            [decide(prompt_controls.random_words(own, seed=one, template=template)) for one in seeds],
            [decide(prompt_controls.shuffled_classes(own, seed=one)) for one in seeds],
            [decide_bare(nameless)] if draws else [],
            [decide_bare(prompt_controls.exchanged(nameless, seed=one)) for one in seeds],
        ),
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
    first: FirstLook = "template",
    aggregate: Aggregate = "embeddings",
    ks: Sequence[int] = (),
    draws: int = 5,
    seed: int = 0,
    neutral: str = NEUTRAL,
    requests: int | None = None,
    tokens: int | None = None,
    on_progress: OnProgress | None = None,
) -> PromptReport:
    """Compare the decisions of the follow-up, made by pair descriptions, with those of the first look and of controls.

    The same captions without a follow-up always stand beside it: a class has the mean of its captions from all pairs, and an
    image gets the most similar class of all. The control without class names keeps the candidates of the first look, which
    knows the names; among these the descriptions decide alone, whatever `mix` is.

    The arguments are those of `evaluate_prompts` and of `DifferentialClassifier`; with `ks` the report has a sweep over these
    numbers of candidates (`k_sweep`).
    """
    described, truth = as_pairs(pairs, class_names), np.asarray(labels)
    if not len(class_names) or not len(truth):
        raise UsageError("there are no classes or no images to evaluate pairs on")
    if ks and not 1 <= min(ks) <= max(ks) <= len(class_names):
        raise UsageError(f"numbers of candidates go from 1 to {len(class_names)}, as the classes do, not {list(ks)!r:.80}")
    rows = unit_rows(embeddings)

    remembering = RememberingEncoder(encoder)

    def looker(
        with_pairs: PairDescriptions, k: int = k, mix: float = mix, encoder: ImageTextEncoder = encoder
    ) -> DifferentialClassifier:
        return DifferentialClassifier(
            encoder, class_names, with_pairs, k=k, template=template, mix=mix, first=first, aggregate=aggregate
        )

    def follow_up(with_pairs: PairDescriptions) -> Decisions:
        return step(looker(with_pairs).predict_embedded(rows).final)

    def nameless(with_pairs: PairDescriptions) -> Decisions:
        needed = [*described, *result.missing]
        bare = pairs_without_class_names(with_pairs, class_names, needed=needed, template=template, neutral=neutral)
        return step(looker(bare, mix=1.0, encoder=remembering).predict_embedded(rows).final)

    step = _steps(2 + _of_controls(draws) + bool(ks), on_progress)
    decide = _by_prompts(encoder, rows, class_names, step)
    classifier = looker(described)
    result = step(classifier.predict_embedded(rows))
    captions = described.by_class(class_names)
    averaged = decide({name: texts or [template.format(name)] for name, texts in captions.items()})
    seeds = [seed + number for number in range(draws)]
    words = [prompt_controls.random_word_pairs(described, class_names, seed=one, template=template) for one in seeds]
    others = [prompt_controls.shuffled_class_pairs(described, class_names, seed=one) for one in seeds]
    steps = sorted(set(ks))
    return PromptReport(
        comparison=compare(result.first, result.final, truth, class_names),
        **_controlled(
            class_names,
            decide,
            result.final,
            truth,
            [follow_up(one) for one in words],
            [follow_up(one) for one in others],
            [nameless(described)] if draws else [],
            [nameless(one) for one in others],
        ),
        missing=result.missing,
        truncated=truncated_of(encoder),
        requests=requests,
        tokens=tokens,
        first=first_look_words(first),
        averaged=control_of("captions averaged", [averaged], result.final, truth),
        sweep=step(sweep_of(looker(described, k=steps[-1]), rows, truth, steps)) if steps else None,
    )


def _of_controls(draws: int) -> int:
    """How many sets of texts the controls have: two without chance, the descriptions without class names, and three drawn."""
    return 3 + 3 * draws if draws else 0


def _steps(total: int, on_progress: OnProgress | None) -> Callable[[T], T]:
    """A function that takes each result, tells that one more is there, and gives it back."""
    done = 0

    def step(result: T) -> T:
        nonlocal done
        done += 1
        if on_progress is not None:
            on_progress(done, total)
        return result

    return step


def _by_prompts(
    encoder: ImageTextEncoder,
    rows: NDArray[np.float32],
    class_names: Sequence[str],
    step: Callable[[Decisions], Decisions],
) -> Callable[[Mapping[str, Sequence[str]]], Decisions]:
    def decide(texts: Mapping[str, Sequence[str]]) -> Decisions:
        by_class = [list(texts[name]) for name in class_names]  # the list may name two classes alike
        decided: Decisions = (rows @ class_vectors(encoder, by_class).T).argmax(axis=1)
        return step(decided)

    return decide


def _controlled(
    class_names: Sequence[str],
    decide: Callable[[Mapping[str, Sequence[str]]], Decisions],
    after: Decisions,
    truth: NDArray[np.integer],
    words: Sequence[Decisions],
    shuffled: Sequence[Decisions],
    nameless: Sequence[Decisions],
    nameless_shuffled: Sequence[Decisions],
) -> dict[str, Any]:
    """The controls, and the descriptions without class names held against those of other classes; nothing without draws."""
    if not words:
        return {"controls": ()}
    named: list[tuple[str, Sequence[Decisions]]] = [
        ("class name alone", [decide(prompt_controls.class_names_alone(class_names))]),
        ("80 templates", [decide(prompt_controls.eighty_templates(class_names))]),
        ("random words", words),
        ("shuffled class", shuffled),
        ("without class names", nameless),
    ]
    controls: tuple[Control, ...] = tuple(control_of(name, decisions, after, truth) for name, decisions in named)
    return {
        "controls": controls,
        "alone": control_of("shuffled class, without class names", nameless_shuffled, nameless[0], truth),
    }
