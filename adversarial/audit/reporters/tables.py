"""The images of an audit as one table, a row per image: CSV and Parquet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from adversarial.audit.reporters.reporter import Reporter
from saywhy_core.csv_rows import csv_row
from saywhy_core.disk.redacting import RedactedText
from saywhy_core.errors import UsageError
from saywhy_core.secrets import redact

if TYPE_CHECKING:
    from pathlib import Path

    from adversarial.audit.summary.nouns import AuditSummary, ImageRow

COLUMNS = (
    ("id", int), ("name", str), ("path", str), ("part", int), ("status", str), ("rank", int), ("label", int),
    ("label_name", str), ("predicted", int), ("predicted_name", str), ("adversarial_label", int), ("adversarial_name", str),
    ("confidence", float), ("norm", str), ("distance", float), ("distances", str), ("queries", int), ("search_queries", int),
    ("found_after", int), ("changed_pixels", int), ("place", str), ("survives_png", bool), ("survives_jpeg", bool),
    ("weather", int), ("sentence", str), ("height", int), ("width", int), ("channels", int), ("note", str), ("error", str),
    ("file", str), ("pixels", str), ("pixels_lower", int), ("pixels_upper", int), ("proof", str),
)  # fmt: skip
"""The columns with their types. `rank` counts the images that were turned, the most fragile first; `weather` counts the
kinds of weather that changed the decision; `sentence` holds what was found, as far as it is true. `pixels` says between which
numbers the fewest pixels lie that flip the image, such as "2 to 5" or "exactly 3", and `proof` the same in sentences."""


def cells(row: ImageRow) -> dict[str, Any]:
    """The cells of an image, by column; None where there is nothing."""
    record = row.record
    found = {name: getattr(record, name, None) for name, _ in COLUMNS}
    return found | {
        "rank": row.rank,
        "distance": row.distance if row.distance is not None else record.distance,
        "distances": json.dumps(dict(record.distances)) if record.distances else None,
        "survives_png": record.survives.get("png"),
        "survives_jpeg": record.survives.get("jpeg"),
        "weather": row.weather,
        "sentence": row.text or None,
        "pixels": row.pixels or None,
        "pixels_lower": None if row.proof is None else row.proof.lower,
        "pixels_upper": None if row.proof is None else row.proof.upper,
        "proof": row.proved_text or None,
    }


def write_csv(summary: AuditSummary, path: Path) -> None:
    """Write the table as CSV in UTF-8. An apostrophe keeps spreadsheets from computing a text that looks like a formula."""
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
        text = RedactedText(stream.write)
        text.write(csv_row(name for name, _ in COLUMNS))
        for row in summary.images:
            text.write(csv_row(_plain(value) for value in cells(row).values()))
        text.finish()


def write_parquet(summary: AuditSummary, path: Path) -> None:
    """Write the table as Parquet, with a type for each column.

    Raises:
        UsageError: pyarrow is not installed.
    """
    arrow, parquet = _arrow()
    types = {int: arrow.int64(), str: arrow.string(), float: arrow.float64(), bool: arrow.bool_()}
    schema = arrow.schema([(name, types[kind]) for name, kind in COLUMNS])
    with parquet.ParquetWriter(path, schema) as writer:
        for start in range(0, max(1, len(summary.images)), 1000):
            rows = [cells(row) for row in summary.images[start : start + 1000]]
            columns = {name: [_typed(row[name], kind) for row in rows] for name, kind in COLUMNS}
            writer.write_table(arrow.table(columns, schema=schema))


def _arrow() -> Any:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise UsageError('the report in Parquet needs pyarrow; install it with pip install "saywhy[audit]"') from None
    return pa, pq


write_parquet.check = _arrow  # type: ignore[attr-defined]  # it is asked before the summary is made


def _typed(value: Any, kind: type) -> Any:
    if value is None:
        return None
    return redact(str(value)).encode("utf-8", "backslashreplace").decode() if kind is str else kind(value)


def _plain(value: Any) -> object:
    return str(value).lower() if isinstance(value, bool) else value


CSV = Reporter("one row per image, for spreadsheets", ".csv", write_csv)
PARQUET = Reporter("one row per image, with types, for data frames", ".parquet", write_parquet)
