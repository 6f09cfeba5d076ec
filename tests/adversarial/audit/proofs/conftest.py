"""A stand-in for the proofs, whose answers are known: what is done with them is what is tested here."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from adversarial import PixelBound, PixelProof
from saywhy_core.errors import UsageError


class Proofs:
    """Takes the place of `fewest_pixels`; `lower` pixels are proved to be needed, and `calls` says what was asked."""

    def __init__(self):
        self.lower, self.calls, self.interrupt, self.finished = 2, [], None, True

    def __call__(self, network, image, label, *, at_most, seconds, adversarial, journal, progress, threads, seed, earlier=None):
        resumed = journal is not None and Path(journal).exists()
        self.calls.append({"at_most": at_most, "seconds": seconds, "label": label, "resumed": resumed, "network": network})
        state = PixelProof(
            pixels=self.lower - 1, asked=at_most, finished=self.finished, share=1.0 if self.finished else 0.25, blocks=5,
            seconds=seconds / 2, rounding=1e-5, network="this ONNX file",
        )  # fmt: skip
        if progress is not None:
            progress(state)
        if journal is not None:
            Path(journal).write_text(json.dumps({"pixels": state.pixels}), encoding="utf-8")
        if self.interrupt is not None:
            stop, self.interrupt = self.interrupt, None
            raise stop
        upper = math.inf if adversarial is None else int((np.asarray(adversarial) != image).any(axis=2).sum())
        reached = None if adversarial is None else (label + 1) % 12
        return PixelBound(
            lower=min(self.lower, upper), upper=upper, label=label, witness=adversarial, witness_label=reached, proof=state
        )


@pytest.fixture
def proofs(monkeypatch):
    """The stand-in."""
    made = Proofs()
    monkeypatch.setattr("adversarial.bounds.pixels.fewest_pixels", made)
    monkeypatch.setattr("adversarial.bounds.subject.open_subject", lambda network, shape, threads: network)
    return made


@pytest.fixture
def first_refused(proofs, monkeypatch):
    """The stand-in, which can prove nothing about the first image that it is asked about."""

    def refuses(network, image, label, **more):
        if not proofs.calls:
            proofs.calls.append(None)
            raise UsageError("the network gives the image scores that are NaN")
        return proofs(network, image, label, **more)

    monkeypatch.setattr("adversarial.bounds.pixels.fewest_pixels", refuses)
