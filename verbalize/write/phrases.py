"""The sentences of the styles "plain" and "ranked", each with its claims. The module `template` lists their shapes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from verbalize.claims.claim import Claim
from verbalize.saliency import PixelSaliency
from verbalize.write.draft import toward
from verbalize.write.naming import listed, percent
from verbalize.write.standing import Standing, outdoes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verbalize.claims.claim import Direction
    from verbalize.saliency import Part
    from verbalize.write.draft import Draft

_WHOLE_PICTURE = "whole picture"


def say_leads(draft: Draft, found: Standing, frame: str, *, brief: bool) -> None:
    """Say which parts are the most important."""
    leads, direction, side = found.leads, found.direction, toward(found.direction)
    if len(draft.evidence) == 1 and (not draft.evidence.pixels or draft.evidence.names[0] == _WHOLE_PICTURE):
        name = "the whole picture" if draft.evidence.pixels else f"the only word, {draft.name(leads[0])},"
        draft.say(f"{name} speaks {side} {frame}", Claim(direction, leads[0]))
        return
    one, many = draft.nouns(leads)
    names = [draft.name(part) for part in leads]
    claims = [Claim(direction, part) for part in leads]
    claims += first_places(found)
    shares = [draft.share(part, direction) for part in leads]
    tail = ""
    if not brief and shares[0] and len({share[0] for share in shares if share}) == 1 and None not in shares:
        tail = f", {'each ' if len(leads) > 1 else ''}with {shares[0][0]} of the evidence {side} it"
        claims += [share[1] for share in shares if share]
    if found.form == "among":
        verb = f"{'is' if len(leads) == 1 else 'are'} among the most important {many}"
        draft.say(f"{listed(names)} {verb} {side} {frame}{tail}", *claims)
    elif found.form == "equal":
        draft.say(f"{listed(names)} are equally the most important {many} {side} {frame}{tail}", *claims)
    else:
        name = names[0]
        clause = f"{name} speaks most {side} {frame}{tail}"
        if direction == "supports":
            clause = draft.pick(
                clause,
                f"{name} is the most important {one} {side} {frame}{tail}",
                f"the most important {one} {side} {frame} is {name}{tail}",
            )
        draft.say(clause, *claims)


def first_places(found: Standing) -> list[Claim]:
    """The claims that the leads are the most important parts, alone or together."""
    leads, shared = found.leads, found.form != "top"
    return [
        Claim(
            "most_important",
            part,
            other=tuple(index for other in leads if other != part for index in other),
            direction=found.direction,
            shared=shared,
        )
        for part in leads
    ]


def say_also(draft: Draft, parts: Sequence[Part], leads: Sequence[Part], direction: Direction) -> None:
    """Say which other parts speak in the direction, with their shares.

    A part that contains a word named before is said to speak "taken as a phrase".
    """
    named = [draft.with_share(part, direction) for part in parts]
    names, verb = listed([name for name, _ in named]), "speaks" if len(parts) == 1 else "speak"
    claims = [Claim(direction, part) for part in parts] + [claim for _, shares in named for claim in shares]
    again = {index for part in leads for index in part} & {index for part in parts for index in part}
    said = f"taken as phrases, {names} {verb}" if again else f"{names} also {verb}"
    draft.say(f"{said} {toward(direction)} {draft.frame.pronoun}", *claims)


def say_ranks(draft: Draft, found: Standing, frame: str) -> tuple[Part, ...]:
    """Say the lead and the parts after it, each more important than the next. Returns the parts that can't be ranked."""
    direction, lead = found.direction, found.leads[0]
    ranked = [lead]
    for part in found.also:
        if not outdoes(draft.evidence, direction, ranked[-1], part):
            break
        ranked.append(part)
    if len(found.also) >= len(ranked) > 1 and not outdoes(draft.evidence, direction, ranked[-1], found.also[len(ranked) - 1]):
        ranked.pop()  # it is tied with the part after it
    if len(ranked) == 1:
        say_leads(draft, found, frame, brief=False)
        return found.also
    named = [draft.with_share(part, direction) for part in ranked]
    claims = [Claim(direction, lead), *first_places(found)]
    claims += [Claim(direction, part) for part in ranked[1:]]
    claims += [Claim("more_important_than", part, other=following, direction=direction) for part, following in pairwise(ranked)]
    claims += [claim for _, shares in named for claim in shares]
    followers = listed([name for name, _ in named[1:]])
    noun = draft.nouns([lead])[0]
    draft.say(
        f"{named[0][0]} is the most important {noun} {toward(direction)} {frame}, followed by {followers}",
        *claims,
    )
    return found.also[len(ranked) - 1 :]


def say_comparison(draft: Draft, found: Standing) -> None:
    """Say that the lead is more important than the strongest part that it outdoes, if there is one."""
    if found.form != "top" or not found.also:
        return
    lead = found.leads[0]
    behind = [part for part in found.also if outdoes(draft.evidence, found.direction, lead, part)]
    if behind:
        draft.say(
            f"{draft.name(lead)} is more important than {draft.name(behind[0])}",
            Claim("more_important_than", lead, other=behind[0], direction=found.direction),
        )


def say_rest(draft: Draft, found: Standing) -> None:
    """Say which share of the evidence lies in the words that are not named."""
    named = {index for part in found.parts for index in part}
    rest = tuple(index for index in range(len(draft.evidence)) if index not in named)
    share = draft.share(rest, found.direction) if rest and not draft.evidence.pixels else None
    if share:
        side = toward(found.direction)
        draft.say(f"the rest of the text holds {share[0]} of the evidence {side} {draft.frame.pronoun}", share[1])


def say_balance(draft: Draft, against: Standing | None) -> None:
    """Say how much of the evidence speaks for the label and how much against it."""
    evidence = draft.evidence
    if evidence.negative_mass == 0 and against is None:
        say_nothing(draft, "opposes", draft.frame.pronoun)
        return
    speaking = tuple(np.flatnonzero(evidence.positive > 0).tolist())
    total = evidence.total("absolute")
    written = percent(evidence.positive_mass / total) if not evidence.pixels and total < np.inf else None
    if written:
        text, value, tolerance = written
        claim = Claim("share", speaking, value=value, tolerance=tolerance, of="absolute")
        draft.say(f"of all the evidence in the text, for and against, {text} speaks for {draft.frame.pronoun}", claim)


def say_nothing(draft: Draft, direction: Direction, frame: str) -> None:
    """Say that there is no evidence in a direction."""
    draft.say(
        f"nothing in the {draft.whole} speaks {toward(direction)} {frame}",
        Claim("no_clear_evidence", direction=direction),
    )


def say_flat(draft: Draft) -> None:
    """Say that nothing stands out, and why."""
    scores, frame = draft.saliency.scores, draft.frame
    one = "pixel" if draft.evidence.pixels else "word"
    stands_out = f"no part of the {draft.whole} stands out for {frame.full}"
    claim = Claim("no_clear_evidence")
    if not scores.size:
        draft.say(f"{stands_out}: the {draft.whole} is empty", claim)
    elif not scores.any():
        draft.say(f"{stands_out}: every {one} scores zero", claim)
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
