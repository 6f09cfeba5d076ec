"""The study's server: the pages' protocol, every acknowledged answer on the disk, and the page for the researchers."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
