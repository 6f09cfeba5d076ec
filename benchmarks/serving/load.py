"""How busy an audit keeps its target, beside what the target answers by itself; and how much memory it takes."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial import load_classifier
from adversarial.audit import Audit
from benchmarks.serving.command import image_set
from benchmarks.serving.endpoint import SIDE
from benchmarks.serving.mlserver import free_port
from benchmarks.serving.networks import export_resnet20

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SETS = {
    "GTSRB": ("gtsrb/gtsrb_cnn.onnx", "gtsrb/gtsrb_test.npz"),
    "CIFAR-10 ResNet-20": ("cifar10/resnet20.onnx", "cifar10/cifar10_test_jpeg.npz"),
    "MNIST": ("mnist/mnist_cnn.onnx", "mnist/mnist_test.npz"),
    "pets SqueezeNet": ("pets/squeezenet.onnx", ""),
}
BATCH = 64
LATENCY = 0.020  # seconds
FAST = """
import numpy as np

inner = np.random.default_rng(5).normal(size=(16 * 16 * 3, 8)).astype(np.float32)

def predict(images):
    return (images.reshape(len(images), -1) - 0.5) @ inner
"""


def throughput(data: Path, folder: Path, *, quick: bool) -> bool:
    """Queries per second of a whole audit, beside images per second of the target alone in batches of 64, in one process."""
    count, budget = (10, 200) if quick else (40, 1000)
    print("target | distance | weather | target alone, images/s | audit, queries/s | ratio")
    for name, (model, images) in SETS.items():
        many = max(2, count // 8) if name.startswith("pets") else count
        file = image_set(data, folder, many, images) if images else _pets(data, folder, many)
        for kind, spec in _specs(data / model, folder):
            for distance in ("l0", "l2"):
                for weather in (None, ()):
                    alone, audit = _rates(spec, file, folder, budget, distance, weather)
                    words = "on" if weather is None else "off"
                    print(
                        f"{name}, {kind} | {distance} | {words} | {alone:,.0f} | {audit:,.0f} | {audit / alone:.2f}", flush=True
                    )
    return True


def _specs(model: Path, folder: Path) -> Iterator[tuple[str, str]]:
    yield "onnx", f"onnx:{model}"
    weights = model.with_suffix(".npz")
    if weights.is_file() and model.stem == "resnet20":
        yield "torch", f"torch:{export_resnet20(weights, folder / 'resnet20.pt2')}?scores=logits"


def _pets(data: Path, folder: Path, count: int) -> Path:
    import io
    import zipfile

    from PIL import Image

    with zipfile.ZipFile(data / "pets" / "pets_images.zip") as archive:
        names = [name for name in archive.namelist() if name.lower().endswith((".jpg", ".jpeg"))][:count]
        made = [np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB"))[14:241, 14:241] for name in names]
    np.savez(folder / "pets.npz", images=np.stack(made))
    return folder / "pets.npz"


def _rates(
    spec: str, file: Path, folder: Path, budget: int, distance: str, weather: Sequence[str] | None
) -> tuple[float, float]:
    classifier = load_classifier(spec)
    with np.load(file) as kept:
        images = kept["images"]
    images = images[..., None] if images.ndim == 3 else images
    batch = np.resize(images, (BATCH, *images.shape[1:])).astype(np.float32) / 255
    alone = _alone(classifier, batch)
    audit = Audit(folder / f"{time.monotonic_ns()}")
    start = time.perf_counter()
    status = audit.run(
        [file], target=classifier, distance=distance, budget=budget, weather=weather,
        labels="classifier" if file.name == "pets.npz" else None,
    )  # fmt: skip
    return alone, status.queries / (time.perf_counter() - start)


def _alone(classifier: Any, batch: np.ndarray[Any, Any], seconds: float = 2.0) -> float:
    classifier.ask_again(batch)
    start, made = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        classifier.ask_again(batch)
        made += len(batch)
    return made / (time.perf_counter() - start)


def over_http(data: Path, folder: Path, *, quick: bool) -> bool:
    """Queries per second over HTTP with 20 ms latency, beside what a plain client is answered with as many connections."""
    del data
    rng = np.random.default_rng(0)
    np.savez(folder / "set.npz", images=rng.integers(0, 256, (24 if quick else 96, SIDE, SIDE, 3), dtype=np.uint8))
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.serving.endpoint", str(port), str(LATENCY)], env=_environment()
    )
    try:
        time.sleep(2)
        print("connections x images per request | plain client, images/s | audit, queries/s | ratio")
        for connections, size in ((1, 1), (16, 1), (1, 16), (4, 16), (1, BATCH), (4, BATCH)):
            plain = _plain(port, connections, size)
            audit = Audit(folder / f"over {connections} {size}")
            options = {"concurrency": connections, "batch_size": size}
            start = time.perf_counter()
            status = audit.run(
                [folder / "set.npz"], target=f"oip:http://127.0.0.1:{port}#m", options=options, labels="classifier",
                distance="l2", budget=(300 if quick else 1000) // (8 if connections * size < 16 else 1),
            )  # fmt: skip
            rate = status.queries / (time.perf_counter() - start)
            print(f"{connections} x {size} | {plain:,.0f} | {rate:,.0f} | {rate / plain:.2f}", flush=True)
    finally:
        server.terminate()
        server.wait()
    return True


def _plain(port: int, connections: int, size: int, seconds: float = 3.0) -> float:
    images = np.random.default_rng(1).random((size, SIDE, SIDE, 3)).astype("<f4").tobytes()
    said = {
        "name": "image",
        "datatype": "FP32",
        "shape": [size, SIDE, SIDE, 3],
        "parameters": {"binary_data_size": len(images)},
    }
    head = json.dumps({"inputs": [said], "parameters": {"binary_data_output": True}}).encode()
    fields = {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"}
    made, lock, end = [0], threading.Lock(), time.perf_counter() + seconds

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.perf_counter() < end:
            connection.request("POST", "/v2/models/m/infer", head + images, fields)
            connection.getresponse().read()
            with lock:
                made[0] += size
        connection.close()

    start = time.perf_counter()
    threads = [threading.Thread(target=ask) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return made[0] / (time.perf_counter() - start)


def memory(data: Path, folder: Path, *, quick: bool) -> bool:
    """The most memory that an audit and its report take, with 50, 500 and 5,000 images."""
    del data
    (folder / "fast.py").write_text(FAST)
    rng, most = np.random.default_rng(0), {}
    print("images | saywhy audit run, MB | saywhy audit report, MB")
    for count in (50, 500) if quick else (50, 500, 5000):
        place = folder / str(count)
        place.mkdir(exist_ok=True)
        for number in range(count // 50):  # an array is read whole, so that one with all images would be what is measured
            np.save(place / f"{number}.npy", rng.integers(0, 256, (50, 16, 16, 3), dtype=np.uint8))
        words = [
            "audit",
            "run",
            f"audit {count}",
            str(place),
            "--target",
            "python:fast:predict",
            "--trust",
            "--scores",
            "logits",
        ]
        run = _peak(folder, [*words, "--budget", "30", "--weather", "blur", "--severities", "1"])
        report = _peak(folder, ["audit", "report", f"audit {count}"])
        most[count] = run
        print(f"{count:,} | {run:,.0f} | {report:,.0f}", flush=True)
    *_, low, high = most.values()
    return high < low * 1.25


def _peak(folder: Path, words: list[str]) -> float:
    """MB of the largest process."""
    log = folder / "log.txt"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "saywhy", *words], cwd=folder, env=_environment(), stdout=stream, stderr=stream
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(log.read_text()[-1500:])
    return usage.ru_maxrss / 1024


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
