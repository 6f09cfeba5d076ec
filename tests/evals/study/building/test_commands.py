"""`saywhy study build` and `saywhy study preview`, as people call them."""

from __future__ import annotations

import json
import re

import pytest

from evals.study import open_study

pytestmark = pytest.mark.long


@pytest.fixture
def call(in_process, tmp_path):
    return lambda *words: in_process.run_command("study", *words, folder=tmp_path)


@pytest.fixture
def maps(tmp_path):
    """Twelve reviews; the model chose negative on every third, and is wrong on every fourth."""
    path = tmp_path / "maps.jsonl"
    records = []
    for number in range(12):
        label = "negative" if number % 3 == 0 else "positive"
        true = label if number % 4 else {"negative": "positive", "positive": "negative"}[label]
        words = ["a", f"<b>film{number}</b>", "that", "is", "fine" if label == "positive" else "dull"]
        records.append({"version": 1, "id": f"r{number}", "query": {"label": label}, "tokens": words, "scores": [0, 0.3, -0.1, 0, 1],
                        "prediction": {"label": label, "true_label": true}})  # fmt: skip
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_a_study_is_built_previewed_and_told(call, maps, tmp_path):
    done = call("build", maps, "--conditions", "heatmap,plain,none", "--items", 9, "--participants", 12, "--out", "study")
    assert done.returncode == 0, done.stderr
    assert "9 items, and 2 for practice" in done.stdout
    assert "3 conditions" in done.stdout
    assert re.search(r"about \d+ minutes per participant", done.stdout)
    assert "saywhy study preview study" in done.stdout
    study = open_study(tmp_path / "study")
    assert study.file.design.participants == 12
    assert len(study.cells) in (3, 6), "Latin squares of three conditions"
    before = (tmp_path / "study" / "study.yaml").read_bytes()
    done = call("preview", "study")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "study" / "preview.html").read_text()
    assert page.count("right answer</strong>") >= 9 * len(study.cells), "each guess is marked"
    assert "<b>film" not in page
    assert "&lt;b&gt;film" in page
    assert "<script" not in page
    for cell in study.cells:
        assert f"Cell {cell.name}" in page
    assert (tmp_path / "study" / "study.yaml").read_bytes() == before
    for out, path in (("elsewhere", "elsewhere/preview.html"), ("seen/look.html", "seen/look.html")):
        done = call("preview", "study", "--out", out)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / path).read_text() == page


def test_maps_that_are_left_out_are_named_with_exit_status_1(call, maps, tmp_path):
    records = [json.loads(line) for line in maps.read_text().splitlines()]
    records[3]["query"]["label"] = "positive"  # it says that the model chose negative
    maps.write_text("".join(json.dumps(record) + "\n" for record in records) + "{broken\n")
    done = call("build", maps, "--conditions", "plain,none", "--items", 6, "--out", "study")
    assert done.returncode == 1
    assert "left out: the maps, id r3: it speaks for 'positive', and the model chose 'negative'" in done.stderr
    assert "not read: " in done.stderr
    assert "line 13" in done.stderr
    assert "r3" not in open_study(tmp_path / "study").items


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--conditions", "plain,none", "--design", "blocks"), "needs block_size"),
        (("--conditions", "plain,none", "--llm", "openai:x"), "--llm goes with the condition narrate"),
        (("--conditions", "plain,none", "--trust"), "--trust goes with --target"),
        (("--conditions", "narrate,none"), "name a language model with --llm"),
        (("--conditions", "plain,none", "--design", "mixed"), "needs groups"),
        (("--conditions", "plain,none", "--group", "plain", "--group", "none"), "groups have no effect"),
        (("--conditions", "plain,none", "--by", "colour"), "no item has the fact 'colour'"),
        (("--conditions", "plain,nothing"), "there is no condition 'nothing'"),
        (("--conditions", "plain,none", "--show-labels", "--replace-leaks"), "concern masked labels"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_written(call, maps, tmp_path, words, said):
    done = call("build", maps, "--out", "study", "--items", 6, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "study").exists()


def test_false_texts_are_shown_where_somebody_wants_them(call, maps, tmp_path):
    (tmp_path / "lies.csv").write_text("id,text\n" + "".join(f"r{n},'that' speaks most for the label.\n" for n in range(12)))
    done = call("build", maps, "--conditions", "lies.csv,none", "--items", 6, "--out", "study")
    assert done.returncode == 2
    assert "the text is false of its map" in done.stderr
    done = call("build", maps, "--conditions", "lies.csv,none", "--items", 6, "--out", "study", "--unchecked")
    assert done.returncode == 0, done.stderr
    assert "false of their maps, shown because unchecked is true: 8" in done.stderr
    assert "wrong on purpose" in open_study(tmp_path / "study").file.debriefing
    done = call("build", maps, "--conditions", "plain,none", "--out", "other", "--unchecked")
    assert "no condition is one" in done.stderr


def test_a_build_that_is_killed_leaves_no_study_and_the_next_one_goes_well(maps, tmp_path, wait_until):
    import subprocess
    import sys

    out = tmp_path / "new" / "study"
    half = out.with_name(".study.building")
    words = [sys.executable, "-c", "from saywhy.cli.app import main; main()", "study", "build", str(maps), "--conditions", "heatmap,plain",
             "--items", "8", "--out", str(out)]  # fmt: skip
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: half.exists() or process.poll() is not None, pause=0.001)
    finally:
        process.kill()
        process.wait()
    assert not out.exists() or open_study(out).items, "a study is whole where there is one"
    if not out.exists():
        assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    assert len(open_study(out).items) == 10
    assert not half.exists()


def test_a_language_model_is_asked_about_the_chosen_items_alone_and_only_once(call, maps, tmp_path, chat_server):
    server = chat_server(behave=lambda request: "Because of 'that', which is most important for 'positive'.")
    words = (
        "build",
        maps,
        "--conditions",
        "narrate-smv-gpt,none",
        "--items",
        4,
        "--practice",
        0,
        "--llm",
        f"{server.url}#test",
    )
    done = call(*words, "--out", "study")
    assert done.returncode == 0, done.stderr
    study = open_study(tmp_path / "study")
    for item in study.items.values():
        told = item.stimuli["narrate-smv-gpt"].text.partition("Explanation: ")[2]
        assert "positive" not in told
        assert "'that' speaks most against it" in told, "the template stands in for what is false"
    assert "texts by the template, because nothing that the language model wrote could be kept: 4" in done.stderr
    asked = len(server.requests)
    assert asked <= 4 * 3, "each of four items, with two repairs"
    done = call(*words, "--out", "study", "--force")
    assert done.returncode == 0, done.stderr
    assert len(server.requests) == asked, "replies are kept beside the study"


def test_a_mixed_design_has_its_groups(call, maps, tmp_path):
    done = call("build", maps, "--conditions", "heatmap,plain,random,none", "--design", "mixed", "--group", "heatmap,plain", "--group",
                "random,none", "--items", 8, "--out", "study")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert open_study(tmp_path / "study").file.design.groups == [["heatmap", "plain"], ["random", "none"]]


def test_texts_and_synonyms_are_read_from_files(call, maps, tmp_path):
    (tmp_path / "mine.csv").write_text("id,text\n" + "".join(f"r{n},Das ist {'gut' if n == 1 else 'so'}.\n" for n in range(12)))
    (tmp_path / "names.json").write_text('{"positive": ["gut"]}')
    done = call("build", maps, "--conditions", "mine.csv,none", "--synonyms", "names.json", "--items", 10, "--out", "study")
    assert done.returncode == 1
    assert "id r1: the explanation names a label that people are to guess: “gut”" in done.stderr
    assert "r1" not in open_study(tmp_path / "study").items
    (tmp_path / "names.json").write_text('{"positive": "gut"}')
    done = call("build", maps, "--conditions", "mine.csv,none", "--synonyms", "names.json", "--out", "other")
    assert done.returncode == 2
    assert "holds no names of labels" in done.stderr


def test_pictures_of_signs_with_the_answers_of_their_classifier(call, tmp_path):
    import numpy as np

    from saywhy import signs
    from verbalize import PixelSaliency, Prediction, Query, write_saliency

    classifier = signs.load()
    images, labels = signs.samples()
    found = []
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        predicted = signs.CLASS_NAMES[int(np.argmax(classifier.predict(image[None])[0]))]
        scores = np.zeros(image.shape[:2])
        scores[16:32, 16:32] = 1.0
        found.append(PixelSaliency(scores, Query(predicted), image=image, id=f"s{number}",
                                   prediction=Prediction(predicted, true_label=signs.CLASS_NAMES[int(label)])))  # fmt: skip
    write_saliency(found, tmp_path / "signs.jsonl")
    done = call("build", "signs.jsonl", "--conditions", "heatmap,rationale,none", "--tasks", "simulation,counterfactual", "--target",
                "demo:signs", "--items", 9, "--out", "study")  # fmt: skip
    assert done.returncode == 0, done.stderr
    study = open_study(tmp_path / "study")
    answers = [item.answers["counterfactual"][0] for item in study.items.values()]
    assert all(answer["part"].startswith("the ") and answer["label"] in signs.CLASS_NAMES for answer in answers)
    shown = "".join(stimulus.html for item in study.items.values() for stimulus in (item.input, *item.stimuli.values()))
    names = {path.name for path in (tmp_path / "study" / "images").iterdir()}
    assert set(re.findall(r"images/([0-9a-f]+\.png)", shown)) == names
    assert not any(label in name for label in signs.CLASS_NAMES for name in names)


@pytest.mark.parametrize("conditions", ["narrate-free,none", "narrate-smv-gpt+heatmap,random-narrate,none"])
def test_what_a_language_model_will_be_asked_is_foreseen(call, maps, tmp_path, chat_server, conditions):
    server = chat_server(default="Nothing of use.")
    words = ["build", maps, "--conditions", conditions, "--items", 4, "--practice", 1, "--llm", f"{server.url}#test",
             "--out", "study", "--max-retries", 0]  # fmt: skip
    dry = call(*words, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    narrated = conditions.count("narrate")
    assert f"foreseen: {5 * narrated} requests" in dry.stderr
    assert server.requests == []
    assert [file.name for file in tmp_path.iterdir()] == ["maps.jsonl"]
    refused = call(*words, "--price", 50_000, 50_000)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert server.requests == []
    assert not (tmp_path / "study").exists()
    done = call(*words)
    assert (tmp_path / "study").exists(), done.stderr
    begun = [one.messages for one in server.requests if all(message["role"] != "assistant" for message in one.messages)]
    assert len(begun) == 5 * narrated, "the others send a draft back"
    assert "foreseen: 0 requests" in call(*words, "--force", "--dry-run").stderr
