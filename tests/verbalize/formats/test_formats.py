"""Maps from other tools' own objects and files, and our own files there and back."""

import gzip
import io
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from verbalize import (
    PixelSaliency,
    Prediction,
    Query,
    SaliencyError,
    SpecialToken,
    TokenSaliency,
    read_saliency,
    write_saliency,
)
from verbalize.formats import MAX_LINE, format_names

if TYPE_CHECKING:
    from saywhy_core.errors import Problem

POSITIVE = Query("positive", ("negative",), ("joyful", "content"))


def token_map(**fields):
    return TokenSaliency(["A", "great", "great", "film"], [0.1, 2.5, -1e-17, 3.0], POSITIVE, **fields)


def everything():
    rng = np.random.default_rng(0)
    return [
        token_map(
            id="ü/../1",
            text="A great, great film",
            prediction=Prediction("positive", 0.9, {"positive": 1.5, "negative": -0.5}, "negative"),
            special=[SpecialToken("[CLS]", 0.25, 0)],
            method="ig",
        ),
        token_map(id="plain"),
        TokenSaliency([], [], Query("x"), id="empty"),
        PixelSaliency(
            rng.normal(size=(4, 5)),
            Query("stop"),
            image=rng.random((4, 5, 3)),
            masks=np.eye(4, 5)[None] > 0,
            mask_names=("rim",),
            id="p",
        ),
        PixelSaliency(rng.random((4, 5)), Query("stop"), signed=False, id="cam"),
    ]


def test_own_files_come_back_as_they_were(tmp_path):
    path = tmp_path / "maps.jsonl"
    assert write_saliency(everything(), path) == 5
    assert read_saliency(path) == everything()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["maps.jsonl", "maps.jsonl.arrays"]


def test_one_map_needs_no_list(tmp_path):
    write_saliency(token_map(id="one"), tmp_path / "m.jsonl")
    assert read_saliency(tmp_path / "m.jsonl") == [token_map(id="one")]


def test_nothing_is_left_when_writing_fails(tmp_path):
    def maps():
        yield token_map()
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        write_saliency(maps(), tmp_path / "m.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_broken_lines_are_named_and_the_rest_is_read(tmp_path):
    path = tmp_path / "maps.jsonl"
    write_saliency([token_map(id="first"), token_map(id="last")], path)
    first, last = path.read_text().splitlines()
    bad = [
        ("no JSON", "{not json"),
        ("version 99", json.dumps({**json.loads(first), "id": "v", "version": 99}).replace("99", "99")),
        ("nan", first.replace("2.5", "NaN").replace("first", "n")),
        ("3 scores", first.replace("0.1, ", "").replace("first", "len")),
        ("label", json.dumps({"tokens": ["a"], "scores": [1.0], "id": "nolabel"})),
        ("in no format", "42"),
        ("wrong type", json.dumps({"version": 1, "id": "t", "query": {"label": "x"}, "tokens": 5, "scores": [1]})),
        ("first", first),
        ("outside", json.dumps({"version": 1, "id": "trav", "query": {"label": "x"}, "pixels": "../../secret.npy"})),
        ("deep", "[" * 100_000),
    ]
    path.write_text("\n".join([first, *(line for _, line in bad), "", last]) + "\n")
    problems: list[Problem] = []
    maps = read_saliency(path, on_problem=problems.append)
    assert [m.id for m in maps] == ["first", "last"]
    assert len(problems) == len(bad)
    for number, ((fragment, _), problem) in enumerate(zip(bad, problems, strict=True), start=2):
        assert fragment.split()[-1] in str(problem), problem
        assert "\n" not in str(problem)
        assert problem.line == number or "earlier record" in problem.what
    assert [p.id for p in problems if p.id] == ["v", "n", "len", "nolabel", "t", "first", "trav"]
    with pytest.raises(SaliencyError, match="line 2"):
        read_saliency(path)


@pytest.mark.long
def test_a_line_of_200_megabytes_costs_one_record_and_little_memory():
    class Long(io.RawIOBase):
        """A stream whose second line never fits: made on the fly, as no test wants to hold it."""

        def __init__(self, good):
            self.chunks = iter([good, *([b"x" * 2**20] * 200), b"\n", good.replace(b"one", b"two")])
            self.buffer = b""

        def readline(self, size=-1):
            while b"\n" not in self.buffer and len(self.buffer) < size:
                chunk = next(self.chunks, b"")
                if not chunk:
                    break
                self.buffer += chunk
            end = self.buffer.find(b"\n") + 1 or len(self.buffer)
            line, self.buffer = self.buffer[: min(end, size)], self.buffer[min(end, size) :]
            return line

    good = json.dumps({"version": 1, "id": "one", "query": {"label": "x"}, "tokens": ["a"], "scores": [1]}).encode() + b"\n"
    problems: list[Problem] = []
    maps = read_saliency(Long(good), on_problem=problems.append)
    assert [m.id for m in maps] == ["one", "two"]
    assert [p.line for p in problems] == [2]
    assert f"longer than {MAX_LINE:,} bytes" in problems[0].what


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.jsonl", b"", "is empty"),
        ("blank.jsonl", b"\n\n", "is empty"),
        ("empty.json", b"", "is empty"),
        ("list.json", b"[]", "no records"),
        ("cut.json", b'[["a", 1', "line 1"),
        ("map.png", b"not a picture", "can't be read"),
        ("map.npy", b"not an array", "can't be read"),
        ("cut.json.gz", gzip.compress(b"[]" * 999, mtime=0)[:20], "unpacked"),
        ("head.csv", b"a,b,c\n1,2,3\n", "token"),
        ("latin.csv", "token,score\ncaf\u00e9,1\n".encode("latin-1"), "UTF-8"),
    ],
)
def test_files_that_cannot_be_read_say_so_in_one_sentence(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SaliencyError, match=message) as caught:
        read_saliency(path, label="x")
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(SaliencyError, match="there is no file"):
        read_saliency(tmp_path / "nothing.jsonl")
    with pytest.raises(SaliencyError, match="is a folder"):
        read_saliency(tmp_path)
    with pytest.raises(SaliencyError, match="no format 'nonsense'; use one of saywhy"):
        read_saliency(tmp_path, format="nonsense")


def test_pickled_arrays_are_refused(tmp_path):
    np.save(tmp_path / "evil.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(SaliencyError, match="can't be read"):
        read_saliency(tmp_path / "evil.npy", label="x")


def test_plain_json_csv_and_tsv(tmp_path):
    expected = [("good", 1.5), ("bad", -2.0)]
    (tmp_path / "a.json").write_text(json.dumps(expected))
    (tmp_path / "a.csv").write_text('token,score\ngood,1.5\n"bad",-2\n')
    (tmp_path / "bare.csv").write_text("good;1.5\nbad;-2\n")
    (tmp_path / "a.tsv").write_text("Word\tImportance\ngood\t1.5\nbad\t-2\n")
    for name in ("a.json", "a.csv", "bare.csv", "a.tsv"):
        (found,) = read_saliency(tmp_path / name, label="positive")
        assert list(zip(found.tokens, found.scores.tolist(), strict=True)) == expected, name
    with pytest.raises(SaliencyError, match="which label"):
        read_saliency(tmp_path / "a.json")


def test_a_table_of_several_texts_loses_only_the_broken_one(tmp_path):
    (tmp_path / "t.csv").write_text(
        "id,token,score,label\n1,good,1,pos\n2,bad,oops,neg\n2,worse,1,neg\n3,so,0,pos\n1,film,2,pos\n"
    )
    problems: list[Problem] = []
    maps = read_saliency(tmp_path / "t.csv", on_problem=problems.append)
    assert [(m.id, m.tokens, m.query.label) for m in maps] == [("1", ("good", "film"), "pos"), ("3", ("so",), "pos")]
    assert [(p.id, p.line) for p in problems] == [("2", 3)]


def test_transformers_interpret_lists():
    pairs = [("[CLS]", 0.0), ("un", 0.25), ("##believ", 0.5), ("##able", 0.125), ("!", -1.0), ("[SEP]", 0.0)]
    (found,) = read_saliency(pairs, label="LABEL_1")
    assert found.tokens == ("unbelievable", "!")
    assert found.scores.tolist() == [0.875, -1.0]
    both = read_saliency({"joy": pairs, "anger": [("un", 1.0)]})
    assert [(m.query.label, len(m)) for m in both] == [("joy", 2), ("anger", 1)]


def test_pixel_maps_from_png_and_npy(tmp_path):
    from PIL import Image

    grey = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    Image.fromarray(grey).save(tmp_path / "cam.png")
    Image.fromarray(np.stack([grey, grey, grey], 2)).save(tmp_path / "photo.png")
    Image.fromarray(np.stack([grey, grey * 0, grey], 2)).save(tmp_path / "heat.png")
    np.save(tmp_path / "ig.npy", grey.astype(np.float32) - 100)
    (cam,) = read_saliency(tmp_path / "cam.png", label="stop", image=tmp_path / "photo.png")
    np.testing.assert_allclose(cam.scores, grey / 255)
    assert (cam.signed, cam.id, cam.image.shape) == (False, "cam", (3, 4, 3))
    (signed,) = read_saliency(tmp_path / "ig.npy", label="stop")
    assert signed.signed
    with pytest.raises(SaliencyError, match="in colour"):
        read_saliency(tmp_path / "heat.png", label="stop")
    with pytest.raises(SaliencyError, match=r"\(height, width\)"):
        np.save(tmp_path / "three.npy", np.zeros((2, 2, 2, 2, 2)))
        read_saliency(tmp_path / "three.npy", label="stop")


def test_captum_records():
    import torch
    from captum.attr._utils.visualization import VisualizationDataRecord

    record = VisualizationDataRecord(
        torch.tensor([0.0, 0.7, -0.2, 0.0]), 0.93, 1, 0, 1, 0.5, ["[CLS]", "great", "film", "[SEP]"], 0.01
    )
    (found,) = read_saliency(record, class_names=["negative", "positive"])
    assert found.tokens == ("great", "film")
    np.testing.assert_allclose(found.scores, [0.7, -0.2], rtol=1e-6)
    assert found.query == Query("positive")
    assert (found.prediction.label, found.prediction.true_label) == ("positive", "negative")
    assert [token.token for token in found.special] == ["[CLS]", "[SEP]"]
    assert [m.query.label for m in read_saliency([record, record])] == ["1", "1"]


@pytest.mark.long
def test_shap_explanations_made_by_shap():
    import shap

    def predict(texts):
        score = np.array([3.0 * t.count("great") - 2.0 * t.count("awful") for t in texts])
        return np.stack([-score, score], axis=1)

    explainer = shap.Explainer(predict, shap.maskers.Text(r"\W+"), output_names=["negative", "positive"], seed=0)
    texts = ["a great film", "an awful, long and awful bore"]
    explained = explainer(texts, silent=True)
    maps = read_saliency(explained, label="positive")
    assert [m.tokens for m in maps] == [("a", "great", "film"), ("an", "awful,", "long", "and", "awful", "bore")]
    assert [m.query.label for m in maps] == ["positive", "positive"]
    np.testing.assert_allclose(maps[0].scores, [0, 3, 0], atol=1e-9)
    np.testing.assert_allclose(maps[1].scores, [0, -2, 0, 0, -2, 0], atol=1e-9)
    assert maps[1].text == texts[1]
    assert maps[1].text_of((3, 4)) == "and awful"
    everything = read_saliency(explained)
    assert [(m.id, m.query.label) for m in everything][:2] == [("0.0", "negative"), ("0.1", "positive")]
    np.testing.assert_allclose(everything[0].scores, -everything[1].scores)
    (single,) = read_saliency(explained[0, :, 1], label="positive")
    assert single.tokens == ("a", "great", "film")
    with pytest.raises(SaliencyError, match="no output 'neutral'"):
        read_saliency(explained, label="neutral")


def test_inseq_files_made_by_inseq(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import inseq
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet)
    bpe.train_from_iterator(["the film was great and fine"] * 5, trainer)
    end = "<|endoftext|>"
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=end, bos_token=end, pad_token=end)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, n_positions=64, bos_token_id=0, eos_token_id=0
    )
    GPT2LMHeadModel(config).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    model = inseq.load_model(str(tmp_path / "model"), "saliency", tokenizer=str(tmp_path / "model"))
    out = model.attribute("the film was", generated_texts="the film was great and fine", show_progress=False)
    out.save(tmp_path / "raw.json")
    out.aggregate().save(tmp_path / "aggregated.json")
    out.aggregate().save(tmp_path / "packed.json.gz", compress=True)
    raw = out.sequence_attributions[0].target_attributions.norm(dim=-1).numpy()
    for name, scores in [
        ("raw.json", raw),
        ("aggregated.json", out.aggregate().sequence_attributions[0].target_attributions.numpy()),
        ("packed.json.gz", out.aggregate().sequence_attributions[0].target_attributions.numpy()),
    ]:
        maps = read_saliency(tmp_path / name)
        assert [m.query.label for m in maps] == ["great", "and", "fine"], name
        assert [m.tokens for m in maps][1] == ("the", "film", "was", "great")
        for step, found in enumerate(maps):
            np.testing.assert_allclose(found.scores, scores[: 3 + step, step], rtol=1e-5)
    document = json.loads((tmp_path / "aggregated.json").read_text())
    document["attributes"]["sequence_attributions"][0]["attributes"]["target_attributions"] = "####"
    (tmp_path / "broken.json").write_text(json.dumps(document))
    with pytest.raises(SaliencyError, match="safetensors"):
        read_saliency(tmp_path / "broken.json")


def test_thermostat_records_with_a_real_tokenizer(tmp_path):
    from transformers import BertTokenizerFast

    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film", "##s"]))
    tokenizer = BertTokenizerFast(vocab_file=str(tmp_path / "vocab.txt"), vocab=str(tmp_path / "vocab.txt"))
    record = {
        "attributions": [0.0, 1.0, 0.5, 0.25, 0.0, 0.0],
        "idx": 7,
        "input_ids": [2, 5, 6, 7, 3, 0],
        "label": 0,
        "predictions": [-1, 2],
    }
    (found,) = read_saliency(record, tokenizer=tokenizer, class_names=("neg", "pos"))
    assert (found.tokens, found.scores.tolist(), found.id) == (("good", "films"), [1.0, 0.75], "7")
    assert (found.query.label, found.prediction.true_label) == ("pos", "neg")
    tokenizer.save_pretrained(tmp_path / "t")
    assert read_saliency(record, tokenizer=str(tmp_path / "t"), label="pos")[0].tokens == ("good", "films")
    with pytest.raises(SaliencyError, match="tokenizer"):
        read_saliency(record)


@pytest.mark.parametrize("fields", [{"target": 1}, {"target_pos_idx": 1, "target": None}, {"target": "positive"}])
def test_ferret_explanations_of_both_shapes(fields):
    """ferret pins a torch and a transformers that can't be installed beside this project's; these are its fields."""
    kind = type("Explanation", (SimpleNamespace,), {"__module__": "ferret.explainers.explanation"})
    explanation = kind(
        text="Great films", tokens=["<s>", "Great", "Ġfilm", "s", "</s>"], scores=np.arange(5.0), explainer="LIME", **fields
    )
    (found,) = read_saliency(explanation, class_names=["negative", "positive"])
    assert (found.tokens, found.scores.tolist()) == (("Great", "films"), [1.0, 5.0])
    assert (found.query.label, found.method) == ("positive", "LIME")
    assert found.offsets == ((0, 5), (6, 11))


def test_every_format_has_a_summary_and_unknown_objects_are_named():
    assert {"saywhy", "inseq", "captum", "shap", "ferret", "thermostat", "pairs", "csv", "pixels"} <= set(format_names())
    with pytest.raises(SaliencyError, match="in no format"):
        read_saliency(object(), label="x")
