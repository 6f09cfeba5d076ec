"""Both bounds on the pixels that flip a decision, in words."""

from __future__ import annotations

import math

from adversarial.bounds.numbers import counted

NOTHING_FLIPS = "No change of pixel values flips"  # how the sentence begins where all pixels together were proved
MOST_LISTED = 2  # numbers between both bounds that are named one by one; of more, the first and the last are named


def pixels_in_words(lower: int, upper: float, image_pixels: int | None = None) -> str:
    """How many pixels flip the decision, in a few words: "exactly 3", "2 to 5", "at least 3", or "0" of a wrong decision.

    Where rounding alone may decide the unchanged image (`lower` is 0 and `upper` is not), "at most 5" or "not known". Where not
    even all pixels together flip it, "none can".

    Args:
        lower: no fewer pixels flip it.
        upper: so many do; infinite where no example is known.
        image_pixels: how many pixels the image has; None where that is not known.
    """
    if image_pixels is not None and lower > image_pixels:
        return "none can"
    if lower == 0 and upper > 0:
        return "not known" if upper == math.inf else f"at most {int(upper):,}"
    if upper == math.inf:
        return f"at least {lower:,}"
    if lower == upper:
        return f"exactly {lower:,}" if lower else "0"
    return f"{lower:,} to {int(upper):,}"


def condition_of(network: str) -> str:
    """Under what a lower bound holds that was proved about a network, such as "this ONNX file"."""
    return f"for {network}, pixel values in [0, 1], rounding accounted for"


def pixel_bound_in_words(
    *,
    lower: int,
    upper: float,
    label: str,
    now: str | None,
    condition: str,
    still_open: float | None = None,
    image_pixels: int | None = None,
) -> str:
    """Both bounds in a sentence or more; each that states a proof states the condition under which it holds.

    Args:
        lower: no fewer pixels flip the decision; 0 where that is not sure of the unchanged image.
        upper: so many flip it; infinite where no example is known.
        label: the class of the image as sentences name it: "'stop'" or "class 3".
        now: the class of the example in the same form; None where there is none.
        condition: under what the lower bound holds.
        still_open: of the sets of `lower` pixels, the share that was neither proved nor refuted when the proof stopped; None
            where nothing was left to do; 1 where the time ran out before one of them was proved. Where their values were cut
            into ranges, these count by their size.
        image_pixels: how many pixels the image has; None where that is not known.
    """
    if image_pixels is not None and lower > image_pixels:
        return f"{NOTHING_FLIPS} {label} ({condition})."
    if lower == 0:
        return _unproved_original(upper, label, now, condition)
    said = _both(lower, upper, label, now, condition)
    if still_open is not None and still_open > 0:
        sets = "single pixels" if lower == 1 else f"sets of {counted(lower, 'pixel')}"
        share = "All" if still_open == 1 else f"{_percent(still_open)} of the possible values of"
        said += f" {share} {sets} were still open when the proof stopped."
    return said


def _unproved_original(upper: float, label: str, now: str | None, condition: str) -> str:
    if upper == 0:
        seen = f"classified as {now}, not as {label}" if now is not None else f"not classified as {label}"
        return f"The image is {seen}, even without any change; there was nothing to prove."
    known = f" {_flip(int(upper), label, now)}." if upper < math.inf else ""
    return f"That the unchanged image is classified as {label} is not proved: rounding may decide it ({condition}).{known}"


def _both(lower: int, upper: float, label: str, now: str | None, condition: str) -> str:
    least = lower - 1
    if upper == math.inf:
        if not least:
            return f"How many pixels flip {label} is not known: no lower bound was proved, and no example is known."
        none = "No single pixel flips" if least == 1 else f"No {least:,} pixels flip"
        return f"{none} {label}, whatever {_values(least)} ({condition}). Whether more can is not known."
    many = int(upper)
    if lower == many:
        need = f"Exactly {counted(many, 'pixel')} {'is' if many == 1 else 'are'} needed to flip {label}, here to {now}"
        return f"{need}{f': {_none_can(least)}' if least else ''} ({condition})."
    if not least:
        return f"{_flip(many, label, now)}. Whether fewer can is not known: no lower bound was proved."
    return f"{_flip(many, label, now)}; {_none_can(least)} ({condition}). Whether {_between(lower, many - 1)} can is not known."


def _flip(many: int, label: str, now: str | None) -> str:
    return f"{counted(many, 'pixel')} {'flips' if many == 1 else 'flip'} {label} to {now}"


def _none_can(least: int) -> str:
    return f"no {'single pixel' if least == 1 else f'{least:,}'} can, whatever {_values(least)}"


def _values(least: int) -> str:
    return "its value" if least == 1 else "their values"


def _between(first: int, last: int) -> str:
    numbers = range(first, last + 1)
    if len(numbers) <= MOST_LISTED:
        return " or ".join(f"{number:,}" for number in numbers)
    return f"{first:,} to {last:,}"


def _percent(share: float) -> str:
    text = f"{100 * share:.1f}%"
    return "Over 99.9%" if text == "100.0%" else "Under 0.1%" if text == "0.0%" else text
