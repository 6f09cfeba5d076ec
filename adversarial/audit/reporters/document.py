"""The report as one JSON document, which `saywhy check` reads as it is: its texts as texts, its maps as maps."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from adversarial.audit.reporters.reporter import Reporter
from adversarial.audit.reporters.tables import cells
from saywhy_core.disk.redacting import RedactedText
from verbalize.formats.own import REPORT_KIND, report_map

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from adversarial.audit.summary.nouns import AuditSummary, ImageRow, MapText, ProofCounts
    from adversarial.audit.summary.survival import Share, Step
    from adversarial.findings.reading import FindingSentence

VERSION = 1
"""Of the form of the document, which report.schema.json describes. 1: the first."""


def record_of(summary: AuditSummary) -> dict[str, Any]:
    """The summary as JSON content. Numbers that JSON can't hold are null."""
    maps = maps_of(summary)
    return {
        "kind": REPORT_KIND,
        "version": VERSION,
        "about": dict(summary.about),
        "command": summary.command,
        "unrepeatable": summary.unrepeatable,
        "distance": {"name": summary.norm, "title": summary.title, "median": _finite(summary.median)},
        "counts": {**summary.counts, "attacked": summary.attacked},
        "right": _share(summary.right),
        "robust_accuracy": [_step(step) for step in summary.by_distance],
        "held_by_queries": [_step(step) for step in summary.by_queries],
        "classes": [
            {
                "class": row.name, "images": row.images, "wrong": row.wrong, "failed": row.failed, "turned": _share(row.turned),
                "nearest": _finite(row.nearest), "median": _finite(row.median),
            }
            for row in summary.classes
        ],
        "flips": [{"from": flip.label, "to": flip.now, "count": flip.count} for flip in summary.flips],
        "weather": [
            {"kind": row.kind, "severity": row.severity, "value": _finite(row.value), "flipped": _share(row.flipped)}
            for row in summary.weather
        ],
        "brittle": None if summary.brittle is None else vars(summary.brittle),
        "proofs": None if summary.proofs is None else _proofs(summary.proofs),
        "survives": {kind: _share(share) for kind, share in summary.survives.items()},
        "places": [{"place": place, "count": count} for place, count in summary.places],
        "statements": [vars(one) for one in summary.statements],
        "texts": [
            {"id": one.map.saliency_id, "text": one.text, "title": one.title, "verdict": one.verdict, "images": one.images}
            for one in maps
        ],
        "maps": [report_map(one.map) for one in maps],
        "images": [_image(row) for row in summary.images],
    }  # fmt: skip


def maps_of(summary: AuditSummary) -> list[MapText]:
    """The maps of the whole set and those of the most fragile images, whose sentences are true."""
    found = [*summary.maps, *(one.touched for one in summary.fragile if one.touched is not None)]
    return [one for one in found if one.verdict == "true"]


def write_json(summary: AuditSummary, path: Path) -> None:
    """Write the document, one line for each of its parts and for each image."""
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
        text = RedactedText(stream.write)
        for piece in _pieces(record_of(summary)):
            text.write(piece)
        text.finish()


def _pieces(record: dict[str, Any]) -> Iterator[str]:
    opening = "{"
    for name, value in record.items():
        yield f"{opening}\n{json.dumps(name)}: "
        if isinstance(value, list) and value:
            lines = (json.dumps(one, ensure_ascii=False, allow_nan=False) for one in value)
            yield "[\n" + next(lines)
            yield from (f",\n{line}" for line in lines)
            yield "\n]"
        else:
            yield json.dumps(value, ensure_ascii=False, allow_nan=False)
        opening = ","
    yield "\n}\n"


def _image(row: ImageRow) -> dict[str, Any]:
    values: dict[str, Any] = {name: _finite(value) if isinstance(value, float) else value for name, value in cells(row).items()}
    values["distances"] = {name: _finite(value) for name, value in row.record.distances.items()}
    values["sentences"] = [_sentence(one) for one in (*row.sentences, *row.proved)]
    return values


def _sentence(sentence: FindingSentence) -> dict[str, Any]:
    return {
        "text": sentence.text,
        "verdict": sentence.verdict,
        "claims": [{name: value for name, value in vars(claim).items() if value != ""} for claim in sentence.claims],
    }


def _proofs(proofs: ProofCounts) -> dict[str, Any]:
    return {
        "images": proofs.images, "exact": proofs.exact, "condition": proofs.condition,
        "against": [{"pixels": pixels, "images": images} for pixels, images in proofs.against],
    }  # fmt: skip


def _share(share: Share) -> dict[str, Any]:
    return {"count": share.count, "of": share.of, "value": share.value, "low": share.low, "high": share.high}


def _step(step: Step) -> dict[str, Any]:
    return {name: _finite(value) if isinstance(value, float) else value for name, value in vars(step).items()}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


JSON = Reporter("all figures, texts and maps, for programs and `saywhy check`", ".json", write_json, uses=("pictures",))
