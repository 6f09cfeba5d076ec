"""Published explanations in which labels were masked: which of them name a label all the same?

Run: python benchmarks/study/leaks.py [--data FOLDER] [--show]

FOLDER holds `IMDb_labels_and_texts.csv` and `AGNews_labels_and_texts.csv` of the study of Feldhus et al. 2023, in which people
guessed what a model chose from texts with "{placeholder}" in the place of labels. For each kind of text ("SMV": templates,
"GPT": a language model) the table counts the texts, and those in which the leak check of `saywhy study build` finds the name of
a label. Into each of the others, a name is put in the place of the first placeholder: as it is, with a capital, in capitals, or
with another ending; the last column counts those that are found. --show prints the texts that name a label.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]]

from evals.study.stimuli.file import PLACEHOLDER  # noqa: E402
from evals.study.stimuli.leaks import leaks_in, names_of  # noqa: E402

LABELS = {"IMDb": ("positive", "negative"), "AGNews": ("World", "Sports", "Business", "Sci/Tech")}
PLANTED = {
    "IMDb": ("positive", "Negative", "POSITIVE", "negatively", "positivity"),
    "AGNews": ("world", "Sports", "BUSINESS", "sci/tech", "technological"),
}


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a table that hold an explanation, each with its input under "own"."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    inputs = {row["ID"]: row["Input Text"] for row in rows if (row.get("Input Text") or "").strip()}
    kept = [row for row in rows if (row.get("Explanation") or "").strip() and row["Type"] in ("SMV", "GPT")]
    return [{**row, "own": inputs.get(row["ID"], "")} for row in kept]


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "smv_crowd")
    options.add_argument("--show", action="store_true")
    given = options.parse_args()
    if not given.data.is_dir():
        print(f"{given.data} is not there: nothing is measured")
        return
    print("| task | texts | number | name a label | found of those planted |\n| --- | --- | ---: | ---: | ---: |")
    shown = []
    for task, labels in LABELS.items():
        names = names_of(labels)
        rows = rows_of(given.data / f"{task}_labels_and_texts.csv")
        for kind in ("SMV", "GPT"):
            texts = [row for row in rows if row["Type"] == kind]
            named = [row for row in texts if leaks_in(PLACEHOLDER.sub("the label", row["Explanation"]), names, row["own"])]
            shown += [f"{task} {row['ID']}: {' '.join(row['Explanation'].split())}" for row in named]
            planted = found = 0
            for number, row in enumerate(texts):
                if row in named or not PLACEHOLDER.search(row["Explanation"]):
                    continue
                word = PLANTED[task][number % len(PLANTED[task])]
                text = PLACEHOLDER.sub(f" {word} ", row["Explanation"], count=1)
                planted += 1
                found += bool(leaks_in(PLACEHOLDER.sub("the label", text), names, row["own"]))
            print(f"| {task} | {kind} | {len(texts)} | {len(named)} | {f'{found} of {planted}' if planted else '-'} |")
    if given.show:
        print("\n".join(shown))


if __name__ == "__main__":
    main()
