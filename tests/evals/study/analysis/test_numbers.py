"""The numbers of an analysis against others that were worked out by hand, by pandas and by statsmodels."""

import io
from dataclasses import replace

import numpy as np
import pytest

from evals.study import Answer, Answers, Participant
from evals.study.analysis import analyze
from saywhy_core.errors import UsageError

pytestmark = pytest.mark.long


@pytest.fixture(scope="session")
def analysis(answers):
    return analyze(answers, reference="nothing", bootstrap=200)


@pytest.fixture
def frame(analysis):
    pandas = pytest.importorskip("pandas")
    return pandas.read_csv(io.StringIO(analysis.tidy))


def rows_of(analysis, name, **where):
    return [row for row in analysis.tables[name].rows if all(row[key] == value for key, value in where.items())]


def test_fixed_columns(analysis):
    for name in ("accuracy", "ratings"):
        header = analysis.tables[name].to_csv().splitlines()[0]
        assert header == "condition,measure,mean,low,high,participants,items"


def test_means_are_those_of_the_participants_means(analysis, frame):
    for name, task, column in (("accuracy", "simulation", "correct"), ("ratings", "helpfulness", "value")):
        own = frame[frame.task == task].groupby(["condition", "participant"])[column].mean().groupby("condition").mean()
        found = {row["condition"]: row["mean"] for row in rows_of(analysis, name, measure=task)}
        assert found == pytest.approx(own.to_dict(), rel=1e-5)
    for row in analysis.tables["accuracy"].rows:
        assert row["low"] < row["mean"] < row["high"]
        assert (row["participants"], row["items"]) == (24, 20)


def test_times_are_counted_once_per_trial(analysis, frame):
    pages = frame.drop_duplicates(["participant", "trial"])
    logs = np.log(pages.seconds).groupby([pages.condition, pages.participant]).mean().groupby("condition").mean()
    medians = pages.groupby("condition").seconds.median()
    for row in analysis.tables["times"].rows:
        assert row["mean"] == pytest.approx(np.exp(logs[row["condition"]]), rel=1e-5)
        assert row["median"] == pytest.approx(medians[row["condition"]], rel=1e-5)


def test_holm_as_in_statsmodels(analysis):
    from statsmodels.stats.multitest import multipletests

    own = rows_of(analysis, "differences", measure="helpfulness")
    assert [(row["condition"], row["reference"]) for row in own] == [
        ("heatmap", "nothing"), ("words", "nothing"), ("words", "heatmap"),
    ]  # fmt: skip
    everything = multipletests([row["p"] for row in own], method="holm")[1]
    assert [row["p_holm_all"] for row in own] == pytest.approx(everything.tolist(), rel=1e-4)
    to_reference = multipletests([row["p"] for row in own[:2]], method="holm")[1]
    assert [row["p_holm"] for row in own[:2]] == pytest.approx(to_reference.tolist(), rel=1e-4)


def test_differences_are_those_of_the_means(analysis):
    means = {row["condition"]: row["mean"] for row in rows_of(analysis, "accuracy", measure="simulation")}
    for row in rows_of(analysis, "differences", measure="simulation"):
        assert row["difference"] == pytest.approx(means[row["condition"]] - means[row["reference"]], abs=2e-6)
        h = 2 * np.arcsin(np.sqrt(means[row["condition"]])) - 2 * np.arcsin(np.sqrt(means[row["reference"]]))
        assert row["effect"] == pytest.approx(h, abs=1e-4)
    times = {row["condition"]: row["mean"] for row in analysis.tables["times"].rows}
    for row in rows_of(analysis, "differences", measure="seconds"):
        assert row["difference"] == pytest.approx(times[row["condition"]] / times[row["reference"]], rel=1e-4)


def test_trust_where_the_model_is_right_and_where_it_is_wrong(analysis, frame):
    own = frame[frame.task == "trust"]
    said = (own.response == "right").astype(float)
    for row in analysis.tables["trust"].rows:
        inside = (own.condition == row["condition"]) & (own.item_model_right == ("yes" if row["model"] == "right" else "no"))
        expected = said[inside].groupby(own.participant[inside]).mean().mean()
        assert row["said_right"] == pytest.approx(expected, rel=1e-5)


def test_agreement_as_in_the_krippendorff_package(analysis, frame):
    krippendorff = pytest.importorskip("krippendorff")
    own = frame[(frame.task == "helpfulness") & (frame.condition == "words")]
    matrix = own.pivot(index="participant", columns="item", values="value").to_numpy()
    alpha = krippendorff.alpha(reliability_data=matrix, level_of_measurement="ordinal")
    (row,) = rows_of(analysis, "agreement", measure="helpfulness", condition="words")
    assert row["value"] == pytest.approx(alpha, rel=1e-5)


def test_subgroups(analysis, frame):
    own = frame[(frame.task == "simulation") & (frame.condition == "heatmap") & (frame.item_coverage <= 0.19)]
    expected = own.groupby("participant").correct.mean().mean()
    (row,) = rows_of(analysis, "subgroups", measure="simulation", condition="heatmap", subgroup="coverage", value="up to 0.19")
    assert row["mean"] == pytest.approx(expected, rel=1e-5)
    assert row["items"] == 10


def compared(pairs):
    """Answers that prefer: ((left, right), value of the left) per participant and item."""
    people = {f"p{n}": Participant(code=f"p{n}") for n in range(len(pairs))}
    rows = [
        Answer(participant=code, phase="trial", task="better", kind="preference", response="", item=f"i{i}", trial=i + 1,
               condition=f"{left} vs {right}", value=value)
        for code, own in zip(people, pairs, strict=True)
        for i, ((left, right), value) in enumerate(own)
    ]  # fmt: skip
    return Answers(tuple(rows), people)


def test_preferences_do_not_depend_on_the_side():
    one, other = ("words", "heatmap"), ("heatmap", "words")
    # words is preferred in 3 of 4, 2 of 4 and, with one "neither", in 3.5 of 4
    pairs = [
        [(one, 1.0), (other, 0.0), (one, 1.0), (other, 1.0)],
        [(one, 0.0), (other, 0.0), (one, 1.0), (other, 1.0)],
        [(one, 1.0), (other, 0.0), (one, 1.0), (other, 0.5)],
    ]
    found = analyze(compared(pairs), bootstrap=200)
    (row,) = found.tables["preferences"].rows
    assert (row["condition"], row["reference"]) == ("heatmap", "words")
    assert row["share"] == pytest.approx(1 - (0.75 + 0.5 + 0.875) / 3, rel=1e-5)


def test_an_unanswered_question_with_a_right_answer_is_wrong(answers):
    first = next(row for row in answers.rows if row.task == "simulation" and row.correct)
    blank = replace(first, response="", correct=None, value=None)
    found = analyze(replace(answers, rows=tuple(blank if row is first else row for row in answers.rows)), bootstrap=200)
    wrong = replace(first, response="x", correct=False, value=0.0)
    same = analyze(replace(answers, rows=tuple(wrong if row is first else row for row in answers.rows)), bootstrap=200)
    assert found.tables["accuracy"].rows == same.tables["accuracy"].rows
    assert "Without an answer: 1 question of simulation, which counts as wrong." in found.limits


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reference": "x"}, "the reference 'x' is no condition"),
        ({"subgroups": ["x"]}, "there is no fact 'x'"),
        ({"rules": {"x": 1}}, "there is no exclusion rule 'x'"),
        ({"rules": {"accuracy_below": 2}}, "accuracy_below can't be 2"),
        ({"alpha": 0.7}, "0.7; give a number above 0 and below 0.5"),
        ({"bootstrap": 10}, "is 10; give a number of resamples"),
    ],
)
def test_wrong_arguments_are_named(answers, arguments, message):
    with pytest.raises(UsageError, match=message):
        analyze(answers, **arguments)
