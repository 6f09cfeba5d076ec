"""Registries: what is built in, what other distributions bring, and what a program adds."""

import math
import shutil
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
        ("import sys; sys.exit(7)\n", "shapes_of_ruin:SIDES", "SystemExit: 7"),
        ("def f(:\n", "shapes_of_ruin:SIDES", "SyntaxError"),
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


def test_interrupting_is_not_taken_for_a_broken_plug_in(shapes, install):
    install("ruined-shapes", {"ruin": "shapes_of_ruin:SIDES"}, "shapes_of_ruin", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        shapes.get("ruin")


def test_what_saywhy_itself_brings_goes_before_others(shapes, install):
    from decimal import Decimal

    install("another", {"hexagon": "shapes_of_none:A"})
    install("saywhy", {"hexagon": "decimal:Decimal"})
    install("zz-another", {"hexagon": "shapes_of_none:A"})
    assert shapes.get("hexagon") is Decimal
    assert list(shapes) == ["square", "circle", "hexagon"]


def test_a_name_of_two_others_is_an_error_that_names_both(shapes, install):
    install("first-shapes", {"hexagon": "decimal:Decimal"})
    install("second-shapes", {"hexagon": "fractions:Fraction", "heptagon": "fractions:Fraction"})
    assert list(shapes) == ["square", "circle", "heptagon", "hexagon"]
    with pytest.raises(UsageError, match="'hexagon' is brought more than once, by first-shapes and second-shapes"):
        shapes.get("hexagon")
    assert shapes.get("heptagon")


def test_a_name_that_can_not_be_written_is_not_listed(shapes, install):
    install("odd-shapes", {"with space": "decimal:Decimal", "q?x": "decimal:Decimal"})
    assert list(shapes) == ["square", "circle"]
    with pytest.raises(UsageError, match="'with space' of odd-shapes can't be used: a name begins with a letter"):
        shapes.get("with space")


@pytest.fixture
def numbers():
    return Registry("number", GROUP, {"pi": "math:pi"}, expects=float)


@pytest.mark.parametrize(("thing", "shown"), [("3", "a value of type str"), (None, "None"), (float, "the class float")])
def test_a_thing_of_the_wrong_type_is_told_with_its_distribution(numbers, install, thing, shown):
    source = thing.__name__ if isinstance(thing, type) else repr(thing)
    install("wrong-shapes", {"e": "shapes_of_wrong:THING"}, "shapes_of_wrong", f"THING = {source}\n")
    with pytest.raises(UsageError, match=f"the number 'e' of wrong-shapes can't be used: it must be a float, not {shown};"):
        numbers.get("e")
    with pytest.raises(UsageError, match=f"the number 'mine' must be a float, not {shown}$"):
        numbers.register("mine", thing)
    with pytest.warns(RuntimeWarning, match="left out: the number 'e' of wrong-shapes"):
        assert [name for name, _ in numbers.usable()] == ["pi"]


def test_a_function_says_what_fits(install):
    functions = Registry("function", GROUP, {}, expects=callable, words="a function")
    functions.register("mine", len)
    with pytest.raises(UsageError, match="the function 'other' must be a function, not a value of type int"):
        functions.register("other", 3)


@pytest.mark.parametrize("name", ["", " ", "a b", "with:colon", "q?x", "3d", "-a", None, 3])
def test_a_name_that_can_not_be_written_is_refused(shapes, name):
    with pytest.raises(UsageError, match="can't be the name of a shape: a name begins with a letter"):
        shapes.register(name, 1)
    shapes.register("my-shape_2.0", 1)


def test_a_failure_of_what_was_brought_names_the_distribution(shapes, install):
    install("shapes-of-others", {"hexagon": "decimal:Decimal"})
    for name, said in (("hexagon", "the shape 'hexagon' of shapes-of-others failed"), ("star", "the shape 'star' failed")):
        with pytest.raises(UsageError, match=rf"{said} \(KeyError: 'sides'\)"), shapes.blame(name):
            raise KeyError("sides")
    with pytest.raises(KeyError), shapes.blame("square"):
        raise KeyError("sides")
    with pytest.raises(UsageError, match=r"^as it is$"), shapes.blame("hexagon"):
        raise UsageError("as it is")
    with pytest.raises(KeyError), shapes.blame("hexagon", KeyError):
        raise KeyError("sides")


def test_metadata_is_read_again_only_when_something_was_installed_or_removed(shapes, install, tmp_path, monkeypatch):
    reads = []
    search = metadata.entry_points

    def counted(**chosen):
        reads.append(chosen)
        return search(**chosen)

    monkeypatch.setattr("saywhy_core.registry.entry_points", counted)
    assert "cube" not in shapes
    assert "sphere" not in shapes
    assert len(reads) == 1
    install("solids", {"cube": "math:pi"})
    assert "cube" in shapes
    assert len(reads) == 2
    shutil.rmtree(tmp_path / "solids-1.0.dist-info")
    assert "cube" not in shapes
    assert list(shapes) == ["square", "circle"]
    assert len(reads) == 3


def test_what_a_caller_does_to_the_names_that_were_brought_stays_with_it(shapes, install):
    install("solids", {"cube": "math:pi"})
    shapes.brought().clear()
    assert shapes.get("cube") == math.pi
