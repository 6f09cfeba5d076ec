"""A page comes in: judged, kept, and answered, all or nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from evals.study.flow.judging import judge
from evals.study.server.joining import TAKEN, check_is_in_time, find, free_place, keep_person, link_of
from evals.study.server.requests import Refusal
from evals.study.server.store import erase, iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.study.flow.judging import Outcome
    from evals.study.server.store import Person, Store
    from evals.study.steps import Step
    from saywhy_core.disk.sqlite import Database


def answer(
    store: Store,
    token: str,
    number: int,
    responses: Mapping[str, Any],
    *,
    seconds: float | None,
    attempt: int | None = None,
    surroundings: tuple[str, str] = ("", ""),
) -> dict[str, Any]:
    """Take the responses to a page. When this returns, they are on the disk.

    The same responses to the same page once more get the same reply, and change nothing.

    Args:
        store: the store.
        token: the participant's.
        number: of the page.
        responses: question name -> response.
        seconds: time on the page.
        attempt: which submission of this page it is, from 1, where the page says so: it tells a second try with the same
            responses from a reply that was lost.
        surroundings: the network address and the browser's name, to be kept with consent.

    Raises:
        Refusal: 401 unknown; 409 another page is due, or this one was answered differently; 410 too late; 422 a response is
            not valid.
    """
    try:
        return _taken(store, token, number, responses, seconds, attempt, surroundings)
    except Refusal as refusal:
        if refusal.content.get("status") == TAKEN:  # outside of the transaction that the refusal undid
            free_place(store, token)
        raise


def _taken(
    store: Store, token: str, number: int, responses: Mapping[str, Any], seconds: float | None, attempt: int | None,
    surroundings: tuple[str, str],
) -> dict[str, Any]:  # fmt: skip
    with store.writing() as database:
        person = find(database, token)
        check_is_in_time(store, person)
        written = json.dumps(responses, sort_keys=True, ensure_ascii=False)
        last = database.execute(
            "SELECT tries, responses, reply FROM pages WHERE participant = ? AND step = ? ORDER BY tries DESC LIMIT 1",
            (person.id, number),
        ).fetchone()
        if last is not None and last[1] == written and (attempt is None or attempt <= last[0]):
            reply: dict[str, Any] = json.loads(last[2])
            return reply
        steps = store.steps(person)
        repeated = last is not None and attempt is not None and attempt <= last[0]
        if number != person.done or number >= len(steps) or repeated or person.status == "screened out":
            raise Refusal(409, _out_of_order(number, person, len(steps)), done=person.done)
        tries = 1 if last is None else last[0] + 1
        now = store.now(person)
        outcome = judge(
            store.study, steps[number], responses,
            participant=person.code, seed=person.seed, tries=tries, seconds=seconds, submitted=iso(now),
        )  # fmt: skip
        asked = steps[number].questions
        twofold = {one.name: said for one in asked if (said := one.contradiction(responses.get(one.name))) is not None}
        problems = twofold | dict(outcome.problems)
        if problems:
            more = _reply(store, person, replace(outcome, accepted=False)) | {"problems": problems}
            raise Refusal(422, "Some answers are missing or can't be used.", **more)
        if steps[number].phase == "consent" and outcome.accepted and not person.consented:
            keep_person(store, database, person.id, link_of(token), surroundings)
        after = _after(person, steps, outcome, now)
        reply = _reply(store, after, outcome) | {"tries": tries}
        _keep(database, after, number, tries, written, seconds, outcome, reply, now)
    return reply


def _out_of_order(number: int, person: Person, pages: int) -> str:
    if person.status == "screened out":
        return "The study has ended for you, and takes no more answers."
    if number >= pages:
        return f"There is no such page: the study has {pages} pages, counted from 0."
    if number > person.done:
        return f"Page {person.done} comes first."
    return "This page was answered already, and differently; the first answer stays."


def withdraw(store: Store, token: str) -> dict[str, Any]:
    """Delete what a participant answered; only that somebody withdrew stays.

    Raises:
        Refusal: 401, the token is unknown.
    """
    with store.writing() as database:
        person = find(database, token)
        if person.status != "withdrawn":
            erase(database, person.code)
    return {"done": 0, "status": "withdrawn", "completion": None}


def state(store: Store, token: str) -> dict[str, Any]:
    """Where a participant is.

    Raises:
        Refusal: 401, the token is unknown.
    """
    with store.reading() as database:
        person = find(database, token)
    return {
        "done": person.done,
        "status": told(store, person),
        "ends": iso(store.ends(person)),
        "completion": completion(store, person),
    }


def told(store: Store, person: Person) -> str:
    """The status that the page is told: complete once only the debriefing is left, on which the code stands."""
    return store.status(person)


def completion(store: Store, person: Person) -> dict[str, str | None] | None:
    """What the participant takes back to the platform; None before the end, or where there is nothing to take."""
    part = store.study.file.completion
    if told(store, person) not in ("complete", "screened out"):
        return None
    code = part.screened_code if person.status == "screened out" else part.code
    if code is None and (part.url is None or "{code}" in part.url):
        return None
    return {"code": code, "url": part.url and part.url.replace("{code}", quote(code or "", safe=""))}


def _after(person: Person, steps: tuple[Step, ...], outcome: Outcome, now: float) -> Person:
    """The participant after the page. The answers are complete when only the debriefing is left, which nobody has to click."""
    done = person.done + 1 if outcome.accepted else person.done
    status = person.status
    if outcome.screened_out:
        status = "screened out"
    elif status == "active" and all(step.phase == "debriefing" for step in steps[done:]):
        status = "complete"
    finished = now if status != "active" and person.finished is None else person.finished
    consented = person.consented or (outcome.accepted and steps[person.done].phase == "consent")
    return replace(person, done=done, status=status, seen=now, finished=finished, consented=consented)


def _reply(store: Store, person: Person, outcome: Outcome) -> dict[str, Any]:
    return {
        "done": person.done,
        "accepted": outcome.accepted,
        "feedback": [dict(one) for one in outcome.feedback],
        "problems": {},
        "status": told(store, person),
        "completion": completion(store, person),
    }


def _keep(
    database: Database, person: Person, number: int, tries: int, responses: str, seconds: float | None, outcome: Outcome,
    reply: Mapping[str, Any], now: float,
) -> None:  # fmt: skip
    database.execute(
        "INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (person.id, number, tries, responses, seconds, outcome.accepted, json.dumps(reply, ensure_ascii=False), now),
    )
    database.executemany(
        "INSERT INTO answers (participant, step, tries, phase, task, kind, response, trial, item, condition, expected, "
        "correct, value, seconds, submitted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (person.id, row.step, row.tries, row.phase, row.task, row.kind, row.response, row.trial, row.item, row.condition,
             row.expected, row.correct, row.value, row.seconds, row.submitted)
            for row in outcome.rows
        ],
    )  # fmt: skip
    database.execute(
        "UPDATE participants SET done = ?, status = ?, seen = ?, finished = ?, consented = ? WHERE id = ?",
        (person.done, person.status, person.seen, person.finished, person.consented, person.id),
    )
