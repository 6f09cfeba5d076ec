"""Studies for other platforms."""

from __future__ import annotations

import json

from parameters.harness import case, later, record

record("evals.study.exports.Export", {"summary": "s", "make": min}, summary="t", make=max, suffix=".x")


def study(title):
    def made(tools):
        place = tools.folder / title
        place.mkdir()
        tasks = [{"name": "s", "kind": "rating", "question": "How good?"}]
        conditions = [{"name": "none", "kind": "none"}]
        about = {"title": title, "conditions": conditions, "tasks": tasks, "instructions": [title], "practice": {"items": 0}}
        (place / "study.yaml").write_text(json.dumps({**about, "design": {"items": 1, "kind": "between"}}))
        shown = {"html": "<p>a</p>", "text": "a"}
        item = {
            "version": 1, "id": "i", "form": "text", "practice": False, "predicted": "a", "true": None, "labels": [],
            "facts": {}, "answers": {}, "input": shown, "stimuli": {"none": shown},
        }  # fmt: skip
        (place / "items.jsonl").write_text(json.dumps(item) + "\n")
        return place

    return later(made)


def seen(result, tools, given):
    written = sorted(path for path in tools.folder.glob("out*/**/*") if path.is_file())
    return result, [(path.parent.name, path.name, path.read_bytes()) for path in written]


case(
    "evals.study.exports.export_study",
    {"study": study("One"), "to": "csv", "out": later(lambda tools: tools.folder / "out")},
    seen,
    study=study("Two"),
    to="qualtrics",
    out=later(lambda tools: tools.folder / "out2"),
)
