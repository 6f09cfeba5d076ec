"""Readers of Python on values that hypothesis makes up: what comes out is a result or a `UsageError`, never anything else."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agents import read_pairs
from agents.prompting import read_descriptions
from saywhy_core.errors import Problem, UsageError
from saywhy_core.images import load_array, read_image
from saywhy_core.legible import legible, legible_lines
from saywhy_core.names import read_class_names
from saywhy_core.reading.ceilings import parse_ceiling
from saywhy_core.reading.documents import parse_json
from saywhy_core.secrets import forget_secrets, keep_secret, redact
from verbalize import TemplateVerbalizer, TextRecord, check_texts, iter_texts, read_saliency, with_maps
from verbalize.claims import Claim

QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
# whole words of what the readers look for, so that more than the first test of a reader is passed
WORDS = (
    "positive",
    "great",
    "A",
    "##ly",
    "Ġfilm",
    "[CLS]",
    "<0xF0>",
    "\ud800",
    "\x1b[31m",
    "[/foo]",
    "\u202e",
    "\x00",
    "1",
    "",
)
texts = st.sampled_from(WORDS) | st.text(max_size=20) | st.text(st.characters(categories=["Cs", "Cc", "Co", "Mn"]), max_size=5)
numbers = (
    st.integers(-3, 9) | st.floats(width=64) | st.sampled_from((10**400, -(10**30), 2**63, 1e308, 5e-324, float("nan"))) | st.booleans() | st.none()
)  # fmt: skip
values = st.recursive(
    numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def field(honest):
    """Mostly what a reader expects, and sometimes anything."""
    return st.one_of(honest, honest, honest, values)


tokens = field(st.lists(texts, max_size=6))
scores = field(st.lists(numbers, max_size=6))
own = st.fixed_dictionaries(
    {
        "version": st.sampled_from((1, 1, 1, 2, None, "1")),
        "query": field(st.fixed_dictionaries({"label": field(texts)}, optional={"versus": values, "members": values})),
        "tokens": tokens,
        "scores": scores,
    },
    optional={
        "id": values,
        "signed": values,
        "text": field(texts),
        "offsets": field(st.lists(st.tuples(numbers, numbers), max_size=6)),
        "special": field(st.lists(st.tuples(texts, numbers, numbers), max_size=3)),
        "prediction": field(st.fixed_dictionaries({}, optional={"label": values, "probability": values, "scores": values})),
        "method": values,
        "scheme": values,
        "pixels": values,
    },
)
plain = st.fixed_dictionaries(
    {"tokens": tokens, "attributions": scores},
    optional={
        "label": values,
        "text": field(texts),
        "id": values,
        "labels": values,
        "versus": values,
        "offsets": values,
        "signed": values,
    },
)
claims = st.fixed_dictionaries(
    {"kind": field(st.sampled_from(("supports", "share", "rank", "ratio", "balance", "absent", "confidence", "only")))},
    optional={
        "part": field(st.lists(numbers, max_size=4)),
        "other": values,
        "direction": field(st.sampled_from(("supports", "opposes"))),
        "value": numbers,
        "tolerance": numbers,
        "of": values,
        "label": values,
        "versus": values,
        "shared": values,
        "quote": values,
    },
)
written = st.fixed_dictionaries({"text": field(texts)}, optional={"id": values, "claims": field(st.lists(claims, max_size=3))})


def as_bytes(value):
    return json.dumps(value).encode("utf-8", "surrogatepass")


@QUICK
@given(values.map(as_bytes) | st.binary(max_size=60) | st.text(max_size=40))
@example(b"[" * 100_000)
@example(b'{"a":' * 5000 + b"1" + b"}" * 5000)
@example(b"9" * 5000)
@example(b'"\\ud800"')
@example(b"\xff\xfe[\x00]\x00")
@example(b'{"a": 1e400, "a": NaN}')
def test_parse_json(data):
    with suppress(UsageError):
        parse_json(data, "the document")


@QUICK
@given(st.lists(own | plain | values, min_size=1, max_size=3))
def test_maps_are_read_or_told_and_then_put_into_words(tmp_path, records):
    path = tmp_path / "maps.jsonl"
    path.write_bytes(b"\n".join(map(as_bytes, records)))
    problems: list[Problem] = []
    with suppress(UsageError):
        maps = read_saliency(path, on_problem=problems.append, on_note=lambda _: None)
        list(TemplateVerbalizer().verbalize_all(maps, on_problem=problems.append))
    for problem in problems:
        assert isinstance(problem, Problem)
        assert problem.what


@QUICK
@given(own | plain)
def test_a_map_of_python_is_read_or_is_a_usage_error(record):
    """Without `on_problem`, from an object and not a file."""
    with suppress(UsageError):
        read_saliency(record, on_note=lambda _: None)


@QUICK
@given(st.lists(st.tuples(texts, numbers), max_size=8), field(texts))
def test_a_list_of_words_and_scores(pairs, text):
    with suppress(UsageError):
        read_saliency([list(pair) for pair in pairs], label="p", input_text=text, on_note=lambda _: None)


@QUICK
@given(st.lists(written | values, min_size=1, max_size=3))
def test_texts_are_read_or_told_and_checked(tmp_path, records):
    path = tmp_path / "texts.jsonl"
    path.write_bytes(b"\n".join(map(as_bytes, records)))
    (saliency,) = read_saliency([["great", 0.5], ["awful", -0.25]], label="positive", on_note=lambda _: None)
    problems: list[Problem] = []
    with suppress(UsageError):
        found = [TextRecord(None, one.text, one.claims, one.line, one.place) for one in iter_texts(path, problems.append)]
        pairs = with_maps(found, [saliency] * len(found), on_problem=problems.append)
        list(check_texts(pairs, on_problem=problems.append))


@QUICK
@given(claims | values)
def test_claims(record):
    with suppress(UsageError):
        assert Claim.from_record(Claim.from_record(record).to_record()).kind


@QUICK
@given(st.dictionaries(st.sampled_from(("0_1", "1_0", "0_2", "x", "")) | texts, values, max_size=3) | values)
def test_pair_files_and_descriptions(tmp_path, content):
    path = tmp_path / "pairs.json"
    path.write_bytes(as_bytes(content))
    for read in (lambda: read_pairs(path, ["a", "b", "c"]), lambda: read_descriptions(path, ["a", "b", "c"])):
        with suppress(UsageError):
            read()


pair = st.fixed_dictionaries({"prompt_pair": field(st.lists(texts, min_size=2, max_size=2))}, optional={"attr_type": values})
entries = st.fixed_dictionaries(
    {"classes": field(st.lists(st.integers(0, 2), min_size=2, max_size=2)), "prompt_pairs": field(st.lists(pair, max_size=3))},
    optional={"names": field(st.lists(texts, max_size=2)), "provenance": values},
)


@QUICK
@given(st.dictionaries(st.sampled_from(("0_1", "0_2", "1_2", "2_0")), entries, max_size=3))
def test_pairs_that_are_nearly_right(tmp_path, content):
    path = tmp_path / "pairs.json"
    path.write_bytes(as_bytes(content))
    with suppress(UsageError):
        found = read_pairs(path, ["a", "b", "c"])
        found.by_class(["a", "b", "c"])
        assert all(isinstance(one, Problem) for one in found.problems)


@QUICK
@given(
    st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")) | values.map(as_bytes),
    st.booleans(),
)
@example(b"a\nb\n\xff", False)
@example(b"\xff\xfea\x00", False)
@example(b"a\x00b", False)
def test_class_names(tmp_path, data, is_json):
    path = tmp_path / ("names.json" if is_json else "names.txt")
    path.write_bytes(data)
    with suppress(UsageError):
        names = read_class_names(path)
        assert names
        assert all(isinstance(name, str) and name.strip() == name and name for name in names)


headers = st.sampled_from(
    (
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }", "{'descr': '<f4', 'fortran_order': True, 'shape': (0, 10**18), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 2), }", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "(" * 200,
        "__import__('os').system('true')",
    )
) | st.text(max_size=80)  # fmt: skip


@QUICK
@given(headers, st.binary(max_size=40), st.sampled_from((1, 2, 3, 7)))
def test_arrays(tmp_path, header, body, version):
    raw = header.encode("utf-8", "replace") + b"\n"
    path = tmp_path / "array.npy"
    path.write_bytes(b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(raw)) + raw + body)
    for read in (load_array, read_image):
        with suppress(UsageError):
            found = read(path)
            assert isinstance(found, np.ndarray)
            assert found.dtype.kind != "O"


@QUICK
@given(
    st.sampled_from(("PNG", "JPEG", "GIF", "BMP", "TIFF")),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=8),
    st.integers(0, 400),
)
def test_pictures(tmp_path, form, changes, cut):
    from PIL import Image

    into = io.BytesIO()
    Image.fromarray(np.arange(72, dtype=np.uint8).reshape(4, 6, 3)).save(into, form)
    data = bytearray(into.getvalue())
    for place, value in changes:
        data[place % len(data)] = value
    path = tmp_path / f"picture.{form.lower()}"
    path.write_bytes(bytes(data[: len(data) - cut if cut < len(data) // 2 else len(data)]))
    found = error = None
    try:
        found = read_image(path)
    except UsageError as raised:
        error = str(raised)
    if found is None:
        assert "<_io" not in error
    else:
        assert found.dtype == np.float32
        assert found.min() >= 0
        assert found.max() <= 1


@QUICK
@given(st.text(max_size=30) | st.tuples(st.sampled_from(("pixels", "bytes", "x", "")), st.text(max_size=12)).map("=".join))
@example("pixels=" + "9" * 5000)
@example("pixels=" + "9" * 400 + ".5G")
@example("pixels=1e400")
@example("pixels=\u0663")
def test_ceilings(text):
    with suppress(UsageError):
        name, value = parse_ceiling(text)
        assert value >= 1
        assert name in text


@QUICK
@given(st.text(min_size=8, max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_a_secret_is_taken_out_of_any_text(secret, before, after):
    keep_secret(secret)
    try:
        if len(secret.strip()) >= 8:
            assert secret.strip() not in redact(f"{before} {secret} {after}")
    finally:
        forget_secrets()


@QUICK
@given(st.text() | texts)
def test_what_is_shown_is_obeyed_by_no_terminal(text):
    obeyed = {chr(code) for code in (*range(32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
    assert not obeyed & set(legible(text))
    assert not (obeyed - {"\t", "\n"}) & set(legible_lines(text))
    legible(text).encode()
    legible_lines(text).encode()


@pytest.mark.parametrize("name", ["[/foo]", "[bold]x[/bold]", "\\[x]", "[link=http://127.0.0.1/]x[/link]"])
def test_square_brackets_are_no_markup(in_process, tmp_path, name):
    """What a file calls itself, or its records, stands in messages as it is."""
    (tmp_path / "maps.jsonl").write_text(json.dumps({"tokens": ["a"], "attributions": ["x"], "label": "p", "id": name}) + "\n")
    done = in_process.run_command("convert", "maps.jsonl", "--out", "out.jsonl", folder=tmp_path)
    assert name in done.stderr
    (tmp_path / "one.jsonl").write_text(
        json.dumps({"tokens": ["a", "b"], "attributions": [1, 2], "label": name, "id": name}) + "\n"
    )
    done = in_process.run_command("verbalize", "one.jsonl", "--format", "text", folder=tmp_path)
    assert done.returncode == 0
    assert name in done.stdout


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_each_reader_on_a_thousand_values():
    """The tests above, with more examples and other ones each time."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        __file__,
        "-q",
        "-m",
        "not long",
        "-p",
        "no:cacheprovider",
        "-n0",
        "--timeout=1000",
    ]
    done = subprocess.run(command, env={**os.environ, "SAYWHY_FUZZ_EXAMPLES": "1000"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:]
