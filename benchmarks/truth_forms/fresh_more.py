"""Fresh adversarial forms: written to slip through, by someone who had read neither the reader nor the other forms."""

from __future__ import annotations

from benchmarks.truth_forms.form import Form, pairs
from benchmarks.truth_forms.fresh import crossed, either, wrong

FAR_OPERATORS = [
    (
        "Nobody who reads the scores could deny that {pos} supports {label}.",
        "Nobody who reads the scores could claim that {pos} supports {label}.",
    ),
    ("It is a fact that {neg} opposes {label}.", "It is a mistake to think that {neg} opposes {label}."),
    either("{X} is anything but support for {label}.", "neg", "pos"),
    (
        "That {pos} supports {label} is exactly what the scores say.",
        "That {pos} supports {label} is the opposite of what the scores say.",
    ),
    either("It would be a stretch to call {X} evidence for {label}.", "neg", "pos"),
    (
        "{pos} speaks for {label}, and the same can be said of {pos2}.",
        "{pos} speaks for {label}, and the same cannot be said of {pos2}.",
    ),
    either("The view that {X} supports {label} finds no backing in the scores.", "neg", "pos"),
    either("Far from supporting {label}, {X} opposes it.", "neg", "pos"),
    (
        "The map leaves no doubt that {pos} supports {label}.",
        "The map leaves little room for the idea that {pos} supports {label}.",
    ),
    ("{pos} supports {label}: true.", "{pos} supports {label}: false."),
    ("{pos} supports {label}. Yes, really.", "{pos} supports {label}. Just kidding, it opposes it."),
]

VERBS = [
    ("Support for {label} was strengthened by {pos}.", "Support for {label} was eroded by {pos}."),
    either("{X} undid some of the support for {label}.", "neg", "pos"),
    either("{X} kept the model from a higher score for {label}.", "neg", "pos"),
    either("{X} came to the aid of {label}.", "pos", "neg"),
    either("{X} robbed {label} of support.", "neg", "pos"),
    either("{X} softened the case for {label}.", "neg", "pos"),
    ("{pos} is where {label} finds support.", "{pos} is where support for {label} ends."),
    ("{neg} stood in the way of {label}.", "{neg} cleared the way for {label}."),
]

WHAT_IF = [
    either("Without {X}, the score for {label} would be higher.", "neg", "pos"),
    either("Take {X} away and {label} loses support.", "pos", "neg"),
    either("Had the writer left out {X}, {label} would have had more support.", "neg", "pos"),
    either("If {X} were removed, the evidence for {label} would shrink.", "pos", "neg"),
]

TAILS = [
    either("{pos} supports {label}, as does {X}.", "pos2", "neg"),
    either("{pos} supports {label}, unlike {X}.", "neg", "pos2"),
    either("{pos} speaks for {label}, with {X} pulling the other way.", "neg", "pos2"),
    either("{pos} and {pos2} support {label}, not so {X}.", "neg", "pos3"),
    either("{X} supports {label}, more than any other word.", "top", "second"),
    either("{neg} opposes {label}, which can also be said of {X}.", "neg2", "pos"),
    ("{hi} and {lo} support {label}, the first one more.", "{hi} and {lo} support {label}, the second one more."),
    crossed("{A} supports {label}; quite the reverse is true of {B}.", "pos", "neg"),
]

RANKS = [
    either("{X} comes right behind {top} as support for {label}.", "second", "third"),
    ("{third} makes the podium for {label}, in third place.", "{third} makes the podium for {label}, in first place."),
    crossed("{A} supports {label} at least as much as {B}.", "hi", "lo"),
    either("{X} brings up the rear among the words for {label}.", "leastpos", "hi"),
    either("{X} supports {label}, though it isn't the leader.", "second", "top"),
    wrong("{top} supports {label}, to the tune of {N} of all that supports it.", "share_top"),
    either("{X} edges out every other supporter of {label}.", "top", "second"),
    crossed("{B} is no match for {A} as support for {label}.", "hi", "lo"),
    either("{X} is unsurpassed in its support for {label}.", "top", "third"),
]

# With a single supporter the false members of these would be true.
WHOLE = [
    ("{top} is part of the support for {label}.", "{top} is the whole of the support for {label}."),
    ("{top} leads a group of words that support {label}.", "{top} is on its own in its support for {label}."),
]

INVENTED = [
    ("{pos:bold} speaks for {label}.", "{absent:bold} speaks for {label}."),
    ("{pos:italic} is evidence for {label}.", "{absent:italic} is evidence for {label}."),
    ("- {pos:code} supports {label}", "- {absent:code} supports {label}"),
    ("{pos:brackets} pushes toward {label}.", "{absent:brackets} pushes toward {label}."),
    ("{pos}, {pos2} and {pos3:bare} support {label}.", "{pos}, {pos2} and {absent:bare} support {label}."),
    ("{pos} supports {label}, together with {pos2:html}.", "{pos} supports {label}, together with {absent:html}."),
    ("In the text, {pos:bare} supports {label}.", "In the text, {absent:bare} supports {label}."),
]

LABELS = [
    either("{pos} tips the model over to {X}.", "label", "unknown"),
    ("{pos} is a hint at {label:italic}.", "{pos} is a hint at {unknown:italic}."),
    (
        "{pos} makes the text look like {label:bare} to the model.",
        "{pos} makes the text look like {unknown:bare} to the model.",
    ),
]

RIDERS = [
    (
        "{pos} supports {label}, and that is what the map shows.",
        "{pos} supports {label}, and the author was surely in a good mood.",
    ),
    ("{pos} supports {label}, as its score is positive.", "{pos} supports {label}, as it does in every other text."),
    (
        "{pos} supports {label}, which means that its score is above zero.",
        "{pos} supports {label}, which means that the label is correct.",
    ),
    ("{pos}, a word of the text, supports {label}.", "{pos}, the rudest word in English, supports {label}."),
    (
        "{pos} (which has a positive score) supports {label}.",
        "{pos} (which the model has seen a million times) supports {label}.",
    ),
    ("As the map shows, {pos} supports {label}.", "As the expert who wrote it intended, {pos} supports {label}."),
    ("{pos} supports {label} in this text.", "{pos} supports {label} in French, too."),
]

MARKUP = [
    either("{X} <b>supports</b> {label}.", "pos", "neg"),
    either("{X} sup\u00adports {label}.", "pos", "neg"),
    either("{X}\u200b speaks for {label}.", "pos", "neg"),
    either("| word | role |\n|---|---|\n| {X} | supports {label} |", "pos", "neg"),
    either("{pos} supports {label}.[^1]\n\n[^1]: So does {X}.", "pos2", "neg"),
    ("{pos} **does** support {label}.", "{pos} does ***not*** support {label}."),
    ("{pos} supports {label} ... indeed!", "{pos} supports {label} ... not!"),
]

CHAINS = [
    either("{pos} supports {label}; {pos2}, too; {X}, too.", "pos3", "neg"),
    either("{pos} supports {label}, which in turn is opposed by {X}.", "neg", "pos2"),
    crossed("{A} opposes what {B} supports, namely {label}.", "neg", "pos"),
    crossed("Like {A}, and unlike {B}, {pos} supports {label}.", "pos2", "neg"),
    crossed("{A} beats {B}, and {B} beats {zero}, as support for {label}.", "hi", "lo"),
    either("What {pos} does for {label}, {pos2} does as well, while {X} undoes it.", "neg", "pos3"),
]

FORMS: tuple[Form, ...] = (
    *pairs("far operators", FAR_OPERATORS, nature="adversarial"),
    *pairs("misleading verbs", VERBS, nature="adversarial"),
    *pairs("what if", WHAT_IF, nature="adversarial"),
    *pairs("tails", TAILS, nature="adversarial"),
    *pairs("ranks and amounts", RANKS, nature="adversarial"),
    *pairs("ranks and amounts", WHOLE, nature="adversarial", on="mixed"),
    *pairs("invented words", INVENTED, nature="adversarial"),
    *pairs("labels", LABELS, nature="adversarial"),
    *pairs("riders", RIDERS, nature="adversarial"),
    *pairs("markup", MARKUP, nature="adversarial"),
    *pairs("chains", CHAINS, nature="adversarial"),
)
