"""Small ONNX files, and what onnxruntime says of them."""

from __future__ import annotations

import numpy as np
import pytest


def _write(path, steps, constants=(), *, shape=("n", 6, 5, 3), dtype=1, version=18):
    """Steps of ONNX from "image" to "scores", as a file; constants are arrays by name."""
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info
    tensors = [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in dict(constants).items()]
    graph = onnx.helper.make_graph(steps, "g", [value("image", dtype, shape)], [value("scores", dtype, None)], tensors)
    sets = [onnx.helper.make_opsetid("", version)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=sets, ir_version=9), path)
    return path


def _runtime_scores(path, images):
    """The scores that onnxruntime computes in float32."""
    library = pytest.importorskip("onnxruntime")
    settings = library.SessionOptions()
    settings.intra_op_num_threads, settings.log_severity_level = 1, 4
    session = library.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: np.asarray(images, np.float32)})[0]


@pytest.fixture(scope="session")
def write_onnx():
    """`write_onnx(path, steps, constants, shape=...)`."""
    return _write


@pytest.fixture(scope="session")
def runtime_scores():
    """`runtime_scores(path, images)`."""
    return _runtime_scores
