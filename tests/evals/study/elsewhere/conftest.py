"""A study with every part, and with texts that would break a careless export."""

from __future__ import annotations

import json
import struct
import zlib

import pytest

from evals.study import Item, Stimulus, open_study

STUDY = """
version: 1
title: "Words & maps [[PageBreak]] ${e://x}"
seed: 3
labels: [positive, negative]
conditions:
  - {name: heatmap, kind: heatmap}
  - {name: plain, kind: none}
design: {kind: latin, items: 4, participants: 4}
tasks:
  - {name: simulation, kind: simulation}
  - {name: helpfulness, kind: rating, conditions: [heatmap]}
  - {name: ease, kind: rating}
consent: {text: "Take part?\\n\\nIt takes <10> minutes."}
instructions: ["Read the text.", "Then say what the model chose."]
comprehension:
  questions: [{name: whose, question: "Whose choice counts?", options: [mine, "the model's"], answer: "the model's"}]
practice: {items: 1}
attention: [{name: awake, after: 2, question: "Please choose blue.", options: [red, blue], answer: blue}]
demographics:
  - {name: age, question: "How old are you?", kind: number, required: false}
  - {name: english, question: "Is English your first language?", options: ["yes", "no"]}
debriefing: Thank you.
completion: {code: DONE42}
"""


def png() -> bytes:
    """A white picture of 2 x 2 pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + b"\xff" * 6 for _ in range(2))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def items():
    for number in range(5):
        token = "a &lt;b&gt; &amp; [[Choices]] ${q}" if number == 1 else f"word{number}"
        picture = '<p><img src="images/p.png" alt="A picture"></p>' if number == 2 else ""
        html = f'<div class="input"><p class="words heatmap"><span class="h+7">{token}</span> film</p>{picture}</div>'
        shown = Stimulus(html, token)
        yield Item(
            id=f"item-{number}-secret",
            form="text",
            input=Stimulus(f'<div class="input"><p class="words">{token} film</p>{picture}</div>', token),
            predicted="positive" if number % 2 else "negative",
            true="positive",
            labels=("positive", "negative"),
            stimuli={"heatmap": shown, "plain": Stimulus("", "")},
            practice=number == 4,
            facts={"label": "positive" if number % 2 else "negative", "model_right": "yes" if number % 2 else "no"},
        )


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "study"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "p.png").write_bytes(png())
    (folder / "study.yaml").write_text(STUDY)
    (folder / "items.jsonl").write_text("".join(json.dumps(item.to_record()) + "\n" for item in items()))
    return open_study(folder)


EVERY_TASK = """
version: 1
title: Every kind of task
labels: [positive, negative]
conditions: [{name: heatmap, kind: heatmap}, {name: plain, kind: none}]
design: {kind: latin, items: 4, participants: 4}
tasks:
  - {name: guess, kind: simulation, options: {shuffle: true, confidence: true}}
  - {name: what-if, kind: counterfactual}
  - {name: right, kind: trust}
  - {name: ease, kind: rating}
  - {name: better, kind: preference}
  - {name: faults, kind: error_finding, conditions: [heatmap]}
  - {name: why, kind: free_text, question: "Why?"}
practice: {items: 0}
attention: [{name: awake, after: 2, question: "Please choose blue.", options: [red, blue], answer: blue}]
debriefing: Thank you.
"""


def rich_items():
    for number, item in enumerate(items()):
        if not item.practice:
            sentences = [f'Sentence one of {number}, with "quotes".', f"Sentence two of {number}; [[and]] <more>."]
            effects = [{"part": f"word{number}", "label": "negative"}, {"part": "film, or so", "label": "positive"}]
            found = {"parts": sentences, "false": sentences[1:]}
            answers = {"counterfactual": effects, "error_finding": {"heatmap": found}}
            yield Item(**{**vars(item), "answers": answers})


@pytest.fixture
def rich_study(tmp_path):
    """A study with every kind of task, and comparisons of two conditions."""
    folder = tmp_path / "rich"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "p.png").write_bytes(png())
    (folder / "study.yaml").write_text(EVERY_TASK)
    (folder / "items.jsonl").write_text("".join(json.dumps(item.to_record()) + "\n" for item in rich_items()))
    return open_study(folder)
