"""Tiny classifiers that the tests of several target kinds share."""

from __future__ import annotations

import numpy as np
import pytest

WEIGHTS = np.random.default_rng(1).normal(size=(3, 7)).astype(np.float32)


@pytest.fixture(scope="session")
def images():
    """Five images of 4 by 6 pixels."""
    return np.random.default_rng(0).random((5, 4, 6, 3), dtype=np.float32)


@pytest.fixture(scope="session")
def weights():
    """(3, 7): the scores of the tiny networks are the means of the channels times these."""
    return WEIGHTS


@pytest.fixture(scope="session")
def means_by_channel():
    """The scores that the tiny networks must give, computed directly."""
    return lambda images: images.mean(axis=(1, 2)) @ WEIGHTS


@pytest.fixture(scope="session")
def write_onnx():
    """`write_onnx(path, shape, axes)` writes such a network for inputs of `shape` with the image in `axes`; returns its spec."""
    return _write_onnx


def _write_onnx(path, shape, axes, *, output="logits", metadata=None, dtype="FLOAT"):
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, getattr(onnx.TensorProto, dtype)
    nodes = [helper.make_node("Cast", ["image"], ["x"], to=onnx.TensorProto.FLOAT)]
    nodes.append(helper.make_node("ReduceMean", ["x", "axes"], ["means"], keepdims=0))
    nodes.append(helper.make_node("MatMul", ["means", "weights"], [output]))
    constants = [
        onnx.numpy_helper.from_array(np.array(axes, dtype=np.int64), "axes"),
        onnx.numpy_helper.from_array(WEIGHTS, "weights"),
    ]
    graph = helper.make_graph(
        nodes, "means",
        [helper.make_tensor_value_info("image", kind, shape)],
        [helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, [shape[0], 7])], constants,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    for key, value in (metadata or {}).items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, path)
    return f"onnx:{path}"
