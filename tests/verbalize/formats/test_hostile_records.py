"""One bad record never costs the others, whatever is wrong with it, and no source takes for ever."""

import gzip
import io
import json
import time
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saywhy_core.reading.ceilings import ceilings
from verbalize import SaliencyError, TokenSaliency, read_saliency
from verbalize.saliency import Prediction, Query, SpecialToken

GOOD = {"tokens": ["a", "b"], "scores": [1.0, -2.0], "label": "x", "id": "good"}
OWN = {"version": 1, "id": "o", "query": {"label": "x"}, "tokens": ["a"], "scores": [1]}
HUGE, LONG, DEEP = "9" * 400, "9" * 5000, "[" * 500 + "]" * 500
BAD = [
    r'{"tokens": ["\ud800"], "scores": [1], "label": "x"}',
    r'{"tokens": ["a"], "scores": [1], "label": "\udfff"}',
    r'{"tokens": ["a"], "scores": [1], "label": "x", "id": "\ud800"}',
    '{"tokens": ["a"], "scores": [%s], "label": "x"}'.replace("%s", HUGE),
    '{"tokens": ["a"], "scores": [%s], "label": "x"}'.replace("%s", LONG),
    '{"tokens": ["a"], "scores": [1e999], "label": "x"}',
    '{"tokens": ["a"], "scores": [NaN], "label": "x"}',
    '{"tokens": [true], "scores": [1], "label": "x"}',
    '{"tokens": [null], "scores": [1], "label": "x"}',
    '{"tokens": ["a"], "scores": [{}], "label": "x"}',
    '{"tokens": ["a"], "scores": [[1, [2]]], "label": "x"}',
    '{"tokens": ["a"], "scores": [1], "label": {"a": [%s]}}'.replace("%s", HUGE),
    '{"tokens": ["a"], "scores": [1], "label": "x", "text": "a", "offsets": [[0, %s]]}'.replace("%s", HUGE),
    '{"tokens": ["a"], "scores": [1], "label": "x", "text": "a", "offsets": [[-5, 1]]}',
    '{"tokens": ["a"], "scores": [1], "label": "x", "offsets": {"a": 1}, "prediction": {"label": "x", "probability": %s}}'.replace(
        "%s", HUGE
    ),
    '{"tokens": %s, "scores": [1], "label": "x"}'.replace("%s", DEEP),
    json.dumps({**OWN, "pixels": "none.npy"}),
    json.dumps({**OWN, "pixels": ["none.npy"]}),
    json.dumps({**OWN, "prediction": {"label": "x", "scores": {"a": 10**400}}}),
    json.dumps({**OWN, "special": [["x", 1, "y"]]}),
    json.dumps({**OWN, "scheme": ["none"]}),
    json.dumps({**OWN, "query": {"label": "x", "versus": {"a": 1}}}),
    '{"instance_1": {"grad_input_1": [1, "a"]}, "tokens": ["a", "b"], "label": "x"}',
    '{"estimator": "x", "targets": [5]}',
    '{"sequence_attributions": [{"source": [{"token": "a"}], "target": [{"token": "b"}], "source_attributions": [[%s]]}]}'.replace(
        "%s", HUGE
    ),
    '[["a", %s, 1], ["b", 1, 1]]'.replace("%s", HUGE),
    DEEP,
    LONG,
    "null",
    '"text"',
]


def read(source, **options):
    problems = []
    maps = read_saliency(source, on_problem=problems.append, on_note=lambda text: None, **options)
    return [saliency.id for saliency in maps], problems


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
@pytest.mark.parametrize("name", ["maps.jsonl", "maps.json", "maps", "maps.json.gz", None])
def test_one_bad_record_leaves_the_others(tmp_path, bad, name):
    first, last = json.dumps(GOOD), json.dumps({**GOOD, "id": "last"})
    separator = "," if name is not None and "json" in name and "jsonl" not in name else "\n"
    content = separator.join([first, bad, last])
    data = (f"[{content}]" if separator == "," else content).encode()
    if name is None:
        found, problems = read(io.BytesIO(data))
    else:
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        found, problems = read(tmp_path / name)
    assert found == ["good", "last"]
    assert len(problems) == 1
    assert "\n" not in str(problems[0])
    assert len(str(problems[0])) < 1500
    assert problems[0].line == 2 if separator == "\n" else problems[0].id is not None


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 10**400, 1e308, -1e308, 5e-324])
    | st.sampled_from(["", "a", "x", "\0", "\ud800", "[CLS]", "##a", "1" * 50]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted({*GOOD, *OWN, "versus"})), inner, max_size=5)
    ),
    max_leaves=8,
)
_fields = st.sampled_from(
    sorted({*GOOD, *OWN, "text", "offsets", "special", "prediction", "signed", "scheme", "versus", "labels"})
)


@given(st.sampled_from([GOOD, OWN]), _fields, _json)
def test_any_field_may_hold_anything(record, field, value):
    lines = "\n".join([json.dumps({**record, field: value}), json.dumps({**GOOD, "id": "last"})])
    found, problems = read(io.BytesIO(lines.encode()))
    assert found[-1] == "last"
    assert len(found) + len(problems) >= 2 or value == []


def test_no_map_holds_what_no_file_can():
    for make in (
        lambda: TokenSaliency(["\ud800"], [1], Query("x")),
        lambda: TokenSaliency(["a"], [1], Query("x"), text="a\udc00"),
        lambda: TokenSaliency(["a"], [1], Query("x"), id="\ud800"),
        lambda: Query("\ud800"),
        lambda: Query("x", versus=("\ud800",)),
        lambda: Prediction("\ud800"),
        lambda: Prediction("x", scores={"\ud800": 1.0}),
        lambda: SpecialToken("\ud800", 0.0, 0),
    ):
        with pytest.raises(SaliencyError, match="half a character"):
            make()


def test_words_and_texts_have_ceilings(tmp_path):
    with ceilings(tokens=3, characters=5, text=20):
        for tokens, text, says in (
            (["a"] * 4, None, "tokens=4"),
            (["abcdef"], None, "characters=6"),
            (["a"], "a" * 21, "text=21"),
        ):
            record = {**GOOD, "tokens": tokens, "scores": [1] * len(tokens), "text": text, "id": "large"}
            found, problems = read(io.BytesIO(f"{json.dumps(record)}\n{json.dumps(GOOD)}".encode()))
            assert found == ["good"]
            assert f"--ceiling {says}" in problems[0].what
        (tmp_path / "t.csv").write_text("id,token,score\n" + "a,w,1\n" * 4 + "b,w,1\n" * 2)
        found, problems = read(tmp_path / "t.csv", label="x")
        assert (found, problems[0].id) == (["b"], "a")
    lines = "\n".join(json.dumps({**GOOD, "id": str(number)}) for number in range(5))
    with ceilings(records=4), pytest.raises(SaliencyError, match="--ceiling records"):
        read(io.BytesIO(lines.encode()))


# tables

ROWS = ["r1,a,1,pos,0.5", "r1,b,2,pos,0.5", "r3,a,1,pos,0.5", "r3,b,-2,pos,0.5"]


@pytest.mark.parametrize(
    "row",
    [
        'r2,"a,1,pos,0.5',
        f"r2,a,{LONG},pos,0.5",
        "r2,a,1e999,pos,0.5",
        "r2,a,nan,pos,0.5",
        "r2,a",
        f"r2,{'a' * 200_000},1,pos,0.5",
    ],
)
def test_one_bad_row_costs_its_own_map(tmp_path, row):
    for place in (2, 4):
        rows = [*ROWS[:place], row, "r2,b,1,pos,0.5", *ROWS[place:]]
        (tmp_path / "t.csv").write_text("\n".join(["id,token,score,label,probability", *rows]) + "\n")
        found, problems = read(tmp_path / "t.csv")
        assert found == ["r1", "r3"]
        assert [problem.id for problem in problems] == ["r2"]


def test_a_quotation_mark_that_is_not_closed_swallows_no_rows(tmp_path):
    many = [f"m{number // 2},w{number},1" for number in range(4000)]
    (tmp_path / "t.csv").write_text("\n".join(["id,token,score", 'bad,"a,1', "bad,b,1", *many]))
    found, problems = read(tmp_path / "t.csv", label="x")
    assert found == [f"m{number}" for number in range(2000)]
    assert [(problem.id, problem.line) for problem in problems] == [("bad", 2)]
    (tmp_path / "t.csv").write_text('id,text,token,score\nr,"two\nlines",two,1\nr,"two\nlines",lines,2\n')
    assert read(tmp_path / "t.csv", label="x") == (["r"], [])


def test_a_table_is_measured_before_it_takes_memory(tmp_path):
    (tmp_path / "t.csv").write_text("token,score\n" + "a,1\n" * 2_000_000)
    with pytest.raises(SaliencyError, match="--ceiling values="):
        read(tmp_path / "t.csv", label="x")
    (tmp_path / "t.csv").write_text(",".join(f"c{i}" for i in range(100_000)) + ",token,score\n" + "a,1\n" * 1000)
    with pytest.raises(SaliencyError, match="1,001 rows of up to 100,002 columns"):
        read(tmp_path / "t.csv", label="x")


# time: each of these took minutes

SLOW = [
    {"tokens": [f"w{n}" for n in range(20_000)], "scores": list(range(20_000, 0, -1)), "text": "w1 " * 30_000},
    {"tokens": ["[UNK]", "zz"] * 5000, "scores": [1] * 10_000, "text": "a" * 200_000},
    {"tokens": ["a"] * 5000, "scores": [1] * 5000, "text": " " * 100_000 + "a"},
    {"tokens": ["\u0120ab", "\u0120zz"] * 5000, "scores": [1] * 10_000, "text": "ab " * 60_000},
    {"tokens": [f"##q{n}" for n in range(20_000)], "scores": [1] * 20_000, "text": "ab " * 60_000},
]


@pytest.mark.parametrize("record", SLOW, ids=range(len(SLOW)))
def test_no_record_takes_minutes(record):
    begun = time.process_time()
    found, _ = read(io.BytesIO(f"{json.dumps({**record, 'label': 'x', 'id': 'slow'})}\n{json.dumps(GOOD)}".encode()))
    assert found[-1] == "good"
    assert time.process_time() - begun < 10


def test_many_maps_of_one_made_up_id_are_told_apart_in_time():
    begun = time.process_time()
    found, problems = read(io.BytesIO(b'{"pos": [["a", 1], ["b", 2]]}\n' * 3000))
    assert (found[:3], len(set(found)), problems) == (["pos", "pos.2", "pos.3"], 3000, [])
    assert time.process_time() - begun < 10


# tensors


def test_a_file_of_torch_is_measured_by_what_its_tensors_become(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save(torch.rand(8, 8), tmp_path / "good.pt")
    assert read(tmp_path / "good.pt", label="x") == (["good"], [])
    torch.save(torch.ones(1).expand(100_000, 100_000), tmp_path / "one.pt")
    torch.save(torch.sparse_coo_tensor(torch.tensor([[0], [0]]), torch.tensor([1.0]), (10**6, 10**6)), tmp_path / "sparse.pt")
    laughs = [1] * 10
    for _ in range(9):
        laughs = [laughs] * 10
    torch.save(laughs, tmp_path / "laughs.pt")
    plain = io.BytesIO()
    torch.save(torch.zeros(500_000), plain)
    with zipfile.ZipFile(plain) as archive, zipfile.ZipFile(tmp_path / "packed.pt", "w", zipfile.ZIP_DEFLATED) as packed:
        for part in archive.infolist():
            packed.writestr(part.filename, archive.read(part))
    with ceilings(array=1_000_000, values=10_000):
        for name in ("one", "sparse", "packed"):
            with pytest.raises(SaliencyError, match="--ceiling array="):
                read(tmp_path / f"{name}.pt", label="x")
        with pytest.raises(SaliencyError, match="--ceiling values="):
            read(tmp_path / "laughs.pt", label="x")
