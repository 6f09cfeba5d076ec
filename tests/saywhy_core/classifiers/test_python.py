"""Python functions as targets."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from saywhy_core.classifiers import load_classifier
from saywhy_core.errors import UsageError


def test_python_functions(tmp_path, monkeypatch, images):
    (tmp_path / "my_target_module.py").write_text("def predict(images):\n    return images.reshape(len(images), -1)[:, :2]\n")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "names.txt").write_text("one\ntwo\n")
    classifier = load_classifier(
        "my_target_module:predict", scores="logits", class_names=str(tmp_path / "names.txt"), trust=True
    )
    assert classifier.class_names == ("one", "two")
    np.testing.assert_allclose(classifier(images), images.reshape(5, -1)[:, :2])
    for spec, words in (
        ("my_target_module:nothing", "has no"),
        ("no_such_module_here:f", "can't be imported"),
        ("file.onnx", "names no"),
    ):
        with pytest.raises(UsageError, match=words):
            load_classifier(spec, scores="logits", trust=True)


CONSTANT = "import numpy as np\n\n\ndef predict(images):\n    return np.tile([0.25, 0.75], (len(images), 1))\n"


def test_the_current_folder_is_searched(tmp_path, monkeypatch, images):
    (tmp_path / "a_module_of_this_folder.py").write_text(CONSTANT)
    monkeypatch.setattr("sys.path", [path for path in sys.path if path not in ("", str(Path.cwd()))])
    monkeypatch.chdir(tmp_path)
    classifier = load_classifier(
        "python:a_module_of_this_folder:predict?scores=probabilities&image_shape=4,6,3&batch_size=2", trust=True
    )
    np.testing.assert_allclose(classifier(images), [[0.25, 0.75]] * 5)
    assert (classifier.scores, classifier.image_shape, classifier.batch_size) == ("probabilities", (4, 6, 3), 2)
    assert classifier.identity is None


def test_the_three_spellings_open_one_function(tmp_path, monkeypatch, images):
    (tmp_path / "module_of_three_spellings.py").write_text(CONSTANT)
    monkeypatch.syspath_prepend(tmp_path)
    for spec in ("python:module_of_three_spellings:predict", "module_of_three_spellings:predict"):
        assert load_classifier(spec, scores="logits", trust=True)(images).shape == (5, 2)
    with pytest.warns(DeprecationWarning, match="is now written python:module_of_three_spellings:predict"):
        old = load_classifier("callable:module_of_three_spellings:predict", scores="logits", trust=True)
    assert old(images).shape == (5, 2)


def test_a_classifier_in_a_module_keeps_its_own_settings(tmp_path, monkeypatch, images):
    text = (
        CONSTANT
        + "\n\nfrom saywhy_core.classifiers import CallableClassifier\n\nmade = CallableClassifier(predict, budget=5)\n"
    )
    (tmp_path / "module_with_a_classifier.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    classifier = load_classifier("module_with_a_classifier:made", trust=True)
    assert classifier(images).shape == (5, 2)
    assert classifier.budget == 5
    with pytest.raises(UsageError, match=r"settings of its own; leave out class_names, scores"):
        load_classifier("module_with_a_classifier:made", scores="logits", class_names=["a", "b"], trust=True)
    with pytest.raises(UsageError, match=r"doesn't say what its scores are"):
        load_classifier("module_with_a_classifier:predict", trust=True)


@pytest.mark.parametrize("name", ["colorsys", "time"])
def test_a_file_named_like_an_imported_module_is_told(tmp_path, monkeypatch, name):
    __import__(name)
    (tmp_path / f"{name}.py").write_text(CONSTANT)
    monkeypatch.setattr("sys.path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"the module '{name}' is another one .* rename the file in the current folder"):
        load_classifier(f"python:{name}:predict", scores="probabilities", trust=True)


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("module_that_fails", "1 / 0\n", "ZeroDivisionError: division by zero"),
        ("module_that_exits", "import sys; sys.exit(3)\n", "SystemExit: 3"),
        ("module_of_no_python", "def f(:\n", "SyntaxError"),
    ],
)
def test_a_module_that_fails_is_told(tmp_path, monkeypatch, name, source, said):
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.setattr("sys.path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"the module '{name}' failed while it was imported \\({said}"):
        load_classifier(f"python:{name}:predict", scores="probabilities", trust=True)
