"""Whole studies in a real browser; at the end the table of answers holds what was typed."""

import json

import pytest

pytestmark = pytest.mark.long


def written(response):
    """A response as the table writes it."""
    if response is None:
        return ""
    return response if isinstance(response, str) else json.dumps(response, ensure_ascii=False)


def typed(taker):
    return {(step, name): written(value) for (step, name), value in taker.given.items()}


def kept(store):
    """The rows of the table: step and question -> response of the last try."""
    return {(row.step, row.task): row.response for row in store.answers().rows}


def only(store):
    (participant,) = store.answers().participants.values()
    return participant


def test_a_whole_study_and_the_table_holds_what_was_typed(new_study, serve, taker):
    address, store = serve(new_study())
    someone = taker(address + "?PROLIFIC_PID=p1&STUDY_ID=s&SESSION_ID=x").until("debriefing")
    assert someone.page.input_value("#code") == "C0MPLETE"  # who closes the page here has it
    assert not someone.page.is_visible("#leave")
    someone.page.reload()
    someone.page.wait_for_selector(".phase-debriefing #code")
    someone.all()
    assert someone.heading == "Thank you!"
    assert someone.page.input_value("#code") == "C0MPLETE"
    assert someone.page.get_attribute("#back", "href") == "https://app.example.org/done?cc=C0MPLETE"
    answers = store.answers()
    assert kept(store) == typed(someone)
    assert len(typed(someone)) == 1 + 2 + 2 + 5 * 2 + 1 + 2
    assert only(store).status == "complete"
    trials = [row for row in answers.rows if row.phase == "trial" and row.task == "simulation"]
    assert [row.trial for row in trials] == [1, 2, 3, 4, 5]
    assert {row.item for row in trials} == {f"i{n}" for n in range(5)}
    assert all(row.correct == (row.response == row.expected) for row in trials)
    assert all(0 < row.seconds < 30 for row in answers.rows)


def test_who_refuses_consent_leaves_nothing(new_study, serve, taker):
    address, store = serve(new_study())
    someone = taker(address + "?PROLIFIC_PID=p1")
    someone.press()  # the box is not ticked
    assert "tick this box" in someone.page.text_content("#q0-said")
    someone.page.click("#decline")
    someone.page.wait_for_selector("main.ended")
    assert someone.heading == "You have not taken part"
    assert store.answers().rows == ()
    again = taker(address + "?PROLIFIC_PID=p1")  # another day
    assert not again.ended


def test_an_empty_page_is_not_sent_and_says_what_is_missing(new_study, serve, taker):
    address, _store = serve(new_study())
    someone = taker(address).until("trial")
    sent = []
    someone.page.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    someone.press()
    assert someone.page.text_content("#notice") == "Some questions still need an answer. They are marked."
    assert someone.page.evaluate("document.activeElement.name") == "simulation"
    assert someone.page.get_attribute("[name=helpfulness]", "aria-invalid") == "true"
    assert not sent
    someone.fill()  # answered: nothing is marked any more
    assert someone.page.query_selector("[aria-invalid], .said:not([hidden]), #notice:not([hidden])") is None


def test_wrong_answers_about_the_instructions_twice_end_the_study(new_study, serve, taker):
    address, store = serve(new_study())
    wrong = {"who": "other people", "blue": "speak for"}
    someone = taker(address).until("comprehension")
    someone.choose = lambda name, kind, options: wrong[name]
    someone.fill()
    someone.press()
    someone.page.wait_for_selector(".said.wrong")
    assert someone.page.text_content("#q0-said") == "That is not right."
    assert someone.page.is_hidden("#q1-said")
    someone.page.click("summary")
    assert someone.page.is_visible("text=Blue words speak for its decision.")
    someone.press()  # unchanged: no try is lost
    assert someone.page.text_content("#notice") == "Please change the marked answers first."
    wrong["blue"] = "speak against"
    someone.fill()
    someone.press()
    someone.page.wait_for_selector("main.ended")
    assert someone.heading == "The study ends here"
    assert someone.page.input_value("#code") == "SCREENED"
    assert only(store).status == "screened out"
    someone.page.reload()
    someone.page.wait_for_selector("main.ended")
    assert someone.page.input_value("#code") == "SCREENED"


def test_the_second_try_passes(new_study, serve, taker):
    address, store = serve(new_study())
    someone = taker(address).until("comprehension")
    someone.choose = lambda name, kind, options: {"who": "other people", "blue": "speak for"}[name]
    someone.fill()
    someone.press()
    someone.page.wait_for_selector(".said.wrong")
    someone.choose = someone.plain
    someone.all()
    assert someone.heading == "Thank you!"
    rows = [row for row in store.answers().rows if row.phase == "comprehension"]
    assert {row.tries for row in rows if row.response == "the model"} == {2}


def test_practice_says_what_is_right_before_it_goes_on(new_study, serve, taker):
    address, _store = serve(new_study())
    someone = taker(address).until("practice")
    someone.choose = lambda name, kind, options: options[0]  # negative: wrong
    someone.fill()
    someone.press()
    someone.page.wait_for_selector(".said.wrong")
    assert "positive" in someone.page.text_content(".said.wrong")
    assert someone.page.is_disabled("[name=simulation]")
    assert someone.page.evaluate("document.activeElement.id") == "q0-said"
    someone.press()
    someone.page.wait_for_selector(".phase-trial")
    assert someone.page.is_hidden("#notice")


@pytest.mark.parametrize("answer", ["rose", "orchid"])
def test_attention_checks_say_nothing_and_are_judged(new_study, serve, taker, answer):
    address, store = serve(new_study())
    someone = taker(address).until("attention")
    someone.choose = lambda name, kind, options: answer
    someone.fill()
    someone.press()
    someone.page.wait_for_selector(".phase-trial")
    someone.choose = someone.plain
    someone.all()
    (row,) = [row for row in store.answers().rows if row.phase == "attention"]
    assert (row.response, row.correct) == (answer, answer == "orchid")


def test_leaving_deletes_the_answers(new_study, serve, taker):
    address, store = serve(new_study())
    someone = taker(address).until("attention")
    someone.page.click("#leave")
    someone.page.click("#leaving-no")
    assert not someone.ended
    someone.page.click("#leave")
    someone.page.click("#leaving-yes")
    someone.page.wait_for_selector("main.ended")
    assert someone.heading == "You have left the study"
    assert store.answers().rows == ()


def test_it_works_under_a_prefix(new_study, serve, taker):
    address, store = serve(new_study(), prefix="/labs/two")
    someone = taker(address + "labs/two?PROLIFIC_PID=p1").all()
    assert someone.heading == "Thank you!"
    assert kept(store) == typed(someone)


def test_tokens_with_scripts_are_shown_as_they_are(new_study, serve, taker):
    address, store = serve(new_study(design={"kind": "within", "items": 4}))
    someone = taker(address)
    shown = ""
    while not someone.ended:
        shown += someone.page.inner_text("#study")
        someone.step()
        assert someone.page.title() != "run"
    assert shown.count("<script>document.title='run'</script>") >= 2
    assert '<b>Deutsch</b> & "English"' in kept(store).values()


def test_a_second_click_does_not_pass_the_next_page_unread(new_study, serve, taker):
    address, _ = serve(new_study(instructions=["One.", "Two.", "Three."]))
    someone = taker(address).until("instructions")
    someone.page.evaluate("""() => new MutationObserver(() => {
        const next = document.querySelector('.jspsych-btn');
        if (!next || next.dataset.pressed) return;
        next.dataset.pressed = 'at once';
        next.click();
    }).observe(document.querySelector('#study'), {subtree: true, childList: true})""")
    someone.press()
    someone.page.wait_for_selector(".jspsych-btn[data-pressed]:enabled")
    assert someone.number == 2
