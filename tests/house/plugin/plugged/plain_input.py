"""An attribution method that asks no model: a pixel matters as much as it is bright, each piece of a text matters 1."""

from __future__ import annotations

import torch

from verbalize.attribution import Explainer, Method


def pixels(question):
    """The image itself, 1×C×H×W."""
    return question.batch.detach()


def tokens(question):
    """Ones, 1×L."""
    return torch.ones(question.ids.shape, dtype=torch.float64)


PLAIN_INPUT = Method("the input itself, a baseline to compare methods with", tokens=Explainer(tokens), pixels=Explainer(pixels))
