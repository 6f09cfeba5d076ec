"""Maps become a study's folder: whole or not at all, with the items that can be shown under every condition."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter

import numpy as np
import pytest

from evals.study import open_study
from evals.study.building import build_study, parse_conditions
from evals.study.building.folders import new_folder
from evals.study.building.surface import surface_hints
from evals.study.flow import judge, steps_for
from evals.study.items import Item, Stimulus
from saywhy_core.errors import UsageError
from verbalize import PixelSaliency, Prediction, Query, TokenSaliency

LABELS = ("negative", "positive")


def text_map(number, predicted, *, label=None, true=None, length=6, name=None):
    draws = np.random.default_rng(number)
    words = [f"w{number}", *(f"v{draws.integers(50)}" for _ in range(length - 1))]
    return TokenSaliency(words, draws.normal(size=length), Query(label or predicted), prediction=Prediction(predicted, true_label=true),
                         id=name or f"m{number}")  # fmt: skip


@pytest.fixture
def maps():
    """30 positive and 15 negative predictions; a fifth of each are wrong."""
    predicted = ["positive"] * 30 + ["negative"] * 15
    other = {"positive": "negative", "negative": "positive"}
    return [
        text_map(n, label, true=other[label] if n % 5 == 0 else label, length=4 + n % 9) for n, label in enumerate(predicted)
    ]


def levels_of(stimulus):
    """The shades of the words, without those of the key."""
    return [int(one) for one in re.findall(r'class="h([+-]\d+)"', stimulus.html.partition('class="key"')[0])]


def items_of(study, *, practice=False):
    return [item for item in study.items.values() if item.practice == practice]


@pytest.mark.long
def test_a_study_is_built_and_opened(tmp_path, maps):
    notes = []
    study = build_study(maps, "heatmap,rationale,plain,none,random", out=tmp_path / "study", items=20, on_note=notes.append)
    assert study.items == open_study(tmp_path / "study").items
    assert (len(items_of(study)), len(items_of(study, practice=True))) == (20, 2)
    assert all(list(item.stimuli) == ["heatmap", "rationale", "plain", "none", "random"] for item in study.items.values())
    assert all(item.labels == LABELS for item in study.items.values())
    assert sorted(one.name for one in (tmp_path / "study").iterdir()) == ["built.json", "images", "items.jsonl", "study.yaml"]
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".") and one.is_dir()] == []
    for cell in study.cells:
        steps = steps_for(study, cell, 0)
        assert sum(step.phase == "trial" for step in steps) == 20
        assert {step.phase for step in steps} >= {
            "consent",
            "instructions",
            "comprehension",
            "practice",
            "attention",
            "debriefing",
        }
    assert not notes


@pytest.mark.long
def test_items_are_drawn_in_proportion_to_their_kinds_or_equally(tmp_path, maps):
    study = build_study(maps, "plain,none", out=tmp_path / "a", items=15, by=("label", "model_right"))
    kinds = Counter((item.predicted, item.facts["model_right"]) for item in items_of(study))
    assert kinds == {("positive", "yes"): 8, ("positive", "no"): 2, ("negative", "yes"): 4, ("negative", "no"): 1}
    study = build_study(maps, "plain,none", out=tmp_path / "b", items=12, by=("label",), allocation="equal")
    assert Counter(item.predicted for item in items_of(study)) == {"positive": 6, "negative": 6}


@pytest.mark.long
def test_practice_items_are_others_and_the_model_is_right_on_them(tmp_path, maps):
    study = build_study(maps, "plain,none", out=tmp_path / "study", items=20, practice=4)
    trained = items_of(study, practice=True)
    assert Counter(item.predicted for item in trained) == {"positive": 2, "negative": 2}
    assert all(item.facts["model_right"] == "yes" for item in trained)
    assert not {item.id for item in trained} & {item.id for item in items_of(study)}


@pytest.mark.long
def test_the_same_seed_builds_the_same_study(tmp_path, maps):
    built = [
        build_study(maps, "heatmap,random", out=tmp_path / name, items=8, seed=seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert built[0].digest == built[1].digest != built[2].digest


@pytest.mark.long
def test_the_order_of_items_tells_no_label(tmp_path, maps):
    study = build_study(maps, "plain,none", out=tmp_path / "study", items=40)
    labels = [item.predicted for item in items_of(study)]
    changes = sum(a != b for a, b in itertools.pairwise(labels))
    assert 8 < changes < 30, "neither sorted nor in turn"


@pytest.mark.long
def test_items_that_can_not_be_shown_are_replaced_and_named(tmp_path, maps):
    texts = tmp_path / "mine.jsonl"
    lacking = {"m3", "m33"}
    texts.write_text(
        "".join(json.dumps({"id": one.id, "text": "It says what it says."}) + "\n" for one in maps if one.id not in lacking)
    )
    problems = []
    study = build_study(maps, ["plain", str(texts)], out=tmp_path / "study", items=43, practice=0, on_problem=problems.append)
    assert not lacking & set(study.items)
    assert len(items_of(study)) == 43
    assert {problem.id for problem in problems} == lacking
    assert [part.name for part in study.file.conditions] == ["plain", "mine"]


@pytest.mark.long
def test_texts_of_a_file_are_checked_masked_and_quoted(tmp_path):
    maps = [TokenSaliency(["good", "dull", "film"], [1.0, -0.5, 0.1], Query("positive"), prediction=Prediction("positive"), id=f"t{n}",
                          text=f"good dull film {n}") for n in range(5)]  # fmt: skip
    says = {
        "t0": "'good' speaks most for the label.",
        "t1": "'dull' speaks most for the label.",
        "t2": "It is a positive film, because of 'good'.",
        "t3": "The model predicted '{placeholder}'.",
        "t4": "Positively 'good' <script>alert(1)</script>.",
    }
    table = tmp_path / "texts.csv"
    table.write_text("text;id\n" + "".join(f'"{text}";{name}\n' for name, text in says.items()))

    def built(name, **more):
        problems, notes = [], []
        study = build_study(maps, [parse_conditions(str(table))[0], "none"], out=tmp_path / name, labels=LABELS, practice=0, items=5,
                            on_problem=problems.append, on_note=notes.append, **more)  # fmt: skip
        return study, {problem.id: problem.what for problem in problems}, " ".join(notes)

    study, problems, _ = built("refused")
    assert set(problems) == {"t1", "t2", "t4"}
    assert "false of its map" in problems["t1"]
    assert "Claim" not in problems["t1"]
    assert "“positive”" in problems["t2"]
    assert "predicted the label" in study.items["t3"].stimuli["texts"].text
    study, problems, notes = built("replaced", replace_leaks=True)
    assert set(problems) == {"t1"}
    assert "a the label" not in study.items["t2"].stimuli["texts"].text
    assert "&lt;script&gt;" in study.items["t4"].stimuli["texts"].html
    assert "names of labels were replaced by “the label”: 2 (t4, t2)" in notes
    part = parse_conditions(str(table))[0].model_copy(update={"options": {"path": str(table), "unchecked": True}})
    study = build_study(maps[:2], [part, "none"], out=tmp_path / "unchecked", labels=LABELS, practice=0, items=2)
    assert set(study.items) == {"t0", "t1"}


@pytest.mark.long
def test_maps_of_other_labels_are_put_together_with_their_input(tmp_path):
    maps = []
    for number in range(6):
        one = text_map(number, "positive", name=f"p{number}")
        other = TokenSaliency(one.tokens, -one.scores, Query("negative"), prediction=one.prediction, id=f"n{number}")
        maps += [other, one] if number % 2 else [one, other]
    study = build_study(maps, "heatmap,other", out=tmp_path / "study", items=5, practice=1)
    assert set(study.items) == {f"p{number}" for number in range(6)}
    for item in study.items.values():
        shown = [levels_of(item.stimuli[name]) for name in ("heatmap", "other")]
        assert shown[0] == [-level for level in shown[1]]


@pytest.mark.long
def test_a_map_of_a_label_that_was_not_chosen_is_left_out_or_turned_round(tmp_path):
    maps = [text_map(n, "positive") for n in range(3)] + [text_map(9, "negative", label="positive", name="asked")]
    problems = []
    build_study(maps, "heatmap,none", out=tmp_path / "a", items=2, practice=0, labels=LABELS, on_problem=problems.append)
    assert [(one.id, "the model chose 'negative'" in one.what) for one in problems] == [("asked", True)]
    notes = []
    study = build_study(maps, "heatmap,none", out=tmp_path / "b", items=4, practice=0, binary=True, on_note=notes.append)
    assert study.items["asked"].predicted == "negative"
    levels = levels_of(study.items["asked"].stimuli["heatmap"])
    shown = maps[-1].scores[np.abs(maps[-1].scores) >= 0.02 * np.abs(maps[-1].scores).max()]
    assert [np.sign(level) for level in levels] == [-np.sign(score) for score in shown]
    assert any("turned round" in note for note in notes)


def test_what_the_model_chose_is_guessed_where_no_map_says_it(tmp_path):
    maps = [TokenSaliency([f"w{n}", "x"], [1.0, 0.2], Query(LABELS[n % 2]), id=f"g{n}") for n in range(6)]
    notes = []
    study = build_study(maps, "plain,none", out=tmp_path / "study", items=4, on_note=notes.append)
    assert any("do not say what the model chose" in note for note in notes)
    assert all(item.facts["model_right"] == "" and item.true is None for item in study.items.values())


def test_of_many_labels_some_are_offered_in_the_order_of_all(tmp_path):
    labels = [f"class {n:02}" for n in range(30)]
    maps = [text_map(n, labels[n], true=labels[(n + 7) % 30]) for n in range(12)]
    study = build_study(maps, "plain,none", out=tmp_path / "study", items=10, labels=labels, choices=5, mask_labels=False)
    for item in study.items.values():
        assert len(item.labels) == 5
        assert {item.predicted, item.true} <= set(item.labels)
        assert list(item.labels) == sorted(item.labels)


@pytest.mark.long
def test_right_answers_of_counterfactuals_come_from_a_file(tmp_path, maps):
    answers = tmp_path / "answers.jsonl"
    answers.write_text("".join(json.dumps({"id": one.id, "part": one.tokens[0], "label": "negative"}) + "\n" for one in maps))
    study = build_study(maps, "plain,none", out=tmp_path / "study", items=10, tasks="counterfactual", answers=answers)
    item = items_of(study)[0]
    assert item.answers["counterfactual"] == [{"part": f"w{item.id[1:]}", "label": "negative"}]
    cell = study.cells[0]
    step = next(step for step in steps_for(study, cell, 1) if step.phase == "trial")
    (row,) = judge(study, step, {"counterfactual": "negative"}, participant="a", seed=1).rows
    assert row.correct is True
    some = items_of(study)[0].id
    answers.write_text(
        json.dumps({"id": some, "part": "not there", "label": "negative"})
        + "\n"
        + json.dumps({"id": some, "part": f"w{some[1:]}", "label": "mixed"})
    )
    problems = []
    build_study(
        maps,
        "plain,none",
        out=tmp_path / "bad",
        items=45,
        practice=0,
        tasks="counterfactual",
        answers=answers,
        on_problem=problems.append,
    )
    assert ["does not stand in the text" in problems[0].what, "none of the item's labels" in problems[1].what] == [True, True]
    answers.write_text('{"id": "m1", "part": "x"}\n')
    with pytest.raises(UsageError, match="line 1: an answer is an object with 'id', 'part' and 'label'"):
        build_study(maps, "plain,none", out=tmp_path / "other", tasks="counterfactual", answers=answers)


@pytest.mark.long
def test_a_target_says_what_it_would_choose_without_the_most_important_region(tmp_path):
    from saywhy_core.classifiers import CallableClassifier

    maps = []
    for number in range(4):
        image, scores = np.full((20, 20, 3), 0.2), np.zeros((20, 20))
        image[4:10, 4:10], scores[4:10, 4:10] = 0.8 + number / 20, 1.0
        maps.append(PixelSaliency(scores, Query("bright"), image=image, prediction=Prediction("bright"), id=f"p{number}"))
    odd = PixelSaliency(maps[0].scores, Query("dark"), image=np.full((20, 20, 3), 0.9), prediction=Prediction("dark"), id="odd")
    target = CallableClassifier(
        lambda images: np.stack([[float(one.max() > 0.5), float(one.max() <= 0.5)] for one in images]),
        class_names=("bright", "dark"),
    )
    problems = []
    study = build_study([*maps, odd], "heatmap,none", out=tmp_path / "study", items=5, practice=0, tasks="counterfactual,simulation",
                        target=target, on_problem=problems.append)  # fmt: skip
    for number in range(4):
        (answer,) = study.items[f"p{number}"].answers["counterfactual"]
        assert answer["label"] == "dark"
        assert answer["part"].startswith("the ")
    assert [(one.id, "the target chooses 'bright'" in one.what) for one in problems] == [("odd", True)]


@pytest.mark.long
def test_large_pictures_are_reduced_and_small_ones_enlarged(tmp_path):
    from PIL import Image

    maps = []
    for number, (height, width) in enumerate(((30, 60), (900, 2400))):
        scores = np.zeros((height, width))
        scores[height // 4 : height // 2, width // 4 : width // 2] = 1.0
        image = np.random.default_rng(number).random((height, width, 3)) * 0.3
        maps.append(PixelSaliency(scores, Query("dark"), image=image, prediction=Prediction("dark"), id=f"p{number}"))
    study = build_study(maps, "heatmap,rationale", out=tmp_path / "study", items=2, practice=0, labels=("dark", "light"))
    for item, size in (("p0", (660, 330)), ("p1", (1200, 450))):
        for stimulus in study.items[item].stimuli.values():
            tags = re.findall(r'<img src="([^"]*)"[^>]* width="(\d+)" height="(\d+)">', stimulus.html)
            assert tags
            for name, width, height in tags:
                assert (int(width), int(height)) == size == Image.open(tmp_path / "study" / name).size


@pytest.mark.long
def test_wrong_sentences_of_random_explanations_are_known(tmp_path):
    maps = [TokenSaliency(["good", f"dull{n}", "film", "end"], [1.0, -0.5, 0.05, 0.0], Query("positive"),
                          prediction=Prediction("positive"), id=f"e{n}") for n in range(8)]  # fmt: skip
    study = build_study(
        maps,
        "heatmap,plain,random-plain,none",
        out=tmp_path / "study",
        items=8,
        practice=0,
        labels=LABELS,
        tasks="error_finding,simulation",
    )
    assert study.file.tasks[0].conditions == ["plain", "random-plain"]
    wrong = 0
    for item in study.items.values():
        assert item.answers["error_finding"]["plain"]["false"] == []
        assert item.answers["error_finding"]["plain"]["parts"]
        wrong += len(item.answers["error_finding"].get("random-plain", {"false": []})["false"])
    assert wrong, "a random map makes false sentences"


def test_a_condition_without_explanation_is_not_rated(tmp_path, maps):
    study = build_study(maps, "plain,none", out=tmp_path / "study", items=10)
    assert {part.name: part.conditions for part in study.file.tasks} == {
        "simulation": None,
        "helpfulness": ["plain"],
        "ease": ["plain"],
    }


def test_maps_in_which_there_is_nothing_to_show_are_named(tmp_path):
    said = Prediction("positive")
    maps = [
        text_map(1, "positive"),
        TokenSaliency([], [], Query("positive"), text="abc", prediction=said, id="no scores"),
        TokenSaliency([], [], Query("positive"), prediction=said, id="nothing"),
        TokenSaliency(["", " "], [1, 0], Query("positive"), prediction=Prediction("negative"), id="blanks"),
        PixelSaliency(np.ones((4, 4)), Query("positive"), prediction=said, id="no picture"),
        text_map(1, "positive", name="again"),
    ]
    problems = []
    study = build_study(maps, "heatmap,rationale,list,plain,random,none", out=tmp_path / "s", items=2, practice=0, labels=LABELS,
                        on_problem=problems.append)  # fmt: skip
    assert set(study.items) == {"m1", "no scores"}
    assert {one.id: one.what.split(",")[0].split(";")[0] for one in problems} == {
        "nothing": "the map has no words",
        "blanks": "it speaks for 'positive'",
        "no picture": "the map carries no picture",
        "again": "this is the same input and label as 'm1'",
    }


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        ("heatmap,plain,none", [("heatmap", {}), ("text", {"style": "plain"}), ("none", {})]),
        ("plain+heatmap", [("combined", {"kind": "text", "options": {"style": "plain"}})]),
        ("heatmap+list", [("combined", {"kind": "ranked"})]),
        ("plain-paragraph", [("text", {"style": "plain", "length": "paragraph"})]),
        (
            "random-rationale,other-smv",
            [("random", {"kind": "rationale"}), ("other", {"kind": "text", "options": {"style": "smv"}})],
        ),
        ("a/b/my texts.csv", [("file", {"path": "a/b/my texts.csv"})]),
        ("narrate-free,narrate+heatmap", [("narrate", {"style": "free"}), ("combined", {"kind": "narrate"})]),
    ],
)
def test_names_of_conditions(names, kinds):
    assert [(part.kind, part.options) for part in parse_conditions(names)] == kinds
    assert len({part.name for part in parse_conditions(names)}) == len(kinds)


@pytest.mark.parametrize("names", ["", ",", "nothing", "heatmap,heatmap", "none+heatmap", "rationale+heatmap", "random-none",
                                   "text", "combined"])  # fmt: skip
def test_names_that_mean_nothing_are_refused(names):
    with pytest.raises(UsageError):
        parse_conditions(names)


@pytest.mark.long
def test_a_folder_with_answers_or_something_else_is_left_alone(tmp_path, maps):
    out = tmp_path / "study"
    build_study(maps, "plain,none", out=out, items=5)
    with pytest.raises(UsageError, match="holds a study already"):
        build_study(maps, "plain,none", out=out, items=5)
    (out / "assets").mkdir()
    (out / "assets" / "kept.js").write_text("kept")
    build_study(maps, "heatmap,none", out=out, items=6, force=True)
    assert (out / "assets" / "kept.js").read_text() == "kept"
    assert open_study(out).file.design.items == 6
    (out / "answers.db-wal").write_bytes(b"")
    with pytest.raises(UsageError, match="holds the answers of participants"):
        build_study(maps, "plain,none", out=out, items=5, force=True)
    empty, link = tmp_path / "empty", tmp_path / "link"
    empty.mkdir()
    link.symlink_to(empty)
    build_study(maps, "plain,none", out=link, items=5)
    assert link.is_symlink()
    assert sorted(one.name for one in empty.iterdir()) == ["built.json", "images", "items.jsonl", "study.yaml"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("text")
    with pytest.raises(UsageError, match="something else than a study"):
        build_study(maps, "plain,none", out=other, force=True)
    assert [one.name for one in other.iterdir()] == ["thesis.tex"]


def test_a_folder_is_written_whole_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError), new_folder(tmp_path / "study") as folder:
        (folder / "study.yaml").write_text("half")
        raise RuntimeError
    assert not (tmp_path / "study").exists()
    assert not [one for one in tmp_path.iterdir() if one.is_dir()]


def test_looks_that_tell_the_label_are_told():
    def item(number, label, words):
        text = "\n\nExplanation: " + " ".join(["word"] * words)
        return Item(id=str(number), form="text", input=Stimulus("", ""), predicted=label, stimuli={"texts": Stimulus("", text)})

    draws = np.random.default_rng(0)
    long = [item(n, LABELS[n % 2], 10 + 10 * (n % 2) + int(draws.integers(5))) for n in range(40)]
    (hint,) = surface_hints(long, ["texts"], 0)
    assert "100%" in hint
    assert "50%" in hint
    alike = [item(n, LABELS[n % 2], 10 + int(draws.integers(15))) for n in range(40)]
    assert surface_hints(alike, ["texts"], 0) == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"tasks": "simulation,nothing"}, "no task 'nothing'"),
        ({"design": "latinsquare"}, "no design 'latinsquare'"),
        ({"design": "blocks"}, "needs block_size"),
        ({"mask_labels": False, "replace_leaks": True}, "concern masked labels"),
        ({"answers": "x"}, "serve the task counterfactual"),
        ({"choices": 1}, "2 labels or more"),
        ({"items": 0}, "1 to 2,000 items"),
        ({"title": ""}, "title"),
        ({"labels": ["positive", "negative", "x" * 3000]}, "labels"),
        ({"conditions": "narrate,none"}, "needs a language model"),
        ({"labels": ["good", "bad"]}, "no map can be shown"),
    ],
)
def test_what_can_not_be_built_is_told_and_nothing_is_left(tmp_path, maps, more, said):
    with pytest.raises(UsageError, match=said):
        build_study(
            maps, **{"conditions": "plain,none", "out": tmp_path / "study", "items": 6, "on_problem": lambda _: None, **more}
        )
    assert not (tmp_path / "study").exists()
