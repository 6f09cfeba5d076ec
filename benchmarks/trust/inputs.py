"""Mutated files of every format in every command and reader that takes them, beside what a plain library does with the same.

    python benchmarks/trust/inputs.py --inputs 2000 --seed 1

prints two lines per format: saywhy, and the function of a library that a user would call otherwise
(`tests/trust/fuzz/peers.py`).

- inputs; those that were accepted, accepted in part, and refused in a sentence
- the longest time and the most memory that one input took, with all that is loaded in it
- tracebacks: anything but a result or a sentence; behind it, kinds of exceptions that a caller has to know
- code run: a payload in a file left its mark, or a process was started
- over: inputs that took more than 10 s or 1 GB, or ended or hung the process
- other: raw control characters, warnings, names of Python's, other exit statuses (of commands alone)

Each fault of saywhy follows once, with the command that replays it.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

CAMPAIGN = Path(__file__).parents[2] / "tests" / "trust" / "fuzz" / "campaign.py"
WITHOUT_PEER = ("http",)  # no plain function speaks to a chat server
OVER = ("time:", "memory", "crash:")


def load() -> ModuleType:
    """The module `campaign.py` of the tests."""
    spec = importlib.util.spec_from_file_location("saywhy_fuzz_campaign", CAMPAIGN)
    if spec is None or spec.loader is None:
        raise ImportError(str(CAMPAIGN))
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def line(who: str, done: Any) -> str:
    """One line of the table."""
    faults = [fault for _, fault in done.faults()]
    tracebacks = [fault.split(":")[1] for fault in faults if fault.startswith("traceback:")]
    code = {number for number, fault in done.faults("code: ")}
    over = {number for number, fault in done.faults() if fault.startswith(OVER)}
    other = len(faults) - len(tracebacks) - len(done.faults("code: ")) - sum(fault.startswith(OVER) for fault in faults)
    taken = done.results
    counts = f"{taken['accepted']:8} {taken['partly']:6} {taken['refused'] - len(tracebacks):7}"
    costs = f"{done.worst_seconds:7.1f} {done.most_megabytes:6}"
    wrong = f"{len(tracebacks):10} {len(set(tracebacks)):5} {len(code):8} {len(over):5} {other:5}"
    return f"{done.form:9} {who:8} {len(done.inputs):6} {counts} {costs} {wrong}"


def main(inputs: int, seed: int, formats: list[str], *, peers: bool) -> int:
    """Print the table; 1 where saywhy has a fault."""
    campaign = load()
    print(f"seed {seed}\n")
    print("format    who      inputs accepted partly refused worst_s  MB max tracebacks kinds code run  over other")
    reports = []
    for form in formats or campaign.FORMATS:
        done = campaign.run(form, count=inputs, seed=seed)
        print(line("saywhy", done), flush=True)
        if done.faults():
            reports.append(f"{form}\n{done.report()}")
        if peers and form not in WITHOUT_PEER:
            print(line("library", campaign.run(form, count=inputs, seed=seed, peer=True)), flush=True)
    print("\n" + ("\n".join(reports) or "no fault of saywhy"))
    return int(bool(reports))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*")
    parser.add_argument("--inputs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-peers", action="store_true", help="leave out the libraries")
    given = parser.parse_args()
    sys.exit(main(given.inputs, given.seed, given.formats, peers=not given.no_peers))
