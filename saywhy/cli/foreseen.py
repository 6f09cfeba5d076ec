"""What a run with a language model will take: told before it begins, and confirmed with --yes where it is large."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from saywhy.cli.options.console import note
from saywhy.cli.options.models import PANEL
from saywhy_core.disk.destinations import beside, is_stream
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from langchain_core.language_models import BaseChatModel

    from agents.chat import Foreseen
    from saywhy.cli.options.models import ModelOptions

MANY_REQUESTS = 1000
"""Requests above which a run must be confirmed: a quarter of an hour or more on common rate limits, and cents to dollars.
All pairs of 45 classes are fewer."""

HIGH_COST = 5.0
"""Cost above which a run must be confirmed, in the currency of --price: more than a slip should cost."""

YesOption = Annotated[
    bool,
    typer.Option(
        "--yes",
        help=f"Begin, though more than {MANY_REQUESTS:,} requests or a cost above {HIGH_COST:g} is foreseen.",
        rich_help_panel=PANEL,
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Say how many requests and tokens, and what cost, are foreseen; send nothing.", rich_help_panel=PANEL
    ),
]


def tell_or_stop(foreseen: Foreseen, model: ModelOptions, *, yes: bool, dry_run: bool) -> bool:
    """Tell what is foreseen where that was asked for or is much; return whether the run may begin.

    A ceiling (--max-requests, --max-cost) says what the user is ready to spend, so a run that it keeps small needs no --yes.
    Nobody is asked on the terminal.

    Raises:
        UsageError: much is foreseen, and `yes` was not given.
    """
    if dry_run:
        note(f"foreseen: {foreseen}; nothing was sent")
        return False
    requests = min(foreseen.requests, model.max_requests or foreseen.requests)
    cost = foreseen.cost or 0.0
    if model.max_cost is not None:
        cost = min(cost, model.max_cost)
    many, dear = requests > MANY_REQUESTS, cost > HIGH_COST and model.max_cost is None
    if not model.offline and (many or dear):
        if not yes:
            raise UsageError(
                f"foreseen: {foreseen}; nothing was sent: give --yes to begin, or a ceiling such as "
                f"--max-requests {MANY_REQUESTS}"
            )
        note(f"foreseen: {foreseen}")
    return True


def opened_to_foresee(model: ModelOptions, out: str | Path) -> BaseChatModel:
    """The model of the options with its cache as it is, for `agents.chat.foresee`: no file is made, and nothing can be sent.

    Raises:
        UsageError: as `ModelOptions.open`.
    """
    if model.offline:
        return model.open(out)
    kept = model.cache or model.replies or (None if is_stream(out) else beside(out, ".replies.sqlite"))
    if kept is not None and kept.exists():
        return replace(model, cache=kept, replies=None, offline=True, retry_invalid=False).open(out)
    return replace(model, cache=None, replies=None, retry_invalid=False).open("-")
