"""Addresses and names of models, which may hold no key, and the environment variables that hold the keys instead."""

from __future__ import annotations

import os
from base64 import b64encode
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError
from saywhy_core.secrets import has_credentials, keep_secret, without_credentials
from saywhy_core.wire.addresses import is_no_name
from saywhy_core.wire.addresses import split_address as split_plain_address

if TYPE_CHECKING:
    from urllib.parse import SplitResult

SERVER_KEY = "SAYWHY_API_KEY"
"""The environment variable with the key for `http(s)://` specs. `OPENAI_API_KEY` goes to OpenAI alone."""
SERVER_USER = "SAYWHY_API_USER"
SERVER_PASSWORD = "SAYWHY_API_PASSWORD"  # noqa: S105 - a variable's name
"""The environment variables with user and password, for servers that want those (basic authentication) in place of a key."""
OFFICIAL_KEY = "OPENAI_API_KEY"
NO_KEY = "none"
"""What is sent where there is no key: some servers want one, whatever it is."""

_HOW = f"put the key into {SERVER_KEY}, or user and password into {SERVER_USER} and {SERVER_PASSWORD}"


def split_spec(spec: str, forms: str) -> tuple[str, str]:
    """The address of a server and the name of a model, from `http(s)://HOST:PORT/v1#MODEL`.

    Raises:
        UsageError: it is no such spec, or holds a key or a password. The error does not repeat them.
    """
    address, _, name = (spec, "", "") if has_credentials(spec) else spec.partition("#")
    split_address(address, forms)
    shown = without_credentials(address)
    if not name.strip():
        raise UsageError(f"{shown!r} says no model: write {shown}#MODEL, with a name that the server knows")
    if is_no_name(name):
        raise UsageError(
            f"the name of the model at {shown!r} holds a key, a password or an address; {_HOW}, and name the model alone "
            "behind the #"
        )
    return address.rstrip("/"), name.strip()


def check_name(kind: str, name: str) -> None:
    """See whether the name of a model, in a spec such as `openai:MODEL`, is a name and nothing else.

    Raises:
        UsageError: it holds a key, a password or an address with one. The error does not repeat it.
    """
    if is_no_name(name, file=kind == "transformers"):
        variable = "AZURE_OPENAI_API_KEY" if kind == "azure" else OFFICIAL_KEY
        raise UsageError(
            f"the name of the model behind {kind}: holds a key, a password or an address; put a key into {variable}, and "
            f"write {kind}:MODEL with the name of the model alone"
        )


def split_address(address: str, forms: str, *, variable: str = "") -> SplitResult:
    """The parts of the address of a server of language models; see `saywhy_core.wire.addresses.split_address`."""
    return split_plain_address(address, forms, _HOW, variable=variable)


def authorization(official: bool, api_key: str | tuple[str, str] | None, *, wanted: bool, name: str) -> str:
    """The value of the header `Authorization`, from the argument or the environment.

    Args:
        official: for OpenAI's own server, or one that stands in for it.
        api_key: a key, or a user and a password; None for those of the environment.
        wanted: whether requests will be sent, so that OpenAI's server needs a key.
        name: of the model, for the error.

    Raises:
        UsageError: there is no key and one is needed, there are a key and a password, one of user and password is missing in
            the environment, or one can't be sent.
    """
    variable = OFFICIAL_KEY if official else SERVER_KEY
    user, password = (None, None) if official else (os.environ.get(SERVER_USER), os.environ.get(SERVER_PASSWORD))
    key = os.environ.get(variable, "")
    where = variable
    if api_key is not None:
        user, password = (None, None) if isinstance(api_key, str) else api_key
        key, where = (api_key, "api_key") if isinstance(api_key, str) else ("", "api_key")
    keep_secret(key, password)
    key = key.strip()
    if user or password:
        if key:
            named = {SERVER_USER: f"a user in {SERVER_USER}", SERVER_PASSWORD: f"a password in {SERVER_PASSWORD}"}
            also = " and ".join(said for name, said in named.items() if os.environ.get(name))
            raise UsageError(f"there is a key in {SERVER_KEY}, and also {also}; set the key alone, or user and password")
        must_be_plain(user or "", SERVER_USER if api_key is None else "api_key")
        if ":" in (user or ""):
            raise UsageError(f"the user in {SERVER_USER if api_key is None else 'api_key'} has a colon, which no user may have")
        must_be_plain(f"{user}{password}", where if api_key is not None else SERVER_PASSWORD)
        if user is None or password is None:  # an empty one is set on purpose
            there, missing = (SERVER_PASSWORD, SERVER_USER) if user is None else (SERVER_USER, SERVER_PASSWORD)
            raise UsageError(
                f"{there} is set and {missing} is not: set both, a server that wants none of the two gets an empty text "
                f"({missing}=''); a key alone goes into {SERVER_KEY}"
            )
        pair = b64encode(f"{user or ''}:{password or ''}".encode()).decode()
        keep_secret(pair)
        return f"Basic {pair}"
    if official and not key and wanted:
        raise UsageError(f"openai:{name} needs a key: set {OFFICIAL_KEY}")
    must_be_plain(key, where)
    if not key.isascii():
        raise UsageError(f"the key in {where} has characters no key has")
    return f"Bearer {key or NO_KEY}"


def advice_on_key(header: str, *, official: bool, given: bool) -> str:
    """What to do where a server turns away what `authorization` made.

    Args:
        header: the value that was sent.
        official: as there.
        given: whether the key was an argument, and none of the environment's.
    """
    if given:
        return "check api_key"
    if official:
        return f"check the key in {OFFICIAL_KEY}"
    if header.startswith("Basic "):
        return f"check the user in {SERVER_USER} and the password in {SERVER_PASSWORD}"
    if header != f"Bearer {NO_KEY}":
        return f"check the key in {SERVER_KEY}"
    other = f" ({OFFICIAL_KEY} is sent to OpenAI alone)" if os.environ.get(OFFICIAL_KEY) else ""
    return f"no key was sent: set {SERVER_KEY}{other}"


def must_be_plain(key: str, where: str) -> None:
    """Refuse a key that no header can hold; the error does not repeat it."""
    if not key.isprintable():
        raise UsageError(f"the key in {where} has characters no key has")
