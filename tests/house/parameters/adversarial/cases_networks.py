"""Networks as graphs: a matrix and a ReLU over the four pixels of an image."""

from __future__ import annotations

import numpy as np
import torch
from parameters.harness import case, later, record
from torch import nn

from adversarial.bounds.networks import Add, Network, Node, Relu, interval_activations
from adversarial.bounds.networks.operations import Dense
from adversarial.bounds.networks.rearranging import Reshape

SHAPE = (2, 2, 1)
IMAGES = np.linspace(0, 1, 8, dtype=np.float32).reshape(2, *SHAPE)


def chain(factor=1.0, image_shape=SHAPE):
    weight = factor * torch.linspace(-1, 2, 12, dtype=torch.float64).reshape(3, 4)
    nodes = (
        Node(Reshape(image_shape, (4,)), (-1,), (4,)),
        Node(Dense(weight, None, (4,)), (0,), (3,)),
        Node(Relu(), (1,), (3,)),
    )
    return Network(nodes, image_shape)


NETWORK = chain()
BOX = interval_activations(NETWORK, IMAGES / 2, IMAGES)
record(
    "adversarial.bounds.networks.MaxPool",
    {"kernel": (2, 2), "stride": (2, 2)},
    kernel=(3, 2),
    stride=(1, 2),
    padding=(1, 0, 0, 0),
)
record(
    "adversarial.bounds.networks.Node", {"op": Relu(), "inputs": (0,), "shape": (3,)}, op=Add(), inputs=(1,), shape=(4,), name="a"
)  # fmt: skip
record(
    "adversarial.bounds.networks.Network", {"nodes": NETWORK.nodes, "image_shape": SHAPE}, nodes=NETWORK.nodes[:2],
    image_shape=(4, 1, 1), precision="float16", softmax=True,
)  # fmt: skip
case(
    "adversarial.bounds.networks.Network.to", {"self": NETWORK, "device": "cpu"},
    lambda found, tools, arguments: str(found.nodes[1].op.weight.device), device="meta",
)  # fmt: skip
for told in ("activations", "evaluate"):
    case(f"adversarial.bounds.networks.{told}", {"network": NETWORK, "images": IMAGES}, network=chain(2.0), images=IMAGES / 2)
case(
    "adversarial.bounds.networks.interval_activations", {"network": NETWORK, "low": IMAGES / 2, "high": IMAGES}, network=chain(2.0),
    low=IMAGES / 3, high=IMAGES + 1,
)  # fmt: skip
case(
    "adversarial.bounds.networks.inference_error", {"network": NETWORK, "intervals": BOX}, network=chain(2.0),
    intervals=interval_activations(NETWORK, IMAGES, IMAGES - 1), precision="float64", rows=torch.eye(3)[1:],
    backwards=False,
    sums=[None, torch.zeros(1, 3, dtype=torch.float64), None],
)  # fmt: skip


def written(tools, bias):
    """A file of ONNX whose input's shape does not say where the channels are."""
    import onnx

    make, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    steps = [make("Flatten", ["image"], ["a"]), make("Add", ["a", "b"], ["scores"])]
    constants = [onnx.numpy_helper.from_array(np.full(18, bias, np.float32), "b")]
    graph = onnx.helper.make_graph(steps, "g", [value("image", 1, ["n", 3, 2, 3])], [value("scores", 1, None)], constants)
    path = tools.folder / f"{bias}.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def read(network, tools, arguments):
    from adversarial.bounds.networks import evaluate

    return network.image_shape, evaluate(network, np.linspace(0, 1, 18).reshape(1, *network.image_shape))


case(
    "adversarial.bounds.networks.read_onnx", {"path": later(lambda tools: written(tools, 1)), "channels": "first"}, read,
    path=later(lambda tools: written(tools, 2)), channels="last",
)  # fmt: skip
case(
    "adversarial.bounds.networks.read_module", {"module": nn.Flatten(), "image_shape": (3, 2, 3)}, read,
    module=nn.Sequential(nn.Flatten(), nn.Threshold(0.5, 0.5), nn.Flatten()), image_shape=(2, 3, 3),
)  # fmt: skip
