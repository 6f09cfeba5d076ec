"""The page that a participant opens, what it loads, and the headers that keep everything else out of it."""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from evals.study.pages.assets import ASSETS, read_assets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.study.folder import Study

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'"
)
"""The Content-Security-Policy of pages without a server of ours: nothing inline runs, and nothing comes from elsewhere."""

SERVED = ("study-words.js", "study-questions.js", "study-server.js", "study.js")
"""The scripts of a page whose answers go to the study's server, in the order in which they run."""

_RIGHT_TO_LEFT = frozenset(("ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "ku-arab", "ps", "sd", "syr", "ug", "ur", "yi"))
_ICON = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1d4f7c"/>'
    b'<path d="M8 11h16M8 16h11M8 21h7" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/></svg>'
)


def page_html(study: Study, *, scripts: tuple[str, ...] = SERVED, policy: bool = False) -> str:
    """The page, with addresses relative to its own, so that it works under any prefix.

    Args:
        study: the study.
        scripts: the scripts behind those of jsPsych, in the order in which they run: names in `static/`, or paths with "/".
        policy: put the policy into the page itself, for hosts whose headers nobody sets.
    """
    file = study.file
    language = file.language or "en"
    sources = [*(f"static/{asset.name}" for asset in ASSETS), *(one if "/" in one else f"static/{one}" for one in scripts)]
    meta = f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n' if policy else ""
    fill = {
        "language": escape(language),
        "direction": "rtl" if _is_right_to_left(language) else "ltr",
        "study": study.digest,
        "title": escape(file.title),
        "contact": escape(file.contact or ""),
        "policy": meta,
        "scripts": "\n".join(f'<script src="{escape(one.removeprefix("/"))}" defer></script>' for one in sources),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: fill[found[1]], _own("study.html").decode())


def static_files(study: Study, *, scripts: tuple[str, ...] = SERVED) -> Mapping[str, bytes]:
    """Name in `static/` -> bytes, of all that the page loads: saywhy's own, and jsPsych out of the study's `assets/`.

    Raises:
        UsageError: a file of `assets/` is missing, or is not the one that was expected.
    """
    theirs = read_assets(study.folder)
    return {
        "icon.svg": _ICON,
        "study.css": stylesheet(),
        **{name: _own(name) for name in scripts if "/" not in name},
        **{asset.name: _shown(theirs[asset.name], asset.title) for asset in ASSETS},
    }


def stylesheet() -> bytes:
    """The rules of the pages, and those of what conditions show."""
    stimuli = files("evals.study.stimuli").joinpath("stimuli.css")
    return _own("study.css") + (stimuli.read_bytes() if stimuli.is_file() else b"")


def _shown(content: bytes, title: str) -> bytes:
    """A file of jsPsych with its licence, and without the address of its source map, which browsers' tools would fetch."""
    lines = [line for line in content.splitlines() if not line.startswith(b"//# sourceMappingURL=")]
    return b"\n".join([f"/* {title}, MIT licence, https://www.jspsych.org */".encode(), *lines, b""])


def _own(name: str) -> bytes:
    return files("evals.study.pages").joinpath(name).read_bytes()


def _is_right_to_left(language: str) -> bool:
    tag = language.lower()
    return tag in _RIGHT_TO_LEFT or tag.split("-")[0] in _RIGHT_TO_LEFT
