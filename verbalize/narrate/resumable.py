"""Narrates many maps into a file. Each text is saved as soon as it is final, and an interrupted run can be resumed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from agents.prompting.descriptions.pairs import dump_pairs
from saywhy_core.disk.resumable import ResumableLines
from saywhy_core.errors import Problem, UsageError
from verbalize.layout import known_layout, lay_out
from verbalize.narrate.dialogue import PROMPT_VERSION

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from agents.chat.foreseen import Foreseen
    from saywhy_core.progress import OnProgress
    from verbalize.narrate.narrator import Narrator
    from verbalize.saliency import Saliency
    from verbalize.verbalization import Verbalization

BATCH = 64  # maps per call of `narrate_all`: one batch for a model in this process, eight rounds of 8 requests for a server


@dataclass(frozen=True)
class NarratedFile:
    """The result of `narrate_to_file`.

    Attributes:
        texts: how many texts the file holds, including those of earlier runs.
        outcomes: how many texts had each outcome ("clean", "repaired", "cut", "template").
        fallbacks: how many texts come from the template for which reason, where the model was asked.
        falsehoods: how many false statements the drafts made, by kind; none of them is in a text.
        problems: the maps about which the model could not be asked. They have no text, and the next run asks again; in
            the order of the maps.
    """

    texts: int
    outcomes: Mapping[str, int] = field(default_factory=dict)
    falsehoods: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    fallbacks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PlannedFile:
    """What a run of `narrate_to_file` would do.

    Attributes:
        maps: how many there are.
        finished: how many of them have a text from an earlier run that was stopped.
        foreseen: the requests for the others, and what they take.
    """

    maps: int
    finished: int
    foreseen: Foreseen


def plan_to_file(
    narrator: Narrator, saliencies: Iterable[Saliency], out: str | os.PathLike[str], *, model_name: str
) -> PlannedFile:
    """What `narrate_to_file` would do with the same arguments; nothing is sent, and nothing is written.

    Args:
        narrator: makes the texts; the cache of its model says which requests cost nothing.
        saliencies: the maps.
        out: the file; it need not exist.
        model_name: the name of the model.

    Raises:
        UsageError: as `narrate_to_file`, as far as it can be known before anything is sent.
    """
    maps = list(saliencies)
    finished = ResumableLines(str(out), _settings(narrator, maps, model_name), needs=("text", "outcome")).finished()
    todo = [saliency for saliency in maps if saliency.saliency_id not in finished]
    return PlannedFile(len(maps), len(maps) - len(todo), narrator.foresee(todo))


def narrate_to_file(
    narrator: Narrator,
    saliencies: Iterable[Saliency],
    out: str | os.PathLike[str],
    *,
    model_name: str,
    layout: str = "jsonl",
    on_progress: OnProgress | None = None,
) -> NarratedFile:
    """Narrate maps into a file, by default JSON Lines with one `Verbalization.to_record` per line, in the order of the maps.

    Each text is written to `OUT.part` as soon as it is final. If `OUT.part` already holds texts for the same maps, from the
    same model and with the same settings, they are reused and not asked for again. The file itself is written at the end, and
    left as it was where no text was made.

    Args:
        narrator: makes the texts.
        saliencies: the maps; every map needs a different id.
        out: the file; "-" writes each text to standard output and keeps nothing.
        model_name: the name of the model; texts from a model with another name are not reused.
        layout: how the file is laid out, as `lay_out` takes it. It can change between a stopped run and the one that goes on.
        on_progress: called with (finished maps, all maps): first after earlier texts have been reused, then after each map.

    Raises:
        UsageError: a ceiling was reached, an offline run lacks a reply, or `out`, its journal or the reply cache can't be
            used. Finished texts are kept for the next run.
    """
    maps = list(saliencies)
    problems: dict[str, Problem] = {}
    line = partial(lay_out, layout=known_layout(layout), named=len(maps) > 1)
    with ResumableLines(str(out), _settings(narrator, maps, model_name), needs=("text", "outcome"), line=line) as lines:
        todo = [saliency for saliency in maps if saliency.saliency_id not in lines.done]
        settled = len(maps) - len(todo)

        def tell() -> None:
            if on_progress is not None:
                on_progress(settled, len(maps))

        def keep(made: Verbalization) -> None:
            nonlocal settled
            settled += 1
            if made.problem is None:
                lines.add(made.saliency_id, made.to_record())
            else:
                problems[made.saliency_id] = Problem("the model", made.problem, id=made.saliency_id)
            tell()

        tell()
        try:
            for start in range(0, len(todo), BATCH):
                narrator.narrate_all(todo[start : start + BATCH], on_settled=keep)
        except UsageError:
            if not lines.done:  # a journal without a text would only look like work that can go on
                lines.finish([saliency.saliency_id for saliency in maps])
            raise
        lines.finish([saliency.saliency_id for saliency in maps])
        records = list(lines.done.values())
    falsehoods: Counter[str] = Counter()
    for record in records:
        falsehoods.update(record.get("falsehoods", {}))
    left_out = tuple(problems[saliency.saliency_id] for saliency in maps if saliency.saliency_id in problems)
    outcomes = Counter(str(record["outcome"]) for record in records)
    fallbacks = Counter(str(record["fallback"]) for record in records if "fallback" in record)
    return NarratedFile(len(records), outcomes, falsehoods, left_out, fallbacks)


def _settings(narrator: Narrator, maps: list[Saliency], model_name: str) -> dict[str, Any]:
    """Everything that the texts depend on; texts made with other settings are not reused."""
    settings = {
        "llm": model_name,
        "audience": narrator.audience,
        "max_words": narrator.max_words,
        "repairs": narrator.repairs,
        "mask_labels": narrator.mask_labels,
        "language": narrator.language,
        "style": narrator.style,
        "seed": narrator.seed,
        "prompt": PROMPT_VERSION,
        "maps": _digest(json.dumps([_content(saliency) for saliency in maps])),
    }
    if narrator.explained is not None:
        settings["explained"] = repr(getattr(narrator.explained, "class_names", type(narrator.explained).__name__))
    if narrator.background is not None:
        known = json.dumps(sorted(narrator.background.numbers.items())) + json.dumps(dump_pairs(narrator.background.pairs))
        settings["background"] = _digest(known)
    return settings


def _content(saliency: Saliency) -> list[str]:
    words = repr(getattr(saliency, "tokens", ""))
    digest = hashlib.sha256(saliency.scores.tobytes() + words.encode("utf-8", "surrogatepass"))
    return [saliency.saliency_id, digest.hexdigest(), repr(saliency.query)]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
