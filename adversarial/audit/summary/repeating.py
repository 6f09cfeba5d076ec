"""The command that repeats an audit, from the settings that it kept."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_VALUES = ("target", "distance", "budget", "seed", "goal", "levels", "manipulation", "attack", "resize", "labels", "scores")
"""Settings that are one option with one value."""


def command_of(directory: Path, about: Mapping[str, Any]) -> str:
    """The command line that makes the same audit in an empty folder; IMAGES stands for the images as they were given.

    What was run is taken as it is where the audit kept it (`command`). Keys are never in it: they come from the environment.
    """
    kept = about.get("command")
    if isinstance(kept, str) and kept:
        return kept
    if isinstance(kept, list) and kept:
        return shlex.join(map(str, kept))
    settings = about.get("settings") or {}
    words = ["saywhy", "audit", "run", directory.name or "audit", "IMAGES"]
    for name in _VALUES:
        value = settings.get(name)
        if value is not None and not isinstance(value, dict | list):
            words += [f"--{name.replace('_', '-')}", str(value)]
    options = settings.get("options")
    for name, value in (options.items() if isinstance(options, dict) else ()):
        words += ["--option", f"{name}={value}"]
    return shlex.join(words)
