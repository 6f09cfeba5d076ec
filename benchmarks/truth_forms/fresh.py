"""Fresh forms in natural phrasing: written when the reader was final, by someone who had read neither it nor the other forms.

The mix follows what explanations say in the wild: which words support or oppose, which is the strongest, what comes next,
with a score or a share, and contrasts of two clauses. Rarer statements follow with fewer forms each.
"""

from __future__ import annotations

from benchmarks.truth_forms.form import Form, pairs


def either(text: str, true: str, false: str) -> tuple[str, str]:
    """A pair whose members differ in one placeholder, written {X} in the text."""
    return text.replace("{X}", f"{{{true}}}"), text.replace("{X}", f"{{{false}}}")


def crossed(text: str, first: str, second: str) -> tuple[str, str]:
    """A pair in which {A} and {B} are the two placeholders, in the lie the other way round."""
    there, back = (first, second), (second, first)
    true, false = (text.replace("{A}", f"{{{a}}}").replace("{B}", f"{{{b}}}") for a, b in (there, back))
    return true, false


def wrong(text: str, number: str) -> tuple[str, str]:
    """A pair of a number and the wrong one; the text says {N}."""
    return either(text.replace("{N}", "{X}"), number, f"wrong_{number}")


SUPPORT = [
    either("{X} nudges the classifier toward {label}.", "pos", "neg"),
    either("We see {X} pushing the score for {label} up.", "pos", "neg"),
    either("The model leans on {X} to arrive at {label}.", "pos", "neg"),
    either("Seeing {pos} made the model more confident in {label}, and so did {X}.", "pos2", "neg"),
    either("Both {pos} and {X} are evidence for {label}.", "pos2", "neg"),
    either("One reason the model went with {label} is {X}.", "pos", "neg"),
    either("Because the text contains {X}, the {label} score goes up.", "pos", "neg"),
    either("{X} is a cue for {label} in this text.", "pos", "neg"),
    either("tbh {X} does pull it towards {label}", "pos", "neg"),
    either("Words such as {pos}, {X} and {pos2} raise the probability of {label}.", "pos3", "neg"),
    either("The presence of {X} makes {label} more likely.", "pos", "neg"),
    either("The phrase {X} counts in favor of {label}.", "phrase", "negphrase"),
    either("The attribution of {X} is positive, i.e. it supports {label}.", "pos", "neg"),
    either("{X} adds to the case for {label}.", "pos", "neg"),
    either("Thanks to {X}, the text looks more like {label} to the model.", "pos", "neg"),
    either("Model use {X} as evidence for {label}.", "pos", "neg"),
    either("I would say that {X} helped the {label} decision.", "pos", "neg"),
    either("In our view, {X} clearly indicates {label}.", "pos", "neg"),
    either("It was in part {X} that led the model to {label}.", "pos", "neg"),
    either("The {label} reading is backed by {X}.", "pos", "neg"),
    either("{X}: positive contribution to {label}.", "pos", "neg"),
    either("Our method assigns a positive relevance to {X} for the class {label}.", "pos", "neg"),
    either("It comes as no surprise that {X} speaks for {label}.", "pos", "neg"),
    either("Terms like {pos} and {X} tilt the balance toward {label}.", "pos2", "neg"),
    either("According to the saliency map, {X} and {pos} contributed to the prediction of {label}.", "pos2", "neg"),
]

OPPOSE = [
    either("{X} works against {label}.", "neg", "pos"),
    either("{X} dragged the {label} score down.", "neg", "pos"),
    either("{X} made the model less sure about {label}.", "neg", "pos"),
    either("On the other side, {neg} and {X} argue against {label}.", "neg2", "pos"),
    either("The classifier took {X} as a sign that the text is not {label}.", "neg", "pos"),
    either("{X} is a strike against {label}.", "neg", "pos"),
    either("Including {X} lowers the likelihood of {label}.", "neg", "pos"),
    either("{X} carries a negative weight for {label}.", "neg", "pos"),
    either("{X} does not help {label}; it hurts it.", "neg", "pos"),
    either("If anything, {X} counts against {label}.", "neg", "pos"),
    either("There is some pushback against {label} from {X}.", "neg", "pos"),
    either("{X} pulled in the opposite direction, away from {label}.", "neg", "pos"),
    either("{X} detracts from {label}.", "negphrase", "phrase"),
    either("The model had doubts about {label} because of {neg}, {X} and {neg2}.", "neg3", "pos"),
    either("Our method assigns a negative relevance to {X} for the class {label}.", "neg", "pos"),
    either("If it were up to {X}, the model would not say {label}.", "neg", "pos"),
    either("{X} and {neg} make {label} less likely.", "neg2", "pos"),
]

RANK = [
    either("The strongest evidence for {label} is {X}.", "top", "second"),
    either("{X} is the word that supports {label} the most.", "top", "third"),
    crossed("{A} is the biggest driver of the {label} prediction, followed by {B}.", "top", "second"),
    either("The word that matters most to the model is {X}.", "lead", "lead2"),
    crossed("First comes {A}, then {B}, then {third}, all of them in favor of {label}.", "top", "second"),
    either("The top three words for {label} are {top}, {second} and {X}.", "third", "fourth"),
    either("{top} is at the top of the list for {label}; {X} is next.", "second", "third"),
    either("Among the words that oppose {label}, {X} is the strongest.", "topneg", "secondneg"),
    either("The heaviest counterweight to {label} is {X}.", "topneg", "secondneg"),
    either("{X} ranks second among the supporters of {label}.", "second", "third"),
    either("After {top}, {X} gives the most support to {label}.", "second", "third"),
    either("The third most supportive word for {label} is {X}.", "third", "fourth"),
    either("Of all the words that support {label}, {X} does so the least.", "leastpos", "hi"),
    either("No word supports {label} more than {X}.", "top", "second"),
    either("The decision for {label} rests above all on {X}.", "top", "third"),
    either("The number one word for {label} was {top}, and number two was {X}.", "second", "third"),
    either("{X} is the main argument against {label}.", "topneg", "secondneg"),
    either("{X} has the largest attribution of all words in the input.", "lead", "lead2"),
    either("The main reason for {label} is {X}; the main reason against it is {topneg}.", "top", "second"),
    either("{top} stood out the most as support for {label}, with {X} in second place.", "second", "third"),
    either("What convinced the model most of {label} was {X}.", "top", "second"),
    either("{X} is the least important word of the input.", "least", "pos"),
    either("Third place among the words against {label} goes to {X}.", "thirdneg", "secondneg"),
    either("The model relied most heavily on {X} when predicting {label}.", "top", "second"),
    either("The most influential token is {X}.", "lead", "lead2"),
    either("In decreasing order, {top}, {second}, {X} and {fourth} contribute to {label}.", "third", "neg"),
    either("{X} is the most negative word for {label}.", "topneg", "secondneg"),
    crossed("The model decided on {label} first because of {A}, and then because of {B}.", "top", "second"),
]

COMPARISON = [
    crossed("{A} matters more for {label} than {B}.", "hi", "lo"),
    crossed("{A} outweighs {B} as support for {label}.", "hi", "lo"),
    crossed("Compared with {B}, {A} gives {label} a bigger boost.", "hi", "lo"),
    crossed("{B} also supports {label}, but less than {A} does.", "hi", "lo"),
    crossed("{A} is a stronger argument against {label} than {B}.", "neghi", "neglo"),
    crossed("{B} is weaker evidence for {label} than {A}.", "hi", "lo"),
    crossed("Both {A} and {B} support {label}, the former more strongly.", "hi", "lo"),
    crossed("{B} hurts {label} less than {A}.", "neghi", "neglo"),
    crossed("{A} has more influence than {B}.", "lead", "lead2"),
    crossed("The model gave {A} more weight than {B}.", "hi", "lo"),
    crossed("{A} strongly supports {label}, {B} only slightly.", "strong", "weak"),
    crossed("{A} strongly opposes {label}, whereas {B} does so only weakly.", "strongneg", "weakneg"),
]

SHARES = [
    wrong("{top} accounts for {N} of the evidence for {label}.", "share_top"),
    wrong("About {N} of the support for {label} comes from {top}.", "share_top"),
    wrong("{top} alone makes up {N} of the total support for {label}.", "share_top"),
    wrong("Together, {top} and {second} hold {N} of the evidence for {label}.", "share_two"),
    wrong("{top} carries {share_top} of the support for {label}, {second} another {N}.", "share_second"),
    wrong("{N} of all evidence speaks against {label}.", "share_against"),
    wrong("All in all, {N} of the attribution mass is in favor of {label} and {share_against} against it.", "share_for"),
    wrong("{topneg} is responsible for {N} of the evidence against {label}.", "share_neg"),
    wrong("Roughly {N} of the evidence for {label} is due to {top}.", "fraction_top"),
    either("More than {X} of the support for {label} comes from {top}.", "over_top", "under_top"),
    wrong("{top} contributes {N} of all evidence in the text.", "share_top_all"),
    wrong("The single word {top:double} provides {N} of what speaks for {label}.", "share_top"),
    wrong("{pos} adds only {N} of the evidence for {label}.", "share_pos"),
    wrong("The strongest word for {label}, {top}, has {N} of the evidence for it.", "share_top"),
]

SCORES = [
    wrong("{top} has a score of {N}.", "score_top"),
    either("The attribution score of {topneg} is {X}.", "score_neg", "flipped_score_neg"),
    wrong("With a score of {N}, {top} is the strongest word for {label}.", "score_top"),
    wrong(
        "{top} ({N}) and {second} ({score_second}) push toward {label}, while {topneg} ({score_neg}) pushes against it.",
        "score_top",
    ),
    wrong("{top} scores {N}, which is the highest value in the text.", "score_top"),
    wrong("{top} got {score_top}, {topneg} got {N}.", "score_neg"),
    wrong("Together, {top} and {second} add up to {N}.", "sum_two"),
    wrong("The gap between {top} and {second} is {N}.", "gap_two"),
    either("{X} contributes {score_pos} to {label}.", "pos", "neg"),
    wrong("{topneg} lowers the score for {label} with an attribution of {N}.", "score_neg"),
]

RATIOS = [
    wrong("{rhi} weighs {N} as much as {rlo}.", "times"),
    wrong("{rhi} is {N} as important for {label} as {rlo}.", "times"),
    wrong("{rhi} gives {label} {N} the support that {rlo} does.", "times"),
    wrong("For {label}, {rhi} counts {N} as much as {rlo}.", "times"),
]

COUNTS = [
    wrong("{N} words support {label} and {nneg} oppose it.", "npos"),
    wrong("In total, {N} words speak against {label}.", "nneg"),
    wrong("Of the {n} words, {N} speak for {label}.", "npos"),
    wrong("I count {N} words in favor of {label}.", "npos"),
    wrong("There are {N} words that pull away from {label}, the strongest being {topneg}.", "nneg"),
]

NEGATION = [
    either("{X} does not support {label}.", "neg", "pos"),
    either("{X} is not evidence against {label}.", "pos", "neg"),
    either("{X} isn't a reason for {label}.", "neg", "pos"),
    either("Neither {neg} nor {X} supports {label}.", "neg2", "pos"),
    crossed("{B} is not the strongest word for {label}; {A} is.", "top", "second"),
    either("{X} doesn't hurt {label} at all.", "pos", "neg"),
]

ABSENCE = [
    ("The word {absent:double} does not appear in the text.", "The word {pos:double} does not appear in the text."),
    either("{X} is not part of the input.", "absent", "pos"),
    either("There is no mention of {X} in the text.", "absent", "neg"),
    crossed("The text contains {A} but not {B}.", "pos", "absent"),
]

NO_INFLUENCE = [
    either("{X} plays no role in the decision.", "zero", "big"),
    either("{X} has a score of zero.", "zero", "big"),
    either("The model ignored {X}.", "zero", "big"),
    either("{zero} and {X} have no effect on {label}.", "zero2", "big"),
    either("{X} neither supports nor opposes {label}.", "zero", "big"),
]

NOTHING_AGAINST = [
    ("Nothing in the text speaks against {label}.",) * 2,
    ("There is no evidence against {label} in this text.",) * 2,
    ("All the evidence points to {label}.",) * 2,
]
NOTHING_FOR = [("No word supports {label}.",) * 2]
FLAT = [
    ("None of the words has any influence on the prediction.",) * 2,
    ("The map shows no clear evidence for or against {label}.",) * 2,
]

ONE_FOR = [
    ("Only {top} supports {label}.",) * 2,
    ("The sole evidence for {label} is {top}.",) * 2,
    ("Just one word, {top}, speaks for {label}.",) * 2,
]
ONE_AGAINST = [
    ("{topneg} is the only word that speaks against {label}.",) * 2,
    ("Apart from {topneg}, nothing speaks against {label}.",) * 2,
]

FOR_WINS = [
    ("Overall, the evidence favors {label}.",) * 2,
    ("On balance the text speaks for {label}.",) * 2,
    ("The supporting words carry more weight than the opposing ones.",) * 2,
]
AGAINST_WINS = [
    ("The words against {label} outweigh the words for it.",) * 2,
    ("There is more evidence against {label} than for it.",) * 2,
]

LISTS = [
    crossed("For {label}: {A}, {pos2}. Against {label}: {B}, {neg2}.", "pos", "neg"),
    either("Supports {label}: {top}, {second}, {X}", "third", "neg"),
    crossed("Words that support {label}, strongest first:\n1. {A}\n2. {B}\n3. {third}", "top", "second"),
    crossed("Evidence for {label}:\n- {A}\n- {pos2}\n\nEvidence against {label}:\n- {B}", "pos", "neg"),
    crossed("Pro {label}: {A}, {pos2}. Contra {label}: {B}.", "pos", "neg"),
    crossed("- {A}: supports {label}\n- {B}: speaks against {label}", "pos", "neg"),
    wrong("Top word for {label}: {top} ({N})", "score_top"),
]

CONFIDENCE = [
    wrong("The model predicts {label} with {N} confidence.", "conf"),
    wrong("The classifier is {N} sure that this is {label}.", "conf"),
    wrong("{label} gets a probability of {N}, with {top} as the strongest support.", "conf"),
    wrong("The model assigned a probability of {N} to {label}.", "conf"),
    either("The second most likely label is {X}.", "runner_up", "not_runner_up"),
    either("The model chose {label}, with {X} as the runner-up.", "runner_up", "not_runner_up"),
    either("The predicted class is {X}.", "label", "other"),
]

CONTRAST = [
    crossed("{A} supports {label}, but {B} opposes it.", "pos", "neg"),
    crossed("While {A} pushes the model towards {label}, {B} pushes it away.", "pos", "neg"),
    either("Although {X} speaks against {label}, {top} is the strongest word for it.", "neg", "pos"),
    crossed("{A} is in favor of {label}; {B} is not.", "pos", "neg"),
    either("Despite {X}, which counts against {label}, the prediction is {label}.", "neg", "pos"),
    either("Even though {X} is the strongest word against {label}, {pos} still supports it.", "topneg", "secondneg"),
    crossed("{A} and {pos2} favor {label}, whereas {B} does the opposite.", "pos", "neg"),
    crossed("In this example, {A} contributes positively to {label}, while {B} contributes negatively.", "pos", "neg"),
    crossed("{A} raised the score for {label}, {B} brought it down again.", "pos", "neg"),
    either("The model sees {top} as the best evidence for {label}, yet {X} as evidence against it.", "neg", "pos"),
]
VERSUS = [
    either("{X} favors {label} over {versus}.", "pos", "neg"),
    either("{X} speaks for {versus} rather than {label}.", "neg", "pos"),
]

UNSIGNED = [
    either("{X} matters most to the model.", "top", "second"),
    either("{X} received the highest attention weight.", "lead", "lead2"),
    crossed("{A} matters more than {B}.", "hi", "lo"),
    either("{big} and {X} are important words here.", "big2", "zero"),
    wrong("{top} holds {N} of the total attention.", "share_top_all"),
    crossed("The model paid most attention to {A}, followed by {B}.", "top", "second"),
]

TEXTS = [
    either(
        "The model predicted {label}. The strongest evidence for this was {X}. {topneg} was the main word against it.",
        "top",
        "second",
    ),
    either("{top} is the most important word for {label}. It is followed by {X}.", "second", "third"),
    wrong("The model says {label}. {top} supports this most. It holds {N} of the evidence for {label}.", "share_top"),
    either("The text was classified as {label}. {pos} and {pos2} support this label. {X} speaks against it.", "neg", "pos3"),
    either("{pos} speaks for {label}. So does {X}.", "pos2", "neg"),
    either("The model classified this as {label}. This is primarily driven by {X}, the highest-scoring word.", "top", "second"),
    wrong(
        "{top} has the highest score ({N}), which strongly supports {label}. In contrast, {topneg} ({score_neg}) opposes it.",
        "score_top",
    ),
    either("Two words matter most for {label}: {top} and {X}. On the other hand, {topneg} lowers it.", "second", "third"),
    either("{pos} and {pos2} push toward {label}. Meanwhile, {X} pushes in the other direction.", "neg", "pos3"),
    wrong("{top} is the best clue for {label} with {N} of all support. {second} comes second.", "share_top"),
    either("{top} drives the {label} score up. However, {X} pulls it back down.", "neg", "pos"),
    either("Why {label}? Because of {X}. It gets the highest score of all.", "lead", "lead2"),
    wrong("{top} is the top contributor for {label}, with {N}. Next comes {second}, with {score_second}.", "score_top"),
]

FORMS: tuple[Form, ...] = (
    *pairs("support", SUPPORT),
    *pairs("oppose", OPPOSE),
    *pairs("rank", RANK),
    *pairs("comparison", COMPARISON),
    *pairs("share", SHARES),
    *pairs("score", SCORES),
    *pairs("ratio", RATIOS),
    *pairs("count", COUNTS),
    *pairs("negation", NEGATION),
    *pairs("absence", ABSENCE),
    *pairs("no influence", NO_INFLUENCE),
    *pairs("no evidence", NOTHING_AGAINST, on="all for", false_on="both sides"),
    *pairs("no evidence", NOTHING_FOR, on="all against", false_on="both sides"),
    *pairs("no evidence", FLAT, on="flat", false_on="both sides"),
    *pairs("only", ONE_FOR, on="one for", false_on="mixed"),
    *pairs("only", ONE_AGAINST, on="one against", false_on="mixed"),
    *pairs("balance", FOR_WINS, on=("both sides", "for wins"), false_on=("both sides", "against wins")),
    *pairs("balance", AGAINST_WINS, on=("both sides", "against wins"), false_on=("both sides", "for wins")),
    *pairs("list", LISTS),
    *pairs("confidence", CONFIDENCE, on=("both sides", "predicted")),
    *pairs("contrast", CONTRAST),
    *pairs("contrast", VERSUS, on=("both sides", "contrastive")),
    *pairs("unsigned", UNSIGNED, on="unsigned"),
    *pairs("text", TEXTS),
)
