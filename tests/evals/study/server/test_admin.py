"""The researchers' page: who is let in, what it shows, and what can be done there."""

import csv
import io
import json
import os
import re
from pathlib import Path

import httpx
import pytest

from evals.study.folder import open_study
from evals.study.server import open_store
from evals.study.server.admin import admin_routes, admin_token
from evals.study.server.admin.entry import VARIABLE, Entry, digest
from saywhy_core.errors import UsageError
from tests.evals.study.server.study_people import Clock, served, write_study

CHROMIUM = "/usr/bin/chromium"
long = pytest.mark.long


def routes(server):
    store = server.store
    return [(route.path.lstrip("/"), method) for route in admin_routes(store, "0" * 64) for method in route.methods - {"HEAD"}]


def logged_in(server):
    client = server.client()
    reply = client.post("admin/login", data={"token": server.token})
    assert reply.status_code == 303
    assert reply.headers["location"] == "../admin"
    return client


def form_of(client):
    return re.search(r'name="form" value="([^"]+)"', client.get("admin").text)[1]


@long
@pytest.mark.parametrize(
    "head", [{}, {"authorization": "Bearer wrong"}, {"cookie": "saywhy_study_admin=forged"}, {"authorization": "Basic YTpi"}]
)
def test_no_route_tells_anything_without_the_token(server, head):
    person = server.person(link={"PROLIFIC_PID": "person-7"}).finish()
    walked = routes(server)
    assert len(walked) >= 10
    for path, method in walked:
        kinds = {
            "form": {"data": {"token": "wrong", "code": person.code, "wanted": "stop"}},
            "json": {"json": {"code": person.code, "open": False}},
        }
        for content in kinds.values() if method == "POST" else [{}]:
            reply = server.client().request(method, path, headers=head, **content)
            if (
                path == "admin/logout"
                or (path == "admin/login" and "json" in content)
                or (reply.status_code == 303 and "cookie" in head)
            ):
                assert reply.status_code in (303, 401, 415)
            else:
                assert reply.status_code in (401, 429), (method, path, reply.status_code)
            for secret in (person.code, "person-7", "Guess the label", "latin"):
                assert secret not in reply.text, (method, path)
    assert server.store.recruiting
    assert person.code in server.store.answers().participants


@long
def test_progress_flags_and_downloads(server):
    one = server.person(link={"PROLIFIC_PID": "person-1", "formula": "=1+1"}).finish()
    server.person().finish(until=3)
    server.person()
    with server.client(headers={"authorization": f"Bearer {server.token}"}) as client:
        found = client.get("admin/api/progress").json()
        assert (found["totals"]["complete"], found["totals"]["active"], found["unconsented"]) == (1, 1, 1)
        assert [cell["name"] for cell in found["cells"]] == ["latin-1", "latin-2"]
        table = client.get("admin/api/answers.csv")
        assert table.headers["content-type"].startswith("text/csv")
        assert table.text == server.store.answers().to_csv()
        links = list(csv.DictReader(io.StringIO(client.get("admin/api/links.csv").text)))
        first = {"participant": one.code, "status": "complete"}  # and what a spreadsheet would compute is marked as a text
        assert links == [
            first | {"name": "PROLIFIC_PID", "value": "person-1"},
            first | {"name": "formula", "value": "'=1+1"},
        ]
        whole = client.get("admin/api/answers.json").json()
        assert len(whole["answers"]) == len(server.store.answers().rows)
        assert "person-1" not in json.dumps(whole) + table.text


@long
def test_recruitment_and_deletion_by_form_and_by_program(server):
    person = server.person().finish()
    client = logged_in(server)
    form = form_of(client)
    assert client.post("admin/recruitment", data={"form": form, "wanted": "stop"}).status_code == 303
    assert server.client().post("api/join", json={}).status_code == 403
    assert "No new participants are let in." in client.get("admin").text
    client.post("admin/recruitment", data={"form": form, "wanted": "resume"})
    other = server.person().finish()
    assert client.post("admin/delete", data={"form": form, "code": person.code}).headers["location"] == "../admin?done=deleted"
    assert (
        client.post("admin/delete", data={"form": form, "code": "x' OR '1'='1"}).headers["location"] == "../admin?done=unknown"
    )
    with server.client(headers={"authorization": f"Bearer {server.token}"}) as program:
        assert program.post("admin/api/recruitment", json={"open": False}).json() == {"open": False}
        assert program.post("admin/api/delete", json={"code": other.code}).json() == {"deleted": other.code}
        assert program.post("admin/api/delete", json={"code": other.code}).status_code == 404
    assert not server.store.answers().rows


@long
def test_a_form_of_another_page_does_nothing(server):
    client = logged_in(server)
    for form in ("", "forged", "é", form_of(logged_in(server))):
        assert client.post("admin/recruitment", data={"form": form, "wanted": "stop"}).status_code == 403
    assert client.post("admin/api/recruitment", json={"open": False}).status_code == 401  # a cookie alone does not do
    assert server.store.recruiting
    cookie = server.client().post("admin/login", data={"token": server.token}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert server.token not in cookie


@long
def test_after_logging_out_the_cookie_opens_nothing(server):
    client = logged_in(server)
    cookie = client.cookies["saywhy_study_admin"]
    client.post("admin/logout", data={"form": form_of(client)})
    assert httpx.get(server.address + "admin", headers={"cookie": f"saywhy_study_admin={cookie}"}).status_code == 401


@long
def test_wrong_tokens_are_bounded(server):
    client = server.client()
    statuses = [client.post("admin/login", data={"token": f"wrong-{n}"}).status_code for n in range(30)]
    assert set(statuses) == {401, 429}
    assert statuses.count(401) <= 12
    assert client.post("admin/login", data={"token": server.token}).status_code == 303  # guesses lock nobody out
    assert client.get("admin/api/progress", headers={"authorization": f"Bearer {server.token}"}).status_code == 200


def test_right_tokens_are_not_bounded_and_sessions_end():
    clock = Clock()
    entry = Entry(digest("right"), clock=clock)
    assert [entry.check("right") for _ in range(100)] == [None] * 100
    cookie = entry.begin()
    assert entry.session(cookie) is not None
    assert entry.session("forged") is None
    clock.now += 13 * 3600
    assert entry.session(cookie) is None


def test_the_token_is_made_once_and_only_its_digest_is_kept(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    study = open_study(write_study(tmp_path / "study"))
    kept, token = admin_token(study)
    place = tmp_path / "study" / "admin.json"
    assert digest(token) == kept
    assert len(token) >= 43
    assert token not in place.read_text()
    assert place.stat().st_mode & 0o077 == 0
    assert admin_token(study) == (kept, None)
    renewed = admin_token(study, renew=True)
    assert renewed[0] not in (kept, None)
    monkeypatch.setenv(VARIABLE, "chosen-by-a-researcher")
    assert admin_token(study) == (digest("chosen-by-a-researcher"), None)
    with pytest.raises(UsageError, match="unset it"):
        admin_token(study, renew=True)
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(UsageError, match="fewer than 16"):
        admin_token(study)
    monkeypatch.delenv(VARIABLE)
    place.write_text("{}")
    with pytest.raises(UsageError, match="holds no digest"):
        admin_token(study)


def accessible(page):
    """axe-core finds nothing, where SAYWHY_NODE_MODULES names a folder that has it."""
    axe = Path(os.environ.get("SAYWHY_NODE_MODULES", "")) / "axe-core" / "axe.min.js"
    if axe.is_file():
        page.evaluate(axe.read_text())
        assert page.evaluate("axe.run()")["violations"] == []
    return True


@long
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Chromium")
def test_the_page_in_a_real_browser(tmp_path):
    from playwright.sync_api import sync_playwright

    evil = '<script>document.title="broken"</script><img src=x onerror="document.title=\'broken\'">'
    folder = write_study(tmp_path / "study", conditions=("words", "nothing", "both"))
    text = (folder / "study.yaml").read_text()
    (folder / "study.yaml").write_text(text.replace("title: Guess the label", "title: " + json.dumps("Guess " + evil)))
    with served(folder, prefix="/study") as server, sync_playwright() as play:
        for name in ("a", "b", "c"):
            server.person(link={"PROLIFIC_PID": evil + name}).finish()
        server.person().finish(until=3)
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        errors = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(server.address + "study/admin")
        page.get_by_label("Token").fill("wrong token of the study")
        page.get_by_role("button", name="Log in").click()
        assert "not the one of this study" in page.get_by_role("alert").inner_text()
        assert page.evaluate("getComputedStyle(document.body).margin") == "0px"  # the style sheet is there
        page.get_by_label("Token").fill(server.token)
        page.get_by_role("button", name="Log in").click()
        assert "3 of 40 complete" in page.inner_text("main")
        assert evil in page.title()
        assert page.locator("script, img").count() == 0
        assert accessible(page)
        page.screenshot(path=tmp_path / "admin.png", full_page=True)
        with page.expect_download() as download:
            page.get_by_role("link", name="tidy table").click()
        assert Path(download.value.path()).read_text() == server.store.answers().to_csv()
        page.get_by_role("button", name="Stop recruitment").click()
        assert "No new participants are let in." in page.get_by_role("status").inner_text()
        code = next(iter(server.store.answers().participants))
        page.get_by_label("Participant's code").fill(code)
        page.get_by_role("button", name="Delete").click()
        assert "deleted" in page.get_by_role("status").inner_text()
        assert "2 of 40 complete" in page.inner_text("main")
        page.set_viewport_size({"width": 360, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.screenshot(path=tmp_path / "phone.png", full_page=True)
        page.get_by_role("button", name="Log out").click()
        assert page.get_by_label("Token").is_visible()
        browser.close()
        assert [one for one in errors if "401" not in one] == []


@long
def test_an_admin_of_one_study_is_not_let_into_another(tmp_path):
    with served(write_study(tmp_path / "one")) as one, served(write_study(tmp_path / "two")) as two:
        assert two.client(headers={"authorization": f"Bearer {one.token}"}).get("admin/api/progress").status_code == 401


def test_a_store_can_be_read_while_it_is_written(tmp_path):
    from evals.study.server import read_answers

    study = open_study(write_study(tmp_path / "study"))
    store = open_store(study)
    with store.writing():
        assert not read_answers(study).rows
    store.close()
