"""A small road-sign classifier that comes with the package, as an image model to explain and to attack.

Its images are drawings: `draw_signs` makes as many as are wanted. `saywhy.signs.train` trained the network on such drawings.

```python
from saywhy import signs

classifier = signs.load()
images, labels = signs.samples()
logits = classifier.predict(images)
```

`python -m saywhy.signs.train --check` measures its accuracy on drawings that it was not trained on.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
