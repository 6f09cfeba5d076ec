"""What all HTML pages share: the frame, the style of heatmaps, and the replacement of characters that a page can't show."""

from __future__ import annotations

import re
from html import escape

STYLE = """<style>
.saywhy-heatmap{color-scheme:light dark;overflow-wrap:anywhere;line-height:1.9}
.saywhy-heatmap p{margin:.3em 0}
.saywhy-heatmap .text{white-space:pre-wrap;unicode-bidi:isolate}
.saywhy-heatmap .pro,.saywhy-heatmap .con,.saywhy-heatmap .matters{border-radius:.2em;padding:.08em 0}
.saywhy-heatmap .pro{border-bottom:2px solid rgb(42,99,196)}
.saywhy-heatmap .con{border-bottom:2px dashed rgb(208,92,10)}
.saywhy-heatmap .matters{border-bottom:2px solid rgb(126,58,160)}
.saywhy-heatmap .key{font-size:.85em;line-height:1.5;opacity:.85}
.saywhy-heatmap .key span{margin-right:1.1em;padding:.1em .45em}
.saywhy-heatmap img{max-width:100%;height:auto;image-rendering:pixelated}
.saywhy-heatmap figure{margin:0}
</style>"""


def html_page(body: str, title: str) -> str:
    """A whole HTML page, readable in light and in dark mode. `body` is HTML, `title` is plain text."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(printable(title))}</title><style>"
        "body{font:17px/1.6 system-ui,'Noto Sans','Noto Sans CJK SC','Noto Color Emoji',sans-serif;"
        "max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1d22;background:#fff}"
        "h2{font-size:1rem;overflow-wrap:anywhere}"
        "mark{background:rgba(42,99,196,.25);color:inherit;padding:.1em .15em;border-radius:.2em}"
        "@media(prefers-color-scheme:dark){body{color:#eceae4;background:#14161a}}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


# control characters, halves of surrogate pairs, non-characters, and marks that change the direction of writing
_UNSHOWN = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\ufffe\\uffff\\u202a-\\u202e\\u2066-\\u2069]"
)


def printable(text: str) -> str:
    """The text with U+FFFD in place of each character that a page can't show or that would change the direction of the text."""
    return _UNSHOWN.sub("\ufffd", text)
