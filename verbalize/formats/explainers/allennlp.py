"""AllenNLP's saliency interpreters (Wallace et al. 2019): JSON of normalised magnitudes, without the words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import argument
from verbalize.formats.format import Format, ReadOptions
from verbalize.saliency import SaliencyError, SpecialToken, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator

_INSTANCE = re.compile(r"instance_\d+")
_GRADIENT = re.compile(r"grad_input_\d+")
_WORDS = ("tokens", "words", "premise_tokens", "hypothesis_tokens", "question_tokens", "passage_tokens")


def _instances(document: object) -> list[str]:
    if not isinstance(document, dict):
        return []
    return [
        key
        for key, value in document.items()
        if _INSTANCE.fullmatch(str(key)) and isinstance(value, dict) and value and all(map(_GRADIENT.fullmatch, value))
    ]


def _matches(document: object) -> bool:
    return bool(_instances(document))


def _read(document: dict[str, Any], options: ReadOptions) -> Iterator[TokenSaliency]:
    """One map for each instance. The interpreters return absolute values, divided by their sum: the map is unsigned."""
    names = _instances(document)
    for name in names:
        inputs = [[float(value) for value in values] for values in document[name].values()]
        given = _inputs(document, document[name], options)
        words: list[str] = []
        scores: list[float] = []
        special: list[SpecialToken] = []
        for number, (tokens, values) in enumerate(_paired(given, inputs)):
            if number:
                special.append(SpecialToken("…", 0.0, len(words)))
            words += tokens
            scores += values
        yield TokenSaliency.from_pieces(
            words,
            scores,
            options.query(document.get("label")),
            special=special,
            method="allennlp",
            signed=options.is_signed(False),
            id=name if len(names) > 1 else None,
        )


def _inputs(document: dict[str, Any], instance: dict[str, Any], options: ReadOptions) -> list[list[str]]:
    """The words of each input, from the record of the predictor or from the text."""
    found = [document[key] for key in _WORDS if isinstance(document.get(key), list)]
    if not found and options.input_text is not None:
        found = [options.input_text.split()]
    if not found:
        raise SaliencyError(
            "AllenNLP's saliency holds no words; add the predictor's 'tokens' to the record, or name the text, with spaces "
            f"between its tokens, with {argument('input_text', ...)}"
        )
    if len(found) != len(instance):
        raise SaliencyError(f"there are {len(instance)} inputs with gradients but {len(found)} lists of tokens")
    return [[str(word) for word in words] for words in found]


def _paired(words: list[list[str]], scores: list[list[float]]) -> list[tuple[list[str], list[float]]]:
    """The words of each input with their scores. AllenNLP numbers the inputs in either order, so their lengths decide."""
    lengths = [len(values) for values in scores]
    if sorted(map(len, words)) != sorted(lengths):
        raise SaliencyError(f"there are {[len(one) for one in words]} tokens but {lengths} scores; give one for each token")
    if len(words) > 1 and len(set(lengths)) < len(lengths):
        raise SaliencyError(
            "two inputs have as many tokens, so that nothing says which gradients are whose; read them one by one"
        )
    return [(one, scores[lengths.index(len(one))]) for one in words]


FORMAT = Format("allennlp", "JSON of AllenNLP's saliency interpreters, with tokens", _matches, _read)
