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
    from agents.conse import ConvexSemanticEncoder as ConvexSemanticEncoder
    from agents.describe import DifferentialDescriber as DifferentialDescriber
    from agents.differential import DifferentialClassifier as DifferentialClassifier
    from agents.differential import Predictions as Predictions
    from agents.differential import find_ambiguous as find_ambiguous
    from agents.encoder import ImageTextEncoder as ImageTextEncoder
    from agents.encoder import load_encoder as load_encoder
    from agents.images import list_images as list_images
    from agents.optimize import PromptOptimizer as PromptOptimizer
    from agents.pairs import PairDescriptions as PairDescriptions
    from agents.pairs import read_descriptions as read_descriptions
    from agents.pairs import read_pairs as read_pairs
    from agents.pairs import write_pairs as write_pairs
    from agents.prompts import PromptSet as PromptSet
    from agents.prompts import class_vectors as class_vectors
    from agents.prompts import clip_templates as clip_templates
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
    "ConvexSemanticEncoder": "agents.conse",
    "DifferentialClassifier": "agents.differential",
    "DifferentialDescriber": "agents.describe",
    "ImageTextEncoder": "agents.encoder",
    "OfflineMiss": "agents.replies",
    "PairDescriptions": "agents.pairs",
    "Predictions": "agents.differential",
    "PromptOptimizer": "agents.optimize",
    "PromptSet": "agents.prompts",
    "Replies": "agents.replies",
    "StructuredError": "agents.structured",
    "StructuredFailure": "agents.structured",
    "Usage": "agents._limits",
    "ask": "agents.structured",
    "ask_many": "agents.structured",
    "chat_model": "agents.chat",
    "class_vectors": "agents.prompts",
    "clip_templates": "agents.prompts",
    "find_ambiguous": "agents.differential",
    "list_images": "agents.images",
    "load_encoder": "agents.encoder",
    "read_descriptions": "agents.pairs",
    "read_pairs": "agents.pairs",
    "usage_of": "agents.chat",
    "write_pairs": "agents.pairs",
}

__all__ = ["UsageError", *_LAZY]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
