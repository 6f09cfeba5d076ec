"""What one server takes of a request, learned from what it refused, so that no refusal is paid for twice."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from agents.chat.schema import bounded, narrowed
from agents.chat.servers.failures import SCHEMA_WORDS, ChatError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LIMITS = ("max_tokens", "max_completion_tokens")
"""The two names of the limit on the tokens of a reply, the first the older one."""
LEFT_OUT = {
    "temperature": "takes no temperature of {value}, so replies are drawn at its own",
    "seed": "takes no seed, so that its replies may differ from run to run",
    "stop": "takes no stop texts, so replies are cut at them on this side",
}
"""Fields that a request can do without, each with what a user is told once: the first two may change replies."""
WITHOUT_SCHEMA = "answers only without a schema beside the prompt, so replies are held to it on this side alone"
"""What a user is told once where a request without it found that out, because the refusal did not say so."""

_REFUSED = frozenset({400, 404, 405, 415, 422, 500, 501})
"""Statuses of a refusal; 404 and 405 come from routers that find no provider for a field."""
_NO_PROVIDER = re.compile(r"response.?format|json_schema|json_object|requested parameters|structured output", re.IGNORECASE)
_TAKES_JSON = re.compile(r"(allowed|one of|must be|either|only|use)\b[^.]*\bjson_object\b", re.IGNORECASE)
_NO_SUCH = re.compile(
    r"unsupported|not? (longer )?support|unknown|unrecogni[sz]ed|unexpected|extra (inputs|fields)"
    r"|not (permitted|allowed|available)|unavailable|cannot find|can't find|deprecated|instead|not implemented"
    r"|only the default|forbidden|invalid (argument|param|field|temperature)|only -?[\d.]+ is (allowed|supported|accepted)",
    re.IGNORECASE,
)
_OUT_OF_RANGE = re.compile(r"must be|greater than|positive|at least|between|> ?0", re.IGNORECASE)
_WORDS = frozenset({"n", "stop", "user", "stream", "store", "tools", "seed", "metadata"})
_TOO_HIGH = re.compile(r"too (large|high|big)|at most|less than|exceed|at least|between", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """What a server takes, as far as it has shown. A refusal makes a new one, which all threads then use.

    Attributes:
        limit: the name of the limit on the tokens of a reply, one of `LIMITS`.
        schema: where a schema goes besides the prompt: into a `response_format` of type "json_schema", as "json_object" (any
            JSON), or nowhere ("prompt").
        left_out: fields that are not sent, because the server refuses them.
        refused: names of the limit that the server has refused.
        tried: whether the server has answered a request with a schema, so that a failure of its own is not the schema's.
    """

    limit: str = "max_tokens"
    schema: str = "json_schema"
    left_out: frozenset[str] = field(default_factory=frozenset)
    refused: frozenset[str] = field(default_factory=frozenset)
    tried: bool = False

    def shaped(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a request as this server takes them."""
        shaped = {name: value for name, value in payload.items() if name not in self.left_out}
        for name in LIMITS:
            if name in shaped and name != self.limit:
                shaped[self.limit] = shaped.pop(name)
        return shaped

    def format_for(
        self, schema: Mapping[str, Any], *, official: bool, numbers: Mapping[str, Sequence[int]] | None = None
    ) -> dict[str, Any] | None:
        """The `response_format` for a schema, or None where the prompt alone holds it.

        OpenAI's own server bounds replies itself, and refuses some of the bounds that other servers need.
        """
        if self.schema == "json_object":
            return {"type": "json_object"} if schema.get("type") == "object" else None
        if self.schema == "prompt":
            return None
        shape = {
            "name": "reply",
            "schema": dict(schema) if official else bounded(narrowed(dict(schema), numbers or {})),
            "strict": True,
        }
        return {"type": "json_schema", "json_schema": shape}

    def after(self, error: ChatError, sent: Mapping[str, Any]) -> tuple[Dialect, list[str]] | None:
        """The dialect that does without what a server refused, and what the user is told; None where nothing can be changed.

        Args:
            error: what the server said.
            sent: the fields of the request that it refused.
        """
        if error.status not in _REFUSED or error.kind not in {"refused", "server", "not found", "other"}:
            return None
        said, new, told = f"{error.code} {error}", self, []
        for name in LIMITS:
            if name == self.limit and name in sent and self._refuses(name, error) and not _TOO_HIGH.search(str(error)):
                (other,) = set(LIMITS) - {name}
                if other in self.refused:
                    return None  # without a limit, a reply could cost more than the user allowed
                new = replace(new, limit=other, refused=new.refused | {name})
        for name, why in LEFT_OUT.items():
            if name not in sent or name in self.left_out or not self._refuses(name, error):
                continue
            if name != "temperature" and _OUT_OF_RANGE.search(said) and not _NO_SUCH.search(said):
                continue
            if name == "temperature" and sent[name] != 0 and not _NO_SUCH.search(said):
                continue  # a temperature that the user chose, out of the server's range, is the user's to mend
            new = replace(new, left_out=new.left_out | {name})
            told.append(why.format(value=sent[name]))
        kind = _format_of(sent)
        words = _NO_PROVIDER if error.status in {404, 405} else SCHEMA_WORDS
        if kind is not None and words.search(said) and (new is self or "response_format" in said):
            knows_json = kind == "json_schema" and _TAKES_JSON.search(said) is not None
            new = replace(new, schema="json_object" if knows_json else "prompt")
        return None if new is self else (new, told)

    def names_another(self, error: ChatError, sent: Mapping[str, Any]) -> bool:
        """Whether an error is about a field that was sent and is not the schema's.

        Names that are ordinary words, such as `stop`, count only where the server gives them as the field of the error.
        """
        extra = sent.get("extra_body") or {}
        for name in {*sent, *extra} - {"messages", "model", "response_format", "extra_body", "extra_headers"}:
            whole = rf"(?<![A-Za-z_]){re.escape(name)}(?![A-Za-z_])"
            said = error.code if name in _WORDS else f"{error.code} {error}"
            if re.search(whole, said):
                return True
        return False

    def _refuses(self, name: str, error: ChatError) -> bool:
        """Whether an error is about this field: it is named as the one, or in words that refuse something."""
        whole = rf"(?<![A-Za-z_]){name}(?![A-Za-z_])"
        if re.search(whole, error.code):
            return True
        said = str(error)
        return bool(re.search(whole, said) and (_NO_SUCH.search(said) or _OUT_OF_RANGE.search(said)))


def _format_of(sent: Mapping[str, Any]) -> str | None:
    """The type of the `response_format` that was sent."""
    kind = ((sent.get("extra_body") or {}).get("response_format") or {}).get("type")
    return kind if isinstance(kind, str) else None
