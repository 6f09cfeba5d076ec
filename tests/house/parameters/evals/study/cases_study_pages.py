"""The pages of studies."""

from __future__ import annotations

import base64
import hashlib
import json

from parameters.harness import case, later, record

SCRIPT = b"var jsPsych;\n"
ASSET = {
    "name": "jspsych.js",
    "package": "jspsych",
    "version": "1",
    "path": "dist/x.js",
    "sha512": base64.b64encode(hashlib.sha512(SCRIPT).digest()).decode(),
    "title": "jsPsych 1",
}
record("evals.study.pages.Asset", ASSET, name="a.js", package="b", version="2", path="y.js", sha512="", title="b 2")


def known(tools):
    """Let a file of these tests be all that the pages load."""
    from evals.study.pages import Asset, assets, page

    for module in (assets, page):
        tools.fixture("monkeypatch").setattr(module, "ASSETS", (Asset(**ASSET),))


def folder(name, title="A study", content=SCRIPT):
    """A study with its assets."""

    def made(tools):
        known(tools)
        place = tools.folder / name
        (place / "assets").mkdir(parents=True, exist_ok=True)
        (place / "assets" / "jspsych.js").write_bytes(content)
        (place / "study.yaml").write_text(
            json.dumps(
                {
                    "title": title,
                    "conditions": [{"name": "none", "kind": "none"}],
                    "tasks": [{"name": "s", "kind": "simulation"}],
                }
            )
        )
        shown = {"html": "<p>text</p>", "text": "text"}
        item = {"version": 1, "id": "a", "form": "text", "practice": False, "predicted": "x", "true": "x", "labels": ["x", "y"],
                "facts": {}, "answers": {}, "input": shown, "stimuli": {"none": shown}}  # fmt: skip
        (place / "items.jsonl").write_text(json.dumps(item) + "\n")
        return place

    return made


def opened(*given):
    from evals.study import open_study

    return later(lambda tools: open_study(folder(*given)(tools)))


def fetched(result, tools, given):
    return [(path.parent.parent.name, path.read_bytes()) for path in result]


case(
    "evals.study.pages.fetch_assets",
    {"study_folder": later(folder("a")), "source": later(lambda tools: folder("b")(tools) / "assets")},
    fetched,
    study_folder=later(folder("c")),
    source=later(lambda tools: tools.folder / "none-such"),
)
case(
    "evals.study.pages.read_assets", {"study_folder": later(folder("a"))}, study_folder=later(folder("a", "A study", b"other"))
)
case(
    "evals.study.pages.page_html",
    {"study": opened("a")},
    study=opened("a", "Another"),
    scripts=("study.js",),
    policy=True,
)
case(
    "evals.study.pages.static_files",
    {"study": opened("a")},
    lambda result, *_: sorted(result),
    study=opened("a", "A study", b"other"),
    scripts=("study.js",),
)
case("evals.study.pages.bundle_files", {"study": opened("a")}, study=opened("a", "Another"), orders=3, jatos=True)
