"""The published crowd study of saliency verbalizations out of its own files, with the intervals that the paper lacks.

Run: python benchmarks/study/published.py FOLDER [--bootstrap 2000] [--quick]

FOLDER holds the CSV files of Feldhus et al. 2023 (DFKI-NLP/SMV), which do not come with saywhy. The mappings beside this script
say which of their columns is what. Printed are, for IMDb and AG News: the means per condition as macro-means over annotators,
where a blank answer is wrong, beside the published accuracies; 95 % intervals over annotators and items; the differences
between conditions with p by Holm's method; and what this says of the conclusions.

The published means use all files: those of groups 0 to 2, and of group 3 the rows that have a number (the others were shown to
nobody). Annotators 0 and 2 stand in two groups, under other conditions in each. Exit status 1 if a published figure does not
come out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]]

from evals.study.analysis import analyze  # noqa: E402
from evals.study.imports import read_columns  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evals.study.analysis import Analysis, Table
    from evals.study.answers import Answers

CONDITIONS = ("heatmap", "rationale", "template", "gpt")
SETS = {
    "IMDb": (
        "columns-imdb.yaml",
        "IMDb_G*_Anno*.csv",
        {"heatmap": 90.75, "rationale": 85.94, "template": 87.5, "gpt": 94.06},
    ),
    "AG News": ("columns-agnews.yaml", "AGNews_G*_Anno*.csv", {"heatmap": 79.83, "template": 79.5, "gpt": 77.6}),
}
"""The mapping, the files, and the published accuracy of each condition, in per cent."""
OTHERS = ("heatmap", "rationale", "template")
CLAIMS = (
    ("GPT texts are rated highest", "higher", "gpt", OTHERS, ("helpfulness", "ease")),
    ("GPT texts let people simulate the model best", "higher", "gpt", OTHERS, ("simulation",)),
    ("templates fall short of heatmaps", "lower", "template", ("heatmap",), ("simulation", "helpfulness")),
    ("templates fall short of GPT texts", "lower", "template", ("gpt",), ("simulation", "helpfulness")),
    ("templates are easier to understand than heatmaps and rationales", "higher", "template", OTHERS[:2], ("ease",)),
    ("GPT texts are easier to understand than heatmaps and rationales", "higher", "gpt", OTHERS[:2], ("ease",)),
)
"""The conclusions of the paper's abstract, and what its means on IMDb suggest: what, direction, condition, others, measures."""
LEVEL = 0.05


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bootstrap", type=int, default=2000)
    parser.add_argument("--quick", action="store_true", help="the means alone, without intervals")
    given = parser.parse_args(arguments)
    wrong = 0
    for name, (mapping, files, published) in SETS.items():
        answers = read_columns(sorted(given.folder.glob(files)), Path(__file__).parent / mapping)
        people, items = len(answers.participants), len(answers.items)
        print(f"\n## {name}: {len(answers.rows):,} answers of {people} annotators to {items} items\n")
        means = macro_means(answers)
        wrong += _print_means(means, published)
        if not given.quick:
            found = analyze(answers, bootstrap=given.bootstrap, reference="heatmap")
            _print_intervals(found)
            _print_claims(found, means)
    print("\nall published accuracies come out" if not wrong else f"\n{wrong} published accuracies do NOT come out")
    return 1 if wrong else 0


def macro_means(answers: Answers) -> dict[tuple[str, str], float]:
    """(measure, condition) -> the mean over annotators of each annotator's mean."""
    values: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in answers.rows:
        assert row.value is not None
        values.setdefault((row.task, row.condition), {}).setdefault(row.participant, []).append(row.value)
    return {key: sum(sum(one) / len(one) for one in people.values()) / len(people) for key, people in values.items()}


def _print_means(means: Mapping[tuple[str, str], float], published: Mapping[str, float]) -> int:
    print(f"{'':<11}{'simulation':>11}{'published':>11}{'helpfulness':>13}{'ease':>7}")
    wrong = 0
    for condition in CONDITIONS:
        if ("simulation", condition) not in means:
            continue
        accuracy = 100 * means["simulation", condition]
        wrong += abs(accuracy - published[condition]) > 0.005 + 1e-9
        print(
            f"{condition:<11}{accuracy:>10.2f}%{published[condition]:>10.2f}%{means['helpfulness', condition]:>13.2f}"
            f"{means['ease', condition]:>7.2f}"
        )
    return wrong


def _print_intervals(found: Analysis) -> None:
    tables = found.tables
    print("\n95 % intervals over annotators and items")
    for name in ("accuracy", "ratings"):
        for row in _rows(tables, name):
            mean, low, high = (_number(row[end], name) for end in ("mean", "low", "high"))
            print(f"  {row['measure']:<12}{row['condition']:<11}{mean} [{low}, {high}]")
    print("\ndifferences (p by Holm's method within each measure)")
    for row in _rows(tables, "differences"):
        form = "accuracy" if row["measure"] == "simulation" else "ratings"
        print(
            f"  {row['measure']:<12}{row['condition']:>9} - {row['reference']:<10}{_number(row['difference'], form)} "
            f"[{_number(row['low'], form)}, {_number(row['high'], form)}]  p {row['p_holm']:.3f}"
        )


def _print_claims(found: Analysis, means: Mapping[tuple[str, str], float]) -> None:
    print("\nwhat this says of the conclusions")
    differences = {(row["measure"], row["condition"], row["reference"]): row for row in _rows(found.tables, "differences")}
    for claim, direction, condition, others, measures in CLAIMS:
        told = [
            f"{measure} against {other}: {_verdict(differences, measure, condition, other, direction)}"
            for measure in measures
            for other in others
            if (measure, other) in means
        ]
        print(f"  {claim}\n" + "".join(f"    {one}\n" for one in told), end="")


def _verdict(differences: Mapping[Any, Mapping[str, object]], measure: str, one: str, other: str, direction: str) -> str:
    row, sign = differences.get((measure, one, other)), 1.0
    if row is None:
        row, sign = differences[measure, other, one], -1.0
    low, high = sorted(sign * float(str(row[end])) for end in ("low", "high"))
    if float(str(row["p_holm"])) >= LEVEL:
        return f"not decided ({low:+.3f} to {high:+.3f})"
    return f"{'holds' if (low > 0) == (direction == 'higher') else 'the contrary holds'} ({low:+.3f} to {high:+.3f})"


def _rows(tables: Mapping[str, Table], name: str) -> Sequence[Mapping[str, object]]:
    return tables[name].rows


def _number(value: object, table: str) -> str:
    return f"{100 * float(str(value)):6.2f}%" if table == "accuracy" else f"{float(str(value)):5.2f}"


if __name__ == "__main__":
    sys.exit(main())
