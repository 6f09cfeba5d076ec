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

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from saywhy.signs.draw import CLASS_NAMES, SIZE, draw_signs
    from saywhy.signs.model import SignClassifier, load, samples

__all__ = ["CLASS_NAMES", "SIZE", "SignClassifier", "draw_signs", "load", "samples"]

_HOMES = {
    "CLASS_NAMES": "draw",
    "SIZE": "draw",
    "draw_signs": "draw",
    "SignClassifier": "model",
    "load": "model",
    "samples": "model",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
