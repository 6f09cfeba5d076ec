"""Road signs, and which parts of them decided, by occlusion and by class activation maps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from saywhy.demo.answers import Answer, answer
from verbalize.saliency import Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from verbalize.saliency import Prediction
    from verbalize.write.template import TemplateVerbalizer

LAST_LAYER = "features.11"
SIGNS = (
    ("speed limit 30", "speed limit 80"),
    ("danger", "give way"),
    ("no entry", "no vehicles"),
    ("keep right", "roundabout"),
)


def clear_signs() -> dict[str, NDArray[np.float32]]:
    """One picture per sign, by name, with little dirt. Every call returns the same pictures."""
    from saywhy import signs

    images, labels = signs.samples(seed=4, dirt=0.1)
    return {signs.CLASS_NAMES[label]: image for label, image in zip(labels, images, strict=True)}


@dataclass(frozen=True)
class SignCard:
    """A picture, the model's prediction, and three answers: where it looks, what it would miss, what tells two signs apart."""

    image: NDArray[np.float32]
    prediction: Prediction
    answers: tuple[Answer, ...]


def sign_cards(verbalizer: TemplateVerbalizer) -> Iterator[SignCard]:
    """Explain one picture of each sign in `SIGNS` with occlusion (captum) and Layer-CAM (torchcam)."""
    from saywhy import signs
    from verbalize.attribution import attribute_cam, attribute_pixels

    classifier = signs.load()
    names = classifier.class_names
    pictures = clear_signs()
    for name, other in SIGNS:
        image = pictures[name]
        covered = partial(
            attribute_pixels, classifier.module(), image,
            class_names=names, method="occlusion", patch=8, stride=3, true_label=name,
        )  # fmt: skip
        looks = attribute_cam(classifier.module(), image, Query(name), layer=LAST_LAYER, class_names=names, true_label=name)
        maps = (looks, covered(Query(name)), covered(Query(name, versus=(other,))))
        prediction = maps[0].prediction
        assert prediction is not None
        yield SignCard(image, prediction, tuple(answer(saliency, verbalizer) for saliency in maps))
