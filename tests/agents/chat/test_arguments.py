"""An argument of the wrong kind is told in one sentence that names it and shows no key."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
from pydantic import SecretStr

from agents import UsageError, chat_model

SPEC = "http://127.0.0.1:9/v1#m"
KEY = "sk-planted-7f3c1b9e2d4a"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("timeout", ["x", "5", [], b"1", True, 0, -1, math.nan, math.inf, 1e12, 1j]),
        ("max_retries", ["x", 1.5, -1, True, None.__class__, [3]]),
        ("concurrency", ["x", 0, 2.5, {}]),
        ("max_requests", ["x", 0, -1, math.nan, (1,)]),
        ("max_tokens_total", ["x", 0, object]),
        ("max_cost", ["x", 0, math.nan]),
        ("price", [(1,), (1, 2, 3), "ab", 5, (1, "x"), (1, math.nan), {1: 2, 3: 4}]),
        ("temperature", ["x", -1, math.inf, math.nan, [0]]),
        ("max_tokens", ["x", 0, 1.5, -3]),
        ("seed", ["x", 1.5, True]),
        ("stop", ["abc", [1], 5]),
        ("cache_as", [5, b"x"]),
        ("offline", ["no", 1]),
        ("extra_body", [5, "x", [1]]),
        ("cache", [5, True, "", [], {}]),
        ("api_key", [KEY.encode(), [KEY], 5, lambda: KEY, ("u", KEY, "x"), (), {"a": KEY}, ("u", 5), SecretStr]),
    ],
)
def test_what_is_of_the_wrong_kind_is_named(name, values, tmp_path):
    others = {"cache": tmp_path / "c.sqlite"} if name in {"cache_as", "offline"} else {}
    for value in values:
        with pytest.raises(UsageError, match=rf"^{name} must be ") as caught:
            chat_model(SPEC, **{**others, name: value})
        assert KEY not in str(caught.value)
        assert caught.value.__cause__ is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("key", "header"),
    [
        (SecretStr(KEY), f"Bearer {KEY}"),
        (("user", SecretStr("pw")), "Basic dXNlcjpwdw=="),
        (["user", "pw"], "Basic dXNlcjpwdw=="),
    ],
)
def test_keys_that_show_themselves_to_nobody_are_taken(chat_server, key, header):
    server = chat_server(behave=lambda request: "yes")
    assert chat_model(f"{server.url}#m", api_key=key).invoke("hi").content == "yes"
    assert [one.headers["authorization"] for one in server.requests] == [header]


def test_numbers_of_numpy_are_numbers():
    chat_model(SPEC, timeout=np.float32(3), max_retries=np.int64(2), seed=np.int32(1), price=(np.float64(1), 2))


@pytest.mark.parametrize("take", [pickle.dumps, copy.deepcopy])
def test_a_model_is_not_pickled_or_copied(take):
    with pytest.raises(UsageError, match=r"^a chat model can't be pickled or copied; make one with chat_model"):
        take(chat_model(SPEC, api_key=KEY))
