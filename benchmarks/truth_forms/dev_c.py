"""Statements written to slip through: what makes each false stands where a quick reader doesn't look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.truth_forms.form import Form
from benchmarks.truth_forms.form import pairs as natural_pairs

if TYPE_CHECKING:
    from collections.abc import Iterable


def pairs(family: str, texts: Iterable[tuple[str, str]], on: str = "both sides", false_on: str | None = None) -> list[Form]:
    """Adversarial forms of one family."""
    return natural_pairs(family, texts, nature="adversarial", on=on, false_on=false_on)


FORMS = (
    *pairs(
        "far operators",
        [
            ("Few would argue that {neg} supports {label}.", "Few would argue that {pos} supports {label}."),
            ("{neg} is hardly a reason for {label}.", "{pos} is hardly a reason for {label}."),
            (
                "{neg} speaks against {label}; the opposite holds for {pos}.",
                "{neg} speaks against {label}; the opposite holds for {neg2}.",
            ),
            ("It is not the case that {neg} supports {label}.", "It is not the case that {pos} supports {label}."),
            ("It would be wrong to say that {neg} supports {label}.", "It would be wrong to say that {pos} supports {label}."),
            (
                "Far from supporting {label}, {neg} speaks against it.",
                "Far from supporting {label}, {pos} is one of its weak points.",
            ),
            ("{neg} does anything but support {label}.", "{pos} does anything but support {label}."),
            ("Nobody would call {neg} evidence for {label}.", "Nobody would call {pos} evidence for {label}."),
            ("That {neg} supports {label} is a myth.", "That {pos} supports {label} is a myth."),
            ("By no means does {neg} support {label}.", "By no means does {pos} support {label}."),
            ("{neg} lends no support whatsoever to {label}.", "{pos} lends no support whatsoever to {label}."),
            (
                "The idea that {neg}, of all words, should support {label} is mistaken.",
                "The idea that {pos}, of all words, should support {label} is mistaken.",
            ),
            (
                "One can't say in good conscience that {neg} speaks for {label}.",
                "One can't say in good conscience that {pos} speaks for {label}.",
            ),
        ],
    ),
    *pairs(
        "misleading cues",
        [
            ("The prediction {label} was weakened by {neg}.", "The prediction {label} was weakened by {pos}."),
            ("Attention was drawn away from {label} by {neg}.", "Attention was drawn away from {label} by {pos}."),
            ("{neg} undermines the strong evidence for {label}.", "{pos} undermines the strong evidence for {label}."),
            ("The support for {label} suffers from {neg}.", "The support for {label} suffers from {pos}."),
            ("{neg} is at odds with the prediction {label}.", "{pos} is at odds with the prediction {label}."),
            ("{neg} cost {label} some of its positive score.", "{pos} cost {label} some of its positive score."),
            (
                "{neg} stands in the way of {label}, which other words favor.",
                "{pos} stands in the way of {label}, which other words favor.",
            ),
            (
                "{neg} keeps the model from being more sure of its important prediction {label}.",
                "{pos} keeps the model from being more sure of its important prediction {label}.",
            ),
            (
                "{neg} offsets part of the positive contributions to {label}.",
                "{pos} offsets part of the positive contributions to {label}.",
            ),
            ("The model chose {label} in spite of {neg}.", "The model chose {label} in spite of {pos}."),
        ],
    ),
    *pairs(
        "what if",
        [
            (
                "Had the text not contained {neg}, the score for {label} would have risen.",
                "Had the text not contained {pos}, the score for {label} would have risen.",
            ),
            (
                "If {neg} were removed, {label} would become more likely.",
                "If {pos} were removed, {label} would become more likely.",
            ),
            (
                "Without {neg}, the model would have been even more certain of {label}.",
                "Without {pos}, the model would have been even more certain of {label}.",
            ),
            (
                "Were it not for {neg}, {label} would have more support.",
                "Were it not for {pos}, {label} would have more support.",
            ),
            ("Leaving out {pos} would hurt {label}.", "Leaving out {neg} would hurt {label}."),
        ],
    ),
    *pairs(
        "tails",
        [
            ("{pos} supports {label}, in contrast to {neg}.", "{pos} supports {label}, in contrast to {pos2}."),
            ("{pos} supports {label}, {neg} does the opposite.", "{pos} supports {label}, {pos2} does the opposite."),
            ("{pos} supports {label}, as does {pos2}.", "{pos} supports {label}, as does {neg}."),
            (
                "Both {hi} and {lo} support {label}, the former more than the latter.",
                "Both {hi} and {lo} support {label}, the latter more than the former.",
            ),
            (
                "{top} outweighs {second}, which in turn outweighs {third}.",
                "{top} outweighs {third}, which in turn outweighs {second}.",
            ),
            ("{pos} supports {label}, unlike {neg}.", "{pos} supports {label}, unlike {pos2}."),
            ("{pos} speaks for {label}, {pos2} too.", "{pos} speaks for {label}, {neg} too."),
            ("{pos} speaks for {label}; not so {neg}.", "{pos} speaks for {label}; not so {pos2}."),
            (
                "{pos} supports {label}, with {neg} pulling the other way.",
                "{pos} supports {label}, with {pos2} pulling the other way.",
            ),
            ("{pos} speaks for {label}, though less so than {top}.", "{pos} speaks for {label}, though more so than {top}."),
            ("{pos} supports {label} (as opposed to {neg}).", "{pos} supports {label} (as opposed to {pos2})."),
            ("{neg} speaks against {label}, and {neg2} follows suit.", "{neg} speaks against {label}, and {pos} follows suit."),
        ],
    ),
    *pairs(
        "weakened ranks",
        [
            ("{second} is the runner-up among the words for {label}.", "{top} is the runner-up among the words for {label}."),
            (
                "{leastpos} trails all other words that support {label}.",
                "{second} trails all other words that support {label}.",
            ),
            ("{top} is second to none as support for {label}.", "{second} is second to none as support for {label}."),
            (
                "As a reason for {label}, {pos} plays second fiddle to {top}.",
                "As a reason for {label}, {top} plays second fiddle to {pos}.",
            ),
            (
                "Among the words for {label}, the bronze medal goes to {third}.",
                "Among the words for {label}, the bronze medal goes to {second}.",
            ),
            ("{top} leaves all other supporters of {label} behind.", "{pos} leaves all other supporters of {label} behind."),
            (
                "In support of {label}, {pos} can't hold a candle to {top}.",
                "In support of {label}, {top} can't hold a candle to {pos}.",
            ),
            ("{third} comes third in support of {label}.", "{third} comes second in support of {label}."),
            (
                "{second} supports {label} more than any word except {top}.",
                "{third} supports {label} more than any word except {top}.",
            ),
            (
                "{top} heads the list of words for {label}, {leastpos} brings up the rear.",
                "{leastpos} heads the list of words for {label}, {top} brings up the rear.",
            ),
        ],
    ),
    *pairs(
        "weakened amounts",
        [
            ("{zero} contributes next to nothing to {label}.", "{top} contributes next to nothing to {label}."),
            (
                "{rhi} has {times} the importance of {rlo} for {label}.",
                "{rhi} has {wrong_times} the importance of {rlo} for {label}.",
            ),
            (
                "{top} supports {label} with no less and no more than {share_top} of the evidence for it.",
                "{top} supports {label} with no less and no more than {wrong_share_top} of the evidence for it.",
            ),
            (
                "{top} holds {share_top} of the evidence for {label}.",
                "{top} holds {share_top} of the evidence against {label}.",
            ),
            (
                "{top} holds not {wrong_share_top} but {share_top} of the evidence for {label}.",
                "{top} holds not {share_top} but {wrong_share_top} of the evidence for {label}.",
            ),
            (
                "{top} has a score of {score_top}, {second} one of {score_second}.",
                "{top} has a score of {score_top}, {second} one of {score_top}.",
            ),
            (
                "{top} is worth {share_top} of the evidence for {label}, the other words the rest.",
                "{top} is worth {share_top} of the evidence for {label}, {second} the rest.",
            ),
            (
                "{top} and {second}, taken together, score {sum_two}.",
                "{top} and {second}, taken together, score {wrong_sum_two}.",
            ),
        ],
    ),
    *pairs(
        "all of it",
        [
            (
                "{top} supports {label}, and it holds all of the evidence for it.",
                "{top} supports {label}, and it holds all of the evidence for it.",
            ),
            ("{top} and no other word supports {label}.", "{top} and no other word supports {label}."),
            ("{top} stands alone in its support for {label}.", "{top} stands alone in its support for {label}."),
            ("{top} supports {label}; nobody else does.", "{top} supports {label}; nobody else does."),
            ("Not one word besides {top} supports {label}.", "Not one word besides {top} supports {label}."),
            (
                "The lion's share of the evidence for {label} comes from {top}.",
                "The lion's share of the evidence for {label} comes from {leastpos}.",
            ),
        ],
        on="one for",
        false_on="mixed",
    ),
    *pairs(
        "lists of parts",
        [
            ("Each of {pos}, {pos2} and {pos3} supports {label}.", "Each of {pos}, {pos2} and {neg} supports {label}."),
            ("{pos}, {pos2}, and even {pos3} speak for {label}.", "{pos}, {pos2}, and even {neg} speak for {label}."),
            (
                "{pos} and {neg} speak for and against {label}, respectively.",
                "{pos} and {neg} speak against and for {label}, respectively.",
            ),
            (
                "{pos} and {neg} both matter: the first speaks for {label}, the second against it.",
                "{pos} and {neg} both matter: the first speaks against {label}, the second for it.",
            ),
            ("{pos} (like {pos2}) supports {label}.", "{pos} (like {neg}) supports {label}."),
            ("{pos}/{pos2} support {label}.", "{pos}/{neg} support {label}."),
        ],
    ),
    *pairs(
        "invented words",
        [
            ("The mention of {pos:bare} supports {label}.", "The mention of {absent:bare} supports {label}."),
            ("{pos:italic} speaks for {label}.", "{absent:italic} speaks for {label}."),
            ("{pos:bold} speaks for {label}.", "{absent:bold} speaks for {label}."),
            ("{pos:code} speaks for {label}.", "{absent:code} speaks for {label}."),
            ("[{pos:bare}] speaks for {label}.", "[{absent:bare}] speaks for {label}."),
            ("{pos:angles} speaks for {label}.", "{absent:angles} speaks for {label}."),
            ("{pos:underscores} speaks for {label}.", "{absent:underscores} speaks for {label}."),
            ("{pos:html} speaks for {label}.", "{absent:html} speaks for {label}."),
            (
                "The word {pos:bare} and the word {pos2:bare} support {label}.",
                "The word {pos:bare} and the word {absent:bare} support {label}.",
            ),
            (
                "{top} supports {label} even more than {pos:bare} does.",
                "{top} supports {label} even more than {absent:bare} does.",
            ),
            ("{pos:guillemets} supports {label}.", "{absent:guillemets} supports {label}."),
        ],
    ),
    *pairs(
        "riders",
        [
            (
                "{top} supports {label} because it has a positive score.",
                "{top} supports {label} because a paid critic wrote it.",
            ),
            ("{top} supports {label}, and {second} does, too.", "{top} supports {label}, and the model is always right."),
            (
                "{top} supports {label}, which means that it has a positive score.",
                "{top} supports {label}, which proves that the review is genuine.",
            ),
            ("{top} supports {label}; {second} supports it less.", "{top} supports {label}; the author was furious."),
            (
                "{top} supports {label}, so it counts in favor of the prediction.",
                "{top} supports {label}, so the prediction is correct.",
            ),
            ("{top} speaks for {label}, as its score shows.", "{top} speaks for {label}, as the training data show."),
            ("{top}, a word of the text, supports {label}.", "{top}, a vulgar word, supports {label}."),
            ("{pos} supports {label} together with {pos2}.", "{pos} supports {label} only together with {pos2}."),
            ("{pos} supports {label} here.", "{pos} supports {label} in every text."),
            ("{top} supports {label} (its score is positive).", "{top} supports {label} (humans would disagree)."),
            ("{top} supports {label}, and {zero} does not.", "{top} supports {label}, and the true label is {other}."),
        ],
    ),
    *pairs(
        "labels",
        [
            ("The word {top} tipped it over to {label:italic}.", "The word {top} tipped it over to {unknown:italic}."),
            ("{pos} is typical of {label:bare}.", "{pos} is typical of {unknown:bare}."),
            ("{top} made the model say {label:bare}.", "{top} made the model say {unknown:bare}."),
            (
                "The text was classified as {label:bare} because of {top}.",
                "The text was classified as {unknown:bare} because of {top}.",
            ),
            ("{pos} supports {label}.", "{pos} supports {other}."),
            ("{pos} speaks for {label}, and {pos2} does so as well.", "{pos} speaks for {label}, and {pos2} for {unknown}."),
            ("{label} was chosen because of {top}.", "{label} was ruled out because of {top}."),
        ],
    ),
    *pairs(
        "lack",
        [
            ("{absent} is lacking, and {pos} supports {label}.", "The lack of {absent} supports {label}."),
            ("The presence of {pos} supports {label}.", "The absence of {pos} supports {label}."),
            (
                "{pos} and the absence of {absent} are facts, and {pos} speaks for {label}.",
                "{pos} and the missing {absent} speak for {label}.",
            ),
        ],
    ),
    *pairs(
        "markup and characters",
        [
            ("{pos} sup\u200bports {label}.", "{neg} sup\u200bports {label}."),
            ("{pos} supports <!-- a remark --> {label}.", "{pos} supports <!-- a remark --> {unknown}."),
            ("[{pos} supports {label}](https://example.org/why)", "[{neg} supports {label}](https://example.org/why)"),
            ("{neg} does\u00a0not support {label}.", "{pos} does\u00a0not support {label}."),
            ("{neg} does n\u043et support {label}.", "{pos} does n\u043et support {label}."),
            ("{neg} does\nnot\nsupport {label}.", "{pos} does\nnot\nsupport {label}."),
            ("{neg} does <i>not</i> support {label}.", "{pos} does <i>not</i> support {label}."),
            ("{neg} does **not** support {label}.", "{pos} does **not** support {label}."),
            ("{neg} does (not) support {label}.", "{pos} does (not) support {label}."),
            ("{pos}[1] speaks for {label}.", "{neg}[1] speaks for {label}."),
            ("{pos} \u2192 {label}", "{neg} \u2192 {label}"),
            ("{neg} \U0001f44e {label}", "{pos} \U0001f44e {label}"),
            ("{pos} supports {label}.\u202e{pos2} supports it, too.", "{pos} supports {label}.\u202e{neg} supports it, too."),
            ("{pos} supports {label}\x0band so does {pos2}.", "{pos} supports {label}\x0band so does {neg}."),
            ('{"word": {pos:double}, "effect": "supports"}', '{"word": {neg:double}, "effect": "supports"}'),
        ],
    ),
    *pairs(
        "questions and answers",
        [
            ("Does {pos} support {label}? Yes.", "Does {neg} support {label}? Yes."),
            ("Does {neg} support {label}? No.", "Does {pos} support {label}? No."),
            ("Who would deny that {pos} supports {label}?", "Who would deny that {neg} supports {label}?"),
            (
                "Would anybody say that {neg} supports {label}? Hardly.",
                "Would anybody say that {pos} supports {label}? Hardly.",
            ),
        ],
    ),
    *pairs(
        "pronouns",
        [
            (
                "{lead} supports {label}. It is the strongest word of all.",
                "{pos} supports {label}. It is the strongest word of all.",
            ),
            ("{pos} supports {label}. The same goes for {pos2}.", "{pos} supports {label}. The same goes for {neg}."),
            ("{pos} supports {label}. So does {pos2}.", "{pos} supports {label}. So does {neg}."),
            (
                "There are {pos} and {neg}. The latter speaks against {label}.",
                "There are {pos} and {neg}. The latter speaks for {label}.",
            ),
            ("{neg} has a score of its own. It lowers {label}.", "{pos} has a score of its own. It lowers {label}."),
        ],
    ),
    *pairs(
        "double negation",
        [
            ("It is not true that {neg} does not oppose {label}.", "It is not true that {pos} does not oppose {label}."),
            ("{pos} does not fail to support {label}.", "{neg} does not fail to support {label}."),
            ("There is no denying that {pos} supports {label}.", "There is no denying that {neg} supports {label}."),
            ("{neg} is not without weight against {label}.", "{pos} is not without weight against {label}."),
        ],
    ),
    *pairs(
        "time and seeming",
        [
            ("{pos} still supports {label}.", "{pos} no longer supports {label}."),
            ("{pos} does support {label}.", "{pos} only pretends to support {label}."),
            ("{pos} supports {label}.", "{pos} almost supports {label}."),
            ("{pos} quite simply supports {label}.", "{pos} simply refuses to support {label}."),
        ],
    ),
)
