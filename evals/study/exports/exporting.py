"""What an export is, and the registry of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from evals.study.flow.keys import way_steps, ways_of
from evals.study.folder import IMAGES, Study, open_study
from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import read_bytes
from saywhy_core.registry import Registry

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from evals.study.flow.keys import Way
    from evals.study.steps import Step

MOST_PAGES = 20_000
"""Pages that an export lays out: a platform opens a project of so many, and few open one of more."""


@dataclass(frozen=True)
class Exported:
    """What an export makes.

    Attributes:
        files: path in the folder -> content. Of a single file, the path is "".
        notes: in sentences, what the platform can't do of the study, and what is to be done there.
    """

    files: Mapping[str, bytes]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Export:
    """A platform that studies are exported to.

    Args:
        summary: one line about the platform.
        make: `make(study)` makes the files. No file that a participant can load may hold right answers, or names of items and
            conditions.
        suffix: the ending of the one file, with the dot; "" where a folder is made.
    """

    summary: str
    make: Callable[[Study], Exported]
    suffix: str = ""


EXPORTS: Registry[Export] = Registry(
    "platform for studies",
    "saywhy.study_exports",
    {
        "static": "evals.study.exports.static:STATIC",
        "jatos": "evals.study.exports.jatos:JATOS",
        "csv": "evals.study.exports.sheets:CSV",
        "label-studio": "evals.study.exports.label_studio:LABEL_STUDIO",
        "potato": "evals.study.exports.potato:POTATO",
        "qualtrics": "evals.study.exports.qualtrics:QUALTRICS",
    },
    expects=Export,
)


def export_study(study: Study | str | os.PathLike[str], to: str, out: str | os.PathLike[str]) -> tuple[str, ...]:
    """Write a study in the form of another platform.

    Args:
        study: the study, or its folder.
        to: the name of the platform in `EXPORTS`.
        out: the folder to make, which must not be there or be empty; for platforms of one file, that file.

    Returns:
        notes: what the platform can't do of the study, and what is to be done there.

    Raises:
        UsageError: there is no such platform, the study can't be read, or `out` is no place for it.
    """
    export = EXPORTS.get(to)
    opened = study if isinstance(study, Study) else open_study(study)
    place = Path(out)
    if export.suffix:
        if place.is_dir():
            raise UsageError(f"{place} is a folder; name a file, such as {place / ('study' + export.suffix)}")
        if place.suffix != export.suffix:
            raise UsageError(f"{place}: an export to {to} is one file that ends in {export.suffix}; name it so")
    elif place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UsageError(f"{place} is there already; an export to {to} makes a new folder: name another one, or delete it")
    made = export.make(opened)
    for name, content in made.files.items():
        where = place / name if name else place
        where.parent.mkdir(parents=True, exist_ok=True)
        with atomic_open(where, "wb") as stream:
            stream.write(content)
    return made.notes


@dataclass(frozen=True)
class LaidOut:
    """A study as pages that are laid out beforehand.

    Attributes:
        ways: the way of each participant, and its pages.
        shared: whether participants share ways: there are fewer ways than the study plans participants.
    """

    ways: tuple[tuple[Way, tuple[Step, ...]], ...]
    shared: bool

    @property
    def pages(self) -> Iterator[tuple[Way, Step]]:
        """All pages, way by way."""
        return ((way, step) for way, steps in self.ways for step in steps)


def lay_out(study: Study, *, most: int | None = None) -> LaidOut:
    """Lay a study out for a platform that can't ask saywhy for the next page.

    Args:
        study: the study.
        most: how many ways of each cell there are at most. By default, each participant that is planned has one, as far as
            `MOST_PAGES` lasts.
    """
    if most is None:
        longest = max(len(way_steps(study, way)) for way in ways_of(study))
        most = max(1, MOST_PAGES // (longest * len(study.cells)))
    ways = ways_of(study, most=most)
    return LaidOut(
        tuple((way, way_steps(study, way)) for way in ways),
        shared=len(ways) < study.file.design.participants,
    )


def images_of(study: Study) -> dict[str, bytes]:
    """The pictures of a study by name."""
    folder = study.folder / IMAGES
    if not folder.is_dir():
        return {}
    return {one.name: read_bytes(one) for one in sorted(folder.iterdir()) if one.is_file()}


@dataclass
class Notes:
    """Sentences about what a platform can't do, each once."""

    said: dict[str, None] = field(default_factory=dict)

    def add(self, *sentences: str) -> None:
        """Add sentences."""
        self.said.update(dict.fromkeys(sentences))

    def __iter__(self) -> Iterator[str]:
        return iter(self.said)


def losses(steps: Iterable[Step], *, platform: str, feedback: bool = False, tries: bool = False) -> Iterator[str]:
    """What is lost of these pages on a platform: feedback after practice, a second try at comprehension questions.

    Args:
        steps: the pages.
        platform: its name.
        feedback: whether it can tell right answers after practice.
        tries: whether it can let participants try again, and send away who fails.
    """
    shown = list(steps)
    if not feedback and any(step.feedback for step in shown):
        yield f"{platform} tells no right answers after practice trials: participants get no feedback there"
    if not tries and any(step.phase == "comprehension" for step in shown):
        yield (
            f"{platform} asks the comprehension questions once and sends nobody away: the analysis leaves out who fails, by "
            "the rule failed_comprehension"
        )
