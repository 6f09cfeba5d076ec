"""The participants' side of the server: the page, its files, and the protocol by which it joins and answers."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

from evals.study.answers import PEOPLE
from evals.study.server.answering import answer, completion, state, told, withdraw
from evals.study.server.joining import join
from evals.study.server.rates import Rates
from evals.study.server.requests import Refusal, document, link_in, seconds_in, token_of, whole
from evals.study.server.served import FOR_EVER, images_of, page_of, static_of
from evals.study.server.shielding import Shield
from evals.study.server.store import iso
from evals.study.server.writes import Writes, disk_troubles, run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from evals.study.server.served import Served
    from evals.study.server.shielding import App
    from evals.study.server.store import Store

    Endpoint = Callable[[Request], Awaitable[Response]]

_PER_TOKEN = (20.0, 200)  # per second, at once: a person sends one in ten seconds, a simulated participant a study in one go
_JOINS = (20.0, 500)  # a crowd comes within seconds of the first call; places are limited anyway
_KEY = 128  # characters of the page's random text

log = logging.getLogger(__name__)


def study_app(store: Store, *, prefix: str = "", more: Sequence[BaseRoute] = ()) -> App:
    """The study as an ASGI application.

    Args:
        store: where answers are kept.
        prefix: the path under which a reverse proxy shows it, such as "/study". Paths without it are answered, too.
        more: further routes: the researchers' page.

    Raises:
        UsageError: the prefix is no path.
    """
    from starlette.applications import Starlette
    from starlette.routing import Route

    side = _Side(store)
    routes: list[BaseRoute] = [
        Route("/", refusing(side.page)),
        Route("/favicon.ico", refusing(_nothing)),
        Route("/static/{name:path}", refusing(side.static)),
        Route("/images/{name:path}", refusing(side.image)),
        Route("/api/join", refusing(side.join), methods=["POST"]),
        Route("/api/answers", refusing(side.answers), methods=["POST"]),
        Route("/api/withdraw", refusing(side.withdraw), methods=["POST"]),
        Route("/api/state", refusing(side.state)),
        *more,
    ]
    app = Starlette(routes=routes, exception_handlers={404: _told, 405: _told, 500: _failed, **disk_troubles(store.path)})
    app.router.redirect_slashes = False
    return Shield(app, prefix)


def refusing(endpoint: Endpoint) -> Endpoint:
    """An endpoint whose refusals become replies."""

    async def refused(request: Request) -> Response:
        from starlette.responses import JSONResponse

        try:
            return await endpoint(request)
        except Refusal as refusal:
            headers = {}
            if "wait" in refusal.content:
                headers["retry-after"] = str(refusal.content["wait"])
            if refusal.http in (408, 413):  # what is left of the body is not read
                headers["connection"] = "close"
            return JSONResponse(refusal.content, refusal.http, headers)

    return refused


def check_rate(rates: Rates, key: Any = None) -> None:
    """Let a request pass, or refuse it.

    Raises:
        Refusal: 429, there were too many.
    """
    wait = rates.wait(key)
    if wait:
        raise Refusal(429, "These are too many requests; please wait a moment.", wait=math.ceil(wait))


class _Side:
    """What participants can ask for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.static_files, self.images = static_of(store.study), images_of(store.study)
        self.html = page_of(store.study, self.static_files)
        self.rates, self.joins = Rates(*_PER_TOKEN), Rates(*_JOINS)
        self.writes = Writes(store)

    async def page(self, request: Request) -> Response:  # noqa: ARG002 - it is the same for everybody
        from starlette.responses import Response

        if self.html is None:
            raise Refusal(503, "This study has no pages yet: its researchers fetch them with saywhy study assets.")
        return Response(self.html, media_type="text/html")

    async def static(self, request: Request) -> Response:
        return await _file(self.static_files, request)

    async def image(self, request: Request) -> Response:
        return await _file(self.images, request)

    async def join(self, request: Request) -> Response:
        token = token_of(request)
        content = await document(request)
        link, key = link_in(content.get("link")), content.get("key")
        if key is not None and (not isinstance(key, str) or not 16 <= len(key) <= _KEY):
            raise Refusal(400, f"'key' must be a random text of 16 to {_KEY} characters.")
        if self.store.source == PEOPLE and "simulated" in link:
            raise Refusal(403, "This study is for people; simulated participants need a server of their own.")
        check_rate(self.joins)
        around = _surroundings(request)
        return await self._written(lambda: self._joined(token, key, link, around))

    def _joined(
        self, token: str | None, key: str | None, link: dict[str, str], surroundings: tuple[str, str]
    ) -> dict[str, Any]:
        person, given = join(self.store, token, key, link, surroundings)
        return {
            "participant": person.code,
            "token": given,
            "title": self.store.study.file.title,
            "language": self.store.study.file.language,
            "steps": [step.to_record() for step in self.store.steps(person)],
            "done": person.done,
            "status": told(self.store, person),
            "ends": iso(self.store.ends(person)),
            "completion": completion(self.store, person),
        }

    async def answers(self, request: Request) -> Response:
        token = self._token(request)
        content = await document(request)
        number, attempt = whole(content, "step"), whole(content, "try", required=False)
        responses, seconds = content.get("responses", {}), seconds_in(content)
        if not isinstance(responses, dict):
            raise Refusal(400, "'responses' must be an object: a response by the name of each question.")
        around = _surroundings(request)
        return await self._written(
            lambda: answer(self.store, token, number or 0, responses, seconds=seconds, attempt=attempt, surroundings=around)
        )

    async def withdraw(self, request: Request) -> Response:
        token = self._token(request)
        reply = await self._written(lambda: withdraw(self.store, token))
        await run_in_threadpool(self.store.tidy)
        return reply

    async def state(self, request: Request) -> Response:
        token = self._token(request)
        return _json(await run_in_threadpool(lambda: state(self.store, token)))

    async def _written(self, work: Callable[[], dict[str, Any]]) -> Response:
        return _json(await self.writes.done(work))

    def _token(self, request: Request) -> str:
        token = token_of(request)
        if token is None:
            raise Refusal(401, "Please open the study's link first.")
        check_rate(self.rates, token)
        return token


async def _nothing(request: Request) -> Response:  # noqa: ARG001 - browsers ask for it by themselves
    from starlette.responses import Response

    return Response(status_code=204)


def _surroundings(request: Request) -> tuple[str, str]:
    return (request.client.host if request.client else "", request.headers.get("user-agent", "")[:500])


def _json(content: dict[str, Any]) -> Response:
    from starlette.responses import JSONResponse

    return JSONResponse(content)


async def _file(known: dict[str, Served], request: Request) -> Response:
    from starlette.responses import FileResponse, Response

    found = known.get(request.path_params["name"])
    if found is None or not (found.path is None or found.path.is_file()):
        raise Refusal(404, "There is no such page.")
    tag = f'"{found.digest}"'
    lasting = request.url.query == f"v={found.digest}" or (found.path is not None and found.path.parent.name == "images")
    headers = {"cache-control": FOR_EVER if lasting else "no-cache", "etag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if found.path is None:
        return Response(found.content, media_type=found.kind, headers=headers)
    return FileResponse(found.path, media_type=found.kind, headers=headers)


async def _told(request: Request, error: Exception) -> Response:  # noqa: ARG001 - starlette gives both
    from starlette.responses import JSONResponse

    sentence = "There is no such page." if getattr(error, "status_code", 404) == 404 else "This can't be done here."
    headers = getattr(error, "headers", None)
    return JSONResponse({"error": sentence}, getattr(error, "status_code", 404), headers)


async def _failed(request: Request, error: Exception) -> Response:
    from starlette.responses import JSONResponse

    log.error(
        "a request to %s failed: %s", request.scope["route"].path if "route" in request.scope else "?", type(error).__name__
    )
    return JSONResponse({"error": "Something went wrong here. Please try again in a moment."}, 500)
