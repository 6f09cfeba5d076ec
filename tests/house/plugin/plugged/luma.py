"""A distance: the Euclidean length of the differences, in which a channel counts as much as the eye sees of it."""

from __future__ import annotations

import numpy as np

from adversarial.distances import Distance, clipped_ray

LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114])  # red, green, blue: ITU-R BT.601


def weighted_length(differences):
    """(N, H, W, 3) differences -> (N,) distances."""
    return np.sqrt((np.square(differences, dtype=np.float64) * LUMA_WEIGHTS).sum(axis=(-3, -2, -1)))


def nearest(slope, need, low, high):
    """The smallest move that raises a linear function by `need`: along the slope over the weights."""
    return clipped_ray(slope / LUMA_WEIGHTS, slope, need, low, high)


LUMA = Distance(name="luma", title="luma-weighted L2", measure=weighted_length, nearest=nearest)
