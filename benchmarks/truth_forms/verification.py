"""Every fact of a `World`, found to hold by another way than it was drawn."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from benchmarks.truth_forms.vocabulary import in_words
from benchmarks.truth_forms.world import TIMES, side_of

if TYPE_CHECKING:
    from benchmarks.truth_forms.world import World


def verified(world: World) -> World:
    """The world itself, after every fact was found to hold by another way than it was drawn.

    Raises:
        AssertionError: a fact does not hold.
    """
    score = dict(zip(world.tokens, world.scores, strict=True))
    assert len(score) == len(world.tokens), "words must differ"

    def word(key: str) -> str:
        return world.tokens[world.words[key][0]]

    def above(key: str, sign: int) -> int:
        return sum(sign * other > sign * score[word(key)] for other in score.values())

    for key, places in world.words.items():
        signs = {side_of(world.scores[i]) for i in places}
        stem = key.rstrip("123")
        if stem in {
            "top",
            "second",
            "third",
            "fourth",
            "pos",
            "hi",
            "lo",
            "leastpos",
            "phrase",
            "lead",
            "strong",
            "weak",
            "rhi",
            "rlo",
            "tie",
            "below",
        }:
            assert signs == {"for"}, key
        elif stem in {
            "topneg",
            "secondneg",
            "thirdneg",
            "neg",
            "neghi",
            "neglo",
            "leastneg",
            "negphrase",
            "strongneg",
            "weakneg",
            "leadneg",
        }:
            assert signs == {"against"}, key
        elif stem == "big":
            assert "none" not in signs, key
            assert abs(world.scores[places[0]]) * len(world.scores) > 1.2 * sum(map(abs, world.scores)), key
        else:
            assert signs == {"none"}, key
    for key, rank, sign in (
        ("top", 0, 1),
        ("second", 1, 1),
        ("third", 2, 1),
        ("fourth", 3, 1),
        ("topneg", 0, -1),
        ("secondneg", 1, -1),
        ("thirdneg", 2, -1),
    ):
        if key in world.words:
            assert above(key, sign) == rank, key
            assert list(score.values()).count(score[word(key)]) == 1, key
    for key in ("pos", "pos2", "pos3"):
        assert key not in world.words or "top" not in world.words or score[word(key)] < score[word("top")]
    for key in ("lead", "leadneg"):
        assert key not in world.words or all(abs(v) < abs(score[word(key)]) for w, v in score.items() if w != word(key))
    for hi, lo in (("hi", "lo"), ("neghi", "neglo"), ("rhi", "rlo")):
        if hi in world.words:
            assert abs(score[word(hi)]) > 1.05 * abs(score[word(lo)])
    if "tie1" in world.words:
        assert score[word("tie1")] == score[word("tie2")] == max(score.values()) > score[word("below")]
    if "least" in world.words:
        assert sum(abs(v) <= abs(score[word("least")]) for v in score.values()) == 1
    for key in ("leastpos", "leastneg"):
        if key in world.words:
            same = [v for v in score.values() if v * score[word(key)] > 0]
            assert min(same, key=abs) == score[word(key)]
    assert all(w not in score for w in world.absent.values())
    assert world.names["other"] != world.label != world.names["unknown"]
    _verify_numbers(world, score)
    return world


def _verify_numbers(world: World, score: dict[str, float]) -> None:
    exact = {w: Fraction(str(v)) for w, v in score.items()}
    plus = sum((v for v in exact.values() if v > 0), Fraction(0))
    minus = -sum((v for v in exact.values() if v < 0), Fraction(0))

    def percent(text: str) -> int:
        head = text.replace("%", "").replace("percent", "").replace("per cent", "").strip()
        return int(head) if head.isdigit() else next(n for n in range(101) if in_words(n) == head)

    def value(key: str) -> Fraction:
        return abs(exact[world.tokens[world.words[key][0]]])

    parts = {
        "share_top": lambda: value("top") / plus,
        "share_second": lambda: value("second") / plus,
        "share_two": lambda: (value("top") + value("second")) / plus,
        "share_pos": lambda: value("pos") / plus,
        "share_neg": lambda: value("topneg") / minus,
        "share_for": lambda: plus / (plus + minus),
        "share_against": lambda: minus / (plus + minus),
    }
    for key, part in parts.items():
        if key in world.texts:
            assert abs(percent(world.texts[key]) - 100 * part()) <= Fraction(1, 2), key
            assert abs(percent(world.texts[f"wrong_{key}"]) - 100 * part()) > 7, key
    counts = {"npos": sum(v > 0 for v in exact.values()), "nneg": sum(v < 0 for v in exact.values()), "n": len(exact)}
    for key, number in counts.items():
        if key in world.texts:
            assert world.texts[key] in {str(number), in_words(number)}
            assert world.texts[f"wrong_{key}"] not in {str(number), in_words(number)}
    for key, of in (("score_top", "top"), ("score_second", "second"), ("score_neg", "topneg")):
        if key in world.texts:
            written = world.texts[key]
            digits = len(written.partition(".")[2])
            assert abs(Fraction(written) - exact[world.tokens[world.words[of][0]]]) <= Fraction(1, 2 * 10**digits), key
    if "rhi" in world.words:
        assert abs(value("rhi") / value("rlo") / Fraction(TIMES[world.texts["times"]]) - 1) < Fraction(2, 100)
    if "runner_up" in world.names:
        places = sorted(world.probabilities.values(), reverse=True)
        assert world.probabilities[world.names["runner_up"]] == places[1] > places[2]
    if "conf" in world.texts:
        assert str(round(100 * world.probabilities[world.label])) in world.texts["conf"]
