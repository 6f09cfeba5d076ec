"""What the commands share in talking to a language model: the options, and the account at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saywhy.cli.options import maps as reading
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_PANEL = "Language model"
LlmOption = Annotated[
    str | None,
    typer.Option(help="openai:MODEL, http://HOST:PORT/v1#MODEL or transformers:NAME_OR_FOLDER.", rich_help_panel=_PANEL),
]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        help="File that keeps every reply, so that none is paid for twice; beside --out if not given.", rich_help_panel=_PANEL
    ),
]
OfflineOption = Annotated[bool, typer.Option(help="Answer from the cache alone; refuse to call out.", rich_help_panel=_PANEL)]
MaxRequestsOption = Annotated[
    int | None, typer.Option(min=0, help="Ceiling on requests, retries included.", rich_help_panel=_PANEL)
]
MaxCostOption = Annotated[
    float | None, typer.Option(min=0, help="Ceiling on cost, in the currency of --price.", rich_help_panel=_PANEL)
]
PriceOption = Annotated[
    tuple[float, float] | None,
    typer.Option(help="Price of a million prompt tokens and of a million completion tokens.", rich_help_panel=_PANEL),
]
TimeoutOption = Annotated[
    float | None, typer.Option(min=0.1, help="Seconds after which an attempt is given up.", rich_help_panel=_PANEL)
]
ConcurrencyOption = Annotated[int | None, typer.Option(min=1, help="Requests in flight at once.", rich_help_panel=_PANEL)]


def open_model(
    spec: str | None,
    *,
    cache: Path | None,
    out: str,
    offline: bool,
    max_requests: int | None,
    max_cost: float | None,
    price: tuple[float, float] | None,
    timeout: float | None,
    concurrency: int | None,
) -> BaseChatModel:
    """The model a command was given, its replies kept beside the output unless said otherwise."""
    from agents.chat.specs import chat_model

    if spec is None:
        raise UsageError("name a language model with --llm, such as --llm http://127.0.0.1:8000/v1#NAME")
    if cache is None and out != "-":
        cache = Path(f"{out}.replies.sqlite")
    return chat_model(
        spec,
        cache=cache,
        offline=offline,
        max_requests=max_requests,
        max_cost=max_cost,
        price=price,
        timeout=timeout,
        concurrency=concurrency,
    )


def tell_usage(model: BaseChatModel) -> None:
    """Say what the model has cost."""
    from agents.chat.specs import usage_of

    reading.stderr.print(f"language model: {usage_of(model)}", soft_wrap=True)
