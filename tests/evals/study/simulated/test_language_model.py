"""A real small model behind llama.cpp's own server takes a study."""

import pytest

from agents.chat import chat_model, usage_of
from evals.simulate import simulate
from evals.study.simulated import language_model_kind, requests_of

STUDY = """
version: 1
title: What did the model choose?
labels: [negative, positive]
conditions:
  - {name: heatmap, kind: heatmap}
  - {name: nothing, kind: none}
design: {kind: latin, items: 3, participants: 4}
tasks:
  - {name: simulation, kind: simulation}
  - {name: helpfulness, kind: rating}
  - {name: why, kind: free_text}
instructions: [Say what the model chose.]
practice: {items: 1}
"""


@pytest.fixture
def address(llama_server):
    return llama_server


@pytest.mark.long
def test_a_real_model_takes_a_whole_study(write_study, address, tmp_path):
    study = write_study(STUDY, names=("a", "d", "c", "e"), practice=("e",))
    model = chat_model(address, cache=tmp_path / "replies.sqlite", max_tokens=120, concurrency=1, timeout=120)
    run = simulate(study, [], count=1, models={"smollm2": language_model_kind(model, "smollm2")})
    (one,) = run.taken
    assert one.status == "complete", one.troubles
    rows = [row for row in run.answers.rows if row.phase == "trial"]
    assert len([row for row in rows if row.task == "simulation"]) == 3
    assert all(row.response in ("negative", "positive") for row in rows if row.task == "simulation")
    assert all(1 <= row.value <= 7 for row in rows if row.task == "helpfulness")
    assert run.answers.sources == ("simulated:smollm2",)
    # as many requests as were announced, but for replies that had to be asked again
    assert usage_of(model).requests >= requests_of(study, 1) == 4
