"""Constrained decoding by xgrammar: a logits processor that allows only tokens that fit a JSON schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from transformers import LogitsProcessor

from agents.chat.schema import bounded
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import torch


class Grammars:
    """Compiles schemas for one tokenizer, each of them once.

    Raises:
        UsageError: xgrammar is not installed.
    """

    def __init__(self, tokenizer: Any, width: int, stop_ids: list[int]) -> None:
        try:
            import xgrammar
        except ImportError as error:
            raise UsageError(
                "JSON from a transformers: model needs xgrammar; install it with pip install 'saywhy[local]'"
            ) from error
        info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=width, stop_token_ids=stop_ids)
        self._compiler = xgrammar.GrammarCompiler(info)
        self._compiled: dict[str, Any] = {}

    def processor(self, schema: dict[str, Any], longest: int) -> LogitsProcessor:
        """A fresh processor, for one call of `generate`; strings and arrays without a bound get one."""
        text = json.dumps(bounded(schema, longest))  # replies follow the order of the fields, so it is kept
        if text not in self._compiled:
            try:
                # no free white space, because a weak model would fill the reply with it
                self._compiled[text] = self._compiler.compile_json_schema(text, any_whitespace=False)
            except RuntimeError as error:
                raise UsageError(f"the schema can't be made a grammar: {error}") from error
        return _Mask(self._compiled[text])


class _Mask(LogitsProcessor):  # type: ignore[misc]
    """Sets the logits of tokens that the grammar forbids to minus infinity, row by row of a batch."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self._matchers: list[Any] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        import xgrammar

        if not self._matchers:
            self._matchers = [xgrammar.GrammarMatcher(self._compiled) for _ in range(len(input_ids))]
            self._batch = xgrammar.BatchGrammarMatcher()
            self._mask = xgrammar.allocate_token_bitmask(len(input_ids), self._compiled.tokenizer_info.vocab_size)
        else:
            last = input_ids[:, -1].tolist()  # one transfer from the device instead of one per row
            open_rows = [i for i, matcher in enumerate(self._matchers) if not matcher.is_terminated()]
            self._batch.batch_accept_token([self._matchers[i] for i in open_rows], [last[i] for i in open_rows])
        open_rows = [i for i, matcher in enumerate(self._matchers) if not matcher.is_terminated()]
        if not open_rows:
            return scores
        xgrammar.reset_token_bitmask(self._mask)
        self._batch.batch_fill_next_token_bitmask([self._matchers[i] for i in open_rows], self._mask, open_rows)
        if scores.device.type == "cpu":
            scores = scores.float()  # xgrammar's CPU kernel takes float32
        xgrammar.apply_token_bitmask_inplace(scores, self._mask.to(scores.device, non_blocking=True))
        return scores
