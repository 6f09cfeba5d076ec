"""What holds of every format, built in or brought by a plug-in."""

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from verbalize import Query, TokenSaliency, read_saliency, write_saliency
from verbalize.formats import FORMATS, Format, ReadOptions, format_names, iter_saliency, to_record
from verbalize.saliency import SaliencyError

WORDS, SCORES = ["great", "films"], [0.5, -0.25]


class Tokenizer:
    all_special_tokens = ("[CLS]",)

    def convert_ids_to_tokens(self, ids):
        return [["[CLS]", *WORDS][index] for index in ids]


def captum_record(_):
    from captum.attr import visualization

    return visualization.VisualizationDataRecord(np.array(SCORES), 0.9, 1, 1, 1, 0.25, WORDS, 0.0)


def shap_explanation(_):
    import shap

    return shap.Explanation(values=np.array([SCORES]), data=np.array([["great ", "films "]]), output_names="1")


def ferret_explanation(_):
    kind = type("Explanation", (SimpleNamespace,), {"__module__": "ferret.explainers.explanation"})
    return kind(text="great films", tokens=WORDS, scores=np.array(SCORES), explainer="LIME", target=1)


def inseq_document(_):
    steps = [[score] for score in SCORES]
    sequence = {"source": [{"token": word} for word in WORDS], "target": [{"token": "1"}], "source_attributions": steps}
    return {"sequence_attributions": [sequence]}


def named(module, name, **fields):
    """An object like that of a library: of a class with its name and module, and with its fields."""
    return type(name, (SimpleNamespace,), {"__module__": module})(**fields)


def lime_explanation(_):
    starts = (0, 6)
    indexed = SimpleNamespace(
        word=WORDS.__getitem__, string_position=lambda i: np.array([starts[i]]), raw_string=lambda: "great films"
    )
    return named(
        "lime.explanation", "Explanation", mode="classification", class_names=["0", "1"], predict_proba=np.array([0.25, 0.75]),
        local_exp={1: list(enumerate(SCORES))}, available_labels=lambda: [1], domain_mapper=SimpleNamespace(indexed_string=indexed),
    )  # fmt: skip


def eli5_document(_):
    weights = {"pos": [{"feature": "great", "weight": 0.5}], "neg": [{"feature": "films", "weight": -0.25}]}
    spans = [["great", [[0, 5]], 0.5], ["films", [[6, 11]], -0.25]]
    shown = {"docs_weighted_spans": [{"document": "great films", "spans": spans}]}
    target = {"target": "1", "score": 0.25, "proba": None, "feature_weights": weights, "weighted_spans": shown}
    return {"estimator": "LogisticRegression()", "targets": [target], "error": None}


def interpreto_output(_):
    return named(
        "interpreto.attributions.base", "AttributionOutput", attributions=np.array(SCORES), elements=WORDS, targets=np.array([1]),
        model_task="classification", granularity="word", model_inputs_to_explain={},
    )  # fmt: skip


def captum_llm_result(_):
    from captum.attr import LLMAttributionResult

    return LLMAttributionResult(input_tokens=WORDS, output_tokens=["1"], seq_attr=SCORES)


def shap_picture(_):
    import shap

    return shap.Explanation(values=np.array([[[[0.5], [-0.25]]]]), data=np.zeros((1, 1, 2, 1)), output_names=["1"])


def lime_picture(_):
    kind = type("ImageExplanation", (SimpleNamespace,), {"__module__": "lime.lime_image"})
    return kind(image=np.zeros((1, 2, 3)), segments=np.array([[0, 1]]), local_exp={1: [(0, 0.5), (1, -0.25)]})


def audit_report(_):
    return {
        "kind": "saywhy audit report", "version": 1, "texts": [],
        "maps": [{"version": 1, "id": "changes", "query": {"label": "1"}, "pixels": [SCORES], "signed": True}],
    }  # fmt: skip


def csv_file(folder):
    (folder / "maps.csv").write_text("token,score,label\ngreat,0.5,1\nfilms,-0.25,1\n", encoding="utf-8")
    return folder / "maps.csv"


def npy_file(folder):
    np.save(folder / "map.npy", np.array([SCORES]))
    return folder / "map.npy"


# for each format, what says "great" scores 0.5 and "films" -0.25
EXAMPLES = {
    "saywhy": lambda _: to_record(TokenSaliency(WORDS, SCORES, Query("1"))),
    "audit-report": audit_report,
    "inseq": inseq_document,
    "thermostat": lambda _: {"input_ids": [0, 1, 2], "attributions": [0.0, *SCORES], "predictions": [0.0, 1.0]},
    "pairs": lambda _: list(zip(WORDS, SCORES, strict=True)),
    "labelled-pairs": lambda _: {"1": list(zip(WORDS, SCORES, strict=True))},
    "dianna": lambda _: [(WORDS[0], 0, SCORES[0]), (WORDS[1], 1, SCORES[1])],
    "words": lambda _: [{"token": word, "score": score} for word, score in zip(WORDS, SCORES, strict=True)],
    "captum-llm": captum_llm_result,
    "lime": lime_explanation,
    "eli5": eli5_document,
    "interpreto": interpreto_output,
    "plain": lambda _: {"tokens": WORDS, "scores": SCORES, "label": 1},
    "captum": captum_record,
    "shap-pictures": shap_picture,
    "shap": shap_explanation,
    "lime-pictures": lime_picture,
    "ferret": ferret_explanation,
    "csv": csv_file,
    "pixels": npy_file,
}


def test_every_format_has_an_example():
    assert set(FORMATS) == {*EXAMPLES, "allennlp"}  # whose scores are never negative


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_format_is_found_and_comes_back_from_saywhys_own_file(name, tmp_path):
    source = EXAMPLES[name](tmp_path)
    options = {"label": "1"} | ({"tokenizer": Tokenizer()} if name == "thermostat" else {})
    (found,) = read_saliency(source, **options)
    (named,) = read_saliency(source, format=name, **options)
    assert found == named
    assert found.scores.ravel().tolist() == SCORES
    assert found.query == Query("1")
    if isinstance(found, TokenSaliency):
        assert found.tokens == tuple(WORDS)
    write_saliency(found, tmp_path / "own.jsonl")
    (again,) = read_saliency(tmp_path / "own.jsonl")
    assert again.scores.tolist() == found.scores.tolist()
    assert (again.query, again.saliency_id) == (found.query, found.saliency_id)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("option", [{"class_names": ["a"]}, {"tokenizer": "nosuch"}, {"image": "nopic.png"}])
def test_an_option_that_no_record_uses_is_an_error(name, option, tmp_path):
    """Those that have an effect on this format are left out: their effects are tried elsewhere."""
    given = {"label": "1"} | ({"tokenizer": Tokenizer()} if name == "thermostat" else {})
    (unused,) = option
    if unused in given or (name, unused) in {
        ("pixels", "image"),
        ("shap-pictures", "image"),
        ("lime-pictures", "image"),
        ("thermostat", "class_names"),
        ("lime", "class_names"),
        ("dianna", "class_names"),
    }:
        return
    with pytest.raises(SaliencyError, match=f"^{unused} has no effect on any record"):
        read_saliency(EXAMPLES[name](tmp_path), **given, **option)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_label_that_contradicts_the_record_is_an_error(name, tmp_path):
    source = EXAMPLES[name](tmp_path)
    tokenizer = {"tokenizer": Tokenizer()} if name == "thermostat" else {}
    if name in ("pairs", "words", "dianna", "pixels"):  # they say no label
        assert read_saliency(source, label="2")[0].query == Query("2")
    else:
        with pytest.raises(SaliencyError, match=r"not for '2'|no output '2'"):
            read_saliency(source, label="2", **tokenizer)


@pytest.mark.parametrize("name", ["captum", "ferret", "csv", "plain", "thermostat"])
def test_a_number_without_a_name_is_named_by_the_label_or_the_class_names(name, tmp_path):
    source = EXAMPLES[name](tmp_path)
    tokenizer = {"tokenizer": Tokenizer()} if name == "thermostat" else {}
    assert read_saliency(source, label="good", **tokenizer)[0].query == Query("good")
    assert read_saliency(source, class_names=["bad", "good"], **tokenizer)[0].query == Query("good")
    with pytest.raises(SaliencyError, match="speak for 'good', not for 'bad'"):
        read_saliency(source, class_names=["bad", "good"], label="bad", **tokenizer)


def test_label_and_versus_have_to_agree_with_a_record_that_says_its_whole_question(tmp_path):
    path = tmp_path / "maps.jsonl"
    maps = [TokenSaliency(WORDS, SCORES, Query("yes", versus), id=f"{len(versus)}") for versus in ((), ("no",))]
    write_saliency(maps, path)
    assert len(read_saliency(path, label="yes")) == 2
    problems = []
    assert [one.id for one in read_saliency(path, versus=["no"], on_problem=problems.append)] == ["1"]
    assert "contrasts 'yes' with no other label" in problems[0].what
    problems.clear()
    assert read_saliency(path, label="no", on_problem=problems.append) == []
    assert len(problems) == 2


def test_the_label_chooses_among_several_outputs():
    document = {name: list(zip(WORDS, SCORES, strict=True)) for name in ("yes", "no")}
    assert [one.query.label for one in read_saliency(document)] == ["yes", "no"]
    assert [one.query.label for one in read_saliency(document, label="no")] == ["no"]
    with pytest.raises(SaliencyError, match="no output 'maybe'; the outputs are 'yes', 'no'"):
        read_saliency(document, label="maybe")
    steps = [{"token": token} for token in ("Ġfine", "Ġday")]
    sequence = {"source": [{"token": word} for word in WORDS], "target": steps, "source_attributions": [[1.0, 2.0], [3.0, 4.0]]}
    (found,) = read_saliency({"sequence_attributions": [sequence]}, label="day")
    assert (found.query, found.scores.tolist()) == (Query("day"), [2.0, 4.0])


def test_options_are_noted_anew_for_each_reading():
    options = ReadOptions(label="1")
    for _ in range(2):
        assert len(list(iter_saliency(list(zip(WORDS, SCORES, strict=True)), options))) == 1
    assert options.used == set()


def test_a_text_in_the_place_of_a_map_is_called_so(tmp_path):
    (tmp_path / "texts.jsonl").write_text('{"version": 1, "id": "a", "text": "good"}\n')
    with pytest.raises(SaliencyError, match="no tokens or pixels; it looks like a text, not a map"):
        read_saliency(tmp_path / "texts.jsonl")


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_format_carries_the_name_it_is_registered_under(name):
    assert FORMATS.get(name).name == name
    assert format_names()[name] == FORMATS.get(name).summary


@pytest.fixture
def plugins(monkeypatch, tmp_path):
    """`plugins(name=source, ...)`: formats as an installed distribution would bring them, each in a module of its own."""
    import importlib.metadata

    from saywhy_core import registry

    monkeypatch.syspath_prepend(tmp_path)
    real = registry.entry_points
    brought = []

    class Points:
        def select(self, *, group):
            return brought if group == FORMATS.group else real(group=group)

    monkeypatch.setattr(registry, "entry_points", Points)
    monkeypatch.setattr(FORMATS, "_loaded", dict(FORMATS._loaded))

    def bring(**sources):
        for name, source in sources.items():
            (tmp_path / f"brought_{name}.py").write_text(source, encoding="utf-8")
            brought.append(importlib.metadata.EntryPoint(name, f"brought_{name}:FORMAT", FORMATS.group))

    yield bring
    for point in brought:
        sys.modules.pop(point.module, None)


LINES_OF_MINE = """
from verbalize import TokenSaliency
from verbalize.formats import Format

def matches(document):
    return isinstance(document, dict) and "mine" in document

def read(document, options):
    yield TokenSaliency(list(document["mine"]), list(document["mine"].values()), options.query("1"))

FORMAT = Format("mine", "my tool's JSON", matches, read)
"""
FILES_OF_MINE = """
from verbalize import TokenSaliency
from verbalize.formats import Format

def read_file(path, options):
    words = dict(line.split("=") for line in path.read_text().splitlines())
    yield TokenSaliency(list(words), [float(score) for score in words.values()], options.query("1"))

FORMAT = Format("equals", "word=score lines", suffixes=(".eq",), read_file=read_file)
"""


def test_plugins_read_documents_and_files_by_name_and_by_themselves(plugins, tmp_path):
    plugins(mine=LINES_OF_MINE, equals=FILES_OF_MINE)
    (tmp_path / "maps.jsonl").write_text(json.dumps({"mine": {"great": 0.5, "films": -0.25}}), encoding="utf-8")
    (tmp_path / "maps.eq").write_text("great=0.5\nfilms=-0.25\n", encoding="utf-8")
    (tmp_path / "maps.txt").write_text("great=0.5\nfilms=-0.25\n", encoding="utf-8")
    wanted = TokenSaliency(WORDS, SCORES, Query("1"))
    assert read_saliency(tmp_path / "maps.jsonl") == read_saliency(tmp_path / "maps.jsonl", format="mine") == [wanted]
    assert read_saliency(tmp_path / "maps.eq") == read_saliency(tmp_path / "maps.txt", format="equals") == [wanted]
    assert {"mine", "equals"} <= set(format_names())


def test_files_that_a_built_in_format_reads_import_no_plugin(plugins, tmp_path):
    plugins(mine=LINES_OF_MINE, equals=FILES_OF_MINE)
    (tmp_path / "maps.jsonl").write_text(json.dumps(EXAMPLES["plain"](None)), encoding="utf-8")
    for source in (tmp_path / "maps.jsonl", csv_file(tmp_path), npy_file(tmp_path)):
        read_saliency(source, label="1")
    assert not {"brought_mine", "brought_equals"} & set(sys.modules)


def test_a_plugin_that_cannot_be_loaded_hinders_nobody_else(plugins, tmp_path):
    plugins(broken="import no_such_module", mine=LINES_OF_MINE)
    assert read_saliency({"mine": {"great": 0.5}})[0].tokens == ("great",)
    assert "no_such_module" in format_names()["broken"]
    with pytest.raises(SaliencyError, match="no_such_module"):
        read_saliency({"mine": {"great": 0.5}}, format="broken")
    with pytest.raises(SaliencyError, match=r"in no format.*'broken'.*no_such_module"):
        read_saliency({"nobody": "knows"})


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("FORMAT = 3", "must be a Format, not a value of type int"),
        ("FORMAT = None", "must be a Format, not None"),
        ("import sys; sys.exit(7)", "SystemExit: 7"),
        (LINES_OF_MINE.replace('"mine" in document', "1 / 0").replace('"mine", "my', '"broken", "my'), "ZeroDivisionError"),
    ],
)
def test_a_plugin_that_is_no_format_or_fails_to_recognise_hinders_nobody_else(plugins, tmp_path, source, said):
    plugins(broken=source, mine=LINES_OF_MINE)
    (tmp_path / "map.json").write_text('{"mine": {"great": 0.5}}', encoding="utf-8")
    assert read_saliency(tmp_path / "map.json")[0].tokens == ("great",)
    assert "broken" in format_names()
    with pytest.raises(SaliencyError, match=f"'broken'.*{said}"):
        read_saliency({"mine": {"great": 0.5}}, format="broken")
    with pytest.raises(SaliencyError, match=f"in no format.*'broken'.*{said}"):
        read_saliency({"nobody": "knows"})


def test_the_format_that_is_named_is_the_one_that_reads(tmp_path):
    with pytest.raises(SaliencyError, match="not JSON"):
        read_saliency(csv_file(tmp_path), format="plain", label="1")
    with pytest.raises(SaliencyError, match=r"'pixels' is one of files|is no 'pixels' record"):
        read_saliency(io.BytesIO(b"{}"), format="pixels")


def test_half_a_format_is_refused():
    with pytest.raises(ValueError, match="has no reader"):
        Format("none", "nothing")
    with pytest.raises(ValueError, match="both matches and read"):
        Format("half", "half", matches=lambda document: True)
    with pytest.raises(ValueError, match="both suffixes and read_file"):
        Format("half", "half", suffixes=(".half",))
