"""`saywhy describe` says what a run will take, and what it refused."""

from __future__ import annotations

import json
import re

import pytest

from agents import read_pairs

NAMES = ["cat", "dog", "bird"]


def reply(request):
    text = " ".join(str(message["content"]) for message in request.messages)
    first, second = re.search(r"First class: (\S+)\s+Second class: (\S+)", text).groups()
    items = [
        ("fur", f"{first} with red fur", f"{second} with blue fur"),
        ("sound", f"{first}, loud", f"{second}, silent"),
        ("ears", f"As an AI, I cannot see a {first}", f"{second} with flat ears"),
    ]
    return json.dumps({"attributes": [{"attribute": a, "first_caption": b, "second_caption": c} for a, b, c in items]})


@pytest.fixture
def call(tmp_path):
    (tmp_path / "c.json").write_text(json.dumps(NAMES), encoding="utf-8")
    return ["describe", "--classes", tmp_path / "c.json", "--all-pairs", "--out", tmp_path / "o.json"]


def test_a_dry_run_sends_nothing_and_foresees_the_requests(saywhy, chat_server, tmp_path, call):
    server = chat_server(behave=reply)
    dry = saywhy(*call, "--llm", f"{server.url}#m", "--dry-run", "--price", 1, 2)
    assert dry.returncode == 0
    assert "3 pairs wanted, 0 of them described" in dry.stderr
    assert "foreseen: 3 requests, about" in dry.stderr
    assert "cost about" in dry.stderr
    assert server.requests == []
    assert [file.name for file in tmp_path.iterdir()] == ["c.json"]
    saywhy(*call, "--llm", f"{server.url}#m")
    assert len(server.requests) == 3
    (tmp_path / "o.json").unlink()
    kept = saywhy(*call, "--llm", f"{server.url}#m", "--dry-run")
    assert "foreseen: 0 requests, 3 more answered by the cache" in kept.stderr
    assert len(server.requests) == 3


def test_what_was_refused_is_counted_and_listed(saywhy, chat_server, tmp_path, call):
    server = chat_server(behave=reply)
    done = saywhy(*call, "--llm", f"{server.url}#m", "--report", tmp_path / "r.json")
    assert done.returncode == 0
    assert "6 caption pairs of the replies were refused, in 3 pairs" in done.stderr
    assert "3 for about what no photo shows" in done.stderr
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert len(report["refused"]) == 6
    assert report["refused"][0]["classes"] == ["cat", "dog"]
    assert {one["kind"] for one in report["refused"]} == {"unseen", "writer"}
    assert all(one["why"] for one in report["refused"])


def test_junk_in_the_file_is_told_and_asked_about_again(saywhy, chat_server, tmp_path, call):
    server = chat_server(behave=reply)
    saywhy(*call, "--llm", f"{server.url}#m")
    held = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))
    held["0_1"]["prompt_pairs"] = [{"attr_type": "ears", "prompt_pair": ["a photo of a cat.", "a photo of a dog."]}]
    (tmp_path / "o.json").write_text(json.dumps(held), encoding="utf-8")
    (tmp_path / "o.json.replies.sqlite").unlink()
    told = saywhy(*call, "--llm", f"{server.url}#m")
    assert "1 caption pair of " in told.stderr
    assert "would be refused today, in 1 pair: 1 for nothing but the name" in told.stderr
    assert len(server.requests) == 3
    again = saywhy(*call, "--llm", f"{server.url}#m", "--retry-invalid")
    assert "were dropped" in again.stderr
    assert len(server.requests) == 4
    assert read_pairs(tmp_path / "o.json", NAMES)[0, 1][0].captions[0] == "cat with red fur"


def test_many_requests_need_yes(saywhy, tmp_path, call):
    (tmp_path / "c.json").write_text(json.dumps([f"class {n}" for n in range(1000)]), encoding="utf-8")
    done = saywhy(*call, "--llm", "http://127.0.0.1:9/v1#m")
    assert done.returncode == 2
    assert "499,500 requests" in done.stderr
    assert "--yes" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["c.json"]


def test_a_high_cost_needs_yes_and_a_ceiling_is_consent(saywhy, chat_server, call):
    server = chat_server(behave=reply)
    dear = ["--llm", f"{server.url}#m", "--price", 10_000, 10_000]
    refused = saywhy(*call, *dear)
    assert refused.returncode == 2
    assert "cost about" in refused.stderr
    assert server.requests == []
    assert saywhy(*call, *dear, "--max-cost", 1000).returncode == 0
    assert len(server.requests) == 3


def test_options_that_do_nothing_are_refused(saywhy, call):
    done = saywhy(*call, "--llm", "http://127.0.0.1:9/v1#m", "--dry-run", "--yes")
    assert done.returncode == 2
    assert "--dry-run asks nothing" in done.stderr


def test_captions_that_many_classes_share_are_told(saywhy, chat_server, tmp_path, call):
    def same(request):
        text = " ".join(str(message["content"]) for message in request.messages)
        second = re.search(r"Second class: (\S+)", text)[1]
        item = {"attribute": "legs", "first_caption": "four strong legs", "second_caption": f"legs as of an old {second[::-1]}"}
        return json.dumps({"attributes": [item]})

    (tmp_path / "c.json").write_text(json.dumps([*NAMES, "horse", "cow"]), encoding="utf-8")
    done = saywhy(*call, "--llm", f"{chat_server(behave=same).url}#m", "--report", tmp_path / "r.json")
    assert done.returncode == 0
    assert "'a photo of a cat, four strong legs.' is said, but for the name, of 4 of the 5 classes" in done.stderr
    (told,) = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["repeated"]
    assert told["classes"] == [*NAMES, "horse"]
