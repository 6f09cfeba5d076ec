"""The sign classifier as a target of attacks, audits and encoders: `demo:signs`."""

from __future__ import annotations

from saywhy.signs.draw import CLASS_NAMES
from saywhy_core.classifiers import CallableClassifier
from saywhy_core.errors import UsageError


def load(where: str) -> CallableClassifier:
    """The sign classifier. It takes no options: its class names, its image size and its scores (logits) are known.

    Raises:
        UsageError: `where` is not "signs".
    """
    if where != "signs":
        raise UsageError(f"there is no demo classifier {where!r}; the only one is demo:signs")
    from saywhy.signs.model import load as load_signs
    from saywhy.signs.model import weights_digest

    model = load_signs()
    classifier = CallableClassifier(
        model.predict, "logits", CLASS_NAMES, image_shape=model.image_shape, identity=f"demo:signs:{weights_digest()}"
    )
    classifier.differentiable = model.module()
    return classifier
