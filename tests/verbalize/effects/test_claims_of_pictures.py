"""Claims about pictures without a region: true only if they hold in every way of hiding it."""

import numpy as np
import pytest

from saywhy_core.errors import UsageError
from verbalize import Claim, PixelSaliency, Query, check, find_regions
from verbalize.masking import WAYS
from verbalize.models import ImageModel

KINDS = [(kind, negated) for kind in ("decisive", "sufficient") for negated in (False, True)]


@pytest.fixture(scope="module")
def signs():
    import saywhy.signs

    return saywhy.signs.load()


@pytest.fixture(scope="module")
def model(signs):
    return ImageModel(signs.module(), signs.class_names)


@pytest.fixture(scope="module")
def maps(signs, model):
    from saywhy.signs.draw import draw_signs
    from verbalize import attribute

    images = draw_signs([0, 4, 7, 5], seed=3)
    queries = [Query(signs.class_names[index]) for index in (0, 4, 7, 5)]
    return attribute(model, list(images), queries, method="integrated_gradients")


def by_hand(image, mask):
    """The picture with the pixels in the mask filled, way by way, without the code that is tested."""
    import torch
    from torch.nn import functional

    height, width, _ = image.shape
    reach = max(1, min(height, width) // 8)
    pixels = torch.from_numpy(image.transpose(2, 0, 1).copy())[None]
    blurred = pixels
    for _ in range(2):
        blurred = functional.avg_pool2d(blurred, 2 * reach + 1, 1, reach, count_include_pad=False)
    fills = {
        "covered with grey": np.full_like(image, 0.5),
        "covered with the mean colour": np.broadcast_to(image.mean(axis=(0, 1)), image.shape),
        "blurred": blurred[0].numpy().transpose(1, 2, 0),
    }
    return {way: np.where(mask[..., None], fill, image).astype(np.float32) for way, fill in fills.items()}


def says(model, image):
    import torch

    with torch.no_grad():
        logits = model.logits(torch.from_numpy(image.transpose(2, 0, 1).copy())[None])
    return model.class_names[int(logits[0].argmax())]


def test_the_ways_are_those_of_the_docs():
    assert list(WAYS) == ["grey", "mean", "blur"]


def test_every_verdict_is_that_of_pictures_made_by_hand(maps, model):
    seen = set()
    for saliency in maps:
        decision = says(model, saliency.image)
        parts = [(index,) for index in range(min(3, len(find_regions(saliency))))]
        for kind, negated in KINDS:
            claims = [
                Claim(kind, part, negated=negated, becomes=becomes) for part in parts for becomes in (None, "priority road")
            ]
            report = check(claims, saliency, model)
            kinds = {error.claim: error.kind for error in report.errors}
            kinds |= {one.claim: "undecided" for one in report.undecided}
            for claim in claims:
                mask = find_regions(saliency)[claim.part[0]].mask
                said = [says(model, one) for one in by_hand(saliency.image, mask if kind == "decisive" else ~mask).values()]
                moves = negated == (kind == "sufficient")
                holds = {(label != decision) == moves and claim.becomes in (None, label) for label in said}
                wanted = "undecided" if len(holds) > 1 else "true" if True in holds else "wrong effect"
                assert kinds.get(claim, "true") == wanted
                seen.add(wanted)
    assert seen == {"true", "undecided", "wrong effect"}


def shade(image):
    """A classifier by construction: 'dark' and 'light', by the mean of the left half."""
    import torch
    from torch import nn

    class Shade(nn.Module):
        def forward(self, images):
            left = images[..., : images.shape[-1] // 2].mean(dim=(1, 2, 3))
            return torch.stack([0.45 - left, left - 0.45], dim=1) * 9

    del image
    return ImageModel(Shade().eval(), ("dark", "light"))


def half(value, **fields):
    image = np.full((8, 12, 3), value, dtype=np.float32)
    masks = np.zeros((2, 8, 12), dtype=bool)
    masks[0, :, :6], masks[1, :, 6:] = True, True
    scores = np.where(masks[0], 1.0, 0.25)
    image[:, 6:] = fields.pop("right", value)
    return PixelSaliency(scores, Query("light"), image=image, masks=masks, mask_names=("left", "right"), **fields)


def test_a_sentence_says_what_happens_in_which_way():
    saliency = half(1.0, right=0.0)  # grey and the mean (0.5) still say 'light', and so does the blur
    (one,) = check([Claim("decisive", (0,))], saliency, shade(None)).errors
    assert one.kind == "wrong effect"
    assert "however it is hidden, still says 'light'" in one.message
    darker = half(0.1, right=0.0)  # grey makes it light; the mean and the blur leave it dark
    for negated in (False, True):
        (one,) = check([Claim("decisive", (0,), negated=negated)], darker, shade(None)).undecided
        assert "depends on how it is hidden: covered with grey it says 'light'" in one.message
        assert "covered with the mean colour or blurred it still says 'dark'" in one.message
    (one,) = check([Claim("sufficient", (1,))], darker, shade(None)).undecided
    assert "with 'right' alone what the model says depends on how the rest is hidden" in one.message
    assert check([Claim("sufficient", (0,)), Claim("decisive", (1,), negated=True)], darker, shade(None))


def test_all_of_a_picture_can_be_hidden_and_be_alone():
    bright = half(1.0)
    assert check([Claim("sufficient", (0, 1), label="light")], bright, shade(None))
    (one,) = check([Claim("decisive", (0, 1))], bright, shade(None)).errors
    assert "still says 'light'" in one.message


def test_replacing_a_region_is_not_known():
    (one,) = check([Claim("counterfactual", (0,), replacement="sky")], half(1.0), shade(None)).undecided
    assert "in the place of a region" in one.message


def test_each_distinct_picture_is_run_once_over_maps_of_one_image():
    from verbalize.masking import Change, ask_model

    rows = []
    model = shade(None)
    run = model.module.forward
    model.module.forward = lambda images: rows.append(len(images)) or run(images)
    changes = [Change("without", (0,)), Change("alone", (0,)), Change("without", (0,))]
    found = ask_model(model, [(half(1.0), changes), (half(1.0), changes[:1]), (half(0.1), changes[:1])])
    assert [len(effects.changed) for effects in found] == [2, 1, 1]
    # two images; of one image two masks, of the other one, in each of three ways
    assert sum(rows) == 2 + 3 * 3
    assert len(rows) == 1 + 3


def test_images_of_other_shapes_and_maps_without_image():
    from verbalize.masking import Change, ask_model

    changes = [Change("without", (0,))]
    small = PixelSaliency(np.eye(5), Query("light"), image=np.ones((5, 5, 3), dtype=np.float32))
    bare = PixelSaliency(np.eye(5), Query("light"))
    first, second, third = ask_model(shade(None), [(half(1.0), changes), (small, changes), (bare, changes)])
    assert first.decision.labels == second.decision.labels == ("light",)
    assert isinstance(third, UsageError)
    with pytest.raises(UsageError, match="the map has none"):
        check([Claim("decisive", (0,))], bare, shade(None))
    from verbalize.models import TextFunction

    with pytest.raises(UsageError, match="over pixels"):
        check([Claim("decisive", (0,))], small, TextFunction(lambda texts: [[1, 0]] * len(texts), ("a", "b")))
