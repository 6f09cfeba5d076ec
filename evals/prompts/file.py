"""Evaluates a file of prompts, of descriptions by class, or of pair descriptions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.prompting import prompts_of, read_descriptions
from agents.prompting.descriptions.pairs import is_pairs, parse_pairs, read_json
from agents.prompting.second_look.first_look import first_library
from evals.prompts.evaluation import evaluate_pairs, evaluate_prompts
from evals.prompts.nameless import NEUTRAL
from evals.prompts.unseen import unseen_by
from saywhy_core.errors import Problem, UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agents.encoders import ImageTextEncoder
    from agents.prompting.descriptions.by_class import ClassDescriptions
    from agents.prompting.second_look.aggregation import Aggregate
    from agents.prompting.second_look.first_look import FirstLook
    from evals.prompts.evidence import PromptReport
    from saywhy_core.progress import OnProgress

CANDIDATES = 10  # as in Esfandiarpoor & Bach 2024


def is_pair_file(file: str | os.PathLike[str]) -> bool:
    """Whether a file holds pair descriptions in FuDD's format.

    Raises:
        UsageError: the file can't be read as JSON.
    """
    return is_pairs(read_json(file, "prompts, descriptions by class, or pairs"))


def evaluate_file(
    encoder: ImageTextEncoder,
    class_names: Sequence[str],
    file: str | os.PathLike[str],
    embeddings: NDArray[np.float32],
    labels: NDArray[np.integer],
    *,
    k: int | None = None,
    mix: float | None = None,
    first: FirstLook | None = None,
    aggregate: Aggregate | None = None,
    ks: Sequence[int] = (),
    template: str = "a photo of a {}.",
    draws: int = 5,
    seed: int = 0,
    neutral: str = NEUTRAL,
    on_progress: OnProgress | None = None,
    paths: Sequence[str | os.PathLike[str]] | None = None,
) -> tuple[PromptReport, tuple[Problem, ...]]:
    """Evaluate a prompt file, a file of descriptions by class, or a pair file. The content decides which of them it is.

    Images that the file, or that of the first look, was searched with are left out, with their copies: `PromptReport.left_out`.

    Args:
        encoder: the encoder that made the image embeddings; it encodes the texts.
        class_names: the K classes.
        file: the file.
        embeddings: N×D image embeddings.
        labels: N class indices.
        k: for pair files, how many candidate classes each image has in the second look; 10 by default.
        mix: for pair files, the weight of the second look; 1 by default.
        first: for pair files, the texts of the first look, as in `DifferentialClassifier`; the template by default.
        aggregate: for pair files, how captions become a score, as in `DifferentialClassifier`; "embeddings" by default.
        ks: for pair files, numbers of candidates of a sweep; none if empty.
        template: the prompt to compare with; it is also put before a description that does not name its class.
        draws: how often each random control is drawn; 0 leaves all controls out.
        seed: seed of the draws and of the bootstrap.
        neutral: the noun in the place of class names in the control without them.
        on_progress: called with (sets of texts by which all images are decided, such sets in all).
        paths: the N files of the images. With them, copies in another format, size or quality are recognised; without, only
            images with equal embeddings.

    Returns:
        The report, and the records of the file that could not be used.

    Raises:
        UsageError: the file has none of these forms, or what belongs to pairs is given for a file without pairs;
            or no image is left.
    """
    if is_pair_file(file):
        pairs = parse_pairs(read_json(file, "pairs"), str(file)).arranged(class_names, str(file))
        looks = first_library("template" if first is None else first, class_names)
        rows, truth, found, seen = _unseen(looks, first, embeddings, labels, paths, encoder)
        report = evaluate_pairs(
            encoder,
            class_names,
            pairs,
            rows,
            truth,
            k=CANDIDATES if k is None else k,
            mix=1.0 if mix is None else mix,
            first="template" if first is None else first,
            aggregate="embeddings" if aggregate is None else aggregate,
            ks=ks,
            template=template,
            draws=draws,
            seed=seed,
            neutral=neutral,
            on_progress=on_progress,
        )
        return replace(report, **found), (*pairs.problems, *seen)
    if k is not None or mix is not None or first is not None or aggregate is not None or ks:
        raise UsageError(f"k, ks, mix, first and aggregate belong to the second look of pair files, and {file} holds prompts")
    library = read_descriptions(file, class_names)
    prompts = prompts_of(library, class_names, template)
    rows, truth, found, seen = _unseen(library, file, embeddings, labels, paths, encoder)
    report = evaluate_prompts(
        encoder, class_names, prompts, rows, truth, template=template, draws=draws, seed=seed, neutral=neutral,
        on_progress=on_progress,
    )  # fmt: skip
    return replace(report, **found), (*library.problems, *seen)


def _unseen(
    library: ClassDescriptions | None,
    file: object,
    embeddings: NDArray[np.float32],
    labels: NDArray[np.integer],
    paths: Sequence[str | os.PathLike[str]] | None,
    encoder: ImageTextEncoder,
) -> tuple[NDArray[np.float32], NDArray[np.integer], dict[str, Any], list[Problem]]:
    """The images and labels that a file was not made with, what the report has to say of the others, and their problem."""
    if library is None or not library.searched:
        return embeddings, labels, {}, []
    fresh, unknown = unseen_by([library.seen], embeddings, paths, encoder)
    if not fresh.any():
        raise UsageError(
            f"all of these images are shots with which {file} was made, or copies of them; give images that its search did not "
            "see"
        )
    left = np.flatnonzero(~fresh)
    problems = []
    if left.size:
        where = f"image {left[0]}" if paths is None else str(paths[left[0]])
        told = "it is a shot" if left.size == 1 else f"this and {left.size - 1} more are shots"
        copy = "a copy of one" if left.size == 1 else "copies of them"
        problems.append(Problem(where, f"{told} with which {file} was made, or {copy}"))
    return embeddings[fresh], np.asarray(labels)[fresh], {"left_out": int(left.size), "may_be_seen": unknown}, problems
