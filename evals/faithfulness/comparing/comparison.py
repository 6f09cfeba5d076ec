"""What a comparison of methods found, and its tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evals.faithfulness.hiding.inputs import input_key
from evals.tables import Table
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from evals.faithfulness.evaluation import Evaluation
    from verbalize.saliency import Saliency

RANDOM = "random"
"""The row of shuffled maps, which every method should beat."""


@dataclass(frozen=True, eq=False)
class Run:
    """One method on all inputs, for one kind of question.

    Args:
        method: the name under which the method stands in the tables.
        question: the kind of question.
        maps: its maps, one per input.
        evaluation: what the metrics found; `None` if there are no maps.
        problem: why there are no maps, in a sentence; "" if there are.
        forwards: how many inputs went through the model to make the maps.
        backwards: how many went backwards.
        seconds: how long it took to make the maps.
    """

    method: str
    question: str
    maps: tuple[Saliency, ...] = ()
    evaluation: Evaluation | None = None
    problem: str = ""
    forwards: int = 0
    backwards: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class Comparison:
    """Methods × metrics × questions.

    Args:
        runs: what was found for each method and question.
        inputs: how many inputs there were.
        level: how often the intervals should cover the mean.
        settings: what the comparison was made with, for reports.
    """

    runs: tuple[Run, ...]
    inputs: int
    level: float
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def questions(self) -> tuple[str, ...]:
        """The kinds of question, in their order."""
        return tuple(dict.fromkeys(run.question for run in self.runs))

    def of(self, question: str) -> tuple[Run, ...]:
        """The runs for one kind of question that have maps."""
        return tuple(run for run in self.runs if run.question == question and run.evaluation is not None)

    def table(self) -> Table:
        """One row per question, method, metric and fill: means with intervals, in logits and in probabilities."""
        rows = [
            {"question": run.question, "method": run.method, **row}
            for run in self.runs
            if run.evaluation is not None
            for row in run.evaluation.summary()
        ]
        return Table(tuple(rows[0]) if rows else ("question", "method"), tuple(rows), {"inputs": self.inputs})

    def costs(self) -> Table:
        """One row per question and method: what its maps cost, and what the metrics cost.

        "metric forwards" are those that the metrics need for the method by itself. Masked inputs that several methods need,
        such as those with random sets hidden, are run once for all of them.
        """
        columns = (
            "question",
            "method",
            "maps",
            "forwards",
            "backwards",
            "seconds",
            "metric forwards",
            "metric seconds",
            "problem",
        )
        rows = [
            {
                "question": run.question, "method": run.method, "maps": len(run.maps), "forwards": run.forwards,
                "backwards": run.backwards, "seconds": run.seconds,
                "metric forwards": run.evaluation.forwards if run.evaluation else 0,
                "metric seconds": run.evaluation.seconds if run.evaluation else 0.0, "problem": run.problem,
            }
            for run in self.runs
        ]  # fmt: skip
        return Table(columns, tuple(rows))

    def values(self) -> Table:
        """One row per question, method, input, metric and fill."""
        rows = [
            {"question": run.question, "method": run.method, **{key: row[key] for key in row if key not in ("map", "method")},
             "input": row["map"]}
            for run in self.runs
            if run.evaluation is not None
            for row in run.evaluation.table()
        ]  # fmt: skip
        return Table(tuple(rows[0]) if rows else ("question", "method"), tuple(rows))


def input_names(maps: Sequence[Saliency]) -> list[Hashable]:
    """What tells the input of each map from other inputs: equal inputs are no independent observations.

    A map over pixels that comes without its image stands for an input of its own.
    """
    return [
        input_key(one) if isinstance(one, TokenSaliency) or one.image is not None else ("map", row)
        for row, one in enumerate(maps)
    ]
