"""Registries: what is built in, what other distributions bring, and what a program adds."""

import subprocess
import sys
from importlib import metadata

import pytest

from saywhy_core.errors import UsageError
from saywhy_core.registry import Registry

GROUP = "saywhy.shapes"


@pytest.fixture
def shapes():
    return Registry("shape", GROUP, {"square": "fractions:Fraction", "circle": "decimal:Decimal"})


@pytest.fixture
def install(tmp_path, monkeypatch):
    """`install(distribution, {name: "module:attribute"})` is what pip leaves of a plug-in: its metadata on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(distribution, points, module="", source=""):
        folder = tmp_path / f"{distribution.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n", encoding="utf-8")
        lines = "".join(f"{name} = {target}\n" for name, target in points.items())
        (folder / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}", encoding="utf-8")
        if module:
            (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
        assert metadata.distribution(distribution).version == "1.0"

    yield install
    for name in [name for name in sys.modules if name.startswith("shapes_of_")]:
        del sys.modules[name]


def test_built_in_names_come_in_their_order(shapes):
    assert list(shapes) == ["square", "circle"]
    assert "circle" in shapes
    assert "cube" not in shapes
    assert 3 not in shapes


def test_get_loads_the_thing(shapes):
    from decimal import Decimal

    assert shapes.get("circle") is Decimal


def test_an_unknown_name_lists_the_names(shapes):
    with pytest.raises(UsageError, match=r"there is no shape 'cube'; use one of square, circle$"):
        shapes.get("cube")


def test_register_adds_for_this_process(shapes):
    thing = object()
    shapes.register("star", thing)
    assert list(shapes) == ["square", "circle", "star"]
    assert shapes.get("star") is thing
    with pytest.raises(UsageError, match="square, circle, star"):
        shapes.get("cube")


@pytest.mark.parametrize("name", ["square", "star", "hexagon"])
def test_a_taken_name_is_refused(shapes, install, name):
    install("shapes-of-others", {"hexagon": "decimal:Decimal"})
    shapes.register("star", 1)
    with pytest.raises(UsageError, match=f"there is already a shape named '{name}'"):
        shapes.register(name, 2)
    assert shapes.get("star") == 1


def test_another_distribution_brings_things(shapes, install):
    install(
        "shapes-of-others",
        {"hexagon": "shapes_of_others:SIDES", "heptagon": "shapes_of_others:MORE"},
        "shapes_of_others",
        "SIDES, MORE = 6, 7\n",
    )
    assert list(shapes) == ["square", "circle", "heptagon", "hexagon"]
    assert shapes.get("hexagon") == 6
    assert shapes.get("heptagon") == 7


def test_other_groups_are_not_looked_at(install):
    install("shapes-of-others", {"hexagon": "shapes_of_others:SIDES"}, "shapes_of_others", "SIDES = 6\n")
    assert list(Registry("colour", "saywhy.colours", {})) == []


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("raise RuntimeError('no licence')\n", "shapes_of_ruin:SIDES", "RuntimeError: no licence"),
        ("", "shapes_of_ruin:SIDES", "AttributeError"),
        ("", "shapes_of_nothing:SIDES", "ModuleNotFoundError"),
    ],
)
def test_a_broken_plug_in_is_named(shapes, install, source, target, why):
    install("ruined-shapes", {"ruin": target}, "shapes_of_ruin", source)
    assert "ruin" in list(shapes)  # listing imports nothing, so that a broken plug-in harms only who asks for it
    assert shapes.get("square")
    with pytest.raises(UsageError, match="the shape 'ruin' of ruined-shapes can't be loaded") as caught:
        shapes.get("ruin")
    assert why in str(caught.value)


def test_a_built_in_thing_goes_before_one_from_outside(shapes, install):
    from fractions import Fraction

    install("shapes-of-others", {"square": "decimal:Decimal"})
    assert list(shapes) == ["square", "circle"]
    assert shapes.get("square") is Fraction


def test_listing_imports_nothing(install, tmp_path):
    install("shapes-of-others", {"hexagon": "shapes_of_others:SIDES"}, "shapes_of_others", "SIDES = 6\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from saywhy_core.registry import Registry\n"
        f"shapes = Registry('shape', {GROUP!r}, {{'square': 'fractions:Fraction'}})\n"
        "assert list(shapes) == ['square', 'hexagon'] and 'hexagon' in shapes\n"
        "assert not {'fractions', 'shapes_of_others'} & set(sys.modules)\n"
        "shapes.get('hexagon')\n"
        "assert 'shapes_of_others' in sys.modules and 'fractions' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
