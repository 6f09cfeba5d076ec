"""Compute maps from a model, with the methods of captum and torchcam.

Every method explains one number, `score_of_query`: the logit of the query's label. If the query is contrastive, the logit of
the labels in `versus` is subtracted. A new method is one file in a wing of `methods/` and one line in `METHODS`.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
