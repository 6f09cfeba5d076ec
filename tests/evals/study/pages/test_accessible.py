"""Pages for everybody: keyboard alone, a phone, a screen reader, other languages; axe-core finds nothing serious."""

import pytest

pytestmark = pytest.mark.long

KEYBOARD = "button:focus-visible, input:focus-visible, textarea:focus-visible"


@pytest.fixture(scope="session")
def axe(npm_files):
    """axe-core, run in a page: the rules of WCAG 2.2 A and AA and the good habits that it knows."""
    script = (npm_files / "axe-core" / "axe.min.js").read_text()

    def check(page, what):
        page.evaluate(script)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        bad = [
            f"{what}: {one['id']} ({one['impact']}): {one['help']}: {[node['html'] for node in one['nodes']][:3]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert not bad, "\n".join(bad)
        assert found["passes"] is not None

    return check


@pytest.mark.parametrize("width", [1100, 360])
def test_axe_finds_nothing_serious_on_any_page(new_study, serve, taker, axe, width):
    address, _ = serve(new_study())
    someone = taker(address, viewport={"width": width, "height": 740})
    seen = set()
    while not someone.ended:
        phase = someone.page.evaluate("document.querySelector('.jspsych-content').className")
        kind = (phase, someone.page.query_selector(".heatmap") is None)
        if kind not in seen:
            seen.add(kind)
            axe(someone.page, phase)
            if someone.questions():
                someone.press()
                someone.page.wait_for_selector("#notice.warning")
                axe(someone.page, f"{phase} with marked questions")
        if "comprehension" in phase:
            someone.page.click("summary")
            someone.choose = lambda name, kind, options: options[1]
            someone.fill()
            someone.press()
            someone.page.wait_for_selector(".said.wrong")
            axe(someone.page, "comprehension failed once")
            someone.choose = someone.plain
        if "practice" in phase:
            someone.fill()
            someone.press()
            someone.page.wait_for_selector(".said.right, .said.wrong")
            axe(someone.page, "feedback")
            someone.press()
            someone.page.wait_for_selector(".phase-trial")
            continue
        if "attention" in phase:
            someone.page.click("#leave")
            axe(someone.page, "the question whether to leave")
            someone.page.click("#leaving-no")
        someone.step()
    axe(someone.page, "the end")
    assert len(seen) >= 9


def test_axe_finds_what_is_wrong(new_page, axe):
    page = new_page()
    page.set_content(
        "<html lang=en><title>x</title><main><h1>x</h1><img src=''><p style='color:#aaa;background:#fff'>pale</p></main>"
    )
    with pytest.raises(AssertionError, match="image-alt"):
        axe(page, "a bad page")


def test_a_whole_study_by_keyboard(new_study, serve, taker):
    address, store = serve(new_study())
    someone = taker(address)
    page, given = someone.page, {}

    def tab_to(wanted):
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate(f"document.activeElement.matches('{wanted}')"):
                assert page.evaluate("document.activeElement.matches(':focus-visible')")
                return
        raise AssertionError(f"the tab key does not reach {wanted}")

    while not someone.ended:
        before = page.text_content("#progress-text")
        number = someone.number
        assert page.evaluate("document.activeElement.id") == "heading"
        for at, (name, kind, block) in enumerate(someone.questions()):
            fields = block.query_selector_all("input, textarea")
            tab_to(f"#q{at} input, #q{at} textarea")
            wanted = someone.choose(name, kind, [field.get_attribute("value") for field in fields])
            if kind in ("number", "text"):
                page.keyboard.type(str(wanted))
            elif kind == "agree":
                page.keyboard.press("Space")
            else:
                page.keyboard.press("Space")
                while page.evaluate("document.activeElement.value") != wanted:
                    page.keyboard.press("ArrowDown")
            given[number, name] = wanted
        page.wait_for_selector(".jspsych-content .jspsych-btn:enabled")
        tab_to(".jspsych-content button.jspsych-btn, .jspsych-content input.jspsych-btn")
        page.keyboard.press("Enter")
        page.wait_for_function(
            "before => document.querySelector('#progress-text').textContent !== before || document.querySelector('main.ended, .said.right')",
            arg=before,
        )
        if page.query_selector(".phase-practice .said.right"):
            assert page.evaluate("document.activeElement.className").startswith("said")
            tab_to("#jspsych-survey-html-form-next")
            page.keyboard.press("Enter")
            page.wait_for_selector(".phase-trial")
    rows = {(row.step, row.task): row.response for row in store.answers().rows}
    for (step, name), wanted in given.items():
        assert rows[step, name] == ("true" if wanted is True else str(wanted))


@pytest.mark.parametrize("width", [360, 320])
def test_a_phone_shows_everything_without_scrolling_sideways_and_with_large_targets(new_study, serve, taker, width):
    address, _ = serve(new_study())
    someone = taker(address, viewport={"width": width, "height": 640}, has_touch=True, is_mobile=True)
    while not someone.ended:
        assert someone.page.evaluate("document.documentElement.scrollWidth") <= width
        small = someone.page.evaluate(
            """least => [...document.querySelectorAll('button, .jspsych-btn, .option, .point, summary, textarea, input[type=text]')]
            .filter(one => one.offsetParent).map(one => [one.className, one.getBoundingClientRect()])
            .filter(([, box]) => box.width < least || box.height < 44).map(([name, box]) => `${name} ${box.width}x${box.height}`)""",
            44 if width == 360 else 36,
        )
        assert not small
        someone.step()


def test_colours_of_a_heatmap_are_never_alone(new_study, serve, taker):
    address, _ = serve(new_study(design={"kind": "within", "items": 1}))
    someone = taker(address).until("trial")
    while not someone.page.query_selector(".heatmap"):
        someone.step()
    lines = someone.page.evaluate(
        "[...document.querySelectorAll('.heatmap [class]')].map(one => [one.className, getComputedStyle(one).borderBottomStyle])"
    )
    assert {style for name, style in lines if "+" in name} == {"solid"}
    assert {style for name, style in lines if "-" in name} == {"dashed"}
    # a screen reader hears the same as text, once
    assert someone.page.get_attribute(".shown", "aria-hidden") == "true"
    assert "[+" in someone.page.text_content(".only-read")


@pytest.mark.parametrize(("language", "direction", "button"), [("de", "ltr", "Zustimmen und beginnen"), ("ar", "rtl", None)])
def test_other_languages(new_study, serve, taker, language, direction, button):
    address, _ = serve(new_study(language=language))
    someone = taker(address)
    assert someone.page.get_attribute("html", "lang") == language
    assert someone.page.evaluate("getComputedStyle(document.body).direction") == direction
    if button:
        assert someone.page.get_attribute("#jspsych-survey-html-form-next", "value") == button
    headings = [someone.heading]
    while not someone.ended:
        headings.append(someone.heading)
        someone.step()
    if language == "de":
        assert {"Anleitung", "Fragen zur Anleitung", "Übung 1 von 1", "3 von 5", "Zeit für eine Pause", "Über Sie"} <= set(
            headings
        )
        assert someone.heading == "Vielen Dank!"


def test_every_language_has_every_word(new_study, serve, taker):
    address, _ = serve(new_study())
    words = taker(address).page.evaluate("window.saywhy.words")
    for language, told in words.items():
        assert told.keys() == words["en"].keys(), language
        for name, text in told.items():
            assert text.count("{") == words["en"][name].count("{"), (language, name)


def test_the_window_keeps_still_for_those_who_ask_for_it(new_study, serve, taker):
    address, _ = serve(new_study())
    someone = taker(address, reduced_motion="reduce")
    assert someone.page.evaluate("getComputedStyle(document.querySelector('.jspsych-btn')).transitionDuration") == "0s"
