"""ONNX files that want too much memory, never end, or bring odd metadata."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from saywhy_core.classifiers import ClassifierError, load_classifier
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import ceilings

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
IMAGE = np.zeros((1, 4, 6, 3), np.float32)


def whole(value, name):
    return onnx.numpy_helper.from_array(np.array(value, np.int64), name)


def network(path, steps, constants):
    """Scores are the means of the channels, and a number "y" that the steps compute is added."""
    make, kind = onnx.helper.make_node, onnx.TensorProto.FLOAT
    nodes = [*steps, make("ReduceMean", ["image", "axes"], ["means"], keepdims=0), make("Add", ["means", "y"], ["logits"])]
    graph = onnx.helper.make_graph(
        nodes, "g", [onnx.helper.make_tensor_value_info("image", kind, ["n", 4, 6, 3])],
        [onnx.helper.make_tensor_value_info("logits", kind, ["n", None])], [*constants, whole([1, 2], "axes")],
    )  # fmt: skip
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9), path)
    return f"onnx:{path}"


def bomb(path, numbers):
    make = onnx.helper.make_node
    ones = onnx.helper.make_tensor("v", onnx.TensorProto.FLOAT, [1], [1.0])
    steps = [make("ConstantOfShape", ["size"], ["z"], value=ones), make("ReduceSum", ["z"], ["y"], keepdims=0)]
    return network(path, steps, [whole([numbers], "size")])


def growing(path, numbers):
    """An array that is as large as the file says, and computed from the image."""
    make = onnx.helper.make_node
    steps = [
        make("ReduceSum", ["image"], ["all"], keepdims=1), make("Reshape", ["all", "one"], ["q"]),
        make("Expand", ["q", "size"], ["z"]), make("ReduceSum", ["z"], ["y"], keepdims=0),
    ]  # fmt: skip
    return network(path, steps, [whole([numbers], "size"), whole([1], "one")])


@pytest.mark.parametrize("make", [bomb, growing])
def test_a_step_beyond_the_ceiling_is_not_taken(tmp_path, make):
    np.testing.assert_allclose(load_classifier(make(tmp_path / "small.onnx", 10))(IMAGE), 10 if make is bomb else 0)
    large = make(tmp_path / "large.onnx", 20_000_000)  # 80 MB
    with ceilings(array=2**20):
        classifier = load_classifier(large)
    said = r"one step needs 80,000,000 bytes beside .*, and 1,5\d\d,\d\d\d are allowed for 1 image; .*--ceiling array=\d+$"
    with pytest.raises(ClassifierError, match=said) as told:
        classifier(IMAGE)
    with ceilings(array=int(str(told.value).rpartition("=")[2])):
        np.testing.assert_allclose(load_classifier(large)(IMAGE), 2e7 if make is bomb else 0, rtol=1e-5)


def test_a_batch_that_is_too_large_is_computed_in_parts(tmp_path):
    make = onnx.helper.make_node
    steps = [
        make("ReduceMean", ["image", "axes"], ["q"], keepdims=1), make("Expand", ["q", "size"], ["z"]),
        make("ReduceMean", ["z", "axes"], ["y"], keepdims=0),
    ]  # fmt: skip
    with ceilings(array=2**21):  # an image takes 1.2 MB
        classifier = load_classifier(network(tmp_path / "m.onnx", steps, [whole([1, 300, 333, 3], "size")]))
    images = np.random.default_rng(0).random((9, 4, 6, 3), np.float32)
    np.testing.assert_allclose(classifier(images), 2 * images.mean(axis=(1, 2)), rtol=2e-3)


def test_what_onnxruntime_says_is_told_without_places_in_its_source(tmp_path, capfd):
    classifier = load_classifier(bomb(tmp_path / "m.onnx", 2**62))
    with pytest.raises(ClassifierError, match=r": its step ConstantOfShape can't be computed: [A-Za-z ]+overflow(ed)?$"):
        classifier(IMAGE)
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_constants_are_not_computed_beyond_a_bound_when_the_file_is_opened(tmp_path):
    spec = bomb(tmp_path / "large.onnx", 250_000_000)  # a gigabyte, which takes onnxruntime three and some 20 seconds
    code = (
        "import sys\nfrom pathlib import Path\nfrom saywhy_core.classifiers import load_classifier\nload_classifier(sys.argv[1])\n"
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code, spec], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 500_000  # KiB


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_loop_without_an_end_ends_at_ctrl_c(tmp_path):
    make, kinds, value = onnx.helper.make_node, onnx.TensorProto, onnx.helper.make_tensor_value_info
    body = onnx.helper.make_graph(
        [make("Identity", ["c"], ["c2"]), make("Add", ["a", "a"], ["a2"])], "b",
        [value("i", kinds.INT64, []), value("c", kinds.BOOL, []), value("a", kinds.FLOAT, [])],
        [value("c2", kinds.BOOL, []), value("a2", kinds.FLOAT, [])],
    )  # fmt: skip
    constants = [onnx.numpy_helper.from_array(np.array(True), "t"), onnx.numpy_helper.from_array(np.float32(0), "zero")]
    spec = network(tmp_path / "loop.onnx", [make("Loop", ["", "t", "zero"], ["y"], body=body)], constants)
    code = (
        "import signal, sys, numpy\nfrom saywhy_core.classifiers import load_classifier\nc = load_classifier(sys.argv[1])\n"
        "signal.signal(signal.SIGALRM, signal.default_int_handler)\nsignal.setitimer(signal.ITIMER_REAL, 0.5)\n"
        "try:\n    c(numpy.zeros((1, 4, 6, 3), 'f4'))\nexcept KeyboardInterrupt:\n    print('ended')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, spec], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "ended\n"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("5", "must be a JSON list of texts"), ('{"a": 1}', "must be a JSON list of texts"), ("[1, 2]", "must be a JSON list of texts"),
        ('["a", "a"]', "named before"), ('["a", "\\ud800"]', "half a character"), ("[" * 5000, "not JSON|can't be used"),
        ("\x1b]0;x\x07", "not JSON"),
    ],
)  # fmt: skip
def test_odd_metadata_is_told(tmp_path, write_onnx, names, said):
    spec = write_onnx(tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2], metadata={"class_names": names})
    with pytest.raises(UsageError, match=said):
        load_classifier(spec)


def test_many_entries_of_metadata_are_passed_over(tmp_path, write_onnx):
    metadata = {f"k{number}[/bold]\x1b": "v" for number in range(20_000)}
    spec = write_onnx(
        tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2], metadata={**metadata, "class_names": json.dumps(list("abcdefg"))}
    )
    assert load_classifier(spec).class_names == tuple("abcdefg")


def test_nothing_is_written_to_standard_output(tmp_path, write_onnx, capfd):
    spec = write_onnx(tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2], metadata={"k": "vvvv"})
    path = tmp_path / "m.onnx"
    path.write_bytes(path.read_bytes().replace(b"vvvv", b"v\xff\xfev"))
    with pytest.raises(UsageError, match="no ONNX model"):
        load_classifier(spec)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("batch", [2_000_000, 1 << 40])
def test_a_fixed_batch_is_held_against_the_ceiling_when_the_file_is_opened(tmp_path, write_onnx, batch):
    spec = write_onnx(tmp_path / "m.onnx", [batch, 4, 6, 3], [1, 2])
    needed = batch * 4 * 6 * 3 * 4
    with pytest.raises(UsageError, match=f"its batch of {batch:,} images has {needed:,} bytes .* --ceiling array={needed}"):
        load_classifier(spec)


def test_a_fixed_batch_of_images_of_any_size_is_held_against_the_ceiling_when_they_are_known(tmp_path, write_onnx):
    classifier = load_classifier(write_onnx(tmp_path / "m.onnx", [10_000, "h", "w", 3], [1, 2]))
    assert classifier(IMAGE).shape == (1, 7)
    with pytest.raises(ClassifierError, match=r"its batch of 10,000 images has 1,920,000,000 bytes.* --ceiling array="):
        classifier(np.zeros((1, 100, 160, 3), np.float32))


def test_a_loop_that_doubles_an_array_ends_at_the_ceiling(tmp_path):
    make, kinds, value = onnx.helper.make_node, onnx.TensorProto, onnx.helper.make_tensor_value_info
    body = onnx.helper.make_graph(
        [make("Identity", ["c"], ["c2"]), make("Concat", ["a", "a"], ["a2"], axis=0)], "b",
        [value("i", kinds.INT64, []), value("c", kinds.BOOL, []), value("a", kinds.FLOAT, [None])],
        [value("c2", kinds.BOOL, []), value("a2", kinds.FLOAT, [None])],
    )  # fmt: skip
    ones = onnx.numpy_helper.from_array(np.ones(9, np.float32), "ones")
    constants = [onnx.numpy_helper.from_array(np.array(True), "t"), ones, whole(60, "k")]
    steps = [make("Loop", ["k", "t", "ones"], ["z"], body=body), make("ReduceSum", ["z"], ["y"], keepdims=0)]
    with ceilings(array=2**24):
        classifier = load_classifier(network(tmp_path / "m.onnx", steps, constants))
        with pytest.raises(ClassifierError, match=r"one step needs 18,874,368 bytes beside .* and 25,167,\d\d\d are"):
            classifier(IMAGE)
