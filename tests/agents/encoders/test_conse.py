"""ConSE by hand, and over every form in which a classifier can be named."""

from __future__ import annotations

import numpy as np
import pytest

from agents import ConvexSemanticEncoder, UsageError, load_encoder
from agents.encoders.fitting import default_resize, fit_image


class Letters:
    """A text encoder that counts four letters."""

    def encode_texts(self, texts):
        rows = np.array([[text.count(letter) for letter in "abcd"] for text in texts], dtype=np.float32)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


class TestConSE:
    def test_is_the_convex_combination_of_the_most_probable_names(self):
        table = np.array([[0.5, 0.3, 0.15, 0.05], [0.1, 0.1, 0.7, 0.1]])
        encoder = ConvexSemanticEncoder(
            lambda images: table[: len(images)], ["aab", "bcc", "dda", "cd"], Letters(), top=2, template="{}"
        )
        rows = encoder.encode_images(np.zeros((2, 4, 4, 3), dtype=np.float32))
        aab, bcc = np.array([2, 1, 0, 0]) / 5**0.5, np.array([0, 1, 2, 0]) / 5**0.5
        dda = np.array([1, 0, 0, 2]) / 5**0.5
        # In the second image "aab", "bcc" and "cd" tie for the second place; the lowest index has it.
        expected = np.stack([0.5 * aab + 0.3 * bcc, 0.7 * dda + 0.1 * aab])
        np.testing.assert_allclose(rows, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-6)

    def test_batches_and_sizes_do_not_matter(self):
        def mean_colour(images):
            assert len(images) <= 3
            colours = images.mean(axis=(1, 2)) + 1e-3
            return colours / colours.sum(axis=1, keepdims=True)

        encoder = ConvexSemanticEncoder(mean_colour, ["a", "b", "c"], Letters(), top=3, template="{}", batch=3)
        rng = np.random.default_rng(1)
        pictures = [rng.random((4 + index % 2, 4, 3), dtype=np.float32) for index in range(7)]
        together = encoder.encode_images(pictures)
        alone = np.concatenate([encoder.encode_images(picture[None]) for picture in pictures])
        np.testing.assert_allclose(together, alone, atol=1e-6)

    def test_logits_and_wrong_shapes_are_refused(self):
        images = np.zeros((2, 4, 4, 3), dtype=np.float32)
        logits = ConvexSemanticEncoder(lambda x: np.full((len(x), 2), -3.0), ["a", "b"], Letters(), template="{}")
        with pytest.raises(UsageError, match="softmax"):
            logits.encode_images(images)
        narrow = ConvexSemanticEncoder(lambda x: np.ones((len(x), 1)), ["a", "b"], Letters(), template="{}")
        with pytest.raises(UsageError, match="class names"):
            narrow.encode_images(images)
        with pytest.raises(UsageError, match="template"):
            ConvexSemanticEncoder(lambda x: x, ["a"], Letters(), template="no gap")


WEIGHTS = np.random.default_rng(1).normal(scale=9, size=(3, 4)).astype(np.float32)
NAMES = ["aab", "bcc", "dda", "cd"]


@pytest.fixture
def letters(monkeypatch):
    """Sentence encoders are slow to load; here every name of one is that of the letter counter."""
    monkeypatch.setattr("agents.encoders.sentences.load", lambda where, device, batch, trust: Letters())


@pytest.fixture
def network(tmp_path):
    """An ONNX classifier of 4×6 pixels with the channel means times WEIGHTS as logits, and its class names beside it."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["image", "axes"], ["means"], keepdims=0), helper.make_node("MatMul", ["means", "w"], ["out"])],
        "means", [helper.make_tensor_value_info("image", float32, ["n", 4, 6, 3])],
        [helper.make_tensor_value_info("out", float32, ["n", 4])],
        [onnx.numpy_helper.from_array(np.array([1, 2]), "axes"), onnx.numpy_helper.from_array(WEIGHTS, "w")],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), tmp_path / "m.onnx")
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    return tmp_path / "m.onnx"


def by_hand(pictures):
    """What ConSE over that network must give: all four classes take part, as `top` is ten."""
    logits = np.stack([picture.mean(axis=(0, 1)) for picture in pictures]).astype(np.float64) @ WEIGHTS
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    rows = probabilities @ Letters().encode_texts([f"a photo of a {name}." for name in NAMES])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_classifier_has_a_long_and_a_short_form(letters, network):
    images = np.random.default_rng(0).random((5, 4, 6, 3), dtype=np.float32)
    options = f"names={network.with_name('names.txt')}&scores=logits"
    forms = [
        f"conse:onnx:{network}?{options}+minilm",
        f"conse:{network}?{options}+minilm",
        f"conse:{network}?{options}+text:minilm",
    ]
    encoders = [load_encoder(form) for form in forms]
    for encoder in encoders:
        np.testing.assert_allclose(encoder.encode_images(images), by_hand(images), atol=1e-6)
    assert len({encoder.identity for encoder in encoders}) == 1
    other = load_encoder(f"conse:{network}?{options}&mean=0.1,0.2,0.3+minilm")
    assert other.identity != encoders[0].identity
    np.testing.assert_allclose(other.encode_images(images), by_hand(images - np.float32([0.1, 0.2, 0.3])), atol=1e-6)


def test_images_are_brought_to_the_size_of_the_classifier(letters, network):
    """An image twice as large, made of blocks of 2×2 equal pixels, is the image again when its areas are averaged."""
    small = np.random.default_rng(0).random((3, 4, 6, 3), dtype=np.float32)
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    options = f"names={network.with_name('names.txt')}&scores=logits"
    encoder = load_encoder(f"conse:{network}?{options}+minilm")
    np.testing.assert_allclose(encoder.encode_images(large), by_hand(small), atol=1e-6)
    wide = np.concatenate([np.zeros((3, 8, 4, 3), np.float32), large, np.ones((3, 8, 4, 3), np.float32)], axis=2)
    np.testing.assert_allclose(encoder.encode_images(wide), by_hand(small), atol=1e-6)  # the middle is cut out
    whole = load_encoder(f"conse:{network}?{options}&resize=8+minilm")
    np.testing.assert_allclose(whole.encode_images(large), by_hand(large[:, 2:6, 3:9]), atol=1e-6)  # cut, not scaled
    assert whole.identity != encoder.identity
    grey = np.random.default_rng(1).random((2, 4, 6, 1), dtype=np.float32)
    np.testing.assert_allclose(encoder.encode_images(grey), by_hand(grey.repeat(3, axis=3)), atol=1e-6)


def test_networks_of_about_224_pixels_see_the_middle_of_256():
    assert [default_resize(size) for size in ((224, 224), (227, 300), (256, 256), (199, 199), (32, 48), (299, 299))] == [
        256, 256, 256, 199, 32, 299,
    ]  # fmt: skip


def test_any_target_is_a_classifier(letters, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conse_target.py").write_text(
        "import numpy as np\n\ndef predict(images):\n    return np.tile([0.1, 0.2, 0.3, 0.4], (len(images), 1))\n"
    )
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    expected = Letters().encode_texts([f"a photo of a {name}." for name in NAMES]).T @ [0.1, 0.2, 0.3, 0.4]
    images = np.zeros((1, 8, 9, 3), np.float32)
    for kind in ("python:", ""):
        encoder = load_encoder(f"conse:{kind}conse_target:predict?scores=probabilities&names=names.txt+minilm", trust=True)
        np.testing.assert_allclose(encoder.encode_images(images)[0], expected / np.linalg.norm(expected), atol=1e-6)
        assert encoder.identity is None
    signs = load_encoder("conse:demo:signs+minilm")
    assert signs.encode_images(np.random.default_rng(0).random((2, 100, 60, 3), dtype=np.float32)).shape == (2, 4)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("scores=logits", "class names are unknown; add names=FILE"),
        ("names=names.txt", "give scores="),
        ("names=names.txt&scores=logits&size=3", "no such option: 'size'; there are names"),
        ("names=names.txt&scores=logits&resize=wide", "resize must be a number of pixels"),
        ("names=names.txt&scores=logits&names=names.txt", "given twice"),
    ],
)
def test_wrong_options_are_explained(letters, network, monkeypatch, options, says):
    monkeypatch.chdir(network.parent)
    with pytest.raises(UsageError, match=says):
        load_encoder(f"conse:m.onnx?{options}+minilm")


def test_resize_without_a_size_is_refused(letters, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sizeless_target.py").write_text("def predict(images):\n    return images[:, 0, 0, :2]\n")
    (tmp_path / "two.txt").write_text("a\nb\n")
    with pytest.raises(UsageError, match="takes images of any size"):
        load_encoder("conse:sizeless_target:predict?scores=logits&names=two.txt&resize=9+minilm", trust=True)
    with pytest.raises(UsageError, match="no effect without size"):
        ConvexSemanticEncoder(lambda images: images, ["a"], Letters(), resize=9)
    encoder = load_encoder(
        "conse:sizeless_target:predict?scores=logits&names=two.txt&image_shape=8,8,3&resize=9+minilm", trust=True
    )
    assert encoder.encode_images(np.zeros((1, 30, 20, 3), np.float32)).shape == (1, 4)
    with pytest.raises(UsageError, match="smaller than the 8×8 pixels"):
        ConvexSemanticEncoder(lambda images: images, ["a"], Letters(), size=(8, 8), resize=5)


@pytest.mark.parametrize(
    ("shape", "resize", "size"), [((8, 8), 4, (4, 6)), ((10, 4), 4, (4, 6)), ((4, 5), 4, (4, 6)), ((9, 7), 5, (5, 5))]
)
def test_proportions_are_kept_whatever_the_size(shape, resize, size):
    """A ramp from left to right and one from top to bottom stay as steep as the scale makes them."""
    scale = max(resize / min(shape), size[0] / shape[0], size[1] / shape[1])
    rows, columns = (np.arange(length, dtype=np.float32) / 10 for length in shape)
    image = np.stack(np.broadcast_arrays(rows[:, None], columns[None], 0 * rows[:, None]), axis=-1).astype(np.float32)
    fitted = fit_image(image, resize, size)
    assert fitted.shape == (*size, 3)
    middle = fitted[1:-1, 1:-1]  # the interpolation bends the borders
    np.testing.assert_allclose(np.diff(middle[..., 0], axis=0).mean(), 0.1 / scale, rtol=0.2)
    np.testing.assert_allclose(np.diff(middle[..., 1], axis=1).mean(), 0.1 / scale, rtol=0.2)
