"""The store: participants, their pages and their answers, in a database that survives a kill and a power cut."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from evals.study.answers import PEOPLE, Answer, Answers, Participant
from evals.study.flow.way import steps_for
from evals.study.folder import DATABASE
from evals.study.server.tables import meta, open_beside, open_tables, put_meta, read_tables, write_out
from saywhy_core.disk.sqlite import Database, transaction
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from evals.study.answers import Phase, Status
    from evals.study.folder import Study
    from evals.study.steps import Step

SIMULATED_DATABASE = "simulated.db"
_REMEMBERED = 512  # participants whose pages are kept in memory: more than answer at once
_ANSWER = "phase, task, kind, response, step, trial, item, condition, expected, correct, value, seconds, tries, submitted"


@dataclass(frozen=True)
class Person:
    """A row of the table of participants."""

    id: int
    code: str
    token: str
    person: str | None
    cell: str
    seed: int
    source: str
    status: str
    done: int
    consented: bool
    joined: float
    seen: float
    finished: float | None


class Store:
    """The answers of a study, open for writing. Only one process at a time has a study's store.

    Args:
        study: the study.
        path: the database.
        source: `PEOPLE`, or "simulated" with ":" and a name.
        clock: the time in seconds since 1970.
    """

    def __init__(self, study: Study, path: Path, source: str, clock: Callable[[], float]) -> None:
        self.study, self.path, self.source, self.clock = study, path, source, clock
        self.leave_after = study.file.server.leave_after_minutes * 60
        self.return_within = max(study.file.server.return_within_minutes * 60, self.leave_after)
        self._database = open_tables(study, path, source)
        self._lock = threading.Lock()
        self._together: int | None = None  # the thread that does several works in one transaction
        self.waiting: dict[str, str] = {}  # a link's person -> the code of the place before consent; never on the disk
        self._cells = {cell.name: cell for cell in study.cells}
        self._steps = lru_cache(maxsize=_REMEMBERED)(self._steps_of)

    def now(self, person: Person) -> float:
        """The time for what a participant does, never before what the participant did last: clocks are set back at times."""
        return max(self.clock(), person.joined, person.seen)

    def close(self) -> None:
        """Close the database, and let another process have it."""
        with self._lock:
            self._database.close()

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """One transaction, on the disk when the block ends, or when `together` ends around it. Other threads wait."""
        if self._together == threading.get_ident():
            with _part_of_transaction(self._database):
                yield self._database
            return
        with self._lock, transaction(self._database):
            yield self._database

    def together(self, works: Sequence[Callable[[], Any]]) -> list[Any]:
        """Do several works, each of which writes, in one transaction: the disk is waited for once.

        Returns:
            what each work returned, or the exception that it raised; that work then changed nothing.
        """
        results: list[Any] = []
        with self._lock, transaction(self._database):
            self._together = threading.get_ident()
            try:
                for work in works:
                    try:
                        results.append(work())
                    except Exception as error:
                        if not self._database.in_transaction:  # SQLite gave all of it up, as it does where the disk is full
                            raise
                        results.append(error)
            finally:
                self._together = None
        return results

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """What is on the disk at one moment; writers don't wait."""
        with closing(read_tables(self.path)) as database:
            database.execute("BEGIN")
            yield database

    def steps(self, person: Person) -> tuple[Step, ...]:
        """All pages of a participant."""
        return self._steps(person.cell, person.seed)

    def _steps_of(self, cell: str, seed: int) -> tuple[Step, ...]:
        return steps_for(self.study, self._cells[cell], seed)

    def ends(self, person: Person) -> float:
        """Until when a participant can come back."""
        return person.seen + self.return_within

    def status(self, person: Person) -> Status:
        """A participant's status now."""
        return status_of(self.study, person, self.clock())

    @property
    def recruiting(self) -> bool:
        """Whether new participants are let in, unless the study is full."""
        with self._lock:
            return meta(self._database, "recruiting", "yes") == "yes"

    def recruit(self, wanted: bool) -> None:
        """Let new participants in, or stop that. Those who have begun go on."""
        with self.writing() as database:
            put_meta(database, "recruiting", "yes" if wanted else "no")

    def forget(self, code: str) -> bool:
        """Delete everything of a participant; return whether there was one with this code.

        One row without code and times stays, so that withdrawals can be counted. The bytes are overwritten on the disk.
        """
        with self.writing() as database:
            known = erase(database, code.strip().upper())
        self.tidy()
        return known

    def tidy(self) -> None:
        """Write the log of changes into the database, so that no deleted answer stays in it."""
        with self._lock:
            write_out(self._database)

    def place_of(self, code: str) -> tuple[str, int]:
        """The cell and the seed of a participant: what `steps_for` makes the pages of.

        Raises:
            KeyError: no participant has this code.
        """
        with self.reading() as database:
            row = database.execute("SELECT cell, seed FROM participants WHERE code = ?", (code,)).fetchone()
        if row is None:
            raise KeyError(code)
        return str(row[0]), int(row[1])

    def people(self, database: Database | None = None) -> list[Person]:
        """All participants, in the order in which they came."""
        if database is None:
            with self.reading() as opened:
                return self.people(opened)
        return [person_of(row) for row in database.execute("SELECT * FROM participants ORDER BY id")]

    def answers(self) -> Answers:
        """What was answered so far, by those who consented."""
        return read_answers(self.study, self.path, clock=self.clock)


def read_answers(study: Study, path: Path | None = None, *, clock: Callable[[], float] = time.time) -> Answers:
    """What was answered so far, by those who consented; a server may be writing meanwhile.

    Args:
        study: the study.
        path: the database; by default `answers.db` in the study's folder.
        clock: the time in seconds since 1970.

    Raises:
        UsageError: there is no such database.
    """
    with closing(read_tables(path or study.folder / DATABASE)) as database:
        database.execute("BEGIN")
        found = [person_of(row) for row in database.execute("SELECT * FROM participants ORDER BY id")]
        rows = database.execute(f"SELECT participant, {_ANSWER} FROM answers ORDER BY id").fetchall()  # noqa: S608 - our names
    people = {person.id: person for person in found if person.consented}
    answers = tuple(_answer(people[row[0]].code, row[1:]) for row in rows if row[0] in people)
    about: dict[str, dict[str, str]] = {}
    for answer in answers:
        if answer.phase == "demographics":
            about.setdefault(answer.participant, {})[answer.task] = answer.response
    return Answers(
        answers,
        {
            person.code: Participant(
                code=person.code,
                cell=person.cell,
                source=person.source,
                status=status_of(study, person, clock()),
                started=iso(person.joined) if person.joined else "",
                finished=iso(person.finished) if person.finished else "",
                attributes=about.get(person.code, {}),
            )
            for person in people.values()
        },
        {item.id: dict(item.facts) for item in study.items.values() if not item.practice},
    )


def forget(study: Study, code: str) -> None:
    """Delete everything of a participant from `answers.db` in the study's folder; a server may be running meanwhile.

    Raises:
        UsageError: no participant has this code, or there is no such database.
    """
    path, code = study.folder / DATABASE, code.strip().upper()
    read_tables(path).close()  # which makes none where there is none
    with closing(open_beside(path)) as database:
        with transaction(database):
            known = erase(database, code)
        if not known:
            raise UsageError(f"no participant of {path} has the code {code!r}; see the table of answers for the codes")
        write_out(database)


def status_of(study: Study, person: Person, now: float) -> Status:
    """A participant's status; the active whose time has run out have left."""
    if person.status == "active" and now > person.seen + study.file.server.leave_after_minutes * 60:
        return "left"
    return cast("Status", person.status)


def open_store(
    study: Study, path: Path | None = None, *, source: str = PEOPLE, clock: Callable[[], float] = time.time
) -> Store:
    """Open the store of a study, made where there is none.

    Args:
        study: the study.
        path: the database; by default `answers.db` in the study's folder, or `simulated.db` for simulated participants.
        source: `PEOPLE`, or "simulated" or "simulated:NAME": a database holds answers of either, never of both. Participants
            of a simulated store can name themselves when they join.
        clock: the time in seconds since 1970, for tests.

    Raises:
        UsageError: another server has it, or its answers are to another version of the study or of another source.
    """
    if source != PEOPLE and source.partition(":")[0] != "simulated":
        raise UsageError(f"answers come from {PEOPLE!r}, or from 'simulated:NAME', not from {source!r}")
    place = path or study.folder / (DATABASE if source == PEOPLE else SIMULATED_DATABASE)
    return Store(study, place, source, clock)


def person_of(row: tuple[Any, ...]) -> Person:
    """A row of the table as a participant."""
    person = Person(*row)
    return person if isinstance(person.consented, bool) else Person(*row[:9], bool(row[9]), *row[10:])


def erase(database: Database, code: str) -> bool:
    """Delete everything of a participant but that somebody of this cell withdrew; return whether there was one."""
    row = database.execute("SELECT id FROM participants WHERE code = ? AND status != 'withdrawn'", (code,)).fetchone()
    if row is None:
        return False
    for table in ("answers", "pages", "links", "surroundings"):
        database.execute(f"DELETE FROM {table} WHERE participant = ?", row)  # noqa: S608 - our own names
    database.execute(
        "UPDATE participants SET code = 'withdrawn-' || id, person = NULL, status = 'withdrawn', seed = 0, done = 0, "
        "joined = 0, seen = 0, finished = NULL WHERE id = ?",
        row,
    )
    return True


def iso(seconds: float) -> str:
    """A time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def _part_of_transaction(database: Database) -> Iterator[None]:
    """Make the statements of a block all or nothing, inside a transaction that goes on."""
    database.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite gave all of it up by itself, as it does where the disk is full
            database.execute("ROLLBACK TO part")
            database.execute("RELEASE part")
        raise
    database.execute("RELEASE part")


def _answer(code: str, row: tuple[Any, ...]) -> Answer:
    phase, task, kind, response, step, trial, item, condition, expected, correct, value, seconds, tries, submitted = row
    return Answer(
        participant=code, phase=cast("Phase", phase), task=task, kind=kind, response=response, step=step, trial=trial,
        item=item, condition=condition, expected=expected, correct=None if correct is None else bool(correct), value=value,
        seconds=seconds, tries=tries, submitted=submitted,
    )  # fmt: skip
