"""The wheel and the source distribution: complete, installable, and at work where the source tree is not."""

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

pytestmark = pytest.mark.long

DATA = {
    "agents/prompting/descriptions/clip_templates.json",
    "evals/page.css",
    "evals/faithfulness/reporting/page.css",
    "evals/study/analysis/reporting/page.css",
    "saywhy/demo/page.html",
    "saywhy/signs/weights.npz",
    *(f"{package}/py.typed" for package in ("saywhy_core", "agents", "verbalize", "adversarial", "evals", "saywhy")),
}
MAP = '{"version": 1, "id": "review-1", "query": {"label": "positive"}, "tokens": ["truly", "great", "but", "long"], "scores": [0.8, 2.9, -0.1, -1.2]}\n'


@pytest.fixture(scope="module")
def distributions(root, tmp_path_factory):
    """(wheel, source distribution), built from a copy of the tree; the wheel is built from the source distribution."""
    folder = tmp_path_factory.mktemp("distributions")
    left_out = shutil.ignore_patterns(
        ".*_cache", ".git", ".venv", ".hypothesis", "__pycache__", "*.egg-info", "build", "dist", "/site", "/demo"
    )
    shutil.copytree(root, folder / "source", ignore=left_out)
    for made in ("site", "demo", "shared"):
        shutil.rmtree(folder / "source" / made, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", folder / "source"],
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    shutil.rmtree(folder / "source")  # when all tests have run, what they left is searched for keys that these files plant
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (folder / "dist").glob("saywhy-*-py3-none-any.whl")
    (source,) = (folder / "dist").glob("saywhy-*.tar.gz")
    return wheel, source


@pytest.fixture(scope="module")
def environment(distributions, make_environment):
    """An environment in which the wheel is installed."""
    made = make_environment()
    made.install(distributions[0])
    return made


def test_the_wheel_holds_every_module_and_its_data(distributions, root, source):
    names = set(zipfile.ZipFile(distributions[0]).namelist())
    modules = {path.relative_to(root).as_posix() for path in source.values()}
    stubs = {
        path.relative_to(root).as_posix()
        for package in {name.split("/")[0] for name in modules}
        for path in (root / package).rglob("*.pyi")
    }
    assert modules | stubs | DATA <= names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {name.split("/")[0] for name in modules}


def test_the_source_distribution_holds_tests_and_docs(distributions, root):
    with tarfile.open(distributions[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    kept = [
        *(root / "tests").rglob("*.py"),
        *(root / "docs").rglob("*.md"),
        *(root / "benchmarks").rglob("*.py"),
        root / "docs/picture.png",
    ]
    assert {path.relative_to(root).as_posix() for path in kept} <= names
    assert {
        "CITATION.cff",
        "LICENSE",
        "Makefile",
        "README.md",
        "constraints.txt",
        "mkdocs.yml",
        "docs/.site/reference.py",
    } <= names
    assert not [name for name in names if "__pycache__" in name]


def test_the_installed_packages_are_the_wheels(environment, packages, tmp_path):
    code = f"import {', '.join(packages)}\nprint(*(p.__file__ for p in ({', '.join(packages)})), sep='\\n')"
    for place in environment.output("-c", code, folder=tmp_path).split():
        assert place.startswith(str(environment.packages))


def test_the_command_works_from_the_wheel(environment, root, tmp_path):
    command = environment.python.with_name("saywhy")
    version = environment.output(command, "--version", folder=tmp_path)
    assert "0.1.0" in version
    (tmp_path / "maps.jsonl").write_text(MAP, encoding="utf-8")
    environment.output(command, "verbalize", "maps.jsonl", "--out", "texts.jsonl", folder=tmp_path)
    (record,) = map(json.loads, (tmp_path / "texts.jsonl").read_text(encoding="utf-8").splitlines())
    assert "'truly great'" in record["text"] or "'great'" in record["text"]
    environment.output(command, "check", "texts.jsonl", "--maps", "maps.jsonl", folder=tmp_path)


def test_its_own_entry_points_are_in_the_wheel(environment, tmp_path):
    """`demo:signs` is a target that comes in through an entry point, as a plug-in's would."""
    code = "import numpy as np\nfrom saywhy import signs\nnp.save('sign.npy', signs.samples()[0][0])"
    environment.output("-c", code, folder=tmp_path)
    command = environment.python.with_name("saywhy")
    environment.output(
        command, "attack", "sign.npy", "--target", "demo:signs", "--budget", "30", "--out", "found", folder=tmp_path
    )
    assert list((tmp_path / "found").rglob("result.json"))


def test_the_demo_works_from_the_wheel(environment, tmp_path):
    environment.output(environment.python.with_name("saywhy"), "demo", "--out", "demo", "--budget", "60", folder=tmp_path)
    assert (tmp_path / "demo" / "index.html").stat().st_size > 100_000


def test_data_files_are_read_from_the_wheel(environment, tmp_path):
    code = (
        "from agents import clip_templates\nfrom saywhy import signs\nimages, labels = signs.samples()\n"
        "answers = signs.load().predict(images).argmax(1)\nprint(len(clip_templates()), (answers == labels).mean())"
    )
    count, share = environment.output("-c", code, folder=tmp_path).split()
    assert int(count) > 5
    assert float(share) > 0.9


def test_types_are_seen_by_who_installs_it(environment, tmp_path):
    """A user's own mypy finds the packages typed, through the lazy faces."""
    (tmp_path / "user.py").write_text(
        "from verbalize import Query, TokenSaliency\nfrom adversarial import FeatureGuidedAttack\n"
        "reveal_type(TokenSaliency)\nreveal_type(FeatureGuidedAttack)\nquery: int = Query(label='x')\n",
        encoding="utf-8",
    )
    heavy = "torch.*,transformers.*,captum.*,torchcam.*,spacy.*,matplotlib.*,pandas.*,langchain_core.*,openai.*"
    (tmp_path / "mypy.ini").write_text(
        f"[mypy]\n[mypy-{heavy}]\nignore_missing_imports = true\nfollow_imports = skip\n", encoding="utf-8"
    )
    done = environment.run("-m", "mypy", "--no-incremental", "--follow-imports=silent", "user.py", folder=tmp_path)
    assert "verbalize.saliency.TokenSaliency" in done.stdout
    assert 'expression has type "Query", variable has type "int"' in done.stdout
    assert "import-untyped" not in done.stdout
    assert "import-not-found" not in done.stdout
