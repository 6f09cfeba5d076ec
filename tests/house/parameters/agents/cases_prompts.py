"""The prompt file and the search for prompts."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later, record
from parameters.space import (
    EMBEDDED,
    IMAGES,
    LABELS,
    LIBRARY,
    NAMES,
    SPACE,
    TURNED,
)

from agents import PromptOptimizer, PromptSet
from agents.encoders.seen import SeenImages
from agents.prompting import CrossValidation, FitnessWeights, FoldScore, Step


def files(result, tools, arguments):
    return [(path.name, path.read_bytes()) for path in sorted(tools.folder.iterdir())]


STEP = {
    "stage": "templates",
    "round": 0,
    "group": 0,
    "step": 0,
    "classes": (),
    "candidates": 1,
    "fitness": 1.0,
    "accuracy": 1.0,
    "entropy": 1.0,
}
record(
    "agents.prompting.Step",
    STEP,
    stage="descriptions",
    round=1,
    group=1,
    step=1,
    classes=(0,),
    candidates=2,
    fitness=2.0,
    accuracy=2.0,
    entropy=2.0,
)
SCORE = {
    "name": "templates",
    "search_accuracy": 0.9,
    "unseen_accuracy": 0.5,
    "search_likelihood": -1.0,
    "unseen_likelihood": -2.0,
}
FOUND = {
    "prompts": {"cat": ["a cat"]},
    "history": (),
    "template": "a {}",
    "templates": ("a {}",),
    "scale": 1.0,
    "start_fitness": 0.0,
    "fitness": 1.0,
    "candidates": 1,
    "seconds": 1.0,
}
record(
    "agents.PromptSet",
    FOUND,
    prompts={"cat": ["the cat"]},
    history=(Step(**STEP),),
    template="{}",
    templates=("{}",),
    scale=2.0,
    start_fitness=0.5,
    fitness=2.0,
    candidates=2,
    seconds=2.0,
    cross_validation=CrossValidation(0, "templates"),
    warnings=("few rounds",),
    seen=SeenImages(("00" * 32,)),
)
record(
    "agents.prompting.FoldScore",
    SCORE,
    name="template",
    search_accuracy=0.8,
    unseen_accuracy=0.4,
    search_likelihood=-0.5,
    unseen_likelihood=-3.0,
    seed=1,
)
record(
    "agents.prompting.CrossValidation",
    {"folds": 2, "chosen": "templates"},
    folds=3,
    chosen="template",
    scores=(FoldScore(**SCORE),),
    note="few images",
)
record("agents.prompting.FitnessWeights", {}, accuracy=1.0, top5=1.0, entropy=1.0, redundancy=1.0)
record(
    "agents.prompting.StageWeights",
    {"templates": FitnessWeights(), "descriptions": FitnessWeights()},
    templates=FitnessWeights(1.0),
    descriptions=FitnessWeights(1.0),
)


def written(result, tools, arguments):
    return [(path.name, path.read_text()) for path in sorted(tools.folder.iterdir())]


case(
    "agents.PromptSet.write_cupl",
    {"self": PromptSet(**FOUND), "path": later(lambda tools: tools.folder / "a.json")},
    written,
    path=later(lambda tools: tools.folder / "b.json"),
    data_set="pets",
)
case("agents.PromptSet.class_vectors", {"self": PromptSet(**FOUND), "encoder": SPACE}, encoder=TURNED)
case(
    "agents.PromptSet.write",
    {"self": PromptSet(**FOUND), "path": later(lambda tools: tools.folder / "a.json")},
    files,
    path=later(lambda tools: tools.folder / "b.json"),
)
SMALL = {
    "templates": ["a {}", "the {}", "one {}", "{}!", "my {}"],
    "template_steps": 2,
    "rounds": 2,
    "groups": 2,
    "steps": 2,
    "children": 4,
}
SEARCH = {"encoder": SPACE, "class_names": NAMES, **SMALL}


def searched(optimizer, tools, arguments):
    found = optimizer.fit_embedded(EMBEDDED, LABELS, LIBRARY if arguments["class_names"] == NAMES else None)
    state = arguments.get("state")
    if arguments.get("repeats") or arguments.get("folds"):
        return found.candidates
    return found.prompts, found.history, found.fitness, found.start_fitness, found.scale, bool(state and state.exists())


case(
    "agents.PromptOptimizer",
    SEARCH,
    searched,
    encoder=TURNED,
    class_names=NAMES[::-1],
    seed=1,
    template="{}",
    templates=["a {}", "my {}"],
    weights="0.5,0,1,0",
    scale=3.0,
    beam=1,
    children=2,
    template_steps=1,
    rounds=1,
    groups=1,
    steps=1,
    group_size=2,
    most=1,
    state=later(lambda tools: tools.folder / "state"),
    progress=later(lambda tools: tools.record),
)
case("agents.PromptOptimizer", {**SEARCH, "template_steps": 9}, searched, patience=0)
case("agents.PromptOptimizer", {**SEARCH, "folds": 2, "repeats": 1}, searched, folds=3, repeats=2)
case(
    "agents.PromptOptimizer",
    {**SEARCH, "kind": "weighted templates, strength 0.1"},
    searched,
    strengths=[0.2],
    kind="template",
)
case(
    "agents.PromptOptimizer",
    {**SEARCH, "kind": "descriptions"},
    lambda optimizer, tools, arguments: optimizer.fit_embedded(EMBEDDED, LABELS, LIBRARY).history,
    synonyms={"cat": ["kitten"]},
    near_duplicate=-1.0,
)
SEVEN = ("cat", "dog", "owl", "fish", "newt", "bee", "ant")  # with five classes or fewer, every image is among the first five
case(
    "agents.PromptOptimizer",
    {**SEARCH, "class_names": SEVEN},
    lambda optimizer, tools, arguments: optimizer.fit_embedded(EMBEDDED, np.arange(24) % 7).fitness,
    weights=FitnessWeights(top5=0.0),
)
optimizer = later(lambda tools: PromptOptimizer(SPACE, NAMES, **SMALL))


def but_for_seconds(found, tools, arguments):
    return found.prompts, found.history


for fit, given in (("fit", {"images": IMAGES}), ("fit_embedded", {"embeddings": EMBEDDED})):
    case(
        f"agents.PromptOptimizer.{fit}",
        {"self": optimizer, **given, "labels": LABELS},
        but_for_seconds,
        **{name: value[::-1] for name, value in given.items()},
        labels=LABELS[::-1],
        library=LIBRARY,
        must_not_break=(next(iter(given.values()))[:8], LABELS[:8]),
    )

case(
    "agents.prompting.prompts_of",
    {"descriptions": {"cat": ["fur"]}, "class_names": NAMES},
    descriptions={"cat": ["soft fur"]},
    class_names=NAMES[:2],
    template="{}",
)
case(
    "agents.prompting.classify_by_prompts",
    {"encoder": SPACE, "class_names": NAMES, "descriptions": LIBRARY, "embeddings": EMBEDDED},
    encoder=TURNED,
    class_names=NAMES[::-1],
    descriptions={"cat": ["soft fur"]},
    embeddings=-EMBEDDED,
    candidates=2,
    template="{}",
)
