"""A small road-sign classifier that the project draws, trains and ships: a picture model to explain and to attack.

```python
from saywhy import signs

classifier = signs.load()
images, labels = signs.samples()
logits = classifier.predict(images)
```

`python -m saywhy.signs.train --check` measures it on held-out drawings.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
