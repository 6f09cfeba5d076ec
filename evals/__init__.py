"""Evaluates explanations: the wording of texts about maps, and prompts for image-text models."""

from __future__ import annotations

from saywhy_core.moved import moved

moved({"evals.wording.measure": "evals.wording", "evals.prompts.evaluate": "evals.prompts"})
