"""What the kinds of conditions make their stimuli from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from saywhy_core.errors import Problem
    from verbalize.saliency import Saliency


@dataclass(frozen=True)
class Making:
    """The maps of all items, and where pictures go.

    Attributes:
        maps: the maps.
        seed: of everything random.
        mask_labels: whether no text may name a label.
        add_picture: `add_picture(png)` keeps a PNG under the name of its SHA-256 in the study's `images/`, and returns
            "images/NAME.png".
        folder: the folder that files named in options are relative to.
        chat: the chat model of "narrate", or None.
        problems: what could not be shown.
    """

    maps: tuple[Saliency, ...]
    seed: int
    mask_labels: bool
    add_picture: Callable[[bytes], str]
    folder: Path
    chat: object = None
    problems: list[Problem] = field(default_factory=list)
