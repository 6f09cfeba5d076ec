import json

import pytest

from evals.study import Item, Stimulus, open_study

STUDY = """
title: "Study <b>one</b>"
labels: [neg, pos]
conditions: [{name: heatmap, kind: heatmap}, {name: bare, kind: none}]
design: {kind: latin, items: 6, comparisons: 2}
tasks:
  - {name: guess, kind: simulation, options: {confidence: true}}
  - {name: trusted, kind: trust}
  - {name: wrong, kind: error_finding, conditions: [heatmap]}
  - {name: without, kind: counterfactual}
  - {name: preferred, kind: preference}
  - {name: helpfulness, kind: rating, conditions: [heatmap]}
  - {name: why, kind: free_text}
consent: {text: "Hello **you**.\\n\\n* <script>alert(1)</script>\\n* [us](https://example.org)"}
instructions: [First page., Second page.]
comprehension:
  tries: 2
  questions:
    - {name: job, question: "What is asked?", options: [guess, sleep], answer: guess}
    - {name: speed, question: "How fast?", options: [slow, fast], answer: slow}
attention: [{name: blue, after: 3, question: Choose blue., options: [red, blue], answer: blue}]
practice: {items: 2}
demographics: [{name: age, question: "Age?", kind: number, required: false}]
server: {break_after: 4}
contact: us@example.org
"""


def item_of(n, **more):
    parts = {"heatmap": {"parts": ["It is good.", "It is bad.", "It is good."], "false": [2] if n % 2 else []}}
    known = {
        "id": f"i{n}",
        "form": "text",
        "input": Stimulus(f"<p>input {n}</p>", f"input {n}"),
        "predicted": ("neg", "pos")[n % 2],
        "true": "neg",
        "labels": ("neg", "pos"),
        "practice": n >= 6,
        "stimuli": {"heatmap": Stimulus(f"<p>map {n}</p>", f"map {n}"), "bare": Stimulus("", "")},
        "answers": {"counterfactual": {"part": "word", "label": "pos"}, "error_finding": parts},
    }
    return Item(**(known | more))


@pytest.fixture
def write_study(tmp_path):
    def write(text=STUDY, items=None):
        (tmp_path / "study.yaml").write_text(text)
        made = [item_of(n) for n in range(8)] if items is None else items
        (tmp_path / "items.jsonl").write_text("".join(json.dumps(item.to_record()) + "\n" for item in made))
        return open_study(tmp_path)

    return write
