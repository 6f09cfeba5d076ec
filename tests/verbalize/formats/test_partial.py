"""Maps that cover only part of their text, offsets, and what a record says of its labels and signs."""

import pytest

from verbalize import Query, SaliencyError, TemplateVerbalizer, TokenSaliency, read_saliency


def read(document, **options):
    options.setdefault("on_note", lambda text: None)
    return read_saliency(document, **options)


@pytest.mark.parametrize("version", [{}, {"version": 1}])
def test_a_phrase_holds_no_word_without_a_score(version):
    text = "It was not at all really good, sorry"
    document = {"tokens": ["not", "good", "sorry"], "scores": [0.5, 0.4, -0.1], "text": text}
    document |= {"query": "pos", **version} if version else {"label": "pos"}
    notes = []
    (found,) = read(document, on_note=notes.append)
    written = TemplateVerbalizer().verbalize(found).text
    assert not any(word in written for word in ("at all", "really"))
    assert "3 of 8 words of the text have scores" in notes


@pytest.mark.parametrize("score", [0.5, 0.0, -0.5])
def test_a_scored_word_is_not_called_the_only_one_of_a_longer_text(score):
    (found,) = read({"tokens": ["good"], "scores": [score], "label": "pos", "text": "not good at all"})
    written = TemplateVerbalizer().verbalize(found).text.lower()
    assert not any(words in written for words in ("only word", "every word"))
    (found,) = read({"tokens": ["not", "good"], "scores": [score, score], "label": "pos", "text": "not good at all"})
    assert "every word" not in TemplateVerbalizer().verbalize(found).text.lower()


@pytest.mark.parametrize(
    ("tokens", "text", "offsets"),
    [
        (["good"], "not good at all", [(0, 3)]),
        (["not good", "good"], "not good", [(0, 8), (4, 8)]),
        (["not", "good"], "not good", [(4, 8), (0, 3)]),
        (["good", "good"], "good good", [(0, 4), (0, 4)]),
        (["good"], "good", [(0, 0)]),
    ],
)
def test_offsets_that_contradict_the_text_are_refused(tokens, text, offsets):
    scores = [1.0] * len(tokens)
    with pytest.raises(SaliencyError, match="offsets"):
        read({"tokens": tokens, "scores": scores, "label": "pos", "text": text, "offsets": offsets})
    with pytest.raises(SaliencyError, match="offsets"):
        TokenSaliency(tokens, scores, Query("pos"), text=text, offsets=offsets)


@pytest.mark.parametrize(
    ("tokens", "text", "offsets"),
    [
        (["[CLS]", "caf", "##e"], "Café", [(0, 0), (0, 3), (3, 4)]),
        (["▁Good", "▁day"], "good day", [(0, 4), (4, 8)]),
        (["Ġð", "ŁĺĢ"], "a 😀", [(1, 3), (2, 3)]),
        (["f", "ine"], "ﬁne", [(0, 1), (0, 3)]),
        (["``", "x"], '"x', [(0, 1), (1, 2)]),
        (["[UNK]", "x"], "ŋ x", [(0, 1), (2, 3)]),
    ],
)
def test_offsets_of_tokenizers_are_taken(tokens, text, offsets):
    found = TokenSaliency.from_pieces(tokens, [1.0] * len(tokens), Query("pos"), text=text, offsets=offsets)
    assert found.offsets is not None


def test_a_string_is_one_label():
    own = {"version": 1, "tokens": ["a"], "scores": [1.0]}
    (found,) = read(own | {"query": {"label": "pos", "versus": "neg", "members": "great"}})
    assert found.query == Query("pos", ("neg",), ("great",))
    (found,) = read(own | {"query": "pos", "versus": "neg"})
    assert found.query.versus == ("neg",)
    with pytest.raises(SaliencyError, match="versus"):
        read(own | {"query": {"label": "pos", "versus": "neg"}, "versus": ["neutral"]})
    plain = {"tokens": ["a"], "scores": [1.0], "label": "pos"}
    for document, options in ((plain, {"versus": "neg"}), (plain | {"versus": "neg"}, {}), (plain | {"versus": ["neg"]}, {})):
        (found,) = read(document, **options)
        assert found.query.versus == ("neg",)
    with pytest.raises(SaliencyError, match="versus"):
        read(plain | {"versus": "neg"}, versus="neutral")


@pytest.mark.parametrize("said", ["false", "no", 0, "False", "0", "unsigned", False])
def test_signed_is_read_in_its_usual_spellings(said, tmp_path):
    table = tmp_path / "x.csv"
    table.write_text(f"token,score,label,signed\na,1,pos,{said}\nb,0.5,pos,{said}\n")
    plain = {"tokens": ["a", "b"], "scores": [1.0, 0.5], "label": "pos", "signed": said}
    own = {"version": 1, "tokens": ["a"], "scores": [1.0], "query": "pos", "signed": said}
    for source in (table, plain, own):
        (found,) = read(source)
        assert not found.signed


@pytest.mark.parametrize("said", ["perhaps", 2, [], 0.5])
def test_signed_that_says_nothing_known_is_refused(said, tmp_path):
    table = tmp_path / "x.csv"
    table.write_text(f"token,score,label,signed\na,1,pos,{said}\n")
    plain = {"tokens": ["a"], "scores": [1.0], "label": "pos", "signed": said}
    for source in (table, plain, {"version": 1, "tokens": ["a"], "scores": [1.0], "query": "pos", "signed": said}):
        with pytest.raises(SaliencyError, match="signed"):
            read(source)


def test_rows_that_disagree_about_signs_are_refused(tmp_path):
    table = tmp_path / "x.csv"
    table.write_text("token,score,label,signed\na,1,pos,true\nb,1,pos,false\n")
    with pytest.raises(SaliencyError, match="signed"):
        read(table)
