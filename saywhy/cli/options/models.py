"""The options of every command that asks a language model: one set, with the same names, meanings and defaults."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.options.console import note
from saywhy.cli.options.files import Use, check_is_free
from saywhy.cli.options.settings import KEYS_GO, SECRET
from saywhy_core.disk.destinations import beside, is_stream
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from langchain_core.caches import BaseCache
    from langchain_core.language_models import BaseChatModel

PANEL = "Language model"
MANY_REQUESTS = 1000
"""Requests above which a run must be confirmed: a quarter of an hour or more on common rate limits, and cents to dollars.
All pairs of 45 classes are fewer."""

HIGH_COST = 5.0
"""Cost above which a run must be confirmed, in the currency of --price: more than a slip should cost."""

MODEL_FORMS = (
    "MODEL is [bold]openai:NAME[/bold], [bold]azure:DEPLOYMENT[/bold], [bold]http://HOST:PORT/v1#NAME[/bold] (any server that "
    "speaks OpenAI's protocol), or [bold]transformers:NAME_OR_FOLDER[/bold] (in this process). Keys are read from "
    "OPENAI_API_KEY, AZURE_OPENAI_API_KEY and SAYWHY_API_KEY, "
    "user and password from SAYWHY_API_USER and SAYWHY_API_PASSWORD, and never from the command line."
)


def _option(text: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=PANEL, **settings)


@dataclass(frozen=True)
class ModelOptions:
    """A language model, and what it may cost. `open` makes the model.

    A command that takes these options tells what it will ask before it asks anything: `saywhy.cli.foreseen.may_begin`.
    """

    llm: Annotated[
        str | None,
        _option("The language model: openai:NAME, http://HOST:PORT/v1#NAME or transformers:NAME_OR_FOLDER.", metavar="MODEL"),
    ] = None
    cache: Annotated[
        Path | None,
        _option("File that keeps every reply, so that no reply is paid for twice; with a file OUT, OUT.replies.sqlite."),
        Use.KEPT,
    ] = None
    replies: Annotated[Path | None, typer.Option(hidden=True, help="The earlier name of --cache."), Use.KEPT] = None
    offline: Annotated[bool, _option("Answer from the cache alone; send no request.", "--offline")] = False
    max_requests: Annotated[int | None, _option("The most requests in this run, retries included.", min=1)] = None
    max_tokens_total: Annotated[int | None, _option("The most prompt and completion tokens in this run.", min=1)] = None
    max_cost: Annotated[
        float | None, _option("The highest cost of this run, in the currency of --price; needs --price.", min=0)
    ] = None
    price: Annotated[
        tuple[float, float] | None,
        _option("Price per million prompt tokens and per million completion tokens.", metavar="IN OUT"),
    ] = None
    timeout: Annotated[
        float | None, _option("Seconds after which an attempt is given up; 60 by default. For servers.", min=0.1)
    ] = None
    concurrency: Annotated[
        int | None,
        _option("Requests in flight at once, 8 by default; with transformers:, prompts per batch, 64 by default.", min=1),
    ] = None
    temperature: Annotated[
        str, _option("0 for the likeliest reply; a higher number for more varied ones; 'default' for the server's own.")
    ] = "0"
    seed: Annotated[int | None, _option("Seed for sampling; with transformers: it needs a --temperature above 0.")] = None
    max_tokens: Annotated[
        int | None, _option("The most tokens in one reply; makes ceilings on tokens and cost exact.", min=1)
    ] = None
    max_retries: Annotated[int | None, _option("Further attempts after a failed one; 3 by default. For servers.", min=0)] = None
    extra_body: Annotated[
        str | None,
        _option("Further fields of each request, as a JSON object, such as '{\"top_k\": 20}'. For servers.", metavar="JSON"),
    ] = None
    retry_invalid: Annotated[
        bool,
        _option("Ask again where replies of an earlier run, kept in the cache, could not be used.", "--retry-invalid"),
    ] = False
    dry_run: Annotated[
        bool, _option("Say how many requests and tokens, and what cost, are foreseen; send nothing.", "--dry-run")
    ] = False
    yes: Annotated[
        bool, _option(f"Begin, though more than {MANY_REQUESTS:,} requests or a cost above {HIGH_COST:g} is foreseen.", "--yes")
    ] = False

    def open(self, out: str | Path, kept: BaseCache | None = None) -> BaseChatModel:
        """The model, with its replies kept beside `out` where --cache does not say otherwise ("-" keeps none), or in `kept`.

        Raises:
            UsageError: no model is named, or options do not fit each other or the model.
        """
        from agents.chat import chat_model

        if self.llm is None:
            raise UsageError("name a language model with --llm, such as --llm http://127.0.0.1:8000/v1#NAME")
        if self.max_cost is not None and self.price is None:
            raise UsageError("--max-cost needs --price IN OUT, the prices per million prompt and completion tokens")
        cache = self._cache_beside(str(out))
        if self.offline and cache is None:
            raise UsageError("--offline answers from the cache: name its file with --cache")
        if self.retry_invalid and self.offline:
            raise UsageError("--retry-invalid sends requests, and --offline sends none: leave one of them out")
        if self.retry_invalid and cache is None:
            raise UsageError("--retry-invalid asks again for replies that the cache keeps: name its file with --cache")
        extra_body = _fields(self.extra_body)
        check_is_free(out, "output")
        return chat_model(
            self.llm,
            cache=cache if kept is None else kept,
            offline=self.offline,
            max_requests=self.max_requests,
            max_tokens_total=self.max_tokens_total,
            max_cost=self.max_cost,
            price=self.price,
            timeout=self.timeout,
            concurrency=self.concurrency,
            temperature=_temperature(self.temperature),
            seed=self.seed,
            max_tokens=self.max_tokens,
            max_retries=self.max_retries,
            extra_body=extra_body,
            retry_invalid=self.retry_invalid,
        )

    def _cache_beside(self, out: str) -> Path | None:
        if self.replies is not None:
            if self.cache is not None:
                raise UsageError("--replies is the earlier name of --cache; give --cache alone")
            note("--replies is called --cache now")
        named = self.cache or self.replies
        if named is not None or is_stream(out):
            return named
        return beside(out, ".replies.sqlite")


MODEL_OPTIONS = tuple(one.name for one in fields(ModelOptions))


def _temperature(text: str) -> float | None:
    if text == "default":
        return None
    try:
        number = float(text)
    except ValueError:
        raise UsageError(f"--temperature takes a number or 'default', not {text!r}") from None
    if not 0 <= number < float("inf"):
        raise UsageError(f"--temperature takes a number from 0 up, not {text}")
    return number


_RESERVED = ("messages", "model", "stream", "n")
"""Fields of a request that saywhy fills itself; another value would break how replies are read, or who answers."""


def _fields(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    from saywhy_core.reading.documents import parse_json

    try:
        found = parse_json(text.encode())
    except UsageError as error:
        raise UsageError(f"--extra-body takes a JSON object, such as '{{\"top_k\": 20}}': {error}") from None
    if not isinstance(found, dict) or not found:
        raise UsageError(f"--extra-body takes a JSON object with fields, such as '{{\"top_k\": 20}}', not {text[:80]}")
    if secret := [name for name in found if SECRET.fullmatch(name)]:
        raise UsageError(f"--extra-body can't hold {secret[0]}; {KEYS_GO}")
    if taken := [name for name in _RESERVED if name in found]:
        raise UsageError(f"--extra-body can't set {' and '.join(taken)}: saywhy fills that itself")
    return found


def tell_usage(model: BaseChatModel) -> None:
    """Say what the model has used so far."""
    from agents.chat import usage_of

    note(f"language model: {usage_of(model)}")
