"""Places, pages and answers, without a socket."""

import random
import sqlite3
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from evals.study.folder import open_study
from evals.study.server import forget, open_store, read_answers
from evals.study.server.admin.progress import progress_of
from evals.study.server.answering import answer, state, withdraw
from evals.study.server.joining import join
from evals.study.server.requests import Refusal
from saywhy_core.errors import UsageError
from tests.evals.study.server.study_people import COMPREHENSION, CONSENT, write_study

KEY = "k" * 20


def enter(store, name="", **link):
    person, token = join(store, None, f"{KEY}{name}" if name else None, link)
    return person, token


def finish(store, token, until=None):
    person, _ = join(store, token, None, {})
    steps = store.steps(person)
    for number in range(person.done, len(steps) if until is None else until):
        answer(store, token, number, responses(steps[number]), seconds=5.0)


def responses(step, **instead):
    first = {"agree": True, "rating": 3, "text": "good"}
    return {one.name: first.get(one.kind) or one.options[0][0] for one in step.questions} | instead


def refused(status, work, *arguments, **options):
    with pytest.raises(Refusal) as told:
        work(*arguments, **options)
    assert told.value.http == status
    return told.value.content


@pytest.mark.parametrize("people", [7, pytest.param(12, marks=pytest.mark.long)])
def test_completed_cells_end_within_one_whoever_leaves(stored, clock, people):
    store = stored(conditions=("a", "b", "c", "d", "e"), participants=people, items=1)
    chance = random.Random(people)
    active = {}
    for _ in range(10_000):
        done = Counter(one.status for one in store.people())["complete"]
        if done == people:
            break
        clock.now += 60
        with suppress(Refusal):  # the study is full for now
            person, token = enter(store)
            active[person.code] = token
        for code in list(active):
            what = chance.random()
            if what < 0.3:
                finish(store, active.pop(code))
            elif what < 0.5:
                del active[code]  # closes the page, and its place goes to somebody else an hour later
    cells = Counter(one.cell for one in store.people() if one.status == "complete")
    assert sum(cells.values()) == people
    assert len(cells) == 5
    assert max(cells.values()) - min(cells.values()) <= 1


def test_a_place_is_free_again_after_the_time_out_and_its_owner_may_still_go_on(stored, clock):
    store = stored(participants=1)
    _, token = enter(store)
    finish(store, token, until=2)
    refused(403, enter, store)
    clock.now += 61 * 60
    assert next(iter(store.answers().participants.values())).status == "left"
    enter(store)
    finish(store, token)
    assert state(store, token)["status"] == "complete"
    refused(403, enter, store)


def test_after_the_time_to_return_nobody_goes_on(stored, clock):
    store = stored()
    _, token = enter(store)
    finish(store, token, until=3)
    clock.now += 24 * 3600 + 1
    assert "passed" in refused(410, join, store, token, None, {})["error"]
    refused(410, answer, store, token, 3, {}, seconds=1.0)
    assert len({row.step for row in store.answers().rows}) == 3


def test_who_comes_back_goes_on_at_the_same_page(stored):
    store = stored()
    person, token = enter(store)
    finish(store, token, until=3)
    back, same = join(store, token, None, {})
    assert (back.code, back.done, same) == (person.code, 3, token)


def test_joining_twice_with_one_key_takes_one_place(stored):
    store = stored()
    first, again, other = enter(store, "a"), enter(store, "a"), enter(store, "b")
    assert first == again
    assert other[0].code != first[0].code
    assert len(store.people()) == 2


def test_the_first_who_consents_is_the_person_of_the_link(stored):
    store = stored()
    (_, one), (_, two) = enter(store, "a", PROLIFIC_PID="p1"), enter(store, "b", PROLIFIC_PID="p1")
    answer(store, two, 0, {"agree": True}, seconds=1.0)
    refused(409, answer, store, one, 0, {"agree": True}, seconds=1.0)
    refused(409, enter, store, "c", PROLIFIC_PID="p1")


def test_nothing_of_a_person_is_on_the_disk_before_consent(stored):
    store = stored()
    _, token = enter(store, "secretkey", PROLIFIC_PID="prolific-person-77")

    def on_disk():
        return b"".join(path.read_bytes() for path in store.path.parent.glob("answers.db*"))

    assert b"prolific-person-77" not in on_disk()
    assert b"secretkey" not in on_disk()
    assert not store.answers().participants
    answer(store, token, 0, {"agree": True}, seconds=1.0)
    assert b"prolific-person-77" in on_disk()
    assert token.partition(".")[0].encode() not in on_disk()


def test_what_is_withdrawn_or_deleted_is_in_no_file_any_more(stored):
    store = stored(more=CONSENT + "demographics:\n  - {name: about, question: Tell us, kind: text}\n")
    tokens = {}
    for name in ("first", "second", "third"):
        person, token = enter(store, name, PROLIFIC_PID=f"person-{name}")
        finish(store, token, until=5)
        answer(store, token, 5, {"about": f"story of the {name}"}, seconds=1.0)
        tokens[name] = (person.code, token)
    assert withdraw(store, tokens["first"][1])["status"] == "withdrawn"
    store.tidy()
    forget(store.study, tokens["second"][0])  # beside the open store, as from another process
    left = b"".join(path.read_bytes() for path in store.path.parent.glob("answers.db*"))
    for name, kept in (("first", False), ("second", False), ("third", True)):
        assert (f"story of the {name}".encode() in left) is kept
        assert (f"person-{name}".encode() in left) is kept
        assert (tokens[name][0].encode() in left) is kept
    statuses = Counter(one.status for one in store.answers().participants.values())
    assert statuses == {"withdrawn": 2, "complete": 1}
    assert withdraw(store, tokens["first"][1])["status"] == "withdrawn"
    refused(410, answer, store, tokens["first"][1], 5, {"about": "more"}, seconds=1.0)
    with pytest.raises(UsageError, match="no participant of"):
        forget(store.study, tokens["second"][0])


def test_one_page_is_answered_once(stored):
    store = stored()
    _, token = enter(store)
    person, _ = join(store, token, None, {})
    steps = store.steps(person)
    finish(store, token, until=1)
    given = responses(steps[1])
    reply = answer(store, token, 1, given, seconds=2.0)
    assert answer(store, token, 1, given, seconds=9.0) == reply
    assert refused(409, answer, store, token, 1, responses(steps[1], helpfulness=7), seconds=2.0)["done"] == 2
    assert refused(409, answer, store, token, 4, responses(steps[4]), seconds=2.0)["done"] == 2
    assert [(row.step, row.response, row.seconds) for row in store.answers().rows if row.task == "helpfulness"] == [
        (1, "3", 2.0)
    ]


def test_a_response_that_is_not_valid_keeps_the_page(stored):
    store = stored()
    _, token = enter(store)
    finish(store, token, until=1)
    told = refused(422, answer, store, token, 1, {"simulation": "none of them", "helpfulness": 8}, seconds=2.0)
    assert set(told["problems"]) == {"simulation", "helpfulness"}
    assert (told["done"], told["accepted"]) == (1, False)
    assert state(store, token)["done"] == 1


def test_comprehension_has_two_tries_and_the_same_wrong_answer_is_one_of_them(stored):
    store = stored(
        more=CONSENT + COMPREHENSION + "completion: {code: GOOD, screened_code: SORRY, url: 'https://p.example/{code}'}\n"
    )
    _, token = enter(store)
    finish(store, token, until=1)
    wrong = {"what": "the weather"}
    first = answer(store, token, 1, wrong, seconds=2.0, attempt=1)
    assert (first["accepted"], first["status"], first["completion"]) == (False, "active", None)
    assert [(one["question"], one["correct"], one["expected"]) for one in first["feedback"]] == [("what", False, None)]
    assert answer(store, token, 1, wrong, seconds=2.0, attempt=1) == first
    assert answer(store, token, 1, wrong, seconds=2.0) == first
    second = answer(store, token, 1, wrong, seconds=2.0, attempt=2)
    assert second["status"] == "screened out"
    assert second["completion"] == {"code": "SORRY", "url": "https://p.example/SORRY"}
    assert answer(store, token, 1, wrong, seconds=2.0, attempt=2) == second
    refused(409, answer, store, token, 1, {"what": "the label"}, seconds=2.0, attempt=3)
    assert store.answers().to_csv().count("screened out") == 3
    enter(store)


def test_who_passes_at_the_second_try_goes_on(stored):
    store = stored(more=CONSENT + COMPREHENSION)
    _, token = enter(store)
    finish(store, token, until=1)
    answer(store, token, 1, {"what": "the weather"}, seconds=2.0)
    assert answer(store, token, 1, {"what": "the label"}, seconds=2.0)["done"] == 2
    rows = [(row.tries, row.correct) for row in store.answers().rows if row.phase == "comprehension"]
    assert rows == [(1, False), (2, True)]


def test_answers_are_complete_when_only_the_debriefing_is_left(stored):
    store = stored(more=CONSENT + "completion: {code: GOOD}\n")
    person, token = enter(store)
    last = len(store.steps(person)) - 1
    finish(store, token, until=last)
    assert store.answers().participants[person.code].status == "complete"
    assert (state(store, token)["status"], state(store, token)["completion"]["code"]) == ("complete", "GOOD")
    again = answer(store, token, last - 1, responses(store.steps(person)[last - 1]), seconds=5.0)  # as the last reply was
    assert (again["status"], again["completion"]["code"], again["done"]) == ("complete", "GOOD", last)
    finish(store, token)
    assert state(store, token)["completion"] == {"code": "GOOD", "url": None}


def test_recruitment_stops_and_those_who_have_begun_go_on(stored):
    store = stored()
    _, token = enter(store)
    store.recruit(False)
    assert "no new participants" in refused(403, enter, store)["error"]
    finish(store, token)
    store.recruit(True)
    enter(store)


def test_another_version_of_the_study_is_refused_once_there_are_answers(tmp_path):
    folder = write_study(tmp_path / "study")
    open_store(open_study(folder)).close()
    write_study(folder, items=5)
    store = open_store(open_study(folder))
    _, token = enter(store)
    answer(store, token, 0, {"agree": True}, seconds=1.0)
    store.close()
    write_study(folder, items=3)
    with pytest.raises(UsageError, match="has changed since"):
        open_store(open_study(folder))
    (folder / "answers.db").rename(folder / "old.db")
    open_store(open_study(folder)).close()


def test_limits_codes_and_the_analysis_may_change_while_a_study_runs(tmp_path):
    folder = write_study(tmp_path / "study", participants=1)
    store = open_store(open_study(folder))
    _, token = enter(store)
    answer(store, token, 0, {"agree": True}, seconds=1.0)
    store.close()
    write_study(
        folder,
        participants=2,
        more=f"# a remark\n{CONSENT}completion: {{code: GOOD}}\nserver: {{leave_after_minutes: 5}}\nanalysis: {{alpha: 0.01}}\n",
    )
    store = open_store(open_study(folder))
    enter(store)
    store.close()
    for change in ("server: {break_after: 1}\n", "debriefing: Thanks.\n"):
        write_study(folder, more=CONSENT + change)
        with pytest.raises(UsageError, match="has changed since"):
            open_store(open_study(folder))


def test_people_and_simulated_participants_are_not_mixed(tmp_path):
    study = open_study(write_study(tmp_path / "study"))
    store = open_store(study, source="simulated:perfect")
    _, token = enter(store)
    finish(store, token)
    store.close()
    assert read_answers(study, tmp_path / "study" / "simulated.db").sources == ("simulated:perfect",)
    with pytest.raises(UsageError, match="holds answers of simulated participants"):
        open_store(study, tmp_path / "study" / "simulated.db")
    with pytest.raises(UsageError, match="'simulated:NAME'"):
        open_store(study, source="robots")


def test_one_server_at_a_time(stored):
    store = stored()
    with pytest.raises(UsageError, match="being written by this process already"):
        open_store(store.study)


def test_what_fails_in_a_transaction_of_several_changes_nothing_and_the_others_stay(stored):
    store = stored()
    (_, one), (_, two) = enter(store, "a"), enter(store, "b")
    agree = {"agree": True}
    done = store.together(
        [
            lambda: answer(store, one, 0, agree, seconds=1.0),
            lambda: answer(store, two, 1, agree, seconds=1.0),
            lambda: answer(store, two, 0, agree, seconds=1.0),
        ]
    )
    assert [one["done"] if isinstance(one, dict) else one.http for one in done] == [1, 409, 1]
    assert len(store.answers().rows) == 2


def test_on_a_full_disk_nothing_is_acknowledged_that_is_not_there(stored):
    store = stored(more=CONSENT + "demographics:\n  - {name: about, question: Tell us, kind: text}\n")
    tokens = [enter(store, f"{number:03d}")[1] for number in range(40)]
    for token in tokens:
        finish(store, token, until=5)
    with store.writing() as database:
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages + 8}")
    works = [
        partial(answer, store, token, 5, {"about": f"{number} " + "x" * 2000}, seconds=1.0)
        for number, token in enumerate(tokens)
    ]
    try:
        done = store.together(works)
    except sqlite3.OperationalError as full:
        done = [full] * len(works)
    acknowledged = {number for number, one in enumerate(done) if isinstance(one, dict)}
    assert len(acknowledged) < len(works)
    kept = {int(row.response.split()[0]) for row in store.answers().rows if row.task == "about"}
    assert kept == acknowledged
    with store.writing() as database:
        database.execute("PRAGMA max_page_count = 1000000")
    assert all(work()["done"] == 6 for work in works)
    assert len([row for row in store.answers().rows if row.task == "about"]) == len(works)


def test_private_files_are_private(stored):
    store = stored()
    enter(store)
    for path in Path(store.path.parent).glob("answers.db*"):
        if path.suffix != ".lock":
            assert path.stat().st_mode & 0o077 == 0, path


def test_one_person_holds_one_place_and_a_refused_consent_frees_it_at_once(stored):
    store = stored(participants=2)
    tokens = [enter(store, name, PROLIFIC_PID="p1")[1] for name in "abcd"]
    for name in "ef":  # only the last of the four holds a place, so that another person is let in, and a third one is not
        with suppress(Refusal):
            enter(store, name, PROLIFIC_PID=name)
    assert len(store.people()) == 5
    finish(store, tokens[0], until=1)  # the first tab may still go on
    for token in tokens[1:]:
        told = refused(409, answer, store, token, 0, {"agree": True}, seconds=1.0)
        assert "browser in which you began" in told["error"]
        refused(401, state, store, token)
    assert len(store.people()) == 2
    refused(403, enter, store, "g", PROLIFIC_PID="g")
    refused(409, enter, store, "h", PROLIFIC_PID="p1")


def test_a_clock_that_is_set_back_makes_no_time_negative(stored, clock):
    store = stored()
    person, token = enter(store)
    finish(store, token, until=2)
    clock.now -= 24 * 3600
    finish(store, token)
    found = store.answers()
    one = found.participants[person.code]
    assert one.started <= one.finished
    assert min(row.submitted for row in found.rows) >= one.started
    assert progress_of(store).minutes == 0.0


def test_places_before_consent_are_held_or_free_again(stored, clock):
    store = stored(participants=4)
    enter(store)
    clock.now += 61 * 60
    enter(store)
    progress = progress_of(store)
    assert (progress.unconsented, progress.held) == (2, 1)


@pytest.mark.parametrize(("first", "then"), [(False, True), (True, False)])
def test_whether_addresses_are_kept_stays_as_it_was_agreed_to(tmp_path, first, then):
    def opened(keep):
        more = CONSENT + f"server: {{keep_addresses: {str(keep).lower()}}}\n"
        return open_store(open_study(write_study(tmp_path / "study", more=more)))

    for keep in (then, first):  # before anybody agreed it may change
        store = opened(keep)
        _, token = enter(store)
        if keep is first:
            finish(store, token, until=1)
        store.close()
    with pytest.raises(UsageError, match="keep_addresses was"):
        opened(then)
    opened(first).close()


@pytest.mark.parametrize("spelled", [str.lower, str.upper, lambda code: f" {code} "])
def test_a_code_is_known_in_any_case(stored, spelled):
    store = stored()
    person, token = enter(store)
    finish(store, token, until=2)
    assert store.forget(spelled(person.code))


def test_a_damaged_database_of_answers_is_moved_and_not_deleted(stored):
    store = stored()
    _, token = enter(store)
    finish(store, token)
    study, path = store.study, store.path
    store.close()
    content = bytearray(path.read_bytes())
    for content_of_it in (b"no database" * 500, bytes(content[:100]) + b"x" * (len(content) - 100)):
        path.write_bytes(content_of_it)
        for work in (lambda: open_store(study), lambda: read_answers(study)):
            with pytest.raises(UsageError) as told:
                work()
            assert "delete" not in str(told.value), told.value
