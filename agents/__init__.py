"""Everything that talks to a language model or an image-text model."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agents._errors import UsageError

if TYPE_CHECKING:
    from agents.chat import chat_model as chat_model
    from agents.chat import usage_of as usage_of
    from agents.differential import DifferentialClassifier as DifferentialClassifier
    from agents.differential import Predictions as Predictions
    from agents.differential import find_ambiguous as find_ambiguous
    from agents.encoder import ImageTextEncoder as ImageTextEncoder
    from agents.encoder import load_encoder as load_encoder
    from agents.encoders.conse import ConvexSemanticEncoder as ConvexSemanticEncoder
    from agents.encoders.images import list_images as list_images
    from agents.language.limits import BudgetExceeded as BudgetExceeded
    from agents.language.limits import Usage as Usage
    from agents.language.remote import ChatError as ChatError
    from agents.optimize import PromptOptimizer as PromptOptimizer
    from agents.prompting.describe import DifferentialDescriber as DifferentialDescriber
    from agents.prompting.pairs import PairDescriptions as PairDescriptions
    from agents.prompting.pairs import read_descriptions as read_descriptions
    from agents.prompting.pairs import read_pairs as read_pairs
    from agents.prompting.pairs import write_pairs as write_pairs
    from agents.prompting.prompts import PromptSet as PromptSet
    from agents.prompting.prompts import class_vectors as class_vectors
    from agents.prompting.prompts import clip_templates as clip_templates
    from agents.replies import OfflineMiss as OfflineMiss
    from agents.replies import Replies as Replies
    from agents.structured import StructuredError as StructuredError
    from agents.structured import StructuredFailure as StructuredFailure
    from agents.structured import ask as ask
    from agents.structured import ask_many as ask_many

# name -> the module that holds it, imported on first use
_LAZY = {
    "BudgetExceeded": "agents.language.limits",
    "ChatError": "agents.language.remote",
    "ConvexSemanticEncoder": "agents.encoders.conse",
    "DifferentialClassifier": "agents.differential",
    "DifferentialDescriber": "agents.prompting.describe",
    "ImageTextEncoder": "agents.encoder",
    "OfflineMiss": "agents.replies",
    "PairDescriptions": "agents.prompting.pairs",
    "Predictions": "agents.differential",
    "PromptOptimizer": "agents.optimize",
    "PromptSet": "agents.prompting.prompts",
    "Replies": "agents.replies",
    "StructuredError": "agents.structured",
    "StructuredFailure": "agents.structured",
    "Usage": "agents.language.limits",
    "ask": "agents.structured",
    "ask_many": "agents.structured",
    "chat_model": "agents.chat",
    "class_vectors": "agents.prompting.prompts",
    "clip_templates": "agents.prompting.prompts",
    "find_ambiguous": "agents.differential",
    "list_images": "agents.encoders.images",
    "load_encoder": "agents.encoder",
    "read_descriptions": "agents.prompting.pairs",
    "read_pairs": "agents.prompting.pairs",
    "usage_of": "agents.chat",
    "write_pairs": "agents.prompting.pairs",
}

__all__ = ["UsageError", *_LAZY]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
