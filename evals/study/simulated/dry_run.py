"""What a dry run gave, and the same as a text."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evals.study.simulated.findings import Finding, accuracy_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evals.study.answers import Answers
    from evals.study.folder import Study
    from evals.study.simulated.taking import Taken


@dataclass(frozen=True)
class DryRun:
    """What a dry run gave.

    Attributes:
        answers: of all simulated participants; the source of each is "simulated:" and its kind. They can't be analysed together
            with people's.
        taken: each participant's way through the study.
        findings: what should be mended or known before people take part, gravest first.
        flags: participant's code -> names of the quality flags that it got, as people would.
        detectable: what the study could show with as many people as it wants, a sentence per task.
    """

    answers: Answers
    taken: tuple[Taken, ...]
    findings: tuple[Finding, ...]
    flags: Mapping[str, tuple[str, ...]]
    detectable: tuple[str, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether people would be stuck somewhere, or something gives answers away."""
        return any(one.kind in ("broken", "leak") for one in self.findings)

    def kind_of(self, code: str) -> str:
        """The kind of a participant."""
        return self.answers.participants[code].source.removeprefix("simulated:")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that took part."""
        return tuple(dict.fromkeys(self.kind_of(code) for code in self.answers.participants))

    def accuracies(self) -> dict[str, dict[tuple[str, str], float]]:
        """Kind -> (task, condition) -> share of right answers in the trials."""
        trials = list(self.answers.of_phase("trial"))
        return {kind: dict(accuracy_of(row for row in trials if self.kind_of(row.participant) == kind)) for kind in self.kinds}


def dry_run_text(study: Study, run: DryRun) -> str:
    """A dry run as Markdown."""
    return "\n".join(_lines(study, run)) + "\n"


def _lines(study: Study, run: DryRun) -> Iterator[str]:
    ends = Counter(one.status for one in run.taken)
    said = ", ".join(f"{count} {status}" for status, count in ends.items())
    yield f"# Dry run: {study.file.title}"
    yield ""
    whole = len(run.taken)
    who = "1 simulated participant" if whole == 1 else f"{whole} simulated participants"
    yield f"{who} took the study ({said}). None of these answers is a person's."
    yield ""
    yield "## Findings"
    yield ""
    if not run.findings:
        yield "Nothing stands in the way."
    for one in run.findings:
        yield f"- **{one.kind}**: {one.sentence}."
    yield ""
    yield "## Right answers"
    yield ""
    yield from _table(run)
    yield ""
    yield "## Quality flags"
    yield ""
    yield from _flag_lines(run)
    yield ""
    yield "## What the study can show"
    yield ""
    yield from (f"- {one}." for one in run.detectable)


def _table(run: DryRun) -> Iterator[str]:
    found = run.accuracies()
    columns = list(dict.fromkeys(key for shares in found.values() for key in shares))
    if not columns:
        came = any(run.answers.of_phase("trial"))
        yield "No task of this study has right answers." if came else "Nobody came as far as the trials."
        return
    yield "| participant | " + " | ".join(f"{task}, {condition}" for task, condition in columns) + " |"
    yield "| --- |" + " ---: |" * len(columns)
    for kind, shares in found.items():
        cells = [f"{shares[key]:.0%}" if key in shares else "" for key in columns]
        yield f"| {kind} | " + " | ".join(cells) + " |"


def _flag_lines(run: DryRun) -> Iterator[str]:
    by_kind: dict[str, Counter[str]] = defaultdict(Counter)
    counts = Counter(run.kind_of(code) for code in run.answers.participants)
    for code in run.answers.participants:
        by_kind[run.kind_of(code)].update(run.flags.get(code, ()))
    for kind in run.kinds:
        flags = ", ".join(f"{flag} ({count} of {counts[kind]})" for flag, count in by_kind[kind].most_common())
        yield f"- {kind}: {flags or 'none'}"
