"""Why did the model decide? Saliency maps become claims, claims become sentences, and sentences are checked against the map."""

from __future__ import annotations

import lazy_loader

from saywhy_core.moved import moved

moved(
    {
        "verbalize.attribution.text_classifiers": "verbalize.models.text_classifiers",
        "verbalize.background": "verbalize.write.background",
        "verbalize.claims.claims": "verbalize.claims",
        "verbalize.coverage": "verbalize.claims.coverage",
        "verbalize.picture": "verbalize.draw",
        "verbalize.reading": "verbalize.read",
        "verbalize.regions": "verbalize.parts",
        "verbalize.spans": "verbalize.parts",
        "verbalize.template": "verbalize.write",
    }
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
