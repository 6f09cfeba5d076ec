"""Measures of wording and of prompts."""

from __future__ import annotations

import itertools
import json
import shutil

import numpy as np
from parameters.harness import case, later, record
from parameters.maps import OTHER, TEXT
from parameters.space import EMBEDDED, LABELS, LIBRARY, NAMES, OTHERS, PAIRS, SPACE, TURNED
from PIL import Image

from agents import PairDescriptions
from agents.encoders.seen import SeenImages
from agents.prompting import Contrast
from evals.prompts import (
    ClassChange,
    Comparison,
    Confusion,
    Control,
    EncoderRow,
    EncoderTable,
    KPoint,
    KSweep,
    Measured,
    PromptReport,
    Share,
)
from saywhy_core.errors import Problem
from verbalize import TemplateVerbalizer

DRAWS = np.random.default_rng(0)
BEFORE, AFTER, TRUTH = DRAWS.integers(0, 4, (3, 200_001))  # so many that the ends of the resampled interval move
record("evals.prompts.Share", {"value": 0.5, "low": 0.0, "high": 1.0}, value=0.6, low=0.1, high=0.9)
record("evals.prompts.ClassChange", {"name": "a", "images": 1, "before": 0, "after": 1}, name="b", images=2, before=1, after=0)
HALF, MOST = Share(0.5, 0.0, 1.0), Share(0.9, 0.8, 1.0)
COMPARED = {
    "images": 4,
    "before": HALF,
    "after": HALF,
    "fixed": (),
    "broken": (),
    "difference": HALF,
    "p": 0.5,
    "classes": (),
}
record(
    "evals.prompts.Comparison",
    COMPARED,
    images=5,
    before=MOST,
    after=MOST,
    fixed=(1,),
    broken=(1,),
    difference=MOST,
    p=0.1,
    classes=(ClassChange("a", 1, 0, 1),),
    confused=(Confusion("a", "b", 1, 0),),
)
record(
    "evals.prompts.Confusion",
    {"true": "a", "decided": "b", "before": 1, "after": 0},
    true="c",
    decided="d",
    before=2,
    after=1,
)
POINT = {"k": 2, "accuracy": HALF, "reachable": 0.5, "fixed": 1, "broken": 0, "p": 0.5, "adjusted": 0.5}
record("evals.prompts.KPoint", POINT, k=3, accuracy=MOST, reachable=0.6, fixed=2, broken=1, p=0.1, adjusted=0.2)
record("evals.prompts.KSweep", {"points": ()}, points=(KPoint(**POINT),))
CONTROL = {"name": "c", "accuracies": (0.5,), "fixed": 1, "broken": 1, "p": 0.5}
record("evals.prompts.Control", CONTROL, name="d", accuracies=(0.6,), fixed=2, broken=2, p=0.1)
record(
    "evals.prompts.PromptReport",
    {"comparison": Comparison(**COMPARED), "controls": ()},
    comparison=Comparison(**{**COMPARED, "p": 0.1}),
    controls=(Control(**CONTROL),),
    missing=((0, 1),),
    truncated=1,
    requests=1,
    tokens=1,
    first="80 templates",
    averaged=Control(**CONTROL),
    alone=Control(**CONTROL),
    sweep=KSweep((KPoint(**POINT),)),
    left_out=1,
    may_be_seen=True,
)
case(
    "evals.prompts.compare",
    {"before": BEFORE, "after": AFTER, "labels": TRUTH, "class_names": NAMES},
    before=TRUTH,
    after=TRUTH,
    labels=BEFORE,
    class_names=NAMES[::-1],
)
case("evals.prompts.paired_difference", {"fixed": 5, "broken": 1, "total": 20}, fixed=6, broken=2, total=30)
MEASURED = {"encoder": SPACE, "class_names": NAMES, "embeddings": EMBEDDED, "labels": LABELS, "draws": 2}
CHANGES = {
    "encoder": TURNED,
    "class_names": NAMES[::-1],
    "embeddings": -EMBEDDED,
    "labels": LABELS[::-1],
    "draws": 3,
    "template": "{}",
    "requests": 1,
    "tokens": 1,
}
SECOND_LOOK = {"k": 2, "mix": 0.3, "first": "name", "aggregate": "votes"}
case(
    "evals.prompts.evaluate_pairs",
    {**MEASURED, "pairs": PAIRS},
    **CHANGES,
    **SECOND_LOOK,
    pairs=OTHERS,
    ks=(1, 2),
)
# Without class names the descriptions above are alike; these are not.
LOOKS = {name: [f"a {look} {name}"] for name, look in zip(NAMES, ("grey", "loud", "wise", "wet"), strict=True)}
LOOK_PAIRS = PairDescriptions(
    {(i, j): [Contrast("look", (LOOKS[NAMES[i]][0], LOOKS[NAMES[j]][0]))] for i, j in itertools.combinations(range(4), 2)},
    dict(enumerate(NAMES)),
)
case("evals.prompts.evaluate_pairs", {**MEASURED, "pairs": LOOK_PAIRS}, neutral="animal")
# Controls with chance draw words in the place of these.
LONG = {name: [f"a photo of a {name} with {look}"] for name, look in zip(NAMES, ("long and soft grey fur", "a short and loud tail",
        "two round and wise eyes", "many small and wet scales"), strict=True)}  # fmt: skip
LONG_PAIRS = PairDescriptions(
    {(i, j): [Contrast("look", (LONG[NAMES[i]][0], LONG[NAMES[j]][0]))] for i, j in itertools.combinations(range(4), 2)},
    dict(enumerate(NAMES)),
)
case("evals.prompts.evaluate_pairs", {**MEASURED, "pairs": LONG_PAIRS, "draws": 5}, seed=1)
case("evals.prompts.evaluate_prompts", {**MEASURED, "prompts": LONG, "draws": 5}, seed=1)
case("evals.prompts.evaluate_file", {**MEASURED, "file": later(lambda tools: prompt_file(tools, LONG)), "draws": 5}, seed=1)
case("evals.prompts.evaluate_prompts", {**MEASURED, "prompts": LOOKS}, neutral="animal")


TOLD = later(lambda tools: tools.record)
case("evals.prompts.evaluate_prompts", {**MEASURED, "prompts": LOOKS}, on_progress=TOLD)
case("evals.prompts.evaluate_pairs", {**MEASURED, "pairs": PAIRS}, on_progress=TOLD)
case("evals.prompts.evaluate_file", {**MEASURED, "file": later(lambda tools: prompt_file(tools, LOOKS))}, on_progress=TOLD)
case(
    "evals.prompts.evaluate_file",
    {**MEASURED, "file": later(lambda tools: prompt_file(tools, LOOKS))},
    neutral="animal",
)
case(
    "evals.prompts.k_sweep",
    {name: value for name, value in MEASURED.items() if name != "draws"} | {"pairs": PAIRS},
    encoder=TURNED,
    class_names=NAMES[::-1],
    embeddings=-EMBEDDED,
    labels=LABELS[::-1],
    template="{}",
    pairs=OTHERS,
    ks=(1, 2),
    **{name: value for name, value in SECOND_LOOK.items() if name != "k"},
)
case("evals.prompts.sweep_text", {"sweep": KSweep(())}, sweep=KSweep((KPoint(**POINT),)))
case("evals.prompts.usual_ks", {"classes": 5}, classes=500)
SMALL = Comparison(**{**COMPARED, "classes": (ClassChange("a", 2, 1, 2), ClassChange("b", 1, 1, 1))})
CONFUSED = Comparison(**{**COMPARED, "classes": SMALL.classes, "confused": (Confusion("a", "b", 1, 0),)})
ROW = {"encoder": "clip:a", "report": None}
record(
    "evals.prompts.EncoderRow",
    ROW,
    encoder="clip:b",
    report=PromptReport(SMALL, ()),
    failure="no",
    adjusted=0.5,
    problems=(Problem("a", "b"),),
)
record("evals.prompts.EncoderTable", {"rows": ()}, rows=(EncoderRow(**ROW),))
TABLE = EncoderTable((EncoderRow("clip:a", PromptReport(SMALL, ()), "", 0.5),))
case("evals.prompts.table_text", {"table": TABLE}, table=EncoderTable((*TABLE.rows, EncoderRow("b", None, "no"))))
POINTED = {"method": "a", "at": 1.0, "accuracy": 0.5}
record("evals.prompts.Measured", POINTED, method="b", at=2.0, accuracy=0.6, low=0.1, high=0.9)


def held(result, tools, arguments):
    return [(one.suffix, one.read_bytes()) for one in sorted(tools.folder.rglob("by*")) + sorted(tools.folder.rglob("con*"))]


SVG, PNG = later(lambda tools: tools.folder / "by.svg"), later(lambda tools: tools.folder / "by.png")
SWEEP = KSweep((KPoint(**POINT), KPoint(**{**POINT, "k": 5})))
case("evals.prompts.draw_by_k", {"sweeps": {"a": SWEEP}, "path": SVG}, held, sweeps={"b": SWEEP}, path=PNG)
case(
    "evals.prompts.draw_by_shots",
    {"rows": [Measured(**POINTED)], "path": SVG},
    held,
    rows=[Measured("b", 1, 0.5)],
    path=PNG,
)
case(
    "evals.prompts.draw_by_cost",
    {"rows": [Measured(**POINTED)], "path": SVG},
    held,
    rows=[Measured("b", 1, 0.5)],
    path=PNG,
    unit="dollars",
)
case("evals.prompts.draw_confusions", {"comparison": CONFUSED, "path": SVG}, held, comparison=SMALL, path=PNG, most=1)
case(
    "evals.prompts.draw_reports",
    {"reports": {"a": PromptReport(CONFUSED, ())}, "folder": later(lambda tools: tools.folder)},
    lambda files, tools, arguments: (held(files, tools, arguments), [one.parent.name for one in files]),
    reports={"a": PromptReport(SMALL, ())},
    folder=later(lambda tools: tools.folder / "other"),
)


def a_task(tools, cut=False):
    """A pair file, and photographs of its classes; with one class fewer where cut."""
    from PIL import Image

    prompt_file(tools, LOOKS)
    for number, name in enumerate(NAMES[: 3 if cut else 4]):
        (tools.folder / "photos" / name).mkdir(parents=True)
        for shade in range(2):
            colour = (60 * number, 40 * shade, 90)
            Image.new("RGB", (32, 32), colour).save(tools.folder / "photos" / name / f"{shade}.png")
    return tools.folder / "photos"


def judged(table, tools, arguments):
    return table, sorted(path.name for path in tools.folder.rglob("*.sqlite"))


def tiny(tools):
    folder = tools.fixture("tmp_path") / "clip"
    if not folder.exists():
        tools.fixture("make_tiny_clip")(folder)
    return [f"clip:{folder}"]


case(
    "evals.prompts.evaluate_encoders",
    {
        "encoders": later(tiny),
        "class_names": NAMES,
        "file": later(lambda tools: tools.folder / "prompts.json"),
        "images": later(a_task),
    },
    judged,
    encoders=["clip:nothing-is-here"],
    class_names=NAMES[::-1],
    file="nothing.json",
    images=later(lambda tools: a_task(tools, cut=True)),
    cache=later(lambda tools: tools.folder / "kept"),
    on_progress=later(lambda tools: tools.record),
    on_evaluated=later(lambda tools: tools.record),
    draws=0,
)


def tiny_with_code(tools):
    """A model folder that brings a Python class of its own."""
    strange = tools.folder / "strange"
    shutil.copytree(tiny(tools)[0].partition(":")[2], strange)
    config = json.loads((strange / "config.json").read_text())
    (strange / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModelForVideo": "missing.Missing"}}))
    return [*tiny(tools), f"clip:{strange}"]


case(
    "evals.prompts.evaluate_encoders",
    {
        "encoders": later(tiny_with_code),
        "class_names": NAMES,
        "file": later(lambda tools: tools.folder / "prompts.json"),
        "images": later(a_task),
        "draws": 0,
    },
    lambda table, tools, arguments: [bool(row.failure) for row in table.rows],
    trust=True,
)
case("evals.prompts.holm", {"ps": [0.1, 0.2]}, ps=[0.1, 0.3])
case(
    "evals.prompts.NameRemover",
    {"class_names": ["cat"]},
    lambda remove, tools, arguments: remove("a cat and a dog"),
    class_names=["dog"],
    neutral="pet",
)
case(
    "evals.prompts.without_class_names",
    {"prompts": {"cat": ["a cat"]}},
    prompts={"cat": ["a small cat"]},
    neutral="pet",
)
case(
    "evals.prompts.pairs_without_class_names",
    {"pairs": PAIRS, "class_names": NAMES, "needed": [(0, 1), (2, 3)]},
    pairs=OTHERS,
    class_names=("x", "y", "z", "w"),
)
case(
    "evals.prompts.pairs_without_class_names",
    {"pairs": OTHERS, "class_names": NAMES, "needed": [(2, 3)]},
    needed=[(1, 3)],
    template="my {}",
    neutral="pet",
)
case(
    "evals.prompts.evaluate_prompts",
    {**MEASURED, "prompts": LIBRARY},
    **CHANGES,
    prompts={name: [f"{name}!"] for name in NAMES},
)
case("evals.prompts.mcnemar", {"fixed": 5, "broken": 1}, fixed=6, broken=2)
case("evals.prompts.wilson", {"successes": 5, "total": 10}, successes=6, total=11)
case(
    "evals.prompts.random_words",
    {"prompts": {"cat": ["a photo of a cat with long and soft fur"]}, "seed": 0},
    prompts={"cat": ["a cat"]},
    seed=1,
    template="{}",
)

SHARES = np.array([0.5, 0.3, 0.2, 0.0])
case("evals.wording.coverage_at", {"named": [1], "shares": SHARES}, named=[0], shares=SHARES[::-1], k=1)
case("evals.wording.omissions", {"named": [1], "shares": SHARES}, named=[0], shares=np.array([0.0, 1.0, 0.0, 0.0]), mass=0.9)
case("evals.wording.readability", {"text": "The cat sat."}, text="Unbelievably complicated considerations accumulate.")
case(
    "evals.wording.evaluate",
    {"texts": ["'acting' supports 'good'."], "saliencies": [TEXT]},
    texts=["'awful' supports 'good'."],
    saliencies=[OTHER],
    k=1,
)
case(
    "evals.wording.adversarial_suite",
    {"verbalizer": TemplateVerbalizer(max_words=3), "maps": 2},
    verbalizer=lambda saliency: "Nothing.",
    maps=1,
    seed=1,
)


def prompt_file(tools, content=None):
    from agents import write_pairs

    path = tools.folder / "prompts.json"
    if content is None:
        write_pairs(PAIRS, path)
    else:
        path.write_text(json.dumps(content))
    return path


FILE = {**MEASURED, "file": later(prompt_file)}
case(
    "evals.prompts.evaluate_file",
    FILE,
    **{name: value for name, value in CHANGES.items() if name not in ("requests", "tokens")},
    file=later(lambda tools: prompt_file(tools, {name: [f"{name}!"] for name in NAMES})),
    ks=(1, 2),
    **SECOND_LOOK,
)
case("evals.prompts.is_pair_file", {"file": later(prompt_file)}, file=later(lambda tools: prompt_file(tools, LIBRARY)))


def files_of(tools, *contents):
    paths = [tools.folder / f"{number}-{content}" for number, content in enumerate(contents)]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(content)
    return paths


def prompt_file_of_shots(tools):
    """The prompt file of a search that saw one image, known by its bytes."""
    seen = SeenImages.of(files_of(tools, "shot"))
    return prompt_file(tools, {"prompts": LOOKS, "fitness": 1.0, "shots": seen.to_dict()})


case(
    "evals.prompts.evaluate_file",
    {**MEASURED, "file": later(prompt_file_of_shots)},
    paths=later(lambda tools: files_of(tools, "shot", *(f"photo {number}" for number in range(1, len(LABELS))))),
)
case(
    "evals.prompts.held_out",
    {"paths": later(lambda tools: files_of(tools, "a", "b")), "shots": later(lambda tools: files_of(tools, "b"))},
    paths=later(lambda tools: files_of(tools, "b", "a")),
    shots=later(lambda tools: files_of(tools, "c")),
)


def photo(tools, name):
    """One picture in two formats, without contrast, so that embeddings count."""
    Image.new("RGB", (32, 32), (90, 90, 90)).save(tools.folder / name)
    return [tools.folder / name]


case(
    "evals.prompts.held_out",
    {
        "paths": later(lambda tools: photo(tools, "a.png")),
        "shots": later(lambda tools: photo(tools, "a.jpg")),
        "rows": np.eye(2, dtype=np.float32)[:1],
        "shot_rows": np.eye(2, dtype=np.float32)[:1],
    },
    rows=np.eye(2, dtype=np.float32)[1:],
    shot_rows=np.eye(2, dtype=np.float32)[1:],
)
REPORT = PromptReport(Comparison(**COMPARED), ())
OTHER_REPORT = PromptReport(Comparison(**{**COMPARED, "p": 0.1}), ())
case("evals.prompts.report_text", {"report": REPORT}, report=OTHER_REPORT, after="with prompts")
record("evals.wording.Metric", {"summary": "s", "measure": max}, summary="t", measure=min, pooled="sum")
record(
    "evals.wording.Sample",
    {"text": "a", "saliency": TEXT, "sentences": (), "report": None, "shares": (1.0,), "named": (0,), "k": 5},
    text="b",
    saliency=OTHER,
    sentences=("b",),
    report=(),
    shares=(0.5,),
    named=(),
    k=1,
)
