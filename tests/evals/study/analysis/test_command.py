"""`saywhy study analyze`, as people call it."""

import csv
from pathlib import Path

import pytest

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[4]
CROWD = ROOT.parent / "shared" / "data" / "smv_crowd"


@pytest.fixture
def call(in_process):
    return lambda *arguments: in_process.run_command("study", "analyze", *map(str, arguments), folder=ROOT)


@pytest.fixture
def tidy(answers, tmp_path):
    place = tmp_path / "answers.csv"
    place.write_text(answers.to_csv(), encoding="utf-8")
    return place


def test_a_tidy_table_becomes_a_folder(call, tidy, tmp_path):
    done = call(
        tidy, "--out", tmp_path / "out", "--reference", "nothing", "--bootstrap", 200, "--exclude-rule", "accuracy_below=0.4"
    )
    assert done.returncode == 0, done.stderr
    for name in (
        "accuracy.csv",
        "ratings.csv",
        "report.html",
        "results.md",
        "results.tex",
        "results.json",
        "tidy.csv",
        "flow.svg",
    ):
        assert (tmp_path / "out" / name).stat().st_size > 0
    assert "exclusion rule accuracy_below,0.4" in (tmp_path / "out" / "settings.csv").read_text()
    assert "Participants named the label that the model chose in" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--exclude-rule", "accuracy_below"], "has no value"),
        (["--exclude-rule", "accuracy_below=much"], "is no number"),
        (["--exclude-rule", "luck=1"], "no exclusion rule 'luck'"),
        (["--reference", "x"], "no condition of the answers"),
    ],
)
def test_wrong_options_are_told(call, tidy, tmp_path, options, message):
    done = call(tidy, "--out", tmp_path / "out", *options)
    assert done.returncode != 0
    assert message in done.stderr
    assert not (tmp_path / "out" / "report.html").exists()


@pytest.mark.skipif(not CROWD.is_dir(), reason="the published answers are not on this machine")
@pytest.mark.parametrize(
    ("task", "columns", "published"),
    [
        ("IMDb", "columns-imdb.yaml", {"heatmap": 90.75, "rationale": 85.94, "template": 87.5, "gpt": 94.06}),
        ("AGNews", "columns-agnews.yaml", {"heatmap": 79.83, "template": 79.50, "gpt": 77.60}),
    ],
)
def test_the_published_study(call, task, columns, published, tmp_path):
    files = sorted(CROWD.glob(f"{task}_G*.csv"))
    done = call(*files, "--columns", ROOT / "benchmarks" / "study" / columns, "--out", tmp_path / "out", "--bootstrap", 200)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "out" / "accuracy.csv").open()))
    assert {row["condition"]: round(100 * float(row["mean"]), 2) for row in rows} == pytest.approx(published, abs=0.006)
    assert all(float(row["low"]) < float(row["mean"]) < float(row["high"]) for row in rows)
