"""Random maps whose facts are known: the ground truth of `benchmarks/truth.py`.

A `World` is a map over words together with its facts under the names that forms of sentences use as placeholders. The facts
are worked out here with plain sums and sorts, not by `verbalize`, and `verification.verified` recomputes each from the scores
in another way. Scores have clear gaps, so that no fact depends on a tolerance.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from benchmarks.truth_forms.vocabulary import FUNCTION_WORDS, TASKS, WORDS, in_words

# kind of map -> how often it is drawn. Most forms need a map with evidence on both sides.
KINDS = {
    "mixed": 60,
    "one for": 6,
    "one against": 6,
    "all for": 8,
    "all against": 5,
    "tied top": 5,
    "flat": 4,
    "unsigned": 6,
}
_FRACTIONS = {"half": 0.5, "a third": 1 / 3, "a quarter": 0.25, "two thirds": 2 / 3, "three quarters": 0.75, "a fifth": 0.2}
TIMES = {"twice": 2.0, "three times": 3.0, "four times": 4.0, "five times": 5.0}


@dataclass(frozen=True)
class World:
    """A map and its facts.

    Attributes:
        tokens: the words, all different.
        scores: one score per word, with three decimals.
        label: the label that the map explains.
        versus: the labels that it is contrasted with.
        probabilities: the model's probability of each class, or empty if the prediction is not known.
        signed: whether scores have a sign; if not, they only say how much a word matters.
        words: placeholder -> position of the word (or positions of the words of a phrase).
        names: placeholder -> a label.
        texts: placeholder -> a number or another text as it is written.
        traits: what is true of the map as a whole, such as "mixed", "for wins", "predicted".
        seed: the seed of the writing style of texts about this map.
    """

    tokens: tuple[str, ...]
    scores: tuple[float, ...]
    label: str
    versus: tuple[str, ...]
    probabilities: dict[str, float]
    signed: bool
    words: dict[str, tuple[int, ...]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()
    seed: int = 0

    def saliency(self) -> Any:
        """The map as `verbalize.TokenSaliency`."""
        from verbalize.saliency import Prediction, Query, TokenSaliency

        best = max(self.probabilities, key=self.probabilities.__getitem__, default="")
        known = Prediction(best, self.probabilities[best], self.probabilities) if self.probabilities else None
        extra = {} if self.signed else {"signed": False}
        return TokenSaliency(
            self.tokens, self.scores, Query(self.label, self.versus), text=" ".join(self.tokens), prediction=known, **extra
        )


def draw_world(seed: int, kind: str | None = None) -> World:
    """A random map and its facts; the same for the same seed."""
    rng = random.Random(f"world {seed}")
    kind = kind or rng.choices(list(KINDS), list(KINDS.values()))[0]
    supporters, opposers, blanks = _sizes(kind, rng)
    magnitudes = _magnitudes(supporters + opposers, rng)
    order = _sides(supporters, opposers, rng)
    values = [size if side else -size for size, side in zip(magnitudes, order, strict=True)] + [0.0] * blanks
    if kind == "tied top":
        best = max(range(len(values)), key=values.__getitem__)
        second = max((i for i in range(len(values)) if i != best), key=values.__getitem__)
        values[second] = values[best]
    rng.shuffle(values)
    tokens = rng.sample(WORDS, len(values))
    for place, value in enumerate(values):
        if value == 0 and rng.random() < 0.5:
            word = rng.choice(FUNCTION_WORDS)
            if word not in tokens:
                tokens[place] = word
    task = rng.choice(TASKS)
    label, *others = rng.sample(task, len(task))
    versus = (others[0],) if kind == "mixed" and rng.random() < 0.06 else ()
    probabilities = _probabilities(label, others, rng) if rng.random() < 0.5 else {}
    world = World(tuple(tokens), tuple(values), label, versus, probabilities, kind != "unsigned", seed=seed)
    traits = {kind, "predicted" if probabilities else "not predicted", "contrastive" if versus else "pointwise"}
    _name_words(world, kind, rng)
    _name_labels(world, task, others, rng)
    _name_numbers(world, kind, rng)
    _name_shares(world, kind, rng)
    traits |= _balance(world)
    if {"for", "against"} <= {side_of(value) for value in values}:
        traits.add("both sides")
    object.__setattr__(world, "traits", frozenset(traits))
    return world


def _sizes(kind: str, rng: random.Random) -> tuple[int, int, int]:
    """How many words support, oppose, and have no score."""
    most, few = rng.randint(4, 8), rng.randint(3, 6)
    if rng.random() < 0.35:
        most, few = few, most
    blanks = rng.choice([1, 1, 2, 2, 3, 4, 6, 8, 10])
    return {
        "one for": (1, few, blanks),
        "one against": (most, 1, blanks),
        "all for": (most + 2, 0, blanks),
        "unsigned": (most + 2, 0, blanks),
        "all against": (0, most + 2, blanks),
        "flat": (0, 0, rng.randint(6, 14)),
    }.get(kind, (most, few, blanks))


def _magnitudes(count: int, rng: random.Random) -> list[float]:
    """Sizes in falling order, each at least 8 % and 0.01 below the one before it."""
    size = rng.choice([0.95, 0.8, 0.62, 2.4, 1.7])
    sizes = []
    for _ in range(count):
        sizes.append(round(size, 3))
        low = 1.08 if count > 9 else 1.12
        size = min(size / rng.uniform(low, 1.5 if len(sizes) < 4 else 1.3), size - 0.011)
        if size <= 0.004:
            return _magnitudes(count, rng)
    return sizes


def _sides(supporters: int, opposers: int, rng: random.Random) -> list[bool]:
    """Which of the sizes, in falling order, are for the label. In most maps the largest is."""
    sides = [True] * supporters + [False] * opposers
    rng.shuffle(sides)
    if supporters and not sides[0] and rng.random() < 0.6:
        swap = sides.index(True)
        sides[0], sides[swap] = True, False
    return sides


def _probabilities(label: str, others: list[str], rng: random.Random) -> dict[str, float]:
    top = rng.randint(58, 96)
    rest = 100 - top
    shares = {label: top / 100}
    for position, other in enumerate(others):
        last = position == len(others) - 1
        part = rest if last else max(rest * 2 // 3, 1)
        shares[other] = part / 100
        rest -= part
    return shares


def side_of(value: float) -> str:
    """Which side a score is on: "for", "against" or "none"."""
    return "for" if value > 0 else "against" if value < 0 else "none"


def _name_words(world: World, kind: str, rng: random.Random) -> None:
    """Which word is the strongest supporter, and so on. A name is missing where the map has no such word."""
    scores = world.scores
    ranked = sorted(range(len(scores)), key=lambda i: -scores[i])
    up, down = [i for i in ranked if scores[i] > 0], [i for i in reversed(ranked) if scores[i] < 0]
    blank = [i for i in ranked if scores[i] == 0]
    words = world.words

    def name(key: str, places: list[int], index: int) -> None:
        if -len(places) <= index < len(places):
            words[key] = (places[index],)

    if kind == "tied top":
        words["tie1"], words["tie2"] = (up[0],), (up[1],)
        words["below"] = (up[2],)
    else:
        for key, index in (("top", 0), ("second", 1), ("third", 2), ("fourth", 3)):
            name(key, up, index)
    for key, index in (("topneg", 0), ("secondneg", 1), ("thirdneg", 2)):
        name(key, down, index)
    if len(up) >= 3:
        words["leastpos"] = (up[-1],)
    if len(down) >= 3:
        words["leastneg"] = (down[-1],)
    some = up[3:] if len(up) >= 6 else up[1:]
    for key, places in (("pos", some), ("neg", down[1:])):
        chosen = rng.sample(places, min(3, len(places)))
        for number, place in enumerate(chosen, 1):
            words[f"{key}{number if number > 1 else ''}"] = (place,)
    for key, fits in (("strong", lambda part: 0.6 <= part < 1), ("weak", lambda part: part <= 0.4)):
        chosen = [place for place in up if fits(scores[place] / scores[up[0]])]
        if chosen:
            words[key] = (rng.choice(chosen),)
        chosen = [place for place in down if fits(scores[place] / scores[down[0]])]
        if chosen:
            words[f"{key}neg"] = (rng.choice(chosen),)
    mass = sum(abs(score) for score in scores)
    big = [i for i in ranked if abs(scores[i]) > max(1.3 * mass / len(scores), 0.08 * mass)]
    for number, place in enumerate(rng.sample(big, min(2, len(big))), 1):
        words[f"big{number if number > 1 else ''}"] = (place,)
    if len(up) >= 4 and kind != "tied top":
        hi, lo = sorted(rng.sample(range(len(up)), 2))
        words["hi"], words["lo"] = (up[hi],), (up[lo],)
    if len(down) >= 2:
        hi, lo = sorted(rng.sample(range(len(down)), 2))
        words["neghi"], words["neglo"] = (down[hi],), (down[lo],)
    for number, place in enumerate(rng.sample(blank, min(2, len(blank))), 1):
        words[f"zero{number if number > 1 else ''}"] = (place,)
    if len(blank) == 1:
        words["least"] = (blank[0],)
    if up and (not down or scores[up[0]] > 1.05 * -scores[down[0]]) and kind != "tied top":
        words["lead"] = (up[0],)  # the strongest whether or not the sign counts
        if len(up) > 1 and (not down or scores[up[1]] > -scores[down[0]]):
            words["lead2"] = (up[1],)
    if down and (not up or -scores[down[0]] > 1.05 * scores[up[0]]):
        words["leadneg"] = (down[0],)
    for key, side in (("phrase", 1), ("negphrase", -1)):
        pairs = [i for i in range(len(scores) - 1) if side * scores[i] > 0 and side * scores[i + 1] > 0]
        if pairs:
            start = rng.choice(pairs)
            words[key] = (start, start + 1)
    missing = [word for word in WORDS if word not in world.tokens and word not in FUNCTION_WORDS]
    for key, word in zip(("absent", "absent2"), rng.sample(missing, 2), strict=True):
        world.absent[key] = word


def _name_labels(world: World, task: tuple[str, ...], others: list[str], rng: random.Random) -> None:
    world.names["label"] = world.label
    world.names["other"] = world.versus[0] if world.versus else rng.choice(others)
    foreign = [name for names in TASKS for name in names if name not in task]
    world.names["unknown"] = rng.choice(foreign)
    if world.versus:
        world.names["versus"] = world.versus[0]
    if world.probabilities and len(others) > 1:
        by_size = sorted(others, key=lambda name: -world.probabilities[name])
        if world.probabilities[by_size[0]] > world.probabilities[by_size[1]]:
            world.names["runner_up"], world.names["not_runner_up"] = by_size[0], by_size[1]


def _name_numbers(world: World, kind: str, rng: random.Random) -> None:
    """Counts, scores, ratios and probabilities as a writer gives them, each with a clearly wrong one."""
    texts, scores = world.texts, world.scores
    supporters, opposers = sum(value > 0 for value in scores), sum(value < 0 for value in scores)

    def count(key: str, number: int) -> None:
        wrong = rng.choice([other for other in range(2, 12) if abs(other - number) >= 2])
        spoken = rng.random() < 0.6
        if number >= 2:
            texts[key], texts[f"wrong_{key}"] = (in_words(number), in_words(wrong)) if spoken else (str(number), str(wrong))

    count("npos", supporters)
    count("nneg", opposers)
    count("n", len(scores))
    if kind == "unsigned":
        texts.pop("npos", None)

    def score(value: float) -> str:
        return f"{value:.2f}" if rng.random() < 0.75 else f"{value:.3f}"

    for key, text in (("top", "score_top"), ("second", "score_second"), ("topneg", "score_neg"), ("pos", "score_pos")):
        if key in world.words:
            texts[text] = score(scores[world.words[key][0]])
    if "score_top" in texts:
        value = scores[world.words["top"][0]]
        texts["wrong_score_top"] = score(value * rng.choice([0.37, 0.55, 1.6]))
    if "score_neg" in texts:
        value = scores[world.words["topneg"][0]]
        texts["wrong_score_neg"] = score(value * rng.choice([0.37, 0.55, 1.6]))
        texts["flipped_score_neg"] = texts["score_neg"].removeprefix("-")
    for true in ("score_top", "score_neg"):
        wrong = f"wrong_{true}"
        if true in texts and abs(float(texts[true]) - float(texts[wrong])) < 0.03:
            del texts[true], texts[wrong]
    if "top" in world.words and "second" in world.words:
        first, second = scores[world.words["top"][0]], scores[world.words["second"][0]]
        texts["sum_two"], texts["wrong_sum_two"] = f"{first + second:.2f}", f"{(first + second) * 1.4:.2f}"
        texts["gap_two"], texts["wrong_gap_two"] = f"{first - second:.2f}", f"{(first - second) * 2.5 + 0.2:.2f}"
    up = [i for i in range(len(scores)) if scores[i] > 0]
    for left, right in [(i, j) for i in rng.sample(up, len(up)) for j in rng.sample(up, len(up))]:
        found = [name for name, times in TIMES.items() if abs(scores[left] / scores[right] / times - 1) <= 0.015]
        if found:
            world.words["rhi"], world.words["rlo"] = (left,), (right,)
            texts["times"] = found[0]
            texts["wrong_times"] = rng.choice([name for name, t in TIMES.items() if abs(t - TIMES[found[0]]) > 1.5])
            break
    if world.probabilities:
        true = round(100 * world.probabilities[world.label])
        wrong = rng.choice([other for other in range(52, 99) if abs(other - true) >= 7])
        style = rng.choice(["{}%", "{} %", "{} percent", "0.{}"])
        texts["conf"], texts["wrong_conf"] = style.format(true), style.format(wrong)


def _name_shares(world: World, kind: str, rng: random.Random) -> None:
    """Shares of the evidence: of the evidence for the label, of that against it, and of all evidence."""
    scores, texts = world.scores, world.texts
    plus, minus = sum(v for v in scores if v > 0), -sum(v for v in scores if v < 0)
    both = plus + minus
    style = rng.choice(["{}%", "{}%", "{} %", "{} percent", "{} per cent", "words"])

    def write(number: int) -> str:
        return f"{in_words(number)} percent" if style == "words" else style.format(number)

    def share(key: str, part: float, whole: float, avoid: tuple[float, ...] = ()) -> None:
        if not whole or not part:
            return
        exact = 100 * part / whole
        if abs(exact % 1 - 0.5) < 0.05 or not 1 <= round(exact) <= 99:
            return  # the rounding of this number would hang on the last digit
        taken = [exact, *avoid]
        wrong = [n for n in range(3, 98) if all(abs(n - other) >= 8 for other in taken)]
        texts[key], texts[f"wrong_{key}"] = write(round(exact)), write(rng.choice(wrong))

    def value(key: str) -> float:
        return abs(scores[world.words[key][0]]) if key in world.words else 0.0

    if plus and kind != "unsigned":
        top, second = value("top"), value("second")
        share("share_top", top, plus, (100 * top / both,))
        if second:
            share("share_second", second, plus, (100 * second / both,))
            share("share_two", top + second, plus, (100 * (top + second) / both,))
        share("share_pos", value("pos"), plus, (100 * value("pos") / both,))
        fractions = [name for name, f in _FRACTIONS.items() if abs(top / plus - f) <= 0.012]
        if fractions:
            texts["fraction_top"] = fractions[0]
            away = [n for n, f in _FRACTIONS.items() if min(abs(f - top / plus), abs(f - top / both)) > 0.12]
            texts["wrong_fraction_top"] = rng.choice(away)
        over = [name for name, f in _FRACTIONS.items() if top / plus - f > 0.03]
        under = [name for name, f in _FRACTIONS.items() if f - top / plus > 0.03]
        if over and under:
            texts["under_top"], texts["over_top"] = rng.choice(under), rng.choice(over)
    if minus:
        share("share_neg", value("topneg"), minus, (100 * value("topneg") / both,))
    if both:
        share("share_top_all", value("top") or value("lead"), both, (100 * value("top") / plus,) if plus else ())
    if plus and minus:
        share("share_for", plus, both)
        share("share_against", minus, both)


def _balance(world: World) -> set[str]:
    plus, minus = sum(v for v in world.scores if v > 0), -sum(v for v in world.scores if v < 0)
    if not world.signed or not plus + minus:
        return set()
    if plus > 1.15 * minus:
        return {"for wins"}
    return {"against wins"} if minus > 1.15 * plus else set()
