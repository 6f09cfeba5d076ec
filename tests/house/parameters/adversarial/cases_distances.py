"""Distances of images."""

from __future__ import annotations

import numpy as np
from parameters.harness import case
from parameters.networks import (
    IMAGES,
    OTHER_IMAGES,
)

from adversarial.distances import DISTANCES

L2 = DISTANCES.get("l2")
OWN = {"name": "l2", "title": "L2", "measure": L2.measure}


def described(distance, tools, arguments):
    return (
        distance.name,
        distance.between(IMAGES[0], IMAGES[1]),
        distance.in_words(1.0),
        distance.change_in_words("4 pixels", 1.0),
        distance.served_by,
        distance.served_by_label,
        distance.power,
    )


case(
    "adversarial.distances.Distance",
    OWN,
    described,
    name="own",
    title="Own",
    measure=DISTANCES.get("linf").measure,
    nearest=L2.nearest,
    power=2.0,
    counts_pixels=True,
    change="{pixels}!",
    attack="waves",
    served_by_label="label_rays",
)
case(
    "adversarial.distances.Distance.between",
    {"self": L2, "image": IMAGES[0], "other": IMAGES[1]},
    image=OTHER_IMAGES[0],
    other=OTHER_IMAGES[1],
)
case("adversarial.distances.Distance.in_words", {"self": L2, "value": 1.0}, value=2.0)
case(
    "adversarial.distances.Distance.change_in_words",
    {"self": L2, "pixels": "4 pixels", "value": 1.0},
    pixels="5 pixels",
    value=2.0,
)
case(
    "adversarial.distances.all_distances",
    {"image": IMAGES[0], "other": IMAGES[1]},
    image=OTHER_IMAGES[0],
    other=OTHER_IMAGES[1],
)
RAY = {
    "direction": np.array([1.0, 2.0]),
    "slope": np.array([1.0, 1.0]),
    "need": 1.0,
    "low": np.array([-0.2, -0.2]),
    "high": np.array([0.4, 0.9]),
}
case(
    "adversarial.distances.clipped_ray",
    RAY,
    direction=np.array([2.0, 1.0]),
    slope=np.array([1.0, 0.5]),
    need=0.5,
    high=np.array([0.2, 0.9]),
)
case(
    "adversarial.distances.clipped_ray",
    {**RAY, "direction": -RAY["direction"], "slope": -RAY["slope"], "need": 0.3},
    low=np.array([-0.1, -0.9]),
)
