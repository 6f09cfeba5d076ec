"""Counts and numbers in words."""

from __future__ import annotations

import math


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the plural where that is right."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def number(value: float) -> str:
    """A number with four digits."""
    return f"{value:.4g}"


def rounded_down(value: float) -> str:
    """Four digits, rounded down: a free radius, or a sufficient constant, must not be rounded up."""
    if value == math.inf or value == 0:
        return "any number" if value else "0"
    digits = 3 - math.floor(math.log10(value))
    return f"{math.floor(value * 10**digits) / 10**digits:.4g}"
