"""Proxies, as the environment names them."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from saywhy_core.errors import UsageError
from saywhy_core.secrets import keep_secret, without_credentials
from saywhy_core.wire.certificates import tls_context
from saywhy_core.wire.network import httpcore


def proxy_for(address: str, named: str | None) -> str | None:
    """The proxy of requests to an address: the one that is named, or the environment's (`HTTPS_PROXY`, `NO_PROXY` and so on).

    Requests to this machine itself use none. A proxy's password is from now on kept secret.
    """
    parts = urlsplit(address)
    host = (parts.hostname or "").strip("[]")
    if host in {"localhost", "::1", "0.0.0.0"} or host.startswith("127."):  # noqa: S104 - an address to call
        return None
    if named is None and not proxy_bypass(host):
        found = getproxies()
        named = found.get(parts.scheme) or found.get("all")
    if not named:
        return None
    proxy = named if "://" in named else f"http://{named}"
    try:
        password = urlsplit(proxy).password
        _ = urlsplit(proxy).port
    except ValueError:
        raise UsageError("the proxy that the environment names is no address; write http://HOST:PORT") from None
    if password:
        keep_secret(password, unquote(password))
    return proxy


def pool_behind(proxy: str, settings: dict[str, Any]) -> Any:
    """A pool of connections that go through a proxy."""
    parts = urlsplit(proxy)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    plain = without_credentials(proxy)
    auth = None
    if parts.username is not None:
        keep_secret(b64encode(f"{user}:{password}".encode()).decode())
        auth = (user.encode(), password.encode())
    if parts.scheme in {"http", "https"}:
        if parts.scheme == "https":
            settings["proxy_ssl_context"] = settings.get("ssl_context") or tls_context()
        return httpcore.HTTPProxy(proxy_url=plain, proxy_auth=auth, **settings)
    if parts.scheme in {"socks5", "socks5h"}:
        try:
            return httpcore.SOCKSProxy(proxy_url=plain, proxy_auth=auth, **settings)
        except (ImportError, RuntimeError):
            raise UsageError(f"the proxy {plain} needs the package socksio: pip install socksio") from None
    raise UsageError(f"the proxy {plain} must be http://, https://, socks5:// or socks5h://")
