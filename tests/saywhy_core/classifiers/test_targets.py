"""Classifiers from a line of text: ONNX files, torch programs, Python functions."""

from __future__ import annotations

import json

import numpy as np
import pytest

from adversarial import load_classifier
from saywhy_core.classifiers import ClassifierError
from saywhy_core.classifiers.layout import InputLayout
from saywhy_core.errors import UsageError

IMAGES = np.random.default_rng(0).random((5, 4, 6, 3), dtype=np.float32)
WEIGHTS = np.random.default_rng(1).normal(size=(3, 7)).astype(np.float32)


def means_by_channel(images):
    """The scores that the models below must give: channel means times the weights."""
    return images.mean(axis=(1, 2)) @ WEIGHTS


def write_onnx(path, shape, axes, *, output="logits", metadata=None, dtype="FLOAT"):
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


@pytest.mark.parametrize(
    ("shape", "axes"), [(["n", 4, 6, 3], [1, 2]), (["n", 3, 4, 6], [2, 3]), ([2, 4, 6, 3], [1, 2]), ([8, 3, 4, 6], [2, 3])]
)
def test_onnx_layouts_and_fixed_batches(tmp_path, shape, axes):
    classifier = load_classifier(write_onnx(tmp_path / "m.onnx", shape, axes))
    assert classifier.scores == "logits"
    np.testing.assert_allclose(classifier(IMAGES), means_by_channel(IMAGES), rtol=1e-4, atol=1e-6)
    assert classifier.queries == 5


def test_onnx_metadata_is_read_and_options_go_before_it(tmp_path):
    names = [f"c{i}" for i in range(7)]
    spec = write_onnx(
        tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2], output="out",
        metadata={"scores": "logits", "value_range": "[0, 255]", "mean": "[100, 110, 120]", "std": "50", "class_names": json.dumps(names)},
    )  # fmt: skip
    classifier = load_classifier(spec)
    assert classifier.class_names == tuple(names)
    normalised = (IMAGES * 255 - np.array([100, 110, 120])) / 50
    np.testing.assert_allclose(classifier(IMAGES), means_by_channel(normalised), rtol=1e-4, atol=1e-4)
    plain = load_classifier(spec, value_range=(0, 1), mean=0.0, std=1.0)
    np.testing.assert_allclose(plain(IMAGES), means_by_channel(IMAGES), rtol=1e-4, atol=1e-6)


def test_onnx_bytes_mean_0_to_255(tmp_path):
    classifier = load_classifier(write_onnx(tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2], dtype="UINT8"))
    np.testing.assert_allclose(classifier(IMAGES), means_by_channel(np.rint(IMAGES * 255)), rtol=1e-4, atol=1e-3)


def test_onnx_scores_by_the_name_of_the_output(tmp_path):
    spec = write_onnx(tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2], output="probabilities")
    assert load_classifier(spec).scores == "probabilities"
    with pytest.raises(UsageError, match="give scores="):
        load_classifier(write_onnx(tmp_path / "n.onnx", ["n", 4, 6, 3], [1, 2], output="out"))


def test_onnx_errors_say_what_to_do(tmp_path):
    with pytest.raises(UsageError, match="there is no file"):
        load_classifier("onnx:missing.onnx")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(UsageError, match="no ONNX model"):
        load_classifier(f"onnx:{tmp_path / 'text.onnx'}")
    with pytest.raises(UsageError, match="give layout="):
        load_classifier(write_onnx(tmp_path / "m.onnx", ["n", 3, 6, 3], [1, 2]))
    classifier = load_classifier(write_onnx(tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2]))
    with pytest.raises(ClassifierError, match=r"4 by 6 by 3"):
        classifier(IMAGES[:, :, :4])
    with pytest.raises(UsageError, match="no such option: 'layuot'"):
        load_classifier(f"onnx:{tmp_path / 'm.onnx'}", layuot="nchw")


def test_onnx_without_four_axes(tmp_path):
    with pytest.raises(UsageError, match="four axes"):
        load_classifier(write_onnx(tmp_path / "m.onnx", ["n", 3], [1]))


def test_torchscript_with_normalisation(tmp_path):
    torch = pytest.importorskip("torch")

    class Means(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = torch.nn.Parameter(torch.from_numpy(WEIGHTS))
            self.drop = torch.nn.Dropout(0.9)

        def forward(self, x):
            return self.drop(x.mean((2, 3)) @ self.weights)

    path = tmp_path / "m.pt"
    torch.jit.script(Means()).save(str(path))
    classifier = load_classifier(f"torch:{path}", scores="logits", mean=[0.5, 0.4, 0.3], std=[0.2, 0.2, 0.1])
    normalised = (IMAGES - np.array([0.5, 0.4, 0.3])) / np.array([0.2, 0.2, 0.1])
    np.testing.assert_allclose(classifier(IMAGES), means_by_channel(normalised), rtol=1e-4, atol=1e-4)
    with pytest.raises(UsageError, match="doesn't say what its scores are"):
        load_classifier(f"torch:{path}")
    torch.save({"weights": torch.zeros(2)}, tmp_path / "state.pt")
    with pytest.raises(UsageError, match="neither TorchScript"):
        load_classifier(f"torch:{tmp_path / 'state.pt'}", scores="logits")


def test_python_functions(tmp_path, monkeypatch):
    (tmp_path / "my_target_module.py").write_text("def predict(images):\n    return images.reshape(len(images), -1)[:, :2]\n")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "names.txt").write_text("one\ntwo\n")
    classifier = load_classifier("my_target_module:predict", scores="logits", class_names=str(tmp_path / "names.txt"))
    assert classifier.class_names == ("one", "two")
    np.testing.assert_allclose(classifier(IMAGES), IMAGES.reshape(5, -1)[:, :2])
    for spec, words in (
        ("my_target_module:nothing", "has no"),
        ("no_such_module_here:f", "can't be imported"),
        ("file.onnx", "names no"),
    ):
        with pytest.raises(UsageError, match=words):
            load_classifier(spec, scores="logits")


def test_layout_is_checked():
    with pytest.raises(UsageError, match="mean has 2 numbers"):
        InputLayout(mean=[0.1, 0.2])(IMAGES)
    with pytest.raises(UsageError, match="rising"):
        InputLayout(value_range=(1, 0))
    with pytest.raises(UsageError, match="std"):
        InputLayout(std=0.0)
