"""What a run with a language model will take: told before it begins, and confirmed with --yes where it is large."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from saywhy.cli.options.console import note
from saywhy.cli.options.groups import Rule
from saywhy.cli.options.models import HIGH_COST, MANY_REQUESTS
from saywhy_core.disk.destinations import beside, is_stream
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from langchain_core.language_models import BaseChatModel

    from agents.chat import Foreseen
    from saywhy.cli.options.models import ModelOptions

ASKS_NOTHING = "a run that asks; --dry-run asks nothing"
YES_RULE = Rule(("yes",), ASKS_NOTHING, lambda options: not options["dry_run"])
"""The rule of every command that takes `ModelOptions`."""


def may_begin(model: ModelOptions, most: int, plan: Callable[[], Foreseen]) -> bool:
    """Tell what is foreseen where that was asked for or is much; return whether the run may begin.

    Small runs without a price are not looked at, because nothing about them needs to be confirmed.

    Args:
        model: the options.
        most: the most requests that can be foreseen, such as the number of texts.
        plan: says what is foreseen; it may take some seconds.

    Raises:
        UsageError: much is foreseen, and --yes was not given.
    """
    if not model.dry_run and model.price is None and most <= MANY_REQUESTS:
        return True
    return told_or_stopped(plan(), model)


def told_or_stopped(foreseen: Foreseen, model: ModelOptions) -> bool:
    """Tell what is foreseen where that was asked for or is much; return whether the run may begin.

    A ceiling (--max-requests, --max-cost) says what the user is ready to spend, so a run that it keeps small needs no --yes.
    Nobody is asked on the terminal.

    Raises:
        UsageError: much is foreseen, and --yes was not given.
    """
    said = str(foreseen)
    if model.retry_invalid:
        said += "; fewer where replies of the cache can be used (--retry-invalid)"
    if model.dry_run:
        note(f"foreseen: {said}; nothing was sent")
        return False
    requests = min(foreseen.requests, model.max_requests or foreseen.requests)
    cost = foreseen.cost or 0.0
    many, dear = requests > MANY_REQUESTS, cost > HIGH_COST and model.max_cost is None
    if not model.offline and (many or dear):
        if not model.yes:
            ceilings = [f"--max-requests {MANY_REQUESTS} or less"] * many + ["a ceiling with --max-cost"] * dear
            raise UsageError(
                f"foreseen: {said}. Nothing was sent; give --yes to begin all the same, or {' and '.join(ceilings)}"
            )
        note(f"foreseen: {said}")
    return True


def opened_to_foresee(model: ModelOptions, out: str | Path) -> BaseChatModel:
    """The model of the options with its cache as it is, for `agents.chat.foresee`: no file is made, and nothing can be sent.

    With --retry-invalid the cache counts as empty, because which of its replies lead to nothing usable shows only in the run.

    Raises:
        UsageError: as `ModelOptions.open`.
    """
    if model.offline:
        return model.open(out)
    kept = model.cache or model.replies or (None if is_stream(out) else beside(out, ".replies.sqlite"))
    if kept is None:
        return replace(model, retry_invalid=False).open("-")
    if kept.exists() and not model.retry_invalid:
        return replace(model, cache=kept, replies=None, offline=True, retry_invalid=False).open(out)
    from agents.chat.foreseen import NoReplies

    return replace(model, cache=None, replies=None, retry_invalid=False).open("-", kept=NoReplies())
