"""Image processors of transformers with settings that ask for too much, or don't fit together."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pytest

from saywhy_core.classifiers import ClassifierError, load_classifier
from saywhy_core.errors import UsageError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
IMAGE = np.random.default_rng(0).random((2, 20, 30, 3), np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("model")
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1], num_labels=3, layer_type="basic", hidden_act="relu"
    )
    transformers.ResNetForImageClassification(config).save_pretrained(made)
    return made


def scores(folder, images=IMAGE, config=None, **settings):
    usual = {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 32}}
    (folder / "preprocessor_config.json").write_text(json.dumps({**usual, **settings}))
    before = (folder / "config.json").read_text()
    try:
        (folder / "config.json").write_text(json.dumps({**json.loads(before), **(config or {})}))
        return load_classifier(f"transformers:{folder}")(images)
    finally:
        (folder / "config.json").write_text(before)


def test_usual_settings_are_used(folder):
    assert scores(folder).shape == (2, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is one of Linux")
@pytest.mark.parametrize(
    "settings",
    [
        {"image_processor_type": "LlavaNextImageProcessor", "image_grid_pinpoints": [[12000, 12000]]},
        {"image_processor_type": "LlavaNextImageProcessor", "image_grid_pinpoints": [[100000, 100000]]},
        {"image_processor_type": "Qwen2VLImageProcessor", "min_pixels": 400_000_000, "max_pixels": 900_000_000},
        {"image_processor_type": "ConvNextImageProcessor", "crop_pct": 1e-3, "size": {"shortest_edge": 100}},
    ],
    ids=["grid", "larger grid", "pixels", "cropped"],
)
def test_what_asks_for_more_than_the_ceiling_is_refused_whatever_the_setting_is_called(folder, settings):
    with pytest.raises((ClassifierError, UsageError), match=r"--ceiling array=\d+"):
        scores(folder, IMAGE[:1], **settings)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is one of Linux")
def test_a_thin_image_that_the_shorter_side_would_make_enormous_is_refused(folder):
    with pytest.raises(ClassifierError, match=r"its image processor needs more than .*--ceiling array=\d+"):
        scores(
            folder, np.zeros((1, 1, 200_000, 3), np.float32), image_processor_type="CLIPImageProcessor",
            size={"shortest_edge": 224}, do_center_crop=False,
        )  # fmt: skip


@pytest.mark.parametrize(
    "settings",
    [
        {"size": {"shortest_edge": 0}},
        {"size": {"height": -5, "width": 1e9}},
        {"crop_pct": 0},
        {"image_std": [0, 0, 0]},
        {"image_mean": [1, 2]},
        {"resample": 99},
    ],
)
def test_settings_that_do_not_fit_are_told_in_one_sentence_that_names_the_file(folder, settings, recwarn):
    with pytest.raises(ClassifierError) as told:
        scores(folder, **settings)
    said = str(told.value)
    assert re.search(r"its image processor .*preprocessor_config\.json$", said), said
    assert not re.search(r"Error|object|C long|\n", said), said
    assert not [one for one in recwarn if "divide" in str(one.message)]


@pytest.mark.parametrize("kind", ["\x1b[31m\n[/x]", "no-such-model"])
def test_an_unknown_kind_of_model_is_told_whole(folder, kind):
    with pytest.raises(UsageError, match=r"says model_type '.*', which this release of transformers doesn't know\); give"):
        scores(folder, config={"model_type": kind})
