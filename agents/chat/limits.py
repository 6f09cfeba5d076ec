"""What a chat model has used so far, and the ceilings that its use may not pass."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from saywhy_core.errors import Bare, BudgetExceeded, UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Iterator

UNBOUNDED_REPLY = 1024
"""Tokens set aside for a reply without a `max_tokens`, where there is a ceiling on tokens or cost."""


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


@dataclass(frozen=True)
class Usage:
    """What one chat model has used. `requests` counts attempts that left for the server, retries included."""

    requests: int = 0
    retries: int = 0
    cache_hits: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: int = 0
    """Replies that came without token counts; their tokens are estimated from their length."""
    cost: float | None = None
    """In the currency of the price, or None where no price was given."""
    turned_away: int = 0
    """Requests that the server turned away because they came too fast; each was sent again, so they are among the retries."""
    waited: float = 0.0
    """Seconds in which requests were held back because the server had turned others away."""
    notes: tuple[str, ...] = ()
    """What the server did not take, so that replies came without it, such as a temperature."""

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens

    def __str__(self) -> str:
        parts = [
            f"{_counted(self.requests, 'request', 'requests')} ({_counted(self.retries, 'retry', 'retries')})",
            f"{self.cache_hits} from the cache",
            f"{self.prompt_tokens} prompt and {self.completion_tokens} completion tokens",
        ]
        if self.estimated:
            parts.append(f"tokens of {_counted(self.estimated, 'reply', 'replies')} estimated")
        if self.cost is not None:
            parts.append(f"cost {self.cost:.4f}")
        if self.turned_away:
            waited = f"{self.waited:.0f} s" if self.waited >= 1 else "less than 1 s"
            parts.append(f"{self.turned_away} turned away as too fast, {waited} waited for that")
        return "; ".join([", ".join(parts), *self.notes])


@dataclass(eq=False)
class Reservation:
    """Tokens set aside under the ceilings for one request; what the request really used is written here."""

    prompt_tokens: int
    completion_tokens: int
    used: tuple[int, int] | None = None
    estimated: bool = False
    lost: bool = False
    """No reply came, though the server may have worked and billed: the whole reservation counts against the ceilings."""


@dataclass(eq=False)
class Meter:
    """Counts what a model uses, across any number of threads, and refuses requests that would pass a ceiling.

    Raises:
        UsageError: a ceiling is not positive, or `max_cost` comes without a price.
    """

    max_requests: int | None = None
    max_tokens_total: int | None = None
    max_cost: float | None = None
    price: tuple[float, float] | None = None
    """Price per million prompt tokens and per million completion tokens."""
    _usage: Usage = field(default_factory=Usage)
    _lost: tuple[int, int] = (0, 0)
    _in_flight: list[Reservation] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        for name in ("max_requests", "max_tokens_total", "max_cost"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"{argument(name)} must be a positive number, not {value!r}")
        if self.price is not None and (len(self.price) != 2 or any(not p >= 0 for p in self.price)):
            raise UsageError(
                f"{argument('price')} must be two numbers, per million prompt and completion tokens, not {self.price!r}"
            )
        if self.max_cost is not None and self.price is None:
            raise UsageError("max_cost needs price=(per million prompt tokens, per million completion tokens)")

    def usage(self) -> Usage:
        """The counts at this moment."""
        with self._changed:
            cost = self._cost(self._usage.prompt_tokens, self._usage.completion_tokens) if self.price else None
            return replace(self._usage, cost=cost)

    def hit(self) -> None:
        """Count a reply that was read from the cache."""
        with self._changed:
            self._usage = replace(self._usage, cache_hits=self._usage.cache_hits + 1)

    def wait(self, seconds: float) -> None:
        """Add to the time in which requests were held back for the server's rate."""
        with self._changed:
            self._usage = replace(self._usage, waited=self._usage.waited + seconds)

    def turn_away(self) -> None:
        """Count a request that was turned away because it came too fast."""
        with self._changed:
            self._usage = replace(self._usage, turned_away=self._usage.turned_away + 1)

    def note(self, said: str) -> None:
        """Keep what the user should know of how the server was used; the same words are kept once."""
        with self._changed:
            if said not in self._usage.notes:
                self._usage = replace(self._usage, notes=(*self._usage.notes, said))

    def attempt(self, *, retry: bool = False, count: int = 1) -> None:
        """Count requests about to leave; raise `BudgetExceeded`, counting none, if they would pass `max_requests`."""
        with self._changed:
            if self.max_requests is not None and self._usage.requests + count > self.max_requests:
                requests = f"{self.max_requests} request{'' if self.max_requests == 1 else 's'}"
                raise BudgetExceeded(  # the tokens of requests in flight are not known yet, so it names none
                    f"the ceiling of {requests} is reached; raise {argument('max_requests')}, "
                    f"or go on with the replies that the cache holds ({argument('offline', True)})"
                )
            self._usage = replace(
                self._usage, requests=self._usage.requests + count, retries=self._usage.retries + retry * count
            )

    @contextmanager
    def reserve(self, prompt_tokens: int, completion_tokens: int | None, *, wait: bool = True) -> Iterator[Reservation]:
        """Set tokens aside for one request; wait for requests in flight where it would fit once they are done.

        The ceilings on tokens and cost hold as long as no request uses more than is set aside for it, so limit the length
        of replies with `max_tokens`; for a reply without that limit, `UNBOUNDED_REPLY` tokens are set aside. Without `wait`,
        requests in flight count as if they used all that is set aside for them.
        """
        mine = Reservation(prompt_tokens, UNBOUNDED_REPLY if completion_tokens is None else completion_tokens)
        with self._changed:
            while not self._fits([*self._in_flight, mine]):
                if not wait or not self._fits([mine]):
                    raise BudgetExceeded(self._refusal(mine))
                self._changed.wait()
            self._in_flight.append(mine)
        try:
            yield mine
        finally:
            with self._changed:
                self._in_flight.remove(mine)
                self._settle(mine)
                self._changed.notify_all()

    def _settle(self, done: Reservation) -> None:
        if done.used is not None:
            self._usage = replace(
                self._usage,
                prompt_tokens=self._usage.prompt_tokens + done.used[0],
                completion_tokens=self._usage.completion_tokens + done.used[1],
                estimated=self._usage.estimated + done.estimated,
            )
        elif done.lost:
            self._lost = (self._lost[0] + done.prompt_tokens, self._lost[1] + done.completion_tokens)

    def _fits(self, reservations: list[Reservation]) -> bool:
        prompt = self._usage.prompt_tokens + self._lost[0] + sum(r.prompt_tokens for r in reservations)
        completion = self._usage.completion_tokens + self._lost[1] + sum(r.completion_tokens for r in reservations)
        if self.max_tokens_total is not None and prompt + completion > self.max_tokens_total:
            return False
        return self.max_cost is None or self._cost(prompt, completion) <= self.max_cost

    def _cost(self, prompt: int, completion: int) -> float:
        per_prompt, per_completion = self.price or (0.0, 0.0)
        return (prompt * per_prompt + completion * per_completion) / 1e6

    def _refusal(self, mine: Reservation) -> str:
        ceilings = [argument("max_tokens_total", self.max_tokens_total)] if self.max_tokens_total is not None else []
        ceilings += [argument("max_cost", Bare(f"{self.max_cost:g}"))] if self.max_cost is not None else []
        used = self._usage.tokens + sum(self._lost)
        aside = sum(one.prompt_tokens + one.completion_tokens for one in self._in_flight)
        return (
            f"the next request may use {mine.prompt_tokens} prompt and {mine.completion_tokens} completion tokens and "
            f"would pass {' or '.join(ceilings)}: {used} tokens are used and {aside} set aside for requests in flight; "
            f"raise the ceiling, or lower {argument('max_tokens')}"
        )
