"""Visual tokens as maps, from real models of transformers with random weights."""

import numpy as np
import pytest

from saywhy_core.errors import UsageError
from verbalize import Query, TemplateVerbalizer, check
from verbalize.adapters import split_tokens, visual_tokens_to_map

torch = pytest.importorskip("torch")
QUERY = Query("dog")


def test_attention_of_the_class_token_of_a_vit():
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=(16, 24), patch_size=8
    )
    model = ViTForImageClassification._from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        out = model(torch.rand(1, 3, 16, 24), output_attentions=True)
    attention = out.attentions[-1][0].mean(dim=0)[0]  # of the class token, mean over the heads
    made = visual_tokens_to_map(attention, (2, 3), (16, 24), QUERY, leading=1)
    patches = made.scores.reshape(2, 8, 3, 8).sum(axis=(1, 3))
    assert np.allclose(patches, attention[1:].reshape(2, 3).numpy())
    assert made.scores.sum() == pytest.approx(float(attention[1:].sum()), rel=1e-5)


def test_text_and_picture_of_a_multimodal_model():
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    torch.manual_seed(0)
    small = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
    vision = CLIPVisionConfig(**small, image_size=16, patch_size=4)
    text = LlamaConfig(**small, vocab_size=40, num_key_value_heads=2, max_position_embeddings=64)
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_id=39, image_seq_length=16)
    model = LlavaForConditionalGeneration._from_config(config, attn_implementation="eager").eval()
    ids = torch.tensor([[1, 5, 6, *[39] * 16, 7, 8]])
    with torch.no_grad():
        out = model(input_ids=ids, pixel_values=torch.rand(1, 3, 16, 16), output_attentions=True)
    attention = out.attentions[-1][0].mean(dim=0)[-1]  # of the last token, which predicts the answer
    pieces = ["<s>", "▁what", "▁is", *["<image>"] * 16, "▁th", "is"]
    image = np.random.default_rng(0).random((16, 16, 3), dtype=np.float32)
    joint = split_tokens(
        attention, pieces, ids[0] == config.image_token_id, [(4, 4)], (16, 16), QUERY, images=[image], id="prompt 1"
    )
    weights = attention.numpy()
    assert joint.text.tokens == ("what", "is", "this")
    assert joint.text.scores == pytest.approx([weights[1], weights[2], weights[19] + weights[20]], rel=1e-5)
    assert joint.text.special[0].token == "<s>"
    (picture,) = joint.images
    assert picture.scores[:4, 4:8].sum() == pytest.approx(weights[4], rel=1e-5)
    assert picture.image.shape == (16, 16, 3)
    on_text = weights[[1, 2, 19, 20]].sum()
    assert joint.text_share == pytest.approx(on_text / (on_text + weights[3:19].sum()), rel=1e-5)
    assert (
        joint.in_words() == f"The words hold {joint.text_share:.0%} of the importance, the picture {1 - joint.text_share:.0%}."
    )
    for one in (joint.text, picture):
        assert check(TemplateVerbalizer().verbalize(one).claims, one)


def test_smooth_maps_keep_their_sums():
    scores = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])
    made = visual_tokens_to_map(scores.ravel(), (2, 3), (17, 31), QUERY, signed=True, smooth=True)
    assert made.scores.clip(min=0).sum() == pytest.approx(4.5)
    assert made.scores.clip(max=0).sum() == pytest.approx(-3.0)


def test_all_on_one_side():
    joint = split_tokens([0.0, 1.0], ["a", "<image>"], [False, True], [(1, 1)], (4, 4), QUERY)
    assert joint.in_words() == "All the importance lies on the picture."
    assert split_tokens([0.5], ["a"], [False], [], (4, 4), QUERY).in_words().endswith("the words.")
    silent = split_tokens([0.0, 0.0], ["a", "<image>"], [False, True], [(1, 1)], (4, 4), QUERY)
    assert silent.in_words() == "Every word and every token of the picture scores zero."


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: visual_tokens_to_map(np.ones(10), (3, 3), (9, 9), QUERY), "leading="),
        (lambda: visual_tokens_to_map(-np.ones(9), (3, 3), (9, 9), QUERY), "signed=True"),
        (lambda: visual_tokens_to_map(np.ones(9), (3, 3), (2, 9), QUERY), "can't be cut"),
        (lambda: split_tokens([1.0], ["a", "b"], [False], [], (4, 4), QUERY), "one of each per token"),
        (lambda: split_tokens([1.0, 1.0], ["a", "b"], [False, True], [], (4, 4), QUERY), "the grids hold 0"),
        (lambda: split_tokens([1.0, 1.0], ["a", "b"], [False, True], [(1, 1)], (4, 4), QUERY, images=[]), "one grid"),
        (lambda: split_tokens([1.0, -1.0], ["a", "b"], [False, True], [(1, 1)], (4, 4), QUERY), "signed=True"),
    ],
)
def test_wrong_input_is_told(call, message):
    with pytest.raises(UsageError, match=message):
        call()
