"""A secret is found in whatever dress a server or a program puts it, and ordinary texts stay as they are."""

from __future__ import annotations

import base64
import html
import json
import logging
import random
import string
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from saywhy_core.errors import Problem, UsageError
from saywhy_core.secrets import (
    MARK,
    credentials_of,
    forget_secrets,
    has_credentials,
    keep_environment_secrets,
    keep_secret,
    reach,
    redact,
    redacted,
    without_credentials,
)

PLAIN = "sk-planted-7f3c1b9e2d4a"
SYMBOLS = 'p@ss"w\\ord/+=%[x]'
SHORT = "Zq7!xP2m"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk"
UNICODE = "Schlüssel-größer-als-7"
SHAPES = [PLAIN, SYMBOLS, SHORT, TOKEN, UNICODE]


@pytest.fixture(autouse=True)
def _nothing_known():
    forget_secrets()
    yield
    forget_secrets()


def _in_base64(value, before):
    return base64.b64encode(before + value.encode() + b"\n tail").decode()


DRESSES = {
    "plain": lambda value: value,
    "upper": str.upper,
    "lower": str.lower,
    "backwards": lambda value: value[::-1],
    "JSON": lambda value: json.dumps(value),
    "JSON in JSON": lambda value: json.dumps(json.dumps(value)),
    "JSON, all escaped": lambda value: "".join(f"\\u{ord(one):04x}" for one in value),
    "a URL": lambda value: quote(value, safe=""),
    "a form": quote_plus,
    "a URL, all escaped": lambda value: "".join(f"%{byte:02X}" for byte in value.encode()),
    "HTML": html.escape,
    "HTML, decimal": lambda value: "".join(f"&#{ord(one)};" for one in value),
    "HTML, hexadecimal": lambda value: "".join(f"&#x{ord(one):x};" for one in value),
    "repr": repr,
    "bytes": lambda value: repr(value.encode()) if value.isascii() else value,
    "base64": lambda value: _in_base64(value, b""),
    "base64 after one": lambda value: _in_base64(value, b"x"),
    "base64 after two": lambda value: _in_base64(value, b"xy"),
    "base64 of a header": lambda value: _in_base64(value, b"Authorization: Bearer "),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(b"x" + value.encode()).decode(),
    "hexadecimal": lambda value: value.encode().hex(),
    "hexadecimal, spaced": lambda value: value.encode().hex(" "),
}


def _hidden(dressed, told):
    """Whether nothing is left of a dressed value but what may stand before and after it: eight characters of it in a row."""
    return not any(dressed[at : at + 8] in told for at in range(len(dressed) - 7))


@pytest.mark.parametrize("value", SHAPES)
@pytest.mark.parametrize("dress", DRESSES)
def test_a_secret_is_found_in_every_dress(value, dress):
    keep_secret(value)
    dressed = DRESSES[dress](value)
    if dress == "a URL, all escaped" and not value.isascii():
        dressed = quote(value, safe="").lower()
    told = redact(f"before {dressed} after")
    assert MARK in told
    assert told.startswith("before ")
    assert told.endswith(" after")
    rest = told.removeprefix("before ").removesuffix(" after").replace(MARK, "")
    assert len(rest) <= 40  # what base64 puts around it
    assert value.lower() not in told.lower()
    if not dress.startswith("base64"):
        assert _hidden(dressed, rest)


@pytest.mark.parametrize("value", [PLAIN, SHORT, TOKEN, UNICODE])
@pytest.mark.parametrize(
    "between",
    [
        *(" ", "\n", "\r\n", "-", ", ", "'", '", "', "\\n", "%20", "\u200b", "...", "\u00ad", " | ", "\t", "\0", "\x07", "%00"),
        *(
            "\x1b[0m",
            "\x1b[38;5;196m",
            "\x9b1m",
            "\x1b]0;title\x07",
            "\\u001b[1m",
            "[/b]",
            "[bold red]",
            "[/]",
            "<b>",
            "</span>",
        ),
        *("&lt;br&gt;", "<i class='x'></i>", "\u0336", "\u2066", "\ufe0f", "\ufffd", "\U000e0041", "[b]<b>"),
    ],
)
def test_a_secret_is_found_when_it_is_split(value, between):
    keep_secret(value)
    for size in (1, 2, 4, len(value) // 2):
        split = between.join(value[at : at + size] for at in range(0, len(value), size))
        assert redact(f"echo: <{split}>") == f"echo: <{MARK}>"


def _in_style(value, first, digits):
    """The value in another style of letters, of which those of "A" and "0" are given."""
    small = first + (26 if first > 0xFFFF else 32)
    places = {"A": first, "a": small, "0": digits}
    kind = {True: "A", False: "a"}
    return "".join(
        chr(places["0"] + int(one))
        if one.isdigit()
        else chr(places[kind[one.isupper()]] + ord(one.lower()) - 97)
        if one.isalpha()
        else one
        for one in value
    )


@pytest.mark.parametrize(("first", "digits"), [(0xFF21, 0xFF10), (0x1D400, 0x1D7CE), (0x1D5D4, 0x1D7EC), (0x1D670, 0x1D7F6)])
def test_a_secret_is_found_in_other_styles_of_letters(first, digits):
    keep_secret(PLAIN, SHORT)
    for value in (PLAIN, SHORT):
        styled = _in_style(value, first, digits)
        assert styled != value
        assert redact(f"before {styled} after") == f"before {MARK} after"


def test_what_looks_like_markup_hides_no_secret():
    keep_secret(PLAIN)
    for shown in (
        f"<{PLAIN}>",
        f"[{PLAIN}]",
        f"<b title='{PLAIN}'>",
        f"\x1b]0;{PLAIN}\x07",
        f"<b x='{PLAIN[:9]}\\u00{ord(PLAIN[9]):x}{PLAIN[10:]}'>",
    ):
        assert MARK in redact(shown)
        assert PLAIN[12:] not in redact(shown)


def test_a_secret_is_found_however_wide_it_is_split():
    keep_secret(PLAIN)
    assert redact(f"first\n<{(' ' * 50).join(PLAIN)}>\nlast") == f"first\n<{MARK}>\nlast"
    assert redact(f"first\n<{(chr(10) * 50).join(PLAIN)}>\nlast") == f"first\n<{MARK}>\nlast"


@pytest.mark.parametrize(
    "value",
    [
        "none",
        "EMPTY",
        "ollama",
        "lm-studio",
        "sk-no-key-required",
        "abc",
        "test",
        "1234",
        "true",
        "label",
        "evidence"[:7],
        " ",
        "",
    ],
)
def test_words_that_are_no_secrets(value):
    keep_secret(value, None)
    text = f"latest {value} none test 0.1234, 1234 label"
    assert redact(text) == text


def test_a_word_is_found_where_it_stands_alone_only():
    keep_secret("positive", "87654321")
    assert redact("positively nonpositive 0.87654321 876543210") == "positively nonpositive 0.87654321 876543210"
    assert redact("it is 'positive', POSITIVE; 87654321") == f"it is '{MARK}', {MARK}; {MARK}"


@settings(deadline=None)
@given(st.text(string.ascii_letters + string.digits + " .,;:-_'\"\\/%&\n", max_size=300), st.sampled_from(SHAPES))
def test_ordinary_texts_stay_as_they_are(text, value):
    forget_secrets()
    keep_secret(value)
    assume(value.lower() not in text.lower())
    assert redact(text) == text


@settings(deadline=None)
@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=40),
    st.text(max_size=30),
    st.text(max_size=30),
    st.sampled_from(["plain", "upper", "JSON", "a URL", "HTML, decimal", "base64", "repr"]),
)
def test_any_secret_in_any_text(value, before, after, dress):
    forget_secrets()
    value = f"9Zk-{value}"
    assume(sum(one.isalnum() for one in value) >= 8)
    keep_secret(value)
    told = redact(f"{before} {DRESSES[dress](value)} {after}")
    assert value.lower() not in told.lower()
    assert MARK in told


def test_errors_problems_logs_and_json(caplog):
    keep_secret(PLAIN)
    assert str(UsageError(f"no {PLAIN}")) == f"no {MARK}"
    assert str(Problem("f", f"no {PLAIN.upper()}", id=PLAIN)) == f"f, id {MARK}: no {MARK}"
    assert redacted({"a": [PLAIN, 1, None, {PLAIN: (PLAIN,)}]}) == {"a": [MARK, 1, None, {MARK: (MARK,)}]}
    with caplog.at_level(logging.DEBUG):
        try:
            raise RuntimeError(PLAIN)
        except RuntimeError:
            logging.getLogger("any.library").exception("sent %s", PLAIN.encode())
    assert PLAIN not in caplog.text
    assert f"sent b'{MARK}'" in caplog.text


@pytest.mark.long
@pytest.mark.parametrize(
    "text",
    [
        "sk-planted-7f3c-" * 100_000,
        "s-" * 400_000,
        "\\" * 400_000,
        "%73" * 200_000,
        "\\n" * 400_000,
        "&#115;" * 60_000,
        "<b" * 400_000,
        "\x1b]" * 400_000,
        "[/b]" * 200_000,
        "\uff53" * 400_000,
        PLAIN * 100_000,
    ],
    ids=[
        "beginnings",
        "breaks",
        "backslashes",
        "escapes",
        "line ends",
        "entities",
        "tags",
        "titles",
        "markup",
        "wide letters",
        "secrets",
    ],
)
@pytest.mark.timeout(60)
def test_no_text_makes_it_slow(text):
    keep_secret(*SHAPES, "n" * 30 + "rtbf" * 10, "\\" * 20 + "abcdefgh1")
    begun = time.process_time()
    redact(text)
    assert time.process_time() - begun < 12  # at most some 3 on an idle machine, and minutes if it grew with the square


def test_a_secret_of_thousands_of_characters_is_found_quickly():
    key = "-----BEGIN KEY-----\n" + "\n".join("".join(random.Random(n).choices(string.ascii_letters, k=64)) for n in range(50))
    keep_secret(key)
    begun = time.process_time()
    assert redact(f"<{json.dumps(key)}>") == f'<"{MARK}">'
    assert time.process_time() - begun < 5
    assert reach() < 100_000


def test_the_environment_is_searched_for_secrets(tmp_path):
    file = tmp_path / "id_key.pem"
    file.touch()
    keep_environment_secrets(
        {
            "MY_API_KEY": PLAIN,
            "GITHUB_TOKEN": SHORT,
            "SSL_KEY": str(file),
            "USE_TOKEN": "disabled",
            "N_TOKEN": "123456789",
            "HOME": TOKEN,
        }
    )
    assert redact(f"{PLAIN} {SHORT} {file} disabled 123456789 {TOKEN}") == f"{MARK} {MARK} {file} disabled 123456789 {TOKEN}"


@pytest.mark.parametrize(
    ("address", "shown", "password"),
    [
        ("http://host:80/v1", "http://host:80/v1", ()),
        ("http://user@host/v1", "http://host/v1", ()),
        ("http://user:pass-w0rd@host/v1?key=1#m", "http://host/v1", ("pass-w0rd",)),
        ("http://user:p%40ss@host/v1", "http://host/v1", ("p%40ss", "p@ss")),
        ("http://user:pa/ss@host/v1", "http://host/v1", ("pa/ss",)),
        ("http://user:pa#ss@host/v1", "http://host/v1", ("pa#ss",)),
        ("http://user:pa?ss@host/v1", "http://host/v1", ("pa?ss",)),
        ("http://user:a@b@host/v1", "http://host/v1", ("a@b",)),
        ("user:pass-w0rd@host/v1", "host/v1", ("pass-w0rd",)),
        ("http://host/@scope/v1", "http://host/@scope/v1", ()),
        ("http://host:80/@scope/v1", "http://host:80/@scope/v1", ()),
        ("http://[::1]:80/v1", "http://[::1]:80/v1", ()),
        *(
            (f"{start}user:pass-w0rd@host/v1", f"{start}host/v1", ("pass-w0rd",))
            for start in ("http:/", "http:////", "/", "FTP:\\\\")
        ),
        ("http://host/v1;pw=1#m", "http://host/v1", ()),
        ("http://user:secret-1@[bad/v1", "http://[bad/v1", ("secret-1",)),
    ],
)
def test_addresses_without_their_credentials(address, shown, password):
    assert without_credentials(address) == shown
    assert credentials_of(address) == password
    assert has_credentials(address) == ("user" in address)
