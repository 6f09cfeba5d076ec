"""No parameter does nothing: each parameter of each public class and function changes a result, or is refused.

The names are found by walking the faces (`__init__.pyi`) of all packages. The cases stand in
`parameters/**/cases_*.py`, in folders that mirror the packages; a public parameter without a case fails the walk.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest
from parameters import harness

ROOT = Path(__file__).parents[2]
TOPS = ("saywhy_core", "agents", "verbalize", "adversarial", "evals", "saywhy")
HERE = Path(__file__).parent
for found in sorted((HERE / "parameters").rglob("cases_*.py"), key=lambda path: path.stem):
    importlib.import_module(".".join(found.relative_to(HERE).with_suffix("").parts))

# Parameters that another library's interface prescribes, and that have nothing to say here.
PRESCRIBED = {
    ("agents.Replies.clear", "kwargs"): "langchain-core's BaseCache.clear takes options of other caches",
    ("agents.encoders.SentenceEncoder.encode_images", "images"): "part of the encoders' protocol; it refuses all images",
    ("evals.prompts.optimizers.GEPAAdapter.make_reflective_dataset", "candidate"): "part of GEPA's protocol",
    ("agents.Replies.aclear", "kwargs"): "langchain-core's BaseCache.aclear takes options of other caches",
}

# Their cases take seconds each: searches, fits and whole pages.
SLOW = {
    "agents.PromptOptimizer",
    "agents.chat.LocalChat",
    "evals.prompts.alternatives.improve_prompts",
    "evals.prompts.draw_reports",
    "evals.prompts.evaluate_encoders",
    "evals.study.analysis.analyze",
    "evals.study.building.build_study",
    "evals.study.power.detectable_effect",
    "verbalize.clusters.clusters_page",
}


def public_callables():
    """Dotted name -> callable, for every class, function and public method of every face; each object once."""
    known = {}
    for face in sorted(path for top in TOPS for path in (ROOT / top).rglob("__init__.pyi")):
        package = ".".join(face.parent.relative_to(ROOT).parts)
        module = importlib.import_module(package)
        for name in sorted(module.__all__):
            thing = getattr(module, name)
            if inspect.isfunction(thing) or (inspect.isclass(thing) and not getattr(thing, "_is_protocol", False)):
                known.setdefault(id(thing), (f"{package}.{name}", thing))
    for name, thing in known.values():
        if not inspect.isclass(thing):
            yield name, thing
            continue
        if thing.__module__.partition(".")[0] in TOPS and (
            "__init__" in vars(thing) or issubclass(thing, tuple) or not issubclass(thing, Exception)
        ):
            yield name, thing
        for method, held in vars(thing).items():
            function = getattr(held, "__func__", held)
            if not method.startswith("_") and method != "model_post_init" and inspect.isfunction(function):
                yield f"{name}.{method}", getattr(thing, method)


def test_every_public_parameter_has_a_case():
    covered = {}
    for one in harness.CASES:
        thing = harness.resolve(one.what)
        covered.setdefault(getattr(thing, "__func__", thing), set()).update(one.others)
    missing = []
    for name, thing in public_callables():
        shown = covered.get(getattr(thing, "__func__", thing), set())
        for parameter in harness.parameters_of(thing):
            extra = inspect.signature(thing).parameters[parameter].kind is inspect.Parameter.VAR_KEYWORD
            known = set(inspect.signature(thing).parameters)
            if not (shown - known if extra else parameter in shown) and (name, parameter) not in PRESCRIBED:
                missing.append(f"{name}({parameter})")
    assert not missing, "no case shows that these parameters do anything:\n" + "\n".join(missing)


def test_only_records_are_told_apart_by_what_they_hold():
    for one in harness.CASES:
        thing = harness.resolve(one.what)
        assert not inspect.isclass(thing) or one.record or one.seen is not None, f"{one.what}: say what is seen of it"


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(one, id=f"{number}-{one.what}", marks=[pytest.mark.long] if one.what in SLOW else [])
        for number, one in enumerate(harness.CASES)
    ],
)
def test_each_parameter_changes_the_result_or_raises(one, request):
    tools = harness.Tools(request)
    before = harness.outcome(one, one.base, tools)
    assert before[0] != "refused", f"the call is refused as it stands: {before}"
    idle = []
    for name, value in one.others.items():
        if harness.outcome(one, {**one.base, name: value}, tools) == before:
            idle.append(name)
    assert not idle, f"{one.what} gives the same with another value of: {', '.join(idle)}"
