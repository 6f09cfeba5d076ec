"""The network that computes a classifier's scores: given where it is all that stands between image and decision, else refused."""

from __future__ import annotations

import numpy as np
import pytest

from saywhy_core.classifiers import CallableClassifier, TorchClassifier, load_classifier, score_network
from saywhy_core.errors import UsageError


@pytest.fixture
def module():
    import torch

    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 6 * 6, 5)
    ).eval()


def onnx_file(path, *, shape=("n", 3, 8, 8), kind=1, output="logits"):
    onnx = pytest.importorskip("onnx")
    made = onnx.helper
    nodes = [made.make_node("Cast", ["x"], ["f"], to=1), made.make_node("ReduceMean", ["f"], [output], axes=[2, 3], keepdims=0)]
    graph = made.make_graph(
        nodes, "g", [made.make_tensor_value_info("x", kind, shape)], [made.make_tensor_value_info(output, 1, ["n", 3])]
    )
    onnx.save(made.make_model(graph, opset_imports=[made.make_opsetid("", 13)], ir_version=8), str(path))
    return str(path)


def test_a_torch_module_is_its_own_network(module):
    assert score_network(TorchClassifier(module)) is module


def test_the_demo_has_its_module():
    import torch

    assert isinstance(score_network(load_classifier("demo:signs")), torch.nn.Module)


@pytest.mark.parametrize(
    "options",
    [{"mean": [0.1, 0.2, 0.3], "std": [0.5, 0.6, 0.7]}, {"value_range": (0, 255)}, {"value_range": (-1, 1), "mean": 0.5}],
)
def test_constant_preparation_becomes_the_first_step(module, options):
    import torch

    classifier = TorchClassifier(module, **options)
    images = np.random.default_rng(0).random((3, 8, 8, 3), dtype=np.float32)
    with torch.no_grad():
        scores = score_network(classifier)(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(scores, classifier(images), rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "word"),
    [({"channels": "bgr"}, "bgr"), ({"layout": "nhwc", "std": 0.5}, "std"), ({"scores": "sigmoid"}, "sigmoid"),
     ({"scores": "label"}, "label"), ({"scores": "top-k"}, "top-k")],
)  # fmt: skip
def test_what_stands_between_is_refused_by_name(module, options, word):
    with pytest.raises(UsageError, match=word):
        score_network(TorchClassifier(module, **options))


def test_a_function_has_no_network(module):
    with pytest.raises(UsageError, match="onnx:FILE"):
        score_network(CallableClassifier(lambda images: images.mean((1, 2))))
    with pytest.raises(UsageError, match="onnx:FILE"):
        score_network(TorchClassifier(lambda images: images.mean((2, 3))))


def test_torchscript_is_refused(module):
    import torch

    scripted = torch.jit.trace(module, torch.zeros(1, 3, 8, 8))
    with pytest.raises(UsageError, match=r"torch\.export\.save"):
        score_network(TorchClassifier(scripted))


def test_an_onnx_file_is_named_by_its_path(tmp_path):
    path = onnx_file(tmp_path / "plain.onnx")
    assert score_network(load_classifier(f"onnx:{path}")) == path


@pytest.mark.parametrize(
    ("options", "word"),
    [({"mean": 0.5}, "option mean "), ({"mean": 0.5, "std": 0.2}, "options mean and std"), ({"channels": "bgr"}, "channels"),
     ({"value_range": [0, 255]}, "value_range")],
)  # fmt: skip
def test_options_that_change_the_image_before_the_file_are_refused_by_name(tmp_path, options, word):
    path = onnx_file(tmp_path / "plain.onnx")
    with pytest.raises(UsageError, match=word):
        score_network(load_classifier(f"onnx:{path}", **options))


def test_a_file_that_takes_half_precision_is_refused(tmp_path):
    path = onnx_file(tmp_path / "half.onnx", kind=10)
    with pytest.raises(UsageError, match="float16"):
        score_network(load_classifier(f"onnx:{path}"))
