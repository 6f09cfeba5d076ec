"""For each form of statement some claims that it says, all of them true by hand of the maps here."""

from verbalize import Claim, Prediction, Query, TokenSaliency

TOKENS = [
    "the",
    "staff",
    "was",
    "lovely",
    "and",
    "the",
    "view",
    "superb",
    "but",
    "breakfast",
    "cold",
    "and",
    "music",
    "loud",
    "today",
]
SCORES = [0.0, 0.5, 0.0, 4.0, 0.0, 0.0, 1.0, 2.0, 0.0, -1.0, -2.0, 0.0, -0.5, -0.5, 0.0]
# for: lovely 4, superb 2, view 1, staff 0.5 (7.5 in all); against: cold 2, breakfast 1, music 0.5, loud 0.5 (4 in all)
HOTEL = TokenSaliency(
    TOKENS, SCORES, Query("positive"), id="hotel",
    prediction=Prediction("positive", 0.93, {"positive": 0.93, "mixed": 0.05, "negative": 0.02}),
)  # fmt: skip
VERSUS = TokenSaliency(TOKENS, SCORES, Query("positive", ("negative",)), id="versus", prediction=HOTEL.prediction)
BETTER = TokenSaliency(TOKENS[:9], SCORES[:9], Query("positive"), id="better")
FLAT = TokenSaliency(TOKENS, [0.0] * 15, Query("positive"), id="flat")
EVEN = TokenSaliency(TOKENS, [0.0, 2.0, 0.0, 2.0, *[0.0] * 6, -1.0, 0.0, 0.0, 0.0, 0.0], Query("positive"), id="even")
ATTENTION = TokenSaliency(
    TOKENS, [0.01, 1.0, 0.01, 4.0, 0.01, 0.01, 1.0, 3.0, 0.01, 1.0, 2.0, 0.0, 1.0, 0.01, 0.01], Query("positive"), signed=False, id="attention"
)  # fmt: skip
STAFF, LOVELY, VIEW, SUPERB, BREAKFAST, COLD, MUSIC, LOUD = (1,), (3,), (6,), (7,), (9,), (10,), (12,), (13,)


def share(part, value):
    return Claim("share", part, value=value, tolerance=0.005, of="absolute")


def most(part, direction="supports"):
    return Claim("most_important", part, direction=direction)


def rank(part, place, direction="supports"):
    return Claim("rank", part, value=float(place), direction=direction)


def more(part, other, direction="supports"):
    return Claim("more_important_than", part, other=other, direction=direction)


SIDES = ("supports", "opposes")
COUNTS = [Claim("count", (), value=4.0, direction=side) for side in SIDES]
PREDICTED = Claim("predicted", (), label="positive")
SURE = Claim("confidence", (), label="positive", value=0.93, tolerance=0.005)

# form -> maps with the claims that one clause of this form says
STATEMENTS = {
    "supports": [(HOTEL, [Claim("supports", LOVELY)]), (HOTEL, [Claim("supports", VIEW), Claim("supports", LOVELY), Claim("supports", SUPERB)])],
    "opposes": [(HOTEL, [Claim("opposes", COLD)]), (VERSUS, [Claim("opposes", COLD), Claim("opposes", MUSIC)])],
    "signs_both": [
        (HOTEL, [Claim("supports", LOVELY), Claim("opposes", COLD)]),
        (HOTEL, [Claim("supports", LOVELY), Claim("supports", VIEW), Claim("opposes", COLD), Claim("opposes", LOUD)]),
    ],
    "strong": [(HOTEL, [Claim("strength", LOVELY, value=0.75, tolerance=0.25, direction="supports")]),
               (HOTEL, [Claim("strength", COLD, value=0.75, tolerance=0.25, direction="opposes")])],
    "weak": [(HOTEL, [Claim("strength", VIEW, value=0.25, tolerance=0.25, direction="supports")]),
             (HOTEL, [Claim("strength", LOUD, value=0.25, tolerance=0.25, direction="opposes")])],
    "only": [(EVEN, [Claim("only", COLD, direction="opposes")]), (EVEN, [Claim("only", (1, 3), direction="supports")])],
    "nothing_toward": [(BETTER, [Claim("no_clear_evidence", direction="opposes")])],
    "nothing": [(FLAT, [Claim("no_clear_evidence")])],
    "near_zero": [(HOTEL, [Claim("near_zero", (14,))]), (HOTEL, [Claim("near_zero", (14,)), Claim("near_zero", (2,))])],
    "matters": [(ATTENTION, [Claim("matters", LOVELY)]), (ATTENTION, [Claim("matters", LOVELY), Claim("matters", SUPERB)])],
    "most_important": [(HOTEL, [most(LOVELY)]), (HOTEL, [most(COLD, "opposes")]), (VERSUS, [most(LOVELY)])],
    "first_share": [(HOTEL, [most(LOVELY), share(LOVELY, 0.35)]), (HOTEL, [most(COLD, "opposes"), share(COLD, 0.17)])],
    "equal_first": [(EVEN, [Claim("most_important", STAFF, other=LOVELY, direction="supports", shared=True),
                            Claim("most_important", LOVELY, other=STAFF, direction="supports", shared=True),
                            Claim("equal", STAFF, other=LOVELY, direction="supports", tolerance=0.05)])],
    "followed": [(HOTEL, [most(LOVELY), more(LOVELY, SUPERB)]), (HOTEL, [most(LOVELY), more(LOVELY, SUPERB), more(SUPERB, VIEW)]),
                 (HOTEL, [most(COLD, "opposes"), more(COLD, BREAKFAST, "opposes")])],
    "first_second": [(HOTEL, [most(LOVELY), rank(SUPERB, 2)]), (HOTEL, [most(COLD, "opposes"), rank(BREAKFAST, 2, "opposes")])],
    "first_second_third": [(HOTEL, [most(LOVELY), rank(SUPERB, 2), rank(VIEW, 3)])],
    "rank": [(HOTEL, [rank(SUPERB, 2)]), (HOTEL, [rank(VIEW, 3)]), (HOTEL, [rank(BREAKFAST, 2, "opposes")])],
    "more_important_than": [(HOTEL, [more(LOVELY, VIEW)]), (HOTEL, [more(COLD, LOUD, "opposes")])],
    "equal": [(HOTEL, [Claim("equal", MUSIC, other=LOUD, direction="opposes", tolerance=0.05)]),
              (EVEN, [Claim("equal", STAFF, other=LOVELY, direction="supports", tolerance=0.05)])],
    "least_important": [(ATTENTION, [Claim("least_important", (11,))])],
    "matters_most": [(ATTENTION, [Claim("most_important", LOVELY)])],
    "matters_most_share": [(ATTENTION, [Claim("most_important", LOVELY), share(LOVELY, 0.31)])],
    "share": [(HOTEL, [share(LOVELY, 0.35)]), (HOTEL, [share(COLD, 0.17)]), (HOTEL, [share((6, 7), 0.26)])],
    "shares": [(HOTEL, [share(LOVELY, 0.35), share(SUPERB, 0.17)]), (HOTEL, [share(LOVELY, 0.35), share(COLD, 0.17), share(VIEW, 0.09)])],
    "together": [(HOTEL, [share((3, 7), 0.52)]), (HOTEL, [share((3, 7, 10), 0.70)])],
    "together_signs": [(HOTEL, [share((3, 7), 0.52), Claim("supports", LOVELY), Claim("supports", SUPERB)]),
                       (HOTEL, [share((9, 12), 0.13), Claim("opposes", BREAKFAST), Claim("opposes", MUSIC)])],
    "signs_shares": [(HOTEL, [Claim("supports", LOVELY), share(LOVELY, 0.35)]),
                     (HOTEL, [Claim("opposes", COLD), Claim("opposes", BREAKFAST), share(COLD, 0.17), share(BREAKFAST, 0.09)])],
    "mattering_share": [(ATTENTION, [share(LOVELY, 0.31)])],
    "mattering_together": [(ATTENTION, [share((3, 7), 0.54)])],
    "ratio": [(HOTEL, [Claim("ratio", LOVELY, other=SUPERB, value=2.0, tolerance=0.2, direction="supports")]),
              (HOTEL, [Claim("ratio", COLD, other=MUSIC, value=4.0, tolerance=0.4, direction="opposes")])],
    "score": [(HOTEL, [Claim("share", LOVELY, value=4.0, tolerance=0.005, of="score")]),
              (HOTEL, [Claim("share", LOUD, value=-0.5, tolerance=0.005, of="score")])],
    "count": [(HOTEL, COUNTS[:1]), (HOTEL, COUNTS[1:]), (EVEN, [Claim("count", (), value=1.0, direction="opposes")])],
    "count_both": [(HOTEL, COUNTS),
                   (EVEN, [Claim("count", (), value=2.0, direction="supports"), Claim("count", (), value=1.0, direction="opposes")])],
    "balance": [(HOTEL, [Claim("balance", (), direction="supports")])],
    "balance_share": [(HOTEL, [Claim("balance", (), direction="supports", value=0.65, tolerance=0.005)])],
    "predicted": [(HOTEL, [PREDICTED])],
    "confidence": [(HOTEL, [SURE])],
    "predicted_confidence": [(HOTEL, [PREDICTED, SURE])],
    "runner_up": [(HOTEL, [Claim("runner_up", (), label="mixed", value=2.0)])],
}  # fmt: skip
