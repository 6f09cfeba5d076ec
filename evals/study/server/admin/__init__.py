"""The researchers' page: progress, flags, stop and resume, deletion and download, behind a token."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
