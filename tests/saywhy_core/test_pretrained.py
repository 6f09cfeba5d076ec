"""Folders of transformers: pickled weights, code and kernels that they name, and what they would have fetched."""

from __future__ import annotations

import json
import os
import pickle
import re
import time

import numpy as np
import pytest
import safetensors.torch
import torch
from transformers import AutoModel, AutoTokenizer, ViTConfig, ViTForImageClassification, ViTImageProcessorPil

from agents.chat.in_process.engine import Engine
from saywhy_core.classifiers import load_classifier
from saywhy_core.errors import UsageError
from saywhy_core.pretrained import from_pretrained
from saywhy_core.trust import TrustError
from verbalize.formats.explainers.thermostat import _load

IMAGES = np.random.default_rng(0).random((2, 8, 8, 3), dtype=np.float32)


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=8, patch_size=8
    )
    ViTForImageClassification(config).save_pretrained(tmp_path / "vit")
    ViTImageProcessorPil(size={"height": 8, "width": 8}).save_pretrained(tmp_path / "vit")
    return tmp_path / "vit"


class Bomb:
    def __init__(self, canary):
        self.canary = str(canary)

    def __reduce__(self):
        return open, (self.canary, "w")


def with_pickle(folder, content):
    (folder / "model.safetensors").unlink()
    torch.save(content, folder / "pytorch_model.bin")


def test_pickled_weights_of_tensors_are_read(folder):
    expected = load_classifier(f"transformers:{folder}")(IMAGES)
    with_pickle(folder, ViTForImageClassification.from_pretrained(folder).state_dict())
    np.testing.assert_array_equal(load_classifier(f"transformers:{folder}")(IMAGES), expected)


def test_pickled_weights_of_anything_else_are_refused(folder, tmp_path):
    canary = tmp_path / "canary"
    with_pickle(folder, {"classifier.weight": Bomb(canary)})
    with pytest.raises(UsageError, match=r"could run code|no image classifier could be loaded") as told:
        load_classifier(f"transformers:{folder}")
    assert "\n" not in str(told.value)
    assert not canary.exists()
    torch.load(folder / "pytorch_model.bin", weights_only=False)
    assert canary.exists()


def configured(folder, file, **entries):
    path = folder / file
    path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), **entries}))


@pytest.mark.parametrize("key", ["_attn_implementation", "attn_implementation"])
def test_a_kernel_to_fetch_needs_trust(folder, key):
    configured(folder, "config.json", **{key: "stranger/fast-attention"})
    with pytest.raises(TrustError, match="the kernel stranger/fast-attention"):
        load_classifier(f"transformers:{folder}")


@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json", "tokenizer_config.json"])
@pytest.mark.parametrize(
    "mapped", [{"AutoModel": "code.M"}, {"AutoTokenizer": ["code.T", None]}, {"AutoConfig": "a/b--code.C"}]
)
def test_code_in_any_configuration_needs_trust(folder, file, mapped):
    configured(folder, file, auto_map=mapped)
    with pytest.raises(TrustError, match=r"runs Python files that come with the model \(.*code\."):
        load_classifier(f"transformers:{folder}")


def test_readers_without_trust_refuse_such_a_folder_and_ask_nobody(folder, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("the terminal was asked"))
    configured(folder, "tokenizer_config.json", auto_map={"AutoTokenizer": "code.T"})
    with pytest.raises(UsageError, match="saywhy runs none"):
        Engine.load(str(folder), None, None)
    with pytest.raises(UsageError, match="Python files that come with the model"):
        _load(str(folder))


def test_nothing_is_fetched_for_a_folder(folder):
    from huggingface_hub import constants

    class Loader:
        @staticmethod
        def from_pretrained(name, **options):
            return constants.HF_HUB_OFFLINE, options["trust_remote_code"]

    before = constants.HF_HUB_OFFLINE
    assert from_pretrained(Loader, str(folder), "model") == (True, False)
    assert constants.HF_HUB_OFFLINE is before


@pytest.mark.parametrize("content", ["[]", "{", "5", '{"auto_map": 5}', "\ud800", "[" * 5000])
def test_damaged_configurations_are_told(folder, content):
    (folder / "config.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError) as told:
        load_classifier(f"transformers:{folder}")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("content", [b"", b"x", pickle.dumps({}), b"\xff" * 8 + b"{}"])
def test_damaged_weights_are_told(folder, content):
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(UsageError, match="no image classifier could be loaded") as told:
        load_classifier(f"transformers:{folder}")
    assert "\n" not in str(told.value)


def test_a_tokenizer_that_is_missing_is_told(folder):
    with pytest.raises(UsageError, match="no tokenizer could be loaded"):
        from_pretrained(AutoTokenizer, str(folder), "tokenizer")


def end_without_end(path):
    path.unlink()
    path.symlink_to("/dev/zero")


def pipe(path):
    path.unlink(missing_ok=True)
    os.mkfifo(path)


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices")
@pytest.mark.parametrize("change", [end_without_end, pipe])
@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_pipes_and_devices_in_a_folder_are_told_at_once(folder, change, file):
    change(folder / file)
    with pytest.raises(UsageError, match=rf"{file} is a (pipe|device), not a file"):
        load_classifier(f"transformers:{folder}")


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"num_hidden_layers": 10**9}, "num_hidden_layers is 1000000000, and at most 10,000"),
        ({"num_hidden_layers": 9000}, "larger model than the weights"),
        ({"depths": [2, 10**8]}, "depths is 100000000"),
        ({"num_labels": 10**9}, "num_labels is"),
        ({"hidden_size": 10**5, "intermediate_size": 2**30}, "larger model than the weights"),
        ({"image_size": 2**20}, "larger model than the weights"),
        ({"hidden_size": 16}, "its weights have other shapes than its configuration says"),
        ({"hidden_size": "wide"}, "could be loaded"),
        ({"patch_size": 0}, "a value of another kind"),
        ({"id2label": [1]}, "could be loaded"),
    ],
)
def test_configurations_that_ask_for_more_than_the_weights_are_told(folder, entries, said, capfd):
    configured(folder, "config.json", **entries)
    begun = time.process_time()
    with pytest.raises(UsageError, match=said) as told:
        load_classifier(f"transformers:{folder}")
    assert time.process_time() - begun < 8
    assert not re.search(r"Error|NoneType|'int'|subscriptable|list index", str(told.value))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "entries",
    [
        {"size": {"height": 20_000, "width": 20_000}}, {"size": 20_000}, {"size": {"shortest_edge": 1e5}},
        {"do_center_crop": True, "crop_size": {"height": 9, "width": 10**9}},
    ],
)  # fmt: skip
def test_pictures_that_the_processor_would_make_are_held_against_the_ceiling(folder, entries):
    configured(folder, "preprocessor_config.json", **entries)
    with pytest.raises(UsageError, match=r"bytes while it is prepared, and at most .* --ceiling array="):
        load_classifier(f"transformers:{folder}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"weight_map": {"a": "../vit/model.safetensors"}}, "no file of that folder"),
        ({"weight_map": {"a": "/etc/passwd"}}, "no file of that folder"), ({"weight_map": 5}, "must be a JSON object"),
        ({"weight_map": {}}, "must be a JSON object"), ([], "must be a JSON object"),
    ],
)  # fmt: skip
def test_an_index_names_files_of_its_folder_alone(folder, content, said):
    (folder / "model.safetensors.index.json").write_text(json.dumps(content))
    with pytest.raises(UsageError, match=said):
        load_classifier(f"transformers:{folder}")


def test_what_a_folder_lacks_is_told(tmp_path):
    for loader, what, file in ((AutoTokenizer, "tokenizer", "tokenizer.json"), (AutoModel, "model", "config.json")):
        with pytest.raises(UsageError, match=rf"the folder has no {file}; give a folder written by save_pretrained"):
            from_pretrained(loader, str(tmp_path), what)
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    with pytest.raises(UsageError, match="no tokenizer could be loaded") as told:
        from_pretrained(AutoTokenizer, str(tmp_path), "tokenizer")
    assert "one of: )" not in str(told.value)
    with pytest.raises(UsageError, match="is no name of a folder or a model"):
        load_classifier("transformers:a\0b")


def test_weights_that_are_missing_are_told(folder):
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    del tensors["classifier.bias"]
    safetensors.torch.save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.warns(RuntimeWarning, match=r"no weights for 1 part of the image classifier \(classifier.bias\)"):
        load_classifier(f"transformers:{folder}")
