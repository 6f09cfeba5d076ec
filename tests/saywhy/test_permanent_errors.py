"""An error that every request would meet is told after one request, with what to mend, by every command that asks a model."""

from __future__ import annotations

import json

import pytest

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


@pytest.mark.parametrize("command", COMMANDS)
def test_where_nobody_listens_one_connection_is_tried(saywhy, folder, command):
    done = _run(saywhy, folder, command, "http://127.0.0.1:9/v1")
    assert done.returncode == 2, done.stderr
    assert "1 request (0 retries)" in done.stderr
    assert "is the server up" in done.stderr
    assert "goes on" not in done.stderr
