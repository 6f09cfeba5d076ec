"""What a command does with the files that its options name, so that it can look at them before it starts.

An option of the type `Path` names a file or folder that is read, unless its annotation holds another `Use`. Where "-"
stands for a stream, the type is `str`, and the annotation says the use: `Annotated[str, typer.Argument(...), Use.READ]`.
"""

from __future__ import annotations

from enum import Enum, auto


class Use(Enum):
    """What becomes of the file that an option names."""

    READ = auto()
    WRITTEN = auto()
    FOLDER_WRITTEN = auto()
    PLACE_WRITTEN = auto()
    """A file or a folder, as the path itself says."""
