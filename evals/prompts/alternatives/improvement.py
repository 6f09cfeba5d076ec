"""Searches prompts, compares them with what a user would pick instead, and picks a method."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.encoders import unit_rows
from agents.encoders.remembering import RememberingEncoder
from agents.few_shot import METHODS, FewShotClassifier, find_method
from agents.prompting import PromptOptimizer, PromptSet
from evals.prompts.alternatives.choice import pick
from evals.prompts.alternatives.cross_validation import HeldOut, cross_validate
from evals.prompts.alternatives.table import MethodRow, table_text, verdict
from evals.prompts.alternatives.texts import plain_prompts, text_vectors
from evals.prompts.comparison import mcnemar, wilson
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from agents.encoders import ImageTextEncoder
    from agents.prompting import Step

Labelled = tuple["NDArray[np.floating]", "NDArray[np.integer]"]
"""Embeddings N×D and N class indices."""


@dataclass(frozen=True, eq=False)
class Improvement:
    """What came out, and the evidence.

    Attributes:
        method: the method that was picked, or asked for.
        reason: why, in a sentence.
        prompts: prompts that any program can use: those of the method where it is one of texts alone, else the optimised ones.
        classifier: the classifier of the method; None where its prompts are all of it.
        rows: the table, one row per method.
        folds: how many folds the shots were divided into; 0 where none could be held out.
        pinned: how many pinned images the template alone gets right.
        decisions: method -> its decisions on the test images; empty without them.
        absent: classes without shots. A probe without texts never answers them, so it is not picked.
    """

    method: str
    reason: str
    prompts: PromptSet
    classifier: FewShotClassifier | None
    rows: tuple[MethodRow, ...]
    folds: int
    pinned: int
    decisions: Mapping[str, NDArray[np.int64]]
    absent: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """Whether another method does better than the optimised prompts, in a sentence."""
        return verdict(self.rows)

    def text(self) -> str:
        """The table and both sentences, as lines."""
        return "\n".join([table_text(self.rows, self.method, self.pinned), f"{self.reason}.", self.verdict])

    def to_dict(self) -> dict[str, Any]:
        """The table as a dictionary that can be written as JSON."""
        return {
            "method": self.method,
            "reason": self.reason,
            "verdict": self.verdict,
            "folds": self.folds,
            "pinned": self.pinned,
            "methods": [asdict(row) for row in self.rows],
        }


def improve_prompts(
    encoder: ImageTextEncoder,
    class_names: Sequence[str],
    embeddings: NDArray[np.floating],
    labels: NDArray[np.integer],
    library: Mapping[str, Sequence[str]] | None = None,
    *,
    method: str = "auto",
    folds: int = 5,
    repeats: int = 1,
    searches: int = 1,
    seed: int = 0,
    template: str = "a photo of a {}.",
    must_not_break: Labelled | None = None,
    test: Labelled | None = None,
    texts_only: bool = False,
    state: str | os.PathLike[str] | None = None,
    progress: Callable[[Step], None] | None = None,
    **search: Any,
) -> Improvement:
    """Search prompts with a few labelled images, and compare them with plain alternatives on images that none has seen.

    Cross-validation searches anew in every fold, so that no method is judged on images it has learned from; with one image per
    class there is none. "auto" then picks by rule, else by held-out shots (`evals.prompts.alternatives.choice`).

    Args:
        encoder: the encoder that made the image embeddings; it encodes the texts.
        class_names: the K classes.
        embeddings: n×D embeddings of the shots.
        labels: n class indices.
        library: descriptions by class name.
        method: "auto", or a name of `agents.few_shot.METHODS`.
        folds: the most folds of the cross-validation; 0 leaves it out.
        repeats: how often the folds are drawn anew.
        searches: with how many seeds, from `seed` on, the search with all shots runs; the one that is best over its folds is
            taken, without folds the one that is fittest on the shots. The search in each fold runs once, so that what the
            table says of prompts is what one search gives.
        seed: seed of the search and of the folds.
        template: the template that the search starts from.
        must_not_break: pinned images: a method that gets one wrong which the template alone gets right is not picked.
        test: images that nothing here has seen, for the table only; the choice does not look at them.
        texts_only: pick among the methods that prompts alone can express.
        state: the state file of the search with all shots.
        progress: called after every iteration of that search.
        **search: further options of `PromptOptimizer`.

    Raises:
        UsageError: the arrays do not fit together, there is no such method, or the method asked for breaks a pinned image.
    """
    names = list(class_names)
    if method != "auto" and find_method(method).fit is not None and texts_only:
        raise UsageError(f"the method {method} is more than prompts; choose auto or one of texts alone")
    if folds < 0 or folds == 1:
        raise UsageError(f"folds must be 0 for none, or at least 2, not {folds}")
    for option, count in (("repeats", repeats), ("searches", searches)):
        if count < 1:
            raise UsageError(f"{option} must be at least 1, not {count}")
    looker = RememberingEncoder(encoder)
    rows, described = unit_rows(embeddings), dict(library or {})

    def searched(part: NDArray[np.float32], truth: NDArray[np.int64], pins: Labelled | None, **more: Any) -> PromptSet:
        optimizer = PromptOptimizer(looker, names, seed=seed, template=template, **search, **more)
        return optimizer.fit_embedded(part, truth, described, must_not_break=pins)

    started = time.perf_counter()
    found = searched(
        rows, np.asarray(labels), must_not_break, state=state, progress=progress, folds=None if folds else 0, repeats=searches
    )
    # In each fold the kind of prompts is the one that all shots chose: choosing anew there would cost folds within folds.
    kind = found.cross_validation.chosen if found.cross_validation else None
    searching = time.perf_counter() - started
    truth = np.asarray(labels, dtype=np.int64)
    prompts = {**plain_prompts(names, described, template)}
    vectors = text_vectors(looker, prompts, described)
    vectors["prompts"] = found.class_vectors(looker)
    compared = [name for name in METHODS if described or name != "descriptions" or name == method]
    classifiers: dict[str, FewShotClassifier] = {}
    seconds: dict[str, float] = {}
    for name in compared:
        started = time.perf_counter()
        classifiers[name] = METHODS[name](rows, truth, vectors[METHODS[name].texts])
        seconds[name] = time.perf_counter() - started + (searching if METHODS[name].texts == "prompts" else 0.0)
    held_out = None
    if folds:
        held_out = cross_validate(
            rows, truth, vectors, lambda part, own: searched(part, own, None, folds=0, kind=kind).class_vectors(looker),
            compared, folds=folds, repeats=repeats, seed=seed,
        )  # fmt: skip
    broken, pins = _broken(classifiers, must_not_break)
    absent = [names[number] for number in np.setdiff1d(np.arange(len(names)), truth)]
    chosen, reason = _chosen(method, held_out, compared, broken, absent, folds=folds, texts_only=texts_only)
    decisions = {} if test is None else {name: one.predict(test[0]) for name, one in classifiers.items()}
    table = _rows(compared, chosen, held_out, decisions, test, broken, seconds, len(truth))
    texts = METHODS[chosen].texts
    return Improvement(
        method=chosen,
        reason=reason,
        prompts=replace(found, prompts=prompts[texts]) if METHODS[chosen].fit is None and texts != "prompts" else found,
        classifier=None if METHODS[chosen].fit is None else classifiers[chosen],
        rows=table,
        folds=0 if held_out is None else held_out.folds,
        pinned=pins,
        decisions=decisions,
        absent=tuple(absent),
    )


def _broken(classifiers: Mapping[str, FewShotClassifier], pinned: Labelled | None) -> tuple[dict[str, int], int]:
    """How many pinned images each method breaks, and how many there are to break: those that the template alone gets right."""
    if pinned is None:
        return dict.fromkeys(classifiers, 0), 0
    truth = np.asarray(pinned[1])
    before = classifiers["template"].predict(pinned[0]) == truth
    return {name: int((before & (one.predict(pinned[0]) != truth)).sum()) for name, one in classifiers.items()}, int(
        before.sum()
    )


def _chosen(
    method: str,
    held_out: HeldOut | None,
    compared: Sequence[str],
    broken: Mapping[str, int],
    absent: Sequence[str],
    *,
    folds: int,
    texts_only: bool,
) -> tuple[str, str]:
    if method != "auto":
        if broken[method]:
            raise UsageError(
                f"the method {method} gets {broken[method]} pinned image(s) wrong that the template alone gets right; "
                f"choose auto, which picks among methods that break none, or pin fewer images"
            )
        return method, f"{method} was asked for"
    allowed = [name for name in compared if not broken[name] and not (texts_only and METHODS[name].fit is not None)]
    if absent:  # which a probe without texts can never answer
        allowed = [name for name in allowed if name != "probe"]
    chosen, reason = pick(None if held_out is None else held_out.right, allowed)
    if held_out is None and not folds:
        reason = f"{chosen} was picked by rule, since cross-validation was left out"
    breaking = [name for name in compared if broken[name]]
    return chosen, f"{reason}; not picked because they break pinned images: {', '.join(breaking)}" if breaking else reason


def _rows(
    compared: Sequence[str],
    chosen: str,
    held_out: HeldOut | None,
    decisions: Mapping[str, NDArray[np.int64]],
    test: Labelled | None,
    broken: Mapping[str, int],
    seconds: Mapping[str, float],
    shots: int,
) -> tuple[MethodRow, ...]:
    """One row per method."""
    rows: list[MethodRow] = []
    truth = None if test is None else np.asarray(test[1])
    for name in compared:
        if truth is not None:
            own, other, texts = (decisions[one] == truth for one in (name, chosen, "prompts"))
        elif held_out is not None:
            # the first repeat stands for all: the test needs independent images, and repeats are not
            own, other, texts = (held_out.first[one] for one in (name, chosen, "prompts"))
        else:
            own = other = texts = np.zeros(0, dtype=bool)
        better, worse = int((own & ~other).sum()), int((other & ~own).sum())
        ahead, behind = int((own & ~texts).sum()), int((texts & ~own).sum())
        folds = None if held_out is None else held_out.right[name]
        rows.append(
            MethodRow(
                name=name,
                words=METHODS[name].words,
                held_out=None if folds is None else wilson(round(float(folds.sum())), len(folds)),
                test=None if truth is None else wilson(int((decisions[name] == truth).sum()), len(truth)),
                better=better,
                worse=worse,
                p=mcnemar(better, worse),
                ahead=ahead,
                behind=behind,
                p_prompts=mcnemar(ahead, behind),
                broken=broken[name],
                shots=shots if METHODS[name].fit is not None or METHODS[name].texts == "prompts" else 0,
                requests=0,
                seconds=seconds[name],
            )
        )
    return tuple(rows)
