"""Sentences with figures about the whole of an audit. `recounting.py` reads them back and checks the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarial.audit.summary.survival import value_at
from adversarial.distances.distance import DISTANCES
from verbalize.parts import located

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from adversarial.audit.records import Status
    from adversarial.audit.summary.nouns import Brittle, ClassRow, Flip, ProofCounts, WeatherRow
    from adversarial.audit.summary.survival import Share, Step

ENOUGH = 5
"""Attacked images from which on a class is compared with others: of fewer, a share says next to nothing."""


def of_images(counts: Mapping[Status, int], *, goal: bool = False) -> Iterator[tuple[str, str]]:
    """How many images became what; with a goal, those that show it before anything was changed count as wrong ones do."""
    as_goal = " (or as the goal)" if goal else ""
    attacked = counts["found"] + counts["held"]
    text = (
        f"Of {counted(sum(counts.values()), 'image')}, {were(attacked)} attacked, {were(counts['wrong'])} classified "
        f"wrongly{as_goal} before anything was changed, {counts['failed']:,} could not be attacked, and {counts['waiting']:,} "
        f"{'is' if counts['waiting'] == 1 else 'are'} waiting."
    )
    yield "images", text
    if attacked:
        proof = ", which does not prove that they always hold" if counts["held"] else ""
        text = (
            f"Of {counted(attacked, 'attacked image')}, {were(counts['found'])} turned by a change that the search found, and "
            f"{counts['held']:,} held within the budget{proof}."
        )
        yield "images", text


def of_distances(steps: Sequence[Step], norm: str, median: float | None, attacked: int) -> Iterator[tuple[str, str]]:
    """The median distance, and how many images hold at a few distances."""
    if not attacked:
        return
    distance = DISTANCES.get(norm)
    in_words = distance.in_words
    if median is None:
        yield "distance", "Fewer than half of the attacked images were turned, so that there is no median distance."
    else:
        yield (
            "distance",
            (f"The median distance of the attacked images is {in_words(median)}; images that held count as farther."),
        )
    reached = sorted({step.at if distance.counts_pixels else float(f"{step.at:.4g}") for step in steps if step.at > 0})
    # rounded as sentences write it, so that the figures are those of the very number that the reader sees
    for at in dict.fromkeys(reached[round(share * (len(reached) - 1))] for share in (0.25, 0.5, 1.0) if reached):
        step = value_at(steps, at)
        if step is not None and step.low is not None and step.high is not None:
            total = steps[0].at_risk
            text = (
                f"At {in_words(at)}, {round(step.value * total):,} of {counted(total, 'image')} ({percent(step.value)}) "
                "have their right class and no known adversarial example "
                f"(95% interval {percent(step.low)} to {percent(step.high)})."
            )
            yield "distance", text


def of_queries(steps: Sequence[Step]) -> Iterator[tuple[str, str]]:
    """How many images had not been turned after a few numbers of queries, the censored searches taken into account."""
    flips = [step.at for step in steps if step.flips]
    if not flips:
        return
    for at in dict.fromkeys((flips[len(flips) // 2], flips[-1])):
        step = value_at(steps, at)
        if step is not None and step.low is not None and step.high is not None:
            text = (
                f"After {counted(int(at), 'query')}, an estimated {percent(step.value)} of the attacked images had not been "
                f"turned (95% interval {percent(step.low)} to {percent(step.high)}; searches that found nothing are censored)."
            )
            yield "queries", text


def of_proofs(proofs: ProofCounts | None, missing: int = 0, stopped: int = 0) -> Iterator[tuple[str, str]]:
    """How many images need a known number of pixels, and how many are proved to hold against so many.

    Args:
        proofs: what was proved.
        missing: attacked images without a proof, where proofs were asked for.
        stopped: proofs that were interrupted.
    """
    if missing:
        yield "proofs", f"{counted(missing, 'attacked image')} {'has' if missing == 1 else 'have'} no proof."
    if stopped:
        was = "proof was" if stopped == 1 else "proofs were"
        yield "proofs", f"{stopped:,} {was} interrupted, so that more may be proved."
    if proofs is None:
        return
    fewest = "the fewest pixels that flip it are" if proofs.images == 1 else "the fewest pixels that flip them are"
    yield "proofs", f"For {proofs.exact:,} of {counted(proofs.images, 'image')} with a proof, {fewest} known exactly."
    if proofs.condition is None:
        return
    for pixels, images in proofs.against:
        what = "single pixel, whatever its value" if pixels == 1 else f"{pixels:,} pixels, whatever their values"
        hold = "holds" if proofs.images == 1 else "hold"
        yield (
            "proofs",
            f"{images:,} of {counted(proofs.images, 'image')} with a proof {hold} against any {what} ({proofs.condition}).",
        )


def of_classes(classes: Sequence[ClassRow], flips: Sequence[Flip]) -> Iterator[tuple[str, str]]:
    """The class that was turned most often, and the most frequent flip."""
    large = [row for row in classes if row.turned.of >= ENOUGH and row.turned.count]
    if large and len(classes) > 1:
        worst = max(large, key=lambda row: (row.turned.value or 0, row.turned.of))
        alike = sum(row.turned.count * worst.turned.of == worst.turned.count * row.turned.of for row in large)
        share = f"{worst.turned.count:,} of {worst.turned.of:,}" if alike == 1 else percent(worst.turned.value or 0)
        yield (
            "classes",
            f"Of the classes with {ENOUGH} or more attacked images, {worst.name} was turned most often, with {share}."
            if alike == 1
            else f"{alike:,} classes with {ENOUGH} or more attacked images were turned most often, with {share} of each.",
        )
    if flips:
        first, total = flips[0], sum(one.count for one in flips)
        alike = sum(one.count == first.count for one in flips)
        yield (
            "flips",
            f"The most frequent flip is from {first.label} to {first.now}, with {first.count:,} of {total:,}."
            if alike == 1
            else f"{alike:,} flips are the most frequent, with {first.count:,} of {total:,} each.",
        )


def of_places(places: Sequence[tuple[str, int]]) -> Iterator[tuple[str, str]]:
    """Where the changed pixels lie most often."""
    if places:
        place, count = places[0]
        total = sum(number for _, number in places)
        more = "more" if len(places) > 1 and places[1][1] == count else "as"
        others = f"; no other place is {more} frequent" if count < total else ""
        yield (
            "places",
            (f"In {count:,} of {counted(total, 'adversarial example')}, the changed pixels lie {located(place)}{others}."),
        )


def of_weather(rows: Sequence[WeatherRow], brittle: Brittle | None) -> Iterator[tuple[str, str]]:
    """How many images some weather turned, the hardest weather, and how that goes with the search."""
    if brittle is None or not rows:
        return
    images = brittle.search + brittle.both + brittle.weather + brittle.neither
    yield (
        "weather",
        (f"Some weather changed the decision on {brittle.both + brittle.weather:,} of {counted(images, 'attacked image')}."),
    )
    worst = max(rows, key=lambda row: row.flipped.value or 0)
    if worst.flipped.count:
        text = (
            f"No weather changed more decisions than {worst.kind} at severity {worst.severity}, with "
            f"{worst.flipped.count:,} of {worst.flipped.of:,} ({percent(worst.flipped.value or 0)})."
        )
        yield "weather", text
    text = (
        f"The search but no weather turned {counted(brittle.search, 'image')}, some weather but not the search "
        f"{brittle.weather:,}, both turned {brittle.both:,}, and neither turned {brittle.neither:,}."
    )
    yield "weather", text


def of_saving(survives: Mapping[str, Share]) -> Iterator[tuple[str, str]]:
    """How many adversarial examples stay adversarial as 8-bit pictures."""
    for kind, share in survives.items():
        if share.of:
            text = (
                f"Of {counted(share.of, 'adversarial example')} that {'was' if share.of == 1 else 'were'} saved as "
                f"{kind.upper()}, {share.count:,} stayed adversarial ({percent(share.value or 0)})."
            )
            yield "saving", text


def counted(number: int, noun: str) -> str:
    """A number of things: `1 image`, `5,000 images`, `2 queries`."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else many}"


def were(number: int) -> str:
    """A number with its verb: `1 was`, `5,000 were`."""
    return f"{number:,} {'was' if number == 1 else 'were'}"


def percent(share: float) -> str:
    """A share in per cent with one decimal; what is not all or nothing is never written as 100% or 0%."""
    text = f"{100 * share:.1f}%"
    if text == "100.0%":
        return "100%" if share == 1 else "over 99.9%"
    if text == "0.0%":
        return "0%" if share == 0 else "under 0.1%"
    return text
