"""Which image's finding goes to which folder: the same one in every run, whatever other images are in it."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from adversarial.audit.image_folders.folders import Holder, ResultFolder, read_holder
from adversarial.audit.store import DATABASE
from saywhy_core.disk.databases import SIDES
from saywhy_core.errors import UsageError
from saywhy_core.names import safe_file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adversarial.audit.gathering import AuditImage

DEEPEST = 6  # parent folders in the name of a result's folder
RESERVED = frozenset({DATABASE, *(f"{DATABASE}{ending}" for ending in SIDES), "images", "answers"})
"""Names in the folder of an audit that are no image's."""
SHOWN = 10  # hexadecimal digits that tell images of one name in one folder from each other


def result_folders(out: str | os.PathLike[str], images: Sequence[AuditImage], digests: Sequence[str]) -> list[ResultFolder]:
    """The folder for each image, in `out`.

    An image whose folder is there already, by what is in it, has that one. Otherwise the folder is named after the image. Where
    other images of the run have the same name, or another image's result has the folder, as many parent folders go before
    the name as tell them apart: `a-stop` and `b-stop` for `a/stop.png` and `b/stop.png`. So the folders don't depend on the
    order of the images.

    Raises:
        UsageError: `out` can't be made a folder.
    """
    root = Path(out)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{root} can't be made a folder: {error.strerror}") from None
    wanted = [
        _Wanted(_candidates(image), Holder(digest, pixels_digest(image), place_digest(image, root)))
        for image, digest in zip(images, digests, strict=True)
    ]
    names = _Names(root, wanted)
    names.take_up()
    names.give_new()
    return [ResultFolder(root / names.given[number], digest) for number, digest in enumerate(digests)]


def pixels_digest(image: AuditImage) -> str:
    """A text that changes with the pixels."""
    return hashlib.sha256(repr(image.pixels.shape).encode() + image.pixels.tobytes()).hexdigest()[:20]


def place_digest(image: AuditImage, out: Path) -> str:
    """A text that changes with the place that the image was read from, as seen from `out`; "" where that is not known.

    Images and results that are moved together, or made again elsewhere, have the same.
    """
    if not image.source:
        return ""
    source = os.path.realpath(image.source)
    with suppress(ValueError):  # on another drive of Windows
        source = os.path.relpath(source, os.path.realpath(out))
    return hashlib.sha256(f"{source}\0{image.name}".encode("utf-8", "surrogateescape")).hexdigest()[:20]


class _Wanted:
    """An image's candidates for the name of its folder, the plain one first, and what a folder of its own would hold."""

    def __init__(self, names: list[str], own: Holder) -> None:
        self.names, self.own = names, own
        self.plain = names[0].casefold()
        self.last = f"{names[0]}-{(own.place or own.pixels)[:SHOWN]}"


def _candidates(image: AuditImage) -> list[str]:
    above = [parent.name for parent in Path(image.source).absolute().parents if parent.name] if image.source else []
    parts = ([*reversed(above[:depth]), image.name] for depth in range(min(len(above), DEEPEST) + 1))
    return [safe_file_name("-".join(names)) for names in parts]


class _Names:
    def __init__(self, root: Path, wanted: list[_Wanted]) -> None:
        self.root, self.wanted = root, wanted
        self.given: dict[int, str] = {}
        self._taken: set[str] = set(RESERVED)
        self._holders: dict[str, Holder | None] = {}
        self._sharing = Counter(one.plain for one in wanted)
        self._alike = Counter(one.last for one in wanted)
        self._tails = Counter((depth, name.casefold()) for one in wanted for depth, name in enumerate(one.names))

    def take_up(self) -> None:
        """Give each image the folder that holds its result, the surest signs first."""
        signs: tuple[Callable[[Holder, Holder], bool], ...] = (
            lambda there, own: bool(there.place) and there.place == own.place and there.digest == own.digest,
            lambda there, own: bool(there.place) and there.place == own.place,
            lambda there, own: bool(there.digest) and there.digest == own.digest,
            lambda there, own: bool(there.pixels) and there.pixels == own.pixels,
        )
        for sign in signs:
            for number, one in enumerate(self.wanted):
                if number in self.given:
                    continue
                numbered = [f"{one.last}-{more}" for more in range(2, self._alike[one.last] + 1)]
                for name in (*one.names, one.last, *numbered):
                    there = self._holder(name)
                    if there is not None and name.casefold() not in self._taken and sign(there, one.own):
                        self._give(number, name)
                        break

    def give_new(self) -> None:
        """Name a folder for each image that has none: those whose name is theirs alone first, then the others."""
        left = [number for number in range(len(self.wanted)) if number not in self.given]
        shared: list[int] = []
        for number in left:
            one = self.wanted[number]
            there = self._holder(one.names[0])
            another = there is not None and bool(there.place) and bool(one.own.place)
            if self._sharing[one.plain] > 1 or another or one.plain in self._taken:
                shared.append(number)
            else:  # where the folder holds something unknown, the image becomes a problem
                self._give(number, one.names[0])
        for number in sorted(shared, key=lambda number: (self.wanted[number].own.place, self.wanted[number].own.pixels)):
            one = self.wanted[number]
            numbered = (f"{one.last}-{more}" for more in count(2))
            names = chain(one.names[self._depth(one) :], [one.last], numbered)
            free = (name for name in names if name.casefold() not in self._taken and self._holder(name) is None)
            self._give(number, next(free))

    def _depth(self, one: _Wanted) -> int:
        """How many parent folders tell the image from all others of its name."""
        unique = (depth for depth in range(1, len(one.names)) if self._tails[depth, one.names[depth].casefold()] == 1)
        return next(unique, len(one.names))

    def _holder(self, name: str) -> Holder | None:
        if name not in self._holders:
            self._holders[name] = read_holder(self.root / name)
        return self._holders[name]

    def _give(self, number: int, name: str) -> None:
        self.given[number] = name
        self._taken.add(name.casefold())
