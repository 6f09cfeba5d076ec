"""Pictures as an image processor of transformers prepares them, within a memory."""

from __future__ import annotations

from textwrap import shorten
from typing import Any

from saywhy_core.bounded.room import room, room_for
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import check_ceiling
from saywhy_core.reading.model_folder import NUMBER

SHARE = 0.5  # of the ceiling on arrays; transformers and torch themselves take some 500 MB


def prepare(processor: Any, pictures: list[Any], where: str) -> Any:
    """The tensor (N, C, H, W) that an image processor makes of pictures, whatever its settings are.

    Raises:
        CeilingError: it asks for more memory than the ceiling on arrays allows.
        UsageError: its settings don't fit together, or make numbers that are not finite.
    """
    import numpy as np

    counted = "one image" if len(pictures) == 1 else f"{len(pictures)} images"
    try:
        with np.errstate(all="ignore"), room(room_for(share=SHARE), f"{where}: its image processor", f"prepare {counted}"):
            made = processor(images=pictures, return_tensors="pt")["pixel_values"]
    except UsageError:
        raise
    except Exception as error:  # transformers, Pillow and numpy raise almost anything for odd settings
        said = " ".join(str(error).split())
        why = f" ({shorten(said, 160, placeholder=' ...')})" if isinstance(error, ValueError) and said else ""
        raise UsageError(
            f"{where}: its image processor can't prepare {counted}{why}; look at the sizes, means and the like in its "
            "preprocessor_config.json"
        ) from error
    if getattr(made, "ndim", 0) < 4 or not made.numel() or not made.isfinite().all():
        raise UsageError(
            f"{where}: its image processor makes no picture, or numbers that are not finite; look at image_std, the sizes and "
            "the like in its preprocessor_config.json"
        )
    check_ceiling("array", made.numel() * NUMBER, f"{where}: what its image processor makes of {counted}")
    return made
