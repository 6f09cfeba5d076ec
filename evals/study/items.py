"""The items of a study: an input of the model, what the model decided, and what each condition shows of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    return Item(
        id=_text(record, "id"),
        form=_form(record["form"]),
        input=_stimulus(record["input"]),
        predicted=_text(record, "predicted"),
        true=None if record["true"] is None else _text(record, "true"),
        labels=tuple(_texts(record["labels"], "labels")),
        stimuli={name: _stimulus(one) for name, one in _mapping(record, "stimuli").items()},
        practice=record["practice"] is True,
        facts={name: str(value) for name, value in _mapping(record, "facts").items()},
        answers=dict(_mapping(record, "answers")),
    )


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record[key]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} must be a text that is not empty, not {value!r:.60}")
    return value


def _texts(value: object, key: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise ValueError(f"{key} must be a list of texts, not {value!r:.60}")
    return value


def _mapping(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record[key]
    if not isinstance(value, dict):
        raise ValueError(f"{key} must be an object, not {value!r:.60}")
    return value


def _form(value: object) -> Literal["text", "image"]:
    if value == "text":
        return "text"
    if value == "image":
        return "image"
    raise ValueError(f"form must be text or image, not {value!r:.60}")


def _stimulus(value: object) -> Stimulus:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise ValueError(f"what is shown must be an object of texts, html and text, not {value!r:.60}")
    return Stimulus(**value)
