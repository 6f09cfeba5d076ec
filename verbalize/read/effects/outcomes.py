"""Patterns for what the model does with the changed input: it changes its decision, keeps it, or says something."""
# ruff: noqa: E501 - patterns are easier to read unbroken

from __future__ import annotations

import re
from functools import cache
from typing import Literal, TypeAlias

from verbalize.read.effects.conditions import numbered
from verbalize.read.effects.words import BE, CALLED, DECIDED, DECISION, MAY_BE, MODEL, WHOLE, label, say

# change: the decision is another; stay: it is the same; says: the label that is named; loses: no longer the label that is named;
# denies: not the label that is named, which tells the same only of the label that was decided for.
Outcome: TypeAlias = Literal["change", "stay", "says", "loses", "denies"]

_M = f"(?:{MAY_BE} )?"
_NOT = f"(?:{MAY_BE} not )"
_FLIP = "(?:change|changes|changed|flip|flips|flipped|switch|switches|switched|reverse|reverses|reversed|alter|alters|altered|turn|turns|turned|overturn|overturns|overturned)"
_MOVE = "(?:change|changes|changed|flip|flips|flipped|switch|switches|switched|turn|turns|turned|shift|shifts|shifted|move|moves|moved|swing|swings|go|goes|went)"
_MIND = f"(?:{DECISION}|its mind|the model's mind|the mind of {MODEL})"
_FROM = f"(?: from {label('from')})"
_TO = f"(?: (?:to|into|over to|toward being) {label('to')})"
_PATH = f"(?:{_FROM}?{_TO}|{_TO}{_FROM})"
_RATHER = f"(?: (?:instead of|and no longer) {label('from')}| (?:rather than|and not|not) {label('than')}| instead)?"
_IT = f"(?:{MODEL}|it)"
_DECIDED_IT = f"(?:{DECISION}|it)"
_TEXT = f"(?:{WHOLE}|it)"
_SAME = f"(?:make|makes|made|give|gives|gave|reach|reaches|reached|come to|comes to|arrive at|arrives at|have made|have reached|have given|say|says|predict|predicts|return|returns) (?:exactly )?the same (?:{DECIDED}|thing)"
_OTHER = f"(?:make|makes|made|give|gives|gave|reach|reaches|reached|come to|comes to|arrive at|arrives at|predict|predicts|choose|chooses|return|returns|output|outputs) (?:a different|another) {DECIDED}"
_UNCHANGED = "(?:the same|unchanged|unaffected|unaltered|untouched|intact|identical|as it is|as it was|what it is)"
_PUT = "(?:put|in place|where it is|where it was|what it was|as it is|as it was)"
_STILL = "(?:still|nevertheless|nonetheless|even so)"

# A clause of its own: "the model says 'negative'".
_CLAUSES: dict[Outcome, tuple[str, ...]] = {
    "stay": (
        f"{_IT} (?:{_M}{_STILL}|{_STILL} {_M}) ?{_M}{say('same')}",
        f"{_IT} {_M}(?:continue|continues|continued) to {say('same')}",
        f"{_IT} {_M}(?:keeps|keep|kept) {say('same')}",
        f"{_IT} {_M}(?:{_STILL} )?(?:stick|sticks|stuck|stay|stays|stayed) (?:with|at|by|to) {label('same')}",
        f"{_DECIDED_IT} {_M}(?:{_STILL} )?(?:remain|remains|remained|stay|stays|stayed|continue to be|continues to be) {label('same')}",
        f"{_DECIDED_IT} (?:{_M}{_STILL} be|{BE} {_STILL}|{_STILL} {BE}) {label('same')}",
        f"{_TEXT} (?:{_M}{_STILL} {BE}|{BE} {_STILL}|{_STILL} {BE}) {CALLED} (?:as |to be )?{label('same')}(?: by {MODEL})?",
        f"{WHOLE} (?:{_M}{_STILL} be|{BE} {_STILL}|{_STILL} {BE}) {label('same')}",
        f"{_IT} {_M}(?:{_STILL} )?(?:keep|keeps|kept|maintain|maintains|stick with|sticks with|stick to|sticks to|stand by|stands by|retain|retains|hold to|holds to) {DECISION}",
        f"{_IT} {_NOT}{_FLIP} {_MIND}",
        f"{_IT} {_M}(?:{_STILL} )?{_M}{_SAME}",
        f"{DECISION} {_M}(?:{_STILL} )?(?:{BE}|remain|remains|remained|stay|stays|stayed) {_UNCHANGED}",
        f"{DECISION} {BE} (?:{_STILL} )?not (?:changed|altered|flipped|affected|different|reversed)",
        f"{DECISION} {_NOT}(?:{_FLIP}|differ|be different|be reversed|be changed|be flipped)",
        f"{DECISION} {_M}(?:{_STILL} )?(?:stand|stands|stood|hold|holds|held|stay|stays|stayed|remain|remains|remained|persist|persists|survive|survives|survived)(?: {_PUT})?",
        f"nothing (?:{MAY_BE} )?(?:change|changes|changed|happen|happens|happened)(?: (?:in|about|to|with|for) {DECISION})?|nothing (?:in|about) {DECISION} {_M}(?:change|changes|changed)",
    ),
    "change": (
        f"{_IT} {_M}{_FLIP} {_MIND}{_PATH}?",
        f"{_IT} {_M}{_MOVE}{_PATH}",
        f"{_IT} {_M}{_OTHER}",
        f"{_IT} {_M}(?:say|says|said|predict|predicts|choose|chooses|decide for|decides for|conclude|concludes) (?:something|anything) (?:else|different)",
        f"{_IT} {_M}(?:decide|decides|decided|answer|answers|answered|judge|judges|judged|choose|chooses) (?:differently|otherwise)",
        f"{_IT} {_M}not (?:keep|maintain|stick with|stick to|retain) {DECISION}",
        f"{DECISION} {_M}(?:{_FLIP}|differ|differs|reverse|reverses)",
        f"{DECISION} {_M}(?:{_MOVE}){_PATH}",
        f"{DECISION} {_M}(?:turn|turns|turned|go|goes|flip|flips){_FROM}? {label('to')}",
        f"{DECISION} {_M}(?:{BE} )?(?:a different one|different|another|another one|reversed|flipped|changed|overturned|no longer the same)(?:{_PATH})?",
        f"{DECISION} (?:{_NOT}|{BE} not )(?:{BE} )?(?:remain |stay )?the same",
        f"{DECISION} {_M}(?:not|no longer) (?:hold|holds|stand|stands)",
        f"{WHOLE} {_M}{BE} {CALLED} differently",
    ),
    "says": (
        f"{_IT} {_M}{say('says')}{_RATHER}",
        f"{_DECIDED_IT} {_M}(?:{BE}|become|becomes|became|have become) {label('says')}{_RATHER}",
        f"{WHOLE} {_M}(?:{BE}|become|becomes) {label('says')}{_RATHER}",
        f"{_TEXT} {_M}{BE} {CALLED} (?:as |to be |as being )?{label('says')}(?: by {MODEL})?{_RATHER}",
    ),
    "loses": (
        f"{_IT} {_M}no longer {_M}{say('same')}",
        f"{_DECIDED_IT} (?:{_M}no longer be|{BE} no longer|no longer {BE}) {label('same')}",
        f"{_TEXT} (?:{_M}no longer {BE}|{BE} no longer|no longer {BE}) {CALLED} (?:as )?{label('same')}(?: by {MODEL})?",
        f"{_IT} {_M}(?:stop|stops|stopped) {say('same')}",
    ),
    "denies": (
        f"{_IT} {_NOT}(?:have )?{say('same')}",
        f"{_DECIDED_IT} (?:{_NOT}(?:have been|be)|{BE} not|not {BE}) {label('same')}",
        f"{_TEXT} (?:{_NOT}(?:have been|be)|{BE} not|not {BE}) {CALLED} (?:as )?{label('same')}(?: by {MODEL})?",
        f"{_IT} {_M}(?:fail|fails|failed) to {say('same')}",
    ),
}  # fmt: skip

_ENOUGH = f"{_M}(?:(?:{BE} )?(?:enough|sufficient) to|suffice to|suffices to|sufficed to)"
_MAKE = "(?:make|makes|made|cause|causes|caused|lead|leads|led|get|gets|got|force|forces|forced|push|pushes|bring|brings|prompt|prompts)"
_RESULTS = "(?:lead|leads|led|result|results|resulted) (?:to|in)"
# What is said of the change as a subject: "flips the prediction".
_PREDICATES: dict[Outcome, tuple[str, ...]] = {
    "stay": (
        f"{_NOT}(?:{_FLIP}|affect|influence) {_MIND}",
        f"{_M}(?:leave|leaves|left) {DECISION} {_UNCHANGED}",
        f"{_M}(?:have|has|had) no (?:effect|influence|impact|bearing) on {DECISION}",
        f"{_M}(?:make|makes|made) no difference to {DECISION}",
        f"{_M}(?:change|changes|changed|alter|alters|altered) nothing(?: (?:in|about|for) {DECISION})?",
        f"(?:{_NOT}(?:be )?|{BE} not )(?:enough|sufficient) to {_FLIP} {_MIND}|{_NOT}suffice to {_FLIP} {_MIND}",
        f"{_M}(?:{_STILL} )?(?:keep|keeps|leave|leaves) {DECISION} (?:at )?{label('same')}",
        f"{_M}(?:keep|keeps|preserve|preserves|maintain|maintains) {DECISION}",
        f"{_NOT}{_MAKE} {MODEL} (?:to )?{_FLIP} {_MIND}",
    ),
    "change": (
        f"{_M}{_FLIP} {_MIND}{_PATH}?",
        f"{_M}(?:turn|turns|turned|flip|flips) {DECISION}{_FROM}? {label('to')}",
        f"{_ENOUGH} {_FLIP} {_MIND}{_PATH}?",
        f"{_ENOUGH} (?:turn|flip) {DECISION} {label('to')}",
        f"{_M}{_MAKE} {MODEL} (?:to )?{_FLIP} {_MIND}{_PATH}?",
        f"{_M}{_MAKE} {MODEL} (?:to )?(?:switch|change|flip|turn|move){_PATH}",
        f"{_M}{_RESULTS} (?:a different|another) {DECIDED}",
        f"{_M}{_MAKE} {DECISION} (?:to )?(?:flip|change|switch|turn|reverse){_PATH}?",
    ),
    "says": (
        f"{_M}{_MAKE} {MODEL} (?:to )?{say('says')}{_RATHER}",
        f"{_M}{_MAKE} {DECISION} (?:to be |to become |become )?{label('says')}{_RATHER}",
        f"{_M}{_RESULTS} {label('says')}{_RATHER}",
        f"{_M}{_RESULTS} {MODEL} {say('says')}{_RATHER}",
        f"{_ENOUGH} (?:make|get|lead|cause) {MODEL} (?:to )?{say('says')}{_RATHER}",
    ),
    "loses": (f"{_M}{_MAKE} {MODEL} (?:to )?(?:stop|no longer) {say('same')}",),
    "denies": (),
}  # fmt: skip

# What stands before a change as an object: "the prediction survives".
_SURVIVES = "(?:survive|survives|survived|withstand|withstands|withstood|outlast|outlasts)"
_LASTS: dict[Outcome, tuple[str, ...]] = {
    "stay": (f"{DECISION} {_M}(?:{_STILL} )?{_SURVIVES}",),
    "change": (f"{DECISION} {_NOT}{_SURVIVES}",),
}

Compiled: TypeAlias = "tuple[tuple[Outcome, re.Pattern[str]], ...]"


@cache
def clauses() -> Compiled:
    """The patterns of clauses."""
    return _compiled(_CLAUSES)


@cache
def predicates() -> Compiled:
    """The patterns of predicates."""
    return _compiled(_PREDICATES)


@cache
def lasting() -> Compiled:
    """The patterns of what stands before a change that is survived."""
    return _compiled(_LASTS)


def _compiled(patterns: dict[Outcome, tuple[str, ...]]) -> Compiled:
    return tuple((outcome, re.compile(f"(?:{numbered(pattern)})")) for outcome, many in patterns.items() for pattern in many)
