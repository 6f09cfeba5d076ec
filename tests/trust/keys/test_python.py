"""Keys given in Python: what a model says of itself, and what tracebacks show with the local variables of every frame."""

from __future__ import annotations

import copy
import io
import logging
import pickle
import traceback

import pytest
from pydantic import BaseModel
from rich.console import Console
from rich.traceback import Traceback

from agents import UsageError, ask_many, chat_model, usage_of
from saywhy_core.secrets import forget_secrets

QUICK, LONG = ("symbols",), ("proxy", "bearer", "short", "basic", "openai", "azure")


class Answer(BaseModel):
    value: int


@pytest.fixture(autouse=True)
def _nothing_known():
    forget_secrets()
    yield
    forget_secrets()


@pytest.fixture
def logs():
    """All that any logger says."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s %(exc_text)s"))
    root, names = logging.getLogger(), ("openai", "httpx", "httpx2", "httpcore", "httpcore2", "langchain", "langchain_core")
    loggers = [root, *map(logging.getLogger, names)]
    levels = [logger.level for logger in loggers]
    root.addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def opened(shape, port, **options):
    """A model with its key as an argument or from the environment; made here, so that no frame of a failure holds the key."""
    given = shape.environment
    if "OPENAI_API_KEY" in given:
        return chat_model("openai:test", api_key=shape.values[0], **options)
    if "AZURE_OPENAI_API_KEY" in given:
        return chat_model("azure:test", api_key=shape.values[0], **options)
    key = given.get("SAYWHY_API_KEY") or (given["SAYWHY_API_USER"], given["SAYWHY_API_PASSWORD"])
    return chat_model(shape.spec.replace("PORT", str(port)), api_key=key, **options)


def provoked(model, question):
    """The failure of a model, in every form in which a program might show it; empty where it answers."""
    try:
        return repr(model.invoke(question))
    except Exception as error:  # noqa: BLE001 - whatever comes out is looked at
        return shown(error) + (in_colours(error) if question.endswith("0") else "")


def shown(error):
    forms = ["".join(traceback.TracebackException.from_exception(error, capture_locals=True).format(chain=True))]
    forms += [repr(error), repr(vars(error)), repr(getattr(error, "__notes__", ""))]
    forms += [shown(one) for one in (error.__cause__, error.__context__) if one is not None]
    return "\n".join(forms)


def in_colours(error):
    """A traceback as rich shows it, which looks into objects."""
    stream = io.StringIO()
    pretty = Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True, locals_max_length=20)
    Console(file=stream, width=1000).print(pretty)
    return stream.getvalue()


def said_of_itself(model):
    """What a model can be asked to say of itself, and what a program might keep of it."""
    yield from (repr(model), str(model), repr(vars(model)), repr(model.__dict__), repr(model.model_dump()))
    yield repr(usage_of(model))
    for form in (model.model_dump_json, model.to_json, lambda: repr(model._identity()), lambda: repr(model.get_lc_namespace())):
        try:
            yield str(form())
        except (TypeError, ValueError) as error:  # what can't be written as JSON says so
            yield shown(error)
    for keep in (pickle.dumps, copy.deepcopy, copy.copy):
        try:
            yield repr(keep(model))
        except Exception as error:  # noqa: BLE001 - a connection can't be kept; what is half copied can't show its locals
            yield "".join(traceback.format_exception(error))


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.long) for name in LONG)])
@pytest.mark.long
def test_no_key_in_any_traceback_or_description(keys, monkeypatch, tmp_path, logs, name):
    shape = next(one for one in keys.planted.SHAPES if one.name == name)
    places = ("400", *(place for place in keys.echo_server.PLACES if place not in ("401", "403")), "401", "403")
    server = keys.echo_server.EchoServer(shape.values, lambda body, echo: f"well {echo}", places)
    with server:
        for variable, text in shape.at(server.port)[0].items():
            if not variable.endswith("_KEY") and "USER" not in variable and "PASSWORD" not in variable:
                monkeypatch.setenv(variable, text)
        said = []
        for number in range(len(server.places)):  # a model of its own for each, as a permanent error ends the use of one
            model = opened(shape, server.port, cache=tmp_path / f"kept{number}.sqlite", timeout=2, max_retries=0)
            said.append(provoked(model, f"question {number}"))
        said += said_of_itself(model)
        fresh = opened(shape, server.port, timeout=2, max_retries=0)
        said.append(repr(ask_many(fresh, ["a", "b", "c"], Answer, reasks=1)))
    assert server.count >= len(places) - 1
    assert any(shape.values[0] in text for text in keys.echo_server.decoded(server.authorizations))
    for text in [*said, logs.getvalue()]:
        assert not (found := keys.planted.search(text.encode(), shape.values)), found
    assert not keys.planted.search_folder(tmp_path, shape.values)


def test_a_password_in_an_address_is_refused_without_being_repeated(keys):
    password = "pLanted-pass-58c1"
    for spec in (
        f"http://u:{password}@127.0.0.1:1/v1#m",
        f"http://127.0.0.1:1/v1?api_key={password}#m",
        f"http://h/{password}=key=x#m",
    ):
        with pytest.raises(UsageError) as refused:
            chat_model(spec)
        assert not keys.planted.search(str(refused.value).encode(), (password,)), refused.value
