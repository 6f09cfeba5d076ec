"""Of a secret that a server says back in part, or broken up, nothing stays readable; ordinary texts stay as they are."""

from __future__ import annotations

import base64
import html
import random
import re
import string
import time

import pytest

from saywhy_core.secrets import MARK, forget_secrets, keep_secret, redact

_DRAWN = random.Random(7)
_SIGNS = string.ascii_letters + string.digits + "-_"
KEYS = [
    "zq7-Planted_Key.0123abcXYZ",
    'pA+s/w=rd%2F"q\\u0041&<x>',
    "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "sk-planted-7f3c1b9e2d4a",
    *("".join(_DRAWN.choice(_SIGNS) for _ in range(size)) for size in (40, 250, 300, 500, 1500, 4000)),
    "Rep8eated-" * 400,
]
PARTS = {
    "without its last": lambda key: key[:-1],
    "without its last four": lambda key: key[:-4],
    "without its first": lambda key: key[1:],
    "without its first three": lambda key: key[3:],
    "half": lambda key: key[: -(-len(key) * 2 // 3)],
    "one missing": lambda key: key[: len(key) // 2] + key[len(key) // 2 + 1 :],
    "some missing": lambda key: "".join(one for at, one in enumerate(key) if at % 14 != 13),
    "one put in": lambda key: key[: len(key) // 2] + "Q" + key[len(key) // 2 :],
    "a comment": lambda key: key[:6] + "/**/" + key[6:],
    "comments": lambda key: "/* x */".join(key[at : at + 3] for at in range(0, len(key), 3)),
    "rows of signs": lambda key: " =>/ ".join(key[at : at + 4] for at in range(0, len(key), 4)),
    "HTML without its last": lambda key: html.escape(key[:-1]),
    "HTML by names": lambda key: key.replace("-", "&hyphen;").replace("_", "&lowbar;").replace(".", "&period;"),
    "all HTML by names": lambda key: "".join(f"&{NAMES[one]};" if one in NAMES else one for one in key),
    "HTML without semicolons": lambda key: key.replace("-", "&#45").replace("_", "&#95"),
    "URL without its last": lambda key: "".join(f"%{byte:02x}" for byte in key[:-1].encode()),
    "base32": lambda key: base64.b32encode(key.encode()).decode(),
    "base32 within": lambda key: base64.b32encode(b"a: " + key.encode() + b"; b").decode(),
    "base64 without its last": lambda key: base64.b64encode(b"x" + key[:-1].encode()).decode(),
    "hexadecimal without its last": lambda key: key[:-1].encode().hex(),
}
NAMES = {
    "-": "hyphen",
    "_": "lowbar",
    ".": "period",
    "+": "plus",
    "/": "sol",
    "=": "equals",
    "%": "percnt",
    "\\": "bsol",
    "&": "amp",
}


@pytest.fixture(autouse=True)
def _nothing_known():
    forget_secrets()
    yield
    forget_secrets()


def _letters(text):
    return re.sub(r"[\W_]", "", text).lower()


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{len(key)}")
def test_a_part_of_a_secret_is_as_secret(key):
    keep_secret(key)
    for name, part in PARTS.items():
        echo = part(key)
        told = redact(f"nope {echo} !")
        assert MARK in told, name
        assert told.startswith("nope "), name
        assert told.endswith(" !"), name
        plain, left = _letters(echo), _letters(told.replace(MARK, " ")) + " " + _letters(html.unescape(told.replace(MARK, " ")))
        most = 8 if len(key) > 24 else 9
        shown = [plain[at : at + most] for at in range(len(plain) - most) if plain[at : at + most] in left]
        assert not shown, (name, told)


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("planted-api-token-42", "An api token was planted; each API token of 2042 plants a token."),
        ("correct horse battery 9 staple", "It is correct that a horse needs no battery, but 9 apples."),
        ("/home/jane/.keys/id_2024", "wrote /home/jane/.keys/id_2023 and /home/jane/.cache"),
        ("https://hooks.example.com/services/T01", "asked https://hooks.example.com/services/T02"),
        ("sk-planted-7f3c1b9e2d4a", "planted 7f, sk-planted 2d4a, and 3c1b9e 7f"),
        ("9f8e7d6c5b4a39281706f5e4d3c2b1a0", "0.9f8e7d6, 0.281706, 12b1a0"),
    ],
)
def test_what_is_like_a_secret_is_none(secret, text):
    keep_secret(secret)
    assert redact(text) == text


@pytest.mark.parametrize("text", ["the größte word % of all & <b>1.25</b> ", "0.123456, ", "7f3c1b9e "])
def test_long_texts_are_searched_quickly(text):
    keep_secret(*KEYS[3:8])
    long = (text * 100_000)[:200_000]
    begun = time.process_time()
    assert redact(long) == long
    assert time.process_time() - begun < 4
