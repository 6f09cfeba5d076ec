"""Masks of segmenters as named regions."""

import numpy as np
import pytest
from PIL import Image

from saywhy_core.errors import UsageError
from verbalize import PixelSaliency, Query, TemplateVerbalizer, check
from verbalize.adapters import with_segments

SCORES = np.zeros((12, 16))
SCORES[:4] = 1.0
SALIENCY = PixelSaliency(SCORES, Query("beach"))
IDS = np.zeros((12, 16), dtype=np.int64)
IDS[4:], IDS[10:] = 2, 255


def test_ids_become_regions_that_sentences_name():
    made = with_segments(SALIENCY, IDS, {0: "sky", 2: "sea"}, ignore=[255])
    assert made.mask_names == ("sky", "sea")
    assert made.masks[1].sum() == 6 * 16
    said = TemplateVerbalizer().verbalize(made)
    assert "The region 'sky'" in said.text
    assert check(said.claims, made)
    assert with_segments(SALIENCY, IDS).mask_names == ("segment 0", "segment 2", "segment 255")
    assert with_segments(SALIENCY, IDS, ["sky", "sand", "sea"]).mask_names == ("sky", "sea", "segment 255")


def test_the_panoptic_result_of_transformers():
    torch = pytest.importorskip("torch")
    from transformers import MaskFormerImageProcessorPil
    from transformers.models.maskformer.modeling_maskformer import MaskFormerForInstanceSegmentationOutput

    masks = torch.full((1, 3, 12, 16), -9.0)
    masks[0, 0, :4], masks[0, 1, 4:, :8], masks[0, 2, 4:, 8:] = 9.0, 9.0, 9.0
    classes = torch.full((1, 3, 4), -9.0)
    classes[0, 0, 0], classes[0, 1, 2], classes[0, 2, 2] = 9.0, 9.0, 9.0
    outputs = MaskFormerForInstanceSegmentationOutput(class_queries_logits=classes, masks_queries_logits=masks)
    result = MaskFormerImageProcessorPil().post_process_panoptic_segmentation(outputs, target_sizes=[(12, 16)])[0]
    made = with_segments(SALIENCY, result, {0: "sky", 1: "sand", 2: "boat"})
    found = dict(zip(made.mask_names, made.masks, strict=True))
    assert made.mask_names == ("sky", "boat", "boat")
    assert (found["sky"] == (SCORES > 0)).all()
    assert "'sky'" in TemplateVerbalizer().verbalize(made).text
    assert "sky" not in with_segments(SALIENCY, result, {0: "sky", 2: "boat"}, ignore=["sky"]).mask_names


def test_lists_of_pipelines_and_of_sam():
    top = np.zeros((12, 16), dtype=bool)
    top[:4] = True
    pipeline = [
        {"label": "sky", "mask": Image.fromarray(top.astype(np.uint8) * 255), "score": 0.9},
        {"label": "sea", "mask": Image.fromarray((~top).astype(np.uint8) * 255), "score": 0.9},
    ]
    made = with_segments(SALIENCY, pipeline)
    assert made.mask_names == ("sky", "sea")
    assert (made.masks[0] == top).all()
    sam = [{"segmentation": top, "area": 64}, {"segmentation": ~top, "area": 128}]
    assert with_segments(SALIENCY, sam, ["a", "b"]).mask_names == ("a", "b")
    assert (with_segments(SALIENCY, np.stack([top, ~top]), ["a", "b"]).masks[1] == ~top).all()
    assert (with_segments(SALIENCY, [top, top & False]).masks == top[None]).all()


def test_one_name_or_id_may_be_ignored_and_binary_maps_are_read():
    assert with_segments(SALIENCY, IDS, {0: "sky", 2: "sea", 255: "none"}, ignore="sky").mask_names == ("sea", "none")
    assert with_segments(SALIENCY, IDS, {2: "sea", 255: "none"}, ignore=0).mask_names == ("sea", "none")
    binary = {
        "segmentation": np.stack([IDS == 0, IDS == 2]),
        "segments_info": [{"id": 1, "label_id": 0}, {"id": 2, "label_id": 2}],
    }
    made = with_segments(SALIENCY, binary, {0: "sky", 2: "sea"})
    assert made.mask_names == ("sky", "sea")
    assert (made.masks[1] == (IDS == 2)).all()


@pytest.mark.parametrize(
    ("segments", "names", "message"),
    [
        (None, None, "not NoneType"),
        ("sky", None, "not str"),
        (IDS, "abc", "list of names"),
        (np.zeros((6, 8), dtype=int), None, "target_sizes"),
        (np.full((12, 16), 0.5), None, "whole numbers"),
        ([np.zeros((12, 16), dtype=bool)], None, "no segment is left"),
        ([np.linspace(0, 1, 192).reshape(12, 16)], None, "threshold"),
        ([np.ones((12, 16), dtype=bool)], ["a", "b"], "1 masks and 2 names"),
        ({"segmentation": IDS}, None, "segments_info"),
    ],
)
def test_wrong_segments_are_told(segments, names, message):
    with pytest.raises(UsageError, match=message):
        with_segments(SALIENCY, segments, names)
