"""`saywhy study analyze`, as people call it."""

import csv
import json
from pathlib import Path

import httpx
import pytest

from evals.study import Item, Stimulus, open_study
from evals.study.server import open_store, running, study_app

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


def test_nothing_is_written_over_what_is_read(call, tidy, tmp_path):
    own = tmp_path / "out" / "tidy.csv"
    own.parent.mkdir()
    own.write_bytes(tidy.read_bytes())
    done = call(own, "--out", own.parent, "--bootstrap", 200)
    assert done.returncode == 2
    assert "is one of the files that are read" in done.stderr
    assert [path.name for path in own.parent.iterdir() if not path.name.endswith(".lock")] == ["tidy.csv"]


STUDY = """
version: 1
title: One question
labels: [negative, positive]
conditions: [{name: nothing, kind: none}]
design: {kind: within, items: 6, participants: 10}
tasks: [{name: simulation, kind: simulation}]
consent: {text: Please read.}
attention: [{name: blue, after: 3, question: Choose blue., options: [red, blue], answer: blue}]
practice: {items: 0}
"""


@pytest.fixture
def served(tmp_path):
    """A study's folder whose server three people came to: one always says positive, one fails the check, one leaves."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    shown = Stimulus("<p>film</p>", "film")
    items = [
        Item(
            id=f"m{n}", form="text", input=shown, predicted="positive" if n < 4 else "negative", labels=("negative", "positive"),
            stimuli={"nothing": Stimulus("", "")},
        )
        for n in range(6)
    ]  # fmt: skip
    (folder / "items.jsonl").write_text("".join(json.dumps(item.to_record()) + "\n" for item in items))
    store = open_store(open_study(folder), folder / "answers.db")
    try:
        with running(study_app(store)) as address, httpx.Client(base_url=address, timeout=30) as client:
            for colour, pages in (("blue", 99), ("red", 99), ("blue", 4)):
                joined = client.post("api/join", json={"link": {}}).raise_for_status().json()
                known = {"agree": True, "blue": colour, "simulation": "positive"}
                for step in joined["steps"][:pages]:
                    body = {
                        "step": step["number"], "responses": {one["name"]: known[one["name"]] for one in step["questions"]},
                        "seconds": 5.0,
                    }  # fmt: skip
                    head = {"Authorization": f"Bearer {joined['token']}"}
                    assert client.post("api/answers", json=body, headers=head).raise_for_status().json()["accepted"]
    finally:
        store.close()
    return folder


def test_a_studys_own_database(call, served, tmp_path):
    done = call(served, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    (row,) = csv.DictReader((tmp_path / "out" / "accuracy.csv").open())
    assert row == {
        "condition": "nothing",
        "measure": "simulation",
        "mean": row["mean"],
        "low": "",
        "high": "",
        "participants": "1",
        "items": "6",
    }
    assert float(row["mean"]) == pytest.approx(4 / 6, abs=1e-6)
    stages = {one["stage"]: one["participants"] for one in csv.DictReader((tmp_path / "out" / "flow.csv").open())}
    assert stages == {
        "joined": "3", "consented": "3", "did not finish": "1", "completed": "2", "failed attention checks": "1", "analysed": "1",
    }  # fmt: skip
    assert "(no interval)" in done.stdout
    for options in (["--study", served], ["--format", "tidy"]):
        refused = call(served, "--out", tmp_path / "again", *options)
        assert refused.returncode == 2
        assert f"{options[0]} has no effect beside it" in refused.stderr
