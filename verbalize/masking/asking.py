"""Changes in, answers of the model out: many maps at once, in batches, each distinct input once."""

from __future__ import annotations

from dataclasses import replace
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.errors import UsageError
from saywhy_core.reading.records import told
from verbalize.masking.changed_texts import changed_text, text_and_places
from verbalize.masking.effects import Answer, Effects
from verbalize.masking.preparing import mask_inputs
from verbalize.models.image_models import BlackBoxImages, ImageModel
from verbalize.models.opening import as_model
from verbalize.models.text_functions import text_logits
from verbalize.query import Prediction
from verbalize.saliency import PixelSaliency, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from verbalize.masking.effects import Answers, Change
    from verbalize.models.opening import Model
    from verbalize.saliency import Floats, Saliency

Asked: TypeAlias = "tuple[Saliency, Sequence[Change]]"
_Known: TypeAlias = "tuple[Saliency, Sequence[Change], Effects | None]"

# Each way is wrong in its own manner: plain colours draw edges, a blur leaves the large shapes. Noise is not among them: with
# other noise, a sixth of the verdicts on pictures of road signs came out otherwise.
WAYS = {
    "grey": "covered with grey",
    "mean": "covered with the mean colour",
    "blur": "blurred",
}
NOTHING_LEFT = "nothing of the text is left, and what a model says of no text is no decision"
_NO_REPLACEMENT = "what a picture would look like with something else in the place of a region is not known"
_NO_IMAGES = "the model takes images, but the map has none; give the model that the map explains, and the image with the map"
_NO_TEXTS = "the model takes texts, but the map is over pixels; give the model that the map explains"
_TIED = 1e-5  # scores that differ by less than this share of the highest one are a tie: batching alone changes them by 1e-6


def ask_model(
    model: Any,
    asked: Sequence[Asked],
    *,
    known: Sequence[Effects | None] = (),
    class_names: Sequence[str] | None = None,
    batch_size: int = 64,
) -> list[Effects | UsageError]:
    """For each map what the model says of its input and of the changed ones; an error where it could not be asked.

    Words are cut out of the text. Regions of a picture are filled in each of three ways: with grey, with the mean colour,
    and by a blur. Inputs of all maps share the calls of the model, and each distinct input is run once. Where the model
    can't be run on all of them, each map is tried by itself. A map whose question names a class that the model lacks is an
    error: the model is not the one that the map explains.

    Args:
        model: whatever `verbalize.models.as_model` takes.
        asked: maps, each with the changes of its input.
        known: for each map what the model said of its input before, which is not run again; `None` where that is not known.
        class_names: one name per logit, where the model does not know them.
        batch_size: the most inputs in one call of the model.

    Raises:
        UsageError: there is no such model.
    """
    opened = as_model(model, class_names)
    of_images = isinstance(opened, ImageModel | BlackBoxImages)
    told_before = list(known) or [None] * len(asked)
    found: list[Effects | UsageError] = [UsageError(_NO_IMAGES if of_images else _NO_TEXTS)] * len(asked)
    for together in _together(asked, pixels=of_images):
        indices = []
        for index in together:
            lacking = _lacking_class(opened, asked[index][0])
            if lacking is None:
                indices.append(index)
            else:
                found[index] = lacking
        if not indices:
            continue
        chosen = [(*asked[index], told_before[index]) for index in indices]
        if of_images:
            effects = _one_shape(opened, chosen, batch_size)
        else:
            effects = _ask_together(opened, [_Texts(*one) for one in chosen], batch_size)
        for index, answered in zip(indices, effects, strict=True):
            found[index] = _lacking_class(opened, asked[index][0]) or answered  # only its answer may tell how many there are
    return found


def _lacking_class(model: Model, saliency: Saliency) -> UsageError | None:
    """Why a map can't be of this model: its question names a class that the model lacks; or `None`."""
    names, query = tuple(model.class_names), saliency.query
    asked = (*(query.members or (query.label,)), *query.versus)
    lacking = next((name for name in asked if names and name not in names), None)
    if lacking is None:
        return None
    known = ", ".join(repr(name) for name in names[:20])
    return UsageError(
        f"the map asks about {lacking!r:.80}, and the model has no class of that name; its classes are {known}; give the model "
        "that the map explains, and its classes as the map spells them"
    )


def _together(asked: Sequence[Asked], *, pixels: bool) -> list[list[int]]:
    """Which maps share calls of the model: all over texts, or those whose images have one shape."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, (saliency, _) in enumerate(asked):
        if isinstance(saliency, TokenSaliency) and not pixels:
            groups.setdefault((), []).append(index)
        if isinstance(saliency, PixelSaliency) and pixels and saliency.image is not None:
            groups.setdefault(saliency.image.shape, []).append(index)
    return list(groups.values())


class _Texts:
    """The text of a map and its changed texts."""

    def __init__(self, saliency: Saliency, changes: Sequence[Change], known: Effects | None) -> None:
        if not isinstance(saliency, TokenSaliency):
            raise UsageError(_NO_TEXTS)
        self.original = text_and_places(saliency)[0]
        self.changed = {change: changed_text(saliency, change) for change in changes}
        self.known = known
        self.needed = [*([self.original] if known is None else []), *(text for text in self.changed.values() if text.strip())]

    def effects(self, answers: dict[str, Answer], predictions: dict[str, Prediction | None]) -> Effects:
        """The effects, from the answers to the texts and the predictions of the texts as they are."""
        changed: dict[Change, Answers] = {
            change: (answers[text],) if text.strip() else NOTHING_LEFT for change, text in self.changed.items()
        }
        if self.known is not None:
            return replace(self.known, changed=changed)
        return Effects(answers[self.original], changed, predictions.get(self.original))


def _ask_together(model: Any, texts: Sequence[_Texts], batch_size: int) -> list[Effects | UsageError]:
    try:
        distinct = list(dict.fromkeys(text for one in texts for text in one.needed))
        names = tuple(model.class_names)
        if not distinct:
            return [one.effects({}, {}) for one in texts]
        with told(what="the model can't be run on the changed texts"):
            logits = text_logits(model, distinct, batch_size=batch_size)
        answers = dict(zip(distinct, _answers(logits, names), strict=True))
    except UsageError as error:
        if len(texts) == 1:
            return [error]
        return [found for one in texts for found in _ask_together(model, [one], batch_size)]
    original = {one.original for one in texts if one.known is None}
    predictions = {
        text: _prediction(row, names, answers[text]) for text, row in zip(distinct, logits, strict=True) if text in original
    }
    return [one.effects(answers, predictions) for one in texts]


def _one_shape(model: Model, asked: Sequence[_Known], batch_size: int) -> list[Effects | UsageError]:
    try:
        with told(what="the model can't be run on the changed images"):
            return list(_images_together(model, asked, batch_size))
    except UsageError as error:
        if len(asked) == 1:
            return [error]
        return [found for one in asked for found in _one_shape(model, [one], batch_size)]


def _images_together(model: Model, asked: Sequence[_Known], batch_size: int) -> list[Effects]:
    row_of: dict[bytes, int] = {}
    distinct: list[Saliency] = []
    rows: list[int] = []
    for saliency, _, _ in asked:
        image = saliency.image.tobytes() if isinstance(saliency, PixelSaliency) and saliency.image is not None else b""
        if image not in row_of:
            row_of[image] = len(distinct)
            distinct.append(saliency)
        rows.append(row_of[image])
    inputs = mask_inputs(model, distinct, batch_size=batch_size)
    decisions: list[Answer] = []
    predictions: list[Prediction | None] = []
    if any(known is None for _, _, known in asked):
        logits = inputs.original()
        decisions = _answers(logits, inputs.class_names)
        predictions = [_prediction(*one) for one in zip(logits, repeat(inputs.class_names), decisions, strict=False)]
    hidden = [
        (index, change)
        for index, (_, changes, _) in enumerate(asked)
        for change in dict.fromkeys(changes)
        if change.how != "replaced"
    ]
    changed: list[dict[Change, Answers]] = [
        {change: _NO_REPLACEMENT for change in changes if change.how == "replaced"} for _, changes, _ in asked
    ]
    if hidden:
        kept = np.stack([_kept(asked[index][0], change) for index, change in hidden])
        which = np.array([rows[index] for index, _ in hidden])
        by_way = [_answers(inputs.logits_of(which, kept, fill), inputs.class_names, way) for fill, way in WAYS.items()]
        for place, (index, change) in enumerate(hidden):
            changed[index][change] = tuple(answers[place] for answers in by_way)
    return [
        Effects(decisions[row], effects, predictions[row]) if known is None else replace(known, changed=effects)
        for row, effects, (_, _, known) in zip(rows, changed, asked, strict=True)
    ]


def _kept(saliency: Saliency, change: Change) -> NDArray[np.bool_]:
    """(H·W,) which pixels stay."""
    from verbalize.parts.regions import find_regions  # imports OpenCV, which texts do not need

    if not isinstance(saliency, PixelSaliency):
        raise UsageError("only maps over pixels have regions")
    regions = find_regions(saliency)
    inside = np.zeros(saliency.shape, dtype=bool)
    for index in change.part:
        inside |= regions[index].mask
    return (inside if change.how == "alone" else ~inside).reshape(-1)


def _prediction(logits: Floats, names: Sequence[str], answer: Answer) -> Prediction | None:
    """What the model says of an input as it is; `None` if its highest scores tie."""
    if len(answer.labels) > 1:
        return None
    odds = np.exp(logits - logits.max())
    scores = dict(zip(names, (odds / odds.sum()).tolist(), strict=True))
    return Prediction(answer.labels[0], min(answer.probability, 1.0), scores)


def _answers(logits: Floats, names: Sequence[str], way: str = "") -> list[Answer]:
    if logits.ndim != 2 or logits.shape[1] != len(names) or len(names) < 2:
        raise UsageError(f"the model returned scores of shape {logits.shape} for {len(names)} classes; a decision needs two")
    if np.isnan(logits).any() or not np.isfinite(logits.max(axis=1)).all():
        raise UsageError("the model returned scores that are no finite numbers")
    top = logits.max(axis=1, keepdims=True)
    tied = logits >= top - _TIED * np.maximum(1.0, np.abs(top))
    probabilities = 1.0 / np.exp(logits - top).sum(axis=1)
    return [
        Answer(tuple(name for name, top in zip(names, row, strict=True) if top), float(probability), way)
        for row, probability in zip(tied, probabilities, strict=True)
    ]
