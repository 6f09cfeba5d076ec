"""Everything that talks to a language model or an image-text model."""

from __future__ import annotations

import lazy_loader

from saywhy_core.errors import UsageError
from saywhy_core.images import list_images
from saywhy_core.moved import moved

moved(
    {
        "agents.differential": "agents.prompting.second_look.differential",
        "agents.encoder": "agents.encoders",
        "agents.local": "agents.chat.in_process.local",
        "agents.optimize": "agents.prompting.optimize",
        "agents.replies": "agents.chat.replies",
        "agents.structured": "agents.chat.structured",
    }
)

__getattr__, _, _lazy = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*_lazy, "UsageError", "list_images"]
__dir__ = __all__.copy
