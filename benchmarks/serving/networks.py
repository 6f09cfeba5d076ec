"""The ResNet-20 of `shared/data` as a program of torch.export, from the weights that lie beside the ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DEPTH = 3  # blocks per stage: 20 layers


def export_resnet20(weights: Path, file: Path) -> Path:
    """Write the network (N, 3, 32, 32) in [0, 1] -> logits (N, 10) for batches of any size; `weights` has torch's names."""
    import torch
    from torch import nn
    from torch.nn.functional import pad, relu

    class Block(nn.Module):
        def __init__(self, inside: int, out: int) -> None:
            super().__init__()
            stride = 1 if inside == out else 2
            self.conv1, self.bn1 = nn.Conv2d(inside, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
            self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
            self.stride, self.more = stride, (out - inside) // 2

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            straight = x if self.stride == 1 else pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more, self.more))
            return relu(self.bn2(self.conv2(relu(self.bn1(self.conv1(x))))) + straight)

    class ResNet20(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
            for stage, (inside, out) in enumerate(((16, 16), (16, 32), (32, 64)), 1):
                blocks = [Block(inside if place == 0 else out, out) for place in range(DEPTH)]
                setattr(self, f"layer{stage}", nn.Sequential(*blocks))
            self.linear = nn.Linear(64, 10)
            self.register_buffer("mean", torch.tensor(MEAN)[None, :, None, None])
            self.register_buffer("deviation", torch.tensor(DEVIATION)[None, :, None, None])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = relu(self.bn1(self.conv1((x - self.mean) / self.deviation)))
            x = self.layer3(self.layer2(self.layer1(x)))
            return self.linear(x.mean((2, 3)))

    network = ResNet20()
    with np.load(weights) as kept:
        known = {name: torch.tensor(kept[name]) for name in kept.files}
    missing, unknown = network.load_state_dict(known, strict=False)
    own = {"mean", "deviation"}
    left = [name for name in missing if name not in own and not name.endswith("num_batches_tracked")]
    if left or unknown:
        raise ValueError(f"{weights} has other weights than a ResNet-20: {[*left, *unknown][:3]}")
    program = torch.export.export(
        network.eval(), (torch.rand(2, 3, 32, 32),), dynamic_shapes={"x": {0: torch.export.Dim.DYNAMIC}}
    )
    torch.export.save(program, file)
    return file
