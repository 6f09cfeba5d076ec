"""The addresses of the researchers' page. Without the token, each of them answers 401 and tells nothing."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from evals.study.server.admin.entry import Entry
from evals.study.server.admin.page import login_page, progress_page
from evals.study.server.admin.progress import progress_of
from evals.study.server.app import refusing
from evals.study.server.requests import Refusal, body, document
from evals.study.server.served import static_of, versioned
from saywhy_core.csv_rows import csv_row

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from evals.study.server.admin.entry import Session
    from evals.study.server.store import Store

    Work = Callable[[Request], Awaitable[Response]]

COOKIE = "saywhy_study_admin"
_FORM = 8 * 1024  # bytes of a form: a token, or a code
_DONE = {
    "stopped": "No new participants are let in.",
    "resumed": "New participants are let in.",
    "deleted": "The participant's answers are deleted.",
    "unknown": "No participant has this code.",
}
"""What the page says after a form: the address names it, so that no text of an address stands in the page."""


def admin_routes(store: Store, digest: str) -> list[BaseRoute]:
    """The routes of the researchers' page.

    Args:
        store: the answers.
        digest: of the token, as `admin_token` gives it.
    """
    from starlette.routing import Route

    side = _Side(store, Entry(digest))
    reads: dict[str, Work] = {
        "/admin/api/progress": side.progress,
        "/admin/api/answers.csv": side.table,
        "/admin/api/answers.json": side.whole,
        "/admin/api/links.csv": side.links,
    }
    forms: dict[str, Work] = {
        "/admin/logout": side.logout,
        "/admin/recruitment": side.recruitment,
        "/admin/delete": side.delete,
    }
    calls: dict[str, Work] = {"/admin/api/recruitment": side.recruit, "/admin/api/delete": side.forget}
    return [
        Route("/admin", refusing(side.page)),
        Route("/admin/login", refusing(side.login), methods=["POST"]),
        *(Route(path, refusing(partial(side.guarded, work))) for path, work in reads.items()),
        *(Route(path, refusing(partial(side.from_form, work)), methods=["POST"]) for path, work in forms.items()),
        *(Route(path, refusing(partial(side.with_token, work)), methods=["POST"]) for path, work in calls.items()),
    ]


class _Side:
    """What researchers can ask for."""

    def __init__(self, store: Store, entry: Entry) -> None:
        self.store, self.entry = store, entry
        self.style = versioned("static/admin.css", {f"static/{name}": one for name, one in static_of(store.study).items()})

    def let_in(self, request: Request) -> Session | None:
        """The session of a browser; None where the request itself holds the token.

        Raises:
            Refusal: 401 neither; 429 too many wrong tokens.
        """
        session = self.entry.session(request.cookies.get(COOKIE))
        if session is not None:
            return session
        self.check_token(request)
        return None

    def check_token(self, request: Request) -> None:
        """See whether the request itself holds the token: what scripts use, and no other site's page can send.

        Raises:
            Refusal: 401 it does not; 429 too many wrong tokens.
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Refusal(401, "This is for researchers, who have the token.")
        self.compare(token)

    def compare(self, token: str) -> None:
        """See whether a token is right.

        Raises:
            Refusal: 401 it is not; 429 too many wrong tokens.
        """
        wait = self.entry.check(token)
        if wait is None:
            return
        if wait:
            raise Refusal(429, "There were too many wrong tokens; please wait a moment.", wait=math.ceil(wait))
        raise Refusal(401, "This token is not the one of this study.")

    async def guarded(self, work: Work, request: Request) -> Response:
        self.let_in(request)
        return await work(request)

    async def with_token(self, work: Work, request: Request) -> Response:
        self.check_token(request)
        return await work(request)

    async def from_form(self, work: Work, request: Request) -> Response:
        from starlette.responses import RedirectResponse

        session = self.entry.session(request.cookies.get(COOKIE))
        if session is None:
            return RedirectResponse("../admin", 303) if request.cookies.get(COOKIE) else _not_let_in(self.style, 401)
        request.state.form = await _form(request)
        given = request.state.form.get("form", "")
        if not _same(given, session.form):
            raise Refusal(403, "This form is not from this page; please open the researchers' page again.")
        return await work(request)

    async def page(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import HTMLResponse

        try:
            session = self.let_in(request)
        except Refusal as refusal:
            return _not_let_in(self.style, refusal.http)
        progress = await run_in_threadpool(progress_of, self.store)
        message = _DONE.get(request.query_params.get("done", ""), "")
        return HTMLResponse(progress_page(progress, session.form if session else "", self.style, message=message))

    async def login(self, request: Request) -> Response:
        from starlette.responses import RedirectResponse

        try:
            self.compare((await _form(request)).get("token", "").strip())
        except Refusal as refusal:
            return _not_let_in(self.style, refusal.http, str(refusal), inside=True)
        reply = RedirectResponse("../admin", 303)
        # without a path, the cookie is for the folder of this address, as the browser sees it: no prefix need be known
        cookie = f"{COOKIE}={self.entry.begin()}; HttpOnly; SameSite=Strict"
        reply.headers["set-cookie"] = cookie + ("; Secure" if request.url.scheme == "https" else "")
        return reply

    async def logout(self, request: Request) -> Response:
        from starlette.responses import RedirectResponse

        self.entry.end(request.cookies.get(COOKIE))
        reply = RedirectResponse("../admin", 303)
        reply.headers["set-cookie"] = f"{COOKIE}=; Max-Age=0; HttpOnly; SameSite=Strict"
        return reply

    async def recruitment(self, request: Request) -> Response:
        wanted = request.state.form.get("wanted")
        if wanted not in ("stop", "resume"):
            raise Refusal(400, "Recruitment can be stopped or resumed.")
        await _in_thread(lambda: self.store.recruit(wanted == "resume"))
        return _back("resumed" if wanted == "resume" else "stopped")

    async def delete(self, request: Request) -> Response:
        code = request.state.form.get("code", "").strip()
        return _back("deleted" if await _in_thread(lambda: self.store.forget(code)) else "unknown")

    async def recruit(self, request: Request) -> Response:
        from starlette.responses import JSONResponse

        wanted = (await document(request)).get("open")
        if not isinstance(wanted, bool):
            raise Refusal(400, "'open' must be true or false.")
        await _in_thread(lambda: self.store.recruit(wanted))
        return JSONResponse({"open": wanted})

    async def forget(self, request: Request) -> Response:
        from starlette.responses import JSONResponse

        code = (await document(request)).get("code")
        if not isinstance(code, str) or not await _in_thread(lambda: self.store.forget(code)):
            raise Refusal(404, "No participant has this code.")
        return JSONResponse({"deleted": code})

    async def progress(self, request: Request) -> Response:  # noqa: ARG002 - it is the same for everybody who is let in
        from starlette.responses import JSONResponse

        return JSONResponse((await _in_thread(lambda: progress_of(self.store))).to_record())

    async def table(self, request: Request) -> Response:  # noqa: ARG002
        return _download(await _in_thread(lambda: self.store.answers().to_csv()), "answers.csv", "text/csv; charset=utf-8")

    async def whole(self, request: Request) -> Response:  # noqa: ARG002
        return _download(await _in_thread(lambda: _as_json(self.store)), "answers.json", "application/json")

    async def links(self, request: Request) -> Response:  # noqa: ARG002
        return _download(await _in_thread(lambda: _links(self.store)), "links.csv", "text/csv; charset=utf-8")


def _as_json(store: Store) -> str:
    answers = store.answers()
    return json.dumps(
        {
            "version": 1,
            "study": store.study.digest,
            "participants": [asdict(one) for one in answers.participants.values()],
            "answers": [asdict(row) for row in answers.rows],
            "items": {name: dict(facts) for name, facts in answers.items.items()},
        },
        ensure_ascii=False,
        indent=1,
    )


def _links(store: Store) -> str:
    lines = [csv_row(["participant", "status", "name", "value"])]
    with store.reading() as database:
        people = {person.id: person for person in store.people(database)}
        for number, name, value in database.execute("SELECT * FROM links ORDER BY participant, name"):
            lines.append(csv_row([people[number].code, store.status(people[number]), name, value]))
    return "".join(lines)


async def _in_thread(work: Callable[[], Any]) -> Any:
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(work)


async def _form(request: Request) -> dict[str, str]:
    """A form of a page of ours.

    Raises:
        Refusal: 400 it can't be read; 413 it is too long; 415 it is something else.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Refusal(415, "This is no form.")
    try:
        found = parse_qs((await body(request, _FORM)).decode(), max_num_fields=10, keep_blank_values=True)
    except ValueError:
        raise Refusal(400, "This form could not be read.") from None
    return {name: values[-1] for name, values in found.items()}


def _same(one: str, other: str) -> bool:
    import hmac

    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _back(done: str) -> Response:
    from starlette.responses import RedirectResponse

    return RedirectResponse(f"../admin?done={done}", 303)


def _not_let_in(style: str, status: int, message: str = "", *, inside: bool = False) -> Response:
    from starlette.responses import HTMLResponse

    page = login_page(f"../{style}" if inside else style, message=message)
    return HTMLResponse(page.replace('action="admin/login"', 'action="login"') if inside else page, status)


def _download(content: str, name: str, kind: str) -> Response:
    from starlette.responses import Response

    return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})
