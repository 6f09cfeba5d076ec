"""Evaluates explanations: the wording of texts about maps, and prompts for image-text models."""

from __future__ import annotations

from saywhy_core.moved import moved

moved(
    {
        "evals.prompt_controls": "evals.prompts.controls",
        "evals.prompts.evaluate": "evals.prompts",
        "evals.wording.measure": "evals.wording",
        "evals.wording_suite": "evals.wording.suite",
    }
)
