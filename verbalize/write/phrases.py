"""The sentences of the styles "plain" and "ranked", each with its claims. The module `template` lists their shapes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from verbalize.claims.claim import Claim
from verbalize.evidence import is_flat
from verbalize.saliency import PixelSaliency
from verbalize.write.naming import listed
from verbalize.write.standing import Standing, outdoes

if TYPE_CHECKING:
    from verbalize.claims.claim import Direction
    from verbalize.saliency import Part
    from verbalize.write.draft import Draft
    from verbalize.write.voice import Voice

_WHOLE_PICTURE = "whole picture"
_ROUNDED = 0.001  # two shares that differ by less are written alike
_ABOUT = 0.05  # how far a share may lie from "about 24%", as readers of the text take it
_LITTLE = 0.1  # share of all the evidence; if the most important part holds less, the text says "only"


def say_direction(draft: Draft, found: Standing, frame: str, length: str, *, ranked: bool) -> None:
    """Say which parts are the most important in a direction, how much they hold, and which other parts speak in it.

    The length "clause" has only the first of these. With `ranked`, the other parts come in the order of their importance.
    """
    voice = draft.voice(found.direction)
    if len(draft.evidence) == 1 and (not draft.evidence.pixels or draft.evidence.names[0] == _WHOLE_PICTURE):
        partial = draft.evidence.pixels or getattr(draft.saliency, "scored", None) is not None
        if partial or voice.direction is None:
            name = "the whole picture" if draft.evidence.pixels else draft.name(found.leads[0])
            draft.say(f"{name} {voice.does(found.leads)}{voice.about(frame)}", *voice.signs(found.leads))
        else:
            only = Claim("only", found.leads[0], direction=voice.direction)
            draft.say(f"the only word, {draft.name(found.leads[0])}, {voice.does(found.leads)}{voice.about(frame)}", only)
        return
    clause, claims = _leads(draft, found, voice, frame, brief=length == "clause")
    if length == "paragraph":  # the shares of all parts and of the rest sum to the whole, so the phrase needs its own
        found = replace(found, dominant=False)
    for more in () if length == "clause" else (_amounts(draft, found, voice), _others(draft, found, voice, ranked=ranked)):
        clause += more[0]
        claims += more[1]
    draft.say(clause, *claims)


def _leads(draft: Draft, found: Standing, voice: Voice, frame: str, *, brief: bool) -> tuple[str, list[Claim]]:
    """The clause that says which parts are the most important. Unless it is brief, it says how large a region is."""
    one, many = draft.nouns(found.leads)
    names, about = [draft.name(part) for part in found.leads], voice.about(frame)
    claims = [*voice.signs(found.leads), *first_places(found, voice)]
    if found.form == "among":
        return f"{listed(names)} {'is' if len(names) == 1 else 'are'} among the most important {many}{about}", claims
    if found.form == "equal":
        return f"{listed(names)} are equally the most important {many}{about}", claims
    name, area = names[0], None if brief else draft.area(found.leads[0])
    if area:
        name, claims = f"{name}, {area[0]},", [*claims, area[1]]
    most = f"{name} {voice.does(found.leads)} most{about}"
    if found.peak or voice.direction != "supports":
        return most, claims
    forms = [most, f"{name} is the most important {one}{about}"]
    if not area:
        forms.append(f"the most important {one}{about} is {name}")
    return draft.pick(*forms), claims


def first_places(found: Standing, voice: Voice) -> list[Claim]:
    """The claims that the leads are the most important parts, alone or together."""
    leads, shared = found.leads, found.form != "top"
    return [
        Claim(
            "most_important",
            part,
            other=tuple(index for other in leads if other != part for index in other),
            direction=voice.direction,
            shared=shared,
        )
        for part in leads
    ]


def _amounts(draft: Draft, found: Standing, voice: Voice) -> tuple[str, list[Claim]]:
    """How much of the evidence the leads hold, and the strongest word of a phrase. If this word dominates, its amount."""
    inside = [] if found.peak is None else _strongest_of(found.leads[0], found.peak, voice)
    above_all = f", above all {draft.name(found.peak)}" if found.peak else ""
    amounts = [amount for amount in map(draft.amount, [found.most] if found.form == "top" else found.leads) if amount]
    claims = [*inside, *(claim for _, claim in amounts)]
    if not amounts or len({text for text, _ in amounts}) > 1 or (found.form != "top" and len(amounts) < len(found.leads)):
        return above_all, inside
    text, claim = amounts[0]
    little = claim.value is not None and claim.value < _LITTLE
    if found.dominant:
        only = "only " if little and not text.startswith("under") else ""
        return f"{above_all}, which holds {only}{text}", claims
    if len(found.leads) > 1:
        return f", each with {text}", claims
    with_ = "with" if not little else "but with" if text.startswith("under") else "but with only"
    return f", {with_} {text}{above_all}", claims


def _strongest_of(phrase: Part, peak: Part, voice: Voice) -> list[Claim]:
    """The claims of "above all": the word speaks in the direction, and outdoes each other word of the phrase."""
    others = [index for index in phrase if index not in peak]
    return [
        *voice.signs([peak]),
        *(Claim("more_important_than", peak, other=(index,), direction=voice.direction) for index in others),
    ]


def _others(draft: Draft, found: Standing, voice: Voice, *, ranked: bool) -> tuple[str, list[Claim]]:
    """The other parts that speak in the direction, with their shares in brackets."""
    followers = _followers(draft, found) if ranked and found.form == "top" else ()
    also = found.also[len(followers) :]
    names, shares = draft.with_shares((*followers, *also), found.most)
    claims = [*voice.signs((*followers, *also)), *shares]
    said = ""
    if followers:
        said = f", followed by {listed(names[: len(followers)])}"
        claims += [
            Claim("more_important_than", part, other=following, direction=voice.direction)
            for part, following in pairwise((found.leads[0], *followers))
        ]
    if also:
        said += f"; {listed(names[len(followers) :])} also {voice.does(also)}{voice.also(draft.frame.pronoun)}"
    return said, claims


def _followers(draft: Draft, found: Standing) -> tuple[Part, ...]:
    """The parts after the lead that can be ranked: each is more important than the next, and than the part after the last."""
    line = [found.leads[0], *found.also]
    count = 1
    while count < len(line) and outdoes(draft.evidence, found.direction, line[count - 1], line[count]):
        count += 1
    return tuple(line[1:count] if count == len(line) else line[1 : count - 1])


def say_comparison(draft: Draft, found: Standing) -> None:
    """Say that the lead is more important than the strongest part that it outdoes, if there is one."""
    if found.form != "top" or not found.also:
        return
    lead, direction = found.leads[0], found.direction
    behind = [part for part in found.also if outdoes(draft.evidence, direction, lead, part)]
    if behind:
        draft.say(
            f"{draft.name(lead)} is more important than {draft.name(behind[0])}",
            Claim("more_important_than", lead, other=behind[0], direction=draft.voice(direction).direction),
        )


def say_rest(draft: Draft, *named: Standing | None) -> None:
    """Say which share of all the evidence lies in the words that are not named.

    All shares of the text sum to 100 %. Where rounding is in the way, the share of the rest is given with "about".
    """
    said = {part for found in named if found for part in (*found.leads, *found.also)}
    inside = {index for part in said for index in part}
    rest = tuple(index for index in range(len(draft.evidence)) if index not in inside)
    share = draft.share(rest) if rest and not draft.evidence.pixels else None
    if share is None:
        return
    text, claim = share
    shares = [draft.share(part) for part in said]
    written = sum(other[1].value or 0.0 for other in shares if other)
    left = round(100 * (1.0 - written))
    if claim.value and text[0].isdigit() and left > 0 and abs(left / 100 - claim.value) > _ROUNDED:
        text, claim = f"about {left}%", replace(claim, value=left / 100, tolerance=_ABOUT)
    draft.say(f"the rest of the text holds {text} of {draft.all_of_it}", claim)


def say_balance(draft: Draft, against: Standing | None) -> None:
    """Say whether more of the evidence speaks for the label or against it."""
    evidence, pronoun = draft.evidence, draft.frame.pronoun
    if evidence.negative_mass == 0 and against is None:
        say_nothing(draft, "opposes", pronoun)
    elif not evidence.tied(evidence.positive_mass, evidence.negative_mass):
        sides: tuple[Direction, Direction] = ("supports", "opposes")
        more, less = sides if evidence.positive_mass > evidence.negative_mass else sides[::-1]
        said = f"{draft.voice(more).about(pronoun)} than{draft.voice(less).about('it')}"
        draft.say(f"more of the evidence speaks{said}", Claim("balance", direction=more))


def say_nothing(draft: Draft, direction: Direction, frame: str) -> None:
    """Say that there is no evidence in a direction."""
    draft.say(
        f"nothing in the {draft.whole} speaks{draft.voice(direction).about(frame)}",
        Claim("no_clear_evidence", direction=direction),
    )


def say_flat(draft: Draft) -> None:
    """Say that nothing stands out, and why."""
    scores, frame = draft.saliency.scores, draft.frame
    one = "pixel" if draft.evidence.pixels else "word"
    stands_out = f"no part of the {draft.whole} stands out"
    if draft.evidence.signed:
        stands_out += f" for {frame.full}"
    claim = Claim("no_clear_evidence")
    if not scores.size:
        draft.say(f"{stands_out}: the {draft.whole} is empty", claim)
    elif not scores.any() and getattr(draft.saliency, "scored", None) is None:
        draft.say(f"{stands_out}: every {one} scores zero", claim)
    elif not is_flat(scores) or getattr(draft.saliency, "scored", None) is not None:
        draft.say(stands_out, claim)
    else:
        draft.say(f"{stands_out}: every {one} scores the same", claim)
        if scores.max() < 0:
            say_nothing(draft, "supports", frame.pronoun)


def say_neither(draft: Draft) -> None:
    """Say that no region speaks for or against the label although there is evidence (pixel maps only)."""
    if isinstance(draft.saliency, PixelSaliency) and draft.saliency.masks is not None:
        draft.say(f"the given regions take no side on {draft.frame.full}")
    else:
        draft.say(f"the evidence for and against {draft.frame.full} cancels out in the picture")
