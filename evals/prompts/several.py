"""One task over several encoders: the same file, classes and images, one row per encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agents.encoders import ENCODERS, encode_image_files, load_encoder
from evals.prompts.comparison import holm
from evals.prompts.file import evaluate_file
from evals.prompts.unseen import seen_words
from saywhy_core.errors import Problem, UsageError
from saywhy_core.legible import legible
from saywhy_core.trust import may_run_code

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from evals.prompts.evidence import PromptReport
    from saywhy_core.progress import OnProgress


@dataclass(frozen=True)
class EncoderRow:
    """What one encoder makes of the task.

    Attributes:
        encoder: the line of text that names it.
        report: the evidence; None where the encoder failed.
        failure: why it failed; empty where it did not.
        adjusted: the p value of the comparison with regard to the number of encoders that did not fail (Holm); None for others.
        problems: images and records that were left out.
    """

    encoder: str
    report: PromptReport | None
    failure: str = ""
    adjusted: float | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class EncoderTable:
    """The rows in the order in which the encoders were given."""

    rows: tuple[EncoderRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """The table as a dictionary that can be written as JSON, version 1; a failed encoder has no report."""
        return {
            "version": 1,
            "encoders": [
                {
                    "encoder": row.encoder,
                    "failure": row.failure or None,
                    "adjusted": row.adjusted,
                    "report": None if row.report is None else row.report.to_dict(),
                }
                for row in self.rows
            ],
        }


def evaluate_encoders(
    encoders: Sequence[str],
    class_names: Sequence[str],
    file: str | os.PathLike[str],
    images: str | os.PathLike[str],
    *,
    cache: str | os.PathLike[str] | None = None,
    trust: bool = False,
    on_progress: OnProgress | None = None,
    on_evaluated: OnProgress | None = None,
    **options: Any,
) -> EncoderTable:
    """Evaluate a file with several encoders, one after the other, so that only one is in memory.

    An encoder that can't be loaded, or fails at its work, is told in its row, and the others go on: a failure is no accuracy
    of zero.

    Args:
        encoders: lines of text that `load_encoder` takes, each once.
        class_names: the K classes.
        file: what `evaluate_file` takes.
        images: a folder, a CSV or a list of paths, as `list_images` takes it, with the class of each image.
        cache: a folder in which embeddings are kept, for each encoder its own.
        trust: whether code that comes with an encoder may run; for those that run none it has no effect.
        on_progress: called with (files encoded, files in all), for each encoder anew.
        on_evaluated: called as `on_progress` of `evaluate_file`, for each encoder anew.
        options: further arguments of `evaluate_file`, such as `k` and `draws`.

    Raises:
        UsageError: an encoder is given twice, all of them fail, or `trust` is given and none runs code.
    """
    if not encoders or len(set(encoders)) < len(encoders):
        raise UsageError("give at least one encoder, and each only once")
    trusted = {one: trust and _runs_code(one) for one in encoders}
    if trust and not any(trusted.values()):
        raise UsageError("none of these encoders runs code of the model's author, so trust has no effect; leave it out")
    rows: list[EncoderRow] = []
    for one in encoders:
        try:
            encoder = load_encoder(one, cache=cache, trust=trusted[one])
            found = encode_image_files(encoder, images, on_progress=on_progress).of_classes(class_names)
            truth = found.images.label_indices(class_names)
            report, problems = evaluate_file(
                encoder, class_names, file, found.rows, truth, paths=found.images.paths, on_progress=on_evaluated,
                **options,
            )  # fmt: skip
        except (UsageError, RuntimeError, OSError, MemoryError) as error:  # what models, their files and devices raise
            rows.append(EncoderRow(one, None, str(error) or type(error).__name__))
        else:
            rows.append(EncoderRow(one, report, problems=(*found.problems, *problems)))
    if all(row.report is None for row in rows):
        raise UsageError(f"no encoder could be used; {legible(rows[0].encoder)}: {rows[0].failure}")
    return EncoderTable(_adjusted(rows))


def _runs_code(spec: str) -> bool:
    kind = spec.partition(":")[0]
    return kind in ENCODERS and may_run_code(ENCODERS.get(kind))


def _adjusted(rows: Sequence[EncoderRow]) -> tuple[EncoderRow, ...]:
    ps = iter(holm([row.report.comparison.p for row in rows if row.report is not None]))
    return tuple(row if row.report is None else EncoderRow(row.encoder, row.report, "", next(ps), row.problems) for row in rows)


def table_text(table: EncoderTable) -> str:
    """The table as lines of text: a number for each encoder, what the numbers mean below, and a sentence that sums up."""
    done = [row.report for row in table.rows if row.report is not None]
    names = list(dict.fromkeys(control.name for report in done for control in report.controls))
    averaged = any(report.averaged is not None for report in done)
    heads = ["", done[0].first, "with descriptions", "difference", "fixed/broken", "p", "p (Holm)"]
    heads += ["averaged"] if averaged else []
    lines = [[*heads, *names, *(["  of other classes"] if names else [])]]
    for number, row in enumerate(table.rows, start=1):
        report = row.report
        if report is None:
            lines.append([str(number), "failed"])
            continue
        one = report.comparison
        apart = f"{one.difference.value:+.1%} ({one.difference.low:+.1%} to {one.difference.high:+.1%})"
        cells = [str(number), f"{one.before.value:.1%}", str(one.after), apart, f"{len(one.fixed)}/{len(one.broken)}"]
        cells += [f"{one.p:.3g}", f"{row.adjusted:.3g}"]
        cells += [f"{report.averaged.mean:.1%}"] if report.averaged is not None else [""] * averaged
        found = {control.name: f"{control.mean:.1%}" for control in report.controls}
        cells += [found.get(name, "") for name in names]
        lines.append([*cells, *([f"{report.alone.mean:.1%}"] if report.alone is not None else [])])
    widths = [max(len(line[at]) for line in lines if at < len(line)) for at in range(len(lines[0]))]
    told = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)).rstrip() for line in lines]
    for number, row in enumerate(table.rows, start=1):
        told.append(f"{number}: {legible(row.encoder)}" + (f" failed: {row.failure}" if row.report is None else ""))
    told.extend(dict.fromkeys(said for report in done if (said := seen_words(report.left_out, unknown=report.may_be_seen))))
    return "\n".join([*told, _summed_up(table)])


def _summed_up(table: EncoderTable) -> str:
    done = [row for row in table.rows if row.report is not None]
    sure = [row for row in done if row.adjusted is not None and row.adjusted < 0.05 and row.report is not None]
    better = sum(row.report.comparison.difference.value > 0 for row in sure if row.report is not None)
    worse = len(sure) - better
    many = f"{len(done)} encoder{'' if len(done) == 1 else 's'}"
    if not sure:
        return f"With none of {many} the change is beyond the noise, with regard to their number."
    parts = [f"with {better} it rises" if better else "", f"with {worse} it falls" if worse else ""]
    return f"Of {many}, {' and '.join(part for part in parts if part)} beyond the noise, with regard to their number."
