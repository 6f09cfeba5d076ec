"""Killed at random moments and started again, a command leaves what an uninterrupted run leaves, and asks for nothing twice."""

from __future__ import annotations

import random
import signal

import pytest

KILLS = 15  # per command; 105 in all
SEED = 20_261_125


def small(scenarios):
    return {
        "composed": scenarios.narrated("composed", 24),
        "free": scenarios.narrated("free", 24),
        "describe": scenarios.described(7),
        "convert": scenarios.converted(800),
        "attack": scenarios.attacked(3, 120),
    }


def large(scenarios):
    return {
        "composed": scenarios.narrated("composed", 60),
        "free": scenarios.narrated("free", 60),
        "describe": scenarios.described(10),
        "improve": scenarios.improved(1),
        "convert": scenarios.converted(3000),
        "picture": scenarios.drawn(40, "png"),
        "attack": scenarios.attacked(6, 200),
    }


def tell(kills, forge, scenario, folder, seed, *, wanted, number=signal.SIGKILL, most=4):
    """The story of a scenario with at least so many kills."""
    print(f"{scenario.name}: seed {seed}")
    ledger, chance = kills.ledger, random.Random(seed)
    story = ledger.Story(scenario.name)
    with ledger.Stage(forge, kills.scenarios, scenario, folder / "whole") as first:
        whole = ledger.uninterrupted(first)
        for cycle in range(3 * wanted + 3):
            if story.kills >= wanted:
                break
            with ledger.Stage(forge, kills.scenarios, scenario, folder / f"cycle{cycle}", like=first) as stage:
                ledger.killed_until_done(stage, whole, chance, story, number=number, most=most)
    print(story)
    assert story.kills >= wanted, "the kills came too late to show anything"
    return story


def told(story):
    """Fail with what is wrong, in words."""
    if story.wrong:
        pytest.fail(f"{story.kills} kills: " + "\n".join(story.wrong), pytrace=False)


@pytest.mark.parametrize(
    "name", ["composed", *(pytest.param(name, marks=pytest.mark.long) for name in ("attack", "describe", "convert"))]
)
@pytest.mark.long
def test_a_kill_loses_nothing(kills, light_forge, tmp_path, name):
    story = tell(kills, light_forge, small(kills.scenarios)[name], tmp_path, f"{SEED} {name}", wanted=1, most=1)
    told(story)


@pytest.mark.long
@pytest.mark.parametrize("name", ["composed", "free", "describe", "improve", "convert", "picture", "attack"])
def test_a_hundred_kills_lose_nothing(kills, forge, tmp_path, name):
    story = tell(kills, forge, large(kills.scenarios)[name], tmp_path, f"{SEED} {name}", wanted=KILLS)
    told(story)


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("name", ["composed", "describe", "improve", "convert", "picture", "attack"])
def test_a_polite_end_loses_nothing(kills, forge, tmp_path, name, number):
    story = tell(kills, forge, large(kills.scenarios)[name], tmp_path, f"{SEED} {name}", wanted=3, number=number)
    told(story)
