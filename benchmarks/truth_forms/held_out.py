"""Held-out forms in natural phrasing: written after the reader was finished, by someone who had not read its rules.

They are worded as a chat model, an annotator in a hurry, a scientific paper, a journalist, a product manager, a student's
report and writers with German, French or Indian English would word them.
"""

from __future__ import annotations

import re

from benchmarks.truth_forms.form import pairs

_PREDICTED = ("both sides", "predicted")
_CONTRAST = ("both sides", "contrastive")


def swap(one: str, two: str, *texts: str) -> list[tuple[str, str]]:
    """Each text is true as it stands and false with these two placeholders exchanged."""
    other = {one: two, two: one}
    return [(text, re.sub(rf"(?<={{)({one}|{two})(?=[}}:])", lambda match: other[match[1]], text)) for text in texts]


def wrong(number: str, *texts: str, other: str = "") -> list[tuple[str, str]]:
    """Each text is true as it stands and false with the wrong number in place of the right one."""
    return [(text, text.replace(f"{{{number}}}", f"{{{other or 'wrong_' + number}}}")) for text in texts]


FORMS = (
    *pairs(
        "support",
        [
            *swap(
                "pos",
                "neg",
                "{pos} nudges the classifier toward {label}.",
                "We find that {pos} contributes positively to the {label} score.",
                "{pos}: pro {label}",
                "Seeing {pos} makes the model more confident in {label}.",
                "The word {pos:single} is pushing the prediction in the direction of {label}.",
                "Because of {pos} the model is leaning more to {label}.",
                "{pos} tipped the scales a bit further toward {label}.",
                "{pos} plays in favour of the {label} verdict.",
                "I would put {pos} on the plus side for {label}.",
                "The model took {pos} as a sign of {label}.",
                "The classifier picks up on {pos} as evidence of {label}.",
                "{pos} helps the case for {label}.",
                "The presence of {pos} raised the {label} score.",
                "Both {pos2} and {pos} boost the score for {label}.",
                "According to the attribution map, {pos} was one of the words that led the model to predict {label}.",
                "As per the scores, {pos} is giving positive push to {label}.",
                "{pos2}, {pos3} and {pos} all point in the same direction, namely {label}.",
            ),
            *swap("top", "topneg", "The decision in favor of {label} rests on {top}, among others."),
            *swap("phrase", "negphrase", "The words {phrase} together speak for {label}."),
        ],
    ),
    *pairs(
        "oppose",
        [
            *swap(
                "neg",
                "pos",
                "{neg} drags the {label} score down.",
                "On the other hand, {neg} works against {label}.",
                "{neg} makes the model less sure of {label}.",
                "The token {neg} has a negative attribution with respect to {label}.",
                "If anything, {neg} counts against {label}.",
                "{neg} pulls the model away from {label}.",
                "There is some pushback from {neg}, which lowers the score for {label}.",
                "{neg} speaks rather against {label} than for it.",
                "The model reads {neg} as a point against {label}.",
                "{neg2} and {neg} cast doubt on {label}.",
                "{neg} is a strike against {label}.",
                "{neg} undermines the {label} classification.",
                "In the eyes of the classifier, {neg} is more of an argument against {label}.",
                "Not all words agree: {neg} goes against {label}.",
            ),
        ],
    ),
    *pairs(
        "rank",
        [
            *swap(
                "top",
                "second",
                "Of everything in the text, {top} gives {label} the strongest push.",
                "{top} leads the supporting words, followed by {second} and then {third}.",
                "What convinced the model most of {label} was {top}.",
                "It is {top} which has the biggest weight for {label}.",
                "{top} was key: no other word did as much for {label}.",
                "Our analysis shows that {top} has the highest attribution, followed by {second}.",
            ),
            *swap(
                "top",
                "third",
                "{top} tops the list of words in favour of {label}.",
                "Ranked by support for {label}: {top}, {second}, {third}.",
                "{third} takes third place in support of {label}.",
                "Key takeaway: {top} drives the {label} score more than any other word.",
            ),
            *swap(
                "top",
                "pos",
                "The single biggest driver of {label} is {top}.",
                "Above all {top} has led to the decision {label}.",
            ),
            *swap(
                "second",
                "third",
                "{second} comes in second among the words for {label}, right behind {top}.",
                "{top} and {second} are the two strongest words for {label}.",
            ),
            *swap(
                "topneg",
                "secondneg",
                "No word argues more forcefully against {label} than {topneg}.",
                "{topneg} is the main argument against {label}; {secondneg} is the next one.",
                "The top supporter of {label} is {top}, the top opponent {topneg}.",
            ),
            *swap("leastpos", "top", "The weakest of the words that support {label} is {leastpos}."),
            *swap("lead", "pos", "The most influential word overall, regardless of direction, is {lead}."),
            *swap("leastneg", "topneg", "Among the words opposing {label}, {leastneg} matters the least."),
        ],
    ),
    *pairs(
        "comparison",
        [
            *swap(
                "hi",
                "lo",
                "{hi} carries more weight for {label} than {lo}.",
                "{lo} also supports {label}, but not as much as {hi}.",
                "Compared with {lo}, {hi} gives {label} a bigger boost.",
                "{hi} is a better argument for {label} than {lo}.",
                "The model weighs {hi} more heavily than {lo} in favour of {label}.",
                "{lo} is less important for {label} than {hi}.",
                "{hi} outranks {lo} as support for {label}.",
                "Between {hi} and {lo}, the former pushes more toward {label}.",
            ),
            *swap(
                "neghi",
                "neglo",
                "{neghi} hurts {label} more than {neglo} does.",
                "{neglo} speaks against {label} less strongly than {neghi}.",
            ),
        ],
    ),
    *pairs(
        "equality",
        [
            *swap(
                "tie2",
                "below",
                "{tie1} and {tie2} are equally important for {label}.",
                "{tie1} supports {label} exactly as much as {tie2}.",
            ),
        ],
        on="tied top",
    ),
    *pairs(
        "share",
        [
            *wrong("share_top", "{top} alone makes up {share_top} of the evidence for {label}."),
            *wrong("share_pos", "Roughly {share_pos} of the support for {label} comes from {pos}."),
            *wrong("share_two", "{share_two} of the evidence in favor of {label} is concentrated in {top} and {second}."),
            *wrong(
                "share_neg",
                "{topneg} accounts for {share_neg} of the evidence against {label}.",
                "At {share_neg}, {topneg} has the largest part in the evidence against {label}.",
            ),
            *wrong("share_for", "Overall, {share_for} of the evidence is for {label}."),
            *wrong("share_against", "The evidence against {label} amounts to {share_against} of the total."),
            *wrong("share_second", "{top} supplies {share_top} of the support for {label}, {second} another {share_second}."),
            *wrong("fraction_top", "{top} is responsible for {fraction_top} of the evidence for {label}."),
            *wrong("over_top", "{top} provides more than {over_top} of the support for {label}.", other="under_top"),
            *wrong("under_top", "Less than {under_top} of the evidence for {label} comes from {top}.", other="over_top"),
        ],
    ),
    *pairs(
        "score",
        [
            *wrong(
                "score_top",
                "{top} gets an attribution of {score_top}.",
                "{top} ({score_top}) and {second} ({score_second}) speak for {label}.",
            ),
            *wrong(
                "score_neg",
                "With a score of {score_neg}, {topneg} is the strongest word against {label}.",
                "The attribution of {topneg} is negative ({score_neg}), so it speaks against {label}.",
            ),
            *wrong(
                "score_neg",
                "{top}: {score_top}\n{topneg}: {score_neg}",
                "The contribution of {topneg} is {score_neg}.",
                other="flipped_score_neg",
            ),
            *wrong("sum_two", "Taken together, {top} and {second} score {sum_two}."),
            *wrong("gap_two", "{top} scores {gap_two} higher than {second}."),
            *swap("zero", "top", "{zero} received a score of 0."),
        ],
    ),
    *pairs(
        "ratio",
        [
            *wrong(
                "times",
                "{rhi} is {times} as important for {label} as {rlo}.",
                "{rhi} weighs {times} as much as {rlo} in favour of {label}.",
                "The model gives {rhi} {times} the weight of {rlo}.",
                "{rhi} pushes toward {label} {times} as hard as {rlo}.",
            ),
        ],
    ),
    *pairs(
        "count",
        [
            *wrong("npos", "{npos} words speak for {label}.", "Of the {n} words, {npos} support {label}."),
            *wrong(
                "nneg",
                "In total there are {nneg} words that count against {label}.",
                "I count {npos} words in favour of {label} and {nneg} against it.",
                "The text has {nneg} words which are lowering the {label} score.",
            ),
        ],
    ),
    *pairs(
        "only",
        [
            ("Only one word opposes {label}: {topneg}.",) * 2,
            ("Apart from {topneg}, no word speaks against {label}.",) * 2,
            ("{topneg} alone argues against {label}; none of the other words does.",) * 2,
        ],
        on="one against",
        false_on="mixed",
    ),
    *pairs(
        "only",
        [
            ("Just a single word, {top}, supports {label}.",) * 2,
            ("{top} is the only word that supports {label}.",) * 2,
            ("Nothing but {top} points to {label}.",) * 2,
        ],
        on="one for",
        false_on="mixed",
    ),
    *pairs(
        "negation",
        [
            *swap(
                "neg",
                "pos",
                "{neg} does not support {label}.",
                "{pos} is not evidence against {label}.",
                "{neg} isn't helping {label} at all.",
                "Far from supporting {label}, {neg} speaks against it.",
                "The model did not treat {neg} as a sign of {label}.",
                "{neg} gives the model no reason to say {label}.",
            ),
            *swap(
                "zero", "top", "{zero} contributes nothing to the prediction.", "{zero} neither supports nor opposes {label}."
            ),
            *swap(
                "zero",
                "big",
                "{zero} plays no role here.",
                "{zero} has virtually no influence on the result.",
                "Interestingly, {zero} was ignored by the model.",
            ),
            *swap("zero", "pos", "Neither {neg} nor {zero} supports {label}."),
            *swap("second", "top", "{second} is not the most important word for {label}."),
        ],
    ),
    *pairs(
        "absence",
        [
            *swap("absent", "pos", "The word {absent} does not appear in the text.", "You won't find {absent} in the text."),
            *swap("absent", "neg", "{absent} isn't mentioned anywhere."),
            *swap("absent2", "pos", "There is no {absent} in this text, and no {absent2} either."),
        ],
    ),
    *pairs(
        "no evidence",
        [
            ("Nothing in the text speaks against {label}.",) * 2,
            ("All the evidence is in favor of {label}.",) * 2,
            ("There is not a single word that contradicts {label}.",) * 2,
            ("The model found no counter-evidence to {label}.",) * 2,
        ],
        on="all for",
        false_on="both sides",
    ),
    *pairs(
        "no evidence",
        [
            ("The evidence is mixed: some words support {label}, others oppose it.",) * 2,
        ],
        on="both sides",
        false_on="all for",
    ),
    *pairs(
        "no evidence",
        [
            ("None of the words supports {label}.",) * 2,
        ],
        on="all against",
        false_on="both sides",
    ),
    *pairs(
        "no evidence",
        [
            ("No word stands out; all of them have a score of zero.",) * 2,
            ("None of the words had any influence on the prediction.",) * 2,
        ],
        on="flat",
        false_on="mixed",
    ),
    *pairs(
        "balance",
        [
            ("On balance, the evidence favors {label}.",) * 2,
            ("There is more evidence for {label} than against it.",) * 2,
            ("All in all, the text speaks more for {label} than against it.",) * 2,
        ],
        on=("both sides", "for wins"),
        false_on=("both sides", "against wins"),
    ),
    *pairs(
        "balance",
        [
            ("The arguments against {label} outweigh those in its favor.",) * 2,
            ("The pros for {label} are weaker than the cons.",) * 2,
            ("The negative contributions add up to more than the positive ones.",) * 2,
        ],
        on=("both sides", "against wins"),
        false_on=("both sides", "for wins"),
    ),
    *pairs(
        "confidence",
        [
            *wrong(
                "conf",
                "The model puts its confidence in {label} at {conf}.",
                "The classifier predicts {label} with a probability of {conf}.",
                "The model assigns {label} a probability of {conf}; the strongest support comes from {top}.",
            ),
            *swap("label", "other", "The predicted class is {label}.", "The model went with {label} rather than {other}."),
            *swap(
                "runner_up",
                "not_runner_up",
                "{runner_up} was the runner-up.",
                "After {label}, the model's second choice is {runner_up}.",
            ),
            *swap("neg", "pos", "Despite {neg}, which pulled the score down, the model predicted {label}."),
        ],
        on=_PREDICTED,
    ),
    *pairs(
        "contrast",
        [
            *swap("pos", "neg", "{pos} favors {label} over {versus}.", "{neg} points to {versus} rather than {label}."),
            *swap("lead", "second", "What separates {label} from {versus} is above all {lead}."),
            *swap("top", "topneg", "Why {label} and not {versus}? Above all because of {top}."),
        ],
        on=_CONTRAST,
    ),
    *pairs(
        "unsigned",
        [
            *swap(
                "lead",
                "lead2",
                "{lead} matters most.",
                "The model paid the most attention to {lead}.",
                "{lead} is more important than {lead2}.",
            ),
            *swap("zero", "lead", "{zero} didn't matter."),
            *wrong("share_top_all", "{share_top_all} of the total importance falls on {lead}."),
        ],
        on="unsigned",
    ),
    *pairs(
        "strength",
        [
            *swap("strong", "weak", "{strong} is a strong signal for {label}."),
            *swap("weak", "top", "{weak} supports {label} only weakly."),
            *swap("weakneg", "topneg", "{weakneg} is just a mild objection to {label}."),
        ],
    ),
)
