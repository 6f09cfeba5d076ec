"""docs/security.md names every kind of input, and every ceiling with its default."""

import re
from dataclasses import fields

import pytest

from agents.encoders import ENCODERS
from saywhy_core.classifiers import TARGETS
from saywhy_core.images.opening import FORMATS as PICTURES
from saywhy_core.reading.ceilings import HELP, Ceilings
from saywhy_core.trust import may_run_code
from verbalize.formats import FORMATS


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "security.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(page):
    """Input, whether it can run code, and how it is held."""
    code = page[page.index("## Code") : page.index("### Programs of torch.export")]
    return [tuple(cell.strip() for cell in row.strip("|").split(" | ")) for row in code.splitlines() if row.startswith("| ")]


@pytest.mark.parametrize("registry", [TARGETS, ENCODERS], ids=["targets", "encoders"])
def test_every_kind_of_model_has_its_row_and_the_row_says_whether_it_runs_code(rows, registry):
    for kind in registry:
        mine = [row for row in rows if f"{kind}:" in row[0]]
        assert mine, f"{kind}: has no row"
        trusted = any("--trust" in row[1] or row[1].startswith("as ") for row in mine)
        assert trusted == may_run_code(registry.get(kind)), f"{kind}: {mine}"


def test_every_format_of_maps_has_its_row(rows):
    named = {name for row in rows if row[0].startswith("maps") for name in re.findall(r"`([\w-]+)`", row[0])}
    assert named == set(FORMATS.builtin)
    assert all(row[1] == "never" for row in rows if row[0].startswith("maps"))


def test_every_picture_that_is_read_has_its_row(rows):
    (mine,) = [row[0] for row in rows if row[0].startswith("images")]
    for name in PICTURES:
        assert name.replace("2000", "").lower() in mine.lower().replace(" ", ""), name


@pytest.mark.parametrize(
    "form", ["openai:MODEL", "http://HOST:PORT/v1#MODEL", "--llm transformers:", "--settings", "--tokenizer"]
)
def test_every_other_way_in_has_its_row(rows, form):
    assert any(form in row[0] for row in rows)


def test_every_ceiling_is_on_the_page_with_its_default(page):
    table = page[page.index("| ceiling | default |") : page.index("## Keys and passwords")]
    found = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", table, re.MULTILINE))
    assert found == {one.name: f"{one.default:,}" for one in fields(Ceilings)}
    assert all(said in table for said in HELP.values())
