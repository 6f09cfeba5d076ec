"""What is decided: planted effects are found, and what is not there is not."""

import json
from dataclasses import replace

import pytest

from evals.study import Answers, Item, Stimulus, open_study
from evals.study.analysis import analyze

pytestmark = pytest.mark.long
STUDY = """
version: 1
title: Which words help?
labels: [negative, positive]
conditions: [{name: nothing, kind: none}, {name: heatmap, kind: heatmap}, {name: words, kind: text}]
design: {kind: latin, items: 20}
tasks: [{name: simulation, kind: simulation}, {name: helpfulness, kind: rating}, {name: trust, kind: trust}]
analysis:
  reference: nothing
  bootstrap: 200
  hypotheses:
    - {task: simulation, condition: words, reference: nothing, claim: higher}
    - {task: simulation, condition: words, reference: nothing, claim: lower}
    - {task: helpfulness, condition: heatmap, reference: nothing, claim: same, margin: 0.5}
    - {task: helpfulness, condition: words, reference: nothing, claim: same, margin: 0.5}
    - {task: helpfulness, condition: heatmap, reference: nothing, claim: higher}
    - {task: helpfulness, condition: words, reference: heatmap, claim: different}
    - {task: trust, condition: words, reference: nothing, claim: different}
exclusions: {accuracy_below: 0.2}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.yaml").write_text(STUDY)
    shown = Stimulus("<p>good film</p>", "good film")
    items = [
        Item(
            id=f"m{n}", form="text", input=shown, predicted="positive", true="positive", labels=("negative", "positive"),
            stimuli=dict.fromkeys(("nothing", "heatmap", "words"), shown), facts={"label": "positive", "coverage": f"{n / 50}"},
        )
        for n in range(30)
    ]  # fmt: skip
    (folder / "items.jsonl").write_text("".join(json.dumps(item.to_record()) + "\n" for item in items))
    return open_study(folder)


@pytest.fixture(scope="module")
def planted(study, drawn):
    many = drawn(people=60, items=30, log_odds=(0.0, 0.0, 1.5), rating=(0.0, 0.0, 2.0), seed=3)
    return analyze(many, study=study)


def test_hypotheses_are_answered_one_by_one(planted):
    assert [row["verdict"] for row in planted.tables["hypotheses"].rows] == [
        "supported",
        "not supported",
        "supported",
        "not supported",
        "undecided",
        "supported",
        "undecided",
    ]
    said = [row["why"] for row in planted.tables["hypotheses"].rows]
    assert said[4] == "the answers are compatible with no difference, and with one"
    assert said[1] == "the difference is clear, and lies the other way"
    assert "the interval lies beyond the margin" in said[3]
    margins = [(row["condition"], row["equivalent"]) for row in planted.tables["equivalence"].rows]
    assert margins == [("heatmap", "yes"), ("words", "not shown")]


def test_the_words_call_nothing_the_same_without_a_margin(planted):
    words = " ".join(str(sentence) for one in planted.paragraphs for sentence in one.sentences)
    assert "Hypothesis 3, that helpfulness is the same with heatmap and with nothing, is supported" in words
    assert "Not decided is whether there is a difference between heatmap and nothing" in words
    assert "no difference" not in words.replace("compatible with no difference, and with one", "")
    assert "did not differ" not in words


def test_a_planted_effect_is_found_and_chance_is_not(drawn):
    found, false = 0, 0
    for seed in range(20):
        many = drawn(log_odds=(0.0, 0.0, 2.0), seed=seed)
        alone = tuple(replace(row, seconds=None) for row in many.rows if row.task == "simulation")
        effect = analyze(replace(many, rows=alone), reference="nothing", bootstrap=200, subgroups=[])
        rows = {row["condition"]: row for row in effect.tables["differences"].rows[:2]}
        assert {row["measure"] for row in rows.values()} == {"simulation"}
        found += rows["words"]["p_holm"] < 0.05
        false += rows["heatmap"]["p_holm"] < 0.05
    assert found >= 18  # a log odds of 2, from 0.69 to 0.94, over 160 answers each
    assert false <= 3  # of 20 true nulls at 5 %, four or more happen in 1.6 of 100 runs; these seeds are fixed


def test_few_answers_give_sentences_and_no_intervals(answers):
    one = answers.only(["P003"])
    alone = replace(one, rows=tuple(row for row in one.rows if row.item == "m1"))
    for few in (one, alone, replace(answers, rows=tuple(row for row in answers.rows if row.item == "m1"))):
        found = analyze(few, bootstrap=200)
        assert all(row["low"] is None and row["high"] is None for row in found.tables["accuracy"].rows)
        assert all(row["p"] is None for row in found.tables["differences"].rows)
        assert any("stand behind simulation" in limit for limit in found.limits)
    words = str(analyze(alone, bootstrap=200).paragraphs[1].sentences[-1])
    assert words == "There is only one condition, so nothing is compared."


def test_nobody_left_and_everybody_right(answers):
    nobody = analyze(answers, rules={"median_seconds_below": 1e6}, bootstrap=200)
    assert str(nobody.paragraphs[0].sentences[-1]) == "Nobody is left to analyse, so there are no results."
    assert not nobody.tables["accuracy"].rows
    rows = tuple(replace(row, correct=True, response=row.expected) if row.task == "simulation" else row for row in answers.rows)
    right = analyze(replace(answers, rows=rows), bootstrap=200)
    for row in right.tables["accuracy"].rows[:3]:
        # exact, for 20 items: 0.025 ** (1 / 20)
        assert (row["mean"], row["low"], row["high"]) == (1.0, pytest.approx(0.025 ** (1 / 20), rel=1e-5), 1.0)
    assert all(row["p"] is None for row in right.tables["differences"].rows if row["measure"] == "simulation")


def test_items_of_the_study_give_facts(study, answers):
    bare = Answers(answers.rows, answers.participants)
    assert not analyze(bare, bootstrap=200).tables["subgroups"].rows
    found = analyze(bare, study=study)
    assert {row["subgroup"] for row in found.tables["subgroups"].rows} == {"coverage"}
    assert "No subgroups by label: all have the value 'positive'." in found.limits
