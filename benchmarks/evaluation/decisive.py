"""How often is the most important word of a map decisive: would the model decide otherwise without it?

Run: python benchmarks/evaluation/decisive.py [--texts FILE] [--limit 200] [--methods NAME ...]
The model is the zero-shot classifier of the demo (all-MiniLM-L6-v2). SAYWHY_DATA names a folder with `smv_crowd/`, whose 120
news and 80 film reviews are the 200 texts. Without it, or with --texts (one news text per line), others are taken: short news
made of a list of sentences.

Every word of every text is cut out once, and the model is run on what is left. So for each text it is known which words are
decisive, if any. For each method the table says, with 95 % intervals (Wilson 1927):

- decisive: in how many texts the map's most important word is decisive;
- of those with one: the same among the texts in which any single word is decisive: 100 % would be perfect;
- falls most: in how many texts no other word lowers the score of the predicted label further when it is cut out.

"random word" is the mean over all words of a text, "any word" an oracle.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

# Python puts this folder first on the path, and the one above it on others: neither holds the packages.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

from saywhy.demo.sentences import NEWS, REVIEWS  # noqa: E402
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="news texts, one per line")
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--methods", nargs="*", default=list(methods_for("tokens")))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    encoder, tokenizer = load_minilm()
    groups = read_texts(options.texts, options.limit)
    tops: dict[str, list[tuple[bool, bool, bool]]] = {}
    chance: list[tuple[float, float, float]] = []
    seconds: dict[str, float] = {}
    sizes: list[int] = []
    refused: dict[str, str] = {}
    for name, classes, texts in groups:
        classifier = ZeroShotClassifier(encoder, tokenizer, classes)
        readable = [text for text in texts if len(tokenizer(text)["input_ids"]) <= classifier.max_pieces]
        print(f"{name}: {len(readable)} texts, and {len(texts) - len(readable)} more that are too long for the model")
        maps = {}
        for method in options.methods:
            if method in refused:
                continue
            began = time.perf_counter()
            settings = {"seed": options.seed} if "seed" in METHODS.get(method).tokens.uses else {}
            try:
                maps[method] = attribute(classifier, readable, method=method, **settings)
            except UsageError as error:
                refused[method] = str(error)
            seconds[method] = seconds.get(method, 0.0) + time.perf_counter() - began
        truth = every_word(classifier, next(iter(maps.values())))
        for index, (decisive, fall) in enumerate(truth):
            sizes.append(len(decisive))
            lowest = fall >= fall.max() - 1e-9
            chance.append((decisive.mean(), float(decisive.any()), lowest.mean()))
            for method, found in maps.items():
                top = most_important(found[index])
                tops.setdefault(method, []).append((bool(decisive[top]), bool(decisive.any()), bool(lowest[top])))
        held_against_check(classifier, next(iter(maps.values())), truth)
    report(tops, chance, seconds, sizes)
    for method, why in refused.items():
        print(f"\nwithout {method}: {why}")


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


def published(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return list(dict.fromkeys(row["Input Text"].strip() for row in rows if row["Input Text"].strip()))


def every_word(classifier: ZeroShotClassifier, maps: Sequence[TokenSaliency]) -> list[tuple[Any, Any]]:
    """For each text (P,) whether the decision changes without a word, and (P,) how far the logit of the label falls."""
    inputs = mask_inputs(classifier, maps)
    original = inputs.original()
    found = []
    for row in range(len(maps)):
        without = inputs.logits(row, ~np.eye(inputs.parts(row), dtype=bool), "removal")
        label = int(original[row].argmax())
        found.append((without.argmax(axis=1) != label, original[row, label] - without[:, label]))
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
        assert said == bool(decisive[top]), saliency.tokens[top]


def wilson(hits: float, count: int) -> tuple[float, float, float]:
    """A share with its 95 % interval (Wilson 1927)."""
    if not count:
        return float("nan"), float("nan"), float("nan")
    z, share = 1.959964, hits / count
    middle, reach = share + z * z / (2 * count), z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return share, (middle - reach) / (1 + z * z / count), (middle + reach) / (1 + z * z / count)


def report(
    tops: dict[str, list[tuple[bool, bool, bool]]],
    chance: list[tuple[float, float, float]],
    seconds: dict[str, float],
    sizes: list[int],
) -> None:
    count, possible = len(chance), int(sum(one[1] for one in chance))
    print(f"\n{count} texts of {np.median(sizes):.0f} words (median); in {possible} of them one word or more is decisive\n")
    print("| method | top word decisive | of texts with a decisive word | score falls most without it | seconds per map |")
    print("| --- | --- | --- | --- | --- |")
    rows = []
    for method, found in tops.items():
        hits = np.array(found)
        rows.append((hits[:, 0].sum(), method, hits[:, 0].sum(), hits[:, 2].sum(), f"{seconds[method] / count:.2f}"))
    rows.sort(reverse=True)
    any_word = ("", "any word (oracle)", sum(one[1] for one in chance), count, "")
    lucky = ("", "random word", sum(one[0] for one in chance), sum(one[2] for one in chance), "")
    for _, name, hits, falls, took in (any_word, *rows, lucky):
        cells = (wilson(hits, count), wilson(hits, possible), wilson(falls, count))
        print("| " + " | ".join([name, *(f"{share:.1%} ({low:.1%} to {high:.1%})" for share, low, high in cells), took]) + " |")


if __name__ == "__main__":
    main()
