"""Values that readers trip over: numbers, texts and literals, and payloads that would leave a canary if anything ran them."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

CANARY = "SAYWHY_CANARY"
"""The environment variable that names the file which a payload writes."""
SHELL = f'touch "${CANARY}"'
PYTHON = f"__import__('os').system('touch \"${CANARY}\"')"

RAW = "\x01raw{}\x01"
"""Stands in a document for a literal that no Python value is written as; see `written`."""

NUMBERS = (
    0, -1, 1, 2, 255, 256, 65535, 2**31 - 1, 2**31, -(2**31), 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**64), 10**18, 10**30,
    10**400, 0.5, -0.0, 1e308, -1e308, 5e-324, 1e-300, 0.1,
)  # fmt: skip

LITERALS = (
    "1e400", "-1e400", "NaN", "Infinity", "-Infinity", "9" * 5000, "-" + "9" * 4301, "1." + "0" * 400, "9" * 400 + ".5",
    '"\\ud800"', '"\\udfff tail"', '"\\ud800\\ud800"', "[" * 60 + "]" * 60, "[" * 2000 + "]" * 2000, '{"a":' * 3000 + "1" + "}" * 3000,
    "[" * 100_000, '{"a":1,"a":2}', "01", "+1", "1e", "0x10", "'a'", "undefined", "[1,]", "{1:2}", '"\\u00"', '"\n"', "--1", "",
)  # fmt: skip

TEXTS = (
    "", " ", "\t", "\x00", "a\x00b", "\n", "\r", "[/foo]", "[bold]x[/bold]", "[red", "[link=http://127.0.0.1:1/]x[/link]", "\\[x]",
    "\x1b[2J\x1b[31mred", "\x1b]0;title\x07", "\x1b]8;;http://127.0.0.1:1/\x1b\\link\x1b]8;;\x1b\\", "\x9b31m", "\x85", "\x7f",
    "\u202eright to left", "\u2066isolate\u2069", "\u200b", "\ufeff", "\u2028", "\u2029", "\ufffe", "e\u0301" * 40, "\u0301",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\u0644\u0627", "\U0010ffff", "##", "##a", "Ġ", "▁", "<0xF0>", "<0xFF>", "[CLS]", "<|im_start|>",
    "-1", "nan", "1e400", "LABEL_" + "9" * 5000, "9" * 5000, "{}", "{0}", "{x}", "{0.__class__}", "%s%n", "%(x)s", "${HOME}", "`id`",
    "../../../../proc/version", "/proc/version", "/dev/zero", "/dev/stdin", "/proc/self/environ", "CON", "a" * 300, "file:///proc/version",
    "http://127.0.0.1:1/x", "</script><script>alert(1)</script>", "'\"><img src=x onerror=alert(1)>", "javascript:alert(1)",
    "a b " * 2000, "(" * 3000, "'" * 3000, '"' * 3001, "a" * 100_000, "1." * 2000, "not " * 3000, "\\" * 3000, "great, " * 1500,
    SHELL, PYTHON, "os.system", "builtins.exec", "torch.os.system", "operator.attrgetter", "torch.ops.aten.add.Tensor",
)  # fmt: skip

SNIPPETS = (
    b"\x00", b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\r", b"\n", b"\r\n", b"\n\n",
    b'"', b"'", b",", b";", b"\t", b"[", b"]", b"{", b"}", b":", b"\\", b"\\u0000", b"\\ud800", b"null", b"true", b"1e400", b"NaN", b"-",
    b"\x1b[31m", b"\x1b]0;x\x07", b"[/foo]", b"\xc2\x9b", b"\xe2\x80\xae", b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY\x01\x00", b"\x89PNG\r\n\x1a\n",
    b"\x80\x04\x95", b"\x1f\x8b\x08\x00", b"SQLite format 3\x00", b"#", b"=cmd()", b"\x1a", b"\x04",
)  # fmt: skip


class Payload:
    """An object whose pickle runs a command when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, (SHELL,)


def hostile_pickle(protocol: int = 2) -> bytes:
    """A pickle that leaves the canary."""
    return pickle.dumps(Payload(), protocol)


def text(rng: Random) -> str:
    """A text that readers trip over."""
    one = rng.choice(TEXTS)
    return one if rng.random() < 0.7 else one + rng.choice(TEXTS)[:200]


def literal(rng: Random) -> str:
    """The place of a literal in a document: `written` puts the literal there."""
    number = rng.randrange(len(LITERALS) + 1)
    return RAW.format(number)


def written(document: str) -> str:
    """A JSON document with the literals in the place of their marks."""
    for number in range(len(LITERALS) + 1):
        mark = '"\\u0001raw' + str(number) + '\\u0001"'
        if mark in document:
            document = document.replace(mark, LITERALS[number] if number < len(LITERALS) else '"' + "x" * 1_000_000 + '"')
    return document


def value(rng: Random, depth: int = 2) -> object:
    """Any JSON value, mostly of the wrong type and size."""
    kind = rng.randrange(9 if depth else 7)
    if kind < 2:
        return rng.choice(NUMBERS)
    if kind < 4:
        return text(rng)
    if kind == 4:
        return rng.choice((None, True, False))
    if kind in (5, 6):
        return literal(rng)
    if kind == 7:
        return [value(rng, depth - 1) for _ in range(rng.choice((0, 1, 2, 3, 40)))]
    return {text(rng)[:50]: value(rng, depth - 1) for _ in range(rng.choice((0, 1, 2, 5)))}
