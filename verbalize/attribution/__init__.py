"""Maps made from a model, by methods of captum and torchcam.

Every method explains one number, `score_of_query`: the logit of the query's label and, where the query is contrastive, minus
the logit of what the label is contrasted with. A new method is one file in `methods/` and one line in `METHODS`.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
