"""ONNX files as graphs: the same scores as onnxruntime's, and clear refusals."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarial.bounds.networks import activations, evaluate, interval_activations, read_onnx
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import CeilingError, ceilings

onnx = pytest.importorskip("onnx")
make = onnx.helper.make_node
RANDOM = np.random.default_rng(3)
DATA = Path(os.environ.get("SAYWHY_DATA", Path(__file__).resolve().parents[5] / "shared" / "data"))
CHANNELS_FIRST = make("Transpose", ["image"], ["x"], perm=[0, 3, 1, 2])
END = [make("Flatten", ["y"], ["flat"]), make("MatMul", ["flat", "last"], ["scores"])]


def weights(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def whole(*numbers):
    return np.array(numbers, np.int64)


# name: (steps from x (n, 3, 6, 5) to y, constants, numbers of y)
KINDS = {
    "Conv": ([make("Conv", ["x", "w", "b"], ["y"], strides=[2, 1], pads=[1, 0, 2, 1], dilations=[1, 2])], {"w": weights(4, 3, 3, 2), "b": weights(4)}, 64),
    "Conv in groups": ([make("Conv", ["x", "w"], ["y"], group=3, auto_pad="SAME_UPPER", strides=[2, 2])], {"w": weights(6, 1, 3, 2)}, 54),
    "Conv, SAME_LOWER": ([make("Conv", ["x", "w"], ["y"], auto_pad="SAME_LOWER")], {"w": weights(2, 3, 2, 4)}, 60),
    "BatchNormalization": ([make("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"], epsilon=1e-3)],
        {"s": weights(3), "b": weights(3), "m": weights(3), "v": weights(3) ** 2}, 90),
    "MaxPool": ([make("MaxPool", ["x"], ["y"], kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 0, 1])], {}, 27),
    "MaxPool, ceil": ([make("MaxPool", ["x"], ["y"], kernel_shape=[3, 2], strides=[2, 2], ceil_mode=1)], {}, 27),
    "AveragePool": ([make("AveragePool", ["x"], ["y"], kernel_shape=[3, 2], strides=[2, 2], pads=[1, 1, 1, 0])], {}, 27),
    "AveragePool, counted": ([make("AveragePool", ["x"], ["y"], kernel_shape=[3, 2], strides=[2, 2], pads=[1, 1, 1, 0], count_include_pad=1)], {}, 27),
    "AveragePool, ceil": ([make("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)], {}, 27),
    "GlobalAveragePool": ([make("GlobalAveragePool", ["x"], ["y"])], {}, 3),
    "ReduceMean": ([make("ReduceMean", ["x", "axes"], ["y"], keepdims=0)], {"axes": whole(2, -1)}, 3),
    "ReduceSum": ([make("ReduceSum", ["x", "axes"], ["y"])], {"axes": whole(1)}, 30),
    "Add, Sub, Mul, Div": (
        [make("Sub", ["x", "c"], ["a"]), make("Div", ["a", "d"], ["e"]), make("Mul", ["f", "e"], ["g"]), make("Sub", ["c", "g"], ["h"]),
         make("Add", ["h", "i"], ["k"]), make("Neg", ["k"], ["y"])],
        {"c": weights(1, 3, 1, 1), "d": weights(3, 1, 1), "f": weights(5), "i": np.float32(0.3)}, 90),
    "residual": ([make("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]), make("Relu", ["a"], ["b"]), make("Sub", ["b", "x"], ["c"]), make("Add", ["c", "a"], ["y"])],
        {"w": weights(3, 3, 3, 3)}, 90),
    "added by broadcasting": ([make("GlobalAveragePool", ["x"], ["a"]), make("Add", ["x", "a"], ["y"])], {}, 90),
    "Pad": ([make("Pad", ["x", "p", "v"], ["y"])], {"p": whole(0, 1, 0, 2, 0, 0, -1, 1), "v": np.float32(0.7)}, 4 * 5 * 8),
    "Slice": ([make("Slice", ["x", "s", "e", "a", "t"], ["y"])], {"s": whole(2, 1), "e": whole(-9, 100), "a": whole(1, 2), "t": whole(-1, 2)}, 3 * 3 * 5),
    "Concat": ([make("Relu", ["x"], ["a"]), make("Concat", ["x", "a", "x"], ["y"], axis=1)], {}, 270),
    "Clip": ([make("Clip", ["x", "l", "h"], ["y"])], {"l": np.float32(0.25), "h": np.float32(0.6)}, 90),
    "LeakyRelu": ([make("Neg", ["x"], ["a"]), make("LeakyRelu", ["a"], ["y"], alpha=0.2)], {}, 90),
    "Reshape": ([make("Reshape", ["x", "s"], ["a"]), make("Transpose", ["a"], ["b"], perm=[0, 2, 1]), make("MatMul", ["w", "b"], ["y"])],
        {"s": whole(0, 6, -1), "w": weights(2, 15)}, 12),
    "Squeeze, Unsqueeze": ([make("Unsqueeze", ["x", "a"], ["b"]), make("Squeeze", ["b", "c"], ["d"]), make("Identity", ["d"], ["e"]), make("Dropout", ["e"], ["y"])],
        {"a": whole(1, 3), "c": whole(3, 1)}, 90),
    "shapes by computing": (
        [make("Shape", ["x"], ["s"]), make("Gather", ["s", "zero"], ["n"], axis=0), make("Unsqueeze", ["n", "axis"], ["m"]),
         make("Concat", ["m", "rest"], ["t"], axis=0), make("Reshape", ["x", "t"], ["y"])],
        {"zero": np.int64(0), "axis": whole(0), "rest": whole(-1)}, 90),
    "constants by computing": (
        [make("Transpose", ["w"], ["a"], perm=[1, 0, 2, 3]), make("Sqrt", ["v"], ["b"]), make("Mul", ["a", "b"], ["c"]), make("Conv", ["x", "c"], ["y"])],
        {"w": weights(3, 2, 1, 1), "v": np.float32(2)}, 60),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_operation_computes_what_onnxruntime_computes(tmp_path, write_onnx, runtime_scores, kind):
    steps, constants, size = KINDS[kind]
    path = write_onnx(tmp_path / "a.onnx", [CHANNELS_FIRST, *steps, *END], {**constants, "last": weights(size, 4)})
    images = RANDOM.random((3, 6, 5, 3), np.float32)
    network = read_onnx(path)
    assert network.image_shape == (6, 5, 3)
    assert network.classes == 4
    wanted = runtime_scores(path, images)
    np.testing.assert_allclose(evaluate(network, images), wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())
    for node, values in zip(network.nodes, activations(network, images), strict=True):
        assert values.shape == (3, *node.shape)
    low, high = images * 0.9, images * 0.9 + 0.1
    for (below, above), values in zip(interval_activations(network, low, high), activations(network, images), strict=True):
        assert (below <= values).all()
        assert (values <= above).all()


@pytest.mark.parametrize("softmax", ["Softmax", "LogSoftmax"])
def test_a_last_softmax_is_left_out_and_an_earlier_one_refused(tmp_path, write_onnx, softmax):
    constants = {"w": weights(90, 4), "v": weights(4, 3)}
    steps = [make("Flatten", ["image"], ["a"]), make("Gemm", ["a", "w"], ["b"], alpha=0.3)]
    plain = write_onnx(tmp_path / "a.onnx", [*steps, make("Identity", ["b"], ["scores"])], constants)
    last = write_onnx(tmp_path / "b.onnx", [*steps, make(softmax, ["b"], ["scores"], axis=-1)], constants)
    image = RANDOM.random((1, 6, 5, 3))
    assert torch.equal(evaluate(read_onnx(plain), image), evaluate(read_onnx(last), image))
    early = [*steps, make(softmax, ["b"], ["c"], name="early"), make("MatMul", ["c", "v"], ["scores"])]
    with pytest.raises(UsageError, match=rf"{softmax} \(node 'early'\) stands before"):
        read_onnx(write_onnx(tmp_path / "c.onnx", early, constants))


@pytest.mark.parametrize("batch", ["n", 1, 4])
def test_gemm_and_the_batch(tmp_path, write_onnx, runtime_scores, batch):
    steps = [
        make("Reshape", ["image", "s"], ["a"]), make("Gemm", ["a", "w", "b"], ["c"], alpha=0.5, beta=2.0, transB=1),
        make("Gemm", ["c", "v", "d"], ["scores"]),
    ]  # fmt: skip
    shape = whole(-1, 90) if batch == "n" else whole(batch, 90)
    constants = {"s": shape, "w": weights(7, 90), "b": weights(7), "v": weights(7, 3), "d": weights(1)}
    path = write_onnx(tmp_path / "a.onnx", steps, constants, shape=(batch, 6, 5, 3))
    images = RANDOM.random((4 if batch == "n" else batch, 6, 5, 3), np.float32)
    np.testing.assert_allclose(evaluate(read_onnx(path), images), runtime_scores(path, images), rtol=1e-5, atol=1e-5)


def test_where_the_channels_are(tmp_path, write_onnx, runtime_scores):
    steps, constants = [make("Flatten", ["image"], ["a"]), make("MatMul", ["a", "w"], ["scores"])], {"w": weights(48, 2)}
    first = write_onnx(tmp_path / "a.onnx", steps, constants, shape=("n", 3, 4, 4))
    images = RANDOM.random((2, 4, 4, 3), np.float32)
    network = read_onnx(first)
    assert network.image_shape == (4, 4, 3)
    np.testing.assert_allclose(evaluate(network, images), runtime_scores(first, images.transpose(0, 3, 1, 2)), atol=1e-4)
    unclear = write_onnx(tmp_path / "b.onnx", steps, {"w": weights(45, 2)}, shape=("n", 3, 5, 3))
    with pytest.raises(UsageError, match="channels='first'"):
        read_onnx(unclear)
    assert read_onnx(unclear, channels="first").image_shape == (5, 3, 3)
    assert read_onnx(unclear, channels="last").image_shape == (3, 5, 3)
    with pytest.raises(UsageError, match="'first' or 'last'"):
        read_onnx(unclear, channels="middle")


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_random_networks(tmp_path_factory, write_onnx, runtime_scores, data):
    """Chains with a few branches, of random settings."""
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    steps, constants, now, shape = [CHANNELS_FIRST], {}, "x", [3, 6, 5]
    for index in range(data.draw(st.integers(1, 6))):
        kind, out = data.draw(st.sampled_from(["Conv", "Relu", "MaxPool", "AveragePool", "Add", "Mul"])), f"v{index}"
        if kind == "Conv":
            kernel = [data.draw(st.integers(1, min(3, size))) for size in shape[1:]]
            width = data.draw(st.integers(1, 4))
            constants[f"w{index}"] = random.normal(size=(width, shape[0], *kernel)).astype(np.float32)
            steps.append(make("Conv", [now, f"w{index}"], [out]))
            shape = [width, *(size - reach + 1 for size, reach in zip(shape[1:], kernel, strict=True))]
        elif kind in {"MaxPool", "AveragePool"}:
            kernel = [data.draw(st.integers(1, min(2, size))) for size in shape[1:]]
            steps.append(make(kind, [now], [out], kernel_shape=kernel, strides=kernel))
            shape = [shape[0], *(size // reach for size, reach in zip(shape[1:], kernel, strict=True))]
        elif kind == "Add":
            steps += [make("Relu", [now], [f"r{index}"]), make("Add", [now, f"r{index}"], [out])]
        elif kind == "Mul":
            constants[f"w{index}"] = random.normal(size=(shape[0], 1, 1)).astype(np.float32)
            steps.append(make("Mul", [now, f"w{index}"], [out]))
        else:
            steps.append(make("Relu", [now], [out]))
        now = out
    constants["last"] = random.normal(size=(int(np.prod(shape)), 3)).astype(np.float32)
    path = write_onnx(tmp_path_factory.mktemp("n") / "a.onnx", [*steps, make("Identity", [now], ["y"]), *END], constants)
    images = random.random((2, 6, 5, 3), np.float32)
    wanted = runtime_scores(path, images)
    np.testing.assert_allclose(evaluate(read_onnx(path), images), wanted, rtol=1e-4, atol=1e-5 * max(np.abs(wanted).max(), 1))


def refused():
    """Steps to scores that are refused, and what the error names."""
    flat = make("Flatten", ["image"], ["a"])
    end = make("MatMul", ["b", "w"], ["scores"])
    return {
        "Sigmoid": ([flat, make("Sigmoid", ["a"], ["b"], name="the gate"), end], "Sigmoid' \\(node 'the gate'\\)"),
        "two results": ([flat, make("Mul", ["a", "a"], ["b"]), end], "Mul .*multiplies or divides two results"),
        "zero": ([flat, make("Div", ["a", "zero"], ["b"]), end], "Div .*by zero"),
        "gaps": ([make("MaxPool", ["image"], ["c"], kernel_shape=[2, 2], dilations=[2, 2]), make("Flatten", ["c"], ["b"]), end], "MaxPool .*gaps"),
        "batch": ([make("Transpose", ["image"], ["c"], perm=[1, 0, 2, 3]), make("Flatten", ["c"], ["b"]), end], "Transpose .*batch"),
        "another library": ([flat, make("Gate", ["a"], ["b"], domain="own"), end], "another library|Gate"),
        "missing": ([make("MatMul", ["nowhere", "w"], ["scores"])], "nowhere"),
        "constant": ([make("Identity", ["w"], ["scores"])], "same scores for every image"),
        "shape": ([make("MatMul", ["image", "small"], ["scores"])], "one score per class"),
        "misfit": ([flat, make("MatMul", ["a", "small"], ["scores"])], "MatMul .*don't fit"),
        "loop": ([flat, make("Loop", ["", "", "a"], ["b"], body=onnx.helper.make_graph([], "body", [], [])), end], "Loop"),
    }  # fmt: skip


@pytest.mark.parametrize("case", refused())
def test_what_is_not_covered_is_refused_by_name(tmp_path, write_onnx, case):
    steps, named = refused()[case]
    path = write_onnx(tmp_path / "a.onnx", steps, {"w": weights(90, 4), "zero": np.float32(0), "small": weights(3, 4)})
    with pytest.raises(UsageError, match=named):
        read_onnx(path)


@pytest.mark.parametrize(
    ("steps", "constants"),
    [
        ([make("Pad", ["image", "p"], ["b"])], {"p": whole(0, 10**6, 10**6, 0, 0, 0, 0, 0)}),
        ([make("ConstantOfShape", ["p"], ["c"]), make("Add", ["image", "c"], ["b"])], {"p": whole(10**6, 10**6, 3)}),
        ([make("Conv", ["image", "w"], ["b"], pads=[10**6] * 4)], {"w": weights(1, 6, 1, 1)}),
        ([make("MaxPool", ["image"], ["b"], kernel_shape=[10**6] * 2, pads=[10**6 - 1] * 4, strides=[10**6] * 2)], {}),
        ([make("Range", ["z", "p", "one"], ["c"]), make("Add", ["image", "c"], ["b"])], {"z": np.int64(0), "p": np.int64(10**12), "one": np.int64(1)}),
        ([make("Expand", ["z", "p"], ["c"]), make("Add", ["image", "c"], ["b"])], {"z": np.float32(0), "p": whole(10**6, 10**6)}),
    ],
)  # fmt: skip
def test_hostile_shapes_take_no_memory(tmp_path, write_onnx, steps, constants):
    end = [make("Flatten", ["b"], ["scores"])]
    with pytest.raises(UsageError):
        read_onnx(write_onnx(tmp_path / "a.onnx", [*steps, *end], constants))


def test_the_ceiling_can_be_raised_and_lowered(tmp_path, write_onnx):
    path = write_onnx(tmp_path / "a.onnx", [make("Flatten", ["image"], ["scores"])])
    assert read_onnx(path).classes == 90
    with ceilings(array=500), pytest.raises(CeilingError, match="array="):
        read_onnx(path)


def test_weights_in_another_file_are_refused(tmp_path, write_onnx):
    path = write_onnx(
        tmp_path / "a.onnx",
        [make("Flatten", ["image"], ["a"]), make("MatMul", ["a", "w"], ["scores"])],
        {"w": weights(90, 400)},
    )
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights", size_threshold=0)
    with pytest.raises(UsageError, match="another file"):
        read_onnx(path)


def test_what_is_no_file_of_onnx(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_onnx(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no network " * 50)
    with pytest.raises(UsageError, match="no ONNX file"):
        read_onnx(tmp_path / "text.onnx")
    (tmp_path / "empty.onnx").write_bytes(b"")
    with pytest.raises(UsageError, match="input"):
        read_onnx(tmp_path / "empty.onnx")


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_read_or_refused(tmp_path, write_onnx, kind):
    steps, constants, size = KINDS[kind]
    path = write_onnx(tmp_path / "a.onnx", [CHANNELS_FIRST, *steps, *END], {**constants, "last": weights(size, 4)})
    whole_file, random = path.read_bytes(), np.random.default_rng(7)
    for _ in range(40):
        damaged = bytearray(whole_file)
        for place in random.integers(0, min(len(damaged), 700), 4):
            damaged[place] = random.choice([0, 1, 127, 128, 255, damaged[place] ^ 1])
        path.write_bytes(damaged)
        with contextlib.suppress(UsageError):
            read_onnx(path)


FILES = (
    "verify/MNIST_ConvSmall",
    "verify/MNIST_ConvSmallPGD",
    "verify/CIFAR_ConvSmallPGD",
    "mnist/mnist_cnn",
    "gtsrb/gtsrb_cnn",
    "cifar10/resnet20",
)


@pytest.mark.parametrize("name", FILES)
def test_trained_networks(runtime_scores, name):
    path = DATA / f"{name}.onnx"
    if not path.exists():
        pytest.skip("the networks of shared/data are not here (SAYWHY_DATA)")
    network = read_onnx(path)
    images = RANDOM.random((2, *network.image_shape), np.float32)
    np.testing.assert_allclose(evaluate(network, images), runtime_scores(path, images), atol=3e-5)
