"""How much people and items differ in the published crowd study: what the defaults of `saywhy study power` rest on.

Run: python benchmarks/study/spread.py FOLDER

FOLDER holds the CSV files of Feldhus et al. 2023 (DFKI-NLP/SMV), which do not come with saywhy. Needs Rscript and lme4. Printed
are standard deviations of crossed mixed models with effects of participants, items, and both by condition: in logits for
simulation, in points for ratings, with the mean answer. Exit status 2 if something needed is missing.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]]

from evals.study.imports import read_columns  # noqa: E402

SETS = {"IMDb": ("columns-imdb.yaml", "IMDb_G*_Anno*.csv"), "AG News": ("columns-agnews.yaml", "AGNews_G*_Anno*.csv")}
SCRIPT = """
suppressMessages(library(lme4))
d <- read.csv(commandArgs(TRUE)[1])
d <- d[d$phase == "trial" & !is.na(d$value), ]
d$person_condition <- paste(d$participant, d$condition)
d$item_condition <- paste(d$item, d$condition)
f <- value ~ condition + (1 | participant) + (1 | item) + (1 | person_condition) + (1 | item_condition)
for (task in unique(d$task)) {
  one <- d[d$task == task, ]
  fit <- if (all(one$value %in% c(0, 1))) suppressWarnings(glmer(f, one, binomial, control = glmerControl("bobyqa")))
         else suppressWarnings(lmer(f, one))
  v <- as.data.frame(VarCorr(fit))
  cat(sprintf("  %-12s mean %.3f;", task, mean(one$value)), paste(sprintf("%s %.2f", v$grp, v$sdcor), collapse = ", "), "\\n")
}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    if not folder.is_dir() or shutil.which("Rscript") is None:
        print("needs the folder of the crowd study, and Rscript with lme4")
        return 2
    for name, (mapping, pattern) in SETS.items():
        answers = read_columns(sorted(folder.glob(pattern)), Path(__file__).with_name(mapping))
        with tempfile.TemporaryDirectory() as place:
            table, script = Path(place, "answers.csv"), Path(place, "fit.R")
            table.write_text(answers.to_csv(), encoding="utf-8")
            script.write_text(SCRIPT, encoding="utf-8")
            print(name, flush=True)
            subprocess.run(["Rscript", str(script), str(table)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
