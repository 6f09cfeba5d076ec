"""What a language model's part in a dry run will take is foreseen, and is what its server then counts."""

import json

import pytest

from agents.chat import chat_model
from evals.study.simulated import foresee_study, requests_of

pytestmark = pytest.mark.long

PRACTICE = """
version: 1
title: What did the model choose?
labels: [negative, positive]
conditions:
  - {name: heatmap, kind: heatmap}
  - {name: nothing, kind: none}
design: {kind: latin, items: 4, participants: 4}
tasks:
  - {name: simulation, kind: simulation}
  - {name: why, kind: free_text}
instructions: [Say what the model chose.]
practice: {items: 2}
"""


def obedient(comprehension="guess"):
    """Answers each page with what its schema allows: the last choice, the middle of a rating."""

    def answer(request):
        text = str(request.messages[-1]["content"])
        schema = json.loads(text[text.index('{"') :])
        given = {}
        for name, one in schema["properties"].items():
            values = one.get("enum") or [one["const"]] if "const" in one or "enum" in one else None
            if values == ["guess", "sleep"]:
                given[name] = comprehension
            elif values:
                given[name] = values[-1]
            else:
                given[name] = {"integer": 4, "boolean": True, "string": "so", "array": []}[one["type"]]
        return json.dumps(given)

    return answer


@pytest.fixture
def simulate(in_process, write_study, tmp_path):
    def run(server, *options):
        words = ("study", "simulate", tmp_path / "study", "--participants", "perfect", "--llm", f"{server.url}#m", *options)
        return in_process.run_command(*words)

    return run


@pytest.mark.parametrize(("text", "count"), [(None, 2), (PRACTICE, 3)])
def test_the_requests_of_a_dry_run_are_foreseen(simulate, write_study, chat_server, tmp_path, text, count):
    study = write_study() if text is None else write_study(text, practice=("e", "f"))
    server = chat_server(behave=obedient())
    dry = simulate(server, "--count", count, "--dry-run", "--price", 1, 2)
    assert dry.returncode == 0, dry.stderr
    assert server.requests == []
    assert not (tmp_path / "study" / "dry-run").exists()
    done = simulate(server, "--count", count)
    assert (tmp_path / "study" / "dry-run" / "answers.csv").exists(), done.stderr
    asked = len(server.requests)
    assert 0 < asked <= requests_of(study, count)
    assert f"foreseen: {asked} requests, " in dry.stderr
    kept = simulate(server, "--count", count, "--dry-run")
    assert "foreseen: 0 requests, " in kept.stderr
    assert len(server.requests) == asked


def test_without_a_cache_each_page_of_each_participant_is_foreseen(write_study):
    study = write_study()
    model = chat_model("http://127.0.0.1:9/v1#m")
    found = foresee_study(study, model, 3)
    # comprehension, 7 items under 2 conditions, and one question in between; the consent page asks for no answer
    assert (found.requests, found.about) == (3 * (1 + 14 + 1), False)
    many = foresee_study(study, model, 1000, before=5)
    assert (many.requests, many.about) == (1000 * 16, True)


def test_a_kept_wrong_answer_to_the_comprehension_questions_leads_to_its_second_try(simulate, write_study, chat_server):
    write_study()
    server = chat_server(behave=obedient("sleep"))
    done = simulate(server, "--count", 1)
    assert len(server.requests) == 2, done.stderr
    kept = simulate(server, "--count", 1, "--dry-run")
    assert "foreseen: 0 requests, 2 more answered by the cache" in kept.stderr


def test_many_pages_need_yes(simulate, write_study, chat_server):
    write_study()
    server = chat_server(behave=obedient())
    done = simulate(server, "--count", 100, "--price", 50_000, 50_000)
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert server.requests == []
