"""Maps out of files, streams and other libraries' objects, and into files of saywhy's own format."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import Problem, argument
from saywhy_core.reading.ceilings import Ceilings
from verbalize.formats.candidates import Candidates
from verbalize.formats.format import ReadOptions
from verbalize.formats.sources import items_of, name_of
from verbalize.saliency import PixelSaliency, SaliencyError, TokenSaliency

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from verbalize.saliency import Saliency

_NOTHING_NEGATIVE = (
    "no score is below 0, and nobody says whether the scores have signs; they are read as support for the label. For "
    "magnitudes (attention, norms, |gradient|), say "
)
MAX_LINE = Ceilings().bytes
"""The most bytes of one line of JSON Lines, unless another ceiling is in force (`saywhy_core.reading.ceilings`)."""


def read_saliency(
    source: Any,
    *,
    format: str = "auto",  # noqa: A002 - the field's own word
    label: str | None = None,
    versus: Sequence[str] = (),
    class_names: Sequence[str] | None = None,
    tokenizer: Any = None,
    image: Any = None,
    signed: bool | None = None,
    input_text: str | None = None,
    axes: str | None = None,
    on_problem: Callable[[Problem], None] | None = None,
    on_note: Callable[[str], None] | None = None,
) -> list[Saliency]:
    """Read the maps of a file, an open binary stream of JSON Lines, or another library's object.

    Args:
        source: a path (.jsonl, .json, .json.gz, .csv, .tsv, .npy, .npz, .pt, .png), a binary stream of JSON Lines, or an object
            (captum, shap, ferret, transformers-interpret, DIANNA, an array or tensor of pixels, a list of (word, score), or a
            list of such objects).
        format: the name of the format, where it should not be guessed; `FORMATS` lists them.
        label: the label of the query, where the record does not name it, or to choose one output of several. It may not
            contradict the record, and neither may `versus`.
        versus: the labels that it is contrasted with.
        class_names: the names of classes that the record gives by number.
        tokenizer: for records of token ids (Thermostat): an object, a name or a path.
        image: the picture that a pixel map belongs to: an array or a path. A map of another size is resized to it.
        signed: whether negative scores have a meaning, where the record does not say it. `False` for attention weights, norms
            and other magnitudes, which say how much a word matters, not for which label it speaks.
        input_text: the text that the words come from, where the record does not hold it (LIME's and eli5's lists of words).
        axes: what the axes of an array are, where its shape leaves it open: "hw", "chw", "hwc", "nhw", "nchw" or "nhwc" (n
            maps, c channels, which are summed, h rows, w columns).
        on_problem: called with each record that can't be read, while the others are read. Without it the first problem raises.
        on_note: called with each remark about the whole source, such as a column that is not read. Without it, warnings.

    Raises:
        SaliencyError: nothing can be read, there is no such format, (without `on_problem`) a record can't be read, or an
            argument had no effect on any record.
    """
    names = None if class_names is None or len(class_names) == 0 else _labels(class_names)
    options = ReadOptions(label, _labels(versus), names, tokenizer, image, signed, input_text, axes)
    return list(iter_saliency(source, options, format=format, on_problem=on_problem, on_note=on_note))


def _labels(value: Sequence[str]) -> tuple[str, ...]:
    """Labels as a tuple; one string is one label."""
    return (value,) if isinstance(value, str) else tuple(value)


def iter_saliency(
    source: Any,
    options: ReadOptions | None = None,
    *,
    format: str = "auto",  # noqa: A002
    on_problem: Callable[[Problem], None] | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Iterator[Saliency]:
    """`read_saliency`, one map at a time, for files larger than memory. A second record with the same id is a problem.

    That an option had no effect is known, and raised, only after the last map. The notes come after it, too. While maps are
    read, `options.unused()` says which options had no effect so far.
    """
    options = (options or ReadOptions()).copy(notes=[], unsaid=set())
    before = set(options.used)
    try:
        yield from _checked(source, options, format, on_problem, on_note)
    finally:  # the same options may be used for another source, on which they must have an effect of their own
        options.used.intersection_update(before)


def _checked(
    source: Any,
    options: ReadOptions,
    format: str,  # noqa: A002
    on_problem: Callable[[Problem], None] | None,
    on_note: Callable[[str], None] | None,
) -> Iterator[Saliency]:
    any_read = False
    formats = Candidates(format)
    signed_here = False
    partial: list[tuple[int, int]] = []
    for item in items_of(source, options, formats):
        found: Saliency | Problem = item
        if not isinstance(found, Problem) and vars(options)["signed"] is not None and "signed" not in options.used:
            found, signed_here = _with_sign(found, options, name_of(source)), True
        if not isinstance(found, Problem) and found.id is not None:
            name = found.id
            if name in formats.ids:
                found = Problem(name_of(source), "an earlier record has this id; it is left out", formats.line, name)
            formats.ids.add(name)
        if isinstance(found, Problem):
            if on_problem is None:
                raise SaliencyError(str(found))
            on_problem(found)
            continue
        any_read = True
        if isinstance(found, TokenSaliency) and (scored := found.scored) is not None:
            partial.append(scored)
        yield found
    if signed_here:
        options.used.add("signed")
    if len(partial) == 1:
        options.note(f"{partial[0][0]} of {partial[0][1]} words of the text have scores")
    elif partial:
        have, words = (sum(column) for column in zip(*partial, strict=True))
        options.note(f"in {len(partial)} of the texts, only some words have scores, {have} of {words} in all")
    if options.unsaid == {False}:
        options.note(_NOTHING_NEGATIVE + argument("signed", False))
    for text in options.notes:
        if on_note is None:
            warnings.warn(f"{name_of(source)}: {text}", stacklevel=3)
        else:
            on_note(text)
    if any_read and (unused := options.unused()):
        named = " and ".join(argument(name) for name in unused)
        have, them = ("has", "it") if len(unused) == 1 else ("have", "them")
        raise SaliencyError(f"{named} {have} no effect on any record of {name_of(source)}; leave {them} out")


def _with_sign(found: Saliency, options: ReadOptions, source: str) -> Saliency | Problem:
    """The map with the sign that the caller says; for maps whose reader (that of a plug-in) did not ask for it."""
    try:
        return replace(found, signed=vars(options)["signed"])
    except SaliencyError as error:
        return Problem(source, str(error), None, found.id)


def write_saliency(saliencies: Saliency | Iterable[Saliency], path: str | os.PathLike[str]) -> int:
    """Write maps to a JSON Lines file, whole or not at all, pixel arrays in `.npy` files beside it; return how many."""
    from verbalize.formats import own

    several = (saliencies,) if isinstance(saliencies, (TokenSaliency, PixelSaliency)) else saliencies
    return own.write(several, Path(path))
