"""Describing pairs under a limit of the server that is told nowhere."""

from __future__ import annotations

import json
import threading

import pytest


@pytest.mark.long
def test_190_pairs_under_ten_requests_in_ten_seconds(saywhy, chat_server, misbehaving, limiters, tmp_path):
    limit = limiters.SlidingWindow(10, 10.0)
    lock = threading.Lock()

    def behave(request):
        with lock:
            allowed = limit.allows(request.received_at)
        if not allowed:
            return misbehaving.Reply(status=429, error="Too many requests")
        names = request.messages[-1]["content"].split("\n")
        first, second = names[0].removeprefix("First class: "), names[1].removeprefix("Second class: ")
        pair = {
            "attribute": "shape",
            "first_caption": f"a photo of a {first} with a long thin tail",
            "second_caption": f"a photo of a {second} with a short round tail",
        }
        return misbehaving.Reply(json.dumps({"attributes": [pair]}), delay=0.3)

    server = chat_server(behave=behave)
    classes = ["-".join(("bird", chr(97 + n))) for n in range(20)]
    (tmp_path / "classes.txt").write_text("\n".join(classes))
    words = "describe --classes classes.txt --all-pairs --out pairs.json --llm"
    done = saywhy(*words.split(), f"{server.url}#m", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "190 pairs in pairs.json" in done.stderr
    assert len(server.requests) < 1.2 * 190
    assert f"{len(server.requests)} requests" in done.stderr
    assert "turned away as too fast" in done.stderr
