"""The model's own remark: general knowledge about a word of the input, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verbalize.saliency import Saliency


def comment_of(comment: str, saliency: Saliency) -> tuple[str, str]:
    """The comment if it may be shown, else "", and why it was refused."""
    return ("", "comments are not taken yet") if comment.strip() else ("", "")
