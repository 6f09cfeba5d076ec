"""What bandit finds in the packages, held against the answers in docs/security.md, and known holes in pinned versions.

    make audit

needs bandit and safety-db, which no other target installs. It ends with status 1 where a finding has no answer, where an answer
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("saywhy_core", "agents", "verbalize", "adversarial", "evals", "saywhy")
ANSWER = re.compile(r"^\| (B\d+) \| `([\w/.]+)` \| (\d+) \| .{10,} \|$", re.MULTILINE)


def found() -> dict[tuple[str, str], int]:
    """Findings by check and file."""
    words = [sys.executable, "-m", "bandit", "-q", "-r", *PACKAGES, "-f", "json"]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    counted: dict[tuple[str, str], int] = {}
    for one in json.loads(said.stdout)["results"]:
        key = one["test_id"], Path(one["filename"]).as_posix().removeprefix("./")
        counted[key] = counted.get(key, 0) + 1
    return counted


def known_holes() -> list[str]:
    """Pinned packages whose version stands in the list of safety-db."""
    from packaging.specifiers import SpecifierSet

    # its own module looks for the list in the current folder
    listed = Path(str(distribution("safety-db").locate_file("safety_db/insecure.json")))
    insecure = json.loads(listed.read_text(encoding="utf-8"))
    pins = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    return [
        f"{name} {version} ({specifier})"
        for name, version in pins
        for specifier in insecure.get(name.lower().replace("_", "-"), ())
        if SpecifierSet(specifier).contains(version)
    ]


def main() -> int:
    """Print what is open; the exit status."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    answers = {(check, file): int(number) for check, file, number in ANSWER.findall(text)}
    findings = found()
    open_ones = [
        f"{check} in {file}: {findings.get((check, file), 0)} found, {answers.get((check, file), 0)} answered"
        for check, file in sorted({*findings, *answers})
        if findings.get((check, file)) != answers.get((check, file))
    ]
    holes = known_holes()
    print(f"bandit: {sum(findings.values())} findings in {len(findings)} places, {len(open_ones)} open")
    print(f"known holes in pinned versions: {len(holes)}")
    for line in (*open_ones, *holes):
        print(line)
    return 1 if open_ones or holes else 0


if __name__ == "__main__":
    sys.exit(main())
