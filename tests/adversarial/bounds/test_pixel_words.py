"""Bounds on the pixels that flip a decision, in words: what is said of each, and that every proof comes with its condition."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from adversarial import PixelBound, PixelProof

NAMES = ("stop", "yield")
CONDITION = "for this ONNX file, pixel values in [0, 1], rounding accounted for"
INF = math.inf


def bound(lower, upper, share=1.0, *, asked=3):
    proof = PixelProof(
        pixels=max(0, lower - 1), asked=asked, finished=share == 1, share=share, blocks=7, seconds=1.5, rounding=1e-5,
        network="this ONNX file",
    )  # fmt: skip
    now = None if upper == INF else 1
    return PixelBound(lower=lower, upper=upper, label=0, witness=None, witness_label=now, proof=proof)


FORMS = [
    (
        0, 0, 1, "0",
        "The image is classified as 'yield', not as 'stop', even without any change; there was nothing to prove.",
    ),
    (
        0, 3, 1, "at most 3",
        ("That the unchanged image is classified as 'stop' is not proved: rounding may decide it "
        f"({CONDITION}). 3 pixels flip 'stop' to 'yield'."),
    ),
    (
        0, INF, 1, "not known",
        ("That the unchanged image is classified as 'stop' is not proved: rounding may decide it "
        f"({CONDITION})."),
    ),
    (
        1, 1, 1, "exactly 1",
        f"Exactly 1 pixel is needed to flip 'stop', here to 'yield' ({CONDITION}).",
    ),
    (
        2, 2, 1, "exactly 2",
        ("Exactly 2 pixels are needed to flip 'stop', here to 'yield': no single pixel can, "
        f"whatever its value ({CONDITION})."),
    ),
    (
        3, 3, 1, "exactly 3",
        ("Exactly 3 pixels are needed to flip 'stop', here to 'yield': no 2 can, whatever their "
        f"values ({CONDITION})."),
    ),
    (
        1, 5, 0.43, "1 to 5",
        ("5 pixels flip 'stop' to 'yield'. Whether fewer can is not known: no lower bound was proved. "
        "57.0% of the possible values of single pixels were still open when the proof stopped."),
    ),
    (
        2, 3, 0.2, "2 to 3",
        (f"3 pixels flip 'stop' to 'yield'; no single pixel can, whatever its value ({CONDITION}). Whether 2 "
        "can is not known. 80.0% of the possible values of sets of 2 pixels were still open when the proof stopped."),
    ),
    (
        3, 5, 0.99999, "3 to 5",
        (f"5 pixels flip 'stop' to 'yield'; no 2 can, whatever their values ({CONDITION}). Whether 3 or "
        "4 can is not known. Under 0.1% of the possible values of sets of 3 pixels were still open when the proof stopped."),
    ),
    (
        2, 1234, 1, "2 to 1,234",
        ("1,234 pixels flip 'stop' to 'yield'; no single pixel can, whatever its value "
        f"({CONDITION}). Whether 2 to 1,233 can is not known."),
    ),
    (
        1, INF, 0, "at least 1",
        "How many pixels flip 'stop' is not known: no lower bound was proved, and no example is known. All single pixels were still open when the proof stopped.",
    ),
    (
        2, INF, 1, "at least 2",
        f"No single pixel flips 'stop', whatever its value ({CONDITION}). Whether more can is not known.",
    ),
    (
        4, INF, 1, "at least 4",
        f"No 3 pixels flip 'stop', whatever their values ({CONDITION}). Whether more can is not known.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("lower", "upper", "share", "short", "text"), FORMS)
def test_every_form(lower, upper, share, short, text):
    one = bound(lower, upper, share)
    assert one.statement(NAMES) == text
    assert one.to_json(NAMES)["pixels"] == short


def test_without_names_classes_have_numbers():
    assert bound(3, 3).statement().startswith("Exactly 3 pixels are needed to flip class 0, here to class 1: no 2 can")
    assert "class 0" in bound(2, INF).statement(())


def test_the_record_is_plain_json_with_a_version():
    record = json.loads(json.dumps(bound(2, INF, 0.5).to_json(NAMES), allow_nan=False))
    assert record["version"] == 1
    assert (record["lower"], record["upper"], record["exact"]) == (2, None, False)
    assert record["label"] == {"index": 0, "name": "stop"}
    assert record["adversarial_label"] is None
    assert record["condition"] == CONDITION
    assert record["proof"]["seconds"] == 1.5
    assert bound(2, 2).to_json()["upper"] == 2
    assert bound(2, 2).to_json()["exact"] is True


@pytest.mark.parametrize(("lower", "upper"), [(lower, upper) for lower in range(2, 6) for upper in (lower, lower + 2, INF)])
def test_whatever_states_a_proof_states_its_condition(lower, upper):
    for sentence in bound(lower, upper).statement(NAMES).split(". "):
        if "whatever" in sentence:
            assert f"({CONDITION})" in sentence


def test_nothing_flips_an_image_of_which_all_pixels_were_proved():
    one = bound(3, INF)
    one = replace(one, proof=replace(one.proof, image_pixels=2))
    assert one.statement(NAMES) == f"No change of pixel values flips 'stop' ({CONDITION})."
    record = one.to_json(NAMES)
    assert (record["pixels"], record["lower"], record["upper"]) == ("none can", 3, None)
    more = replace(one, proof=replace(one.proof, image_pixels=3))
    assert more.to_json()["pixels"] == "at least 3"


def test_a_bound_is_printed_as_its_sentence_and_shown_without_its_picture():
    one = replace(bound(3, 5), witness=np.zeros((40, 40, 3), np.float32))
    assert str(one) == one.statement()
    assert "(40, 40, 3)" in repr(one)
    assert len(repr(one)) < 200
