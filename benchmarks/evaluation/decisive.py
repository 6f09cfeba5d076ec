"""How often is the most important word of a map decisive: would the model decide otherwise without it?

Run: python benchmarks/evaluation/decisive.py [--texts FILE] [--limit 200] [--methods NAME?OPTION=VALUE ...]
The model is the zero-shot classifier of the demo (all-MiniLM-L6-v2). SAYWHY_DATA names a folder with `smv_crowd/`, whose 120
news and 80 film reviews are the 200 texts. A text is cut to its first whole sentences of at most 60 words together. Without the
folder, or with --texts (one news text per line), others are taken: short news made of a list of sentences.

Every word of every text is hidden once, by cutting it out and by putting [MASK] in its place, and the model is run on what is
left. So for each text it is known which words are decisive, if any. For each method the tables say, with 95 % intervals
(Wilson 1927), over all texts and over those of each kind:

- removed: in how many texts the map's most important word is decisive where it is cut out;
- of texts with one: the same among the texts in which any single word is decisive: 100 % would be perfect;
- [MASK]: in how many texts it is decisive where [MASK] takes its place;
- both: in how many it is decisive in both ways, as the claim "decisive" demands that holds however a word is hidden;
- falls most: in how many texts no other word lowers the score of the predicted label further when it is cut out.

"random word" is the mean over all words of a text, "any word" an oracle. Methods that draw samples have budgets, so that the
whole takes some 20 minutes on one core; --methods gives others. The most important word is the one with the highest score, or
with the greatest magnitude where no score is above zero or the map has no signs.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import sys
import time
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

# Python puts this folder first on the path, and the one above it on others: neither holds the packages.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from saywhy.demo.sentences import NEWS, REVIEWS  # noqa: E402
from saywhy_core.classifiers import split_spec  # noqa: E402
from saywhy_core.errors import UsageError  # noqa: E402
from verbalize import Claim, attribute, check  # noqa: E402
from verbalize.attribution import METHODS, ZeroShotClassifier, load_minilm, methods_for  # noqa: E402
from verbalize.masking import mask_inputs  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verbalize import TokenSaliency

_SUBJECTS = (
    "The central bank",
    "A young striker",
    "The ministry",
    "A new telescope",
    "The carmaker",
    "The home team",
    "A storm",
)
_DEEDS = (
    "raised interest rates for the third time this year", "scored twice in the last ten minutes of the final",
    "sent troops to the border after the talks had failed", "found water in the air of a distant planet",
    "cut two thousand jobs to please its investors", "signed a goalkeeper for a record fee",
    "left half of the island without power and drinking water",
)  # fmt: skip


BUDGETS = {
    "integrated_gradients": "steps=30", "gradient_shap": "samples=30", "shapley": "steps=3", "kernel_shap": "samples=80",
    "lime": "samples=80",
}  # fmt: skip
FILLS = ("removal", "mask")
WORDS = 60  # of a text at most, unless its first sentence is longer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="news texts, one per line")
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--methods", nargs="*", default=[named(one) for one in methods_for("tokens")])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    encoder, tokenizer = load_minilm()
    kinds: list[Found] = []
    for name, classes, texts in read_texts(options.texts, options.limit):
        classifier = ZeroShotClassifier(encoder, tokenizer, classes)
        readable = [text for text in texts if len(tokenizer(text)["input_ids"]) <= classifier.max_pieces]
        print(f"{name}: {len(readable)} texts, and {len(texts) - len(readable)} more that are too long for the model")
        found = Found(name, len(readable))
        maps = {}
        for method in options.methods:
            began = time.perf_counter()
            plain, given = split_spec(method)
            settings = {"seed": options.seed, **given} if "seed" in METHODS.get(plain).tokens.uses else given
            try:
                maps[method] = attribute(classifier, readable, method=plain, **settings)
            except UsageError as error:
                found.refused[method] = str(error)
            found.seconds[method] = time.perf_counter() - began
            print(f"{name}, {method}: {found.seconds[method]:.0f} s", file=sys.stderr, flush=True)
        truth = every_word(classifier, next(iter(maps.values())))
        for index, (decisive, fall) in enumerate(truth):
            lowest = fall >= fall.max() - 1e-9
            found.add(decisive, lowest, {method: most_important(some[index]) for method, some in maps.items()})
        held_against_check(classifier, next(iter(maps.values())), truth)
        kinds.append(found)
    if len(kinds) > 1:
        report(sum(kinds[1:], kinds[0]))
    for found in kinds:
        report(found)
    for method, why in {method: why for found in kinds for method, why in found.refused.items()}.items():
        print(f"\nwithout {method}: {why}")


def named(method: str) -> str:
    return f"{method}?{BUDGETS[method]}" if method in BUDGETS else method


@dataclass
class Found:
    """What was found for the texts of one kind: for each text, and for each method and text, the numbers of the tables.

    A row is (decisive when removed, decisive as [MASK], decisive both ways, falls most).
    """

    name: str
    texts: int
    tops: dict[str, list[Any]] = field(default_factory=dict)
    chance: list[Any] = field(default_factory=list)
    possible: list[Any] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def add(self, decisive: Any, lowest: Any, tops: Mapping[str, int]) -> None:
        """One text: (P, 2) whether each word is decisive in each way, (P,) whether none lowers the score further."""
        every = np.column_stack([decisive, decisive.all(axis=1), lowest])
        self.sizes.append(len(decisive))
        self.chance.append(every.mean(axis=0))
        self.possible.append(every.any(axis=0))
        for method, top in tops.items():
            self.tops.setdefault(method, []).append(every[top])

    def __add__(self, other: Found) -> Found:
        methods = [method for method in self.tops if method in other.tops]
        return Found(
            f"{self.name} and {other.name}", self.texts + other.texts,
            {method: self.tops[method] + other.tops[method] for method in methods},
            self.chance + other.chance, self.possible + other.possible, self.sizes + other.sizes,
            {method: self.seconds[method] + other.seconds[method] for method in methods},
        )  # fmt: skip


def read_texts(path: Path | None, limit: int) -> list[tuple[str, Mapping[str, Any], list[str]]]:
    """(name, classes, texts) of each kind of text."""
    if path is not None:
        return [("news of " + path.name, NEWS, path.read_text(encoding="utf-8").splitlines()[:limit])]
    folder = Path(os.environ.get("SAYWHY_DATA", "")) / "smv_crowd"
    if os.environ.get("SAYWHY_DATA") and folder.is_dir():
        news, reviews = (published(folder / f"{name}_labels_and_texts.csv") for name in ("AGNews", "IMDb"))
        share = limit * len(news) // (len(news) + len(reviews))
        return [("AG News", NEWS, news[:share]), ("IMDb", REVIEWS, reviews[: limit - share])]
    print("SAYWHY_DATA has no smv_crowd: made-up news are taken")
    random = np.random.default_rng(0)
    made = [f"{random.choice(_SUBJECTS)} {random.choice(_DEEDS)}." for _ in range(4 * limit)]
    return [("made-up news", NEWS, list(dict.fromkeys(made))[:limit])]


def shortened(text: str) -> str:
    """The first whole sentences of at most `WORDS` words together; one at least, which is cut where it is longer."""
    sentences = re.split(r"(?<=[.!?])\s+", text)
    kept, count = "", 0
    for sentence in sentences:
        count += len(sentence.split())
        if kept and count > WORDS:
            break
        kept = f"{kept} {sentence}".strip()
    return " ".join(kept.split()[:WORDS])


def published(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return list(dict.fromkeys(shortened(row["Input Text"].strip(' "')) for row in rows if row["Input Text"].strip(' "')))


def every_word(classifier: ZeroShotClassifier, maps: Sequence[TokenSaliency]) -> list[tuple[Any, Any]]:
    """For each text (P, 2) whether the decision changes without a word, cut out or masked, and (P,) how far the logit falls."""
    inputs = mask_inputs(classifier, maps)
    original = inputs.original()
    found = []
    for row in range(len(maps)):
        hidden = ~np.eye(inputs.parts(row), dtype=bool)
        without = [inputs.logits(row, hidden, fill) for fill in FILLS]
        label = int(original[row].argmax())
        changed = np.column_stack([logits.argmax(axis=1) != label for logits in without])
        found.append((changed, original[row, label] - without[0][:, label]))
    return found


def most_important(saliency: TokenSaliency) -> int:
    scores = saliency.scores
    return int((scores if saliency.signed and scores.max() > 0 else np.abs(scores)).argmax())


def held_against_check(classifier: ZeroShotClassifier, maps: Sequence[TokenSaliency], truth: list[tuple[Any, Any]]) -> None:
    """The library's own check says the same as the loop above, for the top words of the first ten texts."""
    for saliency, (decisive, _) in list(zip(maps, truth, strict=True))[:10]:
        top = most_important(saliency)
        label = saliency.prediction.label if saliency.prediction else saliency.query.label
        said = bool(check([Claim("decisive", (top,), label=label)], saliency, classifier))
        assert said == bool(decisive[top, 0]), saliency.tokens[top]


def wilson(hits: float, count: int) -> tuple[float, float, float]:
    """A share with its 95 % interval (Wilson 1927)."""
    if not count:
        return float("nan"), float("nan"), float("nan")
    z, share = 1.959964, hits / count
    middle, reach = share + z * z / (2 * count), z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return share, (middle - reach) / (1 + z * z / count), (middle + reach) / (1 + z * z / count)


def report(found: Found) -> None:
    count = len(found.sizes)
    possible = np.sum(found.possible, axis=0).astype(int)
    print(
        f"\n### {found.name}: {count} texts of {np.median(found.sizes):.0f} words (median)\n\nOne word or more is decisive in "
        f"{possible[0]} of them where it is removed, in {possible[1]} where it becomes [MASK].\n"
    )
    print("| method | removed | of texts with one | [MASK] | both | falls most | seconds per map |")
    print("| --- | --- | --- | --- | --- | --- | ---: |")
    rows = [(np.sum(rows, axis=0), name) for name, rows in found.tops.items()]
    rows.sort(key=lambda row: -row[0][0])
    ends = ((possible, "any word (oracle)"), (np.sum(found.chance, axis=0), "random word"))
    for hits, name in (ends[0], *rows, ends[1]):
        shares = [wilson(hits[0], count), wilson(hits[0], possible[0]), *(wilson(one, count) for one in hits[1:])]
        cells = ["" if np.isnan(share) else f"{share:.1%} ({low:.1%} to {high:.1%})" for share, low, high in shares]
        took = f"{found.seconds[name] / count:.2f}" if name in found.seconds else ""
        print("| " + " | ".join([name, *cells, took]) + " |")


if __name__ == "__main__":
    main()
