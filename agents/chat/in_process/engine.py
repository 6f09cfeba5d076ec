"""Generation with a transformers model, for many prompts at once."""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from jinja2 import TemplateError

from agents.chat.in_process.gguf_files import alone_in_folder
from agents.chat.in_process.grammar import Grammars
from agents.chat.templates.renderer import TemplateRenderer
from saywhy_core.bounded.tokenizing import Tokenizing
from saywhy_core.errors import UsageError, argument
from saywhy_core.pretrained import from_pretrained, own_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_core.messages import BaseMessage

log = logging.getLogger(__name__)

_ROLES = {"system": "system", "human": "user", "ai": "assistant"}
_CONTINUOUS_FROM = 16
"""With fewer prompts, starting continuous batching takes longer than it saves."""

Reply = tuple[int, list[int], str]
"""Position of the prompt, tokens of the reply without the end token, and "stop" or "length"."""


@dataclass(frozen=True)
class Settings:
    """How to generate. Temperature 0 decodes greedily; None takes the model's own generation settings."""

    temperature: float | None = 0.0
    top_p: float | None = None
    max_tokens: int = 512
    seed: int = 0
    stop: tuple[str, ...] = ()
    schema: dict[str, Any] | None = None
    batch_size: int = 64
    continuous: bool | None = None


class Engine:
    """A loaded causal language model and its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any, name: str = "the model") -> None:
        self.model, self.tokenizer, self.name = model, tokenizer, name
        self._renderer, self._tokens = TemplateRenderer(name), Tokenizing(name)
        ends = model.generation_config.eos_token_id
        ends = [] if ends is None else [ends] if isinstance(ends, int) else list(ends)
        own = tokenizer.eos_token_id
        self.end_ids = sorted({*ends, *([] if own is None else [own])})
        if not self.end_ids:
            raise UsageError("the model has no end-of-text token, so no reply would end; set eos_token_id in its config")
        pad = tokenizer.pad_token_id
        self.pad_id: int = self.end_ids[0] if pad is None else pad
        self._grammars: Grammars | None = None
        # every text that the tokenizer would read as one special token
        added = getattr(tokenizer, "added_tokens_decoder", {}).values()
        marks = {str(t.content) for t in added if t.special} | set(tokenizer.all_special_tokens)
        self._marks = sorted((m for m in marks if len(m) > 1), key=len, reverse=True)

    @classmethod
    def load(cls, name: str, device: str | None, dtype: str | None) -> Engine:
        """Load a model by name, folder or GGUF file. The weights of a GGUF file are held as numbers of `dtype`, not packed.

        Raises:
            UsageError: it can't be loaded.
        """
        from transformers import AutoModelForCausalLM, AutoTokenizer

        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        on_gpu = device.startswith("cuda")
        kind = getattr(torch, dtype or ("bfloat16" if on_gpu else "float32"), None)
        if not isinstance(kind, torch.dtype):
            raise UsageError(f"dtype {dtype!r} is none of torch's; say bfloat16, float16 or float32")
        if own := own_code(name):
            raise UsageError(
                f"transformers:{name} comes with Python files of its own ({', '.join(own)[:120]}), and saywhy runs none; "
                "load the model yourself and give it to agents.chat.in_process.local.local_chat"
            )
        with alone_in_folder(name) as (place, options):
            tokenizer = from_pretrained(AutoTokenizer, place, "tokenizer", **options)
            try:
                model = from_pretrained(AutoModelForCausalLM, place, "language model", dtype=kind, **options).to(device).eval()
            except (OSError, ImportError, RuntimeError) as error:
                why = " ".join(str(error).split())[:300]
                raise UsageError(f"transformers:{name} can't be loaded: {why}") from error
        return cls(model, tokenizer, name)

    def tokens_of(self, talk: Sequence[BaseMessage], max_tokens: int, template_options: dict[str, Any]) -> list[int]:
        """A conversation as tokens, up to the point where the model answers.

        The tokenizer's chat template is used; where it has none, the conversation is plain text with one line per speaker.

        Raises:
            UsageError: a message is not text, or the conversation leaves no room for a reply.
            OverTimeError: the template or the tokenizer takes longer than the ceiling `seconds` says.
        """
        turns = [{"role": _role(message), "content": self._defused(_text(message))} for message in talk]
        if getattr(self.tokenizer, "chat_template", None):
            try:
                ids = self._render(turns, template_options)
            except TemplateError:  # some templates accept no system turn, or no two turns of one speaker in a row
                try:
                    ids = self._render(_merged(turns), template_options)
                except TemplateError as error:
                    raise UsageError(f"the model's chat template does not take this conversation: {error}") from error
        else:
            lines = [f"{turn['role'].capitalize()}: {turn['content']}" for turn in turns]
            ids = self._tokens(lambda: self.tokenizer("\n\n".join([*lines, "Assistant:"]))["input_ids"])
        room = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        if room is not None and len(ids) + min(max_tokens, 16) > room:
            raise UsageError(f"the prompt is {len(ids)} tokens long, and the model sees {room} with its reply; shorten it")
        return list(ids)

    def _render(self, turns: list[dict[str, str]], options: dict[str, Any]) -> list[int]:
        def rendered() -> list[int]:
            ids: list[int] = self.tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, tokenize=True, return_dict=False, **options
            )
            return ids

        self._renderer.start()
        with self._renderer.in_transformers():
            return self._tokens(rendered)

    def _defused(self, text: str) -> str:
        for mark in self._marks:
            text = text.replace(mark, f"{mark[0]} {mark[1:]}")
        return text

    def text_of(self, tokens: list[int]) -> str:
        """The text of a reply."""
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True))

    def generate(self, prompts: Sequence[list[int]], settings: Settings) -> Iterator[Reply]:
        """Replies to prompts given as tokens, in the order in which they finish."""
        if not prompts:
            return
        continuous = settings.continuous
        if continuous is None:
            continuous = self.model.device.type == "cuda" and len(prompts) >= _CONTINUOUS_FROM
        # a grammar follows one reply, but transformers' continuous batching mixes the rows of many
        left = set(range(len(prompts)))
        if continuous and settings.schema is None:
            for reply in self._continuously(prompts, settings):
                left.discard(reply[0])
                yield reply
        by_length = sorted(left, key=lambda i: (len(prompts[i]), i))
        for start in range(0, len(by_length), settings.batch_size):
            yield from self._padded(by_length[start : start + settings.batch_size], prompts, settings)

    def _config(self, settings: Settings) -> Any:
        config = copy.deepcopy(self.model.generation_config)
        changes: dict[str, Any] = {
            "max_new_tokens": settings.max_tokens,
            "max_length": None,
            "eos_token_id": self.end_ids,
            "pad_token_id": self.pad_id,
        }
        if settings.temperature == 0:
            changes |= {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        elif settings.temperature is not None:
            changes |= {"do_sample": True, "temperature": settings.temperature, "top_k": 0}
        if settings.top_p is not None and settings.temperature != 0:
            changes["top_p"] = settings.top_p
        for name, value in changes.items():
            setattr(config, name, value)
        return config

    def _padded(self, batch: list[int], prompts: Sequence[list[int]], settings: Settings) -> Iterator[Reply]:
        width = max(len(prompts[i]) for i in batch)
        ids = torch.full((len(batch), width), self.pad_id)
        mask = torch.zeros_like(ids)
        for row, i in enumerate(batch):
            ids[row, width - len(prompts[i]) :] = torch.tensor(prompts[i])
            mask[row, width - len(prompts[i]) :] = 1
        device = self.model.device
        options: dict[str, Any] = {"stop_strings": list(settings.stop), "tokenizer": self.tokenizer} if settings.stop else {}
        if settings.schema is not None:
            options["logits_processor"] = [self._grammar_mask(settings)]
        try:
            with torch.inference_mode(), torch.random.fork_rng([device] if device.type == "cuda" else []):
                torch.manual_seed(settings.seed)
                out = self.model.generate(
                    input_ids=ids.to(device),
                    attention_mask=mask.to(device),
                    generation_config=self._config(settings),
                    **options,
                )
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise UsageError(
                    f"the GPU has no memory for one prompt of {width} tokens; shorten it, or lower {argument('max_tokens')}"
                ) from None
            half = len(batch) // 2
            log.warning("no memory for %d prompts at once; going on with %d", len(batch), half)
            torch.cuda.empty_cache()
            yield from self._padded(batch[:half], prompts, settings)
            yield from self._padded(batch[half:], prompts, settings)
            return
        for i, row in zip(batch, out[:, width:].tolist(), strict=True):
            yield i, *self._ended(row)

    def _continuously(self, prompts: Sequence[list[int]], settings: Settings) -> Iterator[Reply]:
        from transformers.generation import ContinuousBatchingConfig

        config = self._config(settings)
        options = ContinuousBatchingConfig(seed=settings.seed)
        if self.model.device.type == "cpu":  # on a GPU the sizes follow from its memory; here they must be given
            pages = sum(-(-(len(p) + settings.max_tokens) // 256) + 1 for p in prompts)
            options = ContinuousBatchingConfig(seed=settings.seed, num_blocks=min(pages, 4096), max_batch_tokens=1024)
        try:
            done = self.model.generate_batch(
                [list(p) for p in prompts],
                generation_config=config,
                continuous_batching_config=options,
                progress_bar=False,
            )
        except (RuntimeError, ImportError, NotImplementedError) as error:
            # some architectures and attention kernels do not support it; padded batches always work
            log.warning("continuous batching is not available (%s); going on with padded batches", error)
            return
        # requests are numbered in the order in which they were submitted
        for i, output in enumerate(sorted(done.values(), key=lambda o: int(str(o.request_id).rpartition("_")[2]))):
            if output.error is None and len(done) == len(prompts):
                yield i, *self._ended(list(output.generated_tokens))

    def _ended(self, tokens: list[int]) -> tuple[list[int], str]:
        for at, token in enumerate(tokens):
            if token in self.end_ids:
                return tokens[:at], "stop"
        return tokens, "length"

    def _grammar_mask(self, settings: Settings) -> Any:
        if self._grammars is None:
            width = self.model.get_output_embeddings().weight.shape[0]
            self._grammars = Grammars(self.tokenizer, width, self.end_ids)
        if settings.schema is None:
            raise UsageError("there is no schema to hold the reply to")
        return self._grammars.processor(settings.schema, settings.max_tokens)


def _role(message: BaseMessage) -> str:
    try:
        return _ROLES[message.type]
    except KeyError:
        raise UsageError(f"a transformers: model takes no {message.type} messages") from None


def _text(message: BaseMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    parts = []
    for block in message.content:
        if isinstance(block, dict) and block.get("type") != "text":
            raise UsageError(f"a transformers: model reads text, and a message holds {block.get('type')!r}")
        parts.append(block if isinstance(block, str) else str(block["text"]))
    return "\n".join(parts)


def _merged(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    """System turns told by the user, and neighbouring turns of one speaker made one."""
    merged: list[dict[str, str]] = []
    for turn in turns:
        role = "user" if turn["role"] == "system" else turn["role"]
        if merged and merged[-1]["role"] == role:
            merged[-1]["content"] += f"\n\n{turn['content']}"
        else:
            merged.append({"role": role, "content": turn["content"]})
    return merged
