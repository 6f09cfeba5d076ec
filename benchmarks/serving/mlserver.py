"""A real MLServer with the counting model, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

PLACES = (os.environ.get("SAYWHY_MLSERVER"), "/opt/mlserver/bin/python")
MODEL = Path(__file__).parent / "mlserver_model"


def mlserver_python() -> str | None:
    """The Python of an environment with mlserver and onnxruntime, as SAYWHY_MLSERVER names it; None where there is none."""
    return next((place for place in PLACES if place and Path(place).is_file()), None)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class MLServer:
    """MLServer with one model.

    Args:
        folder: for its settings and its counts.
        file: the ONNX file.
        shape: (height, width, channels, classes).
        latency: seconds that each answer takes besides.
    """

    def __init__(self, folder: Path, file: Path, shape: tuple[int, int, int, int], latency: float = 0.0) -> None:
        self.folder, self.port = folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self.answered_file = folder / "answered.txt"
        grpc, metrics = free_port(), free_port()
        settings = {
            "host": "127.0.0.1", "http_port": self.port, "grpc_port": grpc, "metrics_port": metrics, "parallel_workers": 0,
            "debug": False, "metrics_endpoint": None, "use_structured_logging": False,
        }  # fmt: skip
        height, width, channels, classes = shape
        model = {
            "name": "signs",
            "implementation": "counting_model.CountingModel",
            "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, height, width, channels]}],
            "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, classes]}],
        }
        (folder / "settings.json").write_text(json.dumps(settings))
        (folder / "model-settings.json").write_text(json.dumps(model))
        self.environment = {
            **os.environ, "MODEL_FILE": str(file), "ANSWERED": str(self.answered_file), "LATENCY": str(latency),
            "PYTHONPATH": str(MODEL), "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until the model is ready."""
        command = str(Path(str(mlserver_python())).with_name("mlserver"))
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [command, "start", "."], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        end = time.monotonic() + 180
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError((self.folder / "log.txt").read_text()[-2000:])
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v2/models/signs/ready", timeout=2) as reply:
                    if reply.status == 200:
                        return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError("MLServer did not start in 3 minutes")

    def stop(self) -> None:
        """Stop it; what is on its way is answered."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def answered(self) -> list[str]:
        """The digest of each image that was answered, in order."""
        return self.answered_file.read_text().split() if self.answered_file.exists() else []
