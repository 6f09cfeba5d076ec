"""Modules under their earlier names: the same object, and a word on where it is now."""

import importlib
import pickle
import sys
import warnings

import pytest

from saywhy_core import moved as moving


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A package `oldhouse` with a module `newroom`, and a package `wing` in it."""
    package = tmp_path / "oldhouse"
    (package / "wing").mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "newroom.py").write_text("class Chair:\n    pass\n", encoding="utf-8")
    (package / "wing" / "__init__.py").write_text("", encoding="utf-8")
    (package / "wing" / "table.py").write_text("LEGS = 4\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(moving._FINDER, "homes", dict(moving._FINDER.homes))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "oldhouse"]:
        del sys.modules[name]


def test_the_earlier_name_is_the_same_module_and_says_so(house):
    moving.moved({"oldhouse.oldroom": "oldhouse.newroom"})
    with pytest.warns(DeprecationWarning, match=r"oldhouse\.oldroom is now oldhouse\.newroom; import it from there"):
        old = importlib.import_module("oldhouse.oldroom")
    new = importlib.import_module("oldhouse.newroom")
    assert old is new
    assert new.__name__ == new.__spec__.name == "oldhouse.newroom"
    assert pickle.loads(pickle.dumps(old.Chair)) is new.Chair


def test_the_warning_comes_once(house):
    moving.moved({"oldhouse.oldroom": "oldhouse.newroom"})
    with pytest.warns(DeprecationWarning, match="is now"):
        importlib.import_module("oldhouse.oldroom")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.import_module("oldhouse.oldroom")


def test_the_module_of_today_can_be_reloaded(house):
    moving.moved({"oldhouse.oldroom": "oldhouse.newroom"})
    with pytest.warns(DeprecationWarning, match="is now"):
        old = importlib.import_module("oldhouse.oldroom")
    assert importlib.reload(old) is old


def test_a_module_below_an_earlier_package_name_is_found(house):
    moving.moved({"oldhouse.shed": "oldhouse.wing"})
    with pytest.warns(DeprecationWarning, match="is now"):
        shed = importlib.import_module("oldhouse.shed")
    assert shed is importlib.import_module("oldhouse.wing")
    assert importlib.import_module("oldhouse.shed.table").LEGS == 4


def test_what_never_was_is_still_an_error(house):
    moving.moved({"oldhouse.oldroom": "oldhouse.newroom"})
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("oldhouse.nowhere")


def test_telling_it_twice_does_not_slow_imports(house):
    moving.moved({"oldhouse.oldroom": "oldhouse.newroom"})
    moving.moved({"oldhouse.shed": "oldhouse.wing"})
    assert sys.meta_path.count(moving._FINDER) == 1


def test_importing_today_says_nothing(house):
    moving.moved({"oldhouse.oldroom": "oldhouse.newroom"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.import_module("oldhouse.newroom")
