"""What another distribution brings is used like what is built in: from the command line, in lists, and in errors.

`plugin/` is installed into an environment of its own, as a user would install it.
"""

import csv
import importlib
import json
import math
import shutil
import sys
import tomllib

import numpy as np
import pytest
from PIL import Image

COMMAND = ("-c", "from saywhy.cli import main; main()")
SIDE = 12  # pixels of the test image
THRESHOLD = 0.5
VALUE = 0.4  # of every pixel: below the threshold, so that the image is dark
WEIGHTS = (0.299, 0.587, 0.114)


@pytest.fixture(scope="module")
def environment(root, make_environment, tmp_path_factory):
    """An environment with the plug-in, over this source tree."""
    made = make_environment(root)
    plugin = tmp_path_factory.mktemp("plugin") / "plugin"
    shutil.copytree(root / "tests" / "house" / "plugin", plugin)
    made.install(plugin)
    return made


@pytest.fixture
def saywhy(environment, tmp_path):
    """`saywhy(*arguments)` runs the command in an empty folder; the finished process."""
    return lambda *arguments: environment.run(*COMMAND, *arguments, folder=tmp_path)


def test_it_uses_groups_that_exist(root, registries):
    project = tomllib.loads((root / "tests" / "house" / "plugin" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {getattr(importlib.import_module(module), name).group for module, name in registries}
    assert set(project["entry-points"]) <= groups


@pytest.mark.long
def test_a_distance_and_a_target_from_the_command_line(saywhy, tmp_path):
    """The target is linear, so that the shortest way to the other class is known: along the slope over the weights.

    The mean over n = 3 * SIDE**2 values must rise by THRESHOLD - VALUE. With d = t / weight in every channel, the mean
    rises by t * mean(1 / weight), and the distance is sqrt(SIDE**2 * sum(weight * (t / weight)**2)).
    """
    np.save(tmp_path / "dark.npy", np.full((SIDE, SIDE, 3), VALUE, np.float32))
    done = saywhy(
        "attack", "dark.npy", "--target", f"bright:{THRESHOLD}", "--distance", "luma", "--budget", "400", "--out", "found",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    inverse = sum(1 / weight for weight in WEIGHTS)
    t = (THRESHOLD - VALUE) / (inverse / 3)
    shortest = math.sqrt(SIDE**2 * t**2 * inverse)
    (record,) = [json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "found").glob("*/result.json")]
    measured = record["distances"]["luma"]
    assert shortest <= measured < 1.1 * shortest
    assert "'dark'" in record["sentence"]
    assert "'bright'" in record["sentence"]


def test_a_format_from_the_command_line(saywhy, tmp_path):
    (tmp_path / "words.json").write_text('{"tally": [["rude", 2], ["but", -1]], "of": "toxic"}', encoding="utf-8")
    for chosen in ("auto", "tally"):
        done = saywhy("convert", "words.json", "--format", chosen)
        assert done.returncode == 0, done.stdout + done.stderr
        record = json.loads(done.stdout)
        assert record["tokens"] == ["rude", "but"]
        assert record["scores"] == [2, -1]
        assert record["query"]["label"] == "toxic"


def test_an_encoder_from_the_command_line(saywhy, tmp_path):
    for number, name in enumerate(("red", "green", "blue")):
        (tmp_path / "photos" / f"{name} wall").mkdir(parents=True)
        pixels = np.full((8, 8, 3), 40, np.uint8)
        pixels[..., number] = 220
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{name} wall" / "1.png")
    (tmp_path / "classes.json").write_text(json.dumps(["red wall", "green wall", "blue wall"]), encoding="utf-8")
    prompts = {name: [name] for name in ("red wall", "green wall", "blue wall")}
    (tmp_path / "prompts.json").write_text(json.dumps(prompts), encoding="utf-8")
    done = saywhy(
        "classify", "--classes", "classes.json", "--images", "photos", "--encoder", "hue:words", "--prompts", "prompts.json",
        "--out", "answers.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = list(csv.DictReader((tmp_path / "answers.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 3
    assert all(row["label"] == row["final"] for row in rows)


ATTRIBUTION = """
import json
import numpy as np, torch
from verbalize import Query
from verbalize.attribution import attribute_pixels, attribute_tokens, load_minilm, methods_for, ZeroShotClassifier

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 4 * 4, 2)).eval()
image = np.random.default_rng(0).random((4, 4, 3), dtype=np.float32)
seen = attribute_pixels(model, image, Query("a"), class_names=["a", "b"], method="plain_input")
classifier = ZeroShotClassifier(*load_minilm(), {"good": "a good film", "bad": "a bad film"})
words = attribute_tokens(classifier, "a truly unbelievable film", method="plain_input")
print(json.dumps({
    "methods": [methods_for("pixels"), methods_for("tokens")],
    "pixels": bool(np.allclose(seen.scores, image.sum(axis=-1))),
    "words": dict(zip(words.tokens, map(float, words.scores))),
}))
"""


@pytest.mark.long
def test_an_attribution_method_by_name(environment, tmp_path):
    found = json.loads(environment.output("-c", ATTRIBUTION, folder=tmp_path))
    assert all("plain_input" in names for names in found["methods"])
    assert found["pixels"]
    assert list(found["words"]) == ["a", "truly", "unbelievable", "film"]
    assert found["words"]["film"] == 1  # one piece each; a longer word has as many as the tokenizer cuts it into
    assert all(score >= 1 for score in found["words"].values())


@pytest.mark.long
def test_errors_and_help_list_what_was_brought(saywhy, tmp_path):
    np.save(tmp_path / "dark.npy", np.full((SIDE, SIDE, 3), VALUE, np.float32))
    (tmp_path / "words.json").write_text('{"tally": []}', encoding="utf-8")
    attack = ("attack", "dark.npy", "--out", "found")
    assert "luma" in saywhy(*attack, "--target", "bright:0.5", "--distance", "none-such").stderr
    assert "bright" in saywhy(*attack, "--target", "none-such:0.5").stderr
    assert "tally" in saywhy("convert", "words.json", "--format", "none-such").stderr
    assert "luma" in saywhy("attack", "--help").stdout
    assert "bright" in saywhy("attack", "--help").stdout
    assert "hue" in saywhy("classify", "--help").stdout
    assert "tally" in saywhy("convert", "--help").stdout


def test_what_was_brought_costs_nothing_until_it_is_used(environment, tmp_path):
    code = "import sys, adversarial, verbalize, saywhy.cli.app\nassert not [m for m in sys.modules if m.startswith('plugged')]"
    environment.output("-c", code, folder=tmp_path)


@pytest.mark.long
def test_a_broken_plug_in_harms_only_who_uses_it(root, make_environment, tmp_path):
    plugin = tmp_path / "plugin"
    shutil.copytree(root / "tests" / "house" / "plugin", plugin)
    (plugin / "plugged" / "luma.py").write_text("raise RuntimeError('made for an older release')\n", encoding="utf-8")
    environment = make_environment(root)
    environment.install(plugin)
    np.save(tmp_path / "dark.npy", np.full((SIDE, SIDE, 3), VALUE, np.float32))
    attack = (*COMMAND, "attack", "dark.npy", "--target", "bright:0.5", "--budget", "60", "--out", "found", "--distance")
    assert environment.run(*attack, "l2", folder=tmp_path).returncode == 0
    done = environment.run(*attack, "luma", folder=tmp_path)
    assert done.returncode == 2
    message = " ".join(done.stderr.split())
    assert "the distance 'luma' of plugged can't be loaded (RuntimeError: made for an older release)" in message
    assert "Traceback" not in message


# The same things from a running program.


@pytest.fixture
def registered(monkeypatch, root):
    """`registered("adversarial.distances", "DISTANCES", "luma", thing)` adds a thing until the end of the test."""

    def register(module, name, thing_name, thing):
        registry = getattr(importlib.import_module(module), name)
        monkeypatch.setattr(registry, "_loaded", dict(registry._loaded))
        registry.register(thing_name, thing)

    return register


@pytest.fixture
def plugged(root, monkeypatch):
    """`plugged("luma")` is a module of the plug-in, which is not installed here."""
    monkeypatch.syspath_prepend(str(root / "tests" / "house" / "plugin"))
    yield lambda name: importlib.import_module(f"plugged.{name}")
    for name in [name for name in sys.modules if name.split(".")[0] == "plugged"]:
        del sys.modules[name]


def test_a_registered_distance_and_target(registered, plugged):
    from adversarial import FeatureGuidedAttack, load_classifier

    registered("adversarial.distances", "DISTANCES", "luma", plugged("luma").LUMA)
    registered("saywhy_core.classifiers", "TARGETS", "bright", plugged("bright").load)
    dark = np.full((1, SIDE, SIDE, 3), VALUE, np.float32)
    classifier = load_classifier(f"bright:{THRESHOLD}")
    (result,) = FeatureGuidedAttack(distance="luma", budget=400).run(classifier, dark, [0])
    inverse = sum(1 / weight for weight in WEIGHTS)
    shortest = math.sqrt(SIDE**2 * ((THRESHOLD - VALUE) / (inverse / 3)) ** 2 * inverse)
    assert shortest <= result.distance < 1.1 * shortest


def test_a_registered_format(registered, plugged):
    from verbalize import read_saliency

    registered("verbalize.formats", "FORMATS", "tally", plugged("tally").TALLY)
    (found,) = read_saliency({"tally": [["rude", 2]], "of": "toxic"})
    assert found.tokens == ("rude",)
    assert found.query.label == "toxic"
