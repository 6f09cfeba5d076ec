"""How fast requests may leave for one server: learnt from those that it turns away, and shared by all threads of a model."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from saywhy_core.wire.retries import LONGEST_PAUSE

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.chat.servers.told import Told

RATE_WAIT = 180.0
"""Seconds in which a server lets no request through before the run is given up: the longest pause that is waited for, and one
minute more, because most limits count by the minute."""

_FIRST, _LAST = 0.5, 30.0  # seconds, of the pauses before a request that finds out whether the server is open again
_GROW = 1.03  # of the rate for each reply, where the rate is known to be too low: twice as fast after 24 replies
_NEAR = 1.001  # near the rate at which the server last turned a request away: 5 % in 50 replies, so 2 % are turned away
_BEYOND = 0.005  # past that rate, where the limit has been raised: each reply adds as much again to the growth
_FASTEST_GROWTH = 0.1  # for each reply
_BACK = 0.95  # of the rate at which a request was turned away
_MARGIN = 0.97  # of a measured rate: replies do not take equally long, so requests arrive less evenly than they leave
_SLOW = 0.25  # seconds without an answer before one more request at once; what is too many is refused sooner
_LEVEL = 10  # replies before one more request at once is tried where the server seems to bound them; twice as many each time
_LONG_LEVEL = 640  # replies; then every such trial costs less than 0.2 % of the requests
_TRUSTED = 4  # refusals in a row, from which on the pause that is asked for is no longer the only one
_SPREAD = 0.25  # of a pause, at random, so that processes that share a limit do not come back at the same moment
_LOOK = 0.2  # seconds between two looks for a stop, which wakes nobody
_UNBOUND = 1000.0  # requests a second; no server that is asked over a network is held back by such a rate


@dataclass(frozen=True)
class Ticket:
    """One request on its way: when it left, as which of those at once, and after how many refusals."""

    sent: float
    level: int
    refusals: int


class Pace:
    """When the next request may leave. It knows no threads and no clock: every method is told the time, in seconds.

    The first request goes alone; each that is settled lets one more be on its way, up to `most`. When a request is turned away
    for its rate, nothing leaves until the pause is over that the server asked for (otherwise 0.5, 1, 2, ... 30 seconds), and
    then one request finds out whether the server is open again. Requests that were on their way meanwhile tell nothing new.
    Once it is open, the rate is what was let through from one opening to the next, divided by the time, closed time included:
    so it is for windows that are fixed or slide, and for buckets that fill, however long they are. Requests then leave evenly.
    The rate grows with every reply (additive increase; Chiu & Jain 1989), slowly where a request was turned away before and
    faster past it (after CUBIC; Ha, Rhee & Xu 2008), so that few requests find out that a limit is still there. A request that
    is turned away while more were on their way than ever before bounds how many may be.

    Args:
        most: the most requests on their way at once.
        random: draws how far pauses are spread.
    """

    def __init__(self, most: int, random: Random | None = None) -> None:
        self.most = most
        self.rate: float | None = None
        """Requests a second; None while no limit is known."""
        self.at_once = 1
        self.on_their_way = 0
        self.refused_since: float | None = None
        """When the server turned the first of those requests away after which none was let through."""
        self._random = random or Random()  # noqa: S311 - no secret
        self._known_level, self._level_after, self._level_left = 0, _LEVEL, 0
        self._refusals = 0
        self._tries = 0  # refusals since the server was last open
        self._probe: Ticket | None = None
        self._closed_until = self._next = -math.inf
        self._begun: float | None = None
        self._let_through = 0
        self._last_refused = 0.0
        self._too_fast: float | None = None
        self._beyond = 0.0
        self._bound = False
        self._widened = -math.inf
        self._heeded = self._in_windows = False

    @property
    def closed(self) -> bool:
        """Whether the server turned the last request away, as far as is known."""
        return self._tries > 0

    def wait(self, now: float) -> float:
        """Seconds until a request may leave; infinity where one that is on its way has to be settled first."""
        if self.closed and self._probe is not None:
            return math.inf
        if self.on_their_way >= self.at_once:
            if self._refusals or self.at_once >= self.most:
                return math.inf
            if now - self._widened < _SLOW:  # no answer is soon enough to tell whether more at once are too many
                return self._widened + _SLOW - now
            self.at_once += 1
            self._widened = now
        until = max(self._closed_until, self._next) if self.rate is not None else self._closed_until
        return max(0.0, until - now)

    def send(self, now: float) -> Ticket:
        """Count a request that leaves now."""
        self.on_their_way += 1
        ticket = Ticket(now, self.on_their_way, self._refusals)
        if self._begun is None:
            self._begun = self._widened = now
        if self.rate is not None:
            self._bound = now - self._next < 0.5 / self.rate  # it waited for the rate, or nearly so
            self._next = max(self._next, now) + 1 / self.rate
        if self.closed:
            self._probe = ticket
        return ticket

    def settle(self, ticket: Ticket, *, through: bool) -> None:
        """A request is done: let `through`, or lost to something else than its rate, which says nothing of the rate."""
        self.on_their_way -= 1
        if ticket is self._probe:
            self._probe = None
            if not through:
                return
            self._reopen(ticket)
        elif through and self._begun is not None and ticket.sent >= self._begun:
            self._let_through += 1
            self._faster()
        if through and not self.closed:
            self.refused_since = None
        self._widen(ticket, through=through)

    def refuse(self, ticket: Ticket, now: float, pause: float | None = None) -> None:
        """A request was turned away for its rate, and the server asked for this pause, if for any."""
        self.on_their_way -= 1
        if ticket.refusals < self._refusals and ticket is not self._probe:
            if pause is not None:  # it left before the refusal that is known
                self._closed_until = max(self._closed_until, now + pause)
            return
        if ticket is self._probe:
            self._probe = None
        if ticket.level > max(self._known_level, 1) and not self.closed:
            self.at_once = ticket.level - 1
            self._level_left = self._level_after
            self._level_after = min(2 * self._level_after, _LONG_LEVEL)
        self._in_windows = self._in_windows or self._heeded
        self._refusals += 1
        self._tries += 1
        self._last_refused = ticket.sent
        self.refused_since = now if self.refused_since is None else self.refused_since
        least = _FIRST if self.rate is None else max(_FIRST, 1 / self.rate)
        # a server that asks for too short pauses again and again, such as 0 s, is not believed after the third
        trusted = 1 if pause is None else _TRUSTED
        grown = min(least * 2 ** min(self._tries - trusted, 20), max(_LAST, least)) if self._tries >= trusted else 0.0
        pause = max(pause or 0.0, grown)
        self._closed_until = max(self._closed_until, now + pause * (1 + _SPREAD * self._random.random() / self._tries))

    def heed(self, told: Told, now: float) -> None:
        """Take what a server says of its own limit, beside a reply: where nothing is left, nothing leaves until there is.

        It may count in windows, which open all at once, or have a bucket, which fills evenly. It is taken for a bucket until a
        request is turned away nevertheless.
        """
        remaining, reset, limit = told.remaining, told.reset, told.limit
        if remaining is None or reset is None or remaining >= self.on_their_way or not 0 < reset <= LONGEST_PAUSE:
            return
        if limit is None or limit <= remaining or self._in_windows:
            self._closed_until = max(self._closed_until, now + reset)
            return
        used = limit - remaining
        self._heeded = True
        self._closed_until = max(self._closed_until, now + reset / used)
        if self.rate is None or _MARGIN * used / reset < self.rate:
            self._set_rate(_MARGIN * used / reset, now)

    def _reopen(self, ticket: Ticket) -> None:
        begun = self._begun if self._begun is not None else ticket.sent
        through = self._let_through + self.on_their_way
        if through and ticket.sent > begun:
            measured = _MARGIN * through / (ticket.sent - begun)
            before = self._last_refused - begun
            # the server was closed at the last refusal, so that the limit is no higher than this
            highest = through / before if before > 0 and self._tries > 1 else None
            if self.rate is None:
                self._too_fast = highest
            else:
                self._too_fast = self.rate if highest is None else min(self.rate, highest)
                measured = min(measured, _BACK * self.rate)
            self._set_rate(measured, ticket.sent)
        self._begun, self._let_through, self._tries, self._beyond = ticket.sent, 1, 0, 0.0

    def _set_rate(self, rate: float, now: float) -> None:
        self.rate = rate
        self._next = now + 1 / rate

    def _faster(self) -> None:
        if self.rate is None or not self._bound or self.closed:
            return
        if self._too_fast is None or self.rate < _BACK * self._too_fast:
            self.rate *= _GROW
        elif self.rate <= self._too_fast / _BACK:
            self.rate *= _NEAR
        else:
            self._beyond = min(self._beyond + _BEYOND, _FASTEST_GROWTH)
            self.rate *= 1 + self._beyond
        if self.rate > _UNBOUND:
            self.rate = None

    def _widen(self, ticket: Ticket, *, through: bool) -> None:
        if through and ticket.level > self._known_level:
            self._known_level, self._level_left = ticket.level, 0
        if self._level_left > 1:
            self._level_left -= 1
            return
        self._level_left = 0
        self.at_once = min(self.at_once + 1, self.most)


class Pacer:
    """A `Pace` for threads: `enter` waits until a request may leave, in the order in which threads came.

    Args:
        most: the most requests on their way at once.
        waited: told of every time, in seconds, for which requests were held back because of the rate.
    """

    def __init__(self, most: int, waited: Callable[[float], None]) -> None:
        self.pace = Pace(most)
        self._waited = waited
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    def enter(self, check: Callable[[], None]) -> Ticket:
        """Wait until a request may leave, and count it. What `check` raises ends the wait; it is called again and again."""
        me = object()
        with self._changed:
            self._queue.append(me)
            try:
                while True:
                    check()
                    now = time.monotonic()
                    wait = math.inf if self._queue[0] is not me else self.pace.wait(now)
                    if wait == 0:
                        return self.pace.send(now)
                    self._changed.wait(min(wait, _LOOK))
                    if wait < math.inf:
                        self._waited(time.monotonic() - now)
            finally:
                self._queue.remove(me)
                self._changed.notify_all()

    def settle(self, ticket: Ticket, *, through: bool) -> None:
        """As `Pace.settle`."""
        with self._changed:
            self.pace.settle(ticket, through=through)
            self._changed.notify_all()

    def refuse(self, ticket: Ticket, pause: float | None) -> bool:
        """As `Pace.refuse`; whether the server has let no request through for so long that the run is to be given up."""
        with self._changed:
            now = time.monotonic()
            self.pace.refuse(ticket, now, pause)
            self._changed.notify_all()
            return self.pace.refused_since is not None and now - self.pace.refused_since > RATE_WAIT

    def heed(self, told: Told) -> None:
        """As `Pace.heed`."""
        with self._changed:
            self.pace.heed(told, time.monotonic())

    def wake(self) -> None:
        """Let all that wait look at once whether they still should."""
        with self._changed:
            self._changed.notify_all()
