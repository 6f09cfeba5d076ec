"""Deployments of Azure OpenAI: where they are, which version of the interface they speak, and the key that they want."""

from __future__ import annotations

import os
import re
from urllib.parse import quote

from agents.chat.wire.addresses import check_name, must_be_plain, split_address
from saywhy_core.errors import UsageError
from saywhy_core.secrets import keep_secret

ENDPOINT = "AZURE_OPENAI_ENDPOINT"
KEY = "AZURE_OPENAI_API_KEY"
TOKEN = "AZURE_OPENAI_AD_TOKEN"  # noqa: S105 - a variable's name
"""The environment variable with a token of Microsoft Entra ID, for resources that take no keys."""
VERSION = "OPENAI_API_VERSION"

_FORM = "azure:DEPLOYMENT or azure:DEPLOYMENT?api-version=VERSION"
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(?:-preview)?|v\d+|preview|latest")


def split_azure(rest: str) -> tuple[str, str, str]:
    """The address of a deployment, its name and the version of the interface, from what follows `azure:` in a spec.

    The resource is that of `AZURE_OPENAI_ENDPOINT`. The version is that of the spec, or of `OPENAI_API_VERSION`; it is
    empty where the endpoint ends in /openai/v1, which needs none.

    Raises:
        UsageError: there is no name, no endpoint or no version, or one of them can't be.
    """
    name, _, query = rest.strip().partition("?")
    check_name("azure", name)
    if not name.strip():
        raise UsageError(f"azure: names no deployment: write {_FORM}")
    key, _, given = query.partition("=")
    if query and (key != "api-version" or not _VERSION.fullmatch(given)):
        raise UsageError(
            f"what follows the deployment in azure:{name}?... is no api-version: write {_FORM}, such as 2024-10-21"
        )
    endpoint = os.environ.get(ENDPOINT, "").strip()
    if not endpoint:
        raise UsageError(
            f"azure:{name} needs the address of your resource: set {ENDPOINT}, such as https://NAME.openai.azure.com"
        )
    split_address(endpoint, "https://NAME.openai.azure.com", variable=ENDPOINT)
    endpoint = endpoint.rstrip("/")
    version = given or os.environ.get(VERSION, "").strip()
    if endpoint.endswith("/openai/v1"):
        return endpoint, name, given
    if not version:
        raise UsageError(
            f"azure:{name} needs the version of Azure's interface: set {VERSION}, or write azure:{name}?api-version=VERSION"
        )
    if not _VERSION.fullmatch(version):
        raise UsageError(f"{VERSION} holds no version of Azure's interface, such as 2024-10-21")
    return f"{endpoint.removesuffix('/openai')}/openai/deployments/{quote(name, safe='')}", name, version


def azure_header(api_key: str | tuple[str, str] | None, *, wanted: bool, name: str) -> tuple[str, str]:
    """The name and the value of the header with the key, from the argument or the environment.

    Raises:
        UsageError: there is no key and one is needed, or it can't be sent.
    """
    if isinstance(api_key, tuple):
        raise UsageError(f"azure:{name} takes a key, and no user and password")
    key = (os.environ.get(KEY, "") if api_key is None else api_key).strip()
    token = "" if api_key is not None else os.environ.get(TOKEN, "").strip()
    keep_secret(key, token)
    if wanted and not key and not token:
        raise UsageError(f"azure:{name} needs a key: set {KEY}, or {TOKEN} to a token of Microsoft Entra ID")
    where = "api_key" if api_key is not None else KEY if key else TOKEN
    must_be_plain(key or token, where)
    if not (key or token).isascii():
        raise UsageError(f"the key in {where} has characters no key has")
    return ("Authorization", f"Bearer {token}") if token and not key else ("api-key", key)


def advice_on_azure_key(header: str, *, given: bool) -> str:
    """What to do where Azure turns away what `azure_header` made."""
    if given:
        return "check api_key"
    return f"check the {'key in ' + KEY if header == 'api-key' else 'token in ' + TOKEN}"
