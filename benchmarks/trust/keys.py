"""Keys are planted, and servers say them back in every place of an answer and in every dress: what is found afterwards.

    python benchmarks/trust/keys.py

prints, for every command that talks to a server and every shape of a secret, in how many places (files, streams, the list of
processes) the secret was found with everything logged, and the same where nothing is kept secret, which shows that the search
finds. The commands, the servers and the search are those of tests/trust/keys.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

TRUST = Path(__file__).parents[2] / "tests" / "trust"
RECORDS = 22


def load(wing: str, name: str) -> ModuleType:
    """A module of a wing of tests/trust."""
    spec = importlib.util.spec_from_file_location(f"saywhy_tests_{wing}_{name}", TRUST / wing / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> int:
    """Run all commands and print the table; 1 where a secret was found, or the search finds none where it must."""
    own = {name: load("keys", name) for name in ("planted", "echo_server", "leaks")}
    modules = SimpleNamespace(**own, **{name: load("kills", name) for name in ("forge", "scenarios", "ledger")})
    places = tuple(place for place in modules.echo_server.PLACES if place not in {"401", "403"})
    print(f"{'command':14} {'secret':9} {'requests':>8} {'places':>6} {'unprotected':>11}")
    wrong = 0
    with modules.forge.Forge((*modules.forge.TALKING, "verbalize.read_by_model")) as forge:
        for name, talk in modules.leaks.talks(modules.scenarios, RECORDS).items():
            for shape in modules.planted.SHAPES:
                counts = []
                for before in ("", modules.leaks.UNPROTECTED):
                    with tempfile.TemporaryDirectory() as folder:
                        leak = modules.leaks.look(modules, forge, talk, shape, Path(folder), places=places, before=before)
                    counts.append(len(leak.found))
                wrong += counts[0] > 0 or counts[1] == 0
                print(f"{name:14} {shape.name:9} {leak.requests:8} {counts[0]:6} {counts[1]:11}", flush=True)
                for place, around in leak.found.items() if counts[0] else ():
                    print(f"    {place}: {around}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
