"""A study as files for any web host, or for JATOS: its pages judge and keep the answers, and hand them over at the end."""

from __future__ import annotations

import hashlib
import json
from random import Random
from typing import TYPE_CHECKING, Any

from evals.study.flow.judging import judge
from evals.study.flow.way import steps_for
from evals.study.folder import IMAGES
from evals.study.pages.page import page_html, static_files
from saywhy_core.errors import UsageError
from saywhy_core.reading.raw import read_bytes

if TYPE_CHECKING:
    from evals.study.folder import Study
    from evals.study.steps import Question, Step

SCRIPTS = ("study-words.js", "study-questions.js", "/bundle.js", "study-static.js", "study.js")
JATOS = ("/jatos.js", *SCRIPTS)
"""The scripts of a page without a server of ours. JATOS adds `jatos.js` itself."""
FORMAT = "saywhy-study-answers"
"""What the files that such pages hand over call themselves; each is one JSON object with one participant's answers."""


def bundle_files(study: Study, *, orders: int = 12, jatos: bool = False) -> dict[str, bytes]:
    """All files of a bundle, by path: `index.html`, `bundle.js`, `static/...` and `images/...`.

    Participants come into a cell at random (in JATOS: into the cell with the fewest), or into the one that the address names
    (`?cell=NAME`). The pages hold hashes of the right answers to comprehension questions in place of the answers, so that
    nobody reads them off by accident; whoever tries all options finds them. The completion code stands in the files.

    Args:
        study: the study, with its assets.
        orders: how many orders of trials and options each cell has: participants of a cell take one of them.
        jatos: hand the answers to JATOS; otherwise the participant downloads them.

    Raises:
        UsageError: the assets are missing or not what they should be, or `orders` is below 1.
    """
    if orders < 1:
        raise UsageError("a bundle needs at least one order of trials per cell")
    scripts = JATOS if jatos else SCRIPTS
    record = json.dumps(_record(study, orders), ensure_ascii=True, separators=(",", ":"))
    found = {
        "index.html": page_html(study, scripts=scripts, policy=True).encode(),
        "bundle.js": f"window.saywhyBundle = {record};\n".encode(),
    }
    found |= {f"static/{name}": content for name, content in static_files(study, scripts=scripts).items()}
    pictures = study.folder / IMAGES
    if pictures.is_dir():
        found |= {f"{IMAGES}/{one.name}": read_bytes(one) for one in sorted(pictures.iterdir()) if one.is_file()}
    return found


def _record(study: Study, orders: int) -> dict[str, Any]:
    """What the pages know: the steps of every way, with everything that several steps share held once."""
    salt = hashlib.sha256(f"{study.digest}-{study.file.seed}".encode()).hexdigest()[:16]
    random = Random(f"{study.file.seed}-bundle")  # noqa: S311 - the orders are no secret
    pool: dict[str, int] = {}
    cells = {
        cell.name: [_way(study, steps_for(study, cell, seed), seed, salt, pool) for seed in random.sample(range(2**31), orders)]
        for cell in study.cells
    }
    completion = study.file.completion
    return {
        "format": "saywhy-study-bundle",
        "version": 1,
        "study": study.digest,
        "title": study.file.title,
        "language": study.file.language,
        "salt": salt,
        "leaveAfter": study.file.server.leave_after_minutes,
        "completion": {"code": completion.code, "screened": completion.screened_code, "url": completion.url},
        "pool": [json.loads(text) for text in pool],
        "cells": cells,
    }


def _way(study: Study, steps: tuple[Step, ...], seed: int, salt: str, pool: dict[str, int]) -> dict[str, Any]:
    return {"seed": seed, "steps": [_pooled(study, step, seed, salt, pool) for step in steps]}


def _pooled(study: Study, step: Step, seed: int, salt: str, pool: dict[str, int]) -> dict[str, Any]:
    """A step whose large parts are numbers in the pool."""
    record = step.to_record() | {"right": _right(study, step, seed, salt)}
    for name in ("html", "text", "questions", "right"):
        record[name] = pool.setdefault(json.dumps(record[name], ensure_ascii=False), len(pool))
    return record


def _right(study: Study, step: Step, seed: int, salt: str) -> dict[str, Any]:
    """Question -> what the page has to know to say whether an answer is right: only where it says so to the participant."""
    if step.phase != "comprehension" and not step.feedback:
        return {}
    return {question.name: known for question in step.questions if (known := _known(study, step, question, seed, salt))}


def _known(study: Study, step: Step, question: Question, seed: int, salt: str) -> dict[str, Any] | None:
    """The hashes of the right options, and what is said of right and of wrong answers."""
    right: list[Any] = []
    said: dict[bool, str] = {}
    expected: str | None = None
    for answer in _answers_to(question):
        responses = {one.name: next(iter(_answers_to(one)), None) for one in step.questions} | {question.name: answer}
        outcome = judge(study, step, responses, participant="", seed=seed)
        told = next((one for one in outcome.feedback if one["question"] == question.name), None)
        if told is None:
            return None
        said[bool(told["correct"])] = told.get("message") or ""
        expected = told["expected"]
        if told["correct"]:
            right.append(answer)
    if question.kind == "parts":
        right = _parts(question, expected)
    if not right:
        return None
    hashes = [_hash(salt, step, question.name, one[0] if isinstance(one, list) else one) for one in right]
    return {"right": sorted(set(hashes)), "expected": expected, "said": [said.get(False, ""), said.get(True, "")]}


def _answers_to(question: Question) -> list[Any]:
    """Valid answers to a question, one after the other: all of a choice, and each single part."""
    match question.kind:
        case "choice":
            return [value for value, _ in question.options]
        case "rating":
            return list(range(1, question.points + 1))
        case "parts":
            return [[value] for value, _ in question.options]
        case "agree":
            return [True]
        case "number":
            return [0]
        case _:
            return ["-"]


def _parts(question: Question, expected: str | None) -> list[Any]:
    """The values of the parts that an expected answer names, by their values or by their texts."""
    try:
        named = json.loads(expected or "")
    except ValueError:
        return []
    if not isinstance(named, list):
        return []
    return [[value] for value, shown in question.options if value in named or shown in named]


def _hash(salt: str, step: Step, question: str, value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return hashlib.sha256(f"{salt}|{step.phase}|{step.name}|{question}|{text}".encode()).hexdigest()
