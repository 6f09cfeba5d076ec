"""Agreement between participants, per condition."""

from __future__ import annotations

from evals.study.analysis.nouns import table


def agreement_table(answers, measures, settings):
    return table(
        "agreement",
        "Agreement",
        ("condition", "measure", "statistic", "value", "low", "high", "participants", "items", "note"),
        [],
    )
