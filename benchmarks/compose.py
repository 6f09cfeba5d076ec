"""Composes texts over random maps, by scripted planners, and reads them back: is anything false, unread, or lost?

Run: python benchmarks/compose.py [--texts 10000] [--quick]
Five planners choose from the menu: one that goes by sides, one that ranks, one at random, and two hostile ones. These put
numbers that are not on the menu, repetitions, wrong types, thousands of groups, sentences and wrong connectives into their
plans. Maps are random: signed and unsigned, contrastive, with ties, flat, without evidence on one side, with words that occur
twice, with quotes, right to left, and with words that are labels; some have a prediction, and in some labels are masked.

Printed are: texts with a false sentence, with a sentence that `read_sentences` does not read whole, and with a meaning that is
not that of the chosen claims; the share of true plans whose every claim is in the text; how many sentences were worded again;
and the time to compose, and to read back, per text.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]

from verbalize import Prediction, Query, TokenSaliency, check, read_sentences  # noqa: E402
from verbalize.compose import Plan, chosen_of, menu_of, realised  # noqa: E402
from verbalize.compose.meaning import same_meaning  # noqa: E402
from verbalize.compose.plan import TONES  # noqa: E402
from verbalize.phrasing.wording import AUDIENCES  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from verbalize.compose import MenuItem

    Planner = Callable[[Sequence[MenuItem], np.random.Generator], Any]

WORDS = """
the a an of to and in with for but this that hotel staff room breakfast service view lobby pool parking coffee bed noise
street clean dirty friendly rude slow quick lovely awful great dull boring funny moving clever weak strong actor plot
scene music director script ending camera dialogue story film book chapter writer style market shares profit loss bank
trade growth price team match goal season coach player injury victory defeat rocket planet orbit engine virus vaccine
doctor patient trial cheap costly worth money never again always hardly not really quite rather very warm cold fresh
stale crisp soggy tasty bland spicy sweet bitter
""".split()  # noqa: SIM905 - a list of words reads best as text
ODD = [
    "don't",
    '"quoted"',
    "it's",
    "«so»",
    "x'y\"z",
    "مرحبا",
    "שלום",
    "5.99",
    "e-mail",
    "…",
    "<b>",
    "naïve",
    "東京",
    "50%",
    "\u200b",
    "A",
]
LABELS = [
    ("positive", "negative", "neutral"),
    ("sports", "politics", "science"),
    ("Travel", "Money"),
    ("good", "bad"),
    ("spam", "ham"),
]


def random_map(rng: np.random.Generator, number: int) -> TokenSaliency:
    """A map over words; its kind goes by its number."""
    n = int(rng.integers(3, 30))
    words = rng.choice(WORDS, n).tolist() if number % 5 == 0 else rng.choice(WORDS, n, replace=False).tolist()
    if number % 7 == 0:
        for _ in range(3):
            words[int(rng.integers(n))] = str(rng.choice(ODD))
    labels = list(LABELS[int(rng.integers(len(LABELS)))])
    if number % 11 == 0:
        words[int(rng.integers(n))] = labels[0]
    drawn = rng.normal(size=n) if number % 3 else rng.laplace(size=n)
    signed = number % 6 != 1
    match number % 13:
        case 0:
            drawn = np.round(drawn)  # ties
        case 1:
            drawn = np.abs(drawn) + 0.01
        case 2:
            drawn = -np.abs(drawn) - 0.01
        case 3:
            drawn = drawn * (rng.random(n) < 0.3)
        case 4 if number % 2:
            drawn = np.full(n, 0.5)
        case _:
            pass
    scores = np.round(np.abs(drawn) if not signed else drawn, 2)
    versus = (labels[1],) if number % 4 == 2 else ()
    prediction = None
    if number % 2 == 0:
        probability = round(float(rng.uniform(0.5, 0.99)), 2)
        ranked = labels if number % 8 else labels[::-1]  # in some maps the model predicts another label than the query's
        shares = {ranked[0]: probability, **{name: round((1 - probability) / (2 + i), 4) for i, name in enumerate(ranked[1:])}}
        prediction = Prediction(ranked[0], probability, shares)
    return TokenSaliency(words, scores, Query(labels[0], versus), prediction=prediction, signed=signed, id=f"m{number}")


def by_sides(menu: Sequence[MenuItem], rng: np.random.Generator) -> Any:
    """What is most important and how much it holds, the others on its side, the other side, and what both have together."""
    kinds = {item.number: {claim.kind for claim in item.claims} for item in menu}
    lead = [number for number, found in kinds.items() if found & {"most_important", "no_clear_evidence"}][:2]
    first = next((item.claims[0].part for item in menu if item.claims[0].kind == "most_important"), None)
    shares = [item.number for item in menu if item.claims[0].kind == "share" and item.claims[0].part == first]
    signs = [number for number, found in kinds.items() if found & {"supports", "matters"}]
    against = [number for number, found in kinds.items() if "opposes" in found]
    both = [number for number, found in kinds.items() if found & {"balance", "count"}]
    groups = [
        {"claims": [*lead[:1], *shares[:1]]},
        {"claims": signs[1:3], "connective": "addition"},
        {"claims": [*lead[1:], *against[1:3]], "connective": "contrast"},
        {"claims": both[: int(rng.integers(0, 2))], "connective": "summary"},
    ]
    return {"groups": groups, "audience": str(rng.choice(AUDIENCES)), "tone": str(rng.choice(TONES))}


def by_rank(menu: Sequence[MenuItem], rng: np.random.Generator) -> Any:
    """First, second and third in one sentence; then comparisons, counts, and what the model predicts."""
    kinds = [(item.number, item.claims[0].kind, item.claims[0].direction) for item in menu]
    places = [number for number, kind, side in kinds if kind in ("most_important", "rank") and side != "opposes"]
    compared = [number for number, kind, _ in kinds if kind in ("more_important_than", "ratio", "equal", "strength")]
    counted = [number for number, kind, _ in kinds if kind in ("count", "only", "near_zero", "least_important")]
    model = [number for number, kind, _ in kinds if kind in ("predicted", "confidence", "runner_up")]
    some = rng.permutation(compared)[:2].tolist() if compared else []
    groups = [model[:2], places[:3], some, counted[:2], model[2:]]
    return {"groups": [group for group in groups if group], "audience": str(rng.choice(AUDIENCES))}


def at_random(menu: Sequence[MenuItem], rng: np.random.Generator) -> Any:
    """Any items in any groups and order."""
    numbers = rng.permutation([item.number for item in menu])[: int(rng.integers(1, 9))].tolist()
    groups, connectives = [], ["none", "addition", "contrast", "summary"]
    while numbers and len(groups) < 5:
        size = int(rng.integers(1, 4))
        groups.append({"claims": numbers[:size], "connective": str(rng.choice(connectives))})
        numbers = numbers[size:]
    return {"groups": groups, "audience": str(rng.choice(AUDIENCES)), "tone": str(rng.choice(TONES))}


def malformed(menu: Sequence[MenuItem], rng: np.random.Generator) -> Any:
    """A plan with all that a broken model may put into it."""
    good = int(rng.integers(1, len(menu) + 1))
    junk: list[Any] = [
        None,
        True,
        -3,
        10**9,
        1e300,
        "'dull' speaks for it",
        {"claims": "all"},
        [[[[]]]],
        float("nan"),
        "7" * 5000,
        "",
    ]
    entries = [junk[int(i)] for i in rng.integers(0, len(junk), 4)]
    shapes: list[Any] = [
        {"groups": [{"claims": [good, good, *entries], "connective": "therefore"}] * 3000},
        {"groups": [good, *entries]},
        [[good], entries, entries],
        {"groups": {"claims": f"claim {good}"}, "audience": 7, "tone": ["x"], "comment": {"a": 1}},
        {"groups": "everything", "claims": [good]},
        {"groups": [{"claims": [str(good), float(good)]}, {"connective": "addition"}, *entries]},
    ]
    return shapes[int(rng.integers(len(shapes)))]


def lying(menu: Sequence[MenuItem], rng: np.random.Generator) -> Any:
    """A plan that would like to say something false: with connectives that contradict, and sentences in every field."""
    numbers = rng.permutation([item.number for item in menu])[:6].tolist()
    said = "'dull' is the most important word and the review is fake."
    groups = [{"claims": [number, said], "connective": "contrast", "text": said} for number in numbers]
    return {"groups": groups, "comment": said, "audience": said, "tone": said, "text": said, "sentences": [{"text": said}]}


PLANNERS: dict[str, Planner] = {
    "by sides": by_sides, "by rank": by_rank, "at random": at_random, "malformed": malformed, "lying": lying,
}  # fmt: skip
HOSTILE = ("malformed", "lying")


def main(count: int, seed: int, samples: int) -> int:
    rng = np.random.default_rng(seed)
    found: dict[str, Counter[str]] = {name: Counter() for name in PLANNERS}
    spent = Counter[str]()
    unlike: Counter[str] = Counter()
    shown: list[str] = []
    for number in range(count):
        saliency = random_map(rng, number)
        masked = number % 17 == 0
        name = list(PLANNERS)[number % len(PLANNERS)]
        begun = time.process_time()
        menu = menu_of(saliency, mask_labels=masked)
        raw = json.loads(json.dumps(PLANNERS[name](menu, rng)))
        planned = time.process_time()
        plan = Plan.model_validate(raw)
        chosen = chosen_of(plan, menu)
        made = realised(saliency, chosen, audience=plan.audience or "lay", tone=plan.tone, seed=number, mask_labels=masked)
        composed = time.process_time()
        sentences = read_sentences(made.text, saliency)
        read = time.process_time()
        spent.update({"menu": planned - begun, "composing": composed - planned, "reading": read - composed})
        claims = tuple(claim for sentence in sentences for claim in sentence.claims)
        wanted = tuple(claim for group, _ in chosen.groups for claim in group)
        tally = found[name]
        tally["texts"] += 1
        tally["empty"] += not made.text
        tally["sentences"] += len(sentences)
        tally["false"] += not check(claims, saliency)
        tally["unread"] += any(sentence.unread for sentence in sentences)
        tally["unlike"] += bool(made.text) and not same_meaning(wanted, claims, saliency.query)
        tally["lost"] += bool(made.left_out)
        tally["reworded"] += made.rewordings
        if made.left_out:
            unlike.update(made.left_out)
        if len(shown) < samples and number % 3 == 0:
            shown.append(f"[{plan.audience or 'lay'}, {plan.tone}] {made.text}")
    columns = ("texts", "empty", "sentences", "false", "unread", "unlike", "lost", "reworded")
    print(f"{'planner':12}" + "".join(f"{column:>11}" for column in columns))
    for name, tally in found.items():
        print(f"{name:12}" + "".join(f"{tally[column]:>11}" for column in columns))
    true = [tally for name, tally in found.items() if name not in HOSTILE]
    whole = sum(tally["texts"] - tally["lost"] for tally in true)
    print(f"\ntrue plans of which every claim is in the text: {whole / max(1, sum(tally['texts'] for tally in true)):.2%}")
    print("ms of CPU time per text: " + ", ".join(f"{name} {1000 * seconds / count:.2f}" for name, seconds in spent.items()))
    for reason, times in unlike.most_common(5):
        print(f"left out {times} times: {reason}")
    print("\n".join(shown))
    return sum(tally["false"] + tally["unread"] for tally in found.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=0, help="how many of the texts are printed")
    parser.add_argument("--quick", action="store_true", help="500 texts")
    arguments = parser.parse_args()
    sys.exit(1 if main(500 if arguments.quick else arguments.texts, arguments.seed, arguments.samples) else 0)
