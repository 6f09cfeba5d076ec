"""What stands between words: tokens are set as in the input, and phrases end where utterances do."""

import pytest

from verbalize import Query, SpecialToken, TemplateVerbalizer, TokenSaliency, check
from verbalize.parts.breaks import bounds_of, compounds_of
from verbalize.spacing import gaps


def saliency(tokens, scores=None, **fields):
    return TokenSaliency(tokens, scores or [1.0] * len(tokens), Query("positive"), **fields)


@pytest.mark.parametrize(
    ("tokens", "written"),
    [
        ("i couldn ' t put it down", "i couldn't put it down"),
        ("I could n't , it 's fine", "I couldn't, it's fine"),
        ("a well - made film", "a well-made film"),
        ("a pause - - and on", "a pause -- and on"),
        ("it cost $ 5 and 3 . 5 % ( so far ) .", "it cost $5 and 3.5% (so far)."),
        ("1 , 000 people at 10 : 30 , not 2 , 3", "1,000 people at 10:30, not 2, 3"),
        ('he said " love it " to me', 'he said "love it" to me'),
        ("the boys ' room", "the boys' room"),
        ("the ' great ' film , really !", "the 'great' film, really!"),
        ("the 80 ' s", "the 80's"),
        ("U . S . troops", "U.S. troops"),
        ("我 很 喜 欢 这 部 电 影 。", "我很喜欢这部电影。"),
        ("これ は 映画 です", "これは映画です"),
        ("ผม ชอบ หนัง เรื่อง นี้", "ผมชอบหนังเรื่องนี้"),
        ("이 영화 는 좋다", "이 영화 는 좋다"),
        ("`` great '' , he said", "``great'', he said"),
        ("great, but - slow", "great, but - slow"),  # these tokens were split at blanks
    ],
)
def test_tokens_are_set_as_in_the_input(tokens, written):
    words = tokens.split()
    assert saliency(words).text_of(range(len(words))) == written


def test_gaps_of_few_tokens():
    assert gaps(()) == ()
    assert gaps((".",)) == ("",)
    assert gaps(("a", "b")) == ("", " ")


def test_phrases_end_where_utterances_do():
    assert bounds_of(saliency(["a", "b", "[SEP]", "c", "d"])).phrases == (2, 3)
    assert bounds_of(saliency(["a", "b", "c"], special=[SpecialToken("[SEP]", 0.0, 2)])).phrases == (2,)
    assert bounds_of(saliency(["a", "b", "c"], text="a b\n\nc")).phrases == (2,)
    assert bounds_of(saliency(["good", ".", "bad"])).phrases == (1, 2)
    assert bounds_of(saliency(["good", ".", "bad"])).sentences == (2,)
    assert bounds_of(saliency(["Good.", "Bad", "film"])).phrases == (1,)
    assert bounds_of(saliency(["Mr.", "Fox", "ate", "it,", "then", "slept"])).phrases == (4,)
    assert bounds_of(saliency(["don", "'", "t", "go"])).phrases == ()
    assert bounds_of(saliency(["<start_of_turn>", "user", "hi", "<end_of_turn>", "yes"])).phrases == (1, 3, 4)


def test_no_phrase_reaches_across_a_break():
    for tokens, fields in (
        (["fine", "film", "[SEP]", "great", "cast"], {}),
        (["fine", "film", "great", "cast", "here"], {"special": [SpecialToken("[SEP]", 0.0, 2)]}),
        (["fine", "film", "great", "cast", "here"], {"text": "fine film\ngreat cast here"}),
        (["fine", "film", ".", "great", "cast"], {}),
    ):
        of = saliency(tokens, [3.0, 4.0, 0.0 if len(tokens[2]) < 2 or "[" in tokens[2] else 4.0, 3.5, 0.0], **fields)
        claims = TemplateVerbalizer(max_spans=2).verbalize(of).claims
        breaks = bounds_of(of).phrases
        assert not any(claim.part[0] < place <= claim.part[-1] for claim in claims for place in breaks)


def test_compounds_are_named_whole():
    of = saliency(["i", "couldn", "'", "t", "stop"], [0.0, 0.2, 0.0, 2.0, 0.1])
    assert compounds_of(of) == ((0, 0), (1, 3), (1, 3), (1, 3), (4, 4))
    assert '"couldn\'t"' in TemplateVerbalizer(length="clause").verbalize(of).text
    mixed = saliency(["i", "couldn", "'", "t", "stop"], [0.0, -0.2, 0.0, 2.0, 0.1])
    made = TemplateVerbalizer(length="clause").verbalize(mixed)
    assert "the 't' in \"couldn't\"" in made.text
    assert check(made.claims, mixed)


def test_a_repeated_word_of_a_long_text_is_named_by_its_neighbours():
    words = ("it was a great film with a plot that some call great and a cast that all call fine " * 3).split()
    words[40] = "superb"
    scores = [0.0] * len(words)
    scores[39], scores[41] = 2.0, 1.0
    of = saliency(words, scores)
    said = TemplateVerbalizer().verbalize(of)
    assert check(said.claims, of)
    assert f"the {words[39]!r} in '{words[38]} {words[39]} superb'" in said.text.replace("The", "the")
    assert not any(word in said.text for word in ("second", "third", "fourth"))


def test_words_from_right_to_left_are_isolated():
    of = saliency(["סרט", "נהדר", "and", "long"], [1.0, 3.0, 0.0, 0.0])
    said = TemplateVerbalizer(length="clause").verbalize(of).text
    assert "\u2068'נהדר'\u2069" in said
    assert said.count("\u2068") == said.count("\u2069") == 1
    assert "\u2068" not in TemplateVerbalizer().verbalize(saliency(["fine", "film"], [1.0, 0.0])).text
