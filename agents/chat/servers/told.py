"""What a server says of its limits: the pause that it asks for, in whatever words, and how many requests are left."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_READ = 20_000  # characters of an answer that are looked through
_UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_UNIT = r"ms|milli\w*|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?"
_AMOUNT = re.compile(rf"(\d{{1,12}}(?:\.\d{{1,9}})?)\s?({_UNIT})?(?![a-z])", re.IGNORECASE)
_SAID = re.compile(
    r"(?:try(?:ing)? again|retry(?:ing)?|wait|available again|resets?)\b[^.\d]{0,40}?"
    r"((?:\d[\d.]*\s?[a-z]*,?\s{0,2}(?:and\s)?){1,4})",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"[\"']?(retry[_-]?(?:delay|after)(?:[_-](ms|seconds?))?)[\"']?\s*[:=]\s*[\"']?(\d[\d.]*\s?[a-z]*)", re.IGNORECASE
)
_EPOCH = 1e9  # no pause has so many seconds: larger numbers are times since 1970, and those 1000 times as large in milliseconds


@dataclass(frozen=True)
class Told:
    """What an answer says of the server's limits.

    Attributes:
        pause: seconds that it asks to wait, in words or in a field of the answer.
        remaining: the requests that are left.
        reset: seconds until there are as many as ever again.
        limit: how many these are.
    """

    pause: float | None = None
    remaining: float | None = None
    reset: float | None = None
    limit: float | None = None

    @property
    def pause_for_one(self) -> float | None:
        """Seconds until one request may leave: what it asks for, or where it only says that none is left, what follows."""
        if self.pause is not None or self.remaining is None or self.remaining >= 1 or self.reset is None:
            return self.pause
        return self.reset / self.limit if self.limit else self.reset


def seconds_in(text: str) -> float | None:
    """The seconds that a duration says, such as "6s", "1m20s", "800ms", "2 minutes" or "7.5"; None where it says none."""
    total, at = 0.0, None
    for found in _AMOUNT.finditer(text):
        if at is not None and text[at : found.start()].strip(" ,").removeprefix("and").strip():
            break  # something else stands between: what follows is no part of the duration
        if at is not None and not found[2]:
            break
        unit = (found[2] or "s").lower()
        total += float(found[1]) * _UNITS["ms" if unit.startswith(("ms", "milli")) else unit[0]]
        at = found.end()
        if not found[2]:
            break
    return total if at is not None else None


def pause_in(text: str, now: float | None = None) -> float | None:
    """The seconds that a text asks to wait ("try again in 6s", "Please retry after 22 seconds", `"retryDelay": "37s"`)."""
    text = text[:_READ]
    field = _FIELD.search(text)
    if field is not None:
        found = seconds_in(field[3])
        return None if found is None else _from_now(found * (1e-3 if (field[2] or "").lower() == "ms" else 1.0), now)
    said = _SAID.search(text)
    found = None if said is None else seconds_in(said[1])
    return None if found is None else _from_now(found, now)


def _from_now(number: float, now: float | None) -> float:
    """Seconds from now, of a number that is so many seconds or a time since 1970, in seconds or milliseconds."""
    if number < _EPOCH:
        return number
    return max(0.0, (number / 1000 if number > 1000 * _EPOCH else number) - (time.time() if now is None else now))


def told_by(headers: Mapping[str, str], body: str = "", now: float | None = None) -> Told:
    """What the headers and the body of an answer say of the limits.

    Where no tokens are left, no request is; how many requests other numbers of tokens are is not known, so they say nothing.

    Args:
        headers: with names in lower case.
        body: of an answer that is an error.
        now: the time, in seconds since 1970.
    """
    now = time.time() if now is None else now
    pause = pause_in(body, now) if body else None
    found = [_left(headers, name, now) for name in ("-requests", "-tokens", "")]
    known = [one for one in found if one is not None]
    if not known:
        return Told(pause)
    requests = known[0] if known[0] is not found[1] else None
    if requests is None or (found[1] is not None and found[1][0] <= 0):
        remaining, reset, _ = found[1] or known[0]
        return Told(pause, 0, reset, None) if remaining <= 0 else Told(pause)
    return Told(pause, *requests)


def _left(headers: Mapping[str, str], name: str, now: float) -> tuple[float, float, float | None] | None:
    for begin in ("x-ratelimit", "ratelimit"):
        remaining = _number(headers.get(f"{begin}-remaining{name}", ""))
        reset = _until(headers.get(f"{begin}-reset{name}", ""), now)
        if remaining is not None and reset is not None:
            return remaining, reset, _number(headers.get(f"{begin}-limit{name}", ""))
    return None


def _number(text: str) -> float | None:
    found = re.match(r"\s*(\d{1,12})", text)
    return None if found is None else float(found[1])


def _until(text: str, now: float) -> float | None:
    plain = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*", text)
    if plain is None:
        return seconds_in(text)
    return _from_now(float(plain[1]), now)
