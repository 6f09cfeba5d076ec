import json

import pytest

from evals.study import Item, Stimulus, open_study

STUDY = """
version: 1
title: What did the model choose?
labels: [negative, positive]
conditions:
  - {name: heatmap, kind: heatmap}
  - {name: nothing, kind: none}
design: {kind: within, items: 7, order: fixed, participants: 10}
tasks:
  - {name: simulation, kind: simulation}
  - {name: helpfulness, kind: rating}
consent: {text: Please read.}
instructions: [Say what the model chose.]
comprehension: {questions: [{name: job, question: "What is asked?", options: [guess, sleep], answer: guess}]}
attention: [{name: blue, after: 3, question: Choose blue., options: [red, blue], answer: blue}]
practice: {items: 0}
"""
INPUTS = {  # id: the model's label, the input, its most important word
    "a": ("positive", "great film", "great"),
    "b": ("positive", "great plot", "great"),
    "g": ("positive", "great cast", "great"),
    "c": ("negative", "great mess", "mess"),
    "d": ("negative", "awful film", "awful"),
    "e": ("negative", "awful plot", "awful"),
    "f": ("positive", "awful fun", "fun"),
}


def item_of(name, label, text, top, **more):
    words = "".join(f'<span class="h{"+10" if word == top else "+0"}">{word}</span> ' for word in text.split())
    return Item(
        id=name,
        form="text",
        input=Stimulus(f"<p>{text}</p>", text),
        predicted=label,
        true=label,
        labels=("negative", "positive"),
        stimuli={"heatmap": Stimulus(f'<p class="heatmap">{words}</p>', text, top), "nothing": Stimulus("", "")},
        facts={"label": label},
        **more,
    )


@pytest.fixture
def write_study(tmp_path):
    def write(text=STUDY, *, names=tuple(INPUTS), practice=()):
        folder = tmp_path / "study"
        folder.mkdir(exist_ok=True)
        (folder / "study.yaml").write_text(text)
        made = [item_of(name, *INPUTS[name], practice=name in practice) for name in names]
        (folder / "items.jsonl").write_text("".join(json.dumps(item.to_record()) + "\n" for item in made))
        return open_study(folder)

    return write
