"""Reading takes time that grows with the length of the text, whatever stands in it."""

import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from verbalize import read_claims, read_sentences


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


lies = load(Path(__file__).parents[1] / "lies.py")
FILM = lies.FILM
ROOT = Path(__file__).resolve().parents[3]

ADVERSARIAL = {
    "words": "most important more than score of ",
    "quotes": "'great' and ",
    "different quotes": None,
    "openers": "“great ",
    "apostrophes": " 'a",
    "blanks": "   ",
    "digits": "1,234,",
    "digit run": "1",
    "letters": "a",
    "stops": ". ",
    "sentences": "'great' is important. ",
    "negations": "not no never ",
    "labels": "for 'positive' rather than 'negative' or ",
    "placeholders": "{a} ",
    "predict": "predicted classified as ",
    "bare": "the word great, ",
    "braces": "{",
    "dashes": "- x\n",
    "blank lines": "“a\n\n",
}


@pytest.mark.long
@pytest.mark.parametrize("kind", ADVERSARIAL)
def test_time_grows_with_the_length(kind):
    unit = ADVERSARIAL[kind]

    def text(size):
        if unit is None:
            return " ".join(f"'w{i}'" for i in range(size // 8))
        return unit * (size // len(unit))

    def seconds(size):
        """The best of three, of this thread alone: other libraries' threads may be at work in the same process."""
        times = []
        for _ in range(3):
            start = time.thread_time()
            read_sentences(text(size), FILM)
            times.append(time.thread_time() - start)
        return min(times)

    read_claims("'great'", FILM)  # spaCy is loaded
    assert seconds(80_000) < 5 * 4 * max(seconds(20_000), 0.02)


@pytest.mark.long
def test_a_megabyte():
    rng = np.random.default_rng(0)
    pieces = ["'great'", "is the most important word.", "dull", "'plot' has a negative score (-0.4).", "\n", "“fine”"]
    text = " ".join(rng.choice(pieces, 80_000).tolist())
    start = time.process_time()
    assert read_claims(text, FILM)
    assert time.process_time() - start < 300


def test_spacy_is_loaded_only_to_read():
    code = "import sys, verbalize; verbalize.read_claims; assert 'spacy' not in sys.modules and 'torch' not in sys.modules and 'cv2' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    "word", ["its", "the", "very", "most", "and", "more than", "not", "also", "the model's", "its own", "of the", "is"]
)
def test_a_word_said_seventy_times_takes_no_time(word):
    """A pattern that can match the same words in several ways would take time that doubles with each word."""
    read_claims("'great' is important.", FILM)
    start = time.thread_time()
    read_sentences(f"'great' is {' '.join([word] * 70)} important.", FILM)
    assert time.thread_time() - start < 2
