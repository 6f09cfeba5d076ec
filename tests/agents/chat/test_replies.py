"""The reply cache: kept across runs and processes, replayed offline, keyed by what decides a reply."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.load import dumps
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, Generation

from agents import BudgetExceeded, OfflineMiss, Replies, UsageError, chat_model, usage_of
from agents.chat.limits import Meter
from agents.chat.replies import ReplyWarning, key_of
from agents.chat.servers.failures import ChatError
from agents.prompting import DifferentialDescriber
from saywhy_core.disk.files import UnusableFileError
from saywhy_core.secrets import forget_secrets, keep_secret
from verbalize import Narrator, Query, TokenSaliency
from verbalize.narrate import narrate_to_file


def test_options_that_do_nothing_are_refused():
    for given, says in (
        ({"cache_as": "a"}, "give cache="),
        ({"temperature": -1}, "temperature must be a number from 0 up"),
    ):
        with pytest.raises(UsageError, match=says):
            chat_model("http://127.0.0.1:9/v1#m", **given)


def test_the_ceiling_says_no_tokens_that_are_not_known_yet():
    meter = Meter(max_requests=1)
    with meter.reserve(50, 25):
        meter.attempt()
        with pytest.raises(BudgetExceeded, match=r"ceiling of 1 request is reached; raise max_requests"):
            meter.attempt()
    meter = Meter(max_tokens_total=100)
    with meter.reserve(50, 25), pytest.raises(BudgetExceeded, match="0 tokens are used and 75 set aside"):
        meter.reserve(50, 25, wait=False).__enter__()


def test_second_run_asks_nothing(chat_server, tmp_path):
    server = chat_server(behave=lambda r: r.prompt.upper())
    cache = tmp_path / "deep" / "replies.sqlite"
    prompts = [f"p{i}" for i in range(20)]
    first = chat_model(f"{server.url}#m", cache=cache)
    said = [r.content for r in first.batch(prompts)]
    again = chat_model(f"{server.url}#m", cache=cache)
    assert [r.content for r in again.batch(prompts)] == said == [p.upper() for p in prompts]
    assert len(server.requests) == 20
    assert (usage_of(again).requests, usage_of(again).cache_hits, usage_of(again).tokens) == (0, 20, 0)
    assert len(Replies(cache)) == 20


def test_what_decides_a_reply_decides_the_key(chat_server, tmp_path):
    server = chat_server(behave=lambda r: str(r.number))
    cache = tmp_path / "c.sqlite"

    def say(name="m", prompt="hi", **options):
        return chat_model(f"{server.url}#{name}", cache=cache, **options).invoke(prompt).content

    assert say() == "0"
    # what only decides whether a reply comes changes nothing
    assert say(timeout=3, api_key="another-key", max_requests=5, max_retries=1, concurrency=1) == "0"
    distinct = [
        say("n"),
        say(prompt="ho"),
        say(temperature=0.7),
        say(max_tokens=5),
        say(seed=1),
        say(stop=["x"]),
        say(extra_body={"top_k": 1}),
        say(cache_as="elsewhere"),
    ]
    assert distinct == [str(i) for i in range(1, 9)]


def test_another_port_is_the_same_model(chat_server, tmp_path):
    cache = tmp_path / "c.sqlite"
    one, two = chat_server(default="one"), chat_server(default="two")
    assert chat_model(f"{one.url}#m", cache=cache).invoke("hi").content == "one"
    assert chat_model(f"{two.url}#m", cache=cache).invoke("hi").content == "one"
    assert two.requests == []


def test_offline_replays_and_refuses_to_call(chat_server, tmp_path):
    server = chat_server(default="hello")
    cache = tmp_path / "c.sqlite"
    chat_model(f"{server.url}#m", cache=cache).invoke("hi")
    offline = chat_model(f"{server.url}#m", cache=cache, offline=True)
    assert offline.invoke("hi").content == "hello"
    with pytest.raises(OfflineMiss, match=r"no reply of m to 'something new'"):
        offline.invoke("something new")
    results = offline.batch(["hi", "new"], return_exceptions=True)
    assert results[0].content == "hello"
    assert isinstance(results[1], OfflineMiss)
    assert len(server.requests) == 1


def test_offline_needs_no_key_and_no_write_permission(chat_server, tmp_path, monkeypatch):
    server = chat_server(default="hello")
    folder = tmp_path / "kept"
    cache = folder / "c.sqlite"
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    chat_model("openai:m", cache=cache, api_key="sk-something").invoke("hi")
    monkeypatch.delenv("OPENAI_BASE_URL")
    cache.chmod(0o444)
    folder.chmod(0o555)
    try:
        assert chat_model("openai:m", cache=cache, offline=True).invoke("hi").content == "hello"
    finally:
        folder.chmod(0o755)


def test_offline_without_a_cache_file(tmp_path):
    with pytest.raises(UsageError, match="no reply cache at"):
        chat_model("http://127.0.0.1:1/v1#m", cache=tmp_path / "none.sqlite", offline=True)
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize("content", [b"this is a text file, and no database at all", None])
def test_other_files_are_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "other"
    if content is None:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE mine (a)")
        connection.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="other"):
        Replies(path)
    assert path.read_bytes() == before


def test_newer_format_is_refused(tmp_path):
    path = tmp_path / "c.sqlite"
    Replies(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UsageError, match="newer version"):
        Replies(path)


def test_cache_in_a_place_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="can't be used as a reply cache"):
        Replies(tmp_path / "file" / "c.sqlite")


def test_key_ignores_traces_and_keeps_content():
    def prompt(**fields):
        return dumps([HumanMessage("q"), AIMessage("a", **fields), HumanMessage("r")])

    plain = key_of(prompt(), "m")
    assert plain == key_of(prompt(id="run-1", response_metadata={"id": "chatcmpl-7"}), "m")
    assert plain != key_of(prompt(name="bob"), "m")
    assert plain != key_of(dumps([HumanMessage("q"), HumanMessage("a"), HumanMessage("r")]), "m")
    assert plain != key_of(prompt(), "n")


def test_generations_come_back_whole(tmp_path):
    cache = Replies(tmp_path / "c.sqlite")
    message = AIMessage("ü 漢", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3})
    cache.update("p", "m", [ChatGeneration(message=message, generation_info={"finish_reason": "stop"})])
    (found,) = cache.lookup("p", "m")
    assert found.message == message
    assert found.generation_info == {"finish_reason": "stop"}
    cache.update("q", "m", [Generation(text="t")])
    assert cache.lookup("q", "m") == [Generation(text="t")]
    # of two replies to one request, the first stays
    cache.update("q", "m", [Generation(text="u")])
    assert cache.lookup("q", "m") == [Generation(text="t")]
    stored = sqlite3.connect(tmp_path / "c.sqlite").execute("SELECT reply FROM replies").fetchall()
    assert all(json.loads(row[0])["version"] == 1 for row in stored)
    cache.clear()
    assert len(cache) == 0


WRITER = """
import sys
from agents import Replies
from langchain_core.outputs import Generation

path, worker = sys.argv[1:]
cache = Replies(path)
for i in range(60):
    cache.update(f"p{worker}-{i}", "m", [Generation(text=f"{worker}-{i}")])
    cache.update(f"shared-{i}", "m", [Generation(text=worker)])
"""


def test_several_processes_write_at_once(tmp_path):
    path = tmp_path / "c.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(worker)]) for worker in range(3)]
    assert [writer.wait(timeout=240) for writer in writers] == [0] * 3
    cache = Replies(path)
    assert len(cache) == 3 * 60 + 60
    assert all(cache.lookup(f"p{w}-{i}", "m") == [Generation(text=f"{w}-{i}")] for w in range(3) for i in range(60))


def test_killed_writer_leaves_a_sound_file(tmp_path):
    path = tmp_path / "c.sqlite"
    code = (
        "import sys\nfrom agents import Replies\nfrom langchain_core.outputs import Generation\n"
        "c = Replies(sys.argv[1])\n"
        "for i in range(10**6):\n    c.update(f'p{i}', 'm', [Generation(text=str(i))])\n    print(i, flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    told = [int(next(child.stdout)) for _ in range(50)]
    child.kill()
    told += [int(line) for line in child.stdout]  # what it had still said before it died
    child.wait()
    cache = Replies(path)
    assert all(cache.lookup(f"p{i}", "m") == [Generation(text=str(i))] for i in told)
    assert len(cache) in {len(told), len(told) + 1}


def test_a_damaged_cache_is_one_error_that_names_the_file_and_the_cure(tmp_path):
    path = tmp_path / "c.sqlite"
    cache = Replies(path)
    for number in range(200):
        cache.update(f"p{number}", "{}", [Generation(text="x" * 100)])
    cache.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)  # all pages but the first
    path.write_bytes(content)
    damaged = Replies(path)
    with pytest.raises(
        UnusableFileError, match=r"the reply cache .*c\.sqlite is damaged \(.+\); delete it, or name another file"
    ):
        damaged.lookup("p1", "{}")
    with pytest.raises(UnusableFileError, match=r"c\.sqlite is damaged"):
        damaged.update("new", "{}", [Generation(text="x")])


class DamagedCacheModel(FakeListChatModel):
    """A model as one behind a damaged cache: every call fails."""

    def _call(self, *args, **kwargs):
        raise UnusableFileError("the reply cache c.sqlite is damaged; delete it")


def test_a_damaged_cache_ends_a_run_at_once(tmp_path):
    model = DamagedCacheModel(responses=[""])
    with pytest.raises(UnusableFileError, match=r"c\.sqlite is damaged"):
        DifferentialDescriber(model, ["cat", "dog", "fish"]).describe([(0, 1), (0, 2)])
    maps = [TokenSaliency(["great"], [1.0], Query("positive"), id=name) for name in "ab"]
    for style in ("composed", "free", "smv-gpt"):
        with pytest.raises(UnusableFileError, match=r"c\.sqlite is damaged"):
            narrate_to_file(Narrator(model, style=style), maps, tmp_path / "t.jsonl", model_name="m")


def test_a_secret_that_any_model_says_is_not_kept(tmp_path, request):
    keep_secret("planted-in-a-reply-77")
    request.addfinalizer(forget_secrets)
    model = FakeListChatModel(responses=["it is PLANTED-IN-A-REPLY-77"], cache=Replies(tmp_path / "c.sqlite"))
    model.invoke("hi")
    assert b"planted-in-a-reply-77" not in b"".join(path.read_bytes().lower() for path in tmp_path.iterdir())
    assert model.invoke("hi").content == "it is (secret)"


GOOD = '{"version": 1, "generations": [{"text": "kept", "info": null}]}'


@pytest.mark.parametrize(
    "reply",
    ["", "x", "[]", "{}", "5", "null", '{"version": 1, "generations": []}', '{"version": 1, "generations": 5}',
     '{"version": 1, "generations": [5]}', '{"version": 1, "generations": [{"message": 5, "info": 1}]}', "[" * 100_000,
     '{"version": 1, "generations": [{"message": {"type": "emperor", "data": {}}, "info": {}}]}', GOOD.replace("1", "2"),
     '{"version": 1, "generations": [{"message": {"type": "system", "data": {"content": "x"}}, "info": {}}]}',
     '{"version": 1, "generations": [{"text": 5, "info": 5}]}', '{"version": 1, "generations": {"a": 1}}', GOOD[:-9],
     '{"version": 1, "generations": [{"message": {"type": "ai", "data": {"content": 5}}, "info": {}}]}', "\x1b", b"\xff\xfe", 5,
     '{"version": 1, "generations": [{"message": {"type": "ai", "data": {"content": "\\ud800"}}, "info": {}}]}',
     '{"version": 1, "generations": [{"message": {"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {}}}]}',
     '{"n": ' + "9" * 5000 + "}"],
)  # fmt: skip
def test_a_reply_that_somebody_broke_is_asked_for_again_and_stops_no_other(chat_server, tmp_path, reply):
    server = chat_server(behave=lambda request: f"reply {request.number}")
    url, path = f"{server.url}#m", tmp_path / "c.sqlite"
    chat_model(url, cache=path).invoke("one")
    with sqlite3.connect(path) as database:
        database.execute("UPDATE replies SET reply = CAST(? AS TEXT)", (reply,))
    database.close()
    chat_model(url, cache=path).invoke("two")
    with pytest.warns(ReplyWarning, match="holds a reply that can't be read; such replies count as missing") as offline:
        said = chat_model(url, cache=path, offline=True).batch(["one", "two"], return_exceptions=True)
    assert isinstance(said[0], OfflineMiss)
    assert said[1].content == "reply 1"
    with pytest.warns(ReplyWarning, match="holds a reply that can't be read; such replies are asked for again") as online:
        said = chat_model(url, cache=path).batch(["one", "two"])
    assert [one.content for one in said] == ["reply 2", "reply 1"]
    assert [[one.category for one in told].count(ReplyWarning) for told in (offline, online)] == [1, 1], [
        str(o) for o in online
    ]
    assert [one.content for one in chat_model(url, cache=path, offline=True).batch(["one", "two"])] == ["reply 2", "reply 1"]


ASKING = """
import sys
from agents import chat_model
print("start", flush=True)
print(chat_model(sys.argv[1], cache=sys.argv[2], timeout=60, max_retries=0).invoke("hi").content)
"""


@pytest.mark.long
@pytest.mark.parametrize("stopped", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_process_that_has_no_reply_is_waited_for_only_so_long(chat_server, tmp_path, wait_until, stopped):
    release = threading.Event()
    server = chat_server(behave=lambda request: release.wait(60) and "late" if request.number == 0 else "prompt")
    (tmp_path / "link.sqlite").symlink_to("c.sqlite")
    path = tmp_path / "c.sqlite"
    other = subprocess.Popen([sys.executable, "-c", ASKING, f"{server.url}#m", path], stdout=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: server.requests, what="the request of the other process")
        if stopped:
            other.send_signal(signal.SIGSTOP)
        model = chat_model(f"{server.url}#m", cache=tmp_path / "link.sqlite", timeout=1, max_retries=0)
        begun = time.monotonic()
        said = model.batch(["hi", "ho"], return_exceptions=True)
        assert 1 <= time.monotonic() - begun < 10
        assert isinstance(said[0], ChatError)
        assert f"another process ({other.pid}) has asked for the same reply, and none has come within 1 s" in str(said[0])
        assert said[1].content == "prompt"
        assert len(server.requests) == 2
        release.set()
        other.send_signal(signal.SIGCONT)
        assert other.communicate(timeout=60)[0] == "start\nlate\n"
        assert model.invoke("hi").content == "late"
    finally:
        release.set()
        other.kill()
        other.wait()


@pytest.mark.long
def test_who_is_waited_for_is_said(chat_server, tmp_path, wait_until, monkeypatch):
    monkeypatch.setattr("agents.chat.own_replies._SILENT_WAIT", 0.2)
    release = threading.Event()
    server = chat_server(behave=lambda request: release.wait(60) and "late")
    path = tmp_path / "c.sqlite"
    other = subprocess.Popen([sys.executable, "-c", ASKING, f"{server.url}#m", path], stdout=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: server.requests, what="the request of the other process")
        threading.Timer(1, release.set).start()
        with pytest.warns(
            ReplyWarning, match=rf"waiting for a reply that another process \({other.pid}\) has asked for"
        ) as told:
            assert chat_model(f"{server.url}#m", cache=path).invoke("hi").content == "late"
        assert [one.category for one in told].count(ReplyWarning) == len(server.requests) == 1
    finally:
        release.set()
        other.kill()
        other.wait()
