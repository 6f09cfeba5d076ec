"""Is a map faithful to its model? Inputs of which parts are hidden, run once, and the metrics that all stand on them.

`sweep` runs a model on inputs of which more and more is hidden. `evaluate` computes every metric in `METRICS` from the same
masked inputs, in logits and in probabilities.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
