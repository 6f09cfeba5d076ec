"""saywhy's own records: one JSON object a line, pixel arrays in `.npy` files beside it."""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.disk.destinations import beside, check_own, is_stream
from saywhy_core.disk.files import atomic_open, check_writable, input_at, protect_input
from saywhy_core.disk.locks import FileLock
from saywhy_core.errors import Problem, UsageError
from saywhy_core.images import load_array
from verbalize.formats.format import Format, inside, parse_signed, require
from verbalize.pieces import SCHEMES, merge_pieces
from verbalize.query import checked_special, whole
from verbalize.saliency import PixelSaliency, Prediction, Query, SaliencyError, SpecialToken, TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from verbalize.formats.format import ReadOptions
    from verbalize.saliency import Saliency

VERSION = 1
_PACKED = (".gz", ".bz2", ".xz", ".lzma", ".zst", ".zip")  # endings by which others, and we, would try to unpack it


def to_record(saliency: Saliency, save_array: Any = None) -> dict[str, Any]:
    """The record of a map; `save_array(name, array) -> str` stores a pixel array and returns what the record calls it."""
    record: dict[str, Any] = {"version": VERSION, "id": saliency.saliency_id}
    query: dict[str, Any] = {"label": saliency.query.label}
    if saliency.query.versus:
        query["versus"] = list(saliency.query.versus)
    if saliency.query.members:
        query["members"] = list(saliency.query.members)
    record["query"] = query
    if isinstance(saliency, TokenSaliency):
        record |= {"tokens": list(saliency.tokens), "scores": saliency.scores.tolist()}
        if _looks_like_pieces(saliency.tokens, saliency.text):
            record["scheme"] = "none"
        record["signed"] = saliency.signed
        if saliency.text is not None:
            record["text"] = saliency.text
            record["offsets"] = [list(place) for place in saliency.offsets or ()]
        if saliency.special:
            record["special"] = [[token.token, token.score, token.position] for token in saliency.special]
    else:
        if save_array is None:
            raise SaliencyError("pixel maps are stored in files beside the records; write them to a file, not to a stream")
        record |= {"pixels": save_array("scores", saliency.scores), "signed": saliency.signed}
        if saliency.floor is not None:
            record["floor"] = saliency.floor
        if saliency.image is not None:
            record["image"] = save_array("image", saliency.image)
        if saliency.masks is not None:
            record |= {"masks": save_array("masks", saliency.masks), "mask_names": list(saliency.mask_names or ())}
    if saliency.prediction is not None:
        said = saliency.prediction
        prediction = {
            "label": said.label,
            "probability": said.probability,
            "scores": dict(said.scores),
            "true_label": said.true_label,
        }
        record["prediction"] = {name: value for name, value in prediction.items() if value not in (None, {})}
    if saliency.method is not None:
        record["method"] = saliency.method
    return record


def from_record(record: dict[str, Any], folder: Path | None = None) -> Saliency:
    """The map of a record.

    Raises:
        SaliencyError: wrong version, missing or broken fields, an array file that is missing or outside `folder`.
    """
    if record.get("version") != VERSION or isinstance(record["version"], bool):
        raise SaliencyError(f"the record has version {record.get('version')!r}; this release reads version {VERSION}")
    require(record, "query")
    shared: dict[str, Any] = {
        "query": _query(record),
        "prediction": _prediction(record.get("prediction")),
        "id": record.get("id"),
        "method": record.get("method"),
    }
    said = parse_signed(record.get("signed"))
    signed = True if said is None else said
    if "pixels" in record:
        return PixelSaliency(
            scores=_array(record["pixels"], folder),
            image=_array(record["image"], folder) if "image" in record else None,
            signed=signed,
            masks=_array(record["masks"], folder) if "masks" in record else None,
            mask_names=tuple(record["mask_names"]) if "mask_names" in record else None,
            floor=record.get("floor"),
            **shared,
        )
    require(record, "tokens", "scores")
    checked_special(record.get("special") or ())  # before each is made
    try:
        special = [SpecialToken(str(token), float(score), whole(place)) for token, score, place in record.get("special", ())]
        offsets = tuple((whole(start), whole(stop)) for start, stop in record["offsets"]) if "offsets" in record else None
    except SaliencyError:
        raise
    except (TypeError, ValueError):
        raise SaliencyError(
            "'special' must hold [token, score, position] and 'offsets' [start, stop], places in whole numbers"
        ) from None
    shared |= {"text": record.get("text"), "offsets": offsets, "special": special, "signed": signed}
    scheme = record.get("scheme", "auto")
    if scheme not in SCHEMES:
        raise SaliencyError(f"'scheme' must be one of {', '.join(SCHEMES)}, not {scheme!r:.80}")
    tokens, scores = record["tokens"], record["scores"]
    if scheme == "none" or (scheme == "auto" and not _looks_like_pieces(tokens, shared["text"])):
        return TokenSaliency(tokens, scores, **shared)
    return TokenSaliency.from_pieces(tokens, scores, scheme=scheme, **shared)


def _looks_like_pieces(tokens: object, text: str | None) -> bool:
    """Whether there are pieces of words, special tokens or line ends among the tokens."""
    if not isinstance(tokens, (list, tuple)) or not all(isinstance(token, str) for token in tokens):
        return False  # an error that the map itself tells
    merged = merge_pieces(tokens, text=text or "")
    return bool(merged.special or merged.breaks) or [word for word, _ in merged.words] != list(tokens)


def _query(record: dict[str, Any]) -> Query:
    """The query of a record, whose `versus` and `members` may also stand beside it."""
    value: object = record["query"]
    if isinstance(value, str):
        value = {"label": value}
    if not isinstance(value, dict) or "label" not in value:
        raise SaliencyError(f"'query' must be an object with a 'label', not {value!r:.80}")
    found: dict[str, Any] = {}
    for name in ("versus", "members"):
        within, beside = value.get(name), record.get(name)
        if within and beside and within != beside:
            raise SaliencyError(f"{name!r} of the query is {within!r:.60}, but {name!r} of the record is {beside!r:.60}")
        found[name] = within or beside or ()
        if not isinstance(found[name], (str, list, tuple)):
            raise SaliencyError(f"{name!r} must be a label or a list of labels, not {found[name]!r:.60}")
    return Query(value["label"], **found)


def _prediction(value: object) -> Prediction | None:
    if value is None:
        return None
    if not isinstance(value, dict) or "label" not in value:
        raise SaliencyError(f"'prediction' must be an object with a 'label', not {value!r:.80}")
    return Prediction(value["label"], value.get("probability"), value.get("scores", {}), value.get("true_label"))


def _array(name: object, folder: Path | None) -> np.ndarray[Any, Any]:
    if not isinstance(name, str):
        raise SaliencyError(f"an array is named by its file, not by {name!r:.80}")
    if folder is None:
        raise SaliencyError("pixel maps are stored in files beside the records; read them from a file, not from a stream")
    path = inside(folder, name)
    protect_input(path)
    try:
        return load_array(path)
    except UsageError as error:
        raise SaliencyError(f"the array file {name!r} can't be read: {error}") from None


def write(saliencies: Iterable[Saliency], path: Path) -> int:
    """Write maps as JSON Lines, whole or not at all; arrays go to the folder `NAME.arrays` beside the file.

    A pipe or a device gets the records alone, and so takes no maps over pixels.

    No array of an earlier file is overwritten before the new file stands in its place; then those that only the earlier one
    named are removed.
    """
    check_unpacked(path)
    check_writable(path)
    streamed = is_stream(path)
    with FileLock(path, "file of maps"):  # keeps the arrays of two writers apart
        arrays = _Arrays(beside(path, ".arrays"))
        before = set() if streamed else arrays.named_in(path)
        count = 0
        try:
            with atomic_open(path) as stream:
                for count, saliency in enumerate(saliencies, 1):
                    record = to_record(saliency, None if streamed else partial(arrays.save, count - 1))
                    stream.write(json.dumps(record, ensure_ascii=False) + "\n")
        except BaseException:
            arrays.remove(arrays.made)
            raise
        arrays.remove(before - arrays.kept)
    return count


def check_unpacked(path: Path) -> None:
    """Check that the name of a file of maps does not promise that it is packed.

    Raises:
        SaliencyError: it does.
    """
    if path.suffix.lower() in _PACKED:
        raise SaliencyError(
            f"{path} would hold maps that are not packed; name it without {path.suffix}, and pack it afterwards"
        )


class _Arrays:
    """The array files of one file of maps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: set[str] = set()
        self.kept: set[str] = set()

    def save(self, number: int, what: str, array: np.ndarray[Any, Any]) -> str:
        """Write an array where there is no file yet, and return what its record calls it."""
        content = io.BytesIO()
        np.save(content, array, allow_pickle=False)
        name = f"{number:06d}.{what}.npy"
        if (self.folder / name).exists():
            name = f"{number:06d}.{what}.{hashlib.sha256(content.getbuffer()).hexdigest()[:16]}.npy"
        check_own(self.folder / name, self.folder.parent)
        if not (self.folder / name).exists():  # else it has this content, as its name says
            with atomic_open(self.folder / name, "wb") as file:
                file.write(content.getbuffer())
            self.made.add(name)
        self.kept.add(name)
        return f"{self.folder.name}/{name}"

    def named_in(self, path: Path) -> set[str]:
        """The arrays of this folder that the records of a file name; none where it is no file of maps."""
        found = re.compile(rf'"{re.escape(self.folder.name)}/([0-9]{{6}}\.[a-z]+(?:\.[0-9a-f]{{16}})?\.npy)"')
        try:
            with path.open(encoding="utf-8") as lines:
                return {name for line in lines for name in found.findall(line)}
        except (OSError, UnicodeDecodeError):
            return set()

    def remove(self, names: Iterable[str]) -> None:
        """Delete array files, but none that is being read."""
        for name in names:
            if input_at(self.folder / name) is None:
                (self.folder / name).unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def _matches(document: object) -> bool:
    return (
        isinstance(document, dict)
        and "version" in document
        and ("tokens" in document or "pixels" in document or "query" in document)
    )


def _read(document: dict[str, Any], options: ReadOptions) -> Iterator[Saliency]:
    saliency = from_record(document, options.folder)
    options.agreed(saliency.query)
    if (said := parse_signed(document.get("signed"))) is not None:
        options.is_signed(said)
    elif not options.is_signed():
        saliency = replace(saliency, signed=False)
    yield saliency


REPORT_KIND = "saywhy audit report"
"""What the field `kind` of the report of an audit says (`adversarial.audit.reporters`)."""


def report_map(saliency: PixelSaliency) -> dict[str, Any]:
    """The record of a map over pixels as a report holds it: its scores stand in it, as lists of numbers."""
    return to_record(replace(saliency, image=None, masks=None, mask_names=None), lambda _, array: array.tolist())


def _is_report(document: object) -> bool:
    return isinstance(document, dict) and document.get("kind") == REPORT_KIND and isinstance(document.get("maps"), list)


def is_empty_report(path: Path) -> bool:
    """Whether a file is the report of an audit without a map and without a text: nothing was turned, or nothing is done yet."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            begin = stream.read(200)
            document = json.loads(begin + stream.read()) if REPORT_KIND in begin else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and _is_report(document) and not document["maps"] and document.get("texts") == []


def _read_report(document: dict[str, Any], options: ReadOptions) -> Iterator[Saliency | Problem]:
    for number, record in enumerate(document["maps"]):
        try:
            if not isinstance(record, dict):
                raise SaliencyError("a map of a report is an object with 'query' and 'pixels'")
            require(record, "query", "pixels")
            query = _query(record)
            options.agreed(query)
            scores = PixelSaliency(record["pixels"], query, None, options.is_signed(parse_signed(record.get("signed"))))
            yield replace(scores, id=record.get("id"), method=record.get("method"), floor=record.get("floor"))
        except SaliencyError as error:
            yield Problem("the report", str(error), None, str(record.get("id", number) if isinstance(record, dict) else number))


FORMAT = Format("saywhy", "saywhy's own JSON Lines, version 1", _matches, _read)
REPORT = Format("audit-report", "the report of an audit in JSON, with its maps over pixels", _is_report, _read_report)
