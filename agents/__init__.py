"""Everything that talks to a language model or an image-text model."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agents._errors import UsageError

if TYPE_CHECKING:
    from agents._limits import BudgetExceeded as BudgetExceeded
    from agents._limits import Usage as Usage
    from agents._remote import ChatError as ChatError
    from agents.chat import chat_model as chat_model
    from agents.chat import usage_of as usage_of
    from agents.replies import OfflineMiss as OfflineMiss
    from agents.replies import Replies as Replies
    from agents.structured import StructuredError as StructuredError
    from agents.structured import StructuredFailure as StructuredFailure
    from agents.structured import ask as ask
    from agents.structured import ask_many as ask_many

# name -> the module that holds it, imported on first use
_LAZY = {
    "BudgetExceeded": "agents._limits",
    "ChatError": "agents._remote",
    "OfflineMiss": "agents.replies",
    "Replies": "agents.replies",
    "StructuredError": "agents.structured",
    "StructuredFailure": "agents.structured",
    "Usage": "agents._limits",
    "ask": "agents.structured",
    "ask_many": "agents.structured",
    "chat_model": "agents.chat",
    "usage_of": "agents.chat",
}

__all__ = ["UsageError", *_LAZY]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
