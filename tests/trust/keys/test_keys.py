"""Keys are planted, servers say them back in every way, everything is logged: no key is in any file, stream or list of processes."""

from __future__ import annotations

import shutil

import pytest

SHAPES = ("bearer", "symbols", "short", "basic", "proxy", "openai", "azure")
TALKS = ("composed", "free", "smv-gpt", "describe", "check", "check --json", "to a pipe")
ENDING = ("401", "403")  # after these, the model is not asked again


def shape_of(keys, name):
    return next(one for one in keys.planted.SHAPES if one.name == name)


def told(found):
    """Fail with the places at which a secret was found."""
    if found:
        pytest.fail("\n".join(f"{place}: {around}" for place, around in found.items()), pytrace=False)


def goes_on(keys):
    return tuple(place for place in keys.echo_server.PLACES if place not in ENDING)


@pytest.mark.parametrize(("talk", "shape"), [("describe", "symbols")])
def test_no_key_gets_out(keys, light_forge, tmp_path, talk, shape):
    known = keys.leaks.talks(keys.scenarios, 12)[talk]
    leak = keys.leaks.look(keys, light_forge, known, shape_of(keys, shape), tmp_path, places=goes_on(keys))
    assert leak.requests >= 12
    told(leak.found)


@pytest.mark.long
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("talk", TALKS)
def test_no_key_gets_out_of_any_command(keys, light_forge, tmp_path, talk, shape):
    known = keys.leaks.talks(keys.scenarios, 22)[talk]
    leak = keys.leaks.look(keys, light_forge, known, shape_of(keys, shape), tmp_path, places=goes_on(keys))
    assert leak.requests >= 22
    told(leak.found)


@pytest.mark.long
@pytest.mark.parametrize(("talk", "shape"), [*zip(TALKS, SHAPES, strict=True)])
def test_no_key_gets_out_where_a_run_ends_early(keys, light_forge, tmp_path, talk, shape):
    known, planted = keys.leaks.talks(keys.scenarios, 12)[talk], shape_of(keys, shape)
    for place in ENDING:
        leak = keys.leaks.look(keys, light_forge, known, planted, tmp_path / place, places=("content", place))
        told(leak.found)
    leak = keys.leaks.look(keys, light_forge, known, planted, tmp_path / "stumble", before=keys.leaks.STUMBLING)
    told(leak.found)
    for shown in ("", "import os; os.environ['SAYWHY_TRACEBACK'] = '1'"):
        before = f"{keys.leaks.CRASHING}\n{shown}"
        leak = keys.leaks.look(keys, light_forge, known, planted, tmp_path / f"crash{len(shown)}", before=before)
        assert (leak.status, "a mistake" in leak.said) == (2, True)
        told(leak.found)
    leak = keys.leaks.look(keys, light_forge, known, planted, tmp_path / "killed", places=("content",), kill_at=6)
    assert leak.status == -9
    told(leak.found)


def test_the_search_finds_what_an_unprotected_run_lets_out(keys, light_forge, tmp_path):
    known = keys.leaks.talks(keys.scenarios, 6)["describe"]
    leak = keys.leaks.look(
        keys, light_forge, known, shape_of(keys, "bearer"), tmp_path, places=("content", "400"), before=keys.leaks.UNPROTECTED
    )
    shutil.rmtree(tmp_path)  # no other test may leave a key
    names = " ".join(leak.found)
    assert "pairs.json" in names, leak.found
    assert "replies.sqlite" in names
    assert ".err" in names


@pytest.mark.parametrize("shape", ["bearer", "symbols", "short", "basic"])
def test_the_search_sees_through_every_dress(keys, shape):
    (secret,) = shape_of(keys, shape).values
    for name, dress in keys.echo_server.DRESSES.items():
        assert keys.planted.search(f"before {dress(secret)} after".encode(), (secret,)), name
    assert not keys.planted.search(b"an ordinary text with p@ss and sk-plan in it", (secret,))
