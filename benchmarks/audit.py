"""Shows what an audit promises: it survives kills, faults and lost workers, keeps its target busy, and its memory stays flat.

Run: python benchmarks/audit.py [--only kills,ray,throughput,http,memory] [--quick] [--data DIR] [--keep DIR]
The networks and images are those of `shared/data` (SAYWHY_DATA, or --data). The real MLServer runs in the environment whose
Python SAYWHY_MLSERVER names (mlserver 1.7.1 and onnxruntime); without it, that part is left out.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]]

from benchmarks.serving import load, resilience  # noqa: E402

PARTS = {
    "kills": resilience.kills,
    "ray": resilience.on_ray,
    "throughput": load.throughput,
    "http": load.over_http,
    "memory": load.memory,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", help="parts, with commas between: " + ", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="few images and small budgets")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SAYWHY_DATA", "")), help="the folder shared/data")
    parser.add_argument("--keep", type=Path, help="where the audits stay; a folder that is removed if not given")
    chosen = parser.parse_args()
    if not (chosen.data / "gtsrb" / "gtsrb_cnn.onnx").is_file():
        print("the networks are missing: give their folder with --data, or in SAYWHY_DATA")
        return 2
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name in PARTS if chosen.only is None else chosen.only.split(","):
            place = (chosen.keep or Path(folder)) / name
            place.mkdir(parents=True, exist_ok=True)
            print(f"\n== {name}")
            failed |= not PARTS[name](chosen.data.resolve(), place, quick=chosen.quick)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
