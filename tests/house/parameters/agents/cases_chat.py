"""Chat models behind a scripted server, replies and ceilings."""

from __future__ import annotations

import asyncio

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation
from parameters.harness import case, later, record
from parameters.space import (
    chat,
)
from pydantic import BaseModel

from agents import Replies


class Answer(BaseModel):
    value: int


class Word(BaseModel):
    value: str


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


case("agents.chat_model", {"spec": later(waiting), "concurrency": 1}, talked(("a", "b", "c")), concurrency=2)


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


def asked_again(model, tools, arguments):
    """How often a server that gives no JSON is asked: by one model, and by the one of the case with the same cache."""
    from agents import ask_many, chat_model

    del model
    options = {name: value for name, value in arguments.items() if name in {"cache", "retry_invalid"}}
    ask_many(chat_model(address(tools), cache=arguments["cache"]), ["hi"], Answer, reasks=0)
    ask_many(chat_model(address(tools), **options), ["hi"], Answer, reasks=0)
    return len(tools.asked.requests)


case("agents.chat_model", {"spec": at(), "cache": fresh_cache}, asked_again, retry_invalid=True)

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
    "agents.ask",
    {"model": later(chat), "messages": "how many?", "schema": Answer},
    lambda result, tools, arguments: str(result),
    accept=lambda found: f"{found.value} is too few",
)
case(
    "agents.ask_many",
    {"model": later(chat), "messages": ["how many?"], "schema": Answer},
    lambda result, tools, arguments: (result, [r.prompt for r in tools.asked.requests]),
    model=later(lambda tools: chat(tools, '{"value": 4}')),
    messages=["how few?"],
    schema=Word,
    on_result=later(lambda tools: tools.record),
)
case(
    "agents.ask_many",
    {"model": later(chat), "messages": ["how many?"], "schema": Answer},
    lambda result, tools, arguments: str(result),
    accept=lambda index, found: f"{found.value} is too few for {index}",
)
case("agents.ask_many", {"model": later(lambda tools: chat(tools, "no")), "messages": ["?"], "schema": Answer}, reasks=0)


class Chosen(BaseModel):
    chosen: list[int]


case(
    "agents.ask_many",
    {"model": later(lambda tools: chat(tools, '{"chosen": [1]}')), "messages": ["which?"], "schema": Chosen},
    lambda result, tools, arguments: [r.body["response_format"] for r in tools.asked.requests],
    numbers=[{"chosen": (0, 4)}],
)


def used(tools):
    model = chat(tools)
    model.invoke("hi")
    return model


case("agents.usage_of", {"model": later(used)}, model=later(chat))
record(
    "agents.Usage",
    {},
    requests=1,
    retries=1,
    cache_hits=1,
    prompt_tokens=1,
    completion_tokens=1,
    estimated=1,
    cost=1.0,
    turned_away=1,
    waited=1.0,
    notes=("n",),
)
record("agents.ChatError", {"message": "m"}, message="n", status=500, kind="key", permanent=True)
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
case("agents.Replies.turn", ASKED, lambda found, tools, arguments: found.path.name, prompt="q", llm_string="n")
case(
    "agents.Replies.update",
    {**ASKED, "prompt": "q", "return_val": REPLY},
    kept_now,
    prompt="r",
    llm_string="n",
    return_val=OTHER_REPLY,
)
case("agents.Replies.update", {**ASKED, "return_val": OTHER_REPLY}, kept_now, instead=True)
case("agents.Replies.alookup", ASKED, lambda result, *_: asyncio.run(result), prompt="q", llm_string="n")
case(
    "agents.Replies.aupdate",
    {**ASKED, "prompt": "q", "return_val": REPLY},
    lambda result, *rest: (asyncio.run(result), kept_now(result, *rest)),
    prompt="r",
    llm_string="n",
    return_val=OTHER_REPLY,
)


FORESEEN = {"requests": 1, "cached": 0, "prompt_tokens": 2, "completion_tokens": 3, "cost": 0.5, "about": False, "most_each": 1}
record(
    "agents.chat.Foreseen",
    FORESEEN,
    requests=2,
    cached=1,
    prompt_tokens=3,
    completion_tokens=4,
    cost=None,
    about=True,
    most_each=3,
)
case("agents.chat.Foreseen.times", {"self": later(lambda tools: foreseen()), "factor": 2.0}, factor=3.0)


def foreseen():
    from agents.chat import Foreseen

    return Foreseen(10)


def kept(tools):
    """A model whose cache holds a reply."""
    from agents import ask, chat_model

    model = chat_model(address(tools, default='{"value": 3}'), cache=tools.folder / "kept.sqlite")
    ask(model, "hi", Answer)
    return model


def further(found):
    from langchain_core.messages import HumanMessage

    return [HumanMessage(f"why {found.value}?")]


TO_FORESEE = {"model": later(kept), "messages": ["hi", "ho"], "schema": Answer}
case(
    "agents.chat.foresee",
    TO_FORESEE,
    model=later(lambda tools: chat(tools)),
    messages=["hi"],
    schema=None,
    reasks=0,
    fresh=True,
)
case("agents.chat.foresee", {**TO_FORESEE, "messages": ["ho"]}, reply_tokens=7)
case("agents.chat.foresee", TO_FORESEE, then=lambda _, found: further(found))
