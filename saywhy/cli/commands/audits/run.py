"""`saywhy audit run`: begin an audit, or go on with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adversarial.attacks import ATTACKS, PLAYERS
from adversarial.distances import DISTANCES
from saywhy.cli.commands.attack import as_option, read_options
from saywhy.cli.options.console import counted, finish, note, show_table, stderr
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import with_groups
from saywhy_core.classifiers import TARGETS
from saywhy_core.errors import ArgumentError, UsageError
from saywhy_core.progress import progress_bar
from saywhy_core.stopping import Stopped

if TYPE_CHECKING:
    from adversarial.audit import AuditPlan, AuditStatus, ProofTotals

HELP = (
    "Attack thousands of images, put each into the weather, and keep every result in DIR/audit.sqlite at once.\n\n"
    "IMAGES are pictures, folders (folders named like classes give the labels), NPY and NPZ files, and CSV files with the "
    "columns path and label. The same command, given again, goes on where it was stopped: no answered query is asked again, "
    "and IMAGES and --target may be left out. [bold]--dry-run[/bold] says beforehand what it will take.\n\n"
    "[bold]Example:[/bold] saywhy audit run audit images/ --target oip:http://localhost:8080#signs --labels labels.csv "
    "--budget 1000\n\n"
    "[bold]Exit status:[/bold] 0 all images are done; 1 some images could not be attacked; 2 the audit could not run to its "
    "end, or is paused because the endpoint is down or --max-queries is reached (what is done is kept); 130 interrupted.\n"
)
_TARGET, _SEARCH, _AFTER, _PROOF, _WORK = "Target", "Search", "Weather and survival", "Proof", "Work"


def _listed(names: Any) -> str:
    return f"[{'|'.join(names)}]"


@dataclass(frozen=True)
class TargetOptions:
    """Which classifier, and how it wants its images."""

    target: Annotated[
        str | None,
        typer.Option(
            help="The classifier; may be left out to go on with an audit.", metavar=_listed(f"{kind}:..." for kind in TARGETS),
            rich_help_panel=_TARGET, show_default=False,
        ),
    ] = None  # fmt: skip
    scores: Annotated[
        str | None,
        typer.Option(
            help="What the classifier answers; needed if the target does not state it.", rich_help_panel=_TARGET,
            metavar="[logits|probabilities|sigmoid|top-k|label]",
        ),
    ] = None  # fmt: skip
    option: Annotated[
        list[str] | None,
        typer.Option(help="An option of the target, such as concurrency=8 (repeatable).", rich_help_panel=_TARGET),
    ] = None
    trust: Annotated[bool, typer.Option("--trust", help="Let code of the target's author run.", rich_help_panel=_TARGET)] = (
        False
    )
    classes: Annotated[
        str | None,
        typer.Option(
            help="Class names: a file with one per line or a JSON list, or the JSON list itself.", metavar="FILE|LIST",
            rich_help_panel=_TARGET,
        ),
    ] = None  # fmt: skip


@dataclass(frozen=True)
class SearchOptions:
    """The search for each image."""

    distance: Annotated[
        str | None,
        typer.Option(help="Which distance to make small; l0, which counts pixels, if not given.", metavar=_listed(DISTANCES),
                     rich_help_panel=_SEARCH, show_default=False),
    ] = None  # fmt: skip
    budget: Annotated[
        int | None,
        typer.Option(min=1, help="The most queries of each image's search; 1000 if not given.", rich_help_panel=_SEARCH,
                     show_default=False),
    ] = None  # fmt: skip
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Same seed, same results; 0 if not given.", rich_help_panel=_SEARCH, show_default=False),
    ] = None
    goal: Annotated[
        str | None, typer.Option(help="Class to reach, by name or number; any other if not given.", rich_help_panel=_SEARCH)
    ] = None
    manipulation: Annotated[
        str | None,
        typer.Option(
            help="What may be done to a pixel: corners, plus_minus_tau:0.1, or colour:1,0,0.", rich_help_panel=_SEARCH
        ),
    ] = None
    player_two: Annotated[
        str | None, typer.Option(help="See saywhy attack --help.", metavar=_listed(PLAYERS), rich_help_panel=_SEARCH)
    ] = None
    attack: Annotated[
        str | None,
        typer.Option(
            help="Which attack to use; chosen by the distance if not given.", metavar=_listed(ATTACKS), rich_help_panel=_SEARCH
        ),
    ] = None
    levels: Annotated[
        str | None,
        typer.Option(help="Keep every query on a grid of so many levels; see saywhy attack --help. auto if not given.",
                     metavar="NUMBER|auto|any", rich_help_panel=_SEARCH, show_default=False),
    ] = None  # fmt: skip
    tolerate_noise: Annotated[
        bool,
        typer.Option(
            "--tolerate-noise",
            help="Decide by asking again where the classifier is not deterministic.",
            rich_help_panel=_SEARCH,
        ),
    ] = False
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1, help="Images per call of the classifier; 64 if not given.", rich_help_panel=_SEARCH, show_default=False
        ),
    ] = None


@dataclass(frozen=True)
class AfterOptions:
    """What is asked about each image besides."""

    weather: Annotated[
        str | None,
        typer.Option(help="Kinds of weather, with commas between; none for no weather; the standard kinds if not given.",
                     rich_help_panel=_AFTER, show_default=False),
    ] = None  # fmt: skip
    severities: Annotated[
        str | None,
        typer.Option(
            help="Severities of the weather from 1 to 5, with commas between; 1,3,5 if not given.", rich_help_panel=_AFTER,
            show_default=False,
        ),
    ] = None  # fmt: skip
    no_survival: Annotated[
        bool,
        typer.Option("--no-survival", help="Do not ask whether what was found survives being saved as PNG and JPEG.",
                     rich_help_panel=_AFTER),
    ] = False  # fmt: skip


@dataclass(frozen=True)
class ProofOptions:
    """What is proved about each image."""

    prove: Annotated[
        float | None,
        typer.Option(help="Seconds per attacked image to prove how many pixels are needed at least; for l0, ONNX files and "
                     "torch modules.", rich_help_panel=_PROOF, show_default=False),
    ] = None  # fmt: skip
    prove_pixels: Annotated[
        int | None, typer.Option(min=1, help="The most pixels to prove; 3 if not given.", rich_help_panel=_PROOF,
                                 show_default=False)
    ] = None  # fmt: skip


@dataclass(frozen=True)
class WorkOptions:
    """Where the work is done, and how much of it."""

    engine: Annotated[str, typer.Option(help="Where the work is done.", metavar="[local|ray]", rich_help_panel=_WORK)] = "local"
    ray_address: Annotated[
        str | None, typer.Option(help="The Ray cluster; one is started here if not given.", rich_help_panel=_WORK)
    ] = None
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="With --engine ray, images worked on at once, one per processor if not given. With --prove alone, proofs "
            "made at once, each by a process with one thread; one after the other if not given.",
            rich_help_panel=_WORK,
            show_default=False,
        ),
    ] = None
    max_queries: Annotated[
        int | None,
        typer.Option(
            min=1, help="The most queries of the audit over all its runs, kept until another is given.", rich_help_panel=_WORK
        ),
    ] = None
    price: Annotated[
        float | None, typer.Option(min=0, help="Price of one query, to say what the audit may cost.", rich_help_panel=_WORK)
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would take.", rich_help_panel=_WORK)] = False
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Attack the images that failed once more.", rich_help_panel=_WORK)
    ] = False


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="run", help=HELP)(with_groups(run))


def run(
    directory: Annotated[Path, typer.Argument(help="The audit's folder.", metavar="DIR", file_okay=False), Use.FOLDER_WRITTEN],
    target: TargetOptions,
    search: SearchOptions,
    after: AfterOptions,
    proof: ProofOptions,
    work: WorkOptions,
    images: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Pictures, folders, NPY, NPZ and CSV files.", metavar="[IMAGES]...", show_default=False, readable=False
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            help="The true classes: a CSV with path and label, a text file with one per line, folders, or classifier."
        ),
    ] = None,
    label: Annotated[str | None, typer.Option(help="The true class of all images.")] = None,
    resize: Annotated[
        str | None, typer.Option(help="Resize images to HEIGHTxWIDTH, or to the classifier's size: auto.")
    ] = None,
) -> None:
    """Run an audit."""
    from adversarial import AttackStopped
    from adversarial.audit import Audit, AuditPaused
    from adversarial.distances.levels import read_levels
    from saywhy_core.trust import telling_trust

    audit = Audit(directory)
    engine = {name: value for name, value in (("address", work.ray_address), ("workers", work.workers)) if value is not None}
    if work.ray_address is not None and work.engine != "ray":
        raise UsageError("--ray-address goes with --engine ray")
    options = read_options(target.option or [], target.scores)
    given: dict[str, Any] = {
        "labels": labels, "label": label, "trust": target.trust, "price": work.price,
        "class_names": _class_names(target.classes),
        "options": options or None, "distance": search.distance, "budget": search.budget, "seed": search.seed,
        "goal": search.goal, "manipulation": search.manipulation, "player_two": search.player_two, "attack": search.attack,
        "levels": None if search.levels is None else read_levels(search.levels),
        "tolerate_noise": search.tolerate_noise or None, "batch_size": search.batch_size,
        "weather": _words(after.weather), "severities": _numbers(after.severities),
        "survival": False if after.no_survival else None, "resize": resize,
        "prove": proof.prove, "prove_pixels": proof.prove_pixels,
    }  # fmt: skip
    problems: list[Any] = []

    def planned(plan: AuditPlan) -> None:
        problems.extend(plan.problems)
        tell_plan(plan)

    try:
        with telling_trust(note):
            if work.dry_run:
                planned(audit.plan(images or None, target=target.target, engine=work.engine, engine_options=engine, **given))
                finish(("not audited", problems))
                return
            with progress_bar("auditing", console=stderr) as bar:
                status = audit.run(
                    images or None, target=target.target, engine=work.engine, engine_options=engine,
                    retry_failed=work.retry_failed, max_queries=work.max_queries, on_plan=planned, on_progress=bar,
                    on_proving=bar.stage("proving"), **given,
                )  # fmt: skip
    except AuditPaused:
        for problem in problems:  # those of images are told when the audit is done
            note(f"not audited: {problem}")
        raise
    except ArgumentError as error:
        raise UsageError(error.spelled(_as_option)) from None
    except AttackStopped as stopped:
        raise stopped.__cause__ if isinstance(stopped.__cause__, Stopped) else stopped from None
    tell_status(status)
    for remark in status.remarks:
        note(f"proof of {remark}", style="yellow")
    note(f"saywhy audit report {directory} makes a page of it")
    finish(("not audited", list(dict.fromkeys([*problems, *status.problems]))), ("nothing is proved about", status.unproved))


def _as_option(argument: str, value: str | None) -> str:
    """As `as_option`; the tree search of `saywhy attack --engine mcts` is an attack here."""
    return "--attack mcts_game" if argument == "engine" else as_option(argument, value)


def tell_plan(plan: AuditPlan) -> None:
    """Say what an audit will take."""
    done = f" of {plan.images:,}" if plan.waiting != plan.images else ""
    note(
        f"{plan.waiting:,}{done} {'image' if plan.images == 1 else 'images'} to audit, at most {plan.queries_per_image:,} "
        f"queries each and {plan.queries:,} in all"
        + (
            f" ({plan.timing:,} more {'was' if plan.timing == 1 else 'were'} made to time the classifier)"
            if plan.timing
            else ""
        )
        + ("" if plan.seconds is None else f", at most about {_duration(plan.seconds)}")
        + (_proving(plan) if plan.proofs else "")
        + ("" if plan.cost is None else f", at most {plan.cost:,.2f} in money")
    )


def _proving(plan: AuditPlan) -> str:
    """What proofs will take at most, as a clause."""
    made = counted(plan.proofs, "proof")
    if plan.provers is None:
        return f", and at most {_duration(plan.proving)} for {made}, divided by the number of workers"
    at_once = f", {plan.provers:,} at once" if plan.provers > 1 else ""
    return f", and at most {_duration(plan.proving)} for {made}{at_once}"


def tell_status(status: AuditStatus) -> None:
    """Show how many images have which status."""
    words = {
        "found": "flipped by a change that the search found",
        "held": "not flipped within the budget",
        "wrong": "wrong before anything was changed",
        "failed": "could not be attacked",
        "waiting": "waiting" if not status.begun else f"waiting, {status.begun:,} of them begun",
    }
    rows = [(f"{status.counts[name]:,}", words[name]) for name in words if status.counts[name]]  # type: ignore[index]
    show_table([*rows, (f"{status.queries:,}", "queries made"), *_proof_rows(status.proofs)])


def _proof_rows(proofs: ProofTotals | None) -> list[tuple[str, str]]:
    if proofs is None:
        return []
    words = {
        "exact": "of them known exactly",
        "timed_out": "of them at the end of their time: more seconds may prove more",
        "stopped": "of them interrupted: the next run goes on",
        "missing": "attacked, still without a proof",
    }
    found = [(getattr(proofs, name), said) for name, said in words.items()]
    return [(f"{proofs.made:,}", "proved about"), *((f"{number:,}", said) for number, said in found if number)]


def _duration(seconds: float) -> str:
    if seconds < 90:
        return counted(max(1, round(seconds)), "second")
    return counted(round(seconds / 60), "minute") if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _class_names(text: str | None) -> list[str] | None:
    """The names in a file, or in a JSON list that is written out, as the command that repeats an audit has them."""
    from saywhy_core.names import check_class_names, read_class_names
    from saywhy_core.reading.documents import parse_json

    if text is None:
        return None
    if text.lstrip().startswith("["):
        return check_class_names(parse_json(text, "--classes"), "--classes")
    return read_class_names(text)


def _words(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return () if text.strip() == "none" else tuple(word.strip() for word in text.split(",") if word.strip())


def _numbers(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    words = [word.strip() for word in text.split(",")]
    if not all(word in {"1", "2", "3", "4", "5"} for word in words):
        raise UsageError(f"--severities takes numbers from 1 to 5 with commas between, such as 1,3,5, not {text!r}")
    return tuple(int(word) for word in words)
