"""eli5's explanations of predictions: the object, and the JSON that `eli5.format_as_dict` makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verbalize.formats.format import Format, ReadOptions, type_name
from verbalize.formats.word_lists import occurrences, spread, unordered
from verbalize.saliency import Prediction, SaliencyError, SpecialToken, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator

    Places = list[list[tuple[int, int]]]


def _matches(value: object) -> bool:
    if type_name(value) == "eli5.base.Explanation":
        return True
    return isinstance(value, dict) and "estimator" in value and "targets" in value


def _get(value: Any, name: str) -> Any:
    """A field of an object of eli5, or of the dictionary that it was made into."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def _read(explanation: Any, options: ReadOptions) -> Iterator[TokenSaliency]:
    """One map for each target. Features that are not in the text, such as the intercept `<BIAS>`, are set aside."""
    if _get(explanation, "error"):
        raise SaliencyError(f"eli5 could not explain the prediction: {_get(explanation, 'error')}")
    targets = _get(explanation, "targets")
    if not targets:
        raise SaliencyError(
            "the eli5 explanation has no targets: it is of no prediction, or of a model that eli5 can't explain"
        )
    if all(_get(target, "score") is None and _get(target, "proba") is None for target in targets):
        raise SaliencyError("the weights are those of the whole model; explain one text with eli5.explain_prediction")
    names = [options.class_name(_get(target, "target")) for target in targets]
    prediction = _prediction(targets, names)
    for place in options.chosen(names) if len(names) > 1 else [0]:
        yield _map(
            targets[place],
            options,
            query=options.query(names[place]),
            prediction=prediction,
            method="eli5",
            signed=options.is_signed(True),
            id=names[place] if len(names) > 1 else None,
        )


def _prediction(targets: Any, names: list[str]) -> Prediction | None:
    """The class with the highest probability, where all classes are explained."""
    probabilities = [_get(target, "proba") for target in targets]
    if len(names) < 2 or any(value is None for value in probabilities):
        return None
    scores = {name: float(value) for name, value in zip(names, probabilities, strict=True)}
    best = max(scores, key=lambda name: scores[name])
    return Prediction(best, scores[best], scores) if abs(sum(scores.values()) - 1) < 1e-6 else None


def _map(target: Any, options: ReadOptions, *, query: Any, **fields: Any) -> TokenSaliency:
    weights = {
        str(_get(one, "feature")): float(_get(one, "weight"))
        for side in ("pos", "neg")
        for one in _get(_get(target, "feature_weights"), side) or ()
    }
    if any(_get(_get(target, "feature_weights"), f"{side}_remaining") for side in ("pos", "neg")):
        options.note("eli5 left out some features; explain with top=None for all")
    text, places = _highlighted(target)
    if text is None and options.input_text is not None:
        text = options.input_text
        places = {feature: occurrences(text, feature) for feature in weights if not feature.startswith("<")}
    if text is None:
        aside = [feature for feature in weights if feature.startswith("<")]
        words = [feature for feature in weights if feature not in aside]
        special = [SpecialToken(feature, weights[feature], 0) for feature in aside]
        return unordered(words, [weights[word] for word in words], query, special=special, **fields)
    aside = [feature for feature in weights if feature not in places]
    special = [SpecialToken(feature, weights[feature], 0) for feature in aside]
    features = [(where, weights[feature]) for feature, where in places.items() if feature in weights]
    return spread(text, features, query, special=special, **fields)


def _highlighted(target: Any) -> tuple[str | None, dict[str, Places]]:
    """The text that eli5 shows with its features highlighted, and the places of each feature in it."""
    documents = _get(_get(target, "weighted_spans"), "docs_weighted_spans") if _get(target, "weighted_spans") else None
    if not documents:
        return None, {}
    if len(documents) > 1:
        raise SaliencyError("the explanation is of several texts at once; explain them one by one")
    places: dict[str, Places] = {}
    for feature, spans, _ in _get(documents[0], "spans"):
        places.setdefault(str(feature), []).append([(int(start), int(stop)) for start, stop in spans])
    return str(_get(documents[0], "document")), places


FORMAT = Format("eli5", "eli5 Explanation objects of texts, and the JSON of eli5.format_as_dict", _matches, _read)
