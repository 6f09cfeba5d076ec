"""The same network in the process of saywhy: what the servers must answer."""

import numpy as np
from network import logits, probabilities


def tensors(images):
    return logits(images)


def pictures(images):
    """One picture of 8 bits at a time, as the endpoints get them."""
    return np.concatenate([probabilities(np.rint(one * np.float32(255)).astype(np.uint8)) for one in images])
