"""The pages that participants see: jsPsych in a browser, served by the study's server or packed for another one."""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
