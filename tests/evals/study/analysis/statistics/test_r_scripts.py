"""The R script, run by R where there is one, against the mixed models in Python."""

import csv
import math
import shutil
import subprocess

import numpy as np
import pytest

from evals.study import Answer, Answers, Participant
from evals.study.analysis.statistics import Crossed, ScriptModel, mixed_model, r_script
from saywhy_core.errors import UsageError

NAMES = ('=heat "map" \\n', "ütf 😀", "plain")


def test_names_cannot_leave_their_quotes():
    model = ScriptModel(measure='"; system("rm")', kind="linear", column="value", reference="a\nb", conditions=("c\\",))
    script = r_script([model], answers='"x"')
    assert r'fit("\"; system(\"rm\")", "linear", "value", "", "a\u000ab", c("c\\"))' in script
    assert r'default_answers <- "\"x\""' in script
    assert script.isascii()


@pytest.mark.parametrize(
    ("models", "options", "said"),
    [
        ([], {}, "no model"),
        ([{"kind": "probit"}], {}, "no model 'probit'"),
        ([{"column": "response"}], {}, "no values in 'response'"),
        ([{"measure": "a\0"}], {}, "NUL"),
        ([{}], {"level": 1}, "level of 1"),
    ],
)
def test_what_cannot_be_used_is_refused(models, options, said):
    made = [ScriptModel(**{"measure": "m", "kind": "linear", "column": "value", "reference": "a", **model}) for model in models]
    with pytest.raises(UsageError, match=said):
        r_script(made, **options)


@pytest.fixture(scope="module")
def study():
    """Answers to two questions per page, and the three measures of them."""
    rng = np.random.default_rng(3)
    person, item = (part.ravel() for part in np.indices((18, 12)))
    condition = (person + item) % 3
    predictor = np.array([0.5, 1.0, 1.4])[condition] + rng.normal(0, 0.8, 18)[person] + rng.normal(0, 0.6, 12)[item]
    right = predictor + rng.logistic(size=216) > 0
    rating = 1.0 + np.searchsorted([-1, 0.5, 2], predictor + rng.logistic(size=216))
    seconds = np.exp(2 + 0.2 * condition + rng.normal(0, 0.2, 18)[person] + rng.normal(0, 0.4, 216))
    rows = []
    for n in range(216):
        shared = {
            "participant": f"p{person[n]}", "phase": "trial", "item": f"i{item[n]}", "condition": NAMES[condition[n]],
            "step": n, "trial": n, "seconds": float(seconds[n]),
        }  # fmt: skip
        said = "yes" if right[n] else ""  # no answer is a wrong one
        correct = True if said else None
        rows.append(Answer(task="guess", kind="simulation", response=said, expected="yes", correct=correct, **shared))
        own = {**shared, "step": n + 1000, "seconds": 0.25 * float(seconds[n])} if n % 2 else shared  # on a page of its own
        rows.append(Answer(task="ease", kind="rating", response="x", value=float(rating[n]), **own))
    rows.append(
        Answer(participant="p0", phase="practice", task="ease", kind="rating", response="x", value=99.0, condition="plain")
    )
    answers = Answers(tuple(rows), {f"p{n}": Participant(code=f"p{n}") for n in range(18)})
    names = [tuple(f"{letter}{n}" for n in range(size)) for letter, size in (("p", 18), ("i", 12))]
    crossed = Crossed(rating, person, item, condition, *names, NAMES)
    return answers, {
        "guess": crossed.with_values(right),
        "ease": crossed,
        "seconds": crossed.with_values(np.log(seconds * np.where(np.arange(216) % 2, 1.25, 1))),
    }


@pytest.mark.long
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_deviations_keep_their_names_with_as_many_people_as_items(tmp_path):
    """Planted: participants differ by 2 log odds, items not at all."""
    rng = np.random.default_rng(2)
    person, item = (part.ravel() for part in np.indices((12, 12)))
    rating = 1.0 + np.searchsorted([-2, 0, 2], rng.normal(0, 2, 12)[person] + rng.logistic(size=144))
    rows = tuple(
        Answer(
            participant=f"p{p}", phase="trial", task="ease", kind="rating", response="x", value=float(value), item=f"i{i}",
            condition="ab"[(p + i) % 2], step=i, trial=i,
        )
        for p, i, value in zip(person.tolist(), item.tolist(), rating.tolist(), strict=True)
    )  # fmt: skip
    model = ScriptModel(measure="ease", kind="cumulative", column="value", task="ease", reference="a")
    found = run(tmp_path, Answers(rows, {f"p{n}": Participant(code=f"p{n}") for n in range(12)}), [model])
    told = {row["term"].split()[-1]: float(row["estimate"]) for row in found if row["term"].startswith("standard")}
    assert told["participants"] > 1.2
    assert told["items"] < 0.6


def run(tmp_path, answers, models):
    (tmp_path / "tidy.csv").write_text(answers.to_csv(), encoding="utf-8")
    (tmp_path / "models.R").write_text(r_script(models), encoding="utf-8")
    done = subprocess.run(["Rscript", "models.R"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "models_in_r.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.long
@pytest.mark.skipif(
    shutil.which("Rscript") is None, reason="R is not installed (Debian: r-base-core r-cran-lme4 r-cran-ordinal)"
)
@pytest.mark.parametrize(
    "models",
    [
        (
            ScriptModel(measure="guess", kind="binomial", column="correct", task="guess", reference="plain"),
            ScriptModel(measure="ease", kind="linear", column="value", task="ease", reference="plain"),
            ScriptModel(measure="seconds", kind="linear", column="seconds", reference="plain"),
        ),
        (ScriptModel(measure="ease", kind="cumulative", column="value", task="ease", reference="plain"),),
    ],
)
def test_r_computes_the_same(study, tmp_path, models):
    answers, measures = study
    found = run(tmp_path, answers, models)
    for model in models:
        rows = {row["term"]: row for row in found if (row["measure"], row["model"]) == (model.measure, model.kind)}
        ours = mixed_model(measures[model.measure], model.kind, reference="plain")
        assert set(rows) == {one.name for one in ours.coefficients} | {
            f"standard deviation of {name}" for name in ours.deviations
        }
        for one in ours.coefficients:
            assert float(rows[one.name]["estimate"]) == pytest.approx(one.estimate, abs=1e-3)
            assert float(rows[one.name]["error"]) == pytest.approx(one.error, rel=1e-3)
            if one.name in NAMES and math.isinf(one.freedom):
                assert float(rows[one.name]["p"]) == pytest.approx(one.p, rel=1e-2)
        for name, value in ours.deviations.items():
            assert float(rows[f"standard deviation of {name}"]["estimate"]) == pytest.approx(value, abs=2e-3)
        assert {int(row["answers"]) for row in rows.values()} == {ours.answers}


@pytest.mark.long
@pytest.mark.skipif(
    shutil.which("Rscript") is None, reason="R is not installed (Debian: r-base-core r-cran-lme4 r-cran-ordinal)"
)
def test_r_tells_separation_and_what_fails(study, tmp_path):
    answers, _ = study
    rows = tuple(row for row in answers.rows if row.condition != "plain" or row.response or row.task == "ease")
    models = [
        ScriptModel(measure="guess", kind="binomial", column="correct", task="guess", reference=NAMES[0], conditions=NAMES[1:]),
        ScriptModel(measure="none", kind="linear", column="value", task="none", reference=NAMES[0]),
    ]
    found = run(tmp_path, Answers(rows, answers.participants), models)
    assert [row["estimate"] for row in found if row["term"] == "plain"] == ["Inf"]
    assert [row["term"] for row in found if row["measure"] == "none"] == ["(no model)"]
    assert next(row["note"] for row in found if row["measure"] == "none")
