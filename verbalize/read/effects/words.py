"""Phrases that the patterns of effects are made of: parts, labels, the model, its decision, and verbs of hiding and saying."""
# ruff: noqa: E501 - word lists and patterns are easier to read unbroken

from __future__ import annotations

_NOUN = (
    "(?:words?|phrases?|terms?|tokens?|expressions?|adjectives?|nouns?|verbs?|regions?|areas?|parts?|patch|patches|objects?)"
)
_ORDINAL = "(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|N)"
_ONE = f"(?:(?:both|all|the {_ORDINAL}) (?:occurrences?|mentions?|instances?) of |the (?:{_ORDINAL} )?(?:{_NOUN} )?|{_NOUN} )?[PBX](?: (?:in|within|inside) (?:the (?:{_NOUN} )?)?[PBX])?"
_AND = "(?:and|as well as|together with|along with|plus)"
_SAME = "(?:this|that|the same) (?:word|term|token|phrase|region|part|expression|area)|these (?:two |three )?(?:words|terms|tokens|phrases|regions|parts)|those (?:words|regions)"

PRONOUNS = f"it|them|they|which|{_SAME}"
PARTS = f"(?P<part>(?:both )?{_ONE}(?:(?: , {_ONE})* ,? ?{_AND} {_ONE})?|{PRONOUNS})"
SINGLES = f"(?P<part>{_ONE})"
REPLACEMENT = "(?:the (?:word|phrase|term) )?(?P<replacement>[PBXL])"

_KIND = "(?:label|class|category|sentiment|prediction|topic)"
_KINDS_AFTER = f"(?: (?:{_KIND}|review|text|one|decision|verdict|classification|answer|outcome))"


def label(name: str) -> str:
    """A pattern for a label, captured under a name."""
    return f"(?:(?:the|a|an) )?(?:{_KIND} )?(?P<{name}>[LBXP]){_KINDS_AFTER}?"


WHOLE = "(?:(?:the|this|that|your) )?(?:whole |entire )?(?:text|review|sentence|input|passage|document|article|message|headline|post|comment|tweet|picture|image|photo|photograph|example|snippet|email)"
MODEL = "(?:the|this|that|our) (?:same )?(?:model|classifier|network|neural network|system|algorithm|language model|sentiment classifier|text classifier|image classifier|machine|predictor|sentiment model)"
DECIDED = "(?:prediction|decision|classification|outcome|verdict|answer|output|conclusion|judgment|judgement|label|class|predicted label|predicted class|predicted sentiment|sentiment|choice|ruling)"
_OWNER = "(?:model|classifier|network|system|algorithm)"
DECISION = f"(?:(?:the|its|this|that) (?:(?:{_OWNER}(?: ?'s)?|final|overall|predicted|original|current) )*{DECIDED}(?: (?:of|by) {MODEL})?(?: (?:for|on|of) {WHOLE})?)"
FROM_WHOLE = f"(?: (?:from|in|of) {WHOLE})?"

_HIDE = (  # base form, -ing form, participle, form of the third person
    "remove removing removed removes", "delete deleting deleted deletes", "mask masking masked masks", "hide hiding hidden hides",
    "erase erasing erased erases", "omit omitting omitted omits", "drop dropping dropped drops", "cut cutting cut cuts",
    "exclude excluding excluded excludes", "occlude occluding occluded occludes", "ablate ablating ablated ablates",
    "eliminate eliminating eliminated eliminates", "discard discarding discarded discards", "cover covering covered covers",
    "withhold withholding withheld withholds", "redact redacting redacted redacts", "strike striking struck strikes",
)  # fmt: skip
_HIDE_OUT = (
    "take taking taken takes",
    "leave leaving left leaves",
    "blank blanking blanked blanks",
    "black blacking blacked blacks",
    "strip stripping stripped strips",
)
_OUT = "(?:out|away|up)"


def _hide(form: int) -> str:
    """A pattern for a verb of hiding in one form, with the part as its object."""
    simple, outward = ("|".join(verb.split()[form] for verb in verbs) for verbs in (_HIDE, _HIDE_OUT))
    return f"(?:(?:{simple})(?: {_OUT})? {PARTS}(?: {_OUT})?|(?:{outward}) (?:{_OUT} {PARTS}|{PARTS} {_OUT}))"


HIDING_VERBS = "(?:{})".format("|".join(verb.split()[1] for verb in _HIDE))
HIDE_IT, HIDING_IT, HIDES_IT = _hide(0), _hide(1), _hide(3)
HIDDEN = "(?:(?:{})(?: {})?|(?:{}) {})".format(
    "|".join(verb.split()[2] for verb in _HIDE), _OUT, "|".join(verb.split()[2] for verb in _HIDE_OUT), _OUT
)
GONE = (
    f"(?:missing|absent|gone|not there|not present|not in {WHOLE}|not included|not part of {WHOLE}|not visible|out of the way)"
)

MAY_BE = "(?:would have|will have|would|will|does|did|do|has|have|had)"  # what may stand before a verb without making the statement vague
BE = "(?:is|are|was|were|be|been|being|has been|have been|had been|would be|will be|would have been)"
_SAY = "(?:says?|said|saying|predicts?|predicted|predicting|chooses?|chose|chosen|picks?|picked|outputs?|output|answers?|answered|returns?|returned|gives?|gave|given|selects?|selected|concludes?|concluded)"
_SAY_TO = "(?:(?:decides?|decided|opts?|opted|goes?|went|votes?|voted) for|(?:decides?|decided|settles?|settled) on|(?:goes?|go|went) with|arrives? at|arrived at|reach|reaches|reached)"
_CALL = "(?:classif(?:y|ies|ied)|labels?|labell?ed|rates?|rated|calls?|called|tags?|tagged|categori[sz]es?|categori[sz]ed|judges?|judged|sees?|seen|considers?|considered)"
CALLED = "(?:classified|labell?ed|predicted|rated|tagged|categori[sz]ed|judged|called|seen|recogni[sz]ed|considered)"


def say(name: str) -> str:
    """A pattern for what the model says: "says 'negative'", "classify the review as negative"; the label is captured."""
    return (
        f"(?:(?:{_SAY}|{_SAY_TO}) {label(name)}|{_CALL} (?:it|{WHOLE}) (?:as |to be |as being )?{label(name)}"
        f"|(?:say|says|said|predict|predicts|predicted|conclude|concludes) (?:that )?(?:it|{WHOLE}) (?:is|was|to be) {label(name)})"
    )
