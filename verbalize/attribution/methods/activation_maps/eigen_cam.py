"""Eigen-CAM (Muhammad and Yeasin 2020): the first principal component of the feature maps, whatever the class.

With the features A of one layer as a D×(h·w) matrix and its singular value decomposition A = U S V^T, the map is the projection
of the features onto the first left singular vector, A^T u_1 = s_1 v_1 (the paper writes O V_1, with the features as rows).
Neither a class nor a gradient takes part: the map is the same for every label.

A singular vector has no sign of its own. Features after a ReLU are not negative, and then neither is v_1 if its sign is chosen
so that the map has a positive sum (Perron); this is the choice here for all features. Values below zero, which only features
with signs can have, become zero. What is left says how much a place stands out and not for which label, so the map is unsigned.

Departures: the code of pytorch-grad-cam subtracts the mean of every channel first, which is the way of a principal component
analysis but not of the paper, and leaves the sign to the library of linear algebra. Neither is done here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from verbalize.attribution.features import enlarge, features, layers_of
from verbalize.attribution.method import Explainer, Method

if TYPE_CHECKING:
    from verbalize.attribution.image_question import ImageQuestion


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """The first component of the features of `layer`, N×1×H×W; one forward pass per `batch_size` images."""
    names = layers_of(question)
    parts = [first_component(features(question, names, rows)[0]) for rows in question.rows.split(question.batch_size)]
    return enlarge(torch.cat(parts), question)


def first_component(maps: torch.Tensor) -> torch.Tensor:
    """The first right singular vector of each D×(h·w) matrix times its singular value, without negative values.

    It is an eigenvector of the smaller one of the two Gram matrices, D×D or (h·w)×(h·w), in double precision: squaring the
    features loses half of the digits, and of those the double has enough.

    Args:
        maps: N×D×h×w features.

    Returns:
        N×h×w.
    """
    count, depth, height, width = maps.shape
    matrix = maps.double().flatten(2)
    scale = matrix.abs().amax(dim=(1, 2), keepdim=True).clamp(min=torch.finfo(torch.float64).tiny)
    matrix = matrix / scale
    if depth <= height * width:
        first = torch.linalg.eigh(matrix @ matrix.mT).eigenvectors[:, :, -1:]
        values = (first.mT @ matrix)[:, 0]
    else:
        first = torch.linalg.eigh(matrix.mT @ matrix).eigenvectors[:, :, -1]
        values = first * (matrix @ first[:, :, None]).norm(dim=1)
    sign = torch.where(values.sum(dim=1, keepdim=True) < 0, -1.0, 1.0)
    return (sign * values * scale[:, 0]).clamp(min=0).reshape(count, height, width).to(maps.dtype)


EIGEN_CAM = Method(
    "Eigen-CAM, the first principal component of the features (Muhammad and Yeasin 2020)",
    pixels=Explainer(_pixels, uses=("layer",), signed=False, needs="layers", questions=(), batched=True, passes=1, backwards=0),
)
