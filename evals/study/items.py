"""The items of a study: an input of the model, what the model decided, and what each condition shows of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION = 1


@dataclass(frozen=True)
class Stimulus:
    """What a participant sees of an explanation.

    Attributes:
        html: a fragment of HTML without scripts, style attributes or outside addresses: classes of `study.css` do the colours,
            and pictures are `<img src="images/NAME.png" alt="...">`.
        text: the same for those who see no colours: screen readers and language models.
        top: the word (of a picture: the region) that it shows as the most important one, or "" where it shows none.
    """

    html: str
    text: str
    top: str = ""

    def to_record(self) -> dict[str, str]:
        """For a line of `items.jsonl`."""
        return {"html": self.html, "text": self.text} | ({"top": self.top} if self.top else {})


@dataclass(frozen=True, kw_only=True)
class Item:
    """One input under all conditions.

    Attributes:
        id: the map's id.
        form: "text" or "image".
        input: the input alone, as every condition shows it where the explanation does not show it itself.
        predicted: the label that the model chose.
        true: the label that is right, where it is known.
        labels: the labels that a participant chooses from.
        stimuli: by the condition's name.
        practice: whether it is for practice, with feedback, and not analysed.
        facts: what items are stratified and subgroups are made by: "label", "model_right" ("yes", "no", ""), "coverage",
            "length".
        answers: right answers of tasks that need more than `predicted` and `true`, by task kind: what the model says without a
            part ("counterfactual"), or which sentence is false ("error_finding"). Their form is the task's own.
    """

    id: str
    form: Literal["text", "image"]
    input: Stimulus
    predicted: str
    true: str | None = None
    labels: tuple[str, ...] = ()
    stimuli: Mapping[str, Stimulus] = field(default_factory=dict)
    practice: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)

    def to_record(self) -> dict[str, Any]:
        """A line of `items.jsonl`."""
        return {
            "version": VERSION,
            "id": self.id,
            "form": self.form,
            "practice": self.practice,
            "predicted": self.predicted,
            "true": self.true,
            "labels": list(self.labels),
            "facts": dict(self.facts),
            "answers": dict(self.answers),
            "input": self.input.to_record(),
            "stimuli": {name: one.to_record() for name, one in self.stimuli.items()},
        }


def item_from_record(record: Mapping[str, Any]) -> Item:
    """The item of a line of `items.jsonl`.

    Raises:
        KeyError, TypeError, ValueError: the record has not this form.
    """
    if record["version"] != VERSION:
        raise ValueError(f"items of version {record['version']} can't be read; this saywhy reads version {VERSION}")
    labels: Sequence[str] = record["labels"]
    return Item(
        id=str(record["id"]),
        form=record["form"],
        input=Stimulus(**record["input"]),
        predicted=str(record["predicted"]),
        true=record["true"],
        labels=tuple(labels),
        stimuli={name: Stimulus(**one) for name, one in record["stimuli"].items()},
        practice=bool(record["practice"]),
        facts=dict(record["facts"]),
        answers=dict(record["answers"]),
    )
