"""The report as one HTML page that needs no other file and no server."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from adversarial.audit.reporters.charts import curve_svg
from adversarial.audit.reporters.pictures import address, map_address, pictures_of, regions_in_words
from adversarial.audit.reporters.reporter import Reporter
from adversarial.audit.summary.statements import counted, percent
from adversarial.audit.summary.summarizing import name_of
from adversarial.audit.summary.survival import value_at
from adversarial.distances.distance import DISTANCES
from adversarial.findings.pictures import density_picture
from saywhy_core.disk.redacting import RedactedText
from saywhy_core.legible import legible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from adversarial.audit.summary.nouns import AuditSummary, FragileImage, ImageRow
    from adversarial.audit.summary.survival import Share, Step

LONGEST_NAME = 160
"""Characters of a name, a path or an error on the page; longer ones are cut in the middle, and CSV and JSON hold them whole."""
MATRIX = 12
"""The most classes for which the flips are a matrix; with more, they are a list of pairs."""
_POINTS = 12  # rows of the tables beside the curves

STATUS_WORDS = {
    "found": "turned",
    "held": "held",
    "wrong": "wrong from the start",
    "failed": "not attacked",
    "waiting": "waiting",
}


def write_page(summary: AuditSummary, path: Path) -> None:
    """Write the page. Names of classes and files are texts in it and nothing else, whatever they hold."""
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
        text = RedactedText(stream.write)
        for piece in _template().generate(**_content(summary)):
            text.write(piece)
        text.finish()


def _template() -> Any:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"legible": shown, "percent": _percent, "share": _share, "counted": counted}
    return environment.from_string(_asset("page.html"))


def _asset(name: str) -> str:
    return (files("adversarial.audit.reporters") / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _content(summary: AuditSummary) -> dict[str, Any]:
    style, script = _asset("page.css"), _asset("page.js")
    distance = DISTANCES.get(summary.norm)
    unit = "pixels changed (L0)" if distance.counts_pixels else f"{distance.title} distance"
    return {
        "summary": summary, "unit": unit, "in_words": distance.in_words, "status_words": STATUS_WORDS,
        "style": Markup(style), "script": Markup(script), "style_hash": _hash(style), "script_hash": _hash(script),  # noqa: S704
        "data": _data(summary), "settings": _settings(summary),
        "distance_curve": curve_svg(
            summary.by_distance, across=unit, up="right and not turned", name="by-distance",
            title=_said_of(summary.by_distance, f"Robust accuracy against distance, {unit}"),
        ),
        "query_curve": curve_svg(
            summary.by_queries, across="queries", up="not turned yet", name="by-queries",
            title=_said_of(summary.by_queries, "Share of the attacked images that were not turned, against queries"),
        ),
        "distance_rows": _few(summary.by_distance), "query_rows": _few(summary.by_queries),
        "cards": [_card(one, distance.in_words) for one in summary.fragile],
        "maps": [(one, map_address(one.map), regions_in_words(one.map)) for one in summary.maps if one.verdict == "true"],
        "weather": _weather(summary), "matrix": _matrix(summary), "failures": _failures(summary),
    }  # fmt: skip


def _said_of(steps: Sequence[Step], what: str) -> str:
    if not steps:
        return f"{what}: there is nothing to show."
    return f"{what}: from {percent(steps[0].value)} at {steps[0].at:g} to {percent(steps[-1].value)} at {steps[-1].at:,.4g}."


def _few(steps: Sequence[Step]) -> list[Step]:
    """Some of the steps for a table, the first and the last among them."""
    if len(steps) <= _POINTS:
        return list(steps)
    chosen = sorted({round(place * (len(steps) - 1) / (_POINTS - 1)) for place in range(_POINTS)})
    found = [value_at(steps, steps[place].at) for place in chosen]
    return [step for step in found if step is not None]


def _card(one: FragileImage, in_words: Any) -> dict[str, Any]:
    record = one.row.record
    pictures = pictures_of(one.arrays) if one.arrays is not None else []
    if one.touched is not None and pictures:
        said = "What mattered to the search: bright is more."
        pictures.append(("what mattered", address(density_picture(one.touched.map.scores)), said))
    return {
        "id": f"image-{record.id}",
        "rank": one.row.rank,
        "name": record.name,
        "path": record.path,
        "label": _class(record.label, record.label_name),
        "now": _class(record.adversarial_label, record.adversarial_name),
        "distance": in_words(one.row.distance) if one.row.distance is not None else "",
        "text": one.row.text,
        "proved": one.row.proved_text,
        "touched": one.touched.text if one.touched is not None else "",
        "pictures": pictures,
        "survives": ", ".join(
            f"{'survives' if lives else 'does not survive'} {kind.upper()}" for kind, lives in record.survives.items()
        ),
        "weather": one.row.weather,
        "note": record.note or "",
    }


def _data(summary: AuditSummary) -> Markup:
    """What the tables with filters are filled with, as JSON that can't end its element."""
    shown_ids = {one.row.record.id for one in summary.fragile}
    images = [_image(row, row.record.id in shown_ids) for row in summary.images]
    classes = [
        [shown(_unquoted(row.name)), row.images, row.wrong, row.failed, row.turned.of, row.turned.count,
         _rounded(row.turned.value), _interval(row.turned), _number(row.nearest), _number(row.median)]
        for row in summary.classes
    ]  # fmt: skip
    flips = [[shown(_unquoted(flip.label)), shown(_unquoted(flip.now)), flip.count] for flip in summary.flips]
    text = json.dumps({"images": images, "classes": classes, "flips": flips}, separators=(",", ":"), ensure_ascii=True)
    return Markup(text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e"))  # noqa: S704


def _image(row: ImageRow, has_card: bool) -> list[Any]:
    record = row.record
    return [
        [shown(record.name), f"image-{record.id}"] if has_card else shown(record.name),
        STATUS_WORDS[record.status],
        _class(record.label, record.label_name),
        _class(record.predicted, record.predicted_name),
        _class(record.adversarial_label, record.adversarial_name) if record.status == "found" else "",
        _number(row.distance),
        row.pixels,
        record.search_queries or record.queries or None,
        row.weather,
        _yes(record.survives.get("png")),
        _yes(record.survives.get("jpeg")),
        shown(record.error or record.note or ""),
        shown(record.path),
    ]


def _yes(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _weather(summary: AuditSummary) -> dict[str, Any] | None:
    if not summary.weather:
        return None
    severities = sorted({row.severity for row in summary.weather})
    cells = {(row.kind, row.severity): row for row in summary.weather}
    kinds = list(dict.fromkeys(row.kind for row in summary.weather))
    return {"severities": severities, "rows": [(kind, [cells.get((kind, one)) for one in severities]) for kind in kinds]}


def _matrix(summary: AuditSummary) -> dict[str, Any] | None:
    """The flips as a square table, where it is small enough to be looked at."""
    names = sorted({name for flip in summary.flips for name in (flip.label, flip.now)})
    if not 2 <= len(names) <= MATRIX:
        return None
    counts = {(flip.label, flip.now): flip.count for flip in summary.flips}
    top = max(counts.values())
    rows = [
        (_unquoted(name), [(count := counts.get((name, other), 0), -(-9 * count // top), name == other) for other in names])
        for name in names
    ]
    return {"names": [_unquoted(name) for name in names], "rows": rows}


def _failures(summary: AuditSummary) -> list[tuple[str, int, list[str]]]:
    """(reason, number of images, some of their names), the most frequent reason first."""
    found: dict[str, list[str]] = {}
    for row in summary.images:
        if row.record.status == "failed":
            found.setdefault(row.record.error or "no reason was kept", []).append(row.record.name)
    rows = [(reason, len(names), names[:5]) for reason, names in found.items()]
    return sorted(rows, key=lambda one: (-one[1], one[0]))[:100]


def _settings(summary: AuditSummary) -> Iterable[tuple[str, str]]:
    about = summary.about
    rows = {"saywhy": about.get("saywhy"), "made": about.get("created"), **(about.get("settings") or {})}
    for name, value in rows.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if value is not None:
            yield str(name), shown(str(text), 2000)


def shown(text: object, longest: int = LONGEST_NAME) -> str:
    """A text on one line, without characters that hide or turn others, and not too long."""
    line = legible(str(text))
    half = longest // 2
    return line if len(line) <= longest else f"{line[:half]} … {line[-half:]}"


def _class(label: int | None, name: str | None) -> str:
    return shown(_unquoted(name_of(label, name)))


def _unquoted(mention: str) -> str:
    """A class without the quotation marks that sentences put around its name."""
    return mention[1:-1] if len(mention) > 1 and mention[0] == mention[-1] == "'" else mention


def _number(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}") if value < 10_000 else round(value)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 1)


def _percent(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _interval(share: Share | Step) -> str:
    return "" if share.low is None or share.high is None else f"{100 * share.low:.0f}–{100 * share.high:.0f}%"


def _share(share: Share) -> str:
    return f"{_percent(share.value)} ({_interval(share)})" if share.of else "–"


HTML = Reporter("one page with pictures, tables and filters", ".html", write_page, uses=("pictures",))
