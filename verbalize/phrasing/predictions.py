"""Wordings about the model: what it predicts, how sure it is, and which label comes second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verbalize.phrasing.wording import wordings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verbalize.phrasing.wording import Wording

PREDICTIONS: Mapping[str, tuple[Wording, ...]] = {
    "predicted": wordings(
        "the model predicts {L}",
        "the model predicted {L}",
        "the prediction is {L}",
        "the model's prediction is {L}",
        "the predicted label is {L}",
        "the model's answer is {L}",
        "the model chooses {L}",
        "the model decides for {L}",
        "the model's choice is {L}",
        grown=(
            "the model classifies the {whole} as {L}",
            "the {whole} is classified as {L}",
            "the model assigns {L} to the {whole}",
            "the model labels the {whole} as {L}",
            "the model's decision is {L}",
        ),
        child=("the model says {L}",),
    ),
    "confidence": wordings(
        "the model is {share} sure of {L}",
        "the model is {share} confident in {L}",
        "the model gives {L} a probability of {share}",
        "the probability of {L} is {share}",
        "{L} has a probability of {share}",
        "the model's confidence in {L} is {share}",
        "the model is {share} certain of {L}",
        "the model puts the probability of {L} at {share}",
        "the model gives {L} {share}",
        grown=(
            "the model assigns {L} a probability of {share}",
            "the confidence in {L} is {share}",
            "the predicted probability of {L} is {share}",
            "the model assigns a probability of {share} to {L}",
        ),
    ),
    "predicted_confidence": wordings(
        "the model predicts {L} with a probability of {share}",
        "the model predicts {L} with a confidence of {share}",
        "the model predicts {L} and is {share} sure of it",
        "with a probability of {share}, the model predicts {L}",
        "the model predicts {L} with {share} confidence",
        "the model predicted {L} with a probability of {share}",
        "the prediction is {L}, with a probability of {share}",
        "the model's prediction is {L}, with a probability of {share}",
        "the model chooses {L}, with a probability of {share}",
        grown=(
            "the model classifies the {whole} as {L} with a probability of {share}",
            "the predicted label is {L}, with a probability of {share}",
            "with {share} confidence, the model predicts {L}",
        ),
    ),
    "runner_up": wordings(
        "the runner-up is {L}",
        "{L} is the runner-up",
        "the second most likely label is {L}",
        "{L} is the second most likely label",
        "the model's second choice is {L}",
        "{L} is the model's second choice",
        "the second choice of the model is {L}",
        "the next most likely label is {L}",
        "{L} is the next most likely label",
        grown=(
            "the second most probable label is {L}",
            "{L} is the second most probable label",
            "the model ranks {L} second",
            "the runner-up among the labels is {L}",
        ),
    ),
}
