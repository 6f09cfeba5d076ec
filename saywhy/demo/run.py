"""Run the demo and write its page."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from saywhy_core.disk.destinations import enclosed
from saywhy_core.disk.files import UnusableFileError, atomic_open, check_room
from saywhy_core.disk.locks import folder_lock
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Advance = Callable[[str, int, int], None]
    _Card = TypeVar("_Card")

MAX_WORDS = 4  # the most words per explanation: the texts are short, and more would quote most of them

PAGE_BYTES = 2_000_000  # room for the page with its pictures, which takes a fifth of it, and for its temporary file


def run(out: Path, *, seed: int = 0, budget: int = 1_000, advance: Advance | None = None) -> Path:
    """Explain, attack, check, and write `out`/index.html.

    Args:
        out: the folder. It is created if it does not exist.
        seed: the seed of the attacks.
        budget: the most queries of each attack.
        advance: called with the name of a stage, the number of its cards that are done, and the number of all its cards.

    Raises:
        UsageError: the folder can't be written, or another process writes to it, or the sentence encoder isn't installed.
            Where only the finished page can't be written, it is kept in a temporary folder, which the error names.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"can't create the folder {out}: {error.strerror}; choose another with --out") from None
    page = out / "index.html"
    with folder_lock(out), enclosed(out):
        check_room(page, PAGE_BYTES)  # before the work
        return _made(page, seed, budget, advance)


def _made(page: Path, seed: int, budget: int, advance: Advance | None) -> Path:
    start = time.perf_counter()
    # nothing is downloaded: the library reads this variable when it is imported
    os.environ["HF_HUB_OFFLINE"] = "1"
    from transformers.utils import logging

    from saywhy.demo.attacks import TARGETS, attack_cards
    from saywhy.demo.checks import checked_sayings
    from saywhy.demo.page import Findings, render
    from saywhy.demo.pictures import SIGNS, sign_cards
    from saywhy.demo.sentences import SENTENCES, sentence_cards
    from verbalize import TemplateVerbalizer

    logging.disable_progress_bar()

    def collect(stage: str, cards: Iterator[_Card], total: int) -> tuple[_Card, ...]:
        done: list[_Card] = []
        if advance:
            advance(stage, 0, total)
        for card in cards:
            done.append(card)
            if advance:
                advance(stage, len(done), total)
        return tuple(done)

    verbalizer = TemplateVerbalizer(max_words=MAX_WORDS)
    with _one_thread():
        sentences = collect("explaining texts", sentence_cards(verbalizer), len(SENTENCES))
        signs = collect("explaining road signs", sign_cards(verbalizer), len(SIGNS))
        attacks = collect("attacking road signs", attack_cards(verbalizer, budget=budget, seed=seed), len(TARGETS))
    findings = Findings(sentences, signs, attacks, checked_sayings(sentences), budget, seed, time.perf_counter() - start)
    text = render(findings)
    try:
        _write(page, text)
    except UnusableFileError as error:
        kept = Path(tempfile.mkdtemp(prefix="saywhy-demo-"), page.name)
        _write(kept, text)
        raise UnusableFileError(f"{error}; the page is kept as {kept}") from error
    return page


def _write(page: Path, text: str) -> None:
    with atomic_open(page) as stream:
        stream.write(text)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Run torch on one thread. For models this small, several threads wait for each other longer than they compute."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
