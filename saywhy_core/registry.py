"""Named things of one kind, built in or brought by another distribution, loaded when they are first asked for."""

from __future__ import annotations

import re
import sys
import warnings
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from importlib.metadata import EntryPoint

T = TypeVar("T")

HOUSE = "saywhy"
"""The distribution with the right to its names: what it brings by entry points goes before what others bring."""

NAME = re.compile(r"[^\W\d][\w.-]*")
"""What a name may be. A colon, a question mark or a space would end the name in a line such as `onnx:FILE?layout=nchw`."""


class Registry(Generic[T]):
    """The things of one kind by name.

    Built-in things are given as "module:attribute". Other distributions add theirs through entry points of the same
    form in `group` (see docs/plugins.md); a program adds its own with `register`. Listing names imports none of them.

    Where one name is brought more than once, the built-in thing is used, then the one that saywhy's own distribution brings.
    A name that only other distributions bring, and more than one of them, is an error for whoever asks for it.

    Args:
        kind: what the things are called in errors, such as "distance".
        group: the entry-point group, such as "saywhy.distances".
        builtin: name -> "module:attribute", in the order in which they are listed.
        expects: what each thing must be: a class, or a function that says whether a thing will do. None for anything.
        words: `expects` in words, such as "a Distance". They may be left out for a class.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        builtin: Mapping[str, str],
        *,
        expects: type | Callable[[object], bool] | None = None,
        words: str = "",
    ) -> None:
        self.kind, self.group = kind, group
        self._builtin = dict(builtin)
        self._loaded: dict[str, T] = {}
        # all that is installed, and what of it is ours
        self._seen: tuple[object, dict[str, tuple[EntryPoint, ...]]] | None = None
        self._expects = expects
        self._words = words or (_with_article(expects.__name__) if isinstance(expects, type) else "of another form")

    def __iter__(self) -> Iterator[str]:
        yield from self._builtin  # before the search for entry points, which reads the metadata of all that is installed
        found = sorted(name for name in self.brought() if NAME.fullmatch(name))
        yield from dict.fromkeys(name for name in (*found, *self._loaded) if name not in self._builtin)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._builtin or name in self._loaded or name in tuple(self))

    @property
    def builtin(self) -> tuple[str, ...]:
        """The names of the built-in things."""
        return tuple(self._builtin)

    def brought(self) -> dict[str, tuple[EntryPoint, ...]]:
        """The entry points of each name, those of saywhy's own distribution first. Nothing is imported."""
        points = _brought_points()
        if self._seen is None or self._seen[0] is not points:
            found: dict[str, list[EntryPoint]] = {}
            for point in points.select(group=self.group):
                known = found.setdefault(point.name, [])
                if (owner_of(point), point.value) not in [(owner_of(other), other.value) for other in known]:
                    known.append(point)
            ordered = {
                name: tuple(sorted(points, key=lambda point: (owner_of(point) != HOUSE, owner_of(point))))
                for name, points in found.items()
            }
            self._seen = points, ordered
        return dict(self._seen[1])

    def register(self, name: str, thing: T) -> None:
        """Add a thing for the rest of this process.

        Raises:
            UsageError: the name is taken or can't be a name, or the thing is none of this kind.
        """
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise UsageError(f"{name!r} can't be the name of a {self.kind}: {_NAME_RULE}")
        if name in self:
            raise UsageError(f"there is already a {self.kind} named {name!r}; choose another name")
        if not self._fits(thing):
            raise UsageError(f"the {self.kind} {name!r} must be {self._words}, not {_shown(thing)}")
        self._loaded[name] = thing

    def get(self, name: str) -> T:
        """The thing of that name.

        Raises:
            UsageError: there is none; or the distribution that brings it can't be loaded, brings something of another kind, or
                is not the only one that brings this name.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def usable(self) -> Iterator[tuple[str, T]]:
        """Each name with its thing, for a walk over all of them. A thing that can't be had is left out, with a warning."""
        for name in self:
            try:
                thing = self.get(name)
            except UsageError as error:
                warnings.warn(f"left out: {error}", RuntimeWarning, stacklevel=3)
                continue
            yield name, thing

    @contextmanager
    def blame(self, name: str, *passed: type[Exception]) -> Iterator[None]:
        """Run code of the thing of that name, and let the user read which distribution failed.

        Exceptions are passed on where the thing is built in, and where they are of type `UsageError` or `passed`.

        Raises:
            UsageError: the code raised any other exception.
        """
        try:
            yield
        except UsageError:
            raise
        except passed:
            raise
        except (Exception, SystemExit) as error:
            if name in self._builtin:
                raise
            raise UsageError(f"the {self.kind} {name!r}{self._by(name)} failed ({_reason(error)})") from error

    def misfit(self, name: str, found: object, wanted: str) -> UsageError:
        """The error for a function of that name that returned something of another kind than `wanted`."""
        return UsageError(f"the {self.kind} {name!r}{self._by(name)} returned {_shown(found)} instead of {wanted}")

    def _by(self, name: str) -> str:
        points = () if name in self._builtin else self.brought().get(name, ())
        return f" of {owner_of(points[0])}" if points else ""

    def _fits(self, thing: object) -> bool:
        if self._expects is None:
            return True
        return isinstance(thing, self._expects) if isinstance(self._expects, type) else self._expects(thing)

    def _load(self, name: str) -> T:
        if name in self._builtin:
            module, _, attribute = self._builtin[name].partition(":")
            found: T = getattr(import_module(module), attribute)
            return found
        points = self.brought().get(name, ())
        if not points:
            raise UsageError(f"there is no {self.kind} {name!r}; use one of {', '.join(self)}")
        owner = owner_of(points[0])
        if len(points) > 1 and owner != HOUSE:
            owners = " and ".join(dict.fromkeys(map(owner_of, points)))
            raise UsageError(
                f"the {self.kind} {name!r} is brought more than once, by {owners}; keep only one of these distributions"
            )
        if not NAME.fullmatch(name):
            raise UsageError(f"the {self.kind} {name!r} of {owner} can't be used: {_NAME_RULE}")
        try:
            brought: T = points[0].load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also SystemExit: a plug-in that ends the process on import would end it in silence
            raise UsageError(
                f"the {self.kind} {name!r} of {owner} can't be loaded ({_reason(error)}); mend or uninstall that distribution"
            ) from error
        if not self._fits(brought):
            raise UsageError(
                f"the {self.kind} {name!r} of {owner} can't be used: it must be {self._words}, not {_shown(brought)}; "
                "mend or uninstall that distribution"
            )
        return brought


_all_points: tuple[object, Any] = (None, None)  # what was installed, and its entry points


def _brought_points() -> Any:
    """The entry points of all distributions, found once for all registries: it takes as long for the group of one.

    It is the same object until something is installed or removed.
    """
    global _all_points
    installed = _installed()
    if _all_points[0] != installed:
        _all_points = installed, entry_points()
    return _all_points[1]


def _installed() -> tuple[object, ...]:
    """What changes when a distribution is installed or removed: reading the metadata of all of them takes 10 ms.

    The search itself is a part of it, and so are those who search, which programs may replace.
    """
    return entry_points, tuple(sys.meta_path), tuple((place, _changed(place)) for place in sys.path)


def _changed(place: str) -> int | None:
    try:
        return Path(place or ".").stat().st_mtime_ns
    except OSError:
        return None


def owner_of(point: EntryPoint) -> str:
    """The name of the distribution that brings an entry point; the place it points to where no distribution is known."""
    return point.dist.name if point.dist else point.value


_NAME_RULE = "a name begins with a letter and holds letters, digits and the signs _ - . only"


def _with_article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _shown(thing: object) -> str:
    if thing is None:
        return "None"
    return f"the class {thing.__name__}" if isinstance(thing, type) else f"a value of type {type(thing).__name__}"


def _reason(error: BaseException) -> str:
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0][:300]}" if said else type(error).__name__
