"""Mixed models."""

from __future__ import annotations

from evals.study.analysis.nouns import table


def models_table(measures, settings):
    return table(
        "models",
        "Mixed models",
        ("measure", "model", "term", "estimate", "error", "low", "high", "statistic", "p", "answers", "note"),
        [],
    ), ()


def script_of(measures, settings):
    return ""
