"""The in-process chat model: a tiny one."""

from __future__ import annotations

import asyncio
import inspect

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import HumanMessage
from parameters.harness import case, later

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
case(
    "agents.chat.LocalChat.prompt_tokens",
    {"self": later(local), "talk": [HumanMessage("hello")]},
    talk=[HumanMessage("hello, hello, and hello once more")],
)
