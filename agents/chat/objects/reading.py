"""The object in a model's reply: in its text, in the call of a function, or where a server files what the model thought."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.messages import AIMessage
from pydantic import BaseModel, ValidationError

from agents.chat.objects.candidates import FENCED, WHOLE, WITHIN, Candidate, candidates
from agents.chat.objects.fitting import EchoError, fit
from agents.chat.objects.spelling import TwiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langchain_core.messages import BaseMessage

T = TypeVar("T", bound=BaseModel)

_LONGEST_REPLY = 1_000_000  # characters
_REASON = 40  # characters of a finish reason in an error
_STARTS = re.compile(r"[{\[]")
_THOUGHT_BEGINS = re.compile(r"\s*(?:<(?:think|thinking|thought|reasoning)>|\[THINK\]|<\|channel\|>analysis)", re.IGNORECASE)
_THOUGHT_ENDS = re.compile(r"</(?:think|thinking|thought|reasoning)>|\[/THINK\]|<\|channel\|>final<\|message\|>", re.IGNORECASE)
_FILTERED = re.compile(r"filter|safety|recitation|prohibited|blocklist|sensitive|spii", re.IGNORECASE)
"""Reasons for the end of a reply that OpenAI, Azure, Gemini and Chinese providers give where a filter ended it."""


@dataclass(frozen=True)
class Bad:
    """Why a reply could not be used, in words meant for the model.

    Attributes:
        why: the words.
        lasting: "filtered", "refused" or "cut off" where the same question is likely to get the same end; else empty.
    """

    why: str
    lasting: str = ""


def read_object(
    reply: BaseMessage,
    schema: type[T],
    shape: dict[str, Any],
    asked: Sequence[BaseMessage],
    accept: Callable[[T], str | None] | None = None,
) -> T | Bad:
    """The object in a reply, or why there is none.

    What a model thinks may hold drafts. So a thought counts only where the reply holds nothing else, the thought ends with
    a value, and it was not cut off: some servers take the reply for a thought. Of several values that fit and differ none
    counts, and neither does one within other words that the request itself holds, such as an example.

    Args:
        reply: the model's message.
        schema: the class.
        shape: its JSON schema.
        asked: the messages that the reply is to, without the schema.
        accept: returns None, or why an object can't be used.
    """
    answer, thought = _parts(reply)
    if len(answer) + len(thought) > _LONGEST_REPLY:
        return Bad(f"it is {len(answer) + len(thought)} characters long")
    look = _Look(schema, shape, asked, accept)
    found = look.at(_whole_enough(answer, reply))
    for call in [] if _settled(found) else _calls(reply):
        found = look.at(_whole_enough(call, reply)) or found
    if found is None and not answer.strip() and thought and _reason(reply) != "length":
        found = look.at([one for one in candidates(thought) if one.last])
    if _settled(found):
        fitting: T = found
        return fitting
    return _ended(reply, answer) or (found if isinstance(found, Bad) else None) or look.error(answer) or _nothing(answer, reply)


def text_of(reply: BaseMessage) -> str:
    """What a reply says, or with what it refuses."""
    return str(reply.text) or str(reply.additional_kwargs.get("refusal") or "")


def _whole_enough(text: str, reply: BaseMessage) -> list[Candidate]:
    """The values of a text, also one that lacks its closing brackets alone.

    Not where it was cut off and may have gone on: within a list, or behind a digit.
    """
    cut = _reason(reply).lower() != "stop"
    return [one for one in candidates(text, unclosed=True) if not (cut and set(one.unclosed) & {"]", "0"})]


def why_unusable(reply: BaseMessage) -> str:
    """Why a reply that is to be a text is none: a filter, a refusal, its end, or that it is empty."""
    text = text_of(reply)
    return (_ended(reply, text) or _nothing(text, reply)).why


def _settled(found: Any) -> bool:
    return found is not None and not isinstance(found, Bad)


class _Look:
    """Looks for the one object among the values of a text."""

    def __init__(
        self, schema: type[Any], shape: dict[str, Any], asked: Sequence[BaseMessage], accept: Callable[[Any], str | None] | None
    ) -> None:
        self.schema, self.shape, self.asked, self.accept = schema, shape, asked, accept
        self.errors: list[tuple[int, str]] = []
        self._given: list[Any] | None = None

    def at(self, values: list[Candidate]) -> Any:
        """The object, a `Bad` where there are several or none is accepted, or None."""
        refused: Bad | None = None
        for place in (WHOLE, FENCED, WITHIN):
            fitting: list[tuple[Any, Any]] = []
            for one in values:
                found = self._fit(one) if one.place == place else None
                if found is not None and not any(found == other for other, _ in fitting):
                    fitting.append((found, one.value))
            if place == WITHIN or len(fitting) > 1:
                fitting = [pair for pair in fitting if pair[1] not in self._examples()]
            kept = []
            for found, _ in fitting:
                why = None if self.accept is None else self.accept(found)
                if why is None:
                    kept.append(found)
                else:
                    refused = refused or Bad(why)
            if len(kept) == 1:
                return kept[0]
            if kept:
                return Bad(f"it holds {len(kept)} different JSON values that fit; give one")
        return refused

    def error(self, text: str) -> Bad | None:
        """Why the value that makes up most of a text does not fit."""
        start = _STARTS.search(text)
        for length, why in self.errors:
            if start is not None and 2 * length >= len(text.strip()) - start.start():
                return Bad(why)
        return None

    def _fit(self, one: Candidate) -> Any:
        try:
            return fit(one.value, self.schema, self.shape)
        except ValidationError as error:
            self.errors.append((one.length, _in_words(error)))
        except (EchoError, TwiceError) as error:
            self.errors.append((one.length, str(error)))
        except RecursionError:
            self.errors.append((one.length, "its lists and objects are nested too deep"))
        return None

    def _examples(self) -> list[Any]:
        """The values that the request itself holds."""
        if self._given is None:
            texts = [str(message.text) for message in self.asked if not isinstance(message, AIMessage)]
            self._given = [one.value for text in texts for one in candidates(text)]
        return self._given


def _parts(reply: BaseMessage) -> tuple[str, str]:
    """What a reply says, and what the model thought before."""
    text = text_of(reply)
    ends = [found.end() for found in _THOUGHT_ENDS.finditer(text)]
    if ends:
        return text[ends[-1] :], ""
    if _THOUGHT_BEGINS.match(text) is not None:
        return "", text
    thought = str(reply.additional_kwargs.get("reasoning_content") or "")
    ends = [found.end() for found in _THOUGHT_ENDS.finditer(thought)]
    return text, thought[ends[-1] :] if ends else thought


def _calls(reply: BaseMessage) -> list[str]:
    """The arguments of the call of a function: of one call, because of several none is the reply."""
    if not isinstance(reply, AIMessage):
        return []
    found = [json.dumps(call["args"]) for call in reply.tool_calls]
    found += [str(call["args"]) for call in reply.invalid_tool_calls if call["args"]]
    return found if len(found) == 1 else []


def _reason(reply: BaseMessage) -> str:
    return str(reply.response_metadata.get("finish_reason") or "")


def _ended(reply: BaseMessage, answer: str) -> Bad | None:
    """What ended the reply before it was one."""
    reason = _reason(reply)
    if _FILTERED.search(reason):
        return Bad(f"the provider's filter ended it ({reason}), so asking again would not help", "filtered")
    if reply.additional_kwargs.get("refusal"):
        return Bad("the model refuses", "refused")
    if reason.lower() in {"length", "max_tokens"}:
        what = "the JSON breaks off" if _STARTS.search(answer) else "it breaks off before any JSON"
        return Bad(f"{what}, in {len(answer)} characters; answer more briefly", "cut off")
    return None


def _nothing(answer: str, reply: BaseMessage) -> Bad:
    if not answer.strip():
        reason = _reason(reply)
        told = f" (finish reason {reason[:_REASON]})" if reason and reason != "stop" else ""
        thought = reply.additional_kwargs.get("reasoning_content") or text_of(reply).strip()
        return Bad(f"it is empty{told}{'; the model only thought' if thought else ''}")
    if _STARTS.search(answer):
        return Bad(f"the JSON breaks off or is malformed, in {len(answer)} characters; answer more briefly")
    return Bad("it holds no JSON")


def _in_words(error: ValidationError) -> str:
    parts = []
    for item in error.errors(include_url=False)[:5]:
        where = ".".join(str(step) for step in item["loc"]) or "the whole"
        given = "" if item["type"] in {"missing", "json_invalid"} else f" (got {json.dumps(item['input'], default=str)[:80]})"
        parts.append(f"{where}: {item['msg']}{given}")
    more = error.error_count() - len(parts)
    return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")
