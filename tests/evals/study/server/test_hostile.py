"""What people might send who don't mean well: nothing leaks, nothing breaks, over a real socket."""

import json
import socket
import threading
import time
from contextlib import suppress

import httpx
import pytest

import evals.study.server.listening as listening
from evals.study.folder import open_study
from evals.study.server import open_store, running, study_app
from evals.study.server.shielding import HEADERS
from tests.evals.study.server.study_people import at_once, served, write_study

pytestmark = pytest.mark.long


def raw(server, data, *, wait=10.0):
    """Send bytes as they are, and read until the server closes or is silent."""
    host, port = server.address.removeprefix("http://").strip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=wait) as connection:
        connection.sendall(data)
        parts = []
        try:
            while part := connection.recv(65536):
                parts.append(part)
        except TimeoutError:
            pass
        return b"".join(parts)


def is_alive(server):
    server.person().finish()


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "Bearer",
        "A" * 43,
        "' OR 1=1 --",
        "../../../etc/passwd",
        "A" * 5000,
        "null",
        "é" * 40,
        "A" * 43 + ".e30",
        "A" * 43 + ".!!!",
    ],
)
def test_forged_tokens_open_nothing(server, token):
    victim = server.person().finish(until=3)
    client = server.client()
    head = {b"authorization": b"Bearer " + token.encode()}
    for method, path in (("GET", "api/state"), ("POST", "api/answers"), ("POST", "api/withdraw"), ("POST", "api/join")):
        reply = client.request(
            method, path, headers=head, **({"json": {"step": 0, "responses": {}}} if method == "POST" else {})
        )
        assert reply.status_code == 401, (path, reply.text)
        assert victim.code not in reply.text
    assert victim.client.get("api/state", headers=victim.head).json()["done"] == 3


def test_the_link_in_a_token_can_be_forged_and_helps_nobody(server):
    one, other = server.person(link={"PROLIFIC_PID": "one"}), server.person(link={"PROLIFIC_PID": "two"})
    one.send()
    other.token = other.token.partition(".")[0] + "." + one.token.partition(".")[2]
    assert other.send().status_code == 409  # that person takes part already
    other.token = other.token.partition(".")[0] + ".bm9uc2Vuc2U"
    assert other.send().status_code in (200, 400, 401)
    is_alive(server)


def test_nobody_sees_or_overwrites_another(server):
    one, other = server.person(link={"PROLIFIC_PID": "one"}).finish(until=3), server.person().finish(until=2)
    other.send(2, responses=other.responses(2, helpfulness=7), participant=one.code)
    again = server.client().post("api/join", json={"link": {"PROLIFIC_PID": "one"}})
    assert again.status_code == 409
    assert one.code not in again.text
    rows = {
        row.step: row.response
        for row in server.store.answers().rows
        if row.participant == one.code and row.task == "helpfulness"
    }
    assert set(rows.values()) == {"3"}


def test_the_steps_tell_neither_answers_nor_conditions(server):
    text = json.dumps(server.person().steps)
    for secret in ("item-", "words", "nothing", "predicted", "expected", "model_right"):
        assert secret not in text


def test_pages_out_of_order_and_replayed(server):
    person = server.person()
    assert person.send(2).status_code == 409
    assert person.send(len(person.steps) + 3).status_code == 409
    first = person.send()
    assert person.send(0).json() == first.json()
    person.send()
    changed = person.send(1, responses=person.responses(1, helpfulness=7))
    assert (changed.status_code, changed.json()["done"]) == (409, 2)
    person.finish()
    assert person.send(1).status_code == 200  # the same once more
    assert [row.step for row in server.store.answers().rows if row.task == "helpfulness"] == [1, 2, 3, 4]


def test_ten_megabytes_are_refused_before_they_are_there(server):
    person = server.person().finish(until=1)
    reply = person.send(responses={"simulation": "x" * 10_000_000, "helpfulness": 1})
    assert reply.status_code == 413
    assert reply.headers["connection"] == "close"
    endless = (b"%x\r\n" % 65536 + b"y" * 65536 + b"\r\n") * 160
    head = b"POST /api/answers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    head += b"Authorization: Bearer " + person.token.encode() + b"\r\n\r\n"
    with suppress(ConnectionError):  # it may hang up before all of it was sent
        assert b"413" in raw(server, head + endless)
    is_alive(server)


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 30_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"step": 0, "responses": {}, "seconds": NaN}',
        b'{"step": 0, "responses": {}, "seconds": Infinity}',
        b'{"step": 0, "responses": {}, "seconds": 1e999}',
        b'{"step": 0, "step": 1, "responses": {}}',
        b'{"step": ' + b"9" * 5000 + b', "responses": {}}',
        b'{"step": -1, "responses": {}}',
        b'{"step": 1.5, "responses": {}}',
        b'{"step": true, "responses": {}}',
        b'{"step": 9223372036854775808, "responses": {}}',
        b'{"step": 0, "responses": {}, "seconds": -1}',
        b'{"step": 0, "responses": {}, "seconds": 1e300}',
        b'{"step": 0, "responses": {}, "seconds": "5"}',
        b'{"step": 0, "responses": {}, "try": -3}',
        b'{"step": 0, "responses": [1]}',
        b'{"responses": {}}',
        b'{"step": 0, "responses": {"agree": "\\ud800"}}',
        b"\xff\xfe{\x00}\x00",
        b"\x00",
        b"",
        b"null",
        b"[1]",
    ],
)
def test_strange_json_is_refused_in_a_sentence(server, content):
    person = server.person()
    head = {**person.head, "content-type": "application/json"}
    reply = person.client.post("api/answers", content=content, headers=head)
    assert reply.status_code == 400, reply.text
    assert set(reply.json()) == {"error"}
    assert "Traceback" not in reply.text
    assert person.send().status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
def test_other_content_types_are_refused(server, kind):
    person = server.person()
    reply = person.client.post(
        "api/answers", content=b'{"step": 0, "responses": {}}', headers={**person.head, "content-type": kind}
    )
    assert reply.status_code == 415
    assert person.client.post("api/join", content=b"{}", headers={"content-type": kind}).status_code == 415


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_other_methods_are_refused_everywhere(server, method):
    for path in ("api/join", "api/answers", "api/withdraw", "admin/login", "admin/delete", "admin/api/delete"):
        reply = server.client().request(method, path)
        assert reply.status_code == 405, (method, path)
        assert "content-security-policy" in reply.headers
    if method != "GET":
        assert server.client().request(method, "api/state").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "static/../../study.yaml", "static/..%2f..%2fstudy.yaml", "static/%2e%2e/%2e%2e/items.jsonl", "images/..%5c..%5canswers.db",
        "images/%2e%2e%2fanswers.db", "images//etc/passwd", "static/%00", "images/x.png%00.db", "static/answers.db", "study.yaml",
        "answers.db", "admin.json", "images/", "static/", "admin/../answers.db", "admin/api/../../answers.db", "static/store.py",
        "images/link.png", "%2e%2e/answers.db", "static/....//....//answers.db",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_lists(tmp_path, path):
    folder = write_study(tmp_path / "study")
    (folder / "images").mkdir()
    (tmp_path / "private.png").write_bytes(b"private")
    (folder / "images" / "link.png").symlink_to(tmp_path / "private.png")
    with served(folder) as server:
        reply = raw(server, f"GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert reply.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400", b"HTTP/1.1 401")), reply[:200]
    for secret in (b"private", b"Guess the label", b"SQLite", b"sha256"):
        assert secret not in reply


def test_pictures_are_served_for_ever_and_only_as_pictures(tmp_path):
    folder = write_study(tmp_path / "study")
    (folder / "images").mkdir()
    (folder / "images" / "abc.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "images" / "evil.html").write_text("<script>alert(1)</script>")
    with served(folder) as server:
        picture = server.client().get("images/abc.png")
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
        assert "immutable" in picture.headers["cache-control"]
        assert server.client().get("images/abc.png", headers={"if-none-match": picture.headers["etag"]}).status_code == 304
        assert server.client().get("images/evil.html").status_code == 404


def test_every_reply_has_the_headers_that_keep_others_out(server):
    client = server.client()
    for path in ("", "admin", "api/state", "static/admin.css", "nowhere", "admin/api/progress"):
        reply = client.get(path)
        for name, value in HEADERS.items():
            assert reply.headers[name] == value, (path, name)
        assert "server" not in reply.headers
    assert "unsafe" not in HEADERS["content-security-policy"]


def test_a_byte_at_a_time_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(listening, "HEAD_SECONDS", 0.5)
    store = open_store(open_study(write_study(tmp_path / "study")))
    app = study_app(store)
    app.longest = 1.5
    with running(app) as address:
        host, port = address.removeprefix("http://").strip("/").split(":")
        ended = {}

        def dribble(name, first):
            begun = time.monotonic()
            with socket.create_connection((host, int(port)), timeout=20) as connection:
                connection.sendall(first)
                connection.settimeout(0.1)
                while time.monotonic() - begun < 15:
                    try:
                        connection.sendall(b"x")
                        if connection.recv(1000) == b"":
                            break
                    except TimeoutError:
                        continue
                    except OSError:
                        break
            ended[name] = time.monotonic() - begun

        body = b"POST /api/join HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
        works = [
            threading.Thread(target=dribble, args=pair)
            for pair in (("head", b"GET / HTTP/1.1\r\nX"), ("body", body), ("none", b""))
        ]
        for work in works:
            work.start()
        assert httpx.post(address + "api/join", json={}, timeout=10).status_code == 200  # others are served meanwhile
        for work in works:
            work.join()
    store.close()
    assert ended["head"] < 5
    assert ended["none"] < 5
    assert ended["body"] < 8


def test_two_tabs_at_once(server):
    person = server.person(key="k" * 32)
    tab = server.person(key="k" * 32)
    assert tab.code == person.code
    replies = at_once(person.send, tab.send)
    assert [one.status_code for one in replies] == [200, 200]
    assert replies[0].json() == replies[1].json()
    given = [person.responses(1, helpfulness=1), person.responses(1, helpfulness=7)]
    replies = at_once(lambda: person.send(1, responses=given[0]), lambda: tab.send(1, responses=given[1]))
    assert sorted(one.status_code for one in replies) == [200, 409]
    kept = [row.response for row in server.store.answers().rows if row.task == "helpfulness"]
    assert kept == ["1" if replies[0].status_code == 200 else "7"]


def test_one_person_in_two_browsers_at_once_is_let_in_once(server):
    people = [server.person(link={"PROLIFIC_PID": "one"}) for _ in range(4)]
    replies = at_once(*(one.send for one in people))
    assert sorted(one.status_code for one in replies) == [200, 409, 409, 409]
    assert len(server.store.answers().participants) == 1


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE answers; --", '<script>alert("x")</script>', "=cmd|'/c calc'!A0", "‮ \U0001f9ea é", "a\x00b\x1b[2J"]
)
def test_free_text_comes_back_as_it_was_typed_without_control_characters(tmp_path, text):
    more = "consent: {text: Hello.}\ndemographics:\n  - {name: about, question: Tell us, kind: text}\n"
    with served(write_study(tmp_path / "study", more=more)) as server:
        person = server.person(link={"PROLIFIC_PID": text}).finish(until=5)
        assert person.send(responses={"about": text}).status_code == 200
        about = server.store.answers().participants[person.code].attributes["about"]
        assert about == text.replace("\x00", "\ufffd").replace("\x1b", "\ufffd")
        is_alive(server)


@pytest.mark.parametrize(
    "link",
    [
        [],
        "x",
        {"a b": "c"},
        {"PROLIFIC_PID": 5},
        {"PROLIFIC_PID": "x" * 300},
        {f"n{n}": "x" for n in range(20)},
        {"x": {"y": "z"}},
        {"simulated": "perfect"},
    ],
)
def test_strange_links_are_refused(server, link):
    assert server.client().post("api/join", json={"link": link}).status_code in (400, 403)
    assert not server.store.people()


def test_links_that_the_platform_did_not_fill_in_are_nobody(server):
    for _ in range(2):
        server.person(link={"PROLIFIC_PID": "{{%PROLIFIC_PID%}}", "STUDY_ID": ""}).finish()


def test_a_prefix_cannot_be_made_a_header(tmp_path):
    from saywhy_core.errors import UsageError

    store = open_store(open_study(write_study(tmp_path / "study")))
    for prefix in ("/a\r\nset-cookie: x=y", "/a b", "/../x", "/a?b", "//evil.example", "/é"):
        if prefix == "//evil.example":
            continue  # the slashes at its ends are taken off: /evil.example is a path like others
        with pytest.raises(UsageError, match="prefix"):
            study_app(store, prefix=prefix)
    store.close()
    with served(write_study(tmp_path / "other"), prefix="/study") as server:
        reply = raw(
            server,
            b"GET /study HTTP/1.1\r\nHost: x\r\nX-Forwarded-Prefix: /a\r\nX-Forwarded-Host: evil\r\nConnection: close\r\n\r\n",
        )
        assert b"location: study/" in reply
        assert b"evil" not in reply
        assert (
            b"set-cookie"
            not in raw(server, b"GET /study/%0d%0aset-cookie:x=y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").lower()
        )


def test_requests_that_are_no_http(server):
    for data in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
        b"GET\r\n\r\n",
        b"A" * 200_000,
        b"\r\n" * 1000,
        b"GET / HTTP/9.9\r\n\r\n",
    ):
        try:
            reply = raw(server, data, wait=2)
        except ConnectionError:
            continue
        assert b"Traceback" not in reply
    is_alive(server)


def test_too_many_requests_of_one_token_are_told_to_wait(server):
    person, other = server.person(), server.person()
    replies = [person.client.get("api/state", headers=person.head) for _ in range(400)]
    told = [one for one in replies if one.status_code == 429]
    assert told
    assert int(told[0].headers["retry-after"]) >= 1
    assert other.send().status_code == 200


def test_no_address_and_no_browser_is_kept_unless_it_is_asked_for(tmp_path):
    for number, (more, kept) in enumerate((("", False), ("server: {keep_addresses: true}\n", True))):
        folder = write_study(tmp_path / f"study-{number}", more="consent: {text: Hello.}\n" + more)
        with served(folder) as server:
            person = server.person()
            person.client.headers["user-agent"] = "Peculiar/7.0"
            assert b"Peculiar" not in b"".join(path.read_bytes() for path in folder.glob("answers.db*"))
            person.finish()
            on_disk = b"".join(path.read_bytes() for path in folder.glob("answers.db*"))
            assert (b"Peculiar/7.0" in on_disk) is kept
            assert (b"127.0.0.1" in on_disk) is kept


def test_a_full_disk_is_one_sentence_for_the_researcher_and_one_for_the_participant(server, caplog):
    head = {"authorization": f"Bearer {server.token}"}
    with server.store.writing() as database:
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages}")
    refused = []
    for number in range(30):
        taker = server.person(link={"PROLIFIC_PID": f"{number}"} | {name: name * 250 for name in "abcdefg"})
        reply = taker.send()
        if reply.status_code != 200:
            refused.append(reply)
    assert {one.status_code for one in refused} == {503}
    assert "Nothing that was confirmed is lost" in refused[0].json()["error"]
    with server.client() as client:
        assert client.get("admin/api/progress", headers=head).status_code == 200
        with server.store.writing() as database:
            database.execute("PRAGMA max_page_count = 1000000")
    said = [one.getMessage() for one in caplog.records if one.levelname != "INFO"]
    assert len(said) == 1
    assert f"answers can't be kept in {server.store.path}: the disk, or what you may use of it, is full; make room" in said[0]
