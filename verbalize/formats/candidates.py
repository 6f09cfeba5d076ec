"""The formats that may read what is given, in the order in which they are tried."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import Problem, UsageError
from verbalize.formats.format import FORMATS, Format
from verbalize.saliency import SaliencyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verbalize.saliency import Saliency


@dataclass
class Candidates:
    """The formats that may read what is given, in the order in which they are tried; each is loaded when it is its turn.

    So a file that a built-in format reads imports no plug-in, and a plug-in that can't be loaded hinders nobody who does
    not ask for it by name.
    """

    wanted: str
    unread: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    """The ids of the maps so far: an id that a reader makes up (such as the number of an output) must differ from them."""

    line: int | None = None
    """The line of the record that is read, in a source of lines."""

    def __post_init__(self) -> None:
        if self.wanted != "auto":
            try:
                FORMATS.get(self.wanted)
            except UsageError as error:
                raise SaliencyError(str(error)) from None
        self._loaded: list[Format] = []
        self._next: dict[str, int] = {}  # the number that the next map of a made-up id may get
        self._names = iter(FORMATS) if self.wanted == "auto" else iter((self.wanted,))

    def __iter__(self) -> Iterator[Format]:
        yield from self._loaded
        for name in self._names:
            try:
                found = FORMATS.get(name)
            except UsageError as error:
                self.unread.append(str(error))
                continue
            self._loaded.append(found)
            yield found

    def named(self, found: Saliency | Problem, document: Any) -> Saliency | Problem:
        """The map with another id, where its reader made one up that an earlier map has."""
        if isinstance(found, Problem) or found.id is None or (isinstance(document, dict) and {"id", "idx"} & document.keys()):
            return found
        if found.id not in self.ids:
            return found
        number = next(n for n in count(self._next.get(found.id, 2)) if f"{found.id}.{n}" not in self.ids)
        self._next[found.id] = number + 1
        return replace(found, id=f"{found.id}.{number}")

    def matching(self, document: Any) -> Format | None:
        """The first format that takes the document; a plug-in that fails at the question is passed over like a broken one."""
        for known in self:
            try:
                if known.matches is not None and known.matches(document):
                    return known
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a plug-in may raise anything; `_blame` passes ours on
                self._blame(known, error)
        return None

    def _blame(self, known: Format, error: BaseException) -> None:
        """Remember what a plug-in raised; the blame is prepared only here, because every format is asked about every record."""
        try:
            with FORMATS.blame(known.name):
                raise error
        except UsageError as told:
            if self.wanted != "auto":
                raise SaliencyError(str(told)) from told
            if str(told) not in self.unread:
                self.unread.append(str(told))
