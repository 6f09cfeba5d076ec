"""Reloads, two tabs, lost connections and other people's links: nothing is lost, and everybody stays who they are."""

import pytest

pytestmark = pytest.mark.long


def place(store):
    return [(row.step, row.task) for row in store.answers().rows]


def test_a_reload_goes_on_where_the_participant_was(new_study, serve, taker):
    address, store = serve(new_study())
    someone = taker(address).until("practice")
    number = someone.number
    someone.page.reload()
    someone.page.wait_for_selector(".phase-practice")
    assert someone.number == number
    assert someone.page.text_content("#notice") == "Welcome back. You are where you left off."
    assert len(store.answers().participants) == 1


def test_who_closes_the_page_comes_back_another_time(new_study, serve, taker, new_page):
    address, store = serve(new_study())
    someone = taker(address + "?PROLIFIC_PID=p1").until("attention")
    number, context = someone.number, someone.page.context
    someone.page.close()
    back = type(someone)(new_page(context)).open(address)
    assert back.number == number
    back.all()
    assert back.heading == "Thank you!"
    assert [one.status for one in store.answers().participants.values()] == ["complete"]
    once_more = type(someone)(new_page(context)).open(address)
    assert once_more.heading == "Thank you!"


def test_the_time_to_come_back_ends(new_study, serve, taker):
    hours = [0.0]
    address, _ = serve(new_study(), clock=lambda: 1_800_000_000 + 3600 * hours[0])
    someone = taker(address).until("practice")
    hours[0] = 25
    someone.page.reload()
    someone.page.wait_for_selector("main.ended")
    assert someone.heading == "You cannot go on"
    assert "time in which you could come back has passed" in someone.page.text_content(".end")


def test_another_person_at_the_same_computer_is_somebody_new(new_study, serve, taker, new_page):
    address, store = serve(new_study())
    first = taker(address + "?PROLIFIC_PID=p1").until("practice")
    second = type(first)(new_page(first.page.context)).open(address + "?PROLIFIC_PID=p2")
    assert second.number == 0
    second.step()
    assert len(store.answers().participants) == 2


def test_nobody_takes_part_twice(new_study, serve, taker):
    address, _ = serve(new_study())
    taker(address + "?PROLIFIC_PID=p1").all()
    again = taker(address + "?PROLIFIC_PID=p1")  # another browser
    assert again.heading == "You cannot take part"
    assert "each person takes part once" in again.page.text_content(".end")


def test_a_study_that_is_full_says_so(new_study, serve, taker):
    address, _ = serve(new_study(design={"kind": "latin", "items": 2, "participants": 1}))
    taker(address).until("instructions")
    late = taker(address)
    assert late.heading == "You cannot take part"
    assert "all its participants" in late.page.text_content(".end")


def test_two_tabs_are_one_participant_and_the_second_goes_on_where_the_first_is(new_study, serve, taker, new_page):
    address, store = serve(new_study())
    first = taker(address).until("practice")
    second = type(first)(new_page(first.page.context)).open(address)
    assert second.number == first.number
    first.step().step()  # two pages further
    second.choose = lambda name, kind, options: options[0]
    second.fill()
    second.press()
    second.page.wait_for_function(
        "n => document.querySelector('#progress-text').textContent.startsWith(`${n} `)", arg=first.number + 1
    )
    assert "already answered" in second.page.text_content("#notice")
    assert len(store.answers().participants) == 1
    second.choose = second.plain
    second.all()
    steps = place(store)
    assert len(steps) == len(set(steps))
    first.choose = lambda name, kind, options: options[0]
    first.fill()
    first.press()  # the other tab has finished
    first.page.wait_for_selector("main.ended")
    assert first.heading == "Thank you!"
    assert place(store) == steps


def test_an_answer_given_offline_is_sent_when_the_connection_is_back(new_study, serve, taker):
    address, store = serve(new_study())
    someone = taker(address).until("trial")
    number = someone.number
    someone.page.context.set_offline(True)
    someone.fill()
    someone.press()
    someone.page.wait_for_selector("#notice.warning")
    assert "sent again" in someone.page.text_content("#notice")
    assert someone.number == number
    assert (number, "simulation") not in place(store)
    someone.page.context.set_offline(False)
    someone.page.wait_for_function(
        "n => !document.querySelector('#progress-text').textContent.startsWith(`${n} `)", arg=number + 1
    )
    assert (number, "simulation") in place(store)
    assert someone.all().heading == "Thank you!"


def test_an_answer_on_its_way_is_still_there_after_a_reload(new_study, serve, taker):
    address, _ = serve(new_study())
    someone = taker(address).until("demographics")
    someone.page.route("**/api/answers", lambda route: route.abort())
    someone.fill()
    someone.press()
    someone.page.wait_for_selector("#notice.warning")
    someone.page.unroute("**/api/answers")
    someone.page.on("dialog", lambda dialog: dialog.accept())
    someone.page.reload()
    someone.page.wait_for_selector(".phase-demographics")
    assert someone.page.input_value("[name=age]") == "41"
    assert "had not arrived" in someone.page.text_content("#notice")


def test_a_reply_that_was_lost_costs_no_try(new_study, serve, taker):
    address, store = serve(new_study())
    someone = taker(address).until("comprehension")
    lost = []

    def lose(route):
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    someone.page.route("**/api/answers", lose)
    someone.choose = lambda name, kind, options: "other people" if name == "who" else "speak for"
    someone.fill()
    someone.press()
    someone.page.wait_for_selector(".said.wrong")
    assert lost == [200]
    assert not someone.ended
    someone.choose = someone.plain
    assert someone.all().heading == "Thank you!"
    assert max(row.tries for row in store.answers().rows) == 2


def test_a_server_that_is_busy_or_down_is_asked_again(new_study, serve, taker):
    address, _ = serve(new_study())
    someone = taker(address).until("break")
    answers = [
        (503, "text/html", "<h1>Bad gateway</h1>"),
        (200, "text/html", "<h1>Sign in to the wireless</h1>"),
        (429, "application/json", "{}"),
    ]

    def troubled(route):
        if answers:
            status, kind, body = answers.pop(0)
            route.fulfill(status=status, content_type=kind, body=body)
        else:
            route.continue_()

    someone.page.route("**/api/answers", troubled)
    someone.step()
    assert answers == []


def test_the_clock_runs_from_the_page_to_its_answer(new_study, serve, taker):
    address, store = serve(new_study())
    someone = taker(address).until("trial")
    number = someone.number
    begun = someone.page.evaluate("performance.now()")
    someone.page.wait_for_function("since => performance.now() - since > 700", arg=begun)
    someone.step()
    took = (someone.page.evaluate("performance.now()") - begun) / 1000
    seconds = {row.seconds for row in store.answers().rows if row.step == number}
    assert len(seconds) == 1
    assert 0.7 <= seconds.pop() <= took + 0.1
