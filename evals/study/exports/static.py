"""A folder for any web host: the pages as they are served by saywhy, which judge and keep the answers in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.study.exports.exporting import Export, Exported
from evals.study.pages.bundle import bundle_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evals.study.folder import Study


def _make(study: Study) -> Exported:
    return Exported(
        bundle_files(study), ("participants download their answers at the end, and send you the file", *said(study))
    )


def said(study: Study) -> Iterator[str]:
    """What pages without saywhy's server can't do."""
    if study.file.comprehension is not None or study.file.practice.feedback:
        yield (
            "the pages hold hashes of the right answers to comprehension questions, and to practice trials the answers "
            "themselves, since nobody else could tell them: right answers of other trials are in none of the files"
        )
    if study.file.completion.code:
        yield "the completion code stands in the files: who reads their source finds it before the end"
    if study.file.server.keep_addresses:
        yield "server.keep_addresses has no effect: saywhy sees no addresses there; your host may keep them"
    yield "participants come into a cell at random: cells are not balanced by who completes"


STATIC = Export("a folder of files for any web host", _make)
