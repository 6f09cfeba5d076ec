"""The claim "absent": a word is not in the input."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from verbalize.claims.messages import quoted_part
from verbalize.claims.verdict import Undecided

if TYPE_CHECKING:
    from verbalize.claims.claim import Claim
    from verbalize.claims.verdict import Verdict
    from verbalize.evidence import Evidence

_LIKE = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "‐": "-", "‑": "-"})


def falsehood(claim: Claim, evidence: Evidence, bridge: float) -> Verdict:
    """The falsehood of the claim; `None` if the quoted words are not in the input.

    A claim whose part was found in the input is false. Else the quotation is looked for once more: upper case, accents' form,
    forms of quotes and white space don't matter. A quotation inside a longer word ("art" in "party") leaves the claim
    undecided, and so does a picture: a map can't tell what is not in it.
    """
    del bridge  # no scores are looked at
    whole = "picture" if evidence.pixels else "text"
    if claim.part:
        return "wrong absence", f"{quoted_part(claim, evidence)} is said to be missing but it is in the {whole}"
    if claim.part is not None or not claim.quote or not claim.quote.strip():
        return Undecided("something is said to be missing, but not what")
    if evidence.pixels:
        return Undecided(f"the map does not tell whether '{claim.quote}' is in the picture")
    quote = _plain(claim.quote)
    texts = _texts(evidence.names, evidence.text)
    if any(quote in text and re.search(rf"(?<!\w){re.escape(quote)}(?!\w)", text) for text in texts):
        return "wrong absence", f"'{claim.quote}' is said to be missing but it is in the text"
    if any(quote.replace(" ", "") in text for text in texts):
        return Undecided(f"'{claim.quote}' is said to be missing, and it is there inside other words")
    return None


@lru_cache(maxsize=8)  # many claims of one text ask for the same input
def _texts(names: tuple[str, ...], text: str | None) -> tuple[str, ...]:
    """The input as its words and as its text, each also without white space."""
    plain = [_plain(" ".join(names)), _plain(text or "")]
    return (*plain, *(found.replace(" ", "") for found in plain))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).translate(_LIKE).casefold().split())
