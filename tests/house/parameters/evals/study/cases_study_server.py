"""The server of studies."""

from __future__ import annotations

import json
from types import SimpleNamespace

from parameters.harness import case, later

from evals.study import open_study
from evals.study.server import open_store, read_answers, study_app
from evals.study.server.admin import admin_token
from evals.study.server.admin.entry import digest
from evals.study.server.joining import join

DIGEST = digest("the token of these cases")


def study(name="one"):
    def made(tools):
        folder = tools.folder / name
        folder.mkdir(exist_ok=True)
        shown = {"html": "<p>text</p>", "text": "text"}
        item = {"version": 1, "id": "a", "form": "text", "practice": False, "predicted": "x", "true": "x", "labels": ["x", "y"],
                "facts": {}, "answers": {}, "input": shown, "stimuli": {"none": shown}}  # fmt: skip
        content = {"title": name, "conditions": [{"name": "none", "kind": "none"}], "practice": {"items": 0},
                   "design": {"kind": "between", "items": 1}, "tasks": [{"name": "simulation", "kind": "simulation"}]}  # fmt: skip
        (folder / "study.yaml").write_text(json.dumps(content))
        (folder / "items.jsonl").write_text(json.dumps(item) + "\n")
        return open_study(folder)

    return made


def answered(name="one", database="answers.db", at=1000.0):
    """A study that one participant has begun."""

    def made(tools):
        opened = study(name)(tools)
        store = open_store(opened, opened.folder / database, clock=lambda: at)
        join(store, None, None, {})
        store.close()
        return opened

    return made


def store(name="one", source="people"):
    return later(lambda tools: open_store(study(name)(tools), source=source))


def about_store(result, tools, given):
    result.close()
    return (result.path.name, result.source, result.clock(), result.study.file.title)


case(
    "evals.study.server.open_store",
    {"study": later(study()), "clock": lambda: 1.0},
    about_store,
    study=later(study("two")),
    path=later(lambda tools: tools.folder / "other.db"),
    source="simulated:perfect",
    clock=lambda: 2.0,
)


def statuses(result, tools, given):
    return sorted((one.status, one.started) for one in result.participants.values())


case(
    "evals.study.server.read_answers",
    {
        "study": later(lambda tools: (answered()(tools), answered(database="other.db", at=500.0)(tools))[0]),
        "clock": lambda: 1000.0,
    },
    statuses,
    study=later(answered("two", at=2000.0)),
    path=later(lambda tools: tools.folder / "one" / "other.db"),
    clock=lambda: 1e9,
)


def codes(tools, name="one"):
    return list(read_answers(open_study(tools.folder / name)).participants)


case(
    "evals.study.server.forget",
    {"study": later(answered()), "code": later(lambda tools: codes(tools)[0] if (tools.folder / "one").exists() else "nobody")},
    lambda result, tools, given: codes(tools),
    study=later(study("two")),
    code="unknown",
)


def asked(app, *requests):
    from starlette.testclient import TestClient

    with TestClient(app, follow_redirects=False) as client:
        replies = [client.request(method, path, **more) for method, path, more in requests]
    return [
        (reply.status_code, reply.headers.get("location"), reply.json().get("title") if reply.content else None)
        for reply in replies
    ]


def as_app(result, tools, given):
    found = asked(
        result, ("GET", "/more", {}), ("GET", "/study", {}), ("POST", "/api/join", {"json": {"link": {"simulated": "x"}}})
    )
    given["store"].close()
    return found


def more():
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    return [Route("/more", lambda request: JSONResponse({"title": "more"}))]


case(
    "evals.study.server.study_app",
    {"store": store()},
    as_app,
    store=store("two", "simulated:x"),
    prefix="/study",
    more=later(lambda tools: more()),
)


def as_routes(result, tools, given):
    app = study_app(given["store"], more=result)
    found = asked(app, ("GET", "/admin/api/progress", {"headers": {"authorization": "Bearer the token of these cases"}}))
    given["store"].close()
    return found


case(
    "evals.study.server.admin.admin_routes",
    {"store": store(), "digest": DIGEST},
    as_routes,
    store=store("two"),
    digest="0" * 64,
)


def with_token(tools):
    opened = study()(tools)
    admin_token(opened)
    return opened


case(
    "evals.study.server.admin.admin_token",
    {"study": later(with_token)},
    lambda result, tools, given: result[1] is None,
    study=later(study("two")),
    renew=True,
)


def listened(tools, app):
    """Let whatever would be served be told instead."""
    from evals.study.server import listening

    def made(given):
        return SimpleNamespace(run=lambda sockets: tools.record(given, sockets[0].getsockname()[0]), should_exit=False)

    tools.fixture("monkeypatch").setattr(listening, "_server", made)
    return app


def address(result, tools, given):
    with result as place:
        return place.rpartition(":")[0]


case(
    "evals.study.server.running",
    {"app": later(lambda tools: listened(tools, "one"))},
    address,
    app=later(lambda tools: listened(tools, "two")),
    host="localhost",
    port=70_000,
)
case(
    "evals.study.server.serve",
    {"app": later(lambda tools: listened(tools, "one")), "port": 0},
    app=later(lambda tools: listened(tools, "two")),
    host="127.0.0.2",
    port=70_000,
    ready=later(lambda tools: lambda port: tools.record("ready")),
)
