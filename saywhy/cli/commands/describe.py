"""`saywhy describe`: a language model says what tells confusable classes apart."""

from __future__ import annotations

from collections import Counter
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saywhy.cli.foreseen import ASKS_NOTHING, YES_RULE, may_begin, opened_to_foresee
from saywhy.cli.options import prompts as prompting
from saywhy.cli.options.console import counted, note
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import Rule, with_groups
from saywhy.cli.options.models import MODEL_FORMS, ModelOptions, tell_usage
from saywhy_core.errors import UsageError
from saywhy_core.progress import progress_bar

if TYPE_CHECKING:
    from agents.chat import Foreseen
    from agents.prompting import Described, Planned

HELP = f"""Have a language model describe what tells confusable classes apart.

Only pairs of classes that some image needs are asked about, those that most images need first: an image needs a pair where both
classes are among its K most similar ones. --all-pairs asks about every pair, and needs no images. The run can be stopped at
any moment; the same command goes on with it. Captions that describe nothing are refused, and the model is told why; --report
lists them. Pairs whose replies stay invalid are listed at the end. --dry-run says what a run would take; large runs need --yes.

{MODEL_FORMS}

[bold]Example:[/bold] saywhy describe --classes classes.json --images photos/ --encoder clip:PATH
--llm http://localhost:8000/v1#MODEL --out pairs.json

[bold]Exit status:[/bold] 0 all pairs are described; 1 some pairs or images were left out; 2 the command could not run to its
end, as where a ceiling is reached; 130 it was interrupted.
"""
RULES = (
    Rule(
        ("images", "k"),
        "the pairs that images need; --all-pairs asks about every pair",
        lambda options: not options["all_pairs"],
    ),
    Rule(("embeddings", "trust"), "--encoder", lambda options: options["encoder"] is not None),
    Rule(("report",), ASKS_NOTHING, lambda options: not options["dry_run"]),
    YES_RULE,
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="describe", help=HELP)(with_groups(describe, RULES))


def describe(
    classes: prompting.ClassesOption,
    model: ModelOptions,
    out: Annotated[Path, typer.Option(help="The pair file to write (JSON, FuDD's format)."), Use.WRITTEN],
    images: Annotated[Path | None, typer.Option(help="A folder, a CSV with a column path, or a list of paths.")] = None,
    encoder: Annotated[str | None, typer.Option(help=prompting.ENCODER_HELP)] = None,
    k: Annotated[int, typer.Option(min=2, help="Candidate classes per image.")] = 10,
    all_pairs: Annotated[bool, typer.Option("--all-pairs", help="Describe every pair of classes.")] = False,
    template: prompting.TemplateOption = "a photo of a {}.",
    embeddings: prompting.EmbeddingsOption = None,
    trust: prompting.TrustOption = False,
    report: Annotated[Path | None, typer.Option(help="A file for what was refused, and why (JSON)."), Use.WRITTEN] = None,
) -> None:
    """Describe pairs of classes."""
    from agents.prompting import describe_to_file, every_pair, needed_pairs, plan_file, problems_of, write_refusals
    from saywhy_core.names import read_class_names

    if not all_pairs and (images is None or encoder is None):
        raise UsageError("give --images and --encoder to find the pairs that are confused, or --all-pairs")
    names = read_class_names(classes)
    if len(names) < 2:
        raise UsageError(f"{classes} names one class alone; name two or more, so that there is a pair to describe")
    pairs = every_pair(len(names)) if all_pairs else []

    def plan() -> Foreseen:
        planned = plan_file(opened_to_foresee(model, out), names, pairs, out, retry_invalid=model.retry_invalid)
        if model.dry_run:
            _tell_plan(planned, out)
        return planned.foreseen

    if all_pairs and not may_begin(model, len(pairs), plan):
        return
    chat = opened_to_foresee(model, out) if model.dry_run else model.open(out)  # says what is wrong before images are encoded
    problems: list[object] = []
    looker = None if encoder is None else prompting.opened(encoder, embeddings, trust=trust)
    if images is not None and looker is not None:
        found = prompting.encoded(looker, images)
        problems.extend(found.problems)
        pairs = needed_pairs(looker, names, found.rows, k=k, template=template)
        note(
            f"{counted(len(found.rows), 'image')} need{'s' if len(found.rows) == 1 else ''} {len(pairs)} of the "
            f"{counted(comb(len(names), 2), 'pair')}"
        )
        if not may_begin(model, len(pairs), plan):
            prompting.finish_with(problems, looker)
            return
    with progress_bar("describing pairs") as shown:
        described = describe_to_file(
            chat,
            names,
            pairs,
            out,
            encoder=looker,
            template=template,
            retry_invalid=model.retry_invalid,
            on_progress=shown,
        )
    if report is not None:
        write_refusals(described, names, report)
    _tell_refused(described, out, report, retry_invalid=model.retry_invalid)
    if described.invalid and not model.retry_invalid:
        note("pairs without a usable reply are not asked about again; --retry-invalid, or another --llm, asks again")
    note(
        f"{counted(len(described.pairs), 'pair')} in {out}"
        if described.pairs
        else f"no pair is described, so {out} was not written"
    )
    tell_usage(chat)
    problems.extend(problems_of(described, names))
    if described.unasked:
        left = f"{counted(len(described.unasked), 'pair')} not asked yet"
        left += f": {described.reason}" if described.permanent else f" ({described.reason}); the same command goes on with them"
        if described.stopped:
            prompting.tell_with(problems, looker)
            raise UsageError(left)
        problems.append(left)
    prompting.finish_with(problems, looker)


def _tell_plan(planned: Planned, out: Path) -> None:
    """Say what is described already, and what stays without a description."""
    said = f"{counted(planned.wanted, 'pair')} wanted, {planned.described} of them described in {out} already"
    note(f"{said}, {planned.invalid} without a usable reply (--retry-invalid asks again)" if planned.invalid else said)


def _tell_refused(described: Described, out: Path, report: Path | None, *, retry_invalid: bool) -> None:
    """Say how many captions were refused, for which kinds of reasons, and how many of the known ones would be."""
    from agents.prompting import KINDS

    for refused, said in (
        (described.refused, "of the replies"),
        (described.known_refused, f"of {out} {'were dropped' if retry_invalid else 'would be refused today'}"),
    ):
        if refused:
            kinds = Counter(KINDS.get(one.kind, "other") for _, one in refused)
            counts = ", ".join(f"{times} for {kind}" for kind, times in kinds.most_common())
            pairs = counted(len({pair for pair, _ in refused}), "pair")
            verb = "were refused" if refused is described.refused else ""
            note(f"{counted(len(refused), 'caption pair')} {said} {verb}".rstrip() + f", in {pairs}: {counts}")
    if described.known_refused and not retry_invalid:
        note("--retry-invalid drops them, and asks again about pairs that keep none")
    if described.repeated:
        more = len(described.repeated) - 1
        others = f" (and {counted(more, 'more caption')} like it)" if more else ""
        note(f"{described.repeated[0].why}{others}")
    if (described.refused or described.known_refused or described.repeated) and report is None:
        note("--report FILE lists what was refused, and why")
