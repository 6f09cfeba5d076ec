"""The road-sign network of ../shared/data behind a real MLServer, asked as an `oip:` target.

The environment variable SAYWHY_MLSERVER names the Python of an environment with mlserver and onnxruntime, and SAYWHY_DATA, where it is
set, the folder with the network in the place of ../shared/data/gtsrb.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

from saywhy_core.classifiers import EndpointError, load_classifier

HERE = Path(__file__).parent
DATA = Path(__file__).parents[5] / "shared" / "data" / "gtsrb"
PYTHON = os.environ.get("SAYWHY_MLSERVER", "")

pytestmark = pytest.mark.long


def free_ports(count):
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    numbers = [one.getsockname()[1] for one in taken]
    for one in taken:
        one.close()
    return numbers


@pytest.fixture(scope="module")
def network():
    found = Path(os.environ.get("SAYWHY_DATA", DATA))
    if not (found / "gtsrb_cnn.onnx").is_file():
        pytest.skip("there is no ../shared/data with the road-sign network")
    return found


def is_ready(http):
    try:
        urlopen(f"http://127.0.0.1:{http}/v2/models/signs/ready", timeout=2).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def server(network, tmp_path_factory, wait_until):
    if not Path(PYTHON).is_file():
        pytest.skip("there is no environment with MLServer; name its Python in SAYWHY_MLSERVER")
    folder = tmp_path_factory.mktemp("mlserver")
    shutil.copy(HERE / "mlserver_model" / "onnx_model.py", folder)
    http, grpc, metrics = free_ports(3)
    settings = {"host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": metrics, "parallel_workers": 0}
    (folder / "settings.json").write_text(json.dumps(settings))
    model = {
        "name": "signs", "implementation": "onnx_model.OnnxModel",
        "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 48, 48, 3]}],
        "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, 43]}],
    }  # fmt: skip
    (folder / "model-settings.json").write_text(json.dumps(model))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "MODEL_FILE": str(network / "gtsrb_cnn.onnx"), "COUNT_FILE": str(folder / "count"), "PYTHONPATH": str(folder),
    }  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [str(Path(PYTHON).parent / "mlserver"), "start", str(folder)], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        what = f"the readiness of MLServer (see {folder / 'log'})"
        wait_until(lambda: process.poll() is not None or is_ready(http), timeout=90, pause=0.2, what=what)
        assert process.poll() is None, (folder / "log").read_text()[-2000:]
        yield f"oip:http://127.0.0.1:{http}#signs", folder / "count"
    finally:
        process.terminate()
        process.wait(30)


def test_scores_are_those_of_the_network_itself(server, network):
    spec, count = server
    direct = load_classifier(f"onnx:{network / 'gtsrb_cnn.onnx'}", scores="logits", threads=1)
    images = np.load(network / "gtsrb_test.npz")["images"][:100].astype(np.float32) / 255
    classifier = load_classifier(f"{spec}?batch_size=16")
    assert (classifier.image_shape, classifier.scores) == ((48, 48, 3), "logits")
    np.testing.assert_allclose(classifier(images), direct(images), atol=1e-5)
    fine = np.random.default_rng(0).random((5, 48, 48, 3), dtype=np.float32)
    np.testing.assert_allclose(classifier(fine), direct(fine), atol=1e-5)
    assert classifier.queries == sum(int(line) for line in count.read_text().split()) == 105


def test_what_this_server_does_not_know_is_told(server):
    spec, _ = server
    with pytest.raises(EndpointError, match=r"answered 404: .*; does it serve a model named 'other'\?$"):
        load_classifier(spec.replace("#signs", "#other"))
    classifier = load_classifier(f"{spec}?binary=true&retries=0")
    with pytest.raises(ValueError, match=r"does not list binary tensors among its extensions; leave out binary"):
        classifier(np.zeros((1, 48, 48, 3), np.float32))
