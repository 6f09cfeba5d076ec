"""Pictures of maps."""

from __future__ import annotations

from parameters.harness import case, later, record
from parameters.maps import (
    GOOD,
    OTHER,
    OTHER_PIXELS,
    PICTURE,
    PIXELS,
    SPOTS,
    TEXT,
    written,
)

from verbalize import (
    PixelSaliency,
)

record("verbalize.draw.Rationale", {"part": (0,), "text": "a", "html": "a"}, part=(1,), text="b", html="b")
case("verbalize.draw.extractive_rationale", {"saliency": TEXT}, saliency=OTHER, max_words=2)
case("verbalize.draw.heatmap_page", {"saliencies": [TEXT]}, saliencies=[OTHER], title="Others", mask_labels=True)
case("verbalize.draw.html_page", {"body": "<p>a</p>", "title": "t"}, body="<p>b</p>", title="u")
case("verbalize.draw.image_png", {"saliency": PIXELS}, saliency=PixelSaliency(SPOTS, GOOD, image=1 - PICTURE), smallest_side=40)
for drawing in ("heatmap_html", "token_heatmap_html", "heatmap_png", "token_heatmap_png"):
    case(f"verbalize.draw.{drawing}", {"saliency": TEXT, "legend": True}, saliency=OTHER, mask_labels=True, legend=False)
for drawing in ("heatmap_html", "pixel_heatmap_html", "heatmap_png", "pixel_heatmap_png"):
    case(
        f"verbalize.draw.{drawing}", {"saliency": PIXELS, "legend": True}, saliency=OTHER_PIXELS, mask_labels=True, legend=False
    )
case("verbalize.draw.token_heatmap_png", {"saliency": TEXT}, width=300, font_size=30)
case("verbalize.draw.pixel_heatmap_png", {"saliency": PIXELS}, overlay=False, regions=True, smallest_side=100)
case(
    "verbalize.draw.save_picture",
    {"saliency": TEXT, "path": later(lambda tools: tools.folder / "a.png")},
    written,
    saliency=OTHER,
    path=later(lambda tools: tools.folder / "a.html"),
)
case(
    "verbalize.draw.save_picture",
    {"saliency": TEXT, "path": later(lambda tools: tools.folder / "a.html")},
    written,
    mask_labels=True,
)

case(
    "verbalize.draw.save_rationale",
    {"saliency": TEXT, "path": later(lambda tools: tools.folder / "a.html")},
    written,
    saliency=OTHER,
    path=later(lambda tools: tools.folder / "b.html"),
    max_words=1,
)
case(
    "verbalize.draw.draw_to_file",
    {"saliency": TEXT, "path": later(lambda tools: tools.folder / "a.html"), "kind": "html"},
    written,
    saliency=OTHER,
    path=later(lambda tools: tools.folder / "b.html"),
    kind="rationale",
    max_words=1,
    mask_labels=True,
)
record(
    "verbalize.draw.Picture",
    {"summary": "s", "suffix": ".a", "render": max},
    summary="t",
    suffix=".b",
    render=min,
    uses=("max_words",),
    section=min,
)


def paged(page, tools, call):
    with page as add:
        add(TEXT)
    return written(None, tools, call)


case(
    "verbalize.draw.page_of_maps",
    {"path": later(lambda tools: tools.folder / "a.html"), "kind": "html"},
    paged,
    path=later(lambda tools: tools.folder / "b.html"),
    kind="rationale",
    title="Other",
    max_words=1,
    mask_labels=True,
)
