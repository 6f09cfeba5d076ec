"""`saywhy study power`, `preregister` and `schema`, as they are typed."""

import json
import re
import xml.etree.ElementTree as ET

import pytest

from evals.study import Item, Stimulus

STUDY = """\
title: Do words help?
labels: [neg, pos]
conditions: [{name: heatmap, kind: heatmap}, {name: bare, kind: none}]
design: {kind: latin, items: 10, participants: 24}
tasks: [{name: simulation, kind: simulation}, {name: helpfulness, kind: rating, conditions: [heatmap]}]
practice: {items: 0}
exclusions: {failed_attention: 2, median_seconds_below: 3, trial_seconds_above: 120}
attention:
  - {name: red, after: 1, question: q, options: [a, b], answer: a}
  - {name: blue, after: 2, question: q, options: [a, b], answer: a}
analysis:
  alpha: 0.01
  subgroups: [label]
  hypotheses:
    - {task: simulation, condition: heatmap, reference: bare, claim: higher}
    - {task: simulation, condition: heatmap, reference: bare, claim: same, margin: 0.1}
"""


@pytest.fixture
def folder(tmp_path):
    shown = {"heatmap": Stimulus("<p>h</p>", "h"), "bare": Stimulus("", "")}
    items = [
        Item(id=f"i{n}", form="text", input=Stimulus("x", "x"), predicted="pos", labels=("neg", "pos"), stimuli=shown,
             facts={"label": "pos"})
        for n in range(10)
    ]  # fmt: skip
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(item.to_record()) + "\n" for item in items))
    return tmp_path


@pytest.mark.long
def test_a_preregistration_has_the_sections_of_the_form_and_says_what_the_file_says(folder, in_process):
    done = in_process.run_command("study", "preregister", folder, "--effect", "0.15")
    assert done.returncode == 0
    text = done.stdout
    assert re.findall(r"^## (.*)$", text, re.M) == [
        "Study Information", "Design Plan", "Sampling Plan", "Variables", "Analysis Plan", "Other"
    ]  # fmt: skip
    for part in (
        "1. Simulation is higher under heatmap than under bare.",
        "2. Simulation under heatmap and bare differs by less than 0.1.",
        "24 participants who complete the study, with 10 items each",
        "power to show a difference of +0.15 in simulation between heatmap and bare",
        "Two-sided tests at 0.01",
        "- failed 2 or more attention checks",
        "- have a median time per trial below 3 seconds",
        "- took more than 120 seconds",
        "subgroups by label",
        "**helpfulness** (rating, under heatmap)",
        "2 attention checks and 0 comprehension questions",
        "*To be filled in.*",
    ):
        assert part in text, part


@pytest.mark.long
def test_power_prints_the_curve_and_draws_it(folder, in_process, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "power.svg"
    words = ("study", "power", folder, "--effect", "0.1", "--effect", "0.15", "--participants", "12,24", "--simulations", "50")
    done = in_process.run_command(*words, "--out", out)
    assert done.returncode == 0
    assert len(re.findall(r"^ +(?:12|24) +[01]\.\d{3}", done.stdout, re.M)) == 4
    assert ET.parse(out).getroot().tag.endswith("svg")
    records = json.loads(in_process.run_command(*words, "--json").stdout)
    assert [one["effect"] for one in records] == [0.1, 0.15]
    assert [point["participants"] for point in records[0]["points"]] == [12, 24]


@pytest.mark.long
def test_without_an_effect_the_smallest_one_is_told(folder, in_process):
    done = in_process.run_command("study", "power", folder / "study.yaml", "--simulations", "50", "--base", "0.4")
    assert re.fullmatch(
        r"smallest effect that is shown with a power of 0.8: 0\.\d{3} \(\w+, \w+ against \w+, \d+ participants\)\n", done.stdout
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--effect", "0.1", "--participants", "a,b"), "--participants 'a,b' is no list of numbers"),
        (("--effect", "0.1", "--spread", "item=1"), "'item=1' is no standard deviation"),
        (("--effect", "0.1", "--spread", "items=x"), "which is no number"),
        (("--effect", "0.9"), "must lie between 0 and 1"),
        (("--out", "x.svg"), "--out goes with --effect or --margin"),
        (("--participants", "8,16"), "one number of participants"),
    ],
)
def test_wrong_words_are_told(folder, in_process, words, says):
    done = in_process.run_command("study", "power", folder, *words)
    assert done.returncode == 2
    assert says in done.stderr


def test_the_schema_is_printed(in_process):
    assert json.loads(in_process.run_command("study", "schema").stdout)["title"] == "StudyFile"


def test_each_error_of_a_file_stands_on_a_line(folder, in_process):
    (folder / "study.yaml").write_text(STUDY.replace("kind: none", "kind: nome").replace("kind: latin", "kind: latni"))
    done = in_process.run_command("study", "power", folder, "--effect", "0.1")
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if "study.yaml, line" in line]
    assert [re.search(r"line (\d+)", line)[1] for line in lines] == ["3", "4"]
    assert "did you mean 'none'" in lines[0]
