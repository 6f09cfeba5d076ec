"""HTML of pages as plain text, and with other addresses of pictures."""

from __future__ import annotations

import re
from functools import cache
from html import escape, unescape
from importlib.resources import files

_BLOCK = re.compile(r"</(?:p|div|section|li|h[1-6]|tr|ol|ul|figure)>|<br ?/?>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_IMAGE = re.compile(r'(<img\b[^>]*?\bsrc=")images/([^"]*)(")')


_RULE = re.compile(r"([^{}@]+)\{([^{}]*)\}")
_OPENING = re.compile(r"<([a-z][a-z0-9]*)((?:\s[^<>]*)?)>")
_CLASS = re.compile(r'\sclass="([^"]*)"')


def stylesheet() -> str:
    """The rules of all classes that stimuli use."""
    return (files("evals.study.stimuli") / "stimuli.css").read_text(encoding="utf-8")


@cache
def _looks() -> dict[str, str]:
    """What the stylesheet says of each class (".h+3") and element ("mark"), by the last part of each selector."""
    found: dict[str, str] = {}
    for selectors, body in _RULE.findall(re.sub(r"/\*.*?\*/", "", stylesheet(), flags=re.DOTALL)):
        for selector in selectors.split(","):
            last = selector.split()[-1].replace("\\", "")
            if re.fullmatch(r"\.[\w+-]+|mark", last):
                found[last] = f"{found[last]} {body.strip()}" if last in found else body.strip()
    return found


def with_styles(html: str) -> str:
    """The fragment with style attributes in place of classes, for platforms that take no stylesheet."""

    def styled(found: re.Match[str]) -> str:
        named = _CLASS.search(found[2])
        looks = [_looks().get(found[1], ""), *(_looks().get(f".{one}", "") for one in (named[1].split() if named else ()))]
        style = " ".join(one for one in looks if one)
        attribute = f' style="{escape(style)}"' if style else ""
        return f"<{found[1]}{_CLASS.sub('', found[2])}{attribute}>"

    return _OPENING.sub(styled, html)


def plain_text(html: str) -> str:
    """What stands in a fragment of HTML, without its tags."""
    text = unescape(_TAG.sub("", _BLOCK.sub("\n", html)))
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def with_images_at(html: str, prefix: str) -> str:
    """The fragment with its pictures at another address: `prefix` stands in the place of "images/"."""
    return _IMAGE.sub(lambda found: f"{found[1]}{escape(prefix)}{found[2]}{found[3]}", html)


def pictures_in(html: str) -> tuple[str, ...]:
    """The names of the pictures that a fragment shows."""
    return tuple(found[2] for found in _IMAGE.finditer(html))
