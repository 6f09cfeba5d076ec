"""Names of texts in tables, batches of one, words out of order, and what refusals say."""

import pytest

from verbalize import SaliencyError, read_saliency

WORDS = [("good", 0.5), ("film", 0.25), ("bad", -0.5), ("plot", 0.0)]


def read(document, **options):
    options.setdefault("on_note", lambda text: None)
    return read_saliency(document, **options)


def table(folder, name, values, words=WORDS):
    path = folder / "t.csv"
    lines = [f"{name},token,score,label"]
    lines += [f"{value},{word},{score},pos" for value, (word, score) in zip(values, words, strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    "name",
    ["uid", "guid", "UUID", "sentence_idx", "sample_idx", "sentence_no", "Sentence #", "sent", "line", "file", "group", "tweet",
     "tweet_id", "doc-number", "comment", "post_nr"],
)  # fmt: skip
@pytest.mark.parametrize("values", [("1", "1", "2", "2"), ("a", "a", "b", "b")])
def test_columns_that_name_texts_keep_them_apart(name, values, tmp_path):
    maps = read(table(tmp_path, name, values))
    assert [one.tokens for one in maps] == [("good", "film"), ("bad", "plot")]


def test_a_name_that_stands_once_names_the_rows_below(tmp_path):
    words = [*WORDS, ("end", 0.1)]
    maps = read(table(tmp_path, "Sentence #", ["Sentence: 1", "", "Sentence: 2", "", ""], words))
    assert [one.tokens for one in maps] == [("good", "film"), ("bad", "plot", "end")]


def test_a_line_counts_only_where_nothing_else_names_the_texts(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,line,token,score,label\n1,1,a,1,pos\n1,1,b,1,pos\n1,2,c,-1,pos\n1,2,d,1,pos\n")
    assert [one.tokens for one in read(path)] == [("a", "b", "c", "d")]


def test_a_column_that_may_name_texts_is_not_passed_over(tmp_path):
    with pytest.raises(SaliencyError, match=r"'speech' may name several texts.*name the column 'id'"):
        read(table(tmp_path, "speech", "xxyy"))
    for values in ("xyxy", "xxxx", "xyzz"):  # tags of words, and a column that says the same of all
        assert len(read(table(tmp_path, "speech", values))) == 1


def test_the_features_of_each_target_of_eli5_are_a_map(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("target,feature,weight,value\nyes,good,0.5,1\nyes,film,0.1,1\nno,bad,0.4,1\n")
    maps = read(path)
    assert [(one.query.label, one.tokens) for one in maps] == [("yes", ("good", "film")), ("no", ("bad",))]


@pytest.mark.parametrize(
    ("pairs", "scores"),
    [
        ([("great", 0.5), ("not", -0.25)], [-0.25, 0.5, 0, 0]),
        ([("film", 0.1), ("great", 0.5), ("not", -0.25)], [-0.25, 0.5, 0.1, 0]),
        ([("film", 0.1), ("great", 0.5), ("film", 0.1)], [0, 0.5, 0.2, 0]),
    ],
)
def test_words_out_of_order_get_their_places(pairs, scores):
    if len(pairs) != len({word for word, _ in pairs}):
        with pytest.raises(SaliencyError, match="film"):  # one place, but two scores
            read(pairs, label="pos", input_text="Not great film !")
        return
    (found,) = read(pairs, label="pos", input_text="Not great film !")
    assert (found.tokens, found.scores.tolist()) == (("Not", "great", "film", "!"), scores)


def test_a_repeated_word_of_one_score_gets_all_its_places():
    pairs = [("good", 0.5), ("so", 0.25), ("so", 0.25)]
    (found,) = read(pairs, label="pos", input_text="so so good")
    assert found.scores.tolist() == [0.25, 0.25, 0.5]


def test_a_ranking_may_repeat_words():
    pairs = [("great", 0.5), ("awful", -0.4), ("great", 0.3), ("film", 0.1)]
    (found,) = read(pairs, label="pos")
    assert len(found.special) == 3


def test_a_batch_of_one_is_read():
    document = {
        "tokens": [["not", "good"]], "scores": [[0.5, 0.25]], "label": ["pos"], "text": ["not good"], "offset_mapping":
        [[[0, 3], [4, 8]]],
    }  # fmt: skip
    notes = []
    (found,) = read(document, on_note=notes.append)
    assert (found.tokens, found.scores.tolist(), found.query.label) == (("not", "good"), [0.5, 0.25], "pos")
    assert any("axis of length 1" in note and "'scores'" in note for note in notes)
    (found,) = read({"tokens": ["not", "good"], "scores": [[0.5], [0.25]], "label": "pos"})
    assert found.scores.tolist() == [0.5, 0.25]
    with pytest.raises(SaliencyError, match="one name"):
        read({"tokens": ["a"], "scores": [1.0], "label": ["pos", "neg"]})


def test_refusals_say_what_would_be_read(tmp_path):
    with pytest.raises(SaliencyError, match=r'\[\["word", score\], \.\.\.\]'):
        read({"great": 0.5}, label="pos")
    with pytest.raises(SaliencyError, match='"tokens" and "scores"'):
        read({"mots": ["a"], "notes": [1.0]}, label="pos")
    path = tmp_path / "t.txt"
    path.write_text("token\tscore\ngood\t0.5\n")
    with pytest.raises(SaliencyError, match=r"\.tsv.*format='csv'"):
        read(path, label="pos")
    assert read(path, label="pos", format="csv")[0].tokens == ("good",)
    for cell, hint in (("0,5", r"with a point \(0\.5\)"), ("50%", "without the sign %"), ("high", "not a number")):
        path = tmp_path / "t.tsv"
        path.write_text(f"token\tscore\ngood\t{cell}\n")
        with pytest.raises(SaliencyError, match=hint):
            read(path, label="pos")
