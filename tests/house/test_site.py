"""The docs site: complete, strict, and readable without a network."""

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]*\ssrc=["']?(https?:)?//|<link[^>]*\shref=["']?(https?:)?//|@import|url\(["']?https?://"""
)


@pytest.fixture(scope="module")
def reference(root):
    spec = importlib.util.spec_from_file_location("reference", root / "docs" / ".site" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def anchors(text):
    """The anchors that headings get."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(root, page):
    text = (root / page).read_text(encoding="utf-8")
    for plain, picture in LINK.findall(text):
        target, _, anchor = unquote(plain or picture).partition("#")
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        file = root / page if not target else (root / page).parent / target
        assert file.exists(), f"{page}: {target}"
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), f"{page}: {target}#{anchor}"


def test_every_page_is_in_the_navigation(root):
    site = yaml.safe_load((root / "mkdocs.yml").read_text(encoding="utf-8"))

    def pages(entry):
        if isinstance(entry, str):
            return [entry]
        return [page for part in (entry.values() if isinstance(entry, dict) else entry) for page in pages(part)]

    listed = pages(site["nav"])
    written = {path.relative_to(root / "docs").as_posix() for path in (root / "docs").rglob("*.md")}
    assert set(listed) == written | {"reference/index.md"}
    assert len(listed) == len(set(listed))


def test_every_public_name_is_in_the_reference_once(reference, source):
    pages = reference.pages()
    text = "\n".join(pages.values())
    for face, names in reference.faces().items():
        for name in names:
            home = reference.home_of(f"{face}.{name}")
            described = home.rpartition(".")[0] in reference.MODULES  # there a whole module is described
            assert text.count(f"::: {home}\n") == (0 if described else 1), f"{face}.{name}"
            assert f"`{name}`][{home}]" in pages[face] or f"::: {home}\n" in pages[face], f"{face}.{name}"
    assert "[`load_classifier`][" in pages["adversarial"]  # taken from another package
    faces_on_disk = {module for module, path in source.items() if path.with_suffix(".pyi").exists()}
    assert faces_on_disk <= set(pages)


def test_the_citation_names_this_version(root):
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"cff-version", "message", "title", "authors"} <= set(citation)  # what the format demands
    assert citation["cff-version"] == "1.2.0"
    assert citation["title"] == project["name"]
    assert str(citation["version"]) == project["version"]
    assert citation["license"] == project["license"]
    assert citation["keywords"] == project["keywords"]


@pytest.mark.long
def test_the_site_builds_strictly_and_fetches_nothing(root, tmp_path):
    program = Path(sys.executable).parent / "mkdocs"
    done = subprocess.run(
        [program, "build", "--strict", "--site-dir", tmp_path / "site"],
        cwd=root, capture_output=True, text=True, timeout=280, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert (tmp_path / "site" / "reference" / "verbalize.html") in pages
    for page in pages:
        assert not FETCHED.search(page.read_text(encoding="utf-8")), page
