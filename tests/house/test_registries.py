"""Every registry of the packages: what it lists loads, what it lacks is said, and docs/plugins.md knows it."""

import importlib

import pytest

from saywhy_core.errors import UsageError
from saywhy_core.registry import Registry


@pytest.fixture
def registry(registry_at):
    """Each registry in turn (see `pytest_generate_tests` in conftest.py)."""
    module, name = registry_at
    found = getattr(importlib.import_module(module), name)
    assert isinstance(found, Registry)
    return found


@pytest.fixture
def groups(registries):
    return [getattr(importlib.import_module(module), name).group for module, name in registries]


def test_there_are_registries(registries):
    assert {name for _, name in registries} >= {"DISTANCES", "TARGETS"}


def test_everything_listed_loads(registry):
    names = list(registry)
    assert names
    assert len(set(names)) == len(names)
    for name in names:
        assert registry._fits(registry.get(name))


def test_an_unknown_name_lists_the_known_ones(registry):
    with pytest.raises(UsageError, match="none-such") as caught:
        registry.get("none-such")
    assert all(name in str(caught.value) for name in registry)


def test_what_a_program_registers_is_there(registry, monkeypatch):
    monkeypatch.setattr(registry, "_loaded", dict(registry._loaded))
    thing = registry.get(list(registry)[-1])
    registry.register("of-my-own", thing)
    assert registry.get("of-my-own") is thing
    assert "of-my-own" in list(registry)
    with pytest.raises(UsageError, match="of-my-own"):
        registry.get("none-such")
    with pytest.raises(UsageError, match="already"):
        registry.register(next(iter(registry)), thing)
    for wrong in (3, None, type("Thing", (), {}) if isinstance(registry._expects, type) else "text"):
        with pytest.raises(UsageError, match=f"the {registry.kind} 'another' must be an? "):
            registry.register("another", wrong)
    for name in ("", " ", "a b", "with:colon", "q?x", "-a", "3d", "x/y", None, 3):
        with pytest.raises(UsageError, match="can't be the name"):
            registry.register(name, thing)


def test_the_docs_list_every_group(root, registry):
    assert f"`{registry.group}`" in (root / "docs" / "plugins.md").read_text(encoding="utf-8")


def test_groups_are_each_registrys_own(groups):
    assert len(set(groups)) == len(groups)
    assert all(group.startswith("saywhy.") for group in groups)
