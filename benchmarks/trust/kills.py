"""Commands that are killed at random moments and started again: what they leave, and what they ask.

    python benchmarks/trust/kills.py --kills 15 --seed 1

prints a line for each command: how often it was killed, the requests (or images that a classifier is asked about) that
uninterrupted runs need and that all runs made, the most that may be made (needed, and those on their way at each kill), results
that were made again though they were finished, and whether all that was left equals what an uninterrupted run leaves. The
scenarios are those of tests/trust/kills.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

KILLS = Path(__file__).parents[2] / "tests" / "trust" / "kills"
SIGNALS = {"KILL": signal.SIGKILL, "TERM": signal.SIGTERM, "INT": signal.SIGINT}


def load(name: str) -> ModuleType:
    """A module of tests/trust/kills."""
    spec = importlib.util.spec_from_file_location(f"saywhy_tests_kills_{name}", KILLS / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def told(ledger: Any, scenarios: Any, forge: Any, scenario: Any, folder: Path, wanted: int, seed: int, number: int) -> Any:
    """The story of a scenario with at least so many kills."""
    chance, story = random.Random(f"{seed} {scenario.name}"), ledger.Story(scenario.name)
    with ledger.Stage(forge, scenarios, scenario, folder / "whole") as first:
        whole = ledger.uninterrupted(first)
        cycle = 0
        while story.kills < wanted:
            with ledger.Stage(forge, scenarios, scenario, folder / str(cycle), like=first) as stage:
                ledger.killed_until_done(stage, whole, chance, story, number=number)
            cycle += 1
            shutil.rmtree(folder / str(cycle - 1))
    return story


def main(kills: int = 15, seed: int = 1, name: str = "KILL") -> int:
    """Run all scenarios and print the table; 1 where anything is wrong."""
    forges, scenarios, ledger = load("forge"), load("scenarios"), load("ledger")
    found = [
        scenarios.narrated("composed", 60),
        scenarios.narrated("free", 60),
        scenarios.described(10),
        scenarios.improved(1),
        scenarios.converted(3000),
        scenarios.drawn(40, "png"),
        scenarios.attacked(6, 200),
    ]
    print(f"SIG{name}, seed {seed}\n")
    print(f"{'command':20} {'kills':>5} {'ends':>4} {'needed':>6} {'made':>6} {'most':>6} {'repeated':>8}  results")
    stories = []
    with forges.Forge() as forge:
        for scenario in found:
            with tempfile.TemporaryDirectory() as folder:
                story = told(ledger, scenarios, forge, scenario, Path(folder), kills, seed, SIGNALS[name])
            stories.append(story)
            verdict = "; ".join(story.wrong) or "equal"
            numbers = f"{story.needed:6} {story.made:6} {story.needed + story.allowed:6} {story.repeated:8}"
            print(f"{story.name:20} {story.kills:5} {story.cycles:4} {numbers}  {verdict}", flush=True)
    wrong = sum(bool(story.wrong) for story in stories)
    print(f"\n{sum(story.kills for story in stories)} kills, {wrong} commands with differences")
    return int(bool(wrong))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=15, help="the fewest kills of each command (15)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (1)")
    parser.add_argument("--signal", choices=sorted(SIGNALS), default="KILL")
    given = parser.parse_args()
    sys.exit(main(given.kills, given.seed, given.signal))
