"""Render the findings as one HTML file that needs no other file."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from PIL import Image

import saywhy
from saywhy.demo.curve import curve_svg
from verbalize.draw.heatmaps import STYLE, heatmap_html, pixel_heatmap_png

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from saywhy.demo.answers import Answer
    from saywhy.demo.attacks import AttackCard
    from saywhy.demo.checks import CheckedSaying
    from saywhy.demo.pictures import SignCard
    from saywhy.demo.sentences import SentenceCard
    from verbalize.saliency import PixelSaliency

_SIDE = 240  # pixels; pictures are enlarged by a whole factor until their smaller side is this long
METHOD_NAMES = {"layer_cam": "where the network looks (Layer-CAM)", "occlusion": "what it would miss (occlusion)"}


@dataclass(frozen=True)
class Findings:
    """Everything that the page shows."""

    sentences: tuple[SentenceCard, ...]
    signs: tuple[SignCard, ...]
    attacks: tuple[AttackCard, ...]
    checks: tuple[CheckedSaying, ...]
    budget: int
    seed: int
    seconds: float

    @property
    def statements(self) -> int:
        """The number of statements in the sentences of the page. All of them were checked."""
        texts = [answer for card in self.sentences for answer in card.answers]
        pictures = [answer for card in self.signs for answer in card.answers]
        learned = [card.touched for card in self.attacks if card.becomes]
        return sum(len(answer.claims) for answer in (*texts, *pictures, *learned))


def render(findings: Findings) -> str:
    """The findings as HTML."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((files("saywhy.demo") / "page.html").read_text(encoding="utf-8"))
    return template.render(
        sentences=findings.sentences,
        signs=findings.signs,
        attacks=findings.attacks,
        checks=findings.checks,
        statements=findings.statements,
        budget=findings.budget,
        seed=findings.seed,
        seconds=findings.seconds,
        version=saywhy.__version__,
        method_names=METHOD_NAMES,
        heatmap=_heatmap,
        overlay=_overlay,
        plain_overlay=_plain_overlay,
        curve=partial(_curve, budget=findings.budget),
        picture=_picture,
        heatmap_style=Markup(STYLE),  # noqa: S704 - a constant
    )


def _heatmap(answer: Answer) -> Markup:
    # the head of the page has the style once, for all heatmaps
    return Markup(heatmap_html(answer.saliency, legend=False).removeprefix(STYLE))  # noqa: S704 - it escapes the text


def _overlay(saliency: PixelSaliency) -> str:
    return _address(pixel_heatmap_png(saliency, regions=True, smallest_side=_SIDE))


def _plain_overlay(saliency: PixelSaliency) -> str:
    return _address(pixel_heatmap_png(saliency, smallest_side=_SIDE))


def _curve(card: AttackCard, budget: int) -> Markup:
    found = f"{card.changed} pixels after {card.result.queries:,} queries" if card.becomes else "nothing was found"
    title = f"Progress of the attack on {card.label}: {found}."
    drawn = curve_svg(card.trace, budget=budget, spent=card.result.queries, title=title)
    return Markup(drawn)  # noqa: S704 - `curve_svg` escapes the title


def _picture(image: NDArray[np.float32]) -> str:
    height, width = image.shape[:2]
    times = -(-_SIDE // min(height, width))
    stream = io.BytesIO()
    small = Image.fromarray(np.round(image * 255).astype(np.uint8))
    small.resize((width * times, height * times), Image.Resampling.NEAREST).save(stream, "PNG", optimize=True)
    return _address(stream.getvalue())


def _address(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
