"""The options of every command that runs the model which maps are about: one set, with the same names and meanings."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saywhy.cli.options.choices import names_of
from saywhy.cli.options.console import note
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from verbalize.models import Model

PANEL = "Model that is explained"
MODEL_FORMS = (
    "MODEL is [bold]transformers:FOLDER_OR_NAME[/bold] (a classifier of texts or images, or a language model), "
    "[bold]minilm[/bold] or [bold]text:FOLDER_OR_NAME[/bold] (a sentence encoder, with --classes), [bold]demo:signs[/bold], or "
    "any image classifier that saywhy attacks: torch:FILE, onnx:FILE, http:URL, python:module:function. What runs code of the "
    "model's author needs [bold]--trust[/bold]."
)


def _option(text: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=PANEL, **settings)


@dataclass(frozen=True)
class ExplainedOptions:
    """The model that maps are about. `open` opens it."""

    model_spec: Annotated[
        str | None,
        _option(
            "The model: transformers:FOLDER_OR_NAME, minilm, demo:signs, torch:FILE, onnx:FILE and more.",
            "--model",
            metavar=f"[{'|'.join(f'{kind}:...' for kind in names_of('verbalize.models:model_kinds'))}]",
        ),
    ] = None
    model_classes: Annotated[
        Path | None,
        _option(
            "Class names, one per line or a JSON list; for sentence encoders and language models a JSON object from each class "
            "to its description or continuation, or to a list of them.",
            "--classes",
        ),
    ] = None
    described: Annotated[
        list[str] | None,
        _option(
            "A class with its description or continuation (repeatable), instead of --classes.", "--class", metavar="NAME=TEXT"
        ),
    ] = None
    model_option: Annotated[
        list[str] | None, _option("An option of the model, such as scores=probabilities (repeatable).", metavar="NAME=VALUE")
    ] = None
    trust: Annotated[
        bool,
        _option(
            "Let code of the model's author run: a python: module, TorchScript, or Python files of a transformers model.",
            "--trust",
        ),
    ] = False

    def open(self) -> Model:
        """The model. Which code of its author runs is said.

        Raises:
            UsageError: no model is named, it can't be opened, or its options or classes don't fit.
        """
        from saywhy_core.classifiers import read_option
        from saywhy_core.trust import telling_trust
        from verbalize.models import open_model

        if self.model_spec is None:
            raise UsageError("name the model with --model, such as --model transformers:FOLDER")
        options: dict[str, Any] = {}
        for pair in self.model_option or ():
            name, value = read_option(pair)
            if name == "trust":
                raise UsageError("trust is no option of a model: give --trust")
            if name in options:
                raise UsageError(f"the option {name!r} of the model is given twice; give it once")
            options[name] = value
        with telling_trust(note):
            return open_model(self.model_spec, class_names=self._classes(), trust=self.trust, **options)

    def _classes(self) -> Any:
        if not self.described:
            return self.model_classes
        if self.model_classes is not None:
            raise UsageError("--classes and --class both give the classes; leave one of them out")
        found: dict[str, list[str]] = {}
        for pair in self.described:
            name, equals, text = pair.partition("=")
            if not equals or not name.strip() or not text:
                raise UsageError(
                    f"--class takes NAME=TEXT, the name of a class and a text that stands for it, not {pair!r:.80}"
                )
            found.setdefault(name.strip(), []).append(text)
        return found


EXPLAINED_OPTIONS = tuple(one.name for one in fields(ExplainedOptions))
"""The names of these options, for rules."""
