"""Records of inputs into maps: whatever one of them causes is told, and the others go on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from saywhy_core.classifiers.classifier import WidthError
from saywhy_core.errors import Problem, UsageError
from verbalize.attribution.attributing import attribute
from verbalize.attribution.method import METHODS, check_needs, check_question, check_settings, explainer_for, methods_for
from verbalize.attribution.records.inputs import InputRecord, label_of
from verbalize.attribution.target import BATCH, indices_of
from verbalize.models.image_models import BlackBoxImages, ImageModel
from verbalize.models.language_models import LanguageModelClassifier
from verbalize.models.text_functions import TextFunction, text_logits
from verbalize.saliency import Prediction, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from verbalize.attribution.method import Explainer, Inputs
    from verbalize.models.opening import Model
    from verbalize.saliency import Saliency


@dataclass(frozen=True)
class QueryTemplate:
    """The question that is asked about every input.

    Args:
        label: the label; None for the one that the model predicts for each input.
        versus: the labels that it is set against.
        members: the classes of the group that `label` names.

    Raises:
        UsageError: there are members without a label, which is the name of their group.
    """

    label: str | None = None
    versus: tuple[str, ...] = ()
    members: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.members and self.label is None:
            raise UsageError("the members of a group need a name for the group: give the label, too")

    def of(self, predicted: str | None) -> Query | None:
        """The query for an input; None where nothing is said and the predicted label is asked about.

        Raises:
            UsageError: the predicted label is one of those that it is set against.
        """
        if self.label is None and not self.versus:
            return None
        label = self.label if self.label is not None else str(predicted)
        if self.label is None and label in self.versus:
            raise UsageError(f"the model predicts {label!r} itself, so nothing is set against it")
        return Query(label, self.versus, self.members)


def check_request(model: Model, template: QueryTemplate, method: str, options: Mapping[str, Any]) -> Explainer[Any]:
    """See that a method can answer a question with this model, before any input is read; the explainer that will be used.

    Raises:
        UsageError: it can't: the method is unknown or does not explain such inputs, a setting has no effect, the model is a
            black box and the method needs more, the model has no such class, or the method does not answer such questions.
    """
    images = isinstance(model, ImageModel | BlackBoxImages)
    kind: Inputs = "pixels" if images else "tokens"
    if images and method in METHODS and method in methods_for("layer") and method not in methods_for("pixels"):
        kind = "layer"
    explainer = explainer_for(kind, method)
    check_settings(explainer, method, {name: value for name, value in options.items() if kind != "layer" or name != "layer"})
    if kind != "layer":
        check_needs(explainer, method, kind, black_box=isinstance(model, BlackBoxImages | TextFunction))
    named = (*(template.members or ((template.label,) if template.label is not None else ())), *template.versus)
    free = isinstance(model, LanguageModelClassifier) and not model.continuations
    if model.class_names and not free:
        indices_of(named, model.class_names)
    asked = template.of("the predicted label")
    check_question(explainer, method, asked)
    return explainer


def check_classes(model: Model, record: InputRecord) -> None:
    """See that a model answers with one score per class name, by asking it about one input. Other troubles are told later.

    Raises:
        WidthError: it does not.
    """
    try:
        _predicted(model, [record.content])
    except WidthError:
        raise
    except (UsageError, RuntimeError, IndexError):  # about this input alone
        return


def explain_records(
    model: Model,
    records: Iterable[InputRecord | Problem],
    template: QueryTemplate | None = None,
    *,
    method: str = "integrated_gradients",
    batch_size: int = BATCH,
    on_problem: Callable[[Problem], None] | None = None,
    **options: Any,
) -> Iterator[Saliency]:
    """The map of each record, with its id and, in the prediction, its correct label.

    Images of one shape that follow each other are explained together, at most `batch_size` of them.

    Args:
        model: the model.
        records: inputs of the kind that the model reads, and problems, which are handed on.
        template: the question; why the model predicts its label where none is given.
        method: a name in `METHODS`.
        batch_size: the most inputs, changed or not, in one call of the model.
        on_problem: called with each record that can't be explained; the others are. Without it, the first such record raises.
        options: the settings of the method.

    Raises:
        WidthError: the model has another number of classes than it has names, so that it explains no input.
        UsageError: as `check_request`; or a record can't be explained, and `on_problem` is not given.
    """
    question, tell = template or QueryTemplate(), on_problem or _raise
    check_request(model, question, method, options)
    for some in _groups(records, batch_size, tell):
        yield from _explained(model, some, question, method, batch_size, options, tell)


def _raise(problem: Problem) -> None:
    raise UsageError(str(problem))


def _groups(
    records: Iterable[InputRecord | Problem], most: int, on_problem: Callable[[Problem], None]
) -> Iterator[list[InputRecord]]:
    """Texts one by one, and images of one shape together."""
    group: list[InputRecord] = []
    for record in records:
        if isinstance(record, Problem):
            on_problem(record)
            continue
        if group and (len(group) == most or isinstance(record.content, str) or _shape(group[0]) != _shape(record)):
            yield group
            group = []
        group.append(record)
    if group:
        yield group


def _shape(record: InputRecord) -> tuple[int, ...]:
    return np.shape(record.content) if not isinstance(record.content, str) else ()


def _explained(
    model: Model, records: list[InputRecord], template: QueryTemplate, method: str, batch_size: int, options: dict[str, Any],
    on_problem: Callable[[Problem], None],
) -> Iterator[Saliency]:  # fmt: skip
    try:
        maps = _maps(model, records, template, method, batch_size, options)
    except WidthError:  # the same for every input, so that it is told once
        raise
    except (UsageError, IndexError) as error:
        if len(records) == 1:
            on_problem(records[0].problem(error))
            return
        for record in records:  # whichever of them it is
            yield from _explained(model, [record], template, method, batch_size, options, on_problem)
        return
    yield from maps


def _maps(
    model: Model, records: list[InputRecord], template: QueryTemplate, method: str, batch_size: int, options: dict[str, Any]
) -> list[Saliency]:
    inputs: list[Any] = [record.content for record in records]
    queries: list[Query | None]
    if template.label is None and template.versus:
        queries = [template.of(label) for label in _predicted(model, inputs)]
    else:
        queries = [template.of(None)] * len(records)
    found: list[Saliency] = attribute(model, inputs, queries, method=method, batch_size=batch_size, **options)
    named = []
    for record, saliency in zip(records, found, strict=True):
        truth = label_of(record, model.class_names)
        said = saliency.prediction
        if isinstance(said, Prediction) and truth is not None:
            said = replace(said, true_label=truth)
        named.append(replace(saliency, id=record.id, prediction=said))
    return named


def _predicted(model: Model, inputs: list[Any]) -> list[str]:
    if isinstance(model, ImageModel | BlackBoxImages):
        batch = torch.from_numpy(np.stack(inputs)).permute(0, 3, 1, 2).contiguous()
        with torch.no_grad():
            scores = model.logits(batch.to(model.device) if isinstance(model, ImageModel) else batch).cpu().double().numpy()
    else:
        scores = text_logits(model, inputs)
    return [model.class_names[index] for index in scores.argmax(axis=1)]
