"""Composed prose: the menu, the plan, the sentences."""

from __future__ import annotations

from parameters.harness import case, record
from parameters.maps import CLAIM, OTHER, TEXT

from verbalize import Prediction, Query, TokenSaliency
from verbalize.compose import Chosen, MenuItem, Plan, chosen_of, menu_of

PREDICTED = TokenSaliency(TEXT.tokens, TEXT.scores, TEXT.query, prediction=Prediction("good", 0.9, {"good": 0.9, "bad": 0.1}))
MENU = menu_of(PREDICTED)
PLAN = Plan(groups=[[1, 4], {"claims": [6], "connective": "addition"}, [8, 9]])

record("verbalize.compose.MenuItem", {"number": 1, "claims": (CLAIM,)}, number=2, claims=())
case("verbalize.compose.menu_of", {"saliency": PREDICTED}, saliency=OTHER, mask_labels=True)
record("verbalize.compose.PlanGroup", {}, claims=[1], connective="contrast")
record("verbalize.compose.Plan", {}, groups=[[1]], audience="child", tone="brisk", comment="c")
record("verbalize.compose.Chosen", {"groups": ()}, groups=(((CLAIM,), "none"),), left_out=("l",))
case("verbalize.compose.chosen_of", {"plan": PLAN, "menu": MENU}, plan=Plan(groups=[[1]]), menu=(MenuItem(3, (CLAIM,)),))
record("verbalize.compose.Composed", {"text": "t", "claims": ()}, text="u", claims=(CLAIM,), left_out=("l",), rewordings=1)
case(
    "verbalize.compose.realised",
    {"saliency": PREDICTED, "chosen": chosen_of(PLAN, MENU)},
    saliency=TokenSaliency(TEXT.tokens, TEXT.scores, Query("fine")),
    chosen=Chosen(()),
    audience="child",
    tone="formal",
    seed=1,
    mask_labels=True,
    max_words=5,
)
