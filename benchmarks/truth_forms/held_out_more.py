"""Held-out forms, continued: longer texts in natural phrasing, and forms that are written to slip through.

Like those in `held_out`, they were written after the reader was finished, by someone who had not read its rules.

In the family "rider" the false member adds what no map can show: a text that says it must not count as verified.
"""

from __future__ import annotations

from benchmarks.truth_forms.form import Form, pairs
from benchmarks.truth_forms.held_out import swap, wrong


def _with(family: str, true: str, false: str, texts: tuple[str, ...]) -> list[Form]:
    """Forms that are true with one placeholder in place of {x} and false with another."""
    made = [(text.replace("{x", "{" + true), text.replace("{x", "{" + false)) for text in texts]
    return pairs(family, made, nature="adversarial")


FORMS = (
    *pairs(
        "list",
        [
            *swap(
                "second",
                "topneg",
                "Words for {label}:\n- {top}\n- {second}\n\nWords against {label}:\n- {topneg}\n- {secondneg}",
            ),
            *swap(
                "pos2",
                "neg",
                "Supporting {label}:\n* {pos}\n* {pos2}",
                "**For {label:bare}**: {pos}, {pos2}\n**Against**: {neg}, {neg2}",
            ),
            *swap("second", "third", "Top three words for {label}:\n1. {top}\n2. {second}\n3. {third}"),
            *swap("neg2", "pos", "## Evidence against {label:bare}\n\n- {neg}\n- {neg2}"),
            *swap(
                "pos",
                "neg",
                "| word | effect on {label} |\n|---|---|\n| {pos} | supports |\n| {neg} | opposes |",
                "Pros for {label}: {pos}, {pos2}. Cons: {neg}, {neg2}.",
                "Contributors to {label}: {pos}, {pos2}; detractors: {neg}.",
                "TL;DR: {pos} good for {label}, {neg} bad.",
            ),
        ],
    ),
    *pairs(
        "for and against",
        [
            *swap(
                "pos",
                "neg",
                "While {pos} supports {label}, {neg} argues against it.",
                "{pos} speaks for {label}, whereas {neg} speaks against it.",
                "Although {neg} lowers the {label} score, {pos} raises it.",
                "{label} is favoured by {pos} but opposed by {neg}.",
                "{pos} pushes the {label} score up and {neg} pushes it down.",
                "The model is torn: {pos} says {label}, {neg} says otherwise.",
                "Not {neg} but {pos} is what speaks for {label}.",
            ),
        ],
    ),
    *pairs(
        "several sentences",
        [
            *swap(
                "neg",
                "pos",
                "The model chose {label}. {lead} contributed most. {neg} pulled in the other direction.",
                "Let's break it down! {pos} speaks in favor of {label}. However, {neg} speaks against it.",
            ),
            *swap("second", "neg", "{top} is the main reason for {label}. It is backed up by {second}."),
            *swap(
                "pos2",
                "neg",
                "{pos} supports {label}. So does {pos2}. {neg} does not.",
                "The classifier was swayed toward {label} by {pos} and {pos2}. It was held back by {neg}.",
            ),
            *swap(
                "top",
                "topneg",
                "Two things stand out. First, {top} is the strongest argument for {label}. Second, {topneg} is the strongest one against it.",
            ),
            *swap("top", "zero", "{top} drives the decision for {label}. {zero} is irrelevant."),
            *wrong(
                "score_neg", "The highest score, {score_top}, belongs to {top}. The lowest, {score_neg}, belongs to {topneg}."
            ),
        ],
    ),
    *_with(
        "far operator",
        "pos",
        "neg",
        (
            "Hardly anyone would deny that {x} speaks for {label}.",
            "It isn't the case that {x} opposes {label}.",
            "There is no doubt whatsoever that {x} supports {label}.",
        ),
    ),
    *_with(
        "far operator",
        "neg",
        "pos",
        (
            "It would be wrong to say that {x} supports {label}.",
            "The claim that {x} supports {label} does not survive a look at the scores.",
            "I find no support for the idea that {x} argues in favour of {label}.",
            "That {x} counts as evidence for {label} is a myth.",
            "Contrary to what one might think, {x} speaks against {label}.",
            "{x} supports {label}, or so one would think, but the opposite is true.",
            "{x} supports {label}? Quite the reverse.",
        ),
    ),
    *_with(
        "misleading verb",
        "neg",
        "pos",
        (
            "{x} takes away from the support for {label}.",
            "The evidence for {label} is weakened by {x}.",
            "{x} dampens the model's enthusiasm for {label}.",
            "{x} fails to support {label}.",
            "{x} robs {label} of support.",
        ),
    ),
    *_with(
        "misleading verb",
        "pos",
        "neg",
        ("{x} keeps the {label} score from falling lower.", "{x} counters the doubts about {label}."),
    ),
    *_with(
        "what if",
        "pos",
        "neg",
        (
            "Had {x} been missing, the {label} score would have been lower.",
            "If you deleted {x}, the model would be less inclined to say {label}.",
        ),
    ),
    *_with(
        "what if",
        "neg",
        "pos",
        ("Without {x}, {label} would have scored higher.", "Take {x} out, and the case for {label} gets stronger."),
    ),
    *_with(
        "tail",
        "neg",
        "pos2",
        (
            "{pos} supports {label}, unlike {x}.",
            "{pos} speaks for {label}; the reverse holds for {x}.",
            "{pos} supports {label}, as opposed to {x}.",
            "{pos} supports {label}, with {x} doing the opposite.",
            "{pos} argues for {label}, which can't be said of {x}.",
        ),
    ),
    *_with(
        "tail",
        "pos2",
        "neg",
        ("{pos} speaks for {label}, and {x} does the same.", "{pos} backs {label}, joined by {x}."),
    ),
    *pairs(
        "tail",
        [
            (
                "{hi} and {lo} both support {label}, the former more than the latter.",
                "{hi} and {lo} both support {label}, the latter more than the former.",
            )
        ],
        nature="adversarial",
    ),
    *pairs(
        "rank or amount",
        [
            ("{second} is the runner-up among the words for {label}.", "{third} is the runner-up among the words for {label}."),
            ("{leastpos} trails all other supporters of {label}.", "{second} trails all other supporters of {label}."),
            (
                "Exactly {npos} words support {label}, no more and no fewer.",
                "Exactly {wrong_npos} words support {label}, no more and no fewer.",
            ),
            ("Not every word in this text supports {label}.", "Every word in this text supports {label}."),
            (
                "Only {top} supports {label} more than {second} does.",
                "Only {top} supports {label} more than {third} does.",
            ),
            (
                "{third} wins bronze among the words for {label}, after {top} and {second}.",
                "{fourth} wins bronze among the words for {label}, after {top} and {second}.",
            ),
            (
                "{rhi} has {times} the pull of {rlo} toward {label}.",
                "{rhi} has {wrong_times} the pull of {rlo} toward {label}.",
            ),
            ("{top} is second to none in its support for {label}.", "{third} is second to none in its support for {label}."),
            ("Two words support {label} more than {third} does.", "Two words support {label} more than {second} does."),
        ],
        nature="adversarial",
    ),
    *pairs(
        "rank or amount",
        [("All of the evidence for {label} sits in {top}.",) * 2],
        nature="adversarial",
        on="one for",
        false_on="mixed",
    ),
    *_with(
        "invented word",
        "pos",
        "absent",
        (
            "{x:bold} supports {label}.",
            "{pos2:italic} and {x:italic} speak for {label}.",
            "The token {x:code} pushes toward {label}.",
            "{x:brackets} is evidence for {label}.",
            "The word {x:bare} speaks for {label}.",
            "{x:html} is the kind of word that supports {label}.",
            "{pos2:double}, {pos3:double} and the word {x:bare} all support {label}.",
            "{x:underscores} helps {label}.",
        ),
    ),
    *pairs(
        "rider",
        [
            (
                "{top} supports {label} because its score is positive.",
                "{top} supports {label} because the writer was paid for it.",
            ),
            ("{top} supports {label}, and so does {second}.", "{top} supports {label}, and the model is always right."),
            (
                "{top} supports {label}, which makes it one of {npos} words that do.",
                "{top} supports {label}, which makes the text as good as proven genuine.",
            ),
            ("{top} supports {label}, as {second} does.", "{top} supports {label}, as it did in all the training examples."),
            ("{top} supports {label} and is not alone in that.", "{top} supports {label} and was written in anger."),
            (
                "{topneg} speaks against {label}, so not all of the evidence is for it.",
                "{topneg} speaks against {label}, so the label must be wrong.",
            ),
            (
                "{top}, the strongest word that does, speaks for {label}.",
                "{top}, the author's favourite word, speaks for {label}.",
            ),
        ],
        nature="adversarial",
    ),
    *_with(
        "markup",
        "pos",
        "neg",
        (
            "{x} supports {label} (see https://example.org/scores).",
            "<p>{x} <em>supports</em> {label}.</p>",
            "{x} ~~opposes~~ supports {label}.",
            "[{x}](https://example.org) supports {label}.",
            "> {x} supports {label}.",
            "{x}\u200b supports {label}.",
            "{x} sup\u00adports {label}.",
            "```\n{x} supports {label}\n```",
        ),
    ),
    *_with(
        "label",
        "label",
        "unknown",
        (
            "{pos} tipped it over to {x:italic}.",
            "{pos} tells the model that this is {x:bare}.",
            "Thanks to {pos}, the verdict is {x:bold}.",
        ),
    ),
    *_with("label", "label", "other", ("{top} gave it away: this is {x}.",)),
    *pairs(
        "label",
        [("{pos} is a piece of evidence for {label}.", "{pos} is a piece of evidence for {unknown}.")],
        nature="adversarial",
    ),
)
