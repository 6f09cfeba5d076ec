"""A server that speaks the three protocols for a small classifier, over real sockets, and misbehaves on demand.

    with Endpoint() as server:
        classifier = load_classifier(f"oip:{server.url}#m")

The classifier is `truth(images)`: the mean red, green and blue of each image, as logits. `script` holds what is done with the
first requests about images, one entry each: bytes to send as they are, a function of the handler, or None for the true answer.
What it reads and writes is worked out here with struct, json and Pillow alone.
"""

from __future__ import annotations

import base64
import io
import json
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

NAMES = ("red", "green", "blue")
SHAPE = (4, 5, 3)


def truth(images):
    """(N, 3) logits of (N, H, W, 3) images."""
    return np.asarray(images, dtype=np.float64).mean(axis=(1, 2)) * 10


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def raw(body, *headers, status="200 OK", length=None):
    """The bytes of an answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(data) if length is None else length}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def oip(scores, name="logits", datatype="FP32", **changes):
    """The document of an answer of the Open Inference Protocol."""
    scores = np.asarray(scores)
    output = {"name": name, "datatype": datatype, "shape": list(scores.shape), "data": scores.ravel().tolist()}
    return {"model_name": "m", "outputs": [{**output, **changes}]}


class Endpoint:
    """A context manager around the server. `asked` counts images that were answered; `requests` holds (path, headers, body)."""

    def __init__(
        self,
        script=(),
        *,
        metadata=None,
        extensions=(),
        delay=0.0,
        ready=True,
        most=None,
        truth=truth,
        key=None,
        pictures=False,
    ):
        self.script, self.delay, self.ready, self.most, self.truth, self.key = list(script), delay, ready, most, truth, key
        self.extensions, self.pictures = list(extensions), pictures
        shape = [-1, *SHAPE]
        self.metadata = {
            "name": "m",
            "inputs": [{"name": "image", "datatype": "FP32", "shape": shape}],
            "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, 3]}],
            **(metadata or {}),
        }
        self.requests, self.asked, self.at_once, self.most_at_once = [], 0, 0, 0
        self.sizes = []
        self.lock = threading.Lock()

    def __enter__(self):
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                endpoint.get(self)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.post(self, body)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass  # the client has left

        self.server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def get(self, handler):
        self.requests.append((handler.path, dict(handler.headers), b""))
        path = handler.path.partition("?")[0]
        if (
            self.key
            and handler.headers.get("X-Key") != self.key
            and handler.headers.get("Authorization") != f"Bearer {self.key}"
        ):
            handler.wfile.write(raw({"error": "who are you?"}, status="401 Unauthorized"))
            return
        tensor = {"name": "image", "dtype": "DT_STRING" if self.pictures else "DT_FLOAT"}
        tensor["tensor_shape"] = {"dim": [{"size": str(one), "name": ""} for one in ([-1] if self.pictures else [-1, *SHAPE])]}
        scores = {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}, {"size": "3"}]}}
        found = {
            "/v2": {"name": "server", "version": "1", "extensions": self.extensions},
            "/v2/models/m": self.metadata,
            "/v2/models/m/versions/2": self.metadata,
            "/v1/models/m": {"model_version_status": [{"version": "1", "state": "AVAILABLE" if self.ready else "END"}]},
            "/v1/models/m/metadata": {
                "metadata": {
                    "signature_def": {
                        "signature_def": {"serving_default": {"inputs": {"x": tensor}, "outputs": {"logits": scores}}}
                    }
                }
            },
        }
        if path == "/v2/models/m/ready":
            handler.wfile.write(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % (b"200 OK" if self.ready else b"503 no"))
        elif path in found:
            handler.wfile.write(raw(found[path]))
        else:
            handler.wfile.write(raw({"error": "no such thing"}, status="404 Not Found"))

    def post(self, handler, body):
        with self.lock:
            number = len([one for one in self.requests if one[2]])
            self.requests.append((handler.path, dict(handler.headers), body))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            step = self.script[number] if number < len(self.script) else None
            time.sleep(self.delay)
            if isinstance(step, bytes):
                handler.wfile.write(step)
            elif step is not None:
                step(handler)
                handler.close_connection = True
            else:
                handler.wfile.write(self.answer(handler, body))
        finally:
            with self.lock:
                self.at_once -= 1

    def answer(self, handler, body):
        path = handler.path.partition("?")[0]
        if path.startswith("/v2/"):
            return self.answer_oip(handler, body)
        if path.endswith(":predict"):
            return self.answer_tensorflow(body)
        return self.answer_pictures(handler, body)

    def score(self, images):
        with self.lock:
            self.asked += len(images)
            self.sizes.append(len(images))
        return self.truth(images)

    def answer_oip(self, handler, body):
        length = handler.headers.get("Inference-Header-Content-Length")
        head = json.loads(body if length is None else body[: int(length)])
        (tensor,) = head["inputs"]
        shape = tensor["shape"]
        if self.most and shape[0] > self.most:
            return raw({"error": "too large"}, status="413 Payload Too Large")
        if length is None:
            values = np.array(tensor["data"], dtype=np.float64).reshape(shape)
        else:
            kinds = {"FP32": "f", "UINT8": "B", "FP16": "e", "FP64": "d"}
            data = body[int(length) :]
            assert len(data) == tensor["parameters"]["binary_data_size"]
            values = np.array(struct.unpack(f"<{int(np.prod(shape))}{kinds[tensor['datatype']]}", data)).reshape(shape)
        if tensor["datatype"] == "UINT8":
            values = values / 255
        if shape[1:] == [SHAPE[2], *SHAPE[:2]]:
            values = values.transpose(0, 2, 3, 1)
        scores = self.score(values)
        document = {**oip(scores), "id": head["id"]}
        if length is None:
            return raw(document)
        data = struct.pack(f"<{scores.size}f", *scores.ravel().tolist())
        del document["outputs"][0]["data"]
        document["outputs"][0]["parameters"] = {"binary_data_size": len(data)}
        written = json.dumps(document).encode()
        return raw(written + data, f"Inference-Header-Content-Length: {len(written)}", "Content-Type: application/octet-stream")

    def answer_tensorflow(self, body):
        document = json.loads(body)
        rows = document.get("instances", document.get("inputs"))
        if self.pictures:
            rows = [np.asarray(Image.open(io.BytesIO(base64.b64decode(row["b64"])))) / 255 for row in rows]
        scores = self.score(np.array(rows)).tolist()
        return raw({"predictions": scores} if "instances" in document else {"outputs": scores})

    def answer_pictures(self, handler, body):
        if handler.headers["Content-Type"] == "application/json":
            given = json.loads(body)["inputs"]
            pictures = [base64.b64decode(one) for one in ([given] if isinstance(given, str) else given)]
            several = not isinstance(given, str)
        else:
            pictures, several = [body], False
        images = np.stack([np.asarray(Image.open(io.BytesIO(one))) / 255 for one in pictures])
        rows = []
        for scores in softmax(self.score(images)):
            order = np.argsort(-scores)[: self.most or 3]
            rows.append([{"label": NAMES[place], "score": float(scores[place])} for place in order])
        return raw(rows if several else rows[0])


def drop(handler):
    """Close the connection without an answer."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def half(handler):
    """Close the connection in the midst of the answer."""
    handler.wfile.write(raw(b'{"outputs": [', length=4000))
    handler.wfile.flush()
    drop(handler)


def drip(handler):
    """One byte of the headers now and then, for ever."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(400):
        handler.wfile.write(b"X-%d: 1\r\n" % number)
        handler.wfile.flush()
        time.sleep(0.05)


def endless(handler):
    """A body that does not end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    part = b"10000\r\n" + b" " * 65536 + b"\r\n"
    for _ in range(4000):
        handler.wfile.write(part)


def nonsense(handler):
    """Chunks without sizes."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nnonsense")
