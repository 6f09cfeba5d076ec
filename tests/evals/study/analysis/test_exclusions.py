"""Who is analysed."""

from dataclasses import replace

import pytest

from evals.study import Answer, Answers, Participant
from evals.study.analysis import apply_exclusions
from evals.study.design.file import ExclusionsPart
from saywhy_core.errors import UsageError


def trial(code, number, *, correct=True, response="a", seconds=5.0, step=None, task="simulation"):
    return Answer(
        participant=code, phase="trial", task=task, kind="simulation", response=response, expected="a" if number % 2 else "b",
        correct=correct, value=float(correct), step=number if step is None else step, trial=number, item=f"i{number}",
        condition="plain", seconds=seconds,
    )  # fmt: skip


def asked(code, phase, task, *, correct, tries=1):
    return Answer(
        participant=code, phase=phase, task=task, kind="choice", response="x", expected="y", correct=correct, tries=tries
    )


@pytest.fixture
def crowd():
    """One participant for each way out, and two who stay."""
    rows = []
    people = {}

    def add(code, *own, status="complete", trials=6, **how):
        people[code] = Participant(code=code, status=status)
        agreed = Answer(participant=code, phase="consent", task="agree", kind="agree", response="true")
        rows.extend([agreed, *own, *(trial(code, n, response="ab"[n % 2], **how) for n in range(1, trials + 1))])

    people["refused"] = Participant(code="refused", status="left")
    people["withdrew"] = Participant(code="withdrew", status="withdrawn")
    add("sent", asked("sent", "comprehension", "job", correct=False, tries=2), status="screened out", trials=0)
    add("left", status="left", trials=2)
    add("active", status="active", trials=2)
    add(
        "confused",
        asked("confused", "comprehension", "job", correct=True),
        asked("confused", "comprehension", "job", correct=False, tries=2),
    )
    add("inattentive", asked("inattentive", "attention", "blue", correct=False))
    add("fast", seconds=0.5)
    add("wrong", correct=False)
    add("silent", trials=0)
    add(
        "second try",
        asked("second try", "comprehension", "job", correct=False),
        asked("second try", "comprehension", "job", correct=True, tries=2),
    )
    add("good")
    return Answers(tuple(rows), people)


RULES = ExclusionsPart(median_seconds_below=1, accuracy_below=0.5)


def test_each_leaves_by_one_rule_and_the_counts_add_up(crowd):
    kept, flow = apply_exclusions(crowd, RULES)
    assert set(kept.participants) == {"second try", "good"}
    assert {one.participant: one.rule for one in flow.exclusions} == {
        "refused": "no consent",
        "withdrew": "withdrawn",
        "sent": "screened_out",
        "left": "incomplete",
        "active": "incomplete",
        "confused": "failed_comprehension",
        "inattentive": "failed_attention",
        "fast": "median_seconds_below",
        "wrong": "accuracy_below",
        "silent": "no trials",
    }
    assert flow.to_text().splitlines() == [
        "joined: 12",
        "    - did not consent: 1",
        "consented: 11",
        "    - withdrew: 1",
        "    - were sent away after the comprehension questions: 1",
        "    - did not finish: 2",
        "completed: 7",
        "    - failed the comprehension questions: 1",
        "    - failed attention checks: 1",
        "    - answered too fast: 1",
        "    - were right too seldom: 1",
        "    - answered no trial: 1",
        "analysed: 2",
    ]
    boxes = [one for one in flow.stages if one.kept]
    assert boxes[0].participants - sum(one.participants for one in flow.stages if not one.kept) == boxes[-1].participants


def test_rules_that_are_off_leave_nobody_out(crowd):
    off = ExclusionsPart(incomplete=False, failed_comprehension=False, failed_attention=None)
    kept, flow = apply_exclusions(crowd, off)
    assert {"left", "active", "confused", "inattentive", "fast", "wrong"} <= set(kept.participants)
    assert "completed, or left after some answers: 9" in flow.to_text()


def test_a_page_with_two_questions_takes_its_time_once():
    rows = [trial("p", n, seconds=s, task=task) for n, s in ((1, 1.0), (2, 2.0), (3, 9.0)) for task in ("simulation", "other")]
    people = {"p": Participant(code="p")}
    answers = Answers(tuple(rows), people)
    # the median of 1, 2 and 9 is 2; of a page counted twice it would be 2 as well, but the sum of both questions would be 4
    assert apply_exclusions(answers, ExclusionsPart(median_seconds_below=2.1))[1].exclusions[0].detail == (
        "median 2.00 s on a trial, below 2.1 s"
    )
    assert not apply_exclusions(answers, ExclusionsPart(median_seconds_below=2))[1].exclusions


def test_a_trial_of_two_pages_takes_both_times():
    rows = [trial("p", 1, seconds=1.0, step=1), trial("p", 1, seconds=1.5, step=2, task="trust")]
    found = apply_exclusions(Answers(tuple(rows), {"p": Participant(code="p")}), ExclusionsPart(median_seconds_below=2.6))
    assert found[1].exclusions[0].detail.startswith("median 2.50 s")


def test_always_the_same_answer_but_not_where_that_is_right():
    same = [trial("bored", n, response="a") for n in range(1, 7)]
    right = [replace(trial("perfect", n, response="a"), expected="a") for n in range(1, 7)]
    few = [trial("few", n, response="a") for n in range(1, 5)]
    people = {code: Participant(code=code) for code in ("bored", "perfect", "few")}
    kept, flow = apply_exclusions(Answers((*same, *right, *few), people), ExclusionsPart(same_answer_share_above=0.9))
    assert set(kept.participants) == {"perfect", "few"}
    assert flow.exclusions[0].detail == "'a' in 6 of 6 answers to simulation, a share above 0.9"


def test_single_answers_are_left_out_by_their_time_and_counted():
    rows = tuple(trial("p", n, seconds=s) for n, s in ((1, 0.2), (2, 3.0), (3, 400.0)))
    kept, flow = apply_exclusions(
        Answers(rows, {"p": Participant(code="p")}), ExclusionsPart(trial_seconds_below=0.3, trial_seconds_above=300)
    )
    assert [row.seconds for row in kept.rows] == [3.0]
    assert flow.dropped == 2
    assert "2" in flow.to_text().splitlines()[-1]


def test_people_and_simulated_participants_are_never_mixed(crowd):
    mixed = replace(crowd, participants={**crowd.participants, "good": Participant(code="good", source="simulated:random")})
    with pytest.raises(
        UsageError, match=r"of people \(11\) and of simulated participants \(1, such as 'good', simulated:random\)"
    ):
        apply_exclusions(mixed, RULES)
    with pytest.raises(UsageError, match="no answers to analyse"):
        apply_exclusions(Answers((), {}), RULES)
