"""Kills in company: two runs on one output, runs that write to a pipe, and a reader that leaves."""

from __future__ import annotations

import os
import random
import signal

import pytest

SEED = 99


def of(scenarios):
    return {
        "composed": scenarios.narrated("composed", 24),
        "describe": scenarios.described(7),
        "improve": scenarios.improved(1),
        "convert": scenarios.converted(1500),
        "picture": scenarios.drawn(20, "html"),
        "attack": scenarios.attacked(3, 120),
    }


def piped(scenario):
    """The same command with standard output for its result."""

    def words(url):
        said = scenario.words(url)
        place = said.index("--out")
        return [*said[:place], *said[place + 2 :]]

    from dataclasses import replace

    return replace(scenario, words=words, outputs=frozenset())


@pytest.mark.long
@pytest.mark.parametrize("name", ["composed", "describe", "improve", "convert", "picture", "attack"])
def test_of_two_runs_on_one_output_one_is_killed(kills, forge, tmp_path, name):
    """Both are started at once; whichever is killed, and whether the other was refused or waited, nothing is mixed."""
    ledger, scenario, chance = kills.ledger, of(kills.scenarios)[name], random.Random(f"{SEED} {name}")
    with ledger.Stage(forge, kills.scenarios, scenario, tmp_path / "whole") as first:
        whole = ledger.uninterrupted(first)
    for cycle in range(4):
        with ledger.Stage(forge, kills.scenarios, scenario, tmp_path / f"cycle{cycle}", like=first) as stage:
            pair = [stage.start(), stage.start()]
            ledger.wait(pair[cycle % 2], chance.uniform(0, whole.seconds))
            pair[cycle % 2].signal(signal.SIGKILL)
            statuses = [ledger.finish(run) for run in pair]
            stage.settle()
            for run, status in zip(pair, statuses, strict=True):
                assert status in (0, 2, -signal.SIGKILL), run.told
                assert "Traceback" not in run.told
                if status == 2:
                    other = pair[0] if run is pair[1] else pair[1]
                    assert f"({other.pid})" in run.told, run.told
            kills_met = statuses.count(-signal.SIGKILL)
            ends = [stage.asked]
            last = stage.start()
            assert ledger.finish(last) == 0, last.told
            story = ledger.Story(scenario.name)
            ledger.judge(stage, whole, [*ends, stage.asked], kills_met, story)
            assert not story.wrong, f"cycle {cycle}, statuses {statuses}: {story.wrong}"


@pytest.mark.long
@pytest.mark.parametrize("name", ["composed", "convert"])
def test_what_a_killed_run_sent_through_a_pipe_is_the_beginning_of_the_whole(kills, forge, tmp_path, name):
    ledger, scenario, chance = kills.ledger, piped(of(kills.scenarios)[name]), random.Random(f"{SEED} pipe {name}")
    with ledger.Stage(forge, kills.scenarios, scenario, tmp_path / "whole") as first:
        begin = first.start(pipe=True)
        whole = begin.drain()
        assert ledger.finish(begin) == 0, begin.told
        seconds = 1.0
        for cycle in range(5):
            stage = ledger.Stage(forge, kills.scenarios, scenario, tmp_path / f"cycle{cycle}", like=first)
            with stage:
                run = stage.start(pipe=True)
                ledger.wait(run, chance.uniform(0, seconds))
                run.signal(signal.SIGKILL)
                came = run.drain()
                ledger.finish(run)
                lines = came.split(b"\n")[:-1]  # texts come in the order in which they are final
                assert set(lines) <= set(whole.split(b"\n"))
                assert not stage.rubbish()


@pytest.mark.long
@pytest.mark.parametrize("name", ["composed", "convert"])
def test_a_reader_that_leaves_ends_the_run_without_a_traceback(kills, forge, tmp_path, name):
    ledger, scenario = kills.ledger, piped(of(kills.scenarios)[name])
    with ledger.Stage(forge, kills.scenarios, scenario, tmp_path) as stage:
        run = stage.start(pipe=True)
        os.read(run.pipe, 1)
        os.close(run.pipe)
        assert ledger.finish(run) == 2, run.told
        assert "Traceback" not in run.told
        assert "BrokenPipe" not in run.told
