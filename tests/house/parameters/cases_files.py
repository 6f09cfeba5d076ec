"""Image files as vectors, pairs that are worth describing, pair files, and the evaluation of files of prompts."""

from __future__ import annotations

import json

import numpy as np
from parameters.harness import case, later, record
from parameters.space import EMBEDDED, LABELS, LIBRARY, NAMES, OTHERS, PAIRS, SPACE, TURNED, Space, chat
from PIL import Image

from agents.prompting.pairs import write_pairs
from evals.prompts import Comparison, PromptReport, Share
from saywhy_core.errors import Problem
from saywhy_core.images import ImageSet


class Colours(Space):
    """An image file's vector is its mean colour."""

    def encode_images(self, images):
        return np.array([np.asarray(Image.open(path), dtype=np.float32).mean(axis=(0, 1)) for path in images]) * self.scale


def images(*colours):
    def make(tools):
        for number, colour in enumerate(colours):
            Image.new("RGB", (2, 2), colour).save(tools.folder / f"{number}.png")
        return tools.folder

    return later(make)


record(
    "agents.encoders.EncodedImages",
    {"images": ImageSet((), None), "rows": EMBEDDED, "problems": ()},
    images=ImageSet((), ("a",)),
    rows=EMBEDDED[:2],
    problems=(Problem("a", "b"),),
)
case(
    "agents.encoders.encode_image_files",
    {"encoder": Colours(1.0), "source": images("red", "blue")},
    lambda result, tools, arguments: result.rows,
    encoder=Colours(2.0),
    source=images("red"),
    on_progress=later(lambda tools: tools.record),
)
case(
    "agents.prompting.needed_pairs",
    {"encoder": SPACE, "class_names": NAMES, "embeddings": EMBEDDED, "k": 2},
    encoder=TURNED,
    class_names=NAMES[::-1],
    embeddings=EMBEDDED[:3],
    k=3,
    template="the {}",
)
case("agents.prompting.every_pair", {"classes": 3}, classes=4)
case(
    "agents.prompting.prompts_of",
    {"descriptions": {"cat": ["furry"]}, "class_names": NAMES},
    descriptions=LIBRARY,
    class_names=NAMES[:2],
    template="the {}",
)
case(
    "agents.prompting.classify_by_prompts",
    {"encoder": SPACE, "class_names": NAMES, "descriptions": LIBRARY, "embeddings": EMBEDDED},
    encoder=TURNED,
    class_names=NAMES[::-1],
    descriptions={"cat": ["furry"]},
    embeddings=EMBEDDED[:3],
    candidates=2,
    template="the {}",
)
DESCRIBED = {"pairs": PAIRS, "invalid": (), "unasked": (), "reason": "", "asked": 0}
record(
    "agents.prompting.Described",
    DESCRIBED,
    pairs=OTHERS,
    invalid=(((0, 1), "why"),),
    unasked=((0, 1),),
    reason="a ceiling",
    asked=1,
)


def described(*invalid):
    from agents.prompting import Described

    return Described(PAIRS, invalid, (), "", 0)


case(
    "agents.prompting.problems_of",
    {"described": described(((0, 1), "why")), "class_names": NAMES},
    described=described(),
    class_names=NAMES[::-1],
)


def reply(word):
    return json.dumps({"attributes": [{"attribute": "x", "first_caption": f"{word} one", "second_caption": f"{word} two"}]})


def settled(result, tools, arguments):
    """What was described, without the time at which it was."""
    return (
        [(pair, [one.captions for one in contrasts]) for pair, contrasts in result.pairs.items()],
        result.invalid,
        result.asked,
        sorted(path.name for path in tools.folder.iterdir()),
    )


def refused_before(tools):
    """A model, and a journal in which the pair is invalid."""
    from agents.prompting import describe_to_file

    describe_to_file(chat(tools, "no"), NAMES, [(0, 1)], tools.folder / "pairs.json")
    return chat(tools, reply("a"))


OUT = later(lambda tools: tools.folder / "pairs.json")
case(
    "agents.prompting.describe_to_file",
    {"model": later(lambda tools: chat(tools, reply("a"))), "class_names": NAMES, "pairs": [(0, 1)], "out": OUT},
    settled,
    model=later(lambda tools: chat(tools, reply("b"))),
    class_names=NAMES[::-1],
    pairs=[(0, 2)],
    out=later(lambda tools: tools.folder / "others.json"),
    template="the {}",
    on_progress=later(lambda tools: tools.record),
)
case(
    "agents.prompting.describe_to_file",
    {"model": later(refused_before), "class_names": NAMES, "pairs": [(0, 1)], "out": OUT},
    settled,
    retry_invalid=True,
)


def pair_file(pairs):
    def make(tools):
        write_pairs(pairs, tools.folder / "file.json")
        return tools.folder / "file.json"

    return later(make)


def prompt_file(tools):
    path = tools.folder / "file.json"
    path.write_text(json.dumps(LIBRARY))
    return path


case("evals.prompts.is_pair_file", {"file": pair_file(PAIRS)}, file=later(prompt_file))
case(
    "evals.prompts.evaluate_file",
    {
        "encoder": SPACE,
        "class_names": NAMES,
        "file": pair_file(PAIRS),
        "embeddings": EMBEDDED,
        "labels": LABELS,
        "draws": 2,
    },
    encoder=TURNED,
    class_names=NAMES[::-1],
    file=pair_file(OTHERS),
    embeddings=EMBEDDED[::-1],
    labels=LABELS[::-1],
    k=2,
    mix=0.0,
    template="the {}",
    draws=0,
    seed=5,
)


def files(*contents):
    def make(tools):
        paths = [tools.folder / f"{number}.png" for number in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        return paths

    return later(make)


case(
    "evals.prompts.held_out",
    {"paths": files(b"a", b"b"), "shots": []},
    paths=files(b"a"),
    shots=later(lambda tools: [tools.folder / "1.png"]),
)
HALF = Share(0.5, 0.0, 1.0)
COMPARED = Comparison(4, HALF, HALF, (), (), HALF, 0.5, ())
case("evals.prompts.report_text", {"report": PromptReport(COMPARED, ())}, report=PromptReport(COMPARED, (), missing=((0, 1),)))
