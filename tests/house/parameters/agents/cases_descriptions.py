"""Descriptions of pairs of classes, and decisions by them."""

from __future__ import annotations

import json

import numpy as np
from parameters.harness import case, later, record
from parameters.space import (
    EMBEDDED,
    ENTRIES,
    IMAGES,
    LABELS,
    NAMES,
    OTHERS,
    PAIRS,
    SPACE,
    TURNED,
    chat,
)

from agents import DifferentialClassifier, DifferentialDescriber
from agents.chat import Foreseen
from agents.prompting import Contrast, Described, PairDescriptions, Provenance, Refused, Repeated
from saywhy_core.errors import Problem

SAID_TWICE = PairDescriptions(
    {
        (0, 1): [Contrast("ears", ("long ears", "short")), Contrast("fur", ("ears, long", "red"))],
        (2, 3): [Contrast("x", ("y", "z"))],
    },
    dict(enumerate(NAMES)),
)
ROUND_EYES = PairDescriptions({pair: [Contrast("eyes", ("round eyes", "eyes, round"))] for pair in ((0, 1), (2, 3))})
CLASSIFIER = {"encoder": SPACE, "class_names": NAMES, "pairs": PAIRS}
case(
    "agents.DifferentialClassifier",
    CLASSIFIER,
    lambda classifier, tools, arguments: (classifier.predict(IMAGES), classifier.class_names),
    encoder=TURNED,
    class_names=NAMES[::-1],
    pairs=OTHERS,
    k=2,
    template="{}",
    mix=0.5,
    first="name",
    aggregate="votes",
)
two_looks = later(lambda tools: DifferentialClassifier(SPACE, NAMES, PAIRS))
case("agents.DifferentialClassifier.predict", {"self": two_looks, "images": IMAGES}, images=IMAGES[::-1])
case("agents.DifferentialClassifier.predict_embedded", {"self": two_looks, "embeddings": EMBEDDED}, embeddings=-EMBEDDED)
case(
    "agents.DifferentialClassifier.decide_by_k",
    {"self": two_looks, "embeddings": EMBEDDED, "ks": [2]},
    embeddings=-EMBEDDED,
    ks=[1, 2],
)
case("agents.find_ambiguous", {"similarities": EMBEDDED[:2], "k": 2}, similarities=-EMBEDDED[:2], k=3)
case("agents.prompting.count_ambiguous", {"similarities": EMBEDDED, "k": 2}, similarities=-EMBEDDED, k=3)
PREDICTED = {"first": LABELS, "final": LABELS, "candidates": LABELS[:, None], "scores": LABELS[:, None], "missing": ()}
record(
    "agents.Predictions",
    PREDICTED,
    first=LABELS[::-1],
    final=LABELS[::-1],
    candidates=LABELS[::-1, None],
    scores=LABELS[::-1, None],
    missing=((0, 1),),
)


def caption_pair(text, again="b"):
    return json.dumps({"attributes": [{"attribute": "ears", "first_caption": text, "second_caption": again}]})


def described(describer, tools, arguments):
    first = describer.describe([(0, 1), (0, 2)])
    journal = tools.folder / "journal"
    return first, [r.messages for r in tools.asked.requests], journal.exists()


def without_time(look):
    def seen(*given):
        result, *rest = look(*given)
        held = {
            pair: [(c.attribute, c.captions, c.provenance and c.provenance.model) for c in found]
            for pair, found in result.pairs.items()
        }
        return held, result.invalid, result.unasked, result.reason, result.asked, rest

    return seen


DESCRIBER = {"model": later(lambda tools: chat(tools, caption_pair("a tall cat"))), "class_names": NAMES}
case(
    "agents.DifferentialDescriber",
    DESCRIBER,
    without_time(described),
    model=later(lambda tools: chat(tools, caption_pair("a red cat"))),
    class_names=NAMES[::-1],
    journal=later(lambda tools: tools.folder / "journal"),
    known=OTHERS,
    model_name="mine",
    template="{}",
)


class Alike:
    """A direction for each text, and the same one for both spellings of grey."""

    def encode_texts(self, texts):
        drawn = [np.random.default_rng(list(text.replace("gray", "grey").encode())).normal(size=64) for text in texts]
        return np.array(drawn, dtype=np.float32)


GREY = later(lambda tools: chat(tools, caption_pair("a cat with grey fur", "a dog with gray fur")))
case("agents.DifferentialDescriber", {**DESCRIBER, "model": GREY}, without_time(described), encoder=Alike())
case(
    "agents.DifferentialDescriber",
    {**DESCRIBER, "model": later(lambda tools: chat(tools, "no"))},
    without_time(described),
    reasks=0,
)


def told(describer, tools, arguments):
    from agents import chat_model

    describer.describe([(0, 1)])
    model = chat_model(f"{tools.asked.url}#m")
    again = DifferentialDescriber(
        model, NAMES, journal=arguments["journal"], retry_invalid=arguments.get("retry_invalid", False)
    )
    again.describe([(0, 1)])
    return len(tools.asked.requests)


case(
    "agents.DifferentialDescriber",
    {**DESCRIBER, "model": later(lambda tools: chat(tools, "no")), "journal": later(lambda tools: tools.folder / "journal")},
    told,
    retry_invalid=True,
)


def both(tools):
    """Asked about three pairs: two at once where the batch holds all."""
    import threading

    second = threading.Event()

    def behave(request):
        if tools.asked.at_once > 1:
            second.set()
        second.wait(0.3)
        return caption_pair("a tall cat")

    from agents import chat_model

    tools.asked = tools.server(behave=behave)
    return chat_model(f"{tools.asked.url}#m")


case(
    "agents.DifferentialDescriber",
    {**DESCRIBER, "model": later(both), "batch": 3},
    lambda d, t, a: (d.describe([(0, 1), (0, 2), (1, 2)]).asked, t.asked.most_at_once),
    batch=1,
)
describer = later(lambda tools: DifferentialDescriber(chat(tools, caption_pair("a tall cat")), NAMES))
case("agents.DifferentialDescriber.messages", {"self": describer, "pair": (0, 1)}, pair=(0, 2))
case(
    "agents.DifferentialDescriber.describe",
    {"self": describer, "pairs": [(0, 1)]},
    lambda result, tools, arguments: list(result.pairs),
    pairs=[(0, 2)],
    progress=later(lambda tools: tools.record),
)
case(
    "agents.PairDescriptions",
    {"entries": {}},
    lambda pairs, tools, arguments: (dict(pairs), pairs.names, pairs.problems),
    entries=ENTRIES,
    names={0: "cat"},
    problems=[Problem("a", "b")],
)
case(
    "agents.PairDescriptions.by_class",
    {"self": SAID_TWICE, "class_names": NAMES},
    class_names=NAMES[:2],
    distinct=True,
)


def numbers(pairs, tools, arguments):
    return list(pairs.items()), [problem.where for problem in pairs.problems]


case(
    "agents.PairDescriptions.arranged",
    {"self": PAIRS, "class_names": NAMES[:3]},
    numbers,
    class_names=NAMES[1:],
    where="pairs.json",
)
case("agents.prompting.Contrast.turned", {"self": PAIRS[0, 1][0]})


def pairs_file(tools, pairs=PAIRS, name="pairs.json"):
    from agents import write_pairs

    write_pairs(pairs, tools.folder / name)
    return tools.folder / name


case(
    "agents.read_pairs",
    {"path": later(pairs_file)},
    path=later(lambda tools: pairs_file(tools, OTHERS)),
    class_names=NAMES[::-1],
)
case(
    "agents.read_descriptions",
    {"path": later(pairs_file), "class_names": NAMES},
    path=later(lambda tools: pairs_file(tools, OTHERS)),
    class_names=NAMES[::-1],
)


def files(result, tools, arguments):
    return [(path.name, path.read_bytes()) for path in sorted(tools.folder.iterdir())]


case(
    "agents.write_pairs",
    {"pairs": PAIRS, "path": later(lambda tools: tools.folder / "a.json")},
    files,
    pairs=OTHERS,
    path=later(lambda tools: tools.folder / "b.json"),
)
case("agents.class_vectors", {"encoder": SPACE, "prompts": [["a"], ["b"]]}, encoder=TURNED, prompts=[["a"], ["c"]])
case(
    "agents.prompting.caption",
    {"description": "soft fur", "name": "cat", "template": "a {}."},
    description="hard fur",
    name="dog",
    template="the {}.",
)

record(
    "agents.prompting.Provenance", {"model": "m", "prompt_version": "1", "time": "t"}, model="n", prompt_version="2", time="u"
)
record(
    "agents.prompting.Contrast",
    {"attribute": "ears", "captions": ("a", "b")},
    attribute="fur",
    captions=("a", "c"),
    provenance=Provenance("m", "1", "t"),
)

DESCRIBED = {"pairs": PAIRS, "invalid": (((0, 1), "why"),), "unasked": (), "reason": "", "asked": 1, "stopped": False}
record(
    "agents.prompting.Described",
    DESCRIBED,
    pairs=OTHERS,
    invalid=(),
    unasked=((0, 1),),
    reason="r",
    asked=2,
    stopped=True,
    refused=(((0, 1), Refused("ears", ("a", "b"), "c")),),
    permanent=True,
    known_refused=(((0, 1), Refused("ears", ("a", "b"), "c")),),
    repeated=(Repeated("ears", (0, 1), 2),),
)
record(
    "agents.prompting.Planned",
    {"wanted": 3, "described": 1, "invalid": 1, "foreseen": Foreseen(1)},
    wanted=4,
    described=2,
    invalid=0,
    foreseen=Foreseen(2),
)
case(
    "agents.DifferentialDescriber.plan",
    {"self": describer, "pairs": [(0, 1)]},
    lambda planned, tools, arguments: (planned, len(tools.asked.requests)),
    pairs=[(0, 1), (0, 2)],
)
case(
    "agents.prompting.write_refusals",
    {"described": Described(**DESCRIBED), "class_names": NAMES, "path": later(lambda tools: tools.folder / "a.json")},
    lambda result, tools, arguments: files(result, tools, arguments),
    described=Described(**{**DESCRIBED, "invalid": ()}),
    class_names=NAMES[::-1],
    path=later(lambda tools: tools.folder / "b.json"),
)
case(
    "agents.prompting.problems_of",
    {"described": Described(**DESCRIBED), "class_names": NAMES},
    described=Described(**{**DESCRIBED, "invalid": ()}),
    class_names=NAMES[::-1],
)
case("agents.prompting.every_pair", {"classes": 3}, classes=4)
case(
    "agents.prompting.needed_pairs",
    {"encoder": SPACE, "class_names": NAMES, "embeddings": EMBEDDED[:1], "k": 3},
    encoder=TURNED,
    class_names=NAMES[::-1],
    embeddings=-EMBEDDED[:1],
    k=2,
    template="{}",
)


def pair_file(result, tools, arguments):
    return [path.name for path in sorted(tools.folder.iterdir())], list(result.pairs), captions_of(result.pairs)


def captions_of(pairs):
    return [contrast.captions for contrasts in pairs.values() for contrast in contrasts]


TO_FILE = {**DESCRIBER, "pairs": [(0, 1)], "out": later(lambda tools: tools.folder / "a.json")}
case(
    "agents.prompting.describe_to_file",
    TO_FILE,
    pair_file,
    model=later(lambda tools: chat(tools, caption_pair("a red cat"))),
    class_names=["cat"],
    pairs=[(0, 2)],
    out=later(lambda tools: tools.folder / "b.json"),
    template="{}",
    on_progress=later(lambda tools: tools.record),
)
case("agents.prompting.describe_to_file", {**TO_FILE, "model": GREY}, pair_file, encoder=Alike())


def tried(tools):
    """A pair file whose journal lists a pair as invalid."""
    from agents.prompting import describe_to_file

    describe_to_file(chat(tools, "no"), NAMES, [(0, 1)], tools.folder / "a.json")
    return tools.folder / "a.json"


case(
    "agents.prompting.describe_to_file",
    {**TO_FILE, "out": later(tried)},
    lambda described, tools, arguments: (described.asked, described.invalid),
    retry_invalid=True,
)


def planned(tools):
    """A model whose cache holds the reply about one pair."""
    from agents import ask_many, chat_model
    from agents.prompting.descriptions.describe import PairReply

    model = chat_model(f"{chat(tools, caption_pair('a cat')) and tools.asked.url}#m", cache=tools.folder / "replies")
    ask_many(model, [DifferentialDescriber(model, NAMES).messages((0, 1))], PairReply)
    return model


case(
    "agents.prompting.plan_file",
    {
        "model": later(lambda tools: chat(tools)),
        "class_names": NAMES,
        "pairs": [(0, 1)],
        "out": later(lambda tools: tools.folder / "b.json"),
    },
    lambda planned, tools, arguments: planned,
    model=later(planned),
    class_names=["a" * 900, "b" * 900],
    pairs=[(0, 1), (0, 2)],
    out=later(tried),
)
case(
    "agents.prompting.plan_file",
    {"model": later(lambda tools: chat(tools)), "class_names": NAMES, "pairs": [(0, 1)], "out": later(tried)},
    lambda planned, tools, arguments: planned,
    retry_invalid=True,
)
RANK = ("cat", "dog")
case(
    "agents.prompting.refusal",
    {"attribute": "ears", "captions": ("a cat with long ears", "a dog with short ears"), "names": RANK},
    attribute="sound",
    captions=("a cat", "a dog"),
    names=("dog", "cat"),
)
record(
    "agents.prompting.Refused",
    {"attribute": "ears", "captions": ("a", "b"), "why": "c"},
    attribute="tail",
    captions=("b", "a"),
    why="d",
    kind="same",
)
case(
    "agents.prompting.repeated_captions",
    {"pairs": ROUND_EYES, "class_names": ["owl", "pug", "cod", "bat"]},
    pairs=PAIRS,
    class_names=["round eyes", "pug", "cod", "bat"],
)
record("agents.prompting.Repeated", {"caption": "a", "classes": (0, 1), "described": 2}, caption="b", classes=(1,), described=3)
case("agents.prompting.usable", {"pairs": PAIRS, "class_names": NAMES}, pairs=OTHERS, class_names=NAMES[::-1])
