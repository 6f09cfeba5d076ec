"""`saywhy study power`: how many participants does a study need, and what can it show?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.options.console import note, show, show_data, show_lines
from saywhy.cli.options.files import Use, hold
from saywhy.cli.options.groups import Rule, with_groups
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from evals.study.design.file import StudyFile
    from evals.study.folder import Study
    from evals.study.power import AnswerSpread

HELP = (
    "Say by simulation how many participants a study needs.\n\n"
    "Whole studies are simulated from the design: participants and items differ, also in what a condition does for them, and "
    "each study is tested as [bold]saywhy study analyze[/bold] does it. STUDY is a study's folder, or a study.yaml alone. "
    "Without --effect and --margin, the smallest effect is told that the planned participants can show.\n\n"
    "[bold]Example:[/bold] saywhy study power study --effect 0.1 --task simulation --out power.svg\n\n"
    "[bold]Exit status:[/bold] 0 done; 2 the command could not run to its end.\n"
)
RULES = (
    Rule(("as_json",), "--effect or --margin", lambda options: bool(options["effect"]) or options["margin"] is not None),
    Rule(("out",), "--effect or --margin", lambda options: bool(options["effect"]) or options["margin"] is not None),
)


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(name="power", help=HELP)(with_groups(power, RULES))


def power(
    study: Annotated[Path, typer.Argument(help="A study's folder, or a study.yaml.", metavar="STUDY")],
    effect: Annotated[
        list[float] | None,
        typer.Option(
            help="True difference of the means, such as 0.1 for ten points of accuracy (repeatable).", show_default=False
        ),
    ] = None,
    task: Annotated[str | None, typer.Option(help="The task; the first one if not given.", show_default=False)] = None,
    condition: Annotated[str | None, typer.Option(help="The condition.", show_default=False)] = None,
    reference: Annotated[str | None, typer.Option(help="The condition that it is compared with.", show_default=False)] = None,
    participants: Annotated[
        str | None,
        typer.Option(
            help="Numbers of participants; until the power is 95 % if not given.", metavar="N,...", show_default=False
        ),
    ] = None,
    target: Annotated[float, typer.Option(help="The wanted power.")] = 0.8,
    base: Annotated[float | None, typer.Option(help="True mean under the reference.", show_default=False)] = None,
    margin: Annotated[
        float | None, typer.Option(help="Power of showing equivalence within this margin instead.", show_default=False)
    ] = None,
    spread: Annotated[
        str | None,
        typer.Option(
            help="Standard deviations, such as participants=0.5,items=1 (also participants_by_condition, items_by_condition, "
            "remainder).",
            metavar="NAME=SD,...",
            show_default=False,
        ),
    ] = None,
    tests: Annotated[int, typer.Option(min=1, help="For how many tests the level is corrected.")] = 1,
    simulations: Annotated[int, typer.Option(min=10, help="Studies per number of participants.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulation.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="SVG file for the curve.", metavar="FILE", show_default=False), Use.WRITTEN
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the curves as JSON.")] = False,
) -> None:
    """Compute the power."""
    import json
    from dataclasses import asdict

    from evals.study.folder import Study
    from evals.study.power import detectable_effect, draw_power
    from evals.study.power import power as compute
    from evals.study.power.estimating import what_is_compared
    from saywhy_core.disk.files import atomic_open

    hold(out, "picture")
    opened = _opened(study)
    sizes = _sizes(participants)
    common: dict[str, Any] = {"task": task, "condition": condition, "reference": reference, "base": base, "tests": tests}
    common |= {"simulations": simulations, "seed": seed, "spread": _spread(spread, opened, task)}
    if not effect and margin is None:
        if sizes is not None and len(sizes) > 1:
            raise UsageError("the smallest effect is told for one number of participants; give one, or --effect")
        smallest = detectable_effect(opened, sizes[0] if sizes else None, target=target, **common)
        size = sizes[0] if sizes else (opened.file if isinstance(opened, Study) else opened).design.participants
        named, one, other = what_is_compared(opened, task, condition, reference)
        where = f"{named}, {one} against {other}, {size} participants"
        if smallest is None:
            note(
                f"no effect is shown with a power of {target:g} ({where}); take more participants, items or simulations",
                style="yellow",
            )
            return
        show(f"smallest effect that is shown with a power of {target:g}: {smallest:.3f} ({where})")
        return
    effects: list[float | None] = [*effect] if effect else [None]
    curves = [compute(opened, one, participants=sizes, margin=margin, **common) for one in effects]
    if out is not None:
        with atomic_open(out) as stream:
            stream.write(draw_power(curves, target))
    if as_json:
        records = [asdict(curve) | {"needed": curve.participants_needed(target), "target": target} for curve in curves]
        show_data(json.dumps(records, ensure_ascii=False) + "\n")
    for curve in curves:
        if not as_json:
            show_lines(curve.table())
            show(curve.advice(target))
    if not as_json:
        note(curves[0].assumptions())
    if out is not None:
        note(f"wrote {out}")


def _opened(study: Path) -> Study | StudyFile:
    """The study of a folder, or the file alone."""
    from evals.study.checking import read_whole_file
    from evals.study.folder import open_study

    return read_whole_file(study) if study.is_file() else open_study(study)


def _sizes(given: str | None) -> list[int] | None:
    if given is None:
        return None
    try:
        return [int(one) for one in given.split(",") if one.strip()]
    except ValueError:
        raise UsageError(f"--participants {given!r:.60} is no list of numbers; write for example 20,40,80") from None


def _spread(given: str | None, study: Study | StudyFile, task: str | None) -> AnswerSpread | None:
    """The standard deviations, with those that are not given as they are by default."""
    from evals.study.power.estimating import default_spread
    from evals.study.power.spread import with_deviations

    return None if given is None else with_deviations(default_spread(study, task), given)
