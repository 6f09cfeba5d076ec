"""What the tests of structure share: the packages, their modules, and every import between them."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("saywhy_core", "agents", "verbalize", "adversarial", "evals", "saywhy")


@dataclass(frozen=True)
class Import:
    """One name that one module imports.

    Attributes:
        importer: dotted name of the importing module.
        module: dotted name of the module that the import statement names.
        name: the imported name; None for `import module`.
        line: line of the statement.
    """

    importer: str
    module: str
    name: str | None
    line: int

    @property
    def imported(self):
        return self.module if self.name is None else f"{self.module}.{self.name}"

    def __str__(self):
        return f"{self.importer} (line {self.line}) imports {self.imported}"


def dotted(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules():
    """dotted name -> file, for every module of the packages."""
    return {dotted(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


@cache
def imports_in(path, module):
    """Every import of a file: at the top, in functions, and in blocks that only type checkers read."""
    return tuple(_read_imports(path, module))


def _read_imports(path, module):
    is_package = path.stem == "__init__"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, None, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")
            base = base[: len(base) - node.level + is_package] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield Import(module, source, alias.name, node.lineno)


@cache
def all_imports():
    """Imports of one of the project's modules by another."""
    return tuple(
        found
        for module, path in modules().items()
        for found in imports_in(path, module)
        if found.module.split(".")[0] in PACKAGES
    )


@cache
def all_registries():
    """(dotted module, name) of every module-level `NAME = Registry(...)`."""
    found = []
    for module, path in modules().items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.AnnAssign | ast.Assign) and isinstance(node.value, ast.Call):
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                if ast.unparse(node.value.func).partition("[")[0] == "Registry":
                    found.append((module, ast.unparse(target)))
    return tuple(found)


def pytest_generate_tests(metafunc):
    """A test that takes `registry_at` runs once for each registry."""
    if "registry_at" in metafunc.fixturenames:
        metafunc.parametrize("registry_at", all_registries(), ids=[name for _, name in all_registries()])


@pytest.fixture(scope="session")
def registries():
    """(dotted module, name) of every registry."""
    return all_registries()


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def packages():
    return PACKAGES


@pytest.fixture(scope="session")
def source():
    """dotted name -> file."""
    return modules()


@pytest.fixture(scope="session")
def imports():
    """Every import between the project's modules; `imports_in(path, module)` reads one file's."""
    return all_imports()


@pytest.fixture(scope="session")
def read_imports():
    return imports_in


class Environment:
    """A virtual environment that sees what this Python has installed, and whose own packages go before that.

    Args:
        folder: where to make it.
        extra: folders whose modules it sees, too.
    """

    def __init__(self, folder, extra=()):
        venv.EnvBuilder(with_pip=False).create(folder)
        self.python = folder / "bin" / "python"
        self.packages = Path(self.output("-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").strip())
        installed = dict.fromkeys(sysconfig.get_paths()[kind] for kind in ("purelib", "platlib"))
        # a path in a .pth file makes modules visible, but no .pth file found there counts: editable installations stay out
        (self.packages / "installed.pth").write_text("\n".join(map(str, (*extra, *installed))) + "\n", encoding="utf-8")

    def install(self, *what):
        """Install files or folders, without their dependencies and without a network."""
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run(
            [*pip, "--no-index", "--no-deps", "--no-build-isolation", *what],
            capture_output=True, text=True, timeout=120, check=False, env=self.variables(),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def variables(self):
        outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE", "COV_"))}
        return {**outside, "NO_COLOR": "1", "COLUMNS": "120", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}

    def run(self, *arguments, folder=None):
        """This environment's Python with arguments; the finished process, whatever its exit status."""
        return subprocess.run(
            [self.python, *arguments],
            cwd=folder, capture_output=True, text=True, timeout=240, check=False, env=self.variables(),
        )  # fmt: skip

    def output(self, *arguments, folder=None):
        """What it prints; it must end well."""
        done = self.run(*arguments, folder=folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def make_environment(tmp_path_factory):
    """`make_environment(*folders)` is an `Environment` of its own, which sees the modules of those folders."""
    return lambda *extra: Environment(tmp_path_factory.mktemp("environment") / "venv", extra)
