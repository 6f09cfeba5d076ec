"""The sign classifiers as targets of attacks, audits and encoders: `demo:signs` and `demo:signs-vit`."""

from __future__ import annotations

from saywhy.signs.draw import CLASS_NAMES
from saywhy_core.classifiers import CallableClassifier, ScoreNetwork
from saywhy_core.errors import UsageError


def load(where: str) -> CallableClassifier:
    """A sign classifier. It takes no options: its class names, its image size and its scores (logits) are known.

    Args:
        where: "signs" for the convolutional network, "signs-vit" for the vision transformer.

    Raises:
        UsageError: `where` is neither.
    """
    if where not in ("signs", "signs-vit"):
        raise UsageError(f"there is no demo classifier {where!r}; there are demo:signs and demo:signs-vit")
    from saywhy.signs.model import load as load_signs
    from saywhy.signs.model import weights_digest
    from saywhy.signs.vision_transformer import VIT_WEIGHTS, load_vit

    transformer = where == "signs-vit"
    model = load_vit() if transformer else load_signs()
    digest = weights_digest(VIT_WEIGHTS) if transformer else weights_digest()
    classifier = CallableClassifier(
        model.predict, "logits", CLASS_NAMES, image_shape=model.image_shape, identity=f"demo:{where}:{digest}"
    )
    classifier.differentiable = model.module()
    classifier.network = ScoreNetwork(model.module())
    return classifier
