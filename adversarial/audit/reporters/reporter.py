"""What a reporter is, and the registry of all formats of reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from saywhy_core.disk.files import atomic_path, check_writable
from saywhy_core.errors import UsageError, argument
from saywhy_core.registry import Registry

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from adversarial.audit.store import AuditStore

BEFORE_WRITING = "report"
"""The name of a report's file without its ending."""


@dataclass(frozen=True)
class Reporter:
    """A format of reports.

    Args:
        summary: one line about the format.
        suffix: the ending of its file, with the dot.
        write: writes the report: `write(summary, path)` takes an `AuditSummary` and the path of a new file. Options in `uses`
            that the caller gives are passed by keyword.
        uses: the options that have an effect on it: "pictures", the number of images with pictures (it is in the summary
            already, and is not passed), and "fragile_below", a distance.
    """

    summary: str
    suffix: str
    write: Callable[..., None]
    uses: tuple[str, ...] = ()


REPORTERS: Registry[Reporter] = Registry(
    "format of reports",
    "saywhy.reporters",
    {
        "html": "adversarial.audit.reporters.page:HTML",
        "json": "adversarial.audit.reporters.document:JSON",
        "csv": "adversarial.audit.reporters.tables:CSV",
        "parquet": "adversarial.audit.reporters.tables:PARQUET",
        "junit": "adversarial.audit.reporters.junit:JUNIT",
    },
    expects=Reporter,
)


def write_reports(
    store: AuditStore,
    formats: Sequence[str],
    out: str | os.PathLike[str] | None = None,
    *,
    pictures: int | None = None,
    fragile_below: float | None = None,
) -> list[Path]:
    """Write the reports of an audit; return their files, in the order of the formats.

    A report that can't be written to its end leaves no file, and what was in its place stays.

    Args:
        store: the database of the audit.
        formats: names in `REPORTERS`.
        out: a folder, or, for one format, a file with the ending of that format. The folder of the audit by default, where the
            files are report.html, report.json and so on.
        pictures: of how many images, the most fragile first, the report shows pictures; 60 by default.
        fragile_below: a distance; an image that a smaller change turns is a failure of the test.

    Raises:
        UsageError: a format is unknown or given twice, an option has no effect on any of the formats, two formats would write
            one file, or a file can't be written.
    """
    from adversarial.audit.summary.summarizing import PICTURES, summarize_audit

    if isinstance(formats, str):
        raise UsageError(f"{argument('formats')} must be a list of names, such as [{formats!r}], not a text")
    if not formats:
        raise UsageError(f"name a format of reports: {', '.join(REPORTERS)}")
    reporters = {name: REPORTERS.get(name) for name in formats}
    if len(reporters) < len(formats):
        raise UsageError("a format of reports is named twice; name each once")
    for option, value in (("pictures", pictures), ("fragile_below", fragile_below)):
        if value is not None and not any(option in reporter.uses for reporter in reporters.values()):
            able = " or ".join(name for name in REPORTERS.builtin if option in REPORTERS.get(name).uses)
            raise UsageError(f"{argument(option, value)} has no effect on {', '.join(formats)}; leave it out, or add {able}")
    paths = _paths(reporters, Path(store.directory if out is None else out))
    for path in paths.values():
        check_writable(path)
    for reporter in reporters.values():  # what a format lacks is told before the work
        check = getattr(reporter.write, "check", None)
        if check is not None:
            check()
    if pictures is None:
        pictures = PICTURES if any("pictures" in reporter.uses for reporter in reporters.values()) else 0
    summary = summarize_audit(store, pictures=pictures)
    for name, reporter in reporters.items():
        given = {"fragile_below": fragile_below} if fragile_below is not None and "fragile_below" in reporter.uses else {}
        with atomic_path(paths[name]) as path, REPORTERS.blame(name, OSError):
            reporter.write(summary, path, **given)
    return list(paths.values())


def _paths(reporters: dict[str, Reporter], out: Path) -> dict[str, Path]:
    if len(reporters) == 1:
        ((name, reporter),) = reporters.items()
        if out.suffix.lower() == reporter.suffix and not out.is_dir():
            return {name: out}
    paths = {name: out / f"{BEFORE_WRITING}{reporter.suffix}" for name, reporter in reporters.items()}
    if len(set(paths.values())) < len(paths):
        raise UsageError("two of these formats would write the same file; write one of them elsewhere")
    return paths
