"""CF-CAM (He, Pan and Yao 2025): a class activation map whose channels are clustered and whose gradients are filtered.

The channels A_k (h×w) of one layer fall into three kinds, as in the authors' code:

1. Dominant: the Euclidean norm of A_k is at least the 75th percentile of all norms. Their weight is that of Grad-CAM, the mean
   of their gradient G_k over the places.
2. Clustered: DBSCAN (Ester et al. 1996) groups the other channels, as vectors of h·w numbers. Its radius is the 25th percentile
   of the distances between pairs of them, and a core has at least max(2, 5 %) channels within the radius, itself included. All
   channels of a cluster get the same weight: the mean over the places of the filtered mean gradient of the cluster.
3. Noise: channels in no cluster are left out.

The filter is a product of Gaussians of the distance and of the difference in value, so that it smooths within edges:

    F(u) = sum_v g(v) K(u, v) / sum_v K(u, v),   K(u, v) = exp(-|u - v|^2 / (2 s^2)) · exp(-(g(u) - g(v))^2 / (2 (r m)^2))

with the spatial width s in places of the layer, the width r of values and the largest absolute value m of g. The map is
ReLU(sum_k softmax(w)_k A_k), the softmax being over the channels that are left.

Departures from the authors' code:
- Its filter weighs each place by the distance from the middle of the map and by the difference from the mean, and convolves
  with these weights. The bilateral filter that it is named after is used here.
- Its width of values is 0.1, whatever the unit of the gradient. Here it is a share of the largest gradient.
- Its softmax takes the weights as they are. A gradient of a mean over places is small, and the softmax then makes all channels
  equal, whatever the class. Here the weights are divided by their largest absolute value first (`temperature` 1 is then the
  code's softmax of weights between -1 and 1), so that the map does not depend on the scale of the scores either.
- The map is not stretched to [0, 1].

Nothing is random. The clusters come from the features alone; the class, or the difference of classes of a contrastive query,
has its say through the gradients. The map is unsigned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.sparse.csgraph import connected_components

from saywhy_core.errors import UsageError
from verbalize.attribution.features import enlarge, features_and_gradients, layers_of
from verbalize.attribution.method import Explainer, Method

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from verbalize.attribution.image_question import ImageQuestion

_DOMINANT, _RADIUS, _CORE = 75, 25, 0.05  # percentiles of norms and distances, share of channels: all as in the authors' code
_LEAST_RADIUS = 1e-5  # for channels that are all equal, such as those that are zero
_WIDTH, _RANGE = 5.0, 0.1  # places, and share of the largest gradient
_PLACES = 4096  # a layer of more places is filtered at a lower resolution, because the filter compares all pairs
_OPTIONS = {"spatial_width": _WIDTH, "range_width": _RANGE, "temperature": 1.0}


def _pixels(question: ImageQuestion) -> torch.Tensor:
    """The weighted sum of the dominant and the clustered channels of `layer`, N×1×H×W."""
    settings = {}
    for name, default in _OPTIONS.items():
        settings[name] = value = question.options.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise UsageError(f"{name} must be a number above 0, not {value!r}")
    names = layers_of(question)
    maps = []
    for rows in question.rows.split(question.batch_size):
        ((features, gradients),) = features_and_gradients(question, names, rows)
        for one, slopes in zip(features, gradients, strict=True):
            weights = channel_weights(one, slopes, **settings)
            maps.append(torch.einsum("d,dhw->hw", weights, one).clamp(min=0))
    return enlarge(torch.stack(maps), question)


def channel_weights(
    maps: torch.Tensor,
    gradients: torch.Tensor,
    *,
    spatial_width: float = _WIDTH,
    range_width: float = _RANGE,
    temperature: float = 1.0,
) -> torch.Tensor:
    """The weight of each channel: D×h×w features and gradients -> (D,), which sum to 1 and are 0 for noise."""
    labels = cluster_channels(maps.flatten(1).double().cpu().numpy())
    members = torch.from_numpy(labels).to(maps.device)
    weights = gradients.double().mean(dim=(1, 2))
    for cluster in range(int(labels.max()) + 1):
        chosen = members == cluster
        filtered = bilateral(gradients[chosen].double().mean(dim=0), spatial_width, range_width)
        weights = torch.where(chosen, filtered.mean(), weights)
    kept = members != -1
    largest = weights[kept].abs().max().clamp(min=torch.finfo(torch.float64).tiny)
    shared = torch.where(kept, weights / (largest * temperature), -torch.inf).softmax(dim=0)
    return shared.to(maps.dtype)


def cluster_channels(vectors: NDArray[np.float64]) -> NDArray[np.int64]:
    """The kind of each of D channels, given as D×P vectors: -2 dominant, -1 noise, else the number of its cluster."""
    norms = np.linalg.norm(vectors, axis=1)
    dominant = norms >= np.percentile(norms, _DOMINANT)
    labels = np.full(len(vectors), -2, dtype=np.int64)
    rest = vectors[~dominant]
    if len(rest):
        squares = (rest**2).sum(axis=1)
        distances = np.sqrt(np.clip(squares[:, None] + squares - 2 * rest @ rest.T, 0, None))
        np.fill_diagonal(distances, 0)
        pairs = distances[~np.eye(len(rest), dtype=bool)]
        radius = max(float(np.percentile(pairs, _RADIUS)), _LEAST_RADIUS) if len(pairs) else _LEAST_RADIUS
        labels[~dominant] = _dbscan(distances, radius, max(2, int(len(rest) * _CORE)))
    return labels


def bilateral(values: torch.Tensor, spatial_width: float, range_width: float) -> torch.Tensor:
    """The bilateral filter of h×w values (Tomasi and Manduchi 1998), over all pairs of places."""
    height, width = values.shape
    share = min(1.0, (_PLACES / (height * width)) ** 0.5)
    if share < 1:
        size = (max(1, int(height * share)), max(1, int(width * share)))
        values = torch.nn.functional.interpolate(values[None, None], size=size, mode="area")[0, 0]
        height, width = size
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    places = torch.stack([rows.flatten(), columns.flatten()], dim=1).to(values) / share
    flat = values.flatten()
    largest = flat.abs().max().clamp(min=torch.finfo(values.dtype).tiny)
    differences = (flat[:, None] - flat) / (largest * range_width)
    exponents = torch.cdist(places, places).square() / spatial_width**2 + differences.square()
    kernel = torch.exp(-exponents / 2)
    return ((kernel @ flat) / kernel.sum(dim=1)).reshape(height, width)


def _dbscan(distances: NDArray[np.float64], radius: float, least: int) -> NDArray[np.int64]:
    """Clusters of points from their P×P distances, numbered by their first core; -1 for noise.

    A border point that several clusters reach belongs to the first of them.
    """
    near = distances <= radius
    core = near.sum(axis=1) >= least
    labels = np.full(len(distances), -1, dtype=np.int64)
    if core.any():
        _, found = connected_components(near[np.ix_(core, core)], directed=False)
        _, first = np.unique(found, return_index=True)
        labels[core] = np.argsort(np.argsort(first))[found]
        borders = ~core & near[:, core].any(axis=1)
        reached = np.where(near[np.ix_(borders, core)], labels[core], len(distances))
        labels[borders] = reached.min(axis=1)
    return labels


CF_CAM = Method(
    "CF-CAM, clustered channels and filtered gradients (He, Pan and Yao 2025)",
    pixels=Explainer(_pixels, uses=("layer", *_OPTIONS), signed=False, needs="layers", batched=True, passes=1),
)
