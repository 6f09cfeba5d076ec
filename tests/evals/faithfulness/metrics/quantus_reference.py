"""What Quantus says of the maps in a file: run with the Python that SAYWHY_QUANTUS names, python quantus_reference.py IN OUT.

It shares nothing with saywhy: the network is written out here, and its weights, images, maps, sets and noise are in the file.
"""

import sys
import warnings

import numpy as np
import quantus
import torch
from torch import nn
from torch.nn import functional

warnings.simplefilter("ignore")
if not hasattr(np, "trapz"):
    np.trapz = np.trapezoid  # noqa: NPY201  # Quantus calls it by the name that numpy 2 has dropped
given = np.load(sys.argv[1])
images, labels, maps = given["images"], given["labels"], given["maps"]  # N×3×H×W, (N,), N×1×H×W


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = nn.Parameter(torch.from_numpy(given["kernel"]))
        self.weights = nn.Parameter(torch.from_numpy(given["weights"]))

    def forward(self, batch):
        return functional.relu(functional.conv2d(batch, self.kernel)).flatten(1) @ self.weights


network = Network().eval()
asked = {"model": network, "x_batch": images, "y_batch": labels, "a_batch": maps, "device": "cpu", "batch_size": len(images)}
quiet = {"disable_warnings": True, "display_progressbar": False}
answers = {}
step = int(given["step"])
flipping = quantus.PixelFlipping(features_in_step=step, perturb_baseline=0.0, **quiet)
answers["flipping"] = flipping(**asked)
area = quantus.PixelFlipping(features_in_step=step, perturb_baseline=0.0, return_auc_per_sample=True, **quiet)
answers["area"] = area(**asked)
black = quantus.PixelFlipping(features_in_step=step, perturb_baseline="black", **quiet)
answers["black"] = black(**asked)
monotone = quantus.Monotonicity(features_in_step=step, perturb_baseline="black", **quiet)
answers["monotone"] = monotone(**asked)

sets = given["sets"]  # samples×size, the values that are hidden together
turns = iter(np.repeat(np.arange(len(sets)), len(images)))
drawn, np.random.choice = np.random.choice, lambda *_args, **_kw: sets[next(turns)]
correlation = quantus.FaithfulnessCorrelation(
    nr_runs=len(sets), subset_size=sets.shape[1], perturb_baseline=0.0, return_aggregate=False, **quiet
)
answers["correlation"] = correlation(**asked)
np.random.choice = drawn

noise = iter(given["noise"])  # samples×N×3×H×W


def explain(model, inputs, targets, **_):
    pixels = torch.as_tensor(np.asarray(inputs), dtype=torch.float32).requires_grad_()
    chosen = model(pixels)[torch.arange(len(pixels)), torch.as_tensor(targets)].sum()
    (slope,) = torch.autograd.grad(chosen, pixels)
    return (slope * pixels).sum(dim=1, keepdim=True).detach().numpy()


sensitivity = quantus.MaxSensitivity(
    nr_samples=len(given["noise"]),
    perturb_func=lambda arr, **_: arr + next(noise).reshape(arr.shape).astype(arr.dtype),
    **quiet,
)
answers["sensitivity"] = sensitivity(**{**asked, "a_batch": explain(network, images, labels)}, explain_func=explain)
pointing = quantus.PointingGame(**quiet)
answers["pointing"] = pointing(**{**asked, "a_batch": given["tied"]}, s_batch=given["masks"])
np.savez(sys.argv[2], **{name: np.asarray(values, dtype=float) for name, values in answers.items()})
