"""The client against a real server: `transformers serve` on a tiny model made here."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from urllib.error import URLError

import pytest
from pydantic import BaseModel

from agents import StructuredFailure, ask_many, chat_model, usage_of

pytest.importorskip("fastapi", reason="`transformers serve` needs fastapi and uvicorn")
pytest.importorskip("uvicorn", reason="`transformers serve` needs fastapi and uvicorn")


class Answer(BaseModel):
    value: int


@pytest.fixture(scope="module")
def served(tmp_path_factory, tiny_model_folder, wait_until):
    """Address and model name of a running `transformers serve`."""
    folder = tiny_model_folder
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "from transformers.cli.transformers import main; main()"
    command = [sys.executable, "-c", code, "serve", str(folder), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    log = tmp_path_factory.mktemp("log") / "serve.log"
    with log.open("w") as stream:
        server = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:

        def healthy():
            assert server.poll() is None, log.read_text()[-2000:]
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10):
                    return True
            except (URLError, OSError):
                return False

        wait_until(healthy, timeout=240, pause=0.1, what="the server's start")
        yield f"http://127.0.0.1:{port}/v1", str(folder)
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.mark.long
def test_same_client_code_passes(served, tmp_path):
    url, name = served
    model = chat_model(f"{url}#{name}", max_tokens=8, concurrency=2, cache=tmp_path / "c.sqlite", timeout=60)
    replies = model.batch([f"hello {i}" for i in range(4)])
    assert all(isinstance(r.content, str) for r in replies)
    usage = usage_of(model)
    assert usage.requests == 4
    assert 0 < usage.completion_tokens <= 4 * 8
    assert usage.prompt_tokens > 0
    again = chat_model(f"{url}#{name}", max_tokens=8, cache=tmp_path / "c.sqlite", offline=True)
    assert [r.content for r in again.batch([f"hello {i}" for i in range(4)])] == [r.content for r in replies]


@pytest.mark.long
def test_in_process_and_served_agree(served):
    url, name = served
    remote = chat_model(f"{url}#{name}", max_tokens=8, timeout=60)
    local = chat_model(f"transformers:{name}", max_tokens=8)
    prompts = ["hello", "the film is good"]
    assert [r.content for r in remote.batch(prompts)] == [r.content for r in local.batch(prompts)]


@pytest.mark.long
def test_server_that_ignores_the_schema_is_found_out(served):
    """This server takes `response_format` and does not hold the reply to it; a random model speaks no JSON."""
    url, name = served
    model = chat_model(f"{url}#{name}", max_tokens=8, timeout=60)
    (result,) = ask_many(model, ["how many?"], Answer, reasks=1)
    assert isinstance(result, StructuredFailure)
    assert result.attempts == 2
    assert usage_of(model).requests in {2, 3}
