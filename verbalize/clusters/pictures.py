"""Clusters as a picture and as a page."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import UsageError
from verbalize.draw.heatmaps import pixel_heatmap_png
from verbalize.draw.page import html_page, printable
from verbalize.draw.palette import AGAINST, FOR
from verbalize.saliency import PixelSaliency, TokenSaliency

if TYPE_CHECKING:
    from verbalize.clusters.clustering import Cluster, Clustering
    from verbalize.saliency import Saliency
    from verbalize.write.template import TemplateVerbalizer

_ROW = 2.1  # inches
_WORDS = 6  # words in a chart of a cluster of texts
_NAMES = 28  # characters of a label


def clusters_png(clustering: Clustering, *, members: int = 4) -> bytes:
    """One row per cluster: its favourable and its unfavourable mean map, and its most typical members.

    Mean maps of pictures are drawn over the mean picture. Those of texts are charts of the words with the largest scores,
    and the members are left out.

    Args:
        clustering: the clusters.
        members: the most members to show. It has no effect on texts.

    Raises:
        UsageError: `members` is below 0.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if members < 0:
        raise UsageError(f"members is how many members are shown, 0 or more, not {members!r}")
    pixels = isinstance(clustering.maps[0], PixelSaliency)
    shown = members if pixels else 0
    widths = [1.0, 1.0, *[0.8] * shown] if pixels else [1.6, 1.6]
    rows = len(clustering.clusters)
    figure = Figure(figsize=(1.5 + _ROW * sum(widths), 0.35 + (_ROW + 0.35) * rows), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, len(widths), squeeze=False, width_ratios=widths)
    means = [one for cluster in clustering.clusters for one in (cluster.favourable, cluster.unfavourable)]
    longest = max(float(np.abs(one.scores).max(initial=0.0)) for one in means)
    for cluster, axes in zip(clustering.clusters, grid, strict=True):
        for place, (axis, what) in enumerate(zip(axes, ("favourable", "unfavourable"), strict=False)):
            _mean(axis, cluster.unfavourable if place else cluster.favourable, AGAINST if place else FOR, longest)
            if cluster.number == 1:
                axis.set_title(f"{what} mean", fontsize=9)
        axes[0].set_ylabel(_heading(cluster), fontsize=9, rotation=0, ha="right", va="center", labelpad=12)
        for axis, member in zip(axes[2:], [*cluster.members[:shown], *[None] * shown], strict=False):
            if member is None:
                axis.axis("off")
                continue
            _member(axis, clustering.maps[member])
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


def clusters_page(
    clustering: Clustering, *, title: str = "Clusters of maps", members: int = 4, verbalizer: TemplateVerbalizer | None = None
) -> str:
    """A whole HTML page: the picture of `clusters_png`, how far the clusters are apart, and each cluster in words.

    Args:
        clustering: the clusters.
        title: the title of the page.
        members: the most members to show.
        verbalizer: what writes the sentences; see `Cluster.in_words`.
    """
    source = base64.b64encode(clusters_png(clustering, members=members)).decode("ascii")
    tried = "; ".join(f"{count} clusters: {value:.2f}" for count, value in sorted(clustering.silhouettes.items()))
    apart = f"<p>Mean silhouette, from -1 to 1: {escape(tried)}.</p>" if tried else ""
    words = "".join(
        f"<section><h2>Cluster {cluster.number}</h2><p>{escape(printable(cluster.in_words(verbalizer)))}</p></section>"
        for cluster in clustering.clusters
    )
    alt = f"{len(clustering.clusters)} clusters with their mean maps, which the text below describes"
    body = (
        f"<h1>{escape(printable(title))}</h1>{apart}"
        f'<img style="max-width:100%" src="data:image/png;base64,{source}" alt="{escape(alt)}">{words}'
    )
    return html_page(body, title)


def _heading(cluster: Cluster) -> str:
    count = f"cluster {cluster.number}\n{len(cluster.members)} of {cluster.of}"
    top = [f"{number} × {_short(label)}" for label, number in list(cluster.labels.items())[:3]]
    more = len(cluster.labels) - len(top)
    return "\n".join([count, *top, *([f"{more} more label{'s' if more > 1 else ''}"] if more > 0 else [])])


def _short(label: str) -> str:
    plain = printable(label).replace("$", r"\$")
    return plain if len(plain) <= _NAMES else plain[: _NAMES - 1] + "…"


def _mean(axis: Any, saliency: Saliency, colour: tuple[int, int, int], longest: float) -> None:
    if isinstance(saliency, TokenSaliency):
        count = min(_WORDS, int(np.count_nonzero(saliency.scores)))
        order = np.argsort(-np.abs(saliency.scores), kind="stable")[:count]
        axis.barh(range(count), saliency.scores[order], color=[part / 255 for part in colour])
        axis.set_yticks(range(count), [_short(saliency.tokens[index]) for index in order], fontsize=8)
        axis.set_ylim(_WORDS - 0.5, -0.5)
        left, right = min(0.0, float(saliency.scores.min(initial=0.0))), max(0.0, float(saliency.scores.max(initial=0.0)))
        axis.set_xlim(-longest if left < 0 else 0.0, longest if right > 0 or not left else 0.0)  # one scale for all charts
        axis.tick_params(axis="x", labelsize=7)
        axis.locator_params(axis="x", nbins=4)
        return
    _picture(axis, pixel_heatmap_png(saliency, smallest_side=160))


def _member(axis: Any, saliency: Saliency) -> None:
    if isinstance(saliency, PixelSaliency):
        _picture(axis, pixel_heatmap_png(saliency, smallest_side=120))
    label = saliency.prediction.label if saliency.prediction is not None else saliency.query.label
    axis.set_title(_short(label), fontsize=8)


def _picture(axis: Any, png: bytes) -> None:
    from PIL import Image

    axis.imshow(np.asarray(Image.open(io.BytesIO(png)).convert("RGB")))
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(False)
