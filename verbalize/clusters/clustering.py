"""Clusters of signed maps, each with its favourable and its unfavourable mean map (ViDi, Ravi et al. 2020)."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from saywhy_core.errors import UsageError
from verbalize.clusters.vectors import common_query, vectors_of
from verbalize.evidence import evidence_of
from verbalize.saliency import PixelSaliency, TokenSaliency
from verbalize.write.naming import Frame, listed, quoted
from verbalize.write.template import TemplateVerbalizer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from verbalize.clusters.vectors import MapVectors
    from verbalize.saliency import Floats, Query, Saliency

Algorithm = Literal["kmeans", "spectral"]
_MOST = 8  # clusters that are tried; a reader compares no more than a handful of mean maps
_STRUCTURE = 0.25  # mean silhouettes up to this show no substantial structure (Kaufman and Rousseeuw 1990, table 4)
_LABELS = 4  # labels that a sentence counts
_STARTS = 10  # random starts of k-means, of which the best counts


@dataclass(frozen=True, eq=False)
class Cluster:
    """Maps that are alike.

    Args:
        number: the clusters are numbered from 1, the largest first.
        members: the places of its maps among all maps, from 0, the most typical first (nearest to the mean).
        labels: how many members have each label: the predicted one, or that of the query where no prediction is known.
        favourable: the mean of the scores above 0: a map without a negative score.
        unfavourable: the mean of the scores below 0: a map without a positive score.
        mean: the sum of these two: the mean map.
        of: the number of all maps.
    """

    number: int
    members: tuple[int, ...]
    labels: Mapping[str, int]
    favourable: Saliency
    unfavourable: Saliency
    mean: Saliency
    of: int

    def in_words(self, verbalizer: TemplateVerbalizer | None = None) -> str:
        """How many inputs the cluster holds, with which labels, and what its two mean maps say.

        The sentences after "favourable" are true of `favourable`, those after "unfavourable" of `unfavourable`; their shares
        are of that map alone.

        Args:
            verbalizer: the templates; by default short sentences, which name single words of texts in order of importance.
        """
        text = isinstance(self.mean, TokenSaliency)
        template = verbalizer or TemplateVerbalizer(style="ranked" if text else "plain")
        some = "input" if len(self.members) == 1 else "inputs"
        labels = [f"{count} with the label {quoted(label) or repr(label)}" for label, count in self.labels.items()]
        rest = sum(list(self.labels.values())[_LABELS:])
        told = labels[:_LABELS] + ([f"{rest} with another label"] if rest else [])
        counted = "" if template.mask_labels else f": {listed(told)}"
        said = [f"Cluster {self.number} holds {len(self.members)} of {self.of} {some}{counted}."]
        for what, one, side in (("favourable", self.favourable, "for"), ("unfavourable", self.unfavourable, "against")):
            names = " ".join(evidence_of(one).names)
            asked = Frame.of(one.query, mask_labels=template.mask_labels, heard=names).full
            inside = template.verbalize(one).text if one.scores.any() else f"Nothing speaks {side} it."
            # every map of this kind says so by its making, and a reader would take it for news
            empty = f"Nothing in the {'text' if text else 'picture'} speaks for {asked}. "
            said.append(f"On its {what} mean map for {asked}: {inside.removeprefix(empty)}")
        return " ".join(said)


@dataclass(frozen=True, eq=False)
class Clustering:
    """The clusters of many maps.

    Args:
        maps: the maps.
        clusters: the clusters, the largest first.
        silhouettes: the mean silhouette (Rousseeuw 1987, from -1 to 1) of each number of clusters that was tried.
    """

    maps: tuple[Saliency, ...]
    clusters: tuple[Cluster, ...]
    silhouettes: Mapping[int, float] = field(default_factory=dict)

    @property
    def assigned(self) -> tuple[int, ...]:
        """The number of the cluster of each map."""
        found = {member: cluster.number for cluster in self.clusters for member in cluster.members}
        return tuple(found[index] for index in range(len(self.maps)))

    @property
    def silhouette(self) -> float | None:
        """The mean silhouette of these clusters; `None` for a single one. Up to about 0.25 there is hardly any structure."""
        return self.silhouettes.get(len(self.clusters))

    def in_words(self, verbalizer: TemplateVerbalizer | None = None) -> str:
        """How far the clusters are apart, and one paragraph per cluster; see `Cluster.in_words`."""
        parts = [cluster.in_words(verbalizer) for cluster in self.clusters]
        if self.silhouette is not None:
            clear = "are hardly apart" if self.silhouette <= _STRUCTURE else "are apart"
            known = f"their mean silhouette is {self.silhouette:.2f}, on a scale from -1 to 1"
            parts.insert(0, f"The {len(self.clusters)} clusters {clear}: {known}.")
        return "\n\n".join(parts)


def cluster_maps(
    maps: Sequence[Saliency],
    *,
    clusters: int | None = None,
    most: int | None = None,
    algorithm: Algorithm = "kmeans",
    side: int | None = None,
    words: int | None = None,
    seed: int = 0,
) -> Clustering:
    """Cluster signed maps by where they speak for and against their label.

    Pixel maps are reduced to `side` x `side` means. Token maps become vectors over words in lower case, so that texts are alike
    if the same words speak for and against. All vectors have length 1: a strong map and a faint one may be alike. If no number
    of clusters has a silhouette above 0, all maps are one cluster.

    The idea is that of ViDi (Ravi, Khoshrou and Pechenizkiy 2020), which clusters the DeepSHAP values of a class and describes
    each cluster by a favourable and an unfavourable map. Departures: attributions of any method; vectors of length 1 at a
    reduced size; the number of clusters by silhouette; words beside the pictures; texts. In the mean maps each input counts
    alike, because its scores are divided by their sum of magnitudes.

    Args:
        maps: signed maps, all over words or all over pixels. Pixel maps of other sizes are brought to the size of the first.
        clusters: the number of clusters; by default the one with the highest mean silhouette.
        most: the largest number of clusters that is tried, 8 by default.
        algorithm: "kmeans", or "spectral" with the cosine, moved to [0, 1], as the affinity.
        side: pixels of the reduced maps, 16 by default.
        words: the most kinds of words that count, those with the most evidence first; 2,000 by default.
        seed: the seed of the random starts.

    Raises:
        UsageError: there are no maps, they are unsigned or of both kinds, there are fewer different maps than clusters, or a
            setting has no effect.
    """
    found = tuple(maps)
    if algorithm not in get_args(Algorithm):
        raise UsageError(f"algorithm must be one of {', '.join(get_args(Algorithm))}, not {algorithm!r}")
    if clusters is not None and most is not None:
        raise UsageError("most has no effect where the number of clusters is given; leave one of them out")
    for name, value in (("clusters", clusters), ("most", most)):
        if value is not None and value < 1:
            raise UsageError(f"{name} must be 1 or more, not {value!r}")
    vectors = vectors_of(found, side, words)
    different = len(np.unique(vectors.vectors, axis=0))
    if clusters is not None and clusters > different:
        raise UsageError(f"there are only {different} different maps for {clusters} clusters; ask for fewer")
    labels, silhouettes = _chosen(vectors.vectors, clusters, _MOST if most is None else most, different, algorithm, seed)
    return Clustering(found, _described(found, vectors, labels), MappingProxyType(silhouettes))


def _chosen(
    vectors: Floats, clusters: int | None, most: int, different: int, algorithm: Algorithm, seed: int
) -> tuple[NDArray[np.int64], dict[int, float]]:
    from sklearn.metrics import silhouette_score

    counts = [clusters] if clusters is not None else range(2, min(most, different, len(vectors) - 1) + 1)
    best, best_labels, silhouettes = 0.0, np.zeros(len(vectors), dtype=np.int64), {}
    for count in counts:
        labels = _labels(vectors, count, algorithm, seed)
        if 1 < len(np.unique(labels)) < len(vectors):
            silhouettes[count] = float(silhouette_score(vectors, labels))
        if clusters is not None or silhouettes.get(count, 0.0) > best:
            best, best_labels = silhouettes.get(count, 0.0), labels
    return best_labels, silhouettes


def _labels(vectors: Floats, count: int, algorithm: Algorithm, seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import KMeans, SpectralClustering

    if count == 1:
        return np.zeros(len(vectors), dtype=np.int64)
    if algorithm == "kmeans":
        return np.asarray(KMeans(count, n_init=_STARTS, random_state=seed).fit_predict(vectors), dtype=np.int64)
    affinity = np.clip((1.0 + vectors @ vectors.T) / 2.0, 0.0, 1.0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*fully connected.*")  # parts without connection are clusters, too
        made = SpectralClustering(count, affinity="precomputed", random_state=seed, assign_labels="kmeans")
        return np.asarray(made.fit_predict(affinity), dtype=np.int64)


def _described(maps: tuple[Saliency, ...], vectors: MapVectors, labels: NDArray[np.int64]) -> tuple[Cluster, ...]:
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    groups.sort(key=lambda group: (-len(group), int(group[0])))
    clusters = []
    for number, group in enumerate(groups, 1):
        inside = [maps[index] for index in group]
        distances = np.linalg.norm(vectors.vectors[group] - vectors.vectors[group].mean(axis=0), axis=1)
        members = tuple(int(index) for index in group[np.argsort(distances, kind="stable")])
        told = Counter(one.prediction.label if one.prediction is not None else one.query.label for one in inside)
        above = np.maximum(vectors.shares[group], 0.0).mean(axis=0)
        below = np.minimum(vectors.shares[group], 0.0).mean(axis=0)
        query = common_query(inside)
        made = [
            _map(scores, query, inside, vectors.words, f"cluster {number}, {what}")
            for scores, what in ((above, "favourable"), (below, "unfavourable"), (above + below, "mean"))
        ]
        ordered = MappingProxyType(dict(sorted(told.items(), key=lambda item: (-item[1], item[0]))))
        clusters.append(Cluster(number, members, ordered, made[0], made[1], made[2], len(maps)))
    return tuple(clusters)


def _map(scores: Floats, query: Query, inside: Sequence[Saliency], words: tuple[str, ...], name: str) -> Saliency:
    method = f"mean of {len(inside)} maps"
    if words:
        held = {word.lower() for one in inside if isinstance(one, TokenSaliency) for word in one.tokens}
        kept = [place for place in np.argsort(-np.abs(scores), kind="stable").tolist() if words[place] in held]
        return TokenSaliency([words[place] for place in kept], scores[kept], query, id=name, method=method)
    images = [one.image for one in inside if isinstance(one, PixelSaliency) and one.image is not None]
    alike = len(images) == len(inside) and {image.shape for image in images} == {(*scores.shape, images[0].shape[2])}
    return PixelSaliency(scores, query, image=np.mean(images, axis=0) if alike else None, id=name, method=method)
