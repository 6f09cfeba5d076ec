"""How good is an explanation? Metrics and benchmarks."""

from __future__ import annotations

from saywhy_core.moved import moved

moved({"evals.wording.measure": "evals.wording", "evals.prompts.evaluate": "evals.prompts"})
