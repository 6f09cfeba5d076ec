"""Take a study over HTTP, page by page, as a browser does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from evals.study.flow.way import steps_for
from evals.study.simulated.kind import Page, Reply
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import httpx

    from evals.study.folder import Study
    from evals.study.simulated.kind import SimulatedKind
    from evals.study.steps import Step

AT_ONCE = 8
"""Requests to the study's server at the same time."""
STEPS_MORE = 3
"""How often a page may be submitted beyond its tries until the participant gives up: a page that never goes on is a finding."""


@dataclass
class Taken:
    """One simulated participant's way through the study.

    Attributes:
        kind: the kind's name.
        code: the participant's code on the server.
        status: what the server says at the end: "complete", "screened out", or "left" where it could not go on.
        troubles: what went wrong, in sentences, with the page's name.
        pictures: the pictures that its pages showed.
    """

    kind: str
    code: str
    status: str = "active"
    troubles: list[str] = field(default_factory=list)
    pictures: set[str] = field(default_factory=set)


@dataclass
class _Seat:
    taken: Taken
    token: str
    shown: Sequence[dict[str, Any]]
    steps: tuple[Step, ...]
    seed: int
    random: Random
    done: int = 0
    stuck: int = 0
    before: list[str] = field(default_factory=list)


def take_study(
    study: Study,
    client: httpx.Client,
    kind_name: str,
    kind: SimulatedKind,
    count: int,
    *,
    place_of: Callable[[str], tuple[str, int]],
    seed: int = 0,
    on_page: Callable[[int], None] | None = None,
) -> list[Taken]:
    """Let participants of one kind take the study, all of them page by page at the same time.

    Args:
        study: the study.
        client: with the study's address as its base.
        kind_name: the kind's name in the registry, or the model's.
        kind: who answers.
        count: how many take it.
        place_of: participant's code -> (name of its cell, its seed on the server).
        seed: of the participants' own chance.
        on_page: is called with the number of pages done at each turn.

    Raises:
        UsageError: the server lets nobody in.
    """
    cells = {cell.name: cell for cell in study.cells}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        joined = list(pool.map(lambda _: _post(client, "api/join", None, {"link": {"simulated": kind_name}}), range(count)))
        seats: list[_Seat] = []
        for n, (status, body) in enumerate(joined):
            if status != 200:
                raise UsageError(f"the study's server lets no participant in: {body.get('error', f'status {status}')}")
            cell, own = place_of(body["participant"])
            steps = steps_for(study, cells[cell], own)
            random = Random(f"{seed}-{kind_name}-{n}")  # noqa: S311 - no secret
            seats.append(_Seat(Taken(kind_name, body["participant"]), body["token"], body["steps"], steps, own, random))
        active = seats
        while active:
            pages = [_page(study, seat) for seat in active]
            for seat in active:
                seat.taken.pictures.update(_pictures(str(seat.shown[seat.done].get("html", ""))))
            replies = kind.answer(pages)
            list(pool.map(lambda pair: _submit(client, *pair), zip(active, replies, strict=True)))
            active = [seat for seat in active if seat.taken.status == "active"]
            if on_page is not None:
                on_page(len(pages))
    return [seat.taken for seat in seats]


def _page(study: Study, seat: _Seat) -> Page:
    return Page(
        shown=seat.shown[seat.done],
        step=seat.steps[seat.done],
        study=study,
        seed=seat.seed,
        random=seat.random,
        code=seat.taken.code,
        before=tuple(seat.before),
    )


def _submit(client: httpx.Client, seat: _Seat, reply: Reply) -> None:
    step = seat.steps[seat.done]
    if reply.trouble:
        seat.taken.status = "left"
        seat.taken.troubles.append(f"page {step.name}: {reply.trouble}")
        return
    sent = {"step": seat.done, "responses": dict(reply.responses), "seconds": reply.seconds, "try": seat.stuck + 1}
    status, body = _post(client, "api/answers", seat.token, sent)
    problems = body.get("problems") or {}
    if status != 200 and not problems:
        seat.taken.status = "left"
        seat.taken.troubles.append(f"page {step.name}: the server answered {status}: {body.get('error', '')}")
        return
    for question, sentence in problems.items():
        seat.taken.troubles.append(f"page {step.name}, question {question}: {sentence}")
    seat.before += remembered(step, body.get("feedback") or ())
    if body.get("accepted"):
        seat.done, seat.stuck = int(body["done"]), 0
    else:
        seat.stuck += 1
    if body.get("status", "active") not in ("active", "complete"):  # the debriefing is read, too
        seat.taken.status = str(body["status"])
    elif seat.stuck >= step.tries + STEPS_MORE:
        seat.taken.status = "left"
        seat.taken.troubles.append(f"page {step.name}: it never went on")
    elif seat.done >= len(seat.steps):
        seat.taken.status = "complete"


def remembered(step: Step, feedback: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a person would remember of a page: instructions, and what practice taught.

    Args:
        step: the page.
        feedback: what was said to the answers.
    """
    told: list[str] = []
    if step.phase == "instructions":
        told.append(step.text)
    if step.phase == "practice" and step.feedback:
        for one in feedback:
            verdict = "right" if one.get("correct") else "wrong"
            told.append(
                f"In practice, on this page: {step.text}\nyour answer was {verdict}; the right answer is {one.get('expected')}."
            )
    if step.phase == "comprehension":
        told += [
            f"Your answer to the question {one.get('question')!r} was wrong; try another one."
            for one in feedback
            if not one.get("correct")
        ]
    return told


def _pictures(html: str) -> set[str]:
    import re

    return set(re.findall(r'src="(images/[^"]+)"', html))


def _post(client: httpx.Client, path: str, token: str | None, content: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    import httpx

    try:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        reply = client.post(path, json=content, headers=headers)
        body = reply.json()
    except (httpx.HTTPError, ValueError) as error:
        return 0, {"error": f"{type(error).__name__}: {error}"}
    return reply.status_code, body if isinstance(body, dict) else {}
