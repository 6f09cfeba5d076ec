"""The command that repeats an audit, from the settings that it kept."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from saywhy_core.classifiers.spec import read_option

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_VALUES = (
    "target", "labels", "label", "resize", "distance", "budget", "seed", "goal", "player_two", "manipulation", "attack",
    "levels", "batch_size", "prove", "prove_pixels",
)  # fmt: skip
"""Settings that are one option with one value."""
_USUAL = {"player_two": "cooperative"}
_UNSAID: Mapping[str, tuple[Any, str]] = {
    "of_program": (None, "its classifier is an object of a program"),
    "density": (None, "its density was given in Python"),
    "tree": ("batched", "its tree search was chosen in Python"),
}
"""Settings that no option of the command gives, each with its usual value."""


def command_of(directory: Path, about: Mapping[str, Any]) -> str | None:
    """The command line that makes the same audit in an empty folder, given where the first one was; None where there is none.

    Keys are never in it: they come from the environment, and neither is `--trust`, which only a person can give. Where the
    settings don't say which images were given, IMAGES stands for them.
    """
    if why_no_command(about) is not None:
        return None
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
        words += ["--option", _option(str(name), value)]
    names = settings.get("class_names")
    if isinstance(names, list):
        words += ["--classes", json.dumps(names, ensure_ascii=False)]
    if settings.get("tolerate_noise"):
        words.append("--tolerate-noise")
    if isinstance(settings.get("weather"), list):
        words += ["--weather", ",".join(map(str, settings["weather"])) or "none"]
    if isinstance(settings.get("severities"), list) and settings.get("weather"):
        words += ["--severities", ",".join(map(str, settings["severities"]))]
    if settings.get("survival") is False:
        words.append("--no-survival")
    return shlex.join(words)


def why_no_command(about: Mapping[str, Any]) -> str | None:
    """Why no command repeats the audit; None where one does."""
    settings = about.get("settings") or {}
    said = [words for name, (usual, words) in _UNSAID.items() if settings.get(name) not in (usual, None)]
    if not said:
        return None
    return f"No command repeats this audit, because {' and '.join(said)}; run the program that made it."


def _option(name: str, value: Any) -> str:
    """An option that is read back as the same value."""
    plain = f"{name}={value}"
    if isinstance(value, str) and read_option(plain)[1] == value:
        return plain
    return f"{name}={json.dumps(value, ensure_ascii=False)}"
