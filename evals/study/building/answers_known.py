"""Right answers of tasks that need more than what the model chose: counterfactuals, and wrong sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.study.stimuli.layout import region_in_words
from saywhy_core.errors import Problem, UsageError
from saywhy_core.reading.documents import parse_json, read_text
from verbalize.saliency import PixelSaliency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from evals.study.building.candidates import Candidate
    from evals.study.items import Item, Stimulus
    from saywhy_core.classifiers import Classifier
    from verbalize.saliency import Saliency

_EXPLANATION = "\n\nExplanation: "


def read_answers(path: Path) -> dict[str, list[dict[str, str]]]:
    """What the model says without a part of an input, by the id of its map.

    Each line of the file is an object with "id", "part" (what participants read, such as a word) and "label" (what the model
    says where the part is gone). Several lines of one id are several questions.

    Raises:
        UsageError: the file can't be read, or a line has another form.
    """
    found: dict[str, list[dict[str, str]]] = {}
    for number, line in enumerate(read_text(path, holds="answers of the model").split("\n"), 1):
        if not line.strip():
            continue
        record = parse_json(line, f"{path}, line {number}")
        fine = isinstance(record, dict) and all(
            isinstance(record.get(name), str) and record[name] for name in ("part", "label")
        )
        if not fine or not isinstance(record.get("id"), str | int):
            raise UsageError(f"{path}, line {number}: an answer is an object with 'id', 'part' and 'label', all of them texts")
        found.setdefault(str(record["id"]), []).append({"part": record["part"], "label": record["label"]})
    if not found:
        raise UsageError(f"{path} holds no answers; write one JSON object per line, with id, part and label")
    return found


def answers_of_target(
    candidates: Sequence[Candidate], target: Classifier, *, labels: Sequence[str], on_problem: Callable[[Problem], None]
) -> dict[str, list[dict[str, str]]]:
    """What an image classifier says without the region that speaks most for its choice, by the id of the map.

    The region is filled with the mean colour of the rest of the picture. An input of which the classifier does not say what
    the map says that the model chose is a problem: it is another model, or the picture is not the one that the model saw.

    Raises:
        UsageError: the classifier does not name its classes, or can't take the pictures.
    """
    if target.class_names is None:
        raise UsageError("the target does not name its classes; give their names in its address (names=FILE)")
    found: dict[str, list[dict[str, str]]] = {}
    for one, name, picture in _without_region(candidates):
        before, after = target(np.stack([one.map.image, picture]))  # type: ignore[union-attr, list-item]
        said, without = (str(target.class_names[int(np.argmax(scores))]) for scores in (before, after))
        if said != one.predicted:
            what = f"the map says that the model chose {one.predicted!r:.80}, and the target chooses {said!r:.80}"
            on_problem(Problem("the target", f"{what}; name the classifier that the map explains", id=one.id))
        elif without not in labels:
            on_problem(
                Problem("the target", f"without {name} it chooses {without!r:.80}, which is none of the labels", id=one.id)
            )
        else:
            found[one.id] = [{"part": name, "label": without}]
    return found


def _without_region(candidates: Sequence[Candidate]) -> Iterator[tuple[Candidate, str, Any]]:
    from verbalize.draw.heatmaps import drawn_regions

    for one in candidates:
        if not isinstance(one.map, PixelSaliency) or one.map.image is None:
            raise UsageError("a target answers for pictures; for texts, name a file of answers with --answers")
        regions = [region for region in drawn_regions(one.map) if region.sign > 0]
        if not regions:
            continue
        top = max(regions, key=lambda region: region.score)
        rest = ~top.mask if not top.mask.all() else top.mask
        picture = one.map.image.copy()
        picture[top.mask] = one.map.image[rest].mean(axis=0)
        yield one, region_in_words(one.map, top), picture


def usable_answers(
    known: Mapping[str, Sequence[Mapping[str, str]]], items: Sequence[Item], *, on_problem: Callable[[Problem], None]
) -> dict[str, list[Mapping[str, str]]]:
    """The answers that can be asked about: the label is one of the item's, and the part of a text stands in it.

    Raises:
        UsageError: none is of an item of the study.
    """
    found: dict[str, list[Mapping[str, str]]] = {}
    for item in items:
        for one in known.get(item.id, ()):
            what = None
            if one["label"] not in item.labels:
                what = f"without {one['part']!r:.60} the model says {one['label']!r:.60}, which is none of the item's labels"
            elif item.form == "text" and " ".join(one["part"].split()) not in " ".join(item.input.text.split()):
                what = f"the part {one['part']!r:.60} does not stand in the text"
            if what is None:
                found.setdefault(item.id, []).append(one)
            else:
                on_problem(Problem("the answers", what, id=item.id))
    if known and not any(item.id in known for item in items):
        raise UsageError("the answers are of none of the study's items; give them the ids of the maps")
    return found


def with_answers(items: Sequence[Item], known: Mapping[str, Sequence[Mapping[str, str]]]) -> list[Item]:
    """The items with what the model says without a part of them."""
    return [
        replace(item, answers={**item.answers, "counterfactual": [dict(one) for one in known[item.id]]})
        if item.id in known
        else item
        for item in items
    ]


def with_wrong_sentences(items: Sequence[Item], maps: Mapping[str, Saliency]) -> list[Item]:
    """The items with the sentences of each explanation, and which of them are false of the map.

    Only explanations of which each sentence is known to be true or false have such answers.
    """
    return [
        replace(item, answers={**item.answers, "error_finding": found})
        if (found := {name: one for name, stimulus in item.stimuli.items() if (one := _sentences(stimulus, maps[item.id]))})
        else item
        for item in items
    ]


def _sentences(stimulus: Stimulus, saliency: Saliency) -> dict[str, list[str]] | None:
    from verbalize.text_report import check_text

    _, marked, text = stimulus.text.partition(_EXPLANATION)
    if not marked or "<ol" in stimulus.html or "</mark>" in stimulus.html:  # a list or a rationale has no sentences
        return None
    sentences = check_text(text, saliency).sentences
    if not sentences or any(one.status == "not verified" for one in sentences):
        return None
    return {
        "parts": [one.text for one in sentences],
        "false": [one.text for one in sentences if one.status == "false"],
    }
