"""Decoder language models as text classifiers: the logit of a class is the log-probability of its continuation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from saywhy_core.errors import UsageError
from verbalize.models.prompts import PLACE, PromptTokenizer

if TYPE_CHECKING:
    from verbalize.query import Query

OTHER = "any other text"
"""The second class where a model is asked about one continuation alone."""
_NEW_TOKENS = 8  # of a continuation that the model writes itself: a short answer


@dataclass(frozen=True, eq=False)
class LanguageModelClassifier:
    """A decoder as a classifier of texts: each class is one text, or several, that may follow the prompt.

    The logit of a class is log p(continuation | prompt), the sum of the log-probabilities of the tokens of its continuation.
    For a class with several continuations it is the logarithm of the sum of their probabilities. The words of the text are
    explained, and the tokens of the template are never replaced. captum's `LLMAttribution` and `LLMGradientAttribution` explain
    the same number.

    A continuation is tokenized by itself, so it should begin as it would in the running text, mostly with a blank.

    Args:
        model: a transformers decoder (`AutoModelForCausalLM`); it is put into evaluation mode.
        tokenizer: its fast tokenizer.
        continuations: for each class name, the continuation or continuations that stand for it. A list of texts names
            classes that are their own continuations; a blank is put before each where the template does not end with white
            space. With a single class, the second one is "any other text", of probability 1 - p. Empty: each query names the
            continuation that it asks about.
        template: the prompt, with {text} in the place of the text.

    Raises:
        UsageError: a continuation is empty, a class is named twice, or the template does not hold {text} once.
    """

    model: Any
    tokenizer: Any
    continuations: Mapping[str, str | Sequence[str]] | Sequence[str] = ()
    template: str = PLACE

    def __post_init__(self) -> None:
        self.model.eval()
        if not isinstance(self.tokenizer, PromptTokenizer):
            object.__setattr__(self, "tokenizer", PromptTokenizer(self.tokenizer, self.template))
        given = self.continuations
        if not isinstance(given, Mapping):
            if isinstance(given, str) or len(set(given)) < len(given):
                raise UsageError(f"continuations must be a mapping, or a list of texts without repeats, not {given!r:.80}")
            given = {name: self._spaced(name) for name in given}
        texts = {name: (one,) if isinstance(one, str) else tuple(one) for name, one in given.items()}
        for name, several in texts.items():
            if not isinstance(name, str) or not name.strip():
                raise UsageError(f"the class of {several!r:.80} needs a name that is not empty, not {name!r:.80}")
            if not several or not all(isinstance(text, str) and text for text in several):
                raise UsageError(
                    f"the class {name!r:.80} has no continuation, or an empty one; write the text that stands for it"
                )
        object.__setattr__(self, "continuations", texts)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order in which they were given."""
        names = tuple(self.continuations)
        return (*names, OTHER) if len(names) == 1 else names

    @property
    def embedding(self) -> nn.Module:
        """The layer that maps piece ids to vectors."""
        layer: nn.Module = self.model.get_input_embeddings()
        return layer

    @property
    def max_pieces(self) -> int:
        """The most pieces of a prompt, so that the longest continuation still fits."""
        longest = getattr(self.model.config, "max_position_embeddings", None) or self.tokenizer.model_max_length
        return int(min(longest, self.tokenizer.model_max_length)) - max((len(ids) for ids, _ in self._targets), default=0)

    def logits(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """N×L ids and attention mask, padded on either side -> N×K log-probabilities.

        The prompt is embedded once per text by `embedding`, whose output methods may replace. Continuations of one token share
        one pass over the prompt; others take one pass each, in the same batch.
        """
        if not self._targets:
            raise UsageError("the language model has no continuations yet; name one in the query, or give continuations")
        vectors = self.embedding(input_ids)
        if all(len(ids) == 1 for ids, _ in self._targets):
            found = self._first_tokens(vectors, attention_mask)
        else:
            found = self._whole(vectors, attention_mask)
        owners = [owner for _, owner in self._targets]
        columns = [found[:, [one == owner for one in owners]].logsumexp(dim=1) for owner in range(len(self.continuations))]
        if len(columns) == 1:
            columns.append(_rest(columns[0]))
        return torch.stack(columns, dim=1)

    def asked(self, query: Query) -> LanguageModelClassifier:
        """The same model with the continuations that a query names: its label or members, and the labels in `versus`."""
        names = dict.fromkeys((*(query.members or (query.label,)), *query.versus))
        names.pop(OTHER, None)
        return replace(self, continuations={name: self._spaced(name) for name in names})

    def write(self, text: str, *, tokens: int = _NEW_TOKENS) -> str:
        """What the model writes after the prompt of a text, greedily: at most `tokens` tokens, up to the end of the line.

        Raises:
            UsageError: it writes nothing but white space.
        """
        prompt = self.tokenizer([text], return_tensors="pt")
        place = self.embedding.weight.device
        with torch.no_grad():
            written = self.model.generate(
                input_ids=prompt["input_ids"].to(place), attention_mask=prompt["attention_mask"].to(place), do_sample=False,
                max_new_tokens=tokens, pad_token_id=self.tokenizer.pad_token_id,
            )  # fmt: skip
        new = self.tokenizer.decode(written[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
        line = next((one.strip() for one in new.splitlines() if one.strip()), "")
        if not line:
            raise UsageError("the model writes nothing after this text; name the continuation in the query")
        return str(line)

    @cached_property
    def _targets(self) -> tuple[tuple[tuple[int, ...], int], ...]:
        """The token ids of each continuation, and the number of its class."""
        found = []
        classes: Any = self.continuations  # a mapping to tuples since it was made
        for owner, (name, texts) in enumerate(classes.items()):
            for text in texts:
                ids = self.tokenizer.inner(text, add_special_tokens=False)["input_ids"]
                if not ids:
                    raise UsageError(f"the tokenizer makes nothing of the continuation {text!r:.80} of the class {name!r:.80}")
                found.append((tuple(ids), owner))
        return tuple(found)

    def _spaced(self, text: str) -> str:
        return text if self.template[-1:].isspace() or text[:1].isspace() else f" {text}"

    def _first_tokens(self, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(N, M) log-probabilities of M continuations of one token."""
        answers = self.model(inputs_embeds=vectors, attention_mask=mask, position_ids=_positions(mask)).logits
        last = (mask * torch.arange(mask.shape[1], device=mask.device)).argmax(dim=1)  # of the tokens that are no padding
        rows = answers[torch.arange(len(answers), device=mask.device), last].float().log_softmax(dim=-1)
        return rows[:, [ids[0] for ids, _ in self._targets]]

    def _whole(self, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(N, M) log-probabilities of M continuations of any length, each behind its prompt in one batch of N·M rows."""
        many, length, count = len(vectors), vectors.shape[1], len(self._targets)
        longest = max(len(ids) for ids, _ in self._targets)
        ids = torch.zeros(count, longest, dtype=torch.long, device=vectors.device)
        held = torch.zeros(count, longest, dtype=mask.dtype, device=vectors.device)
        for row, (tokens, _) in enumerate(self._targets):
            ids[row, : len(tokens)] = torch.tensor(tokens, device=ids.device)
            held[row, : len(tokens)] = 1
        behind = self.embedding.forward(ids)  # not called: what methods do to the embedding of the prompt ends with the prompt
        both = torch.cat([vectors.repeat_interleave(count, dim=0), behind.to(vectors.dtype).repeat(many, 1, 1)], dim=1)
        seen = torch.cat([mask.repeat_interleave(count, dim=0), held.repeat(many, 1)], dim=1)
        answers = self.model(inputs_embeds=both, attention_mask=seen, position_ids=_positions(seen)).logits
        last = (mask * torch.arange(length, device=mask.device)).argmax(dim=1).repeat_interleave(count)
        rows = torch.arange(len(both), device=mask.device)
        before = torch.cat([answers[rows, last][:, None], answers[:, length:-1]], dim=1).float().log_softmax(dim=-1)
        wanted = ids.repeat(many, 1)
        chosen = before.gather(2, wanted[..., None])[..., 0] * held.repeat(many, 1).to(before.dtype)
        return chosen.sum(dim=1).reshape(many, count)


def _positions(mask: torch.Tensor) -> torch.Tensor:
    """The place of each token among those that are no padding, wherever the padding stands."""
    return (mask.long().cumsum(dim=1) - 1).clamp(min=0)


def _rest(logarithm: torch.Tensor) -> torch.Tensor:
    """log(1 - p) from log p, with gradients, and finite for p next to 0 and 1."""
    below = logarithm.clamp(max=-1e-6)
    return torch.where(below > -0.693, torch.log(-torch.expm1(below)), torch.log1p(-torch.exp(below.clamp(max=-0.5))))
