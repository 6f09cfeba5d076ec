"""An error that every request would meet is told after one request, with what to mend, by every command that asks a model."""

from __future__ import annotations

import json

import pytest

from saywhy.cli.stopped import what_is_left
from verbalize import Query, TokenSaliency, write_saliency

ERRORS = {
    "key": {"status": 401, "error": "no such key"},
    "forbidden": {"status": 403, "error": "not for you"},
    "not found": {"status": 404, "error": "no such model"},
    "refused": {"status": 400, "error": "unknown field"},
    "quota": {"status": 429, "body": {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}},
}
COMMANDS = {
    "describe": "describe --classes classes.txt --all-pairs --out pairs.json",
    "composed": "verbalize maps.jsonl --style composed --out texts.jsonl",
    "free": "verbalize maps.jsonl --style free --out texts.jsonl",
    "smv-gpt": "verbalize maps.jsonl --style smv-gpt --out texts.jsonl",
    "check": "check given.jsonl --maps maps.jsonl",
}


@pytest.fixture
def folder(tmp_path):
    maps = [TokenSaliency(["good", f"film{n}"], [1.0, -0.5], Query("positive"), id=f"m{n}") for n in range(20)]
    write_saliency(maps, tmp_path / "maps.jsonl")
    (tmp_path / "classes.txt").write_text("\n".join(f"bird {chr(97 + n)}" for n in range(12)))
    lines = [{"id": one.saliency_id, "text": "The mood of it speaks of joy somehow."} for one in maps]
    (tmp_path / "given.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def _run(saywhy, folder, command, address):
    return saywhy(*COMMANDS[command].split(), "--llm", f"{address}#m", folder=folder)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("error", ERRORS)
def test_the_run_ends_after_one_request(saywhy, chat_server, misbehaving, folder, command, error):
    asked = dict(ERRORS[error])
    body = asked.pop("body", None)
    reply = misbehaving.Reply(**asked) if body is None else misbehaving.Reply(**asked, body=body)
    server = chat_server(default=reply)
    done = _run(saywhy, folder, command, server.url)
    assert done.returncode == 2, done.stderr
    assert len(server.requests) == 1
    assert str(asked["status"]) in done.stderr
    assert "goes on" not in done.stderr
    assert "1 request (0 retries)" in done.stderr


NO_COMPLETIONS = {
    "no choices": b'{"choices": []}',
    "an error": b'{"error": "model requires more system memory"}',
    "a page": b"<html><body>Log in</body></html>",
    "another protocol": b'{"type": "message", "content": [{"type": "text", "text": "hi"}]}',
}


@pytest.mark.parametrize("command", ["describe", "free", "check"])
@pytest.mark.parametrize("said", NO_COMPLETIONS)
def test_what_never_sends_a_completion_is_asked_with_the_attempts_of_one_request(
    saywhy, chat_server, misbehaving, folder, command, said
):
    server = chat_server(default=misbehaving.Reply(body=NO_COMPLETIONS[said]))
    done = saywhy(*COMMANDS[command].split(), "--llm", f"{server.url}#m", "--max-retries", 1, folder=folder)
    assert done.returncode == 2, done.stderr
    assert "is no chat completion" in done.stderr
    assert "goes on" not in done.stderr
    assert len(server.requests) == 2


@pytest.mark.parametrize("command", ["describe", "composed"])
def test_where_every_request_is_too_long_no_next_run_is_promised(saywhy, chat_server, misbehaving, folder, command):
    too_long = {"error": {"message": "This model's maximum context length is 64 tokens", "code": "context_length_exceeded"}}
    server = chat_server(default=misbehaving.Reply(status=400, body=too_long))
    done = _run(saywhy, folder, command, server.url)
    assert done.returncode != 0
    assert "shorten it" in done.stderr
    assert "the same command" not in done.stderr
    assert all("response_format" in request.body for request in server.requests)
    assert len(server.requests) == (64 if command == "describe" else 20)


@pytest.mark.parametrize("command", COMMANDS)
def test_where_nobody_listens_one_connection_is_tried(saywhy, folder, command):
    done = _run(saywhy, folder, command, "http://127.0.0.1:9/v1")
    assert done.returncode == 2, done.stderr
    assert "1 request (0 retries)" in done.stderr
    assert "is the server up" in done.stderr
    assert "goes on" not in done.stderr


@pytest.mark.long
def test_texts_of_the_template_say_why_and_are_counted(saywhy, chat_server, folder):
    """Half of the replies are no JSON, the others plans that choose nothing."""
    server = chat_server(behave=lambda request: "no" if "film1" in request.messages[1]["content"] else '{"groups": [[99]]}')
    done = _run(saywhy, folder, "composed", server.url)
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in (folder / "texts.jsonl").read_text().splitlines()]
    whys = [record["fallback"] for record in records]
    assert whys.count("the model gave no valid JSON in 2 attempts") == 11  # film1 and film10 to film19
    assert whys.count("the model's plans chose nothing that the menu offers") == 9
    assert "20 texts from the template" in done.stderr
    assert "11 the model gave no valid JSON in 2 attempts" in done.stderr

    asked = len(server.requests)
    _run(saywhy, folder, "composed", server.url)
    assert len(server.requests) == asked  # all of it is in the cache
    words = [*COMMANDS["composed"].split(), "--llm", f"{server.url}#m", "--retry-invalid"]
    assert saywhy(*words, folder=folder).returncode == 0
    assert len(server.requests) == 2 * asked  # every one of these texts was of no use


def test_a_stop_names_the_file_that_keeps_the_work(tmp_path):
    kept = tmp_path / "kept.sqlite"
    options = {"llm": "m", "cache": kept, "out": tmp_path / "o.json"}
    assert "--cache FILE would keep them" in what_is_left("check", {"llm": "m", "cache": None})
    assert "no reply" in what_is_left("check", options)
    kept.write_bytes(b"replies")
    assert f"kept in {kept}" in what_is_left("check", options)
    for command, ending in (("verbalize", ".part"), ("describe", ".journal"), ("improve", ".state")):
        assert what_is_left(command, options) == "no output file was written"
        journal = tmp_path / f"o.json{ending}"
        journal.write_text("header\nrecord\n")
        assert f"kept in {journal}, and the same command goes on" in what_is_left(command, options)
