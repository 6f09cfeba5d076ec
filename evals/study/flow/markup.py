"""What researchers write for participants: paragraphs, lists, **bold** and links, as safe HTML."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

SCHEMES = ("https", "http", "mailto", "tel")


def rendered(text: str) -> str:
    """Markdown (CommonMark) as HTML. HTML is shown as text, and pictures as links, so that nothing is fetched.

    Links open in a tab of their own, so that nobody leaves the study by one.

    Args:
        text: the text.
    """
    return str(_renderer().render(text))


@cache
def _renderer() -> MarkdownIt:
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False, "breaks": False, "maxNesting": 20}).disable(
        ["image", "html_block", "html_inline"]
    )
    made.validateLink = _fine  # type: ignore[method-assign, assignment]
    made.add_render_rule("link_open", _opening)
    return made


def _fine(address: str) -> bool:
    try:
        return urlsplit(address.strip()).scheme.lower() in SCHEMES
    except ValueError:
        return False


def _opening(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("target", "_blank")
    tokens[index].attrSet("rel", "noopener noreferrer")
    return str(self.renderToken(tokens, index, options, env))
