"""How a line of text names a model that can be explained: `KIND:WHERE?name=value&name=value`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from saywhy_core.classifiers import load_classifier, split_spec
from saywhy_core.errors import UsageError
from saywhy_core.trust import may_run_code
from verbalize.models.image_models import BlackBoxImages, ImageModel
from verbalize.models.image_preparation import differentiable
from verbalize.models.named.classes import read_classes
from verbalize.models.named.kinds import MODELS, model_options
from verbalize.models.opening import as_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from verbalize.models.opening import Model

SHORT = {"minilm": "text:minilm"}
"""Names that stand for a whole spec."""


def open_model(
    spec: str,
    *,
    class_names: Mapping[str, str | Sequence[str]] | Sequence[str] | str | PathLike[str] | None = None,
    trust: bool = False,
    **options: Any,
) -> Model:
    """Open the model that a line of text names, `KIND:WHERE?name=value&name=value`.

    The kinds of `MODELS` are `transformers:FOLDER_OR_NAME` (a classifier of texts or images, or a language model, as its
    configuration says), `text:minilm` or `text:FOLDER_OR_NAME` (a sentence encoder with descriptions of classes; `minilm` for
    short) and `python:package.module:object`. Every other spec names an image classifier of
    `saywhy_core.classifiers.load_classifier`, such as `demo:signs`, `onnx:FILE`, `torch:FILE` or `http:URL`. It is a black box,
    unless it offers a torch module, as `demo:signs` and TorchScript do.

    Args:
        spec: the kind, a colon, where the model is, and options as in `saywhy_core.classifiers.read_option`.
        class_names: the class names in the order of the scores, or a file that holds them. For sentence encoders and language
            models, a mapping of each class to its description, or to the continuation of the text that stands for it: one, or
            several.
        trust: whether code that comes with the model may run. Nobody can allow this in `spec`.
        options: options of the kind, by keyword instead of in `spec`.

    Raises:
        TrustError: the model needs code to be run, and `trust` is false. Nothing was run.
        UsageError: there is no such kind or model; an option is unknown, given twice, wrong or missing; or `trust` has no
            effect.
    """
    if not isinstance(spec, str):
        raise UsageError(
            f"a model is named by a line of text such as transformers:FOLDER, not by a value of type {type(spec).__name__}"
        )
    address, written = split_spec(spec)
    kind, colon, where = SHORT.get(address, address).partition(":")
    names = read_classes(class_names)
    given = {name: value for name, value in options.items() if value is not None}
    if not colon or kind not in MODELS:
        if isinstance(names, Mapping):
            raise UsageError(f"{spec} knows nothing of descriptions; give the names of its classes, in the order of its scores")
        return from_target(spec, class_names=names, trust=trust, **given)
    return _opened(spec, kind, where, names, trust, written, given)


def _opened(
    spec: str, kind: str, where: str, names: Any, trust: bool, written: dict[str, Any], options: dict[str, Any]
) -> Model:
    if not where:
        raise UsageError(f"{spec!r:.200} names no model; write after the colon where it is")
    given: dict[str, Any] = {}
    for name, value in (*written.items(), *options.items(), *((("class_names", names),) if names else ())):
        option = "class_names" if name == "names" else name
        if option in given:
            raise UsageError(f"{spec}: the option {name!r} is given twice; give it once")
        given[option] = read_classes(value, f"{spec}, {name}") if option == "class_names" else value
    if "trust" in given:
        raise UsageError("trust can't be given in the name of a model; give --trust, or trust=True in Python")
    loader = MODELS.get(kind)
    known = model_options(kind)
    unknown = next((name for name in given if known is not None and name not in known), None)
    if unknown is not None:
        there = f"there are {', '.join(known or ())}" if known else "they take no options"
        raise UsageError(f"{kind}: models have no option {unknown!r}; {there}")
    if may_run_code(loader):
        given["trust"] = bool(trust)
    elif trust:
        raise UsageError(f"{kind}: models run no code of the model's author, so trust has no effect; leave it out")
    with MODELS.blame(kind):
        found = loader(where, **given)
    try:
        return as_model(found)
    except UsageError:
        raise MODELS.misfit(kind, found, "a model (see verbalize.models)") from None


def from_target(spec: str, *, class_names: Sequence[str] | None = None, trust: bool = False, **options: Any) -> Model:
    """An image classifier that `saywhy_core.classifiers.load_classifier` opens: with its gradients, where it offers them.

    Raises:
        UsageError: as for `load_classifier`, or the class names are known nowhere.
    """
    classifier = load_classifier(spec, class_names=class_names, trust=trust, **options)
    module = differentiable(classifier)
    return BlackBoxImages(classifier) if module is None else ImageModel(module, tuple(classifier.class_names or ()))
