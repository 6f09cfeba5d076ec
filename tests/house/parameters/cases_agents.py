"""Chat models, encoders, descriptions and prompts: a scripted server, a made-up space, tiny models."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json

import numpy as np
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation
from parameters.harness import case, later, record
from pydantic import BaseModel

from agents import DifferentialClassifier, DifferentialDescriber, PairDescriptions, PromptOptimizer, PromptSet, Replies
from agents.prompting import Contrast, Step
from saywhy_core.errors import Problem

NAMES = ("cat", "dog", "owl", "fish")


class Space:
    """Every text has a direction of its own; an image is its own embedding, of eight numbers."""

    def __init__(self, scale=100.0, batches=None):
        self.scale, self.identity, self.truncated, self.batches = scale, "space", 0, batches

    def encode_texts(self, texts):
        if self.batches is not None:
            self.batches.append(len(texts))
        rows = [np.random.default_rng(list(text.encode()) or [0]).normal(size=8) for text in texts]
        rows = np.array(rows).reshape(-1, 8)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def encode_images(self, images):
        return np.asarray(images, dtype=np.float32).reshape(len(images), -1)[:, :8]


class Turned(Space):
    """Another space."""

    def encode_texts(self, texts):
        return super().encode_texts(texts)[:, ::-1].copy()


SPACE, TURNED = Space(), Turned()
EMBEDDED = np.random.default_rng(1).normal(size=(24, 8)).astype(np.float32)
IMAGES = np.random.default_rng(2).random((24, 2, 2, 3), dtype=np.float32)
LABELS = np.arange(24) % 4


def contrasts(*captions):
    return [Contrast("look", pair) for pair in captions]


ENTRIES = {
    (i, j): contrasts((f"a {NAMES[i]} not {NAMES[j]}", f"a {NAMES[j]} not {NAMES[i]}"))
    for i, j in itertools.combinations(range(4), 2)
}
PAIRS = PairDescriptions(ENTRIES, dict(enumerate(NAMES)))
OTHERS = PairDescriptions({(0, 1): contrasts(("furry", "loud"))}, dict(enumerate(NAMES)))
LIBRARY = PAIRS.by_class(NAMES)


# --- chat models -----------------------------------------------------------------------------------------------------


class Answer(BaseModel):
    value: int


class Word(BaseModel):
    value: str


def chat(tools, default='{"value": 3}', name="m", **options):
    from agents import chat_model

    tools.asked = tools.server(default=default)
    return chat_model(f"{tools.asked.url}#{name}", **options)


def talked(prompts=("hi",)):
    """What comes of asking: the replies, the requests as they arrived, and the usage."""

    def look(model, tools, arguments):
        from agents import usage_of

        said = [
            reply if isinstance(reply, Exception) else reply.content
            for reply in model.batch(list(prompts), return_exceptions=True)
        ]
        asked = [(r.body, r.headers["authorization"]) for r in tools.asked.requests] if hasattr(tools, "asked") else []
        return [str(one) for one in said], asked, usage_of(model), tools.asked.most_at_once if len(prompts) > 1 else 0

    return look


def address(tools, name="m", script=(), **options):
    if not hasattr(tools, "asked") or tools.of != tools._folders:
        tools.asked, tools.of = tools.server(script=script, **options), tools._folders
    return f"{tools.asked.url}#{name}"


def at(name="m", script=(), **options):
    return later(lambda tools: address(tools, name, script, **options))


USES = {"max_tokens": 10}
case(
    "agents.chat_model",
    {"spec": at()},
    talked(),
    spec=at("n"),
    max_requests=0,
    temperature=None,
    max_tokens=7,
    seed=1,
    stop=["."],
    api_key="another-key",
    extra_body={"top_k": 1},
    top_p=0.5,
    offline=True,
)
case("agents.chat_model", {"spec": at(), **USES}, talked(), max_tokens_total=1)
case("agents.chat_model", {"spec": at(), "price": (1.0, 1.0), **USES}, talked(), price=(1.0, 2.0), max_cost=1e-9)


def failing(**fault):
    def make(tools):
        reply = tools.fixture("misbehaving").Reply(**fault)
        return address(tools, script=[reply], default="fine")

    return later(make)


case("agents.chat_model", {"spec": failing(status=500)}, talked(), max_retries=0)


def waiting(tools):
    """A server that answers once two requests are in flight, or none will join the one that is."""
    import threading

    second = threading.Event()

    def behave(request):
        if tools.asked.at_once > 1:
            second.set()
        second.wait(0.3)
        return "ok"

    return address(tools, behave=behave)


case("agents.chat_model", {"spec": later(waiting), "concurrency": 1}, talked(("a", "b")), concurrency=2)


def hanging(tools):
    return address(tools, default=tools.fixture("misbehaving").Reply("late", delay=0.5))


case("agents.chat_model", {"spec": later(hanging), "max_retries": 0, "timeout": 60.0}, talked(), timeout=0.1)


def twice(model, tools, arguments):
    """Asked by one model and then by another of the same name, with another cache name where one is given."""
    from agents import chat_model

    model.invoke("hi")
    again = chat_model(address(tools), **{name: value for name, value in arguments.items() if name == "cache"})
    again.invoke("hi")
    return len(tools.asked.requests)


fresh_cache = later(lambda tools: tools.folder / "c.sqlite")
case("agents.chat_model", {"spec": at()}, twice, cache=fresh_cache)
case("agents.chat_model", {"spec": at(), "cache": fresh_cache}, twice, cache_as="elsewhere")

case(
    "agents.ask",
    {"model": later(chat), "messages": "how many?", "schema": Answer},
    lambda result, tools, arguments: (result, [r.prompt for r in tools.asked.requests]),
    model=later(lambda tools: chat(tools, '{"value": 4}')),
    messages="how few?",
    schema=Word,
)


def mended(tools):
    """A model that answers in JSON only when it is asked again."""
    from agents import chat_model

    tools.asked = tools.server(script=["no"], default='{"value": 3}')
    return chat_model(f"{tools.asked.url}#m")


case("agents.ask", {"model": later(mended), "messages": "?", "schema": Answer}, reasks=0)
case(
    "agents.ask_many",
    {"model": later(chat), "messages": ["how many?"], "schema": Answer},
    lambda result, tools, arguments: (result, [r.prompt for r in tools.asked.requests]),
    model=later(lambda tools: chat(tools, '{"value": 4}')),
    messages=["how few?"],
    schema=Word,
    on_result=later(lambda tools: tools.record),
)
case("agents.ask_many", {"model": later(lambda tools: chat(tools, "no")), "messages": ["?"], "schema": Answer}, reasks=0)


def used(tools):
    model = chat(tools)
    model.invoke("hi")
    return model


case("agents.usage_of", {"model": later(used)}, model=later(chat))
record("agents.Usage", {}, requests=1, retries=1, cache_hits=1, prompt_tokens=1, completion_tokens=1, estimated=1, cost=1.0)
record("agents.ChatError", {"message": "m"}, message="n", status=500)
record("agents.StructuredError", {"message": "m"}, message="n", attempts=2, last_reply="r")
record(
    "agents.StructuredFailure",
    {"error": ValueError("m"), "attempts": 1, "last_reply": "r"},
    error=ValueError("n"),
    attempts=2,
    last_reply="s",
)

REPLY = [Generation(text="t")]


def replies(tools):
    kept = Replies(tools.folder / "c.sqlite")
    kept.update("p", "m", REPLY)
    return kept


def held(kept, tools, arguments):
    kept.update("p", "m", REPLY)
    return len(kept), sorted(path.name for path in tools.folder.iterdir())


case(
    "agents.Replies",
    {"path": later(lambda tools: tools.folder / "c.sqlite")},
    held,
    path=later(lambda tools: tools.folder / "d.sqlite"),
    read_only=True,
)
ASKED = {"self": later(replies), "prompt": "p", "llm_string": "m"}
OTHER_REPLY = [ChatGeneration(message=AIMessage("u"))]


def kept_now(result, tools, arguments):
    kept = arguments["self"]
    return [kept.lookup(prompt, name) for prompt in ("p", "q", "r") for name in ("m", "n")]


case("agents.Replies.lookup", ASKED, prompt="q", llm_string="n")
case(
    "agents.Replies.update",
    {**ASKED, "prompt": "q", "return_val": REPLY},
    kept_now,
    prompt="r",
    llm_string="n",
    return_val=OTHER_REPLY,
)
case("agents.Replies.alookup", ASKED, lambda result, *_: asyncio.run(result), prompt="q", llm_string="n")
case(
    "agents.Replies.aupdate",
    {**ASKED, "prompt": "q", "return_val": REPLY},
    lambda result, *rest: (asyncio.run(result), kept_now(result, *rest)),
    prompt="r",
    llm_string="n",
    return_val=OTHER_REPLY,
)


# --- the in-process model --------------------------------------------------------------------------------------------

TALK = ["the film is good", "good film", "film"]


def local(tools, **options):
    from agents import chat_model

    return chat_model(f"transformers:{tools.fixture('tiny_model_folder')}", **{"max_tokens": 4, **options})


def local_talk(model, tools, arguments):
    tools.calls, engine = [], model.engine()
    generate = engine.model.generate
    engine.model.generate = lambda *given, **named: (
        tools.calls.append(len(given[0] if given else named["input_ids"])),
        generate(*given, **named),
    )[1]
    try:
        said = model.batch(TALK, return_exceptions=True)
    finally:
        engine.model.generate = generate
    return [str(getattr(one, "content", one)) for one in said], tools.calls, model._identity()["model"]


folder = later(lambda tools: str(tools.fixture("tiny_model_folder")))
LOCAL = {"name_or_path": folder, "max_tokens": 4}
case(
    "agents.chat.LocalChat",
    LOCAL,
    local_talk,
    name_or_path="/nowhere",
    temperature=5.0,
    max_tokens=3,
    batch_size=1,
    device="no-such-device",
    dtype="no-such-type",
    chat_template_kwargs={"chat_template": "{{ messages[0]['content'] }}"},
    stop=later(lambda tools: [letter for letter in local(tools).invoke(TALK[0]).content if letter.strip()][:1]),
    continuous=True,
    cache_as="other",
)
case("agents.chat.LocalChat", {**LOCAL, "temperature": 5.0}, local_talk, top_p=0.01, seed=5)


class Recorder(BaseCallbackHandler):
    """Tells that langchain's callbacks were called."""

    def __init__(self, tools):
        self.tools = tools

    def on_chat_model_start(self, serialized, messages, **_):
        self.tools.record(len(messages))


def contents(result, tools, arguments):
    said = asyncio.run(result) if inspect.iscoroutine(result) else list(result)
    return sorted(str(getattr(one[1] if isinstance(one, tuple) else one, "content", one)) for one in said)


for batch in ("batch", "abatch", "batch_as_completed"):
    case(
        f"agents.chat.LocalChat.{batch}",
        {"self": later(local), "inputs": TALK[:1]},
        contents,
        inputs=TALK[:2],
        config=later(lambda tools: {"callbacks": [Recorder(tools)]}),
        max_tokens=2,
    )


def loaded(tools, seed=0):
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tools.fixture("tiny_model_folder"))
    if seed:
        torch.manual_seed(seed)
        model.apply(lambda part: torch.nn.init.normal_(part.weight) if isinstance(part, torch.nn.Linear) else None)
    return model


def tokens(tools, **options):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tools.fixture("tiny_model_folder"), **options)


case(
    "agents.chat.local_chat",
    {"model": later(loaded), "tokenizer": later(tokens), "max_tokens": 4},
    lambda model, tools, arguments: (model.invoke(TALK[0]).content, model._identity()),
    model=later(lambda tools: loaded(tools, 3)),
    tokenizer=later(lambda tools: tokens(tools, chat_template="{{ messages[0]['content'] }}")),
    name="mine",
    seed=1,
)


# --- encoders --------------------------------------------------------------------------------------------------------


def probabilities(images):
    raw = np.exp(np.asarray(images).reshape(len(images), -1)[:, :4] * 5)
    return raw / raw.sum(axis=1, keepdims=True)


def encoded(encoder, tools, arguments):
    return encoder.encode_images(IMAGES), encoder.encode_texts(["a cat"]), encoder.identity


def conse(tools):
    from agents import ConvexSemanticEncoder

    return ConvexSemanticEncoder(probabilities, NAMES, SPACE)


case(
    "agents.ConvexSemanticEncoder",
    {"probabilities": later(lambda tools: tools.counting(probabilities)), "class_names": NAMES, "text_encoder": SPACE},
    encoded,
    probabilities=lambda images: probabilities(1 - images),
    class_names=NAMES[::-1],
    text_encoder=TURNED,
    top=1,
    template="{}",
    channels=1,
    batch=5,
    identity="mine",
)


def clip(tools, **options):
    from agents.encoders import ClipEncoder

    return ClipEncoder(clip_folder(tools), **options)


def clip_folder(tools, seed=0):
    folder = tools.fixture("tmp_path_factory").getbasetemp() / f"parameters-clip-{seed}"
    return folder if folder.exists() else tools.fixture("make_tiny_clip")(folder, seed=seed)


def cached_encoder(tools):
    from agents.encoders import CachedEncoder

    return CachedEncoder(SPACE, tools.folder)


def forwards(encoder, tools, arguments):
    """What an encoder gives, and the sizes of its forward passes."""
    tools.sizes, inner = [], getattr(encoder, "inner", encoder).model.text_model
    hook = inner.register_forward_pre_hook(
        lambda module, given, named: tools.sizes.append(len(named["input_ids"])), with_kwargs=True
    )
    rows = encoder.encode_texts(["a cat", "a dog", "a red bird"])
    hook.remove()
    return rows, tools.sizes, encoder.encode_images(IMAGES[:1]), sorted(path.name for path in tools.folder.iterdir())


case(
    "agents.encoders.ClipEncoder",
    {"name": later(clip_folder)},
    forwards,
    name=later(lambda tools: clip_folder(tools, 1)),
    device="no-such-device",
    batch=2,
    dtype="bfloat16",
)
case(
    "agents.load_encoder",
    {"spec": later(lambda tools: f"clip:{clip_folder(tools)}")},
    forwards,
    spec=later(lambda tools: f"clip:{clip_folder(tools, 1)}"),
    cache=later(lambda tools: tools.folder),
    device="no-such-device",
    batch=2,
)
for made, name in (
    (conse, "agents.ConvexSemanticEncoder"),
    (clip, "agents.encoders.ClipEncoder"),
    (cached_encoder, "agents.encoders.CachedEncoder"),
):
    case(f"{name}.encode_texts", {"self": later(made), "texts": ["a cat"]}, texts=["a dog"])
    case(f"{name}.encode_images", {"self": later(made), "images": IMAGES[:2]}, images=IMAGES[1:3])
case("agents.encoders.ClipEncoder.encode_texts_counting", {"self": later(clip), "texts": ["a cat"]}, texts=["a dog"])
case(
    "agents.encoders.CachedEncoder",
    {"encoder": later(lambda tools: Space(batches=tools.recorded)), "folder": later(lambda tools: tools.folder / "a")},
    lambda encoder, tools, arguments: (
        encoder.encode_texts(["a", "b", "c"]),
        sorted(path.name for path in tools.folder.iterdir()),
    ),
    encoder=TURNED,
    folder=later(lambda tools: tools.folder / "b"),
    batch=2,
)
case("agents.encoders.scale_of", {"encoder": SPACE}, encoder=Space(scale=1.0))
case("agents.encoders.truncated_of", {"encoder": SPACE}, encoder=type("Cut", (), {"truncated": 2})())
case("agents.encoders.top_indices", {"scores": EMBEDDED, "k": 2}, scores=-EMBEDDED, k=3)
case("agents.encoders.unit_rows", {"rows": EMBEDDED}, rows=-EMBEDDED)


# --- descriptions and prompts ----------------------------------------------------------------------------------------

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
)
two_looks = later(lambda tools: DifferentialClassifier(SPACE, NAMES, PAIRS))
case("agents.DifferentialClassifier.predict", {"self": two_looks, "images": IMAGES}, images=IMAGES[::-1])
case("agents.DifferentialClassifier.predict_embedded", {"self": two_looks, "embeddings": EMBEDDED}, embeddings=-EMBEDDED)
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


DESCRIBER = {"model": later(lambda tools: chat(tools, caption_pair("a cat"))), "class_names": NAMES}
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
case(
    "agents.DifferentialDescriber",
    {**DESCRIBER, "model": later(lambda tools: chat(tools, "no"))},
    without_time(described),
    reasks=0,
)


def told(describer, tools, arguments):
    from agents import chat_model

    describer.describe([(0, 1)])
    model = chat_model(f"{tools.asked.url}#again")
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
    """Asked about two pairs: at once where the batch holds both."""
    import threading

    second = threading.Event()

    def behave(request):
        if tools.asked.at_once > 1:
            second.set()
        second.wait(0.3)
        return caption_pair("a cat")

    from agents import chat_model

    tools.asked = tools.server(behave=behave)
    return chat_model(f"{tools.asked.url}#m")


case(
    "agents.DifferentialDescriber",
    {**DESCRIBER, "model": later(both), "batch": 2},
    lambda d, t, a: (d.describe([(0, 1), (0, 2)]).asked, t.asked.most_at_once),
    batch=1,
)
describer = later(lambda tools: DifferentialDescriber(chat(tools, caption_pair("a cat")), NAMES))
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
case("agents.PairDescriptions.by_class", {"self": PAIRS, "class_names": NAMES}, class_names=NAMES[:2])
case("agents.PairDescriptions.check_names", {"self": PAIRS, "class_names": NAMES}, class_names=NAMES[::-1])


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
    entropy_weight=0.0,
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
    top5_weight=0.0,
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
