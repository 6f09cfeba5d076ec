"""Claims about changed inputs, and the model that decides them."""

from __future__ import annotations

from parameters.harness import case, later, record
from parameters.maps import OTHER, TEXT

from verbalize import CheckedSentence, Claim, Prediction, SecondReading, TextRecord, TextReport
from verbalize.masking import Answer, Change, Effects

NAMES = ("good", "bad")
DECISIVE = Claim("decisive", (8,))  # the second 'great'
SAID = Answer(("good",), 0.9)


def bag(great, *, told=None):
    """A classifier that counts 'great'."""
    from verbalize.models import TextFunction

    def function(texts):
        if told is not None:
            told.append(len(texts))
        sums = [great * text.count("great") - 1.5 for text in texts]
        return [[total, -total] for total in sums]

    return TextFunction(function, NAMES)


MODEL = later(lambda tools: bag(1.0))
FIRM = later(lambda tools: bag(2.0))  # one 'great' is enough
record("verbalize.Claim", {"kind": "decisive", "part": (3,)}, negated=True, becomes="bad")
record("verbalize.Claim", {"kind": "counterfactual", "part": (3,)}, replacement="dull")
case("verbalize.check", {"claims": [DECISIVE], "saliency": TEXT}, model=MODEL)
case("verbalize.check_text", {"text": "Lovely.", "saliency": TEXT, "stated": [DECISIVE]}, model=MODEL)
case(
    "verbalize.check_texts",
    {"texts": [(TextRecord("a", "Lovely.", (DECISIVE.to_record(),)), TEXT)]},
    lambda found, tools, arguments: list(found),
    model=MODEL,
)


class Second:
    """A second reader that reads the same claim in every sentence, and can't decide it."""

    def read(self, asked):
        return [SecondReading("not verified", (DECISIVE,)) for _ in asked]


OPEN = TextReport((), (), (), sentences=(CheckedSentence("Lovely film.", "not verified"),))
case("verbalize.read_again", {"checked": [("", TEXT, OPEN)], "reader": Second()}, model=FIRM)
record(
    "verbalize.claims.KindOfClaim",
    {"summary": "s", "truth": "t", "falsehood": max, "mirrored": min},
    of_effect=True,
)
record("verbalize.masking.Answer", {"labels": ("good",), "probability": 0.5}, labels=("bad",), probability=0.6, way="blurred")
record("verbalize.masking.Change", {"how": "without", "part": (1,)}, how="alone", part=(2,))
record("verbalize.masking.Change", {"how": "replaced", "part": (1,)}, replacement="dull")
record(
    "verbalize.masking.Effects",
    {"decision": SAID},
    decision=Answer(("bad",), 0.9),
    changed={Change("alone", (1,)): (SAID,)},
    prediction=Prediction("bad", 0.9),
)


case("evals.wording.evaluate", {"texts": ["'dull' is decisive."], "saliencies": [OTHER]}, model=MODEL)
case("evals.wording.adversarial_suite", {"verbalizer": lambda one: f"'{one.tokens[0]}' is decisive.", "maps": 1}, model=MODEL)


def asked(found, tools, arguments):
    return found, tools.recorded


case(
    "verbalize.masking.ask_model",
    {
        "model": later(lambda tools: bag(1.0, told=tools.recorded)),
        "asked": [(TEXT, [Change("without", (8,)), Change("alone", (3,))])],
    },
    asked,
    model=FIRM,
    asked=[(OTHER, [Change("without", (1,))])],
    known=[Effects(SAID)],
    class_names=("fine", "poor"),
    batch_size=1,
)


def written(found, tools, arguments):
    return found.verbalize(TEXT)


case("verbalize.TemplateVerbalizer", {}, written, model=MODEL)
case("verbalize.TemplateVerbalizer", {"model": MODEL}, written, replacements={"great": "dull"})
