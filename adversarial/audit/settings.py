"""What a result depends on, so that results of other settings are never taken for these."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial.audit.prior import MapDensity
from adversarial.features import KeypointMixture
from adversarial.manipulations import load_manipulation
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adversarial.attack import FeatureGuidedAttack
    from adversarial.audit.gathering import AuditImage
    from saywhy_core.classifiers import Classifier

# Settings that a result doesn't depend on. The target's text and options count only where the classifier has no identity.
WITHOUT_EFFECT = ("batch_size",)
DESCRIPTIVE = ("target", "options")


def audit_settings(
    attack: FeatureGuidedAttack,
    classifier: Classifier,
    *,
    goal: int | None = None,
    target: str = "",
    options: Mapping[str, Any] | None = None,
    images: Sequence[AuditImage] = (),
) -> dict[str, Any]:
    """The settings of an audit as plain JSON values; they are kept in every `result.json`.

    Args:
        attack: the attack.
        classifier: its `identity` tells one model from another.
        goal: the class to reach, or None.
        target: the text that named the classifier.
        options: the options that were given with it.
        images: all images of the run; they count where each learns from those before it.

    Raises:
        UsageError: the density is a function, which can't be told from another function.
    """
    levels = attack.levels if attack.levels is None or isinstance(attack.levels, str) else int(attack.levels)
    return {
        "target": target,
        "options": dict(options or {}),
        "model": classifier.identity,
        "attack": attack.picked_for(classifier).name,
        "distance": attack.distance,
        "budget": int(attack.budget),
        "goal": goal,
        "manipulation": None if attack.manipulation is None else load_manipulation(attack.manipulation).spec,
        "player_two": attack.player_two,
        "engine": attack.engine,
        "batch_size": attack.batch_size,
        "seed": attack.seed,
        "prior": _density_in_words(attack.density),
        # only where they are given: findings of earlier releases keep their settings
        **({} if levels is None else {"levels": levels}),
        **({"tolerate_noise": True} if attack.tolerate_noise else {}),
        **({"learn": _all_images(images)} if attack.learn else {}),
    }


def image_digest(settings: Mapping[str, Any], image: AuditImage) -> str:
    """A text that changes with the settings, the image and its label."""
    ignored = WITHOUT_EFFECT if settings["model"] is None else (*WITHOUT_EFFECT, *DESCRIPTIVE)
    counted = {name: value for name, value in settings.items() if name not in ignored}
    content = json.dumps([counted, image.label, image.pixels.shape], sort_keys=True).encode()
    return hashlib.sha256(content + image.pixels.tobytes()).hexdigest()[:20]


def _all_images(images: Sequence[AuditImage]) -> str:
    """A text that changes with the images of a run, their labels and their order."""
    digest = hashlib.sha256()
    for image in images:
        digest.update(json.dumps([image.label, image.pixels.shape]).encode() + image.pixels.tobytes())
    return digest.hexdigest()[:20]


def _density_in_words(density: object) -> str | None:
    if density is None or isinstance(density, str):
        return density
    if isinstance(density, MapDensity):
        return density.digest
    if isinstance(density, KeypointMixture):
        arrays = (density.weights, density.means, density.sigmas, density.density)
        return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()[:20]
    raise UsageError("an audit can't tell one density function from another; give adversarial.audit.MapDensity(values)")
