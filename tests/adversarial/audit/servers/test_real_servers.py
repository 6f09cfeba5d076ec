"""Audits behind servers that others wrote, restarted in the midst: what they leave is what an audit of the network itself leaves.

Each server runs in an environment of its own, whose Python an environment variable names (SERVERS); it holds the server, onnxruntime
and pillow, and for TorchServe torch and pyyaml as well. SAYWHY_DATA names the folder with the network in
the place of ../shared/data/gtsrb.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

from saywhy_core.classifiers import load_classifier

HERE = Path(__file__).parent
DATA = Path(os.environ.get("SAYWHY_DATA", Path(__file__).parents[5] / "shared" / "data" / "gtsrb"))
IMAGES, BUDGET, CLASSES = 20, 25, 43
IN_FLIGHT = 8 * 16  # images whose answers a restart can lose: eight requests, of 16 images at most
COLUMNS = "path, status, label, predicted, distance, queries"
PICTURES = "image_field=image&names=names.json"

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Server:
    """How a server is started, and what it is asked.

    Attributes:
        variable: the environment variable that names the Python of its environment; none for this one.
        words: the command behind the folder of that Python, or the script that Python runs.
        ready: the path that answers 200 once it is ready.
        specs: the targets, where {} stands for the address.
    """

    variable: str
    words: tuple[str, ...]
    ready: str
    specs: tuple[str, ...]


TENSORS = ("oip:{}#signs?batch_size=16", "oip:{}#signs?batch_size=16&binary=true")
FIRST = "tfserving:{}/v1/models/signs?batch_size=16&scores=logits&image_shape=48,48,3&classes=43"  # KServe's first protocol
SERVERS = {
    "triton": Server("SAYWHY_TRITON", ("python", "triton_model.py"), "/v2/models/signs/ready", TENSORS),
    "kserve": Server("SAYWHY_KSERVE", ("python", "kserve_model.py"), "/v2/models/signs/ready", (*TENSORS, FIRST)),
    "torchserve": Server(
        "SAYWHY_TORCHSERVE",
        ("torchserve", "--start", "--foreground", "--ncs", "--disable-token-auth", "--model-store", "{folder}/store", "--models", "signs=signs",
         "--ts-config", "config.properties"),
        "/ping",
        ("http:{}/predictions/signs?names=names.json&score_field=",
         "oip:{}#signs?batch_size=16&scores=logits&layout=nhwc&image_shape=48,48,3&classes=43"),
    ),
    "litserve": Server("SAYWHY_LITSERVE", ("python", "litserve_model.py"), "/health", ("http:{}/predict?" + PICTURES,)),
    "bentoml": Server(
        "SAYWHY_BENTOML", ("bentoml", "serve", "bentoml_model:Signs", "--host", "127.0.0.1", "--port", "{port}"), "/readyz",
        ("http:{}/classify?" + PICTURES,),
    ),
    "ray serve": Server("SAYWHY_RAY_SERVE", ("python", "ray_serve_model.py"), "/-/healthz", ("http:{}/classify?names=names.json",)),
}  # fmt: skip
CASES = [(name, spec) for name, one in SERVERS.items() for spec in one.specs]


@pytest.fixture(scope="module")
def network():
    if not (DATA / "gtsrb_cnn.onnx").is_file():
        pytest.skip("there is no ../shared/data with the road-sign network")
    return DATA / "gtsrb_cnn.onnx"


class Running:
    """A server in a folder, which can be stopped and started again under the same address."""

    def __init__(self, server, folder, network):
        python = Path(os.environ.get(server.variable, ""))
        if not python.is_file():
            pytest.skip(f"name the Python of an environment with this server in {server.variable}")
        self.server, self.folder = server, folder
        with socket.create_server(("127.0.0.1", 0)) as one:  # and the two numbers behind it, which Triton takes
            self.port = one.getsockname()[1] // 4 * 4
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment(folder, network) | {"PORT": str(self.port)}
        for file in HERE.glob("*.py"):
            shutil.copy(file, folder)
        first = str(python) if server.words[0] == "python" else str(python.with_name(server.words[0]))
        self.words = [first, *(word.format(port=self.port, folder=folder) for word in server.words[1:])]
        self.environment["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
        library = Path(os.path.realpath(python)).parents[1] / "lib"  # Triton embeds a Python, and must find the same one
        self.environment["LD_LIBRARY_PATH"] = str(library)
        lay_out_torchserve(folder, self.port)

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.words, cwd=self.folder, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def is_ready(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
        with suppress(OSError):
            urlopen(self.url + self.server.ready, timeout=2).close()
            return True
        return False

    def stop(self):
        """End it as a service manager does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)


def lay_out_torchserve(folder, port):
    """A model of TorchServe as a folder, with its manifest, and the settings of the server."""
    (folder / "store" / "signs" / "MAR-INF").mkdir(parents=True)
    manifest = {"modelName": "signs", "handler": "torchserve_handler.py", "modelVersion": "1.0"}
    (folder / "store" / "signs" / "MAR-INF" / "MANIFEST.json").write_text(json.dumps({"runtime": "python", "model": manifest}))
    for name in ("torchserve_handler.py", "network.py"):
        shutil.copy(HERE / name, folder / "store" / "signs")
    settings = {
        f"{name}_address": f"http://127.0.0.1:{port + at}" for at, name in enumerate(("inference", "management", "metrics"))
    }
    settings |= {"enable_grpc": "false", "default_workers_per_model": "1"}
    (folder / "config.properties").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


def environment(folder, network):
    """What the network's process needs to know."""
    return {
        **{name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "RAY_ADDRESS")},
        "MODEL_FILE": str(network), "COUNT_FILE": str(folder / "count"), "OMP_NUM_THREADS": "1", "TS_OPEN_INFERENCE_PROTOCOL": "oip",
        "PYTHONPATH": str(folder), "LOG_LOCATION": str(folder), "METRICS_LOCATION": str(folder), "BENTOML_DO_NOT_TRACK": "True",
    }  # fmt: skip


class Audit:
    """The command for an audit of twenty images in a folder, which can be given again and again."""

    def __init__(self, folder, network, *target):
        folder.mkdir(exist_ok=True)
        with np.load(network.parent / "gtsrb_test.npz") as kept:
            np.savez(folder / "set.npz", images=kept["images"][:IMAGES], labels=kept["labels"][:IMAGES])
        (folder / "names.json").write_text(json.dumps([f"sign {number}" for number in range(CLASSES)]))
        words = ["--budget", str(BUDGET), "--seed", "0", "--weather", "none", "--no-survival", "--target", *target]
        self.words = [sys.executable, "-m", "saywhy", "audit", "run", "out", "set.npz", *words]
        self.folder = folder
        self.environment = environment(folder, network) | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}

    def start(self):
        return subprocess.Popen(
            self.words, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def asked(self, what):
        file = self.folder / "out" / "audit.sqlite"
        if not file.exists():
            return []
        with suppress(sqlite3.OperationalError), sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
            return database.execute(what).fetchall()
        return []  # it is being made

    def done(self):
        return len(self.asked("SELECT path FROM images WHERE status IN ('found', 'held', 'wrong')"))

    def rows(self):
        return self.asked(f"SELECT {COLUMNS} FROM images ORDER BY path")

    def to_its_end(self):
        process = self.start()
        said = process.communicate(timeout=300)[0]
        return process.returncode, said


def counted(folder):
    return sum(map(int, (folder / "count").read_text().split()))


@pytest.mark.parametrize(
    ("name", "spec"), CASES, ids=[f"{name}-{spec.partition(':')[0]}{place}" for place, (name, spec) in enumerate(CASES)]
)
def test_an_audit_behind_a_server_that_is_restarted_is_that_of_the_network(name, spec, network, tmp_path, wait_until):
    served, alone = tmp_path / "served", tmp_path / "alone"
    served.mkdir()
    server = Running(SERVERS[name], served, network)
    if not spec.startswith("http:"):
        direct = Audit(alone, network, "python:direct:tensors?scores=logits&batch_size=16", "--trust")
    else:
        direct = Audit(alone, network, "python:direct:pictures?scores=top-k&names=names.json", "--levels", "256", "--trust")
    code, said = direct.to_its_end()
    assert code == 0, said
    server.start()
    try:
        what = f"the readiness of {name} (see {served / 'log'})"
        wait_until(server.is_ready, timeout=120, pause=0.2, what=what)
        own = Audit(served, network, spec.format(server.url))
        process = own.start()
        wait_until(lambda: own.done() >= 3 or process.poll() is not None, timeout=120, pause=0.02, what="three images")
        assert process.poll() is None, process.communicate()[0]
        server.stop()
        server.start()
        said = process.communicate(timeout=300)[0]
        if process.returncode == 2:  # the server took longer than the attempts: the same command goes on
            assert "audit" in said
            wait_until(server.is_ready, timeout=120, pause=0.2, what=what)
            code, said = own.to_its_end()
            assert code == 0, said
        else:
            assert process.returncode == 0, said
        assert own.rows() == direct.rows()
        assert len(own.rows()) == IMAGES
        once = own.asked("SELECT sum(queries) + (SELECT value FROM about WHERE name = 'timing_queries') FROM images")[0][0]
        assert once <= counted(served) <= once + IN_FLIGHT  # by the server's own count, no answered query was repeated
        told = load_classifier(spec.format(server.url).replace("names.json", str(served / "names.json")))
        fine = np.random.default_rng(0).integers(0, 256, (5, 48, 48, 3)).astype(np.float32) / 255
        truth = load_classifier(f"onnx:{network}?scores=logits")(fine)
        if spec.startswith("http:"):
            powers = np.exp(truth - truth.max(axis=1, keepdims=True))
            truth = powers / powers.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(told(fine), truth, atol=1e-5)
    finally:
        server.stop()
