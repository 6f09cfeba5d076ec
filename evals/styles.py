"""The style sheet of the pages: what all pages share, and the rules of one page."""

from __future__ import annotations

from importlib.resources import files


def page_style(package: str) -> str:
    """The shared `page.css` of this package, and after it the `page.css` of the package whose page it is.

    Args:
        package: the dotted name of the package that makes the page.
    """
    return "".join((files(one) / "page.css").read_text(encoding="utf-8") for one in ("evals", package))
