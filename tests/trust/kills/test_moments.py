"""Killed at each moment at which a command touches the disk, the final rename among them, it leaves nothing half done."""

from __future__ import annotations

import signal

import pytest


def tiny(scenarios):
    return {
        "composed": scenarios.narrated("composed", 3),
        "describe": scenarios.described(3),
        "improve": scenarios.improved(1),
        "convert": scenarios.converted(5),
        "picture": scenarios.drawn(3, "html"),
        "attack": scenarios.attacked(2, 40),
    }


def stories(kills, forge, scenario, folder, choose):
    """What is wrong after a kill at each chosen moment, and how many moments there are."""
    ledger, wrong = kills.ledger, []
    with ledger.Stage(forge, kills.scenarios, scenario, folder / "whole") as first:
        whole = ledger.uninterrupted(first, dies_at=0)
    count = int((folder / "whole" / "told" / "moments").read_text())
    assert count >= 3, "the command touched nothing"
    for moment in choose(count):
        with ledger.Stage(forge, kills.scenarios, scenario, folder / f"at{moment}", like=first) as stage:
            run = stage.start(dies_at=moment)
            status = ledger.finish(run)
            stage.settle()
            ends = [stage.asked]
            killed = int(status == -signal.SIGKILL)  # replies come in another order, so that the last moments may not come
            assert killed or status == 0, run.told
            before = ledger.finished_files(stage)
            if killed:
                run = stage.start()
                status = ledger.finish(run)
                ends.append(stage.asked)
            story = ledger.Story(scenario.name)
            if status:
                story.note(f"exit status {status}: {run.told[-200:]!r}")
            story.note(ledger.changed(before, ledger.finished_files(stage), run))
            ledger.judge(stage, whole, ends, killed, story)
            wrong += [f"killed at moment {moment} of {count}: {one}" for one in story.wrong]
    return count, wrong


def told(count, wrong):
    if wrong:
        pytest.fail(f"{count} moments\n" + "\n".join(wrong), pytrace=False)


@pytest.mark.long
@pytest.mark.parametrize("name", ["convert", pytest.param("composed", marks=pytest.mark.long)])
def test_the_last_moments(kills, light_forge, tmp_path, name):
    """The last changes on the disk are the file's rename, and what is cleared up after it."""
    told(*stories(kills, light_forge, tiny(kills.scenarios)[name], tmp_path, lambda count: range(count - 1, count + 1)))


@pytest.mark.long
@pytest.mark.parametrize("name", ["composed", "describe", "improve", "convert", "picture", "attack"])
def test_every_moment(kills, forge, tmp_path, name):
    told(*stories(kills, forge, tiny(kills.scenarios)[name], tmp_path, lambda count: range(1, count + 1, 1 + count // 40)))
