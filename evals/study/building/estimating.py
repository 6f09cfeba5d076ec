"""How long a participant needs, roughly."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.study.design.file import StudyFile
    from evals.study.items import Item

_WORDS_PER_SECOND = 238 / 60
"""Silent reading of English prose by adults (Brysbaert 2019, a meta-analysis of 190 studies)."""
_PER_QUESTION = 6.0  # seconds to decide and to click; the median of answers to such questions in crowd studies is 4 to 9
_PER_PICTURE = 4.0  # seconds to look at a picture
_PER_PAGE = 10.0  # seconds for demographics, checks and the way between pages


def minutes_of(file: StudyFile, items: Sequence[Item], trials: float) -> float:
    """The minutes that a participant needs: reading at 238 words per minute, and 6 seconds per question.

    Args:
        file: the study.
        items: the items.
        trials: trials per participant.
    """
    pages = [_seconds(item, stimulus.text) for item in items for stimulus in item.stimuli.values()]
    per_trial = (fmean(pages) if pages else 0.0) + _PER_QUESTION * len(file.tasks)
    said = " ".join([*file.instructions, file.consent.text if file.consent else "", file.debriefing])
    questions = len(file.demographics) + len(file.attention)
    questions += len(file.comprehension.questions) if file.comprehension else 0
    around = len(said.split()) / _WORDS_PER_SECOND + _PER_PAGE * 3 + _PER_QUESTION * questions
    return (per_trial * (trials + file.practice.items) + around) / 60


def _seconds(item: Item, text: str) -> float:
    if item.form == "image":
        return _PER_PICTURE * 2
    words = item.input.text.split() if not text else [word for word in text.split() if not word.startswith("[")]
    return len(words) / _WORDS_PER_SECOND
