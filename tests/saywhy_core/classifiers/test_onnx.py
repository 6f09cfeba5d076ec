"""ONNX files as targets."""

from __future__ import annotations

import json

import numpy as np
import pytest

from saywhy_core.classifiers import ClassifierError, load_classifier
from saywhy_core.errors import UsageError


@pytest.mark.parametrize(
    ("shape", "axes"), [(["n", 4, 6, 3], [1, 2]), (["n", 3, 4, 6], [2, 3]), ([2, 4, 6, 3], [1, 2]), ([8, 3, 4, 6], [2, 3])]
)
def test_onnx_layouts_and_fixed_batches(tmp_path, shape, axes, images, means_by_channel, write_onnx):
    classifier = load_classifier(write_onnx(tmp_path / "m.onnx", shape, axes))
    assert classifier.scores == "logits"
    np.testing.assert_allclose(classifier(images), means_by_channel(images), rtol=1e-4, atol=1e-6)
    assert classifier.queries == 5


def test_onnx_metadata_is_read_and_options_go_before_it(tmp_path, images, means_by_channel, write_onnx):
    names = [f"c{i}" for i in range(7)]
    spec = write_onnx(
        tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2], output="out",
        metadata={"scores": "logits", "value_range": "[0, 255]", "mean": "[100, 110, 120]", "std": "50", "class_names": json.dumps(names)},
    )  # fmt: skip
    classifier = load_classifier(spec)
    assert classifier.class_names == tuple(names)
    normalised = (images * 255 - np.array([100, 110, 120])) / 50
    np.testing.assert_allclose(classifier(images), means_by_channel(normalised), rtol=1e-4, atol=1e-4)
    plain = load_classifier(spec, value_range=(0, 1), mean=0.0, std=1.0)
    np.testing.assert_allclose(plain(images), means_by_channel(images), rtol=1e-4, atol=1e-6)


def test_onnx_bytes_mean_0_to_255(tmp_path, images, means_by_channel, write_onnx):
    classifier = load_classifier(write_onnx(tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2], dtype="UINT8"))
    np.testing.assert_allclose(classifier(images), means_by_channel(np.rint(images * 255)), rtol=1e-4, atol=1e-3)


def test_onnx_scores_by_the_name_of_the_output(tmp_path, write_onnx):
    spec = write_onnx(tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2], output="probabilities")
    assert load_classifier(spec).scores == "probabilities"
    with pytest.raises(UsageError, match="give scores="):
        load_classifier(write_onnx(tmp_path / "n.onnx", ["n", 4, 6, 3], [1, 2], output="out"))


def test_onnx_errors_say_what_to_do(tmp_path, images, write_onnx):
    with pytest.raises(UsageError, match="there is no file"):
        load_classifier("onnx:missing.onnx")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(UsageError, match="no ONNX model"):
        load_classifier(f"onnx:{tmp_path / 'text.onnx'}")
    with pytest.raises(UsageError, match="give layout="):
        load_classifier(write_onnx(tmp_path / "m.onnx", ["n", 3, 6, 3], [1, 2]))
    classifier = load_classifier(write_onnx(tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2]))
    with pytest.raises(ClassifierError, match=r"4 by 6 by 3"):
        classifier(images[:, :, :4])
    with pytest.raises(UsageError, match="no such option: 'layuot'"):
        load_classifier(f"onnx:{tmp_path / 'm.onnx'}", layuot="nchw")


def test_onnx_without_four_axes(tmp_path, write_onnx):
    with pytest.raises(UsageError, match="four axes"):
        load_classifier(write_onnx(tmp_path / "m.onnx", ["n", 3], [1]))


def test_onnx_options_are_checked(tmp_path, write_onnx):
    spec = write_onnx(tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2])
    for options, words in (
        ("value_range=0", "two rising numbers"),
        ("value_range=dark,light", "value_range must be a number or a list of numbers"),
        ("mean=low", "mean must be a number"),
        ("layout=hwc", "'nhwc' or 'nchw'"),
        ("threads=all", "threads must be a whole number"),
        ("scores=sigmoids", "must be one of 'logits', 'probabilities', 'sigmoid'"),
        ("batch_size=0", "batch_size must be"),
    ):
        with pytest.raises(UsageError, match=words):
            load_classifier(f"{spec}?{options}")


def test_onnx_says_what_size_it_takes(tmp_path, write_onnx):
    assert load_classifier(write_onnx(tmp_path / "a.onnx", ["n", 4, 6, 3], [1, 2])).image_shape == (4, 6, 3)
    assert load_classifier(write_onnx(tmp_path / "b.onnx", ["n", 3, "h", "w"], [2, 3])).image_shape == (None, None, 3)


def test_onnx_identity_follows_content_and_settings(tmp_path, write_onnx):
    spec = write_onnx(tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2])
    (tmp_path / "copy.onnx").write_bytes((tmp_path / "m.onnx").read_bytes())
    same = {
        load_classifier(other).identity
        for other in (
            spec,
            f"onnx:{tmp_path / 'copy.onnx'}",
            f"{spec}?value_range=0,1&threads=1",
            f"{spec}?value_range=0.0,1.0",
        )
    }
    others = [
        load_classifier(f"{spec}?{option}").identity
        for option in ("mean=0.5", "std=0.5", "value_range=0,255", "scores=probabilities")
    ]
    others.append(load_classifier(write_onnx(tmp_path / "n.onnx", [2, 4, 6, 3], [1, 2])).identity)
    assert len(same) == 1
    assert len({*same, *others}) == 1 + len(others)


def test_onnx_scores_with_two_axes_of_one_value_each(tmp_path, images, weights):
    """As of a network that ends in global average pooling: N×K×1×1."""
    onnx = pytest.importorskip("onnx")
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    kernel = onnx.numpy_helper.from_array(weights.T.reshape(7, 3, 1, 1).copy(), "kernel")
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "kernel"], ["mapped"]), helper.make_node("GlobalAveragePool", ["mapped"], ["logits"])],
        "pooled", [helper.make_tensor_value_info("image", float32, ["n", 3, 4, 6])],
        [helper.make_tensor_value_info("logits", float32, ["n", 7, 1, 1])], [kernel],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), tmp_path / "pooled.onnx")
    scores = load_classifier(f"onnx:{tmp_path / 'pooled.onnx'}")(images)
    np.testing.assert_allclose(scores, images.mean(axis=(1, 2)) @ weights, rtol=1e-4, atol=1e-5)
