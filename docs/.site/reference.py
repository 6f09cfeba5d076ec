"""Pages of the API reference: one per public package, made of the names that its face shows.

mkdocs calls `on_config` and `on_files` (see mkdocs.yml). Nothing is listed by hand, so that a new public name has its
place in the reference at once.
"""

from __future__ import annotations

import ast
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("verbalize", "adversarial", "agents", "evals", "saywhy", "saywhy_core")
MODULES = ("saywhy_core.errors", "saywhy_core.registry")  # public modules that no face hands on as a whole
_NO_HEADING = "show_root_heading: false, show_root_toc_entry: false"


def _imports(path: Path, package: str) -> dict[str, str]:
    """Public name -> dotted name of what a file imports under it, or takes from a module: `name = _module.name`."""
    found, modules = {}, {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = f"{package}.{node.module}" if node.level else str(node.module)
            found |= {alias.asname or alias.name: f"{source}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute):
            module, _, name = ast.unparse(node.value).rpartition(".")
            found[ast.unparse(node.targets[0])] = f"{modules.get(module, module)}.{name}"
    return {name: home for name, home in found.items() if not name.startswith("_")}


def _listed(path: Path) -> list[str]:
    """The names of a module's literal `__all__`; none where it has no such list."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__" and isinstance(node.value, ast.List):
            return [item.value for item in node.value.elts if isinstance(item, ast.Constant)]
    return []


@cache
def faces() -> dict[str, dict[str, str]]:
    """Dotted package -> {public name: dotted name of what it stands for}."""
    found = {}
    for top in PACKAGES:
        for path in sorted((ROOT / top).rglob("__init__.py")):
            package = ".".join(path.parent.relative_to(ROOT).parts)
            if path.with_suffix(".pyi").exists():
                found[package] = _imports(path.with_suffix(".pyi"), package)
            elif names := _listed(path):
                imported = _imports(path, package)
                found[package] = {name: imported.get(name, f"{package}.{name}") for name in names}
    return {package: names for package, names in found.items() if names}


def home_of(name: str) -> str:
    """Where a name is defined, through all the faces that hand it on."""
    package, _, last = name.rpartition(".")
    handed_on = faces().get(package, {}).get(last, name)
    return name if handed_on == name else home_of(handed_on)


def _place_of(home: str) -> str:
    """The page that describes a name: of those that show it, the one nearest to where it is defined."""
    module = home.rpartition(".")[0]
    if module in MODULES:
        return module
    showing = [package for package, names in faces().items() if home in {home_of(f"{package}.{name}") for name in names}]

    def shared(package: str) -> int:
        pairs = zip(package.split("."), home.split("."), strict=False)
        return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))

    return max(showing, key=lambda package: (shared(package), package.count(".")))


@cache
def pages() -> dict[str, str]:
    """Dotted package or module -> its page. Each name is described on one page; the others link to it."""
    written = {}
    for package, names in faces().items():
        homes = {name: home_of(f"{package}.{name}") for name in names}
        own = [name for name, home in homes.items() if _place_of(home) == package]
        elsewhere = [name for name in names if name not in own]
        text = f"# {package}\n\n::: {package}\n    options: {{{_NO_HEADING}, members: false}}\n"
        if elsewhere:
            links = ", ".join(f"[`{name}`][{homes[name]}]" for name in elsewhere)
            text += f"\nAlso importable from `{package}`: {links}.\n"
        for name in own:
            text += f"\n::: {homes[name]}\n    options: {{heading: {name}, toc_label: {name}}}\n"
        written[package] = text
    for module in MODULES:
        written[module] = f"# {module}\n\n::: {module}\n    options: {{{_NO_HEADING}}}\n"
    return dict(sorted(written.items(), key=lambda page: (PACKAGES.index(page[0].split(".")[0]), page[0])))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages under "Reference"."""
    for entry in config.nav or []:
        section: Any = entry
        if isinstance(section, dict) and "Reference" in section:
            section["Reference"] = ["reference/index.md", *(f"reference/{name}.md" for name in pages())]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages to the site."""
    index = "# Reference\n\nEvery public name, by the package from which to import it.\n\n"
    for name, text in pages().items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
        index += f"- [`{name}`]({name}.md): {', '.join(f'`{shown}`' for shown in faces().get(name, ()))}\n"
    files.append(File.generated(config, "reference/index.md", content=index.replace(": \n", "\n")))
    return files
