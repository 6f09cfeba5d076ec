"""What a model says of an input of which parts are hidden: the one place that runs models on masked inputs.

`mask_inputs` prepares inputs once. The object that it returns answers any number of masks, in batches, and runs the model
on each distinct masked input once. Faithfulness metrics and claims about the model both stand on it.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
