"""An endpoint of the Open Inference Protocol that answers each request after a fixed time: `python -m ... PORT SECONDS`."""

from __future__ import annotations

import asyncio
import json
import sys

import numpy as np

SIDE, CLASSES = 32, 10
_WEIGHTS = np.random.default_rng(0).normal(size=(SIDE * SIDE * 3, CLASSES)).astype(np.float32)
METADATA = {
    "name": "m", "versions": ["1"], "platform": "numpy",
    "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, SIDE, SIDE, 3]}],
    "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, CLASSES]}],
}  # fmt: skip
SERVER = {"name": "fake", "version": "1", "extensions": ["binary_tensor_data"]}


def infer(body: bytes, length: int) -> tuple[dict[str, str], bytes]:
    """The answer to one request with binary tensors."""
    request = json.loads(body[:length])
    shape = request["inputs"][0]["shape"]
    images = np.frombuffer(body[length:], dtype="<f4").reshape(shape[0], -1)
    scores = np.ascontiguousarray((images - 0.5) @ _WEIGHTS, dtype="<f4").tobytes()
    said = {"name": "logits", "datatype": "FP32", "shape": [shape[0], CLASSES], "parameters": {"binary_data_size": len(scores)}}
    answer = {"model_name": "m", "outputs": [said]} | ({"id": request["id"]} if "id" in request else {})
    head = json.dumps(answer).encode()
    fields = {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"}
    return fields, head + scores


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            body = await reader.readexactly(int(fields.get("content-length", "0")))
        except (ConnectionError, asyncio.IncompleteReadError):
            break
        path = lines[0].split()[1]
        if path.endswith("/infer"):
            more, content = infer(body, int(fields.get("inference-header-content-length", len(body))))
            await asyncio.sleep(seconds)
        else:
            content = json.dumps(METADATA if "/models/" in path and not path.endswith("ready") else SERVER).encode()
            more = {"Content-Type": "application/json"}
        said = "".join(f"{name}: {value}\r\n" for name, value in {**more, "Content-Length": str(len(content))}.items())
        writer.write(f"HTTP/1.1 200 OK\r\n{said}\r\n".encode() + content)
        await writer.drain()
    writer.close()


async def _main(port: int, seconds: float) -> None:
    server = await asyncio.start_server(lambda reader, writer: _serve(reader, writer, seconds), "127.0.0.1", port, limit=2**26)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), float(sys.argv[2])))
