"""`saywhy improve`: search better prompts with a few labelled images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saywhy.cli.options import prompts as prompting
from saywhy.cli.options.choices import either
from saywhy.cli.options.console import counted, note, show_lines
from saywhy.cli.options.files import Use
from saywhy.cli.options.groups import Rule, with_groups
from saywhy_core.errors import UsageError
from saywhy_core.progress import progress_bar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from agents.encoders import EncodedImages

HELP = """Search better prompts with a few labelled images; one per class is enough. Compare them with plain alternatives.

Templates are searched first, then the descriptions of each class. A table compares the prompts with template ensembles, image
prototypes, Tip-Adapter and linear probes, on folds of the shots and on --test images that none of them sees. --method auto
picks one by the folds. OUT holds prompts for any program, and STEM.cupl.json beside it the same in CuPL's form;
STEM.classifier.npz, for `saywhy classify --classifier`, is written where the method is more than prompts. The run
can be stopped at any moment; the same command goes on with it.

[bold]Example:[/bold] saywhy improve --shots shots/ --test photos/ --encoder clip:PATH --descriptions pairs.json
--out prompts.json

[bold]Exit status:[/bold] 0 all images were used; 1 some images were left out; 2 the command could not run;
130 it was interrupted.
"""
DRAWS = 5  # of each control with chance, as in `saywhy evaluate prompts`
RULES = (
    Rule(
        ("rounds",),
        "--descriptions: without them templates alone are searched",
        lambda options: options["descriptions"] is not None,
    ),
    Rule(("repeats",), "folds; --folds 0 leaves them out", lambda options: options["folds"] != 0),
)
METHODS = either("agents.few_shot:METHODS", first=("auto",))


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="improve", help=HELP)(with_groups(improve, RULES))


def improve(
    shots: Annotated[
        Path, typer.Option(help="Labelled images: a folder (with one folder per class), or a CSV with path and label.")
    ],
    encoder: prompting.EncoderOption,
    out: Annotated[Path, typer.Option(help="The prompt file to write (JSON)."), Use.WRITTEN],
    descriptions: Annotated[Path | None, typer.Option(help="Descriptions by class, or a pair file.")] = None,
    classes: Annotated[Path | None, typer.Option(help="Class names; by default the classes of the shots.")] = None,
    test: Annotated[Path | None, typer.Option(help="Labelled images that the search does not see.")] = None,
    template: prompting.TemplateOption = "a photo of a {}.",
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|NUMBERS",
            help="Weights of the fitness: a released configuration of ProAPO (imagenet, oxford_pets/RN50), or four numbers for "
            "top-1, top-5, log probability and redundancy; by default those that most configurations share (0,0.1,10,0).",
        ),
    ] = None,
    synonyms: Annotated[
        Path | None, typer.Option(help="Other names of classes (JSON: class to a list of names), for further captions.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=0, help="The most rounds over groups of confused classes.")] = 4,
    method: Annotated[
        str, typer.Option(metavar=METHODS, help="How to classify; auto picks by the folds of the shots, and by rule without.")
    ] = "auto",
    folds: Annotated[int, typer.Option(min=0, help="The most folds in which shots are held out; 0 leaves this out.")] = 5,
    repeats: Annotated[int, typer.Option(min=1, help="How often the folds are drawn.")] = 1,
    searches: Annotated[
        int, typer.Option(min=1, help="With how many seeds prompts are searched, --seed first; folds choose the best.")
    ] = 1,
    must_not_break: Annotated[
        Path | None,
        typer.Option(help="Labelled images: a method that gets one wrong which the template alone gets right is not picked."),
    ] = None,
    seed: prompting.SeedOption = 0,
    embeddings: prompting.EmbeddingsOption = None,
    trust: prompting.TrustOption = False,
) -> None:
    """Search better prompts."""
    from dataclasses import replace

    import numpy as np

    from agents.encoders.seen import SeenImages
    from agents.few_shot import METHODS as KNOWN
    from agents.few_shot import find_method, write_classifier
    from agents.prompting import read_descriptions
    from evals.prompts import evaluate_prompts, report_text
    from evals.prompts.alternatives import improve_prompts
    from saywhy_core.disk.destinations import beside, is_stream
    from saywhy_core.disk.files import atomic_open
    from saywhy_core.disk.locks import FileLock

    streamed = is_stream(out)
    beside_out = (out.with_name(f"{out.stem}.{ending}") for ending in ("report.json", "classifier.npz", "cupl.json"))
    comparison, trained, cupl = beside_out
    chosen = None if method == "auto" else find_method(method)
    if streamed and (test is not None or (chosen is not None and chosen.fit is not None)):
        what, file = ("--test", comparison) if test is not None else (f"--method {method}", trained)
        raise UsageError(f"{what} writes {file.name} beside OUT, and {out} is no file; name a file, or leave {what} out")
    if not streamed:
        _check_beside(comparison, trained, cupl)
    names = _names(shots, classes)
    library = None if descriptions is None else read_descriptions(descriptions, names)
    if library is not None and descriptions is not None:
        prompting.tell_descriptions(library, descriptions)
    others = None if synonyms is None else {name: own for name, own in read_descriptions(synonyms, names).items() if own}
    looker = prompting.opened(encoder, embeddings, trust=trust)
    state = None if streamed else beside(out, ".state")
    with FileLock(out, "prompt file"):
        few = prompting.encoded(looker, shots).of_classes(names)
        unseen = None if test is None else prompting.encoded(looker, test).of_classes(names)
        pinned = None if must_not_break is None else prompting.encoded(looker, must_not_break).of_classes(names)
        groups = [few, *([] if pinned is None else [pinned])]
        seen = SeenImages.of(
            [path for one in groups for path in one.images.paths], np.concatenate([one.rows for one in groups]), looker
        )
        which = "one of the shots" if pinned is None else "a shot or a pinned image"
        fresh = (
            None if unseen is None else _fresh(unseen, seen.among(unseen.images.paths, unseen.rows, looker), names, test, which)
        )
        with progress_bar("searching prompts") as bar:
            found = improve_prompts(
                looker, names, few.rows, few.images.label_indices(names), library, method=method, folds=folds, repeats=repeats,
                searches=searches, seed=seed, template=template, weights=weights, synonyms=others, rounds=rounds, state=state,
                test=fresh,
                must_not_break=None if pinned is None else (pinned.rows, pinned.images.label_indices(names)),
                texts_only=streamed, progress=lambda _: bar.advance(),
            )  # fmt: skip
        replace(found.prompts, seen=seen).write(out)
        if not streamed:
            found.prompts.write_cupl(cupl)
        if found.classifier is not None:
            write_classifier(trained, found.classifier, names, encoder=looker, method=found.method, seen=seen)
        report = None
        if fresh is not None:
            draws = 0 if library is None else DRAWS  # the controls ask whether the words of descriptions matter
            report = evaluate_prompts(looker, names, found.prompts.prompts, *fresh, template=template, draws=draws, seed=seed)
        if not streamed:
            with atomic_open(comparison) as stream:
                content = {"version": 1} if report is None else report.to_dict()
                json.dump({**content, "alternatives": found.to_dict()}, stream, ensure_ascii=False, indent=1)
        if state is not None:
            state.unlink(missing_ok=True)
    note(
        f"{counted(sum(map(len, found.prompts.prompts.values())), 'prompt')} for {len(names)} classes in {out}; "
        f"{counted(found.prompts.candidates, 'prompt set')} scored, "
        f"fitness on the shots {found.prompts.start_fitness:.3f} -> {found.prompts.fitness:.3f}"
    )
    if found.absent:
        shown = ", ".join(found.absent[:3]) + (", ..." if len(found.absent) > 3 else "")
        many = "1 class has" if len(found.absent) == 1 else f"{len(found.absent)} classes have"
        note(f"{many} no shots ({shown}): a probe without texts never answers with such a class")
    for warning in found.prompts.warnings:
        note(warning)
    held = found.prompts.cross_validation
    if held is not None and held.gap is not None:
        note(
            f"prompts kept: {held.chosen}; accuracy on the shots of their search is {held.gap:+.1%} above that on "
            f"shots left out ({held.folds} folds)"
        )
    elif held is not None:
        note(held.note)
    if found.classifier is not None:
        words = KNOWN[found.method].words
        note(f"the classifier of {found.method} ({words}) is {trained}: saywhy classify --classifier takes it")
    elif trained.exists():
        note(f"{trained} is from an earlier run: {found.method} needs no classifier file")
    if report is not None:
        show_lines(report_text(report, after="with the prompts"))
    if streamed:  # standard output may be the prompt file itself
        note(found.reason)
    else:
        show_lines(found.text())
    if test is None:
        note("Whether they are better, only images that the search did not see can say: give --test.")
    problems = [problem for group in (few, unseen, pinned, library) if group is not None for problem in group.problems]
    prompting.finish_with(problems, looker)


def _check_beside(*files: Path) -> None:
    """See that the files beside OUT can be written."""
    from saywhy_core.disk.destinations import check_own
    from saywhy_core.disk.files import check_is_no_input

    for file in files:
        check_is_no_input(file)
        check_own(file, file.parent)


def _names(shots: Path, classes: Path | None) -> list[str]:
    """The class names: those of the list, else those of the shots."""
    from saywhy_core.images import list_images
    from saywhy_core.names import read_class_names

    listed = list_images(shots)
    if listed.labels is None:
        raise UsageError(
            f"{shots} names no classes: put the shots into one folder per class, or give a CSV with path and label"
        )
    if classes is not None:
        return read_class_names(classes)
    if listed.doubt:
        raise UsageError(f"{listed.doubt} (--classes FILE)")
    # what joins the words of a folder's name is no part of the class's name: it would stand in every prompt
    return sorted({label.replace("_", " ") for label in listed.labels})


def _fresh(
    unseen: EncodedImages, known: NDArray[np.bool_], names: list[str], test: Path | None, which: str
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The embeddings and classes of the test images that are neither shots nor pinned, which the choice looks at."""
    truth = unseen.images.label_indices(names)
    if known.all():
        raise UsageError(f"every image of {test} is {which}; give images that the search did not see")
    if known.any():
        left = counted(int(known.sum()), "test image")
        note(f"{left} left out of the test: each is {which}, or a copy in another format")
    return unseen.rows[~known], truth[~known]
