"""Named things of one kind, built in or brought by another distribution, loaded when they are first asked for."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Generic, TypeVar

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

T = TypeVar("T")


class Registry(Generic[T]):
    """The things of one kind by name.

    Built-in things are given as "module:attribute". Other distributions add theirs through entry points of the same
    form in `group` (see docs/plugins.md); a program adds its own with `register`. Listing names imports none of them.

    Args:
        kind: what the things are called in errors, such as "distance".
        group: the entry-point group, such as "saywhy.distances".
        builtin: name -> "module:attribute", in the order in which they are listed.
    """

    def __init__(self, kind: str, group: str, builtin: Mapping[str, str]) -> None:
        self.kind, self.group = kind, group
        self._builtin = dict(builtin)
        self._loaded: dict[str, T] = {}

    def __iter__(self) -> Iterator[str]:
        yield from self._builtin  # before the search for entry points, which reads the metadata of all that is installed
        found = (point.name for point in entry_points(group=self.group))
        yield from dict.fromkeys(name for name in (*sorted(found), *self._loaded) if name not in self._builtin)

    def __contains__(self, name: object) -> bool:
        return name in tuple(self)

    def register(self, name: str, thing: T) -> None:
        """Add a thing for the rest of this process.

        Raises:
            UsageError: the name is taken.
        """
        if name in self:
            raise UsageError(f"there is already a {self.kind} named {name!r}; choose another name")
        self._loaded[name] = thing

    def get(self, name: str) -> T:
        """The thing of that name.

        Raises:
            UsageError: there is none, or the distribution that brings it can't be loaded.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> T:
        if name in self._builtin:
            module, _, attribute = self._builtin[name].partition(":")
            found: T = getattr(import_module(module), attribute)
            return found
        for point in entry_points(group=self.group, name=name):
            try:
                brought: T = point.load()
            except Exception as error:
                owner = f" of {point.dist.name}" if point.dist else ""
                raise UsageError(
                    f"the {self.kind} {name!r}{owner} can't be loaded ({type(error).__name__}: {error}); "
                    "mend or uninstall that distribution"
                ) from error
            return brought
        raise UsageError(f"there is no {self.kind} {name!r}; use one of {', '.join(self)}")
