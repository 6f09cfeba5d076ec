"""What the server refuses, and why: a status of HTTP and a sentence for the participant."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):  # noqa: N818 - it is a reply, not a failure
    """A request that is not carried out.

    Args:
        status: of HTTP.
        sentence: why, for the participant.
        more: what else the reply holds, such as how many pages are done.
    """

    def __init__(self, status: int, sentence: str, /, **more: Any) -> None:
        super().__init__(sentence)
        self.http, self.content = status, {"error": sentence, **more}
