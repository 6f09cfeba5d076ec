"""A tokenizer that puts each text into a prompt, and whose special tokens are all those of the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

PLACE = "{text}"


class PromptTokenizer:
    """A transformers tokenizer that reads `template` with a text in the place of {text}.

    Pieces that hold no character of the text count as special tokens, and the places of the others are places in the text. So
    attribution and masking see the words of the text alone. A tokenizer without a padding token pads with its end-of-text
    token, as is usual for decoders; the attention mask hides it. Batches are padded on the right.

    Args:
        tokenizer: a fast transformers tokenizer.
        template: the prompt, in which {text} stands once.

    Raises:
        UsageError: {text} does not stand in the template once, or the tokenizer does not give the positions of its pieces.
    """

    def __init__(self, tokenizer: Any, template: str) -> None:
        if template.count(PLACE) != 1:
            raise UsageError(f"the template must hold {PLACE} once, in the place of the text, not {template!r:.120}")
        if not getattr(tokenizer, "is_fast", False):
            raise UsageError(f"{type(tokenizer).__name__} does not give the positions of its pieces; use the fast tokenizer")
        self.inner, self.template = tokenizer, template
        self._before, self._after = template.split(PLACE)

    def __getattr__(self, name: str) -> Any:
        if name == "inner":  # while it is unpickled
            raise AttributeError(name)
        return getattr(self.inner, name)

    @property
    def pad_token_id(self) -> int | None:
        """The token that fills a batch, and takes the place of absent words."""
        own: int | None = self.inner.pad_token_id
        end: int | None = self.inner.eos_token_id
        return end if own is None else own

    def __call__(
        self,
        texts: str | Sequence[str],
        *,
        return_tensors: str | None = None,
        return_offsets_mapping: bool = False,
        return_special_tokens_mask: bool = False,
        padding: bool = False,
    ) -> dict[str, Any]:
        """The pieces of the prompts of one text or several, as a transformers tokenizer gives them.

        Raises:
            UsageError: several prompts of unequal length are asked for as tensors, without padding.
        """
        many = [texts] if isinstance(texts, str) else list(texts)
        rows = [self._encoded(text) for text in many]
        if padding:
            most = max((len(row["input_ids"]) for row in rows), default=0)
            rows = [self._padded(row, most) for row in rows]
        wanted = {"input_ids": True, "attention_mask": True, "offset_mapping": return_offsets_mapping}
        wanted["special_tokens_mask"] = return_special_tokens_mask
        found: dict[str, Any] = {name: [row[name] for row in rows] for name, asked in wanted.items() if asked}
        if return_tensors is None:
            return {name: value[0] for name, value in found.items()} if isinstance(texts, str) else found
        if len({len(row["input_ids"]) for row in rows}) > 1:
            raise UsageError("prompts of unequal length make no tensor; give padding=True")
        return {name: torch.tensor(value) for name, value in found.items()}

    def _encoded(self, text: str) -> dict[str, list[Any]]:
        encoded = self.inner(self._before + text + self._after, return_offsets_mapping=True)
        start, stop = len(self._before), len(self._before) + len(text)
        places = [(max(first, start) - start, min(last, stop) - start) for first, last in encoded["offset_mapping"]]
        inside = [first < last for first, last in places]
        return {
            "input_ids": list(encoded["input_ids"]),
            "attention_mask": [1] * len(places),
            "offset_mapping": [place if held else (0, 0) for place, held in zip(places, inside, strict=True)],
            "special_tokens_mask": [int(not held) for held in inside],
        }

    def _padded(self, row: dict[str, list[Any]], length: int) -> dict[str, list[Any]]:
        missing = length - len(row["input_ids"])
        fill = {"input_ids": self.pad_token_id or 0, "attention_mask": 0, "offset_mapping": (0, 0), "special_tokens_mask": 1}
        return {name: values + [fill[name]] * missing for name, values in row.items()}
