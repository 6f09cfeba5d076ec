"""Concepts and strategies as pictures and as a page."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from saywhy_core.errors import UsageError
from verbalize.draw.heatmaps import pixel_heatmap_html
from verbalize.draw.page import html_page, printable
from verbalize.draw.raster import to_rgb
from verbalize.write.template import TemplateVerbalizer

if TYPE_CHECKING:
    from verbalize.concepts.concept_set import Concepts
    from verbalize.concepts.strategies import StrategyGraph
    from verbalize.saliency import Query

_SIDE = 0.95  # inches of a crop
_VIOLET = "#7e3aa0"  # of maps without signs, as in heatmaps
_BLUE, _ORANGE = "#2a63c4", "#d05c0a"


def concepts_png(concepts: Concepts, importance: Any, *, crops: int = 6) -> bytes:
    """One row per concept, the most important first: its name, its mean importance as a bar, and its strongest crops.

    Args:
        concepts: the concepts.
        importance: (K,) or (N, K), of which the mean is drawn.
        crops: the most crops per concept.

    Raises:
        UsageError: the importance is of other concepts, or `crops` is below 1.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    values = np.atleast_2d(np.asarray(importance, dtype=np.float64)).mean(axis=0)
    if values.shape != (len(concepts),):
        raise UsageError(f"importance must be of the {len(concepts)} concepts, not of shape {np.shape(importance)}")
    longest = float(np.abs(values).max()) or 1.0
    rows = np.argsort(-np.abs(values), kind="stable")
    figure = Figure(figsize=(3.6 + _SIDE * crops, 0.3 + _SIDE * len(rows)), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(rows), crops + 1, squeeze=False, width_ratios=[2.2, *[1.0] * crops])
    for concept, axes in zip(rows.tolist(), grid, strict=True):
        bar, value = axes[0], float(values[concept])
        signed = bool((values < 0).any())
        bar.barh([0], [value], height=0.35, color=(_BLUE if value >= 0 else _ORANGE) if signed else _VIOLET)
        bar.set_xlim(-longest if signed else 0.0, longest)
        bar.set_ylim(-0.9, 0.9)
        bar.axis("off")
        bar.text(0.0, 0.92, _plain(concepts.names[concept]), transform=bar.transAxes, fontsize=9, va="top")
        bar.text(0.0, 0.05, f"{value:.2f}", transform=bar.transAxes, fontsize=8, va="bottom", color="#575c66")
        best = concepts.top_crops(concept, crops)
        for axis, index in zip(axes[1:], [*best, *[None] * crops], strict=False):
            axis.axis("off")
            if index is not None and concepts.amounts[index, concept] > 0:
                image, top, left, bottom, right = concepts.crops[index].tolist()
                cut = concepts.images[image, :, top:bottom, left:right].permute(1, 2, 0).cpu().numpy()
                axis.imshow(to_rgb(np.asarray(cut, dtype=np.float32)), interpolation="nearest")
    return _saved(figure)


def strategies_png(graph: StrategyGraph) -> bytes:
    """The strategic cluster graph: a disc per strategy, as large as it is prevalent, and lines between concepts that meet.

    The colour of a disc is the reliability, from orange (the model is never right) to blue (always); it is grey where that is
    not known. The numbers are written beside it. Concepts that are the most important one in no image have a small ring.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 7.0), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    axis.axis("off")
    axis.set_aspect("equal")
    axis.set_xlim(-1.75, 1.75)
    axis.set_ylim(-1.7, 1.75)
    nodes = [one.concept for one in graph.strategies]
    nodes += sorted({concept for pair in graph.edges for concept in pair} - set(nodes))
    angles = 2 * np.pi * np.arange(len(nodes)) / max(1, len(nodes)) + np.pi / 2
    at = {concept: (float(np.cos(angle)), float(np.sin(angle))) for concept, angle in zip(nodes, angles, strict=True)}
    for (one, other), count in graph.edges.items():
        (x, y), (u, v) = at[one], at[other]
        axis.plot([x, u], [y, v], color="#9aa0ab", lw=1 + 7 * count / graph.size, zorder=1, solid_capstyle="round")
        axis.text((x + u) / 2, (y + v) / 2, str(count), fontsize=8, color="#575c66", ha="center", va="center", zorder=2,
                  bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"})  # fmt: skip
    colours = LinearSegmentedColormap.from_list("reliability", [_ORANGE, "#e9e4da", _BLUE])
    known = {one.concept: one for one in graph.strategies}
    for concept, (x, y) in at.items():
        strategy = known.get(concept)
        if strategy is None:
            axis.scatter([x], [y], s=60, facecolor="white", edgecolor="#9aa0ab", zorder=3)
            axis.text(1.16 * x, 1.16 * y, _plain(graph.names[concept]), fontsize=8, ha=_side(x), va="center", color="#575c66")
            continue
        colour = "#b9bdc6" if strategy.reliability is None else colours(strategy.reliability)
        axis.scatter([x], [y], s=150 + 3000 * strategy.prevalence, color=[colour], edgecolor="#1b1d22", zorder=3)
        count = len(strategy.members)
        told = f"{count} of {graph.size} images"
        if strategy.reliability is not None:
            told += f"\nright on {round(strategy.reliability * count)} of {count}"
        reach = 1.1 + 0.28 * strategy.prevalence**0.5
        axis.text(reach * x, reach * y, f"{_plain(strategy.name)}\n{told}", fontsize=9, ha=_side(x), va=_level(y))
    return _saved(figure)


def concepts_page(
    concepts: Concepts, query: Query | None = None, *, images: int = 4, crops: int = 6, title: str = "Concepts"
) -> str:
    """A whole HTML page: the concepts with their importance and crops, the strategies, and images with their concepts in words.

    The importance is by Sobol indices, of the images that the concepts were extracted from.

    Args:
        concepts: the concepts.
        query: the question; by default why each image has its label.
        images: the most images to show with their concepts.
        crops: the most crops per concept.
        title: the title of the page.

    Raises:
        UsageError: `images` is below 0 or `crops` below 1, a label is unknown, or the features of the layer have no places.
    """
    from verbalize.concepts.strategies import strategy_graph

    if images < 0 or crops < 1:
        raise UsageError(f"images must be 0 or more and crops 1 or more, not {images!r} and {crops!r}")
    importance = concepts.importance(concepts.images, query)
    graph = strategy_graph(importance, concepts.names)
    layer = escape(printable(concepts.split.layer))
    found = f"{len(concepts)} concepts of layer {layer}, found in {len(concepts.crops)} crops of {len(concepts.images)} images"
    body = [
        f"<h1>{escape(printable(title))}</h1>",
        f"<p>{found}. They miss {concepts.error:.0%} of the activations.</p>",
        _image(concepts_png(concepts, importance, crops=crops), "The concepts with their importance and their strongest crops"),
        f"<p>{escape(printable(graph.in_words()))}</p>",
        _image(strategies_png(graph), "The strategies as a graph, which the text above describes"),
    ]
    shown = concepts.saliencies(concepts.images[:images], query) if images else []
    for number, saliency in enumerate(shown, 1):
        said = TemplateVerbalizer().verbalize(saliency).text
        drawn = pixel_heatmap_html(saliency, legend=True)
        body.append(f"<section><h2>Image {number}</h2><p>{escape(printable(said))}</p>{drawn}</section>")
    return html_page("\n".join(body), title)


def _image(png: bytes, alt: str) -> str:
    return (
        f'<img style="max-width:100%" alt="{escape(alt)}" src="data:image/png;base64,{base64.b64encode(png).decode("ascii")}">'
    )


def _saved(figure: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


def _plain(text: str) -> str:
    return printable(text).replace("$", r"\$")[:40]


def _side(x: float) -> str:
    return "center" if abs(x) < 0.3 else "left" if x > 0 else "right"


def _level(y: float) -> str:
    return "center" if abs(y) < 0.5 else "bottom" if y > 0 else "top"
