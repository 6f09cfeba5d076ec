"""The forms of verbs, so that the lexicon lists each verb once."""

from __future__ import annotations

_VOWELS = "aeiou"


def forms(verb: str) -> tuple[tuple[str, ...], str, str]:
    """The finite forms, the -ing form and the past participle of a verb.

    `verb` is the base form of a regular verb, or the five forms of an irregular one, "speak/speaks/spoke/spoken/speaking". The
    first word may be followed by a particle: "add up to", "drive/drives/drove/driven/driving up".
    """
    head, _, rest = verb.partition(" ")
    tail = f" {rest}" if rest else ""
    listed = head.split("/")
    if len(listed) == 5:
        base, third, past, participle, gerund = listed
    else:
        base = head
        third, past, gerund = _third(base), _past(base), _gerund(base)
        participle = past
    finite = tuple(dict.fromkeys(form + tail for form in (base, third, past)))
    return finite, gerund + tail, participle + tail


def _third(base: str) -> str:
    if base.endswith(("s", "x", "z", "ch", "sh", "o")):
        return base + "es"
    if base.endswith("y") and base[-2:-1] not in _VOWELS:
        return base[:-1] + "ies"
    return base + "s"


def _past(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2:-1] not in _VOWELS:
        return base[:-1] + "ied"
    return base + "ed"


def _gerund(base: str) -> str:
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")):
        return base[:-1] + "ing"
    return base + "ing"
