"""The prompts of every class with the search that found them, and the prompt file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from agents.prompting.descriptions.by_class import write_cupl
from agents.prompting.descriptions.captions import class_vectors
from saywhy_core.disk.files import atomic_open

if TYPE_CHECKING:
    import os

    import numpy as np
    from numpy.typing import NDArray

    from agents.encoders.protocol import ImageTextEncoder
    from agents.encoders.seen import SeenImages
    from agents.prompting.selection.folds import CrossValidation

FORMAT = 1


@dataclass(frozen=True)
class Step:
    """One iteration of the search.

    Attributes:
        stage: "templates" or "descriptions".
        round: the round over groups, for descriptions; 0 for templates.
        group: the group within the round; 0 for templates.
        step: the iteration within the group, or within the templates.
        classes: the indices of the classes whose prompts the iteration may change; all classes for templates.
        candidates: how many prompt sets were scored.
        fitness: of the best prompt set so far, on the labelled images.
        accuracy: its top-1 accuracy there.
        entropy: its mean log probability of the true class there.
    """

    stage: str
    round: int
    group: int
    step: int
    classes: tuple[int, ...]
    candidates: int
    fitness: float
    accuracy: float
    entropy: float


@dataclass(frozen=True)
class PromptSet:
    """The prompts of every class, and a record of the search that found them.

    Attributes:
        prompts: class name -> its prompts; the class vector is the mean of their embeddings, at length 1. A prompt that stands
            in a list several times counts as often.
        history: the iterations in order; their figures hold for the labelled images only.
        template: the template the search started from.
        templates: the templates it chose.
        scale: logits were `scale` times cosines.
        start_fitness: the fitness of the starting template on the labelled images.
        fitness: the fitness of the result on them.
        candidates: how many prompt sets were scored.
        seconds: time spent on scoring and editing, without encoding; where the search was resumed, of the last run only.
        cross_validation: what folds of the labelled images say about these prompts; None for files of earlier versions.
        warnings: what may mislead about the result, one sentence each: a search that ended at its limit, classes it did not
            reach, pinned images that were wrong from the start.
        seen: what recognises the labelled images, so that prompts are not judged on them; None where unknown.
    """

    prompts: dict[str, list[str]]
    history: tuple[Step, ...]
    template: str
    templates: tuple[str, ...]
    scale: float
    start_fitness: float
    fitness: float
    candidates: int
    seconds: float
    cross_validation: CrossValidation | None = None
    warnings: tuple[str, ...] = ()
    seen: SeenImages | None = field(default=None, compare=False)

    def class_vectors(self, encoder: ImageTextEncoder) -> NDArray[np.float32]:
        """K×D class vectors of length 1."""
        return class_vectors(encoder, list(self.prompts.values()))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the prompt file (JSON, version 1: `prompts` maps class name to a list), whole or not at all.

        Under `shots` stands what recognises the labelled images.
        """
        content = {"version": FORMAT, **asdict(replace(self, seen=None))}
        del content["seen"]
        content["shots"] = None if self.seen is None else self.seen.to_dict()
        with atomic_open(path) as stream:
            json.dump(content, stream, ensure_ascii=False, indent=1)
            stream.write("\n")

    def write_cupl(self, path: str | os.PathLike[str], *, data_set: str | None = None) -> None:
        """Write the prompts alone in CuPL's form, `{class: [prompt, ...]}`, whole or not at all.

        Args:
            path: the file (JSON).
            data_set: a name under which the object is put, as CLIP_benchmark's `--custom_template_file` takes it; its class
                names must be spelled as that data set spells them.

        Raises:
            UsageError: a class has no prompt, which those who read the file could not use.
        """
        write_cupl(self.prompts, path, data_set=data_set)
