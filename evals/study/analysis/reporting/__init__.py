"""Files of an analysis: tables, LaTeX, Markdown, plots and the report page, all made of one summary."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
