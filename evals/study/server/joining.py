"""Who comes in: a place in a cell for somebody new, and the way back for those who have one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from random import Random
from typing import TYPE_CHECKING

from evals.study.answers import PEOPLE
from evals.study.server.requests import UNKNOWN, Refusal, link_in
from evals.study.server.store import Person, person_of
from evals.study.server.tables import meta, put_meta
from saywhy_core.reading.documents import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evals.study.server.store import Store
    from saywhy_core.disk.sqlite import Database

PERSONS = ("PROLIFIC_PID", "workerId", "participant")
"""The parts of a link that say who somebody is, on Prolific, Mechanical Turk and elsewhere; the first that is there counts."""
ALREADY = (
    "Somebody with your link has begun or finished this study already, and each person takes part once. If that was you, "
    "please go on in the browser in which you began: your place and your completion code are there. Thank you."
)
"""What is said to people whose link is known: those in the middle, and those who are done."""
TAKEN = "taken"
"""The status in the refusal of somebody whose link's person takes part already."""
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # without those that are taken for each other on paper
_WAITING = 10_000  # people of whom it is remembered, in memory alone, which place they hold before consent
_CODE = 10  # letters: 49 bits, so that no code is hit by guessing


def join(
    store: Store, token: str | None, key: str | None, link: Mapping[str, str], surroundings: tuple[str, str] = ("", "")
) -> tuple[Person, str]:
    """Let somebody in, or back in.

    A place is chosen in the cell with the fewest people who completed the study or are at it; ties are broken by the study's
    seed. Nothing about the person is kept on the disk before consent: the link travels inside the token until then. One person
    holds one place: where the link's person joins again, the place that was taken before, and not consented to, is free.

    Args:
        store: the store.
        token: of somebody who comes back.
        key: a random text of the page: joining twice with the same one gives the same place, so that a reply that was lost
            costs no place.
        link: parts of the address that the person came with.
        surroundings: the network address and the browser's name, for studies that keep them and ask for no consent.

    Returns:
        the participant, and the token.

    Raises:
        Refusal: 401 the token is unknown; 403 nobody is let in; 409 this person took part already; 410 it is too late.
    """
    with store.writing() as database:
        if token is not None:
            return _return(store, database, find(database, token), token)
        token = _token(database, key or secrets.token_urlsafe(32), link)
        known = _look_up(database, token)
        if known is not None:
            return _return(store, database, known, token)
        who = check_is_new(database, link)
        if who is not None and who in store.waiting:
            _leave(store, database, store.waiting[who])
        person = _enter(store, database, token, link, surroundings)
        if who is not None:
            store.waiting[who] = person.code
            while len(store.waiting) > _WAITING:
                store.waiting.pop(next(iter(store.waiting)))
        return person, token


def free_place(store: Store, token: str) -> None:
    """Give up the place of somebody who has not consented, and can't: the token then opens nothing."""
    with store.writing() as database:
        database.execute("DELETE FROM participants WHERE token = ? AND NOT consented", (_digest(token),))


def find(database: Database, token: str) -> Person:
    """The participant of a token.

    Raises:
        Refusal: 401, there is none.
    """
    person = _look_up(database, token)
    if person is None:
        raise Refusal(401, UNKNOWN)
    return person


def check_is_in_time(store: Store, person: Person) -> None:
    """See whether a participant can still go on.

    Raises:
        Refusal: 410, the time to return has passed, or the answers were deleted.
    """
    if person.status == "withdrawn":
        raise Refusal(410, "You have withdrawn from this study, and your answers are deleted.", status="withdrawn")
    if person.status == "active" and store.clock() > store.ends(person):
        raise Refusal(410, "The time in which you could come back has passed. Thank you for your time.", status="left")


def check_is_new(database: Database, link: Mapping[str, str]) -> str | None:
    """Who the link says this is, or None where it does not say.

    Raises:
        Refusal: 409, this person took part already.
    """
    who = next((link[name] for name in PERSONS if link.get(name)), None)
    if who is not None and database.execute("SELECT 1 FROM participants WHERE person = ?", (who,)).fetchone():
        raise Refusal(409, ALREADY, status=TAKEN)
    return who


def keep_person(
    store: Store, database: Database, participant: int, link: Mapping[str, str], surroundings: tuple[str, str]
) -> None:
    """Keep what the link says about a participant who has consented: researchers need it to pay people.

    The network address and the browser's name are kept only where the study asks for it.

    Raises:
        Refusal: 409, this person took part already.
    """
    who = check_is_new(database, link)
    database.execute("UPDATE participants SET person = ? WHERE id = ?", (who, participant))
    database.executemany("INSERT INTO links VALUES (?, ?, ?)", [(participant, *pair) for pair in link.items()])
    if store.study.file.server.keep_addresses:
        database.execute("INSERT OR REPLACE INTO surroundings VALUES (?, ?, ?)", (participant, *surroundings))


def link_of(token: str) -> dict[str, str]:
    """The link that travels inside a token. Whoever has the token wrote the link, and could have written another one.

    Raises:
        Refusal: 400 or 401, it is no link.
    """
    packed = token.partition(".")[2]
    if not packed:
        return {}
    try:
        found = parse_json(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), "the link", unique=True)
    except ValueError:
        raise Refusal(401, UNKNOWN) from None
    return link_in(found)


def places(store: Store, database: Database) -> dict[str, int]:
    """By cell: how many completed the study, or are at it and not over their time."""
    taken = dict.fromkeys((cell.name for cell in store.study.cells), 0)
    counted = database.execute(
        "SELECT cell, count(*) FROM participants WHERE status = 'complete' OR (status = 'active' AND seen >= ?) GROUP BY cell",
        (store.clock() - store.leave_after,),
    )
    return taken | dict(counted.fetchall())


def place_for(study_seed: int, number: int, taken: Mapping[str, int]) -> tuple[str, int]:
    """The cell and the seed of whoever joins next.

    Args:
        study_seed: the seed of the study.
        number: how many joined before.
        taken: how many hold a place, by cell.
    """
    random = Random(f"{study_seed}-{number}")  # noqa: S311 - the order of a study, which is no secret
    fewest = min(taken.values())
    cell = random.choice([name for name, count in taken.items() if count == fewest])
    return cell, random.randrange(2**31)


def _leave(store: Store, database: Database, code: str) -> None:
    """Somebody who has not consented holds no place any more, and may still come back, as who has left."""
    database.execute(
        "UPDATE participants SET seen = min(seen, ?) WHERE code = ? AND NOT consented",
        (store.clock() - store.leave_after - 0.001, code),
    )


def _return(store: Store, database: Database, person: Person, token: str) -> tuple[Person, str]:
    check_is_in_time(store, person)
    if person.status == "active":
        database.execute("UPDATE participants SET seen = ? WHERE id = ?", (store.now(person), person.id))
    return _by_id(database, person.id), token


def _enter(store: Store, database: Database, token: str, link: Mapping[str, str], surroundings: tuple[str, str]) -> Person:
    now = store.clock()
    if meta(database, "recruiting", "yes") != "yes":
        raise Refusal(403, "This study takes no new participants at the moment. Thank you for your interest.")
    database.execute("DELETE FROM participants WHERE NOT consented AND seen < ?", (now - store.return_within,))
    taken = places(store, database)
    if sum(taken.values()) >= store.study.file.design.participants:
        raise Refusal(403, "This study has all its participants. Thank you for your interest.")
    number = int(meta(database, "joined", "0"))
    put_meta(database, "joined", str(number + 1))
    cell, seed = place_for(store.study.file.seed, number, taken)
    source = store.source
    if source != PEOPLE:
        source = f"simulated:{link.get('simulated') or source.partition(':')[2] or 'unnamed'}"
    consented = store.study.file.consent is None
    done = database.execute(
        "INSERT INTO participants (code, token, cell, seed, source, status, done, consented, joined, seen) "
        "VALUES (?, ?, ?, ?, ?, 'active', 0, ?, ?, ?)",
        ("".join(secrets.choice(_LETTERS) for _ in range(_CODE)), _digest(token), cell, seed, source,
         consented, now, now),
    )  # fmt: skip
    person = int(done.lastrowid or 0)
    if consented:
        keep_person(store, database, person, link, surroundings)
    return _by_id(database, person)


def _token(database: Database, key: str, link: Mapping[str, str]) -> str:
    """The token of a key: the same key gives the same token, which nobody else can compute."""
    digest = hmac.digest(bytes.fromhex(meta(database, "secret")), key.encode(), "sha256")
    packed = base64.urlsafe_b64encode(json.dumps(dict(link)).encode()) if link else b""
    return (base64.urlsafe_b64encode(digest).rstrip(b"=") + (b"." + packed.rstrip(b"=") if packed else b"")).decode()


def _digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.partition(".")[0].encode()).hexdigest()


def _look_up(database: Database, token: str) -> Person | None:
    row = database.execute("SELECT * FROM participants WHERE token = ?", (_digest(token),)).fetchone()
    return None if row is None else person_of(row)


def _by_id(database: Database, number: int) -> Person:
    return person_of(database.execute("SELECT * FROM participants WHERE id = ?", (number,)).fetchone())
