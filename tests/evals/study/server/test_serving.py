"""`saywhy study serve` and `delete` as processes, behind a reverse proxy, and under a crowd."""

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from evals.study.folder import open_study
from evals.study.server import open_store, read_answers
from tests.evals.study.server.study_people import Taker, served, write_study

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[4]


@contextmanager
def process(folder, *options, environment=None):
    """The command, once it takes connections; its lines so far are given."""
    command = [sys.executable, "-m", "saywhy", "study", "serve", str(folder), "--port", "0", *options]
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=surroundings) as running:
        try:
            lines = [running.stdout.readline() for _ in range(2)]
            assert lines[0].startswith("participants: "), (lines, running.stderr.read() if running.poll() else "")
            if "SAYWHY_STUDY_ADMIN_TOKEN" not in surroundings and not (folder / "served-before").exists():
                lines.append(running.stdout.readline())
            yield running, "".join(lines)
        finally:
            running.kill()


@pytest.fixture
def study(tmp_path):
    """A study whose pages need not be shown: what jsPsych is does not matter to the server."""
    return write_study(tmp_path / "study")


def command(*words):
    return subprocess.run(
        [sys.executable, "-m", "saywhy", "study", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )


def test_without_pages_serve_says_how_to_fetch_them(study):
    done = command("serve", str(study))
    assert done.returncode == 2
    assert "saywhy study assets" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_one_sentence(study):
    from evals.study.server import serve, study_app
    from saywhy_core.errors import UsageError

    store = open_store(open_study(study))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="Address already in use; name another --port"):
            serve(study_app(store), port=taken.getsockname()[1])
    with pytest.raises(UsageError, match="no connections can be taken at no-such-host"):
        serve(study_app(store), host="no-such-host.invalid")
    store.close()


def test_deleting_while_it_is_served(study):
    with served(study) as server:
        person = server.person().finish()
        other = server.person().finish()
        done = command("delete", str(study), person.code)
        assert (done.returncode, done.stdout) == (0, "")
        assert set(server.store.answers().participants) >= {other.code}
        assert person.code not in server.store.answers().participants
        again = command("delete", str(study), person.code)
        assert again.returncode == 2
        assert "has the code" in again.stderr
        server.person().finish()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_cleanly_and_it_goes_on_later(study, installed, number, status):
    with process(study, "--prefix", "/study") as (running, said):
        address = re.search(r"participants: (\S+)", said)[1]
        token = re.search(r"token: +(\S+)", said)[1]
        assert address.endswith("/study/")
        person = Taker(httpx.Client(base_url=address)).finish(until=3)
        assert httpx.get(address).status_code == 200
        running.send_signal(number)
        assert running.wait(20) == status
        assert "every acknowledged answer is kept" in running.stderr.read()
    (study / "served-before").touch()
    with process(study) as (running, said):
        assert "token:" not in said
        address = re.search(r"participants: (\S+)", said)[1]
        person.client = httpx.Client(base_url=address)
        person.finish()
        assert (
            httpx.get(address + "admin/api/progress", headers={"authorization": f"Bearer {token}"}).json()["totals"]["complete"]
            == 1
        )


@pytest.fixture
def installed(study, monkeypatch):
    """Whatever stands in the folder of the pages' assets, so that the study can be served."""
    modules = os.environ.get("SAYWHY_NODE_MODULES")
    if not modules:
        pytest.skip("needs jsPsych: SAYWHY_NODE_MODULES names a node_modules folder with it")
    from evals.study.pages import fetch_assets

    fetch_assets(study, source=modules)


NGINX = """
daemon off; master_process off; pid {place}/pid; error_log {place}/errors; events {{ worker_connections 100; }}
http {{
  access_log off; client_body_temp_path {place}/a; proxy_temp_path {place}/b; fastcgi_temp_path {place}/c;
  uwsgi_temp_path {place}/d; scgi_temp_path {place}/e;
  server {{
    listen 127.0.0.1:{port};
    location /kept/ {{ proxy_pass http://{upstream}; proxy_set_header X-Forwarded-For $remote_addr; }}
    location /deep/taken/ {{ proxy_pass http://{upstream}/; }}
  }}
}}
"""


def answers(address):
    try:
        httpx.get(address)
    except httpx.TransportError:
        return False
    return True


@contextmanager
def nginx(place, upstream, wait_until):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place.mkdir()
    (place / "nginx.conf").write_text(NGINX.format(place=place, port=port, upstream=upstream))
    with subprocess.Popen(["nginx", "-c", str(place / "nginx.conf"), "-p", str(place)], stderr=subprocess.DEVNULL) as running:
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/"), what="nginx's answer")
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
@pytest.mark.parametrize("path", ["/kept", "/deep/taken"])
def test_behind_a_reverse_proxy_that_keeps_the_prefix_or_takes_it_off(tmp_path, path, wait_until):
    folder = write_study(tmp_path / "study", more="consent: {text: Hello.}\nserver: {keep_addresses: true}\n")
    with (
        served(folder, prefix="/kept") as server,
        nginx(tmp_path / "nginx", server.address.removeprefix("http://").strip("/"), wait_until) as proxy,
    ):
        client = httpx.Client(base_url=f"{proxy}{path}/", follow_redirects=True)
        person = Taker(client).finish()
        assert person.joined["participant"] in server.store.answers().participants
        assert client.get("static/admin.css").status_code == 200
        if path == "/kept":  # the other one does not reach us without the slash
            assert client.get(f"{proxy}{path}").url == f"{proxy}{path}/"
        reply = client.post("admin/login", data={"token": server.token})
        assert reply.url == f"{proxy}{path}/admin"
        assert "1 of 40 complete" in reply.text
        assert client.get("admin/api/answers.csv").status_code == 200


def test_two_hundred_at_once_and_the_server_killed_twice():
    where = ROOT / "benchmarks" / "study" / "load.py"
    found = importlib.util.spec_from_file_location("study_load", where)
    module = importlib.util.module_from_spec(found)
    sys.modules["study_load"] = module
    found.loader.exec_module(module)
    load, wrong = module.run(people=200, items=5, kills=2)
    assert wrong == []
    assert load.kills == 2
    assert len(load.acknowledged) == 200 * 7


def test_what_the_benchmark_would_find(tmp_path):
    """The check of the crowd's answers finds an answer that is not there."""
    where = ROOT / "benchmarks" / "study" / "load.py"
    found = importlib.util.spec_from_file_location("study_load", where)
    module = importlib.util.module_from_spec(found)
    sys.modules["study_load"] = module
    found.loader.exec_module(module)
    folder = module.write_study(tmp_path / "study", people=3, items=2)
    load = module.Load()
    with served(folder) as server:
        for number in range(3):
            person = server.person(link={"PROLIFIC_PID": f"person-{number}"})
            while person.done < len(person.steps):
                load.acknowledged[person.code, person.done] = person.responses()
                person.send()
            load.joined.append(person.code)
    assert module.losses(folder, load) == []
    load.acknowledged[load.joined[0], 1] = {"helpfulness": 7}
    assert module.losses(folder, load) == [f"page 1 of {load.joined[0]}: helpfulness is '3', not 7"]
    store = open_store(open_study(folder))
    store.forget(load.joined[1])
    store.close()
    assert len(module.losses(folder, load)) > 2
    assert read_answers(open_study(folder)).rows
