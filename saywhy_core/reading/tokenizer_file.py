"""A tokenizer.json, looked at before the library tokenizers reads it: rules that make a text grow without an end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.reading.documents import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_GROWTH = 64  # times the length of a text, all rules together; usual rules put one character in the place of one
LONGEST = 4096  # characters of one entry of the vocabulary; the longest of usual ones have a few hundred
DEEPEST = 16  # rules in rules


def check_tokenizer(folder: str | Path) -> None:
    """See that the rules in the tokenizer.json of a folder, if it has one, can't make an endless text of a short one.

    What the library does with them can't be stopped while it makes a text of tokens.

    Raises:
        UsageError: they can; or the file is no JSON.
    """
    path = Path(folder) / "tokenizer.json"
    if not path.is_file():
        return
    content, where = read_json(path), legible(str(path))
    if not isinstance(content, dict):
        raise UsageError(f"{where} must be a JSON object; give a folder written by save_pretrained")
    for part in ("normalizer", "decoder"):
        growth, tables = 1.0, 0
        for rule in _rules(content.get(part), where):
            pattern = rule.get("pattern")
            if rule.get("type") == "Precompiled":
                tables += 1
            if rule.get("type") != "Replace" or not isinstance(pattern, dict):
                continue
            new = len(str(rule.get("content", "")))
            if part == "decoder" and "Regex" in pattern:
                raise UsageError(
                    f"{where}: its decoder looks for a regular expression, which may take for ever; the file was refused"
                )
            growth *= max(1.0, 1 + new if "Regex" in pattern else new / max(1, len(str(pattern.get("String", "")))))
        if growth > MOST_GROWTH or tables > 1:
            raise UsageError(
                f"{where}: its {part} may make a text more than {MOST_GROWTH} times as long, which no honest tokenizer does; "
                "the file was refused"
            )
    longest = max((len(entry) for entry in _entries(content)), default=0)
    if longest > LONGEST:
        raise UsageError(f"{where}: an entry of its vocabulary has {longest:,} characters, and at most {LONGEST:,} are read")


def _rules(rule: Any, where: str, depth: int = 0) -> Iterator[dict[str, Any]]:
    if depth > DEEPEST:
        raise UsageError(f"{where} has rules in rules, more than {DEEPEST} deep; the file was refused")
    if isinstance(rule, dict):
        yield rule
        for name in ("normalizers", "decoders"):
            inner = rule.get(name)
            for one in inner if isinstance(inner, list) else ():
                yield from _rules(one, where, depth + 1)


def _entries(content: dict[str, Any]) -> Iterator[str]:
    model, added = content.get("model"), content.get("added_tokens")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if isinstance(vocabulary, dict):
        yield from vocabulary
    elif isinstance(vocabulary, list):  # of pairs, with a score
        yield from (pair[0] for pair in vocabulary if isinstance(pair, list) and pair and isinstance(pair[0], str))
    for one in added if isinstance(added, list) else ():
        if isinstance(one, dict) and isinstance(one.get("content"), str):
            yield one["content"]
