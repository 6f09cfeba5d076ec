"""What `saywhy doctor` finds: the packages, and what other distributions bring to each registry."""

from __future__ import annotations

from importlib import import_module

import pytest

from saywhy import environment
from saywhy_core.registry import Registry


@pytest.fixture
def brought(tmp_path, monkeypatch):
    """A distribution that brings one distance that works and one that does not."""
    info = tmp_path / "rival-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rival\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[saywhy.distances]\nours = rival_code:DISTANCE\ntheirs = rival_code:nothing\n")
    (tmp_path / "rival_code.py").write_text(
        "from adversarial.distances import Distance\n"
        "DISTANCE = Distance(name='ours', title='ours', measure=lambda d: abs(d).sum(axis=(1, 2, 3)))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    distances = import_module("adversarial.distances").DISTANCES
    yield
    distances._loaded.pop("ours", None)


def test_every_registry_of_the_house_is_examined():
    import pkgutil

    import adversarial
    import agents
    import evals
    import saywhy_core
    import verbalize

    found = set()
    for top in (saywhy_core, agents, verbalize, adversarial, evals):
        for module in pkgutil.walk_packages(top.__path__, f"{top.__name__}."):
            found |= {id(thing) for thing in vars(import_module(module.name)).values() if isinstance(thing, Registry)}
    examined = set()
    for place in environment.REGISTRIES:
        module, _, attribute = place.partition(":")
        examined.add(id(getattr(import_module(module), attribute)))
    assert examined == found


def test_built_in_and_brought_names_are_told_and_a_broken_one_is_to_mend(brought):
    found = environment.plug_ins(["adversarial.distances:DISTANCES"])
    assert [(one.state, one.what) for one in found] == [("ok", "distance"), ("ok", "distance"), ("mend", "distance")]
    assert found[0].detail.startswith("l0, l1, l2, linf")
    assert "ours" not in found[0].detail
    assert found[1].detail == "ours, brought by rival"
    assert "'theirs' of rival can't be loaded" in found[2].detail
    assert "mend or uninstall" in found[2].detail


def test_a_name_that_is_brought_twice_or_never_used_is_to_mend(tmp_path, monkeypatch):
    for owner, points in {"first": "l0 = a_a:A\nmine = a_a:A\n", "second": "mine = b_b:B\n3 d = b_b:B\n"}.items():
        info = tmp_path / f"{owner}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {owner}\nVersion: 1.0\n")
        targets = "demo = a_a:A\n" if owner == "first" else ""
        (info / "entry_points.txt").write_text(f"[saywhy.distances]\n{points}[saywhy.targets]\n{targets}")
    monkeypatch.syspath_prepend(tmp_path)
    found = environment.plug_ins(["adversarial.distances:DISTANCES", "saywhy_core.classifiers:TARGETS"])
    assert found[0].detail == "l0, l1, l2, linf"
    to_mend = {one.detail for one in found if one.state == "mend"}
    assert len(to_mend) == 4
    for said in (
        "l0, brought by first, is never used",
        "demo, brought by first, is never used",
        "the distance 'mine' is brought more than once, by first and second",
        "the distance '3 d' of second can't be used: a name begins with a letter",
    ):
        assert sum(detail.startswith(said) for detail in to_mend) == 1
    assert ("ok", "target", "demo, brought by saywhy") in found


def test_the_command_tells_it_without_a_crash(brought, saywhy):
    done = saywhy("doctor", env={"COLUMNS": "200"})
    assert done.returncode == 1
    assert "ours, brought by rival" in done.stdout
    assert "'theirs' of rival can't be loaded" in done.stdout
    assert "Traceback" not in done.stderr


def test_every_package_of_ours_is_looked_at():
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = {pattern.rstrip("*") for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert set(environment.PACKAGES) == shipped
    assert {one.state for one in environment.owners()} == {"ok"}
