"""Evaluates a file of prompts, of descriptions by class, or of pair descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.prompting import prompts_of, read_descriptions
from agents.prompting.descriptions.pairs import is_pairs, parse_pairs, read_json
from evals.prompts.evaluation import evaluate_pairs, evaluate_prompts
from evals.prompts.nameless import NEUTRAL
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from agents.encoders import ImageTextEncoder
    from agents.prompting.second_look.aggregation import Aggregate
    from agents.prompting.second_look.first_look import FirstLook
    from evals.prompts.evidence import PromptReport
    from saywhy_core.errors import Problem
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
) -> tuple[PromptReport, tuple[Problem, ...]]:
    """Evaluate a prompt file, a file of descriptions by class, or a pair file. The content decides which of them it is.

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

    Returns:
        The report, and the records of the file that could not be used.

    Raises:
        UsageError: the file has none of these forms, or what belongs to pairs is given for a file without pairs.
    """
    if is_pair_file(file):
        pairs = parse_pairs(read_json(file, "pairs"), str(file)).arranged(class_names, str(file))
        report = evaluate_pairs(
            encoder,
            class_names,
            pairs,
            embeddings,
            labels,
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
        return report, tuple(pairs.problems)
    if k is not None or mix is not None or first is not None or aggregate is not None or ks:
        raise UsageError(f"k, ks, mix, first and aggregate belong to the second look of pair files, and {file} holds prompts")
    library = read_descriptions(file, class_names)
    prompts = prompts_of(library, class_names, template)
    report = evaluate_prompts(
        encoder, class_names, prompts, embeddings, labels, template=template, draws=draws, seed=seed, neutral=neutral,
        on_progress=on_progress,
    )  # fmt: skip
    return report, library.problems
