"""Dry runs over a real server on this machine."""

import pytest

from evals.simulate import simulate
from evals.study.simulated import Reply, SimulatedKind, dry_run_text
from saywhy.cli.stopped import what_is_left
from saywhy_core.errors import UsageError

pytestmark = pytest.mark.long


def test_scores_that_can_be_worked_out_by_hand(write_study):
    run = simulate(write_study(), ["perfect", "position", "top-word"], count=2)
    assert {one.status for one in run.taken} == {"complete"}
    found = run.accuracies()
    assert found["perfect"] == {("simulation", "heatmap"): 1.0, ("simulation", "nothing"): 1.0}
    # the first option is "negative", which is right for c, d and e
    assert found["position"] == {("simulation", "heatmap"): 3 / 7, ("simulation", "nothing"): 3 / 7}
    # a, b, g: two of the three others with "great" are positive, right. c: no other item has "mess", so the first option, right.
    # d, e: the other "awful" items are one negative and one positive, a tie, so the first option, right. f: the first, wrong.
    assert found["top-word"] == {("simulation", "heatmap"): 6 / 7, ("simulation", "nothing"): 3 / 7}


def test_answers_are_marked_and_the_studys_own_database_is_not_touched(write_study):
    study = write_study()
    run = simulate(study, ["random"], count=3)
    assert run.answers.sources == ("simulated:random",)
    assert len(run.answers.participants) == 3
    assert {path.name for path in study.folder.iterdir()} == {"study.yaml", "items.jsonl"}
    # 7 items under 2 conditions, 2 questions each
    assert sum(row.phase == "trial" for row in run.answers.rows) == 3 * 7 * 2 * 2


def test_more_participants_than_the_study_wants(write_study):
    run = simulate(write_study(), ["random"], count=12)
    assert len([one for one in run.taken if one.status == "complete"]) == 12


def test_a_participant_without_an_answer_leaves_and_is_told(write_study):
    def silent(pages):
        return [Reply(trouble="the model gave no valid reply") for _ in pages]

    run = simulate(write_study(), [], count=2, models={"silent": SimulatedKind("says nothing", silent)})
    assert {one.status for one in run.taken} == {"left"}
    assert run.broken
    assert "2 simulated participants ran into this: page consent: the model gave no valid reply" in dry_run_text(
        write_study(), run
    )


def test_who_fails_the_comprehension_questions_twice_is_sent_away(write_study):
    def asleep(pages):
        answers = {"agree": True, "job": "sleep"}
        return [Reply({one.name: answers[one.name] for one in page.step.questions}) for page in pages]

    run = simulate(write_study(), [], count=1, models={"asleep": SimulatedKind("is asleep", asleep)})
    (one,) = run.taken
    assert one.status == "screened out"
    rows = [row for row in run.answers.rows if row.phase == "comprehension"]
    assert [(row.response, row.correct, row.tries) for row in rows] == [("sleep", False, 1), ("sleep", False, 2)]


def test_answers_that_do_not_fit_end_somewhere(write_study):
    def stubborn(pages):
        return [Reply({"agree": "perhaps"}) for _ in pages]

    run = simulate(write_study(), [], count=1, models={"stubborn": SimulatedKind("never agrees", stubborn)})
    assert run.taken[0].status == "left"
    assert any("it never went on" in trouble for trouble in run.taken[0].troubles)


@pytest.mark.parametrize(
    ("kinds", "count", "said"), [([], 1, "nobody takes part"), (["random"], 0, "1 or more"), (["x"], 1, "'x'")]
)
def test_what_makes_no_sense(write_study, kinds, count, said):
    with pytest.raises(UsageError, match=said):
        simulate(write_study(), kinds, count=count)


def test_what_a_dry_run_that_was_stopped_leaves_is_told_as_it_is(tmp_path):
    options = {"llm": "http://127.0.0.1:1/v1#none", "out": None, "cache": None, "directory": tmp_path}
    assert what_is_left("simulate", options) == "no answer was written"
    (tmp_path / "dry-run").mkdir()
    (tmp_path / "dry-run" / "answers.csv.replies.sqlite").write_bytes(b"kept")
    assert "replies are kept in " in what_is_left("simulate", options)
    assert "answers.csv.replies.sqlite" in what_is_left("simulate", options)
    assert what_is_left("simulate", {**options, "llm": None}) == "no answer was written"


@pytest.mark.parametrize("status", [400, 401, 404])
def test_an_error_that_every_page_would_meet_ends_the_dry_run_after_one_request(
    in_process, chat_server, misbehaving, write_study, tmp_path, status
):
    write_study()
    server = chat_server(default=misbehaving.Reply(status=status, error="no"))
    words = ("study", "simulate", tmp_path / "study", "--participants", "none", "--llm", f"{server.url}#m")
    done = in_process.run_command(*words)
    assert done.returncode == 2, done.stderr
    assert f"answered {status}" in done.stderr
    assert len(server.requests) == 1
