"""A measurement of two audits as a clause."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adversarial.audit.comparing.measuring import Measurement


def change_in_words(measured: Measurement) -> str:
    """A measurement as a clause without its full stop."""
    old, new = measured.before.value, measured.after.value
    before, after = _value(measured, old), _value(measured, new)
    where = f"on {images_in_words(measured.images)}"
    if old == new:
        verb = f"{measured.metric} stays {'at ' if new is not None else ''}{after} {where}"
    else:
        verb = f"{measured.metric} {'falls' if _fell(old, new) else 'rises'} from {before} to {after} {where}"
        verb += _by(measured)
    counts = f"{measured.rises:,} higher, {measured.falls:,} lower, p = {p_in_words(measured.p)}"
    if measured.metric == "compared":
        return verb
    if not measured.rises and not measured.falls:
        counts = "no image changed"
    elif measured.doubt:
        counts += ", without the chance in the search"
    elif not measured.significant:
        counts += ", inside the noise"
    return f"{verb} ({counts})" + (f"; {measured.note}" if measured.note else "")


def value_after_in_words(measured: Measurement) -> str:
    """What the second audit alone shows, as a clause without its full stop."""
    value = measured.after.value
    return f"{measured.metric} is {_value(measured, value)} in the second audit, on {images_in_words(measured.images)}"


def _by(measured: Measurement) -> str:
    found = measured.difference
    if found.value is None or measured.unit == "count":
        return ""
    scale, unit = (100.0, " points") if measured.unit == "share" else (1.0, "")
    interval = ""
    if found.low is not None and found.high is not None:
        interval = f" ({_signed(scale * found.low)} to {_signed(scale * found.high)})"
    return f", a difference of {_signed(scale * found.value)}{unit}{interval}"


def _value(measured: Measurement, value: float | None) -> str:
    if value is None:
        return "beyond what was found"
    if measured.unit == "share":
        return f"{value:.1%}{_ends(measured, value)}"
    return f"{value:,.0f}" if measured.unit == "count" else f"{value:.4g}{_ends(measured, value)}"


def _ends(measured: Measurement, value: float) -> str:
    interval = measured.after if value == measured.after.value else measured.before
    if interval.low is None or interval.high is None:
        return ""
    if measured.unit == "share":
        return f" ({interval.low:.1%} to {interval.high:.1%})"
    return f" ({interval.low:.4g} to {interval.high:.4g})"


def _fell(old: float | None, new: float | None) -> bool:
    return old is None or (new is not None and new < old)


def _signed(value: float) -> str:
    return f"{value:+.3g}" if round(value, 9) else "0"


def p_in_words(value: float) -> str:
    """A p with two digits."""
    return f"{value:.2g}" if value >= 0.0001 else "0.0001 or less"


def images_in_words(number: int) -> str:
    """A number of images with its noun."""
    return f"{number:,} image{'' if number == 1 else 's'}"
