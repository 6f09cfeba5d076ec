"""CSV and TSV tables: which column holds what, which rows are one text, and what is refused with a reason."""

import io
import json

import pytest

from verbalize import Prediction, SaliencyError, read_saliency
from verbalize.formats.word_lists import GAP


def read(table, **options):
    options.setdefault("on_note", lambda text: None)
    return read_saliency(io.BytesIO(table.encode()), format="csv", **options)


def seen(table, **options):
    return [(one.query.label, one.tokens, one.scores.tolist()) for one in read(table, **options)]


GOOD = [("x", ("good", "film"), [1.0, -2.0])]


@pytest.mark.parametrize(
    "table",
    [
        "token,score\ngood,1\nfilm,-2\n",
        "word,weight\ngood,1\nfilm,-2\n",
        "Word;Attribution\ngood;1\nfilm;-2\n",
        "\ufefftoken,score\r\ngood,1\r\nfilm,-2\r\n",
        ",word,importance\n0,good,1\n1,film,-2\n",
        "Unnamed: 0,word,importance\n0,good,1\n1,film,-2\n",
        "token,score,probability\ngood,1,0.9\nfilm,-2,0.9\n",
        "token,score,prediction\ngood,1,0.93\nfilm,-2,0.93\n",
        "token\tscore\tpos\ngood\t1\tADJ\nfilm\t-2\tNOUN\n",
        "token_id,token,score\n17,good,1\n4,film,-2\n",
        "position,token,score\n1,film,-2\n0,good,1\n",
        "token,score,start\nfilm,-2,5\ngood,1,0\n",
        "good;1\nfilm;-2\n",
        "tokens,scores,score\ngood,1,1\nfilm,-2,-2\n",
        "token,score,token_type_id\ngood,1,0\nfilm,-2,1\n",
    ],
)
def test_one_text_in_many_tables(table):
    assert seen(table, label="x") == GOOD


TWO = [("x", ("good", "film"), [1.0, -2.0]), ("x", ("bad", "so"), [3.0, 4.0])]
ROWS = [("good", 1), ("film", -2), ("bad", 3), ("so", 4)]


@pytest.mark.parametrize(
    "column",
    [
        ("sentence_id", "0 0 1 1"), ("sample_id", "a a b b"), ("Text ID", "7 7 8 8"), ("doc-id", "7 7 8 8"), ("id", "a a b b"),
        ("sentence", "0 0 1 1"), ("idx", "0 0 1 1"), ("index", "5 5 6 6"), ("document", "1 1 2 2"), ("review_id", "1 1 2 2"),
        ("text", "good_film good_film bad_so bad_so"), ("example", "1 1 2 2"),
    ],
)  # fmt: skip
def test_each_column_that_names_texts_keeps_them_apart(column):
    name, values = column
    cells = [value.replace("_", " ") for value in values.split()]
    table = f"{name},token,score\n" + "".join(
        f"{cell},{word},{score}\n" for cell, (word, score) in zip(cells, ROWS, strict=True)
    )
    assert seen(table, label="x") == TWO


def test_several_columns_name_a_text_together_and_one_that_counts_words_names_none():
    table = "split,doc_id,sent_id,id,token,score\na,1,1,1,good,1\na,1,1,2,film,-2\na,1,2,3,bad,3\na,1,2,4,so,4\n"
    maps = read(table, label="x")
    assert [(one.id, one.tokens) for one in maps] == [("1-1", ("good", "film")), ("1-2", ("bad", "so"))]


def test_empty_rows_end_a_text_where_nothing_names_it():
    assert seen("token\tscore\ngood\t1\nfilm\t-2\n\nbad\t3\nso\t4\n\n", label="x") == TWO


def test_a_text_without_order_or_with_a_number_for_each_row_is_refused():
    with pytest.raises(SaliencyError, match="'id' changes with every row"):
        read("id,token,score\n1,good,1\n2,film,2\n", label="x")
    with pytest.raises(SaliencyError, match="'sentence_id' changes with every row"):
        read("sentence_id,token,score\ns1,good,1\ns2,film,2\n", label="x")
    with pytest.raises(SaliencyError, match="start anew"):
        read("position,token,score\n0,good,1\n1,film,2\n0,bad,3\n1,so,4\n", label="x")
    assert [one.id for one in read("id,token,score\n7,good,1\n", label="x")] == ["7"]


def test_one_id_under_two_labels_makes_two_maps_and_the_label_chooses():
    table = "id,label,token,score\n1,pos,good,1\n1,pos,film,2\n1,neg,good,-1\n1,neg,film,-2\n2,pos,so,3\n"
    assert seen(table) == [("pos", ("good", "film"), [1, 2]), ("neg", ("good", "film"), [-1, -2]), ("pos", ("so",), [3])]
    assert [one.id for one in read(table)] == ["1.pos", "1.neg", "2"]
    turns = "id,label,token,score\n1,pos,good,1\n1,neg,good,-1\n1,pos,film,2\n1,neg,film,-2\n"
    assert seen(turns) == [("pos", ("good", "film"), [1, 2]), ("neg", ("good", "film"), [-1, -2])]
    assert seen(turns, label="neg") == [("neg", ("good", "film"), [-1, -2])]
    with pytest.raises(SaliencyError, match="no output 'maybe'"):
        read(turns, label="maybe")


def test_labels_that_tag_the_words_do_not_make_maps():
    with pytest.raises(SaliencyError, match=r"'1' carry several labels \('O', 'PER'\) for different words"):
        read("id,token,score,label\n1,Ann,1,O\n1,sings,2,PER\n1,well,3,O\n")


def test_a_label_that_contradicts_the_table_is_an_error_and_numbers_get_their_names():
    table = "token,score,label\ngood,1,1\nfilm,-2,1\n"
    assert seen(table, class_names=["bad", "fine"]) == [("fine", *GOOD[0][1:])]
    assert seen(table.replace(",1\n", ",1.0\n").replace("good,1.0", "good,1,1.0"), class_names=["bad", "fine"])[0][0] == "fine"
    assert seen("token,score,label\ngood,1,LABEL_1\n", class_names=["bad", "fine"])[0][0] == "fine"
    assert seen("token,score,label\ngood,1,LABEL_1\n", label="fine")[0][0] == "fine"
    assert seen("token,score,class_id\ngood,1,0\n", class_names=["bad", "fine"])[0][0] == "bad"
    with pytest.raises(SaliencyError, match="speak for 'good', not for 'bad'"):
        read("token,score,label\nx,1,good\n", label="bad")
    with pytest.raises(SaliencyError, match=r"class_names .* no effect"):
        read("token,score,label\nx,1,good\n", class_names=["a", "b"])


def test_a_probability_is_no_label():
    with pytest.raises(SaliencyError, match=r"'label' holds 0\.93, which is a probability"):
        read("token,score,label\ngood,1,0.93\nfilm,-2,0.93\n")
    (found,) = read("token,score,label,prediction,probability\ngood,1,pos,neg,0.75\n")
    assert (found.query.label, found.prediction) == ("pos", Prediction("neg", 0.75))
    (found,) = read("token,score,prediction\ngood,1,pos\n")
    assert (found.query.label, found.prediction) == ("pos", Prediction("pos"))
    (found,) = read("token,score,label,confidence\ngood,1,pos,0.75\n")
    assert found.prediction is None  # whose probability it is, the table does not say


def test_two_columns_of_scores_are_refused_unless_they_agree():
    with pytest.raises(SaliencyError, match="'score' and 'weight' may both hold the scores"):
        read("token,score,weight\ngood,1,2\n", label="x")
    with pytest.raises(SaliencyError, match="'label' and 'target' may both hold the label"):
        read("token,score,label,target\ngood,1,pos,neg\n")
    assert seen("feature,weight,value\ngood,1,7\nfilm,-2,7\n", label="x") == GOOD


def test_features_without_positions_make_no_phrase():
    (found,) = read("target,feature,weight,value\npos,good,1,1\npos,film,-2,1\npos,<BIAS>,0.5,1\n")
    assert [(token.token, token.score, token.position) for token in found.special] == [("<BIAS>", 0.5, 0), (GAP, 0.0, 1)]
    (placed,) = read("feature,weight\ngood,1\nfilm,-2\n", label="x", input_text="A film: good film")
    assert placed.tokens == ("A", "film", ":", "good", "film")
    assert placed.scores.tolist() == [0, -1, 0, 1, -1]


def test_columns_that_are_not_read_are_told_once():
    notes = []
    read("id,token,score,remark,lemma\n1,a,1,x,y\n1,b,-1,x,y\n2,c,1,x,y\n2,d,1,x,y\n", label="x", on_note=notes.append)
    assert notes == ["not read: the columns 'remark', 'lemma'"]
    with pytest.warns(UserWarning, match="not read: the column 'remark'"):
        read("token,score,remark\na,-1,x\n", label="x", on_note=None)


def test_scores_without_signs_are_told_once_and_can_be_said_to_have_none():
    notes = []
    table = "id,token,score\n1,a,1\n1,b,2\n2,c,1\n2,d,1\n"
    assert all(one.signed for one in read(table, label="x", on_note=notes.append))
    assert len(notes) == 1
    assert "signed=False" in notes[0]
    assert not any(one.signed for one in read(table, label="x", signed=False, on_note=notes.append))
    assert all(one.signed for one in read(table, label="x", signed=True, on_note=notes.append))
    read(table.replace("d,1", "d,-1"), label="x", on_note=notes.append)
    assert len(notes) == 1
    with pytest.raises(SaliencyError, match="negative"):
        read("token,score\na,-1\n", label="x", signed=False)


def test_tables_in_json_and_in_memory_keep_their_texts_apart(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"sentence_id": [0, 0, 1, 1], "token": [word for word, _ in ROWS], "score": [score for _, score in ROWS]}
    )
    (tmp_path / "rows.json").write_text(frame.to_json(orient="records"))
    (tmp_path / "columns.json").write_text(json.dumps(frame.to_dict(orient="list")))
    for source in (frame, frame.to_dict(orient="records"), tmp_path / "rows.json", tmp_path / "columns.json"):
        maps = read_saliency(source, label="x")
        assert [(one.query.label, one.tokens, one.scores.tolist()) for one in maps] == TWO
        assert [one.id for one in maps] == ["0", "1"]
    gaps = pandas.DataFrame({"token": ["good", "film"], "score": [1.0, None]})
    with pytest.raises(SaliencyError, match="the score is empty"):
        read_saliency(gaps, label="x")
    lines = tmp_path / "words.jsonl"
    frame.to_json(lines, orient="records", lines=True)
    with pytest.raises(SaliencyError, match="one word with its score"):
        read_saliency(lines, label="x")


def test_columns_of_attention_have_no_sign():
    assert not read("token,attention\ngood,1\nfilm,2\n", label="x")[0].signed
    with pytest.raises(SaliencyError, match="have no sign"):
        read("token,attention\ngood,1\nfilm,2\n", label="x", signed=True)


def test_quotation_marks_are_words():
    assert seen('token\tscore\n"\t1\nfilm\t-2\n"\t3\n', label="x") == [("x", ('"', "film", '"'), [1, -2, 3])]
    assert seen('token,score\n"""",1\n"a,b",-2\n', label="x") == [("x", ('"', "a,b"), [1, -2])]
    (found,) = read('token,score,text\n``,1,"""no"""\nno,2,"""no"""\n\'\',-1,"""no"""\n', label="x")
    assert found.offsets == ((0, 1), (1, 3), (3, 4))


def test_tables_come_on_a_stream_too():
    for data in (
        b"token,score\ngood,1\nfilm,-2\n",
        b"\n\nword\tweight\ngood\t1\nfilm\t-2\n",
        b'[\n["good", 1],\n["film", -2]\n]\n',
    ):
        (found,) = read_saliency(io.BytesIO(data), label="x")
        assert found.tokens == ("good", "film"), data
    problems = []
    lines = b'{"oops\n{"tokens": ["a"], "scores": [-1], "label": "x"}\n'
    assert [one.tokens for one in read_saliency(io.BytesIO(lines), on_problem=problems.append)] == [("a",)]
    assert [problem.line for problem in problems] == [1]
    with pytest.raises(SaliencyError, match="is empty"):
        read_saliency(io.BytesIO(b"\n\n"))
    with pytest.raises(SaliencyError, match=r"line 3.*UTF-8"):
        read_saliency(io.BytesIO("token,score\na,1\ncafé,1\n".encode("latin-1")), label="x")
