"""A mailbox loses nothing, keeps the order, gathers what may wait, and tells errors instead of raising them in the thread."""

from __future__ import annotations

import threading
import time

import pytest

from adversarial.audit.workers import mailbox
from adversarial.audit.workers.mailbox import Broken, Mailbox, Unusable
from saywhy_core.errors import UsageError

LONG = 30.0  # seconds that no wait here takes unless something is wrong


def until(box, last, **given):
    """All messages up to that one."""
    messages, end = box.exchange(**given), time.monotonic() + LONG
    while last not in messages:
        assert time.monotonic() < end, messages
        messages += box.exchange()
    return messages


def test_tasks_and_messages_keep_their_order_and_none_is_lost():
    box = Mailbox(gathered=(int,), last="end")

    def work():
        while (task := box.next()) is not None:
            for number in range(task, task + 500):
                box.tell(number)

    box.start(work, "numbers")
    messages = [message for task in range(0, 5000, 500) for message in box.exchange(task)]
    messages += until(box, "end", stop=True)
    assert messages == [*range(5000), "end"]  # tasks that wait are done after the word to stop as well


def test_messages_are_gathered_until_one_comes_that_is_urgent(monkeypatch):
    monkeypatch.setattr(mailbox, "PAUSE", LONG)
    box, begun = Mailbox(gathered=(int,)), time.monotonic()

    def work():
        for message in (1, 2, 3, "urgent"):
            box.tell(message)

    box.start(work, "gathering")
    assert box.exchange()[:4] == [1, 2, 3, "urgent"]
    assert time.monotonic() - begun < LONG


def test_what_is_gathered_is_not_held_back_for_longer_than_the_pause(monkeypatch):
    monkeypatch.setattr(mailbox, "PAUSE", 0.01)
    monkeypatch.setattr(mailbox, "QUIET", LONG)
    box = Mailbox(gathered=(int,))
    box.start(lambda: box.tell(1), "gathering")
    assert box.exchange() == [1]


def test_a_worker_with_nothing_to_tell_shows_that_it_is_alive(monkeypatch):
    monkeypatch.setattr(mailbox, "QUIET", 0.01)
    box = Mailbox()
    box.start(box.next, "idle")
    assert box.exchange() == []
    box.exchange(stop=True)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (UsageError("there is no such file"), Unusable, "there is no such file"),
        (ValueError("oddly shaped"), Broken, "ValueError: oddly shaped"),
        (SystemExit(3), Broken, "SystemExit: 3"),
    ],
)
def test_an_error_in_the_thread_is_told_before_the_last_message(error, kind, said):
    box = Mailbox(last="end")

    def work():
        raise error

    box.start(work, "failing")
    first, last = until(box, "end")
    assert isinstance(first, kind)
    text = first.why if kind is Unusable else first.said
    assert text.strip().endswith(said)
    assert (kind is Unusable) == (text == said)  # one sentence, or a traceback
    assert last == "end"


def test_a_wait_ends_by_what_it_waits_for_or_by_the_word_to_stop():
    box, granted = Mailbox(last="end"), []

    def work():
        with box.changed:
            box.tell("wants")
            box.wait(lambda: bool(granted))
            box.tell(f"has {len(granted)}")
            box.tell("wants")
            box.wait(lambda: len(granted) > 1)
            with pytest.raises(KeyboardInterrupt):
                box.check()

    box.start(work, "waiting")
    assert until(box, "wants") == ["wants"]
    with box.changed:
        granted.append(1)
    messages = until(box, "has 1")
    messages += [] if "wants" in messages else until(box, "wants")
    assert messages == ["has 1", "wants"]
    assert until(box, "end", stop=True) == ["end"]


def test_several_holders_may_call_at_once():
    """What one of them takes the others don't get, and together they get all."""
    box, taken = Mailbox(last="end"), [[] for _ in range(4)]

    def work():
        for number in range(2000):
            box.tell(number)

    def hold(mine):
        while not any("end" in other for other in taken):
            mine.extend(box.exchange())

    holders = [threading.Thread(target=hold, args=(mine,)) for mine in taken]
    for holder in holders:
        holder.start()
    box.start(work, "telling")
    for holder in holders:
        holder.join(LONG)
    assert sorted(number for mine in taken for number in mine if number != "end") == list(range(2000))
    assert all(mine == sorted(mine, key=lambda said: (said == "end", said if said != "end" else 0)) for mine in taken)
