"""Make saliency from a model: one file for each family of methods, over captum and torchcam.

Every function explains one scalar, `score_of_query`: the logit of the query's label and, where the query is contrastive,
minus the logit of what it is held against. A new method is a function in its family's file and a line in its `METHODS`.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
