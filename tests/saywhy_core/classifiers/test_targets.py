"""Every kind of target in the registry: the scores of the model itself, exact counts, and no option that is not known."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from saywhy_core.classifiers import TARGETS, CallableClassifier, load_classifier, read_option, split_spec, target_options
from saywhy_core.errors import UsageError


def onnx_target(folder, helpers):
    spec = helpers["write_onnx"](
        folder / "m.onnx", ["n", 4, 6, 3], [1, 2], metadata={"class_names": json.dumps(list("abcdefg"))}
    )
    return spec, {}, helpers["images"], helpers["means_by_channel"](helpers["images"])


def torch_target(folder, helpers):
    import torch

    class Means(torch.nn.Module):
        def forward(self, x):
            return x.mean((2, 3)) @ torch.from_numpy(helpers["weights"])

    program = torch.export.export(Means(), (torch.zeros(5, 3, 4, 6),))
    torch.export.save(program, folder / "m.pt2")
    options = {"scores": "logits", "image_shape": [4, 6, 3]}
    return f"torch:{folder / 'm.pt2'}", options, helpers["images"], helpers["means_by_channel"](helpers["images"])


def transformers_target(folder, helpers):
    """The pixels are those of the processor for images of the model's size: 8 bits, then mean and standard deviation 0.5."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

    torch.manual_seed(0)
    model = ViTForImageClassification(
        ViTConfig(
            hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=24, patch_size=8,
            id2label={0: "cat", 1: "dog", 2: "owl"}, label2id={"cat": 0, "dog": 1, "owl": 2},
        )
    ).eval()  # fmt: skip
    model.save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 24, "width": 24}).save_pretrained(folder)
    images = np.random.default_rng(3).random((5, 24, 24, 3), dtype=np.float32)
    pixels = torch.from_numpy((np.rint(images * 255) / 255 - 0.5).transpose(0, 3, 1, 2) / 0.5).float()
    with torch.no_grad():
        return f"transformers:{folder}", {}, images, model(pixel_values=pixels).logits.numpy()


def python_target(folder, helpers):
    (folder / "means_target.py").write_text("def predict(images):\n    return images.reshape(len(images), -1)[:, :4]\n")
    return (
        "python:means_target:predict",
        {"scores": "logits", "trust": True},
        helpers["images"],
        helpers["images"].reshape(5, -1)[:, :4],
    )


def demo_target(folder, helpers):
    """The network inside, asked as a torch module."""
    import torch

    signs = importlib.import_module("saywhy.signs")
    images, _ = signs.samples()
    with torch.no_grad():
        inside = signs.load().module()(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
    return "demo:signs", {}, images, inside


def endpoint_of():
    """The server of the tests of targets behind a server, which runs until this process ends, and its module."""
    spec = importlib.util.spec_from_file_location(
        "saywhy_tests_endpoint_of_targets", Path(__file__).parent / "remote" / "endpoint.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    images = (np.random.default_rng(4).integers(0, 256, (5, *module.SHAPE)) / 255).astype(np.float32)
    return module, module.Endpoint().__enter__(), images


def oip_target(folder, helpers):
    module, server, images = endpoint_of()
    return f"oip:{server.url}#m", {}, images, module.truth(images)


def tfserving_target(folder, helpers):
    module, server, images = endpoint_of()
    return f"tfserving:{server.url}/v1/models/m", {}, images, module.truth(images)


def http_target(folder, helpers):
    module, server, images = endpoint_of()
    return f"http:{server.url}/x", {"class_names": list(module.NAMES)}, images, module.softmax(module.truth(images))


MAKERS = {
    "oip": oip_target,
    "tfserving": tfserving_target,
    "http": http_target,
    "onnx": onnx_target,
    "torch": torch_target,
    "transformers": transformers_target,
    "python": python_target,
    "demo": demo_target,
}


@pytest.fixture
def target(request, tmp_path, monkeypatch, images, weights, means_by_channel, write_onnx):
    """(spec, options, images, the scores that the model gives when it is called without the library)"""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for library in {"onnx": ("onnx", "onnxruntime")}.get(request.param, ()):
        pytest.importorskip(library)
    helpers = {"images": images, "weights": weights, "means_by_channel": means_by_channel, "write_onnx": write_onnx}
    return MAKERS[request.param](tmp_path, helpers)


every_kind = pytest.mark.parametrize("target", list(TARGETS), indirect=True)


def in_spec(spec, options):
    """The same target with its options in the line of text."""
    written = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in options.items() if name != "trust"
    }
    return spec + "?" * bool(options) + "&".join(f"{name}={value}" for name, value in written.items())


def trusted(options):
    return {"trust": True} if options.get("trust") else {}


@every_kind
def test_scores_are_those_of_the_model_and_counts_are_exact(target):
    spec, options, images, expected = target
    by_keyword, by_text = load_classifier(spec, **options), load_classifier(in_spec(spec, options), **trusted(options))
    for classifier in (by_keyword, by_text):
        np.testing.assert_allclose(classifier(images), expected, rtol=1e-4, atol=1e-4)
        assert classifier.queries == len(images)
        np.testing.assert_allclose(classifier(images[::-1]), expected[::-1], rtol=1e-4, atol=1e-4)
        assert classifier.queries == len(images)
        classifier.ask_again(images)
        assert classifier.queries == 2 * len(images)
        assert classifier.class_names is None or len(classifier.class_names) == expected.shape[1]
        assert [size in (None, there) for size, there in zip(classifier.image_shape, images.shape[1:], strict=True)] == [
            True
        ] * 3
    assert by_keyword.identity == by_text.identity


@every_kind
def test_an_unknown_option_is_refused_and_the_known_ones_are_listed(target):
    spec, options, _, _ = target
    known = target_options(spec.partition(":")[0])
    for make in (
        lambda: load_classifier(spec, **options, layuot="nchw"),
        lambda: load_classifier(in_spec(spec, {**options, "layuot": "nchw"}), **trusted(options)),
    ):
        with pytest.raises(UsageError, match="no such option: 'layuot'") as told:
            make()
        documented = ", ".join("names" if name == "class_names" else name for name in known)
        assert f"there are {documented}" in str(told.value) if known else "they take no options" in str(told.value)


@every_kind
def test_an_option_is_given_once(target):
    spec, _, _, _ = target
    with pytest.raises(UsageError, match="given twice"):
        load_classifier(f"{spec}?names=a.txt&names=b.txt")
    with pytest.raises(UsageError, match="given twice"):
        load_classifier(f"{spec}?scores=logits", scores="logits")
    with pytest.raises(UsageError, match="given twice"):
        load_classifier(f"{spec}?names=a.txt", class_names=["a", "b"])


@every_kind
def test_what_is_not_there_is_told(target):
    kind = target[0].partition(":")[0]
    with pytest.raises(UsageError):
        load_classifier(f"{kind}:nowhere/at_all", **target[1])


def test_a_kind_without_a_maker_above_would_go_untested():
    assert set(MAKERS) == set(TARGETS)


@pytest.fixture
def colours():
    """A kind that a program adds: the mean of a channel against a threshold."""

    def load(where, *, threshold=0.5):
        channel = ["red", "green", "blue"].index(where)

        def predict(images):
            mean = images[..., channel].mean(axis=(1, 2))
            return np.stack([mean, np.full_like(mean, threshold)], axis=1)

        return CallableClassifier(predict, class_names=[where, "other"])

    TARGETS.register("colour", load)
    yield
    del TARGETS._loaded["colour"]


def test_a_kind_of_ones_own(colours, images):
    classifier = load_classifier("colour:green?threshold=0.25")
    np.testing.assert_allclose(classifier(images), [[image[..., 1].mean(), 0.25] for image in images], rtol=1e-5)
    with pytest.raises(UsageError, match="colour targets have no such option: 'class_names'; there are threshold"):
        load_classifier("colour:green", class_names=["a", "b"])


def test_class_names_come_as_a_list_or_as_a_file(tmp_path, colours, write_onnx):
    spec = write_onnx(tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2])
    names = list("abcdefg")
    (tmp_path / "names & more.json").write_text(json.dumps(names))
    file = tmp_path / "names & more.json"
    for classifier in (
        load_classifier(spec, class_names=names),
        load_classifier(spec, names=tuple(names)),
        load_classifier(spec, class_names=file),
        load_classifier(spec, names=str(file)),
        load_classifier(f"{spec}?names={str(file).replace('&', '%26')}"),
        load_classifier(f"{spec}?class_names={json.dumps(names)}"),
    ):
        assert classifier.class_names == tuple(names)
    with pytest.raises(UsageError, match="must be a list of texts"):
        load_classifier(spec, class_names=[1, 2])


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("http://127.0.0.1:1/ok", "write the kind of its protocol before it, such as http:http://HOST/PATH"),
        ("https://h.example/ok", "write the kind of its protocol before it, such as http:https://HOST/PATH"),
        ("onx:model.onnx", "no target 'onx'; write one of .*onnx:"),
        ("model.onnx", "names no classifier"),
        (":model.onnx", "names no classifier"),
        ("onnx:", "names no classifier"),
        ("onnx:m.onnx?layout", "written name=value"),
        ("onnx:m.onnx?lay out=nchw", "written name=value"),
        ("python::f", "':f' names no function"),
        ("python:mod:", "'mod:' names no function"),
        ("python:./mod:f", "'./mod' is no name of a module; write package.module:function"),
        ("python:mod.py:f", "leave out .py: python:mod:f"),
        ("python:a.b.py:f", "leave out .py: python:a.b:f"),
        ("models/m.onnx", "write onnx:models/m.onnx"),
        ("m.pt2", "write torch:m.pt2"),
        ("m.PTH", "write torch:m.PTH"),
        ("my_model.py", "write python:my_model:FUNCTION"),
        ("model", "write one of onnx:..., .*such as onnx:model.onnx"),
        ("tensorflow:x", "there is no target 'tensorflow'.*; write one of onnx:..."),
        ("tensorflow_of_nobody:x", "no target 'tensorflow_of_nobody', and a Python module .* write one of onnx:..."),
        ("sklearn:x", "there is no target 'sklearn'.*; write one of onnx:..."),
        ("demo:cats", "demo:signs"),
        ("demo:signs?scores=logits", "no such option: 'scores'; they take no options"),
    ],
)
def test_a_line_that_names_no_target_is_explained(spec, words):
    with pytest.raises(UsageError, match=words):
        load_classifier(spec, trust=spec.startswith("python:"))


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("x=0.5", 0.5), ("x=0.485,0.456,0.406", [0.485, 0.456, 0.406]), ("x=[1,2]", [1, 2]), ("x=nchw", "nchw"), ("x=", ""),
        ("x=true", True), ("x=null", None), ("x=a=b", "a=b"), ("x=a,b", "a,b"), ("x=50%", "50%"), ('x="5"', "5"),
    ],
)  # fmt: skip
def test_values_of_options(pair, value):
    assert read_option(pair) == ("x", value)
    assert split_spec(f"onnx:m.onnx?{pair}&y=1") == ("onnx:m.onnx", {"x": value, "y": 1})


def test_a_kind_may_take_any_option(monkeypatch):
    given = {}

    def load(where, **options):
        given.update(options, where=where)
        return CallableClassifier(lambda images: np.zeros((len(images), 2)))

    monkeypatch.setattr(TARGETS, "_loaded", {**TARGETS._loaded, "any": load})
    load_classifier("any:thing?speed=3", colour="red")
    assert given == {"where": "thing", "speed": 3, "colour": "red"}
    assert target_options("any") is None


@pytest.mark.parametrize("spec", [None, 5, b"demo:signs"])
def test_what_is_no_text_names_no_target(spec):
    with pytest.raises(UsageError, match="a target is named by a line of text such as onnx:"):
        load_classifier(spec)


def test_inline_names_are_checked_like_those_of_a_file(tmp_path, write_onnx):
    spec = write_onnx(tmp_path / "m.onnx", ["n", 4, 6, 3], [1, 2])
    for names, said in ((["a", "a"], "named before"), (["", ""], "not empty"), ([], "is empty")):
        with pytest.raises(UsageError, match=said):
            load_classifier(spec, names=names)
        with pytest.raises(UsageError, match=said):
            load_classifier(f"{spec}?names={json.dumps(names)}")


def test_an_option_is_named_as_it_was_written(colours):
    with pytest.raises(UsageError, match="no such option: 'names'; there are threshold"):
        load_classifier("colour:green", names=["a", "b"])
    with pytest.raises(UsageError, match="the option 'names' is given twice, also as 'class_names'"):
        load_classifier('colour:green?names=["a"]', class_names=["a", "b"])
    assert load_classifier("colour:green?threshold=0.1", threshold=None).class_names == ("green", "other")


@pytest.fixture
def brought(tmp_path, monkeypatch):
    """`brought(source)` is a distribution "flawed" that brings the kind `flaw`, a function in this source."""
    monkeypatch.setattr(TARGETS, "_loaded", dict(TARGETS._loaded))
    monkeypatch.syspath_prepend(tmp_path)

    def bring(source):
        info = tmp_path / "flawed-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flawed\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[saywhy.targets]\nflaw = code_of_flawed:load\n")
        (tmp_path / "code_of_flawed.py").write_text(source)
        importlib.invalidate_caches()

    yield bring
    sys.modules.pop("code_of_flawed", None)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def load(where): return {}[where]\n", r"the target 'flaw' of flawed failed \(KeyError: 'x'\)"),
        ("import sys\ndef load(where): sys.exit('done')\n", r"the target 'flaw' of flawed failed \(SystemExit: done\)"),
        ("def load(where): return 3\n", "the target 'flaw' of flawed returned a value of type int instead of a classifier"),
        ("def load(where): return None\n", "the target 'flaw' of flawed returned None instead of a classifier"),
        ("class load: pass\n", r"the target 'flaw' of flawed failed \(TypeError"),
        ("load = 3\n", r"the target 'flaw' of flawed can't be used: it must be a function load\(where"),
    ],
)
def test_a_kind_that_fails_is_told_with_its_distribution(brought, source, said):
    brought(source)
    with pytest.raises(UsageError, match=said):
        load_classifier("flaw:x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (".5", 0.5), ("5.", 5.0), ("+.5", 0.5), ("-.5e1", -5.0), (".485,.456,.406", [0.485, 0.456, 0.406]), ("0.,1.", [0.0, 1.0]),
        ("[.5]", [0.5]), ("0.2,.2, .2", [0.2, 0.2, 0.2]), ("01", "01"), ("1.2.3", "1.2.3"), (".", "."), ("v.5", "v.5"), ("", ""),
        ("[" * 5000, "[" * 5000), ("1" * 9 + ".x", "1" * 9 + ".x"),
    ],
    ids=lambda value: f"{value!r:.30}",
)  # fmt: skip
def test_numbers_may_be_written_without_the_leading_0(text, value):
    assert read_option(f"mean={text}") == ("mean", value)


@pytest.mark.parametrize("kind", ["http:", "oip:http://127.0.0.1:1/", "tfserving:http://127.0.0.1:1/", "onnx:", "python:"])
def test_a_target_of_any_length_is_refused_at_once(kind):
    begun = time.process_time()
    with pytest.raises(UsageError):
        load_classifier(f"{kind}{'a' * 100_000}")
    with pytest.raises(UsageError):
        load_classifier(f"{kind}{'a' * 5_000}")
    assert time.process_time() - begun < 1
