"""Modules that stand elsewhere today, importable under their earlier names."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType


class _Moved:
    """Finds a module under its earlier name and hands out the one that took its place: one object under two names."""

    def __init__(self) -> None:
        self.homes: dict[str, str] = {}
        self._specs: dict[str, ModuleSpec | None] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        return ModuleSpec(fullname, self) if fullname in self.homes else None  # type: ignore[arg-type]  # it has what counts

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        home = self.homes[spec.name]
        warnings.warn(f"{spec.name} is now {home}; import it from there", DeprecationWarning, stacklevel=2)
        module = import_module(home)
        self._specs[spec.name] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # the import system has given the module the spec of its earlier name; it keeps its own
        earlier = module.__spec__.name if module.__spec__ else ""
        module.__spec__ = self._specs.pop(earlier, module.__spec__)


_FINDER = _Moved()


def moved(homes: Mapping[str, str]) -> None:
    """Let modules be imported under their earlier names, with a DeprecationWarning.

    Args:
        homes: earlier dotted name -> the name of today.
    """
    _FINDER.homes.update(homes)
    if _FINDER not in sys.meta_path:
        sys.meta_path.append(_FINDER)
