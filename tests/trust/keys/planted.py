"""Secrets of several shapes that are put where secrets belong, and a search for them that knows nothing of how they are kept.

The search is written apart from `saywhy_core.secrets`, and looks at the same content in several ways: as it is, in lower case with
what may stand between two letters left out, with URL and JSON escapes undone, and for every dress of base64.
"""

from __future__ import annotations

import gzip
import io
import re
import sqlite3
import zipfile
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BETWEEN = re.compile(rb"[\s\\\"'`*|.,:;+-]|\xc2\xad|\xe2\x80[\x8b-\x8f]")
_ESCAPED = re.compile(rb"\\u00([0-9a-fA-F]{2})")


@dataclass(frozen=True)
class Planted:
    """Secrets, and the environment that they are put into.

    Attributes:
        name: the shape.
        values: the secrets themselves.
        environment: variables; PORT stands for the port of the server.
        spec: the language model; PORT as above.
    """

    name: str
    values: tuple[str, ...]
    environment: dict[str, str]
    spec: str = "http://127.0.0.1:PORT/v1#test"

    def at(self, port: int) -> tuple[dict[str, str], str]:
        """The environment and the model, with the port of a server."""
        return {name: text.replace("PORT", str(port)) for name, text in self.environment.items()}, self.spec.replace(
            "PORT", str(port)
        )


BEARER = "sk-planted-7f3c1b9e2d4aQx"
SYMBOLS = 'p@ss"w\\ord/+=%[x]&<b>'
SHORT = "Zq7xK2vB"
USER, PASSWORD = "planted.user", "pLanted:pass=58c1/+"
PROXY_PASSWORD = "pr0xy%2Fplanted%40pass"  # as it stands in an address
SHAPES = (
    Planted("bearer", (BEARER,), {"SAYWHY_API_KEY": BEARER}),
    Planted("symbols", (SYMBOLS,), {"SAYWHY_API_KEY": SYMBOLS}),
    Planted("short", (SHORT,), {"SAYWHY_API_KEY": SHORT}),
    Planted("basic", (PASSWORD,), {"SAYWHY_API_USER": USER, "SAYWHY_API_PASSWORD": PASSWORD}),
    Planted(
        "proxy",
        (BEARER, "pr0xy/planted@pass"),
        {
            "SAYWHY_API_KEY": BEARER,
            **dict.fromkeys(("HTTP_PROXY", "http_proxy"), f"http://{USER}:{PROXY_PASSWORD}@127.0.0.1:PORT"),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), ""),
        },
        "http://model.example:PORT/v1#test",
    ),
    Planted(
        "openai",
        (BEARER,),
        {"OPENAI_API_KEY": BEARER, "OPENAI_BASE_URL": "http://127.0.0.1:PORT/v1"},
        "openai:test",
    ),
    Planted(
        "azure",
        (BEARER,),
        {
            "AZURE_OPENAI_API_KEY": BEARER,
            "AZURE_OPENAI_ENDPOINT": "http://127.0.0.1:PORT",
            "OPENAI_API_VERSION": "2024-10-21",
        },
        "azure:test",
    ),
)


def needles(secret: str) -> set[bytes]:
    """What the search looks for in content that `views` has prepared: the secret, and its base64 at each of three offsets."""
    plain = secret.encode()
    found = {plain, _squeezed(plain)}
    for before in range(3):
        encoded = b64encode(b"\0" * before + plain)
        whole = encoded[(0, 2, 3)[before] : len(encoded) - 4 if (len(plain) + before) % 3 else None]
        if len(whole) >= 8:
            found |= {whole, whole.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def views(content: bytes) -> Iterator[bytes]:
    """The content as a reader might see through it."""
    opened = _ESCAPED.sub(lambda match: bytes.fromhex(match[1].decode()), content)
    for one in dict.fromkeys((content, opened, unquote_to_bytes(content), unquote_to_bytes(opened))):
        yield one
        yield one.replace(b'\\"', b'"').replace(b"\\\\", b"\\").replace(b"\\/", b"/")
        yield _squeezed(one)


def search(content: bytes, secrets: tuple[str, ...]) -> str:
    """Where a secret stands in the content, with what is around it; empty where none does."""
    for view in views(content):
        for secret in secrets:
            for needle in needles(secret):
                if (place := view.find(needle)) >= 0:
                    return repr(view[max(0, place - 120) : place + len(needle) + 40])
    return ""


def search_folder(folder: Path, secrets: tuple[str, ...]) -> dict[str, str]:
    """Files under a folder that hold a secret, also packed or in the rows of a database, and where."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            for name, content in _unpacked(path):
                if place := search(content, secrets):
                    found[f"{path.relative_to(folder)}{name}"] = place
        if place := search(path.name.encode(), secrets):
            found[f"the name {path.name}"] = place
    return found


def _unpacked(path: Path) -> Iterator[tuple[str, bytes]]:
    content = path.read_bytes()
    yield "", content
    if content[:2] == b"\x1f\x8b":
        yield " (unpacked)", gzip.decompress(content)
    if content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from ((f" ({name})", archive.read(name)) for name in archive.namelist())
    if content[:15] == b"SQLite format 3":
        with suppress(sqlite3.Error), sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as database:
            yield " (rows)", "\n".join(database.iterdump()).encode()


def _squeezed(content: bytes) -> bytes:
    return _BETWEEN.sub(b"", content).lower()
