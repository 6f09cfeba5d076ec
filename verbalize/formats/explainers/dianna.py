"""What DIANNA's `explain_text` returns: for each label a list of (word, its place in the text, relevance).

`explain_image` returns an array with a map for each label, which `verbalize.formats.arrays` reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from saywhy_core.errors import argument
from verbalize.formats.format import Format, ReadOptions
from verbalize.formats.word_lists import GAP
from verbalize.saliency import SaliencyError, SpecialToken, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verbalize.saliency import Query


def _is_triples(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_triple(one) for one in value)


def _is_triple(value: object) -> bool:
    if not isinstance(value, (list, tuple)) or len(value) != 3 or not isinstance(value[0], str):
        return False
    return isinstance(value[1], int) or type(value[1]).__name__ in ("int64", "int32")


def _matches(value: object) -> bool:
    return _is_triples(value) or (isinstance(value, list) and bool(value) and all(_is_triples(one) for one in value))


def _read(value: list[Any], options: ReadOptions) -> Iterator[TokenSaliency]:
    explanations = [value] if _is_triples(value) else value
    names = vars(options)["class_names"]
    if len(explanations) == 1:
        yield _map(explanations[0], options.query(), options, None)
        return
    if names is None or len(names) != len(explanations):
        raise SaliencyError(
            f"there are {len(explanations)} explanations, one per label that was asked about; name the labels in the same "
            f"order with {argument('class_names', ...)}"
        )
    labels = [options.class_name(number) for number in range(len(names))]
    for number in options.chosen(labels):
        yield _map(explanations[number], options.query(labels[number]), options, str(number))


def _map(triples: list[Any], query: Query, options: ReadOptions, name: str | None) -> TokenSaliency:
    """The map of one label.

    Raises:
        SaliencyError: two words have one place.
    """
    ordered = sorted(triples, key=lambda one: int(one[1]))
    places = [int(place) for _, place, _ in ordered]
    if len(set(places)) != len(places):
        raise SaliencyError("two words have the same place in the text")
    gaps = [
        SpecialToken(GAP, 0.0, position)
        for position, (before, place) in enumerate(zip([-1, *places], places, strict=False))
        if place != before + 1
    ]
    negative = any(float(score) < 0 for _, _, score in ordered)
    if not negative and options.signed is None:
        options.note(
            "no relevance is below 0, so the maps are read as unsigned, as RISE's are: they say what matters, not what speaks "
            f"for or against; say {argument('signed', True)} for LIME and KernelSHAP"
        )
    return TokenSaliency.from_pieces(
        [str(word) for word, _, _ in ordered],
        [float(score) for _, _, score in ordered],
        query,
        text=options.input_text,
        special=gaps,
        id=name,
        method="dianna",
        signed=options.is_signed(default=negative),
    )


FORMAT = Format("dianna", "what DIANNA's explain_text returns: lists of (word, place, relevance)", _matches, _read)
