"""Servers that limit how often they are asked, as pure functions of time, and clients that ask them, without any waiting.

run = simulate(SlidingWindow(10, 10.0), [Pace(8)], requests=190)
run.sent, run.seconds
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass
from random import Random


class SlidingWindow:
    """At most `most` requests let through in any `seconds`; with `strict`, those turned away count as well."""

    def __init__(self, most, seconds, *, strict=False):
        self.most, self.seconds, self.strict = most, seconds, strict
        self.times = deque()

    def allows(self, now):
        while self.times and self.times[0] <= now - self.seconds:
            self.times.popleft()
        allowed = len(self.times) < self.most
        if allowed or self.strict:
            self.times.append(now)
            while len(self.times) > self.most:
                self.times.popleft()
        return allowed

    def done(self, now):
        pass


class FixedWindow(SlidingWindow):
    """At most `most` requests in each stretch of `seconds` by the clock."""

    def __init__(self, most, seconds, *, offset=0.0):
        super().__init__(most, seconds)
        self.offset, self.window, self.count = offset, None, 0

    def allows(self, now):
        window = math.floor((now + self.offset) / self.seconds)
        if window != self.window:
            self.window, self.count = window, 0
        self.count += 1
        return self.count <= self.most


class Bucket(SlidingWindow):
    """A bucket of `most` requests that fills evenly within `seconds`."""

    def __init__(self, most, seconds):
        super().__init__(most, seconds)
        self.left, self.at = most, 0.0

    def allows(self, now):
        self.left = min(self.most, self.left + (now - self.at) * self.most / self.seconds)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class AtOnce:
    """At most `most` requests in hand."""

    def __init__(self, most):
        self.most, self.hand = most, 0

    def allows(self, now):
        if self.hand >= self.most:
            return False
        self.hand += 1
        return True

    def done(self, now):
        self.hand -= 1


class Changing:
    """One limit until a moment, and then another."""

    def __init__(self, first, moment, then):
        self.first, self.moment, self.then = first, moment, then

    def allows(self, now):
        return (self.first if now < self.moment else self.then).allows(now)

    def done(self, now):
        pass


@dataclass
class Run:
    """What came of a simulation: requests that were sent, and the seconds until the last reply."""

    sent: int
    seconds: float
    turned_away: list[float]


def simulate(limit, paces, *, requests=190, latency=0.3, asked=None, seed=0):
    """Each pace has `requests` to make; the answers of those let through take `latency` seconds, more or less.

    Args:
        asked: gives the pause that the server asks for when it turns a request away at a time, or None.
    """
    random = Random(seed)
    left = dict.fromkeys(range(len(paces)), requests)
    settled, sent, turned_away, now = 0, 0, [], 0.0
    events, order = [], 0

    def push(at, what):
        nonlocal order
        order += 1
        heapq.heappush(events, (at, order, what))

    for index in range(len(paces)):
        push(0.0, ("look", index))
    while settled < requests * len(paces):
        now, _, what = heapq.heappop(events)
        index = what[1]
        pace = paces[index]
        match what[0]:
            case "arrive":
                if limit.allows(now):
                    push(now + latency * random.uniform(0.5, 1.5), ("reply", index, what[2]))
                else:
                    turned_away.append(now)
                    push(now + 0.01, ("refused", index, what[2]))
                continue
            case "reply":
                limit.done(now)
                pace.settle(what[2], through=True)
                settled += 1
            case "refused":
                left[index] += 1
                pace.refuse(what[2], now, None if asked is None else asked(now))
        while left[index] > 0:
            wait = pace.wait(now)
            if wait > 0:
                if wait < math.inf:
                    push(now + wait, ("look", index))
                break
            left[index] -= 1
            sent += 1
            push(now + random.uniform(0.005, 0.03), ("arrive", index, pace.send(now)))
        assert now < 1e5, "it never ends"
    return Run(sent, now, turned_away)
