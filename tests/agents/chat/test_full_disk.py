"""On a full disk, no further reply is paid for and lost."""

from __future__ import annotations

import threading

import pytest

from agents import chat_model
from agents.chat.structured import ask_many
from agents.prompting import DifferentialDescriber, every_pair
from agents.prompting.descriptions.describe import PairReply
from saywhy_core.disk.files import UnusableFileError
from verbalize import Narrator, Query, TokenSaliency


@pytest.mark.parametrize("style", ["describe", "composed", pytest.param("smv-gpt", marks=pytest.mark.long)])
@pytest.mark.long
def test_on_a_full_disk_no_more_is_paid_for_than_was_on_its_way(chat_server, misbehaving, tmp_path, style):
    server = chat_server(default=misbehaving.Reply("x" * 20_000, delay=0.02))
    model = chat_model(f"{server.url}#m", cache=tmp_path / "r.sqlite", concurrency=3)
    database = model.cache.replies._open()
    database.execute("PRAGMA max_page_count = 20")  # of 4 kB: room for three replies
    names = [f"class {number}" for number in range(10)]
    maps = [TokenSaliency(["good", f"word{n}"], [1.0, 0.5], Query("positive"), id=str(n)) for n in range(40)]
    with pytest.raises(UnusableFileError, match="make room"):
        if style == "describe":
            DifferentialDescriber(model, names, reasks=0).describe(every_pair(10))
        else:
            Narrator(model, style=style, repairs=0).narrate_all(maps)
    kept = len(model.cache.replies)
    assert kept >= 1
    assert len(server.requests) <= kept + 3
    sent = len(server.requests)
    with pytest.raises(UnusableFileError, match="make room"):
        model.invoke("another one")
    assert len(server.requests) == sent
    database.execute("PRAGMA max_page_count = 100000")  # room is made: what was paid for is kept after all
    model.invoke("another one")
    assert len(model.cache.replies) == len(server.requests) == sent + 1


def test_a_full_journal_ends_the_requests_at_once(chat_server, misbehaving, tmp_path):
    server = chat_server(default=misbehaving.Reply("x", delay=0.05))
    model = chat_model(f"{server.url}#m", concurrency=2)

    def full(*_):
        raise UnusableFileError("the disk is full")

    with pytest.raises(UnusableFileError):
        ask_many(model, [f"ask {number}" for number in range(40)], PairReply, reasks=0, on_result=full)
    assert len(server.requests) <= 4
    assert not [one for one in threading.enumerate() if "ThreadPoolExecutor" in one.name]  # and none is on its way
