"""Words that change what a sentence claims, and the kinds of claim that can account for them.

A model that overlooks such a word, or means to, reads a true claim in a false sentence: "'slow' hardly supports it" as support.
So each of them asks for a claim of its own kind. The lists are short of many words; they make lies harder, not impossible.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_RANKS = {"most_important", "least_important", "rank", "runner_up"}
_COMPARISONS = {"more_important_than", "equal", "ratio", "difference", "balance", *_RANKS}
_AMOUNTS = {"share", "count", "only", "balance", "ratio", "difference", "confidence", "no_clear_evidence", "strength"}
_EFFECTS = {"decisive", "sufficient", "counterfactual"}
_DENIALS = {"near_zero", "absent", "no_clear_evidence", "only", "equal"}

# (words, as a regular expression; the kinds of claim, one of which must be there)
_CUES: tuple[tuple[re.Pattern[str], set[str]], ...] = tuple(
    (re.compile(rf"\b(?:{words})\b", re.IGNORECASE), kinds)
    for words, kinds in (
        # what would have been is said of a changed input; what may be, and what others say, is no statement at all
        (r"if|had|would|instead", _EFFECTS),
        (r"unless|could|might|may|maybe|perhaps|suppose\w*|imagine|claim\w*|alleg\w*|myth|supposedly", set[str]()),
        (r"except\w*|but|although|though|however|rather|unlike|contrary|opposite|revers\w*|otherwise", set[str]()),
        (
            r"not|no|never|\w+n['’]t|cannot|hardly|barely|scarcely|neither|nor|without|lack\w*|absen\w+|missing|fail\w*",
            _DENIALS | _EFFECTS,
        ),
        (r"nothing|none|nobody|zero|few|little|negligibl\w+|den(?:y|ies|ied)|false|wrong|untrue|far from|anything", _DENIALS),
        (
            r"only|alone|sole\w*|exclusive\w*|single|all|every\w*|each|entire\w*|whole|both|any|others?|rest",
            _AMOUNTS | _DENIALS | {"sufficient"},
        ),
        (r"most|least|top|\w+est|main\w*|primar\w+|chief\w*|leading|leads?|foremost|runner-up|rank\w*|lion['’]s", _RANKS),
        (r"first|second|third|fourth|fifth|sixth|last|place[sd]?", _RANKS | {"share"}),
        (r"more|less|than|outweigh\w*|exceed\w*|out\w+s|beat\w*|trail\w*|behind|ahead|compared|dwarf\w*", _COMPARISONS),
        (r"stronger|weaker|bigger|larger|smaller|higher|lower|greater|equal\w*|same|alike|tie[sd]?|surpass\w*", _COMPARISONS),
        (r"half|thirds?|quarters?|fifths?|per ?cent\w*|twice|thrice|double|triple|times|\w+fold|share", _AMOUNTS | {"equal"}),
        (r"two|three|four|five|six|seven|eight|nine|ten|dozens?|majority|bulk|several|many", _AMOUNTS | _RANKS),
    )
)


def unaccounted(sentence: str, kinds: set[str]) -> Iterator[str]:
    """The words of a sentence that ask for a claim of a kind that is not there.

    Args:
        sentence: the sentence, without its quotations.
        kinds: the kinds of claim that were read in it.
    """
    for pattern, accounting in _CUES:
        if not kinds & accounting and (found := pattern.search(sentence)):
            yield found[0]
