"""The command that repeats an audit, from the settings that it kept."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_VALUES = (
    "target", "labels", "label", "resize", "distance", "budget", "seed", "goal", "player_two", "manipulation", "attack",
    "levels",
)  # fmt: skip
"""Settings that are one option with one value."""
_USUAL = {"player_two": "cooperative"}


def command_of(directory: Path, about: Mapping[str, Any]) -> str:
    """The command line that makes the same audit in an empty folder, given where the first one was.

    Keys are never in it: they come from the environment. Where the settings don't say which images were given, IMAGES stands
    for them.
    """
    settings = about.get("settings") or {}
    images = settings.get("images")
    given = [str(image) for image in images] if isinstance(images, list) and images else ["IMAGES"]
    words = ["saywhy", "audit", "run", directory.name or "audit", *given]
    for name in _VALUES:
        value = settings.get(name)
        if value is not None and not isinstance(value, dict | list) and _USUAL.get(name) != value:
            words += [f"--{name.replace('_', '-')}", str(value)]
    options = settings.get("options")
    for name, value in options.items() if isinstance(options, dict) else ():
        words += ["--option", f"{name}={value}"]
    if settings.get("tolerate_noise"):
        words.append("--tolerate-noise")
    if isinstance(settings.get("weather"), list):
        words += ["--weather", ",".join(map(str, settings["weather"])) or "none"]
    if isinstance(settings.get("severities"), list) and settings.get("weather"):
        words += ["--severities", ",".join(map(str, settings["severities"]))]
    if settings.get("survival") is False:
        words.append("--no-survival")
    return shlex.join(words)
