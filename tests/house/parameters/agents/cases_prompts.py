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
from agents.prompting import FitnessWeights, Step


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
