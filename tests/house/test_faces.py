"""What a package shows is there, under today's name and under every name that was documented."""

import ast
import importlib
import subprocess
import sys

import pytest

# Every name that the README and the docs imported before the packages got rooms, by the path they named.
DOCUMENTED = {
    "adversarial": "AttackResult CallableClassifier FeatureGuidedAttack KeypointMixture keypoint_mixture load_classifier",
    "adversarial.attack": "FeatureGuidedAttack FeatureRobustness",
    "adversarial.bound": "LipschitzConstant estimate_lipschitz grid_bound",
    "adversarial.engines": "run_mcts",
    "adversarial.findings": "finding_in_words",
    "adversarial.game": "make_game",
    "agents": "ConvexSemanticEncoder DifferentialClassifier DifferentialDescriber PromptOptimizer ask ask_many chat_model load_encoder usage_of",
    "evals": "wording",
    "evals.prompts": "compare",
    "evals.wording": "evaluate",
    "saywhy": "signs",
    "saywhy.signs": "CLASS_NAMES draw_signs load samples",
    "verbalize": "Background Claim Narrator PixelSaliency Query TemplateVerbalizer TokenSaliency best_spans check find_regions "
    "read_claims read_saliency write_saliency",
    "verbalize.attribution": "SequenceClassifier ZeroShotClassifier attribute_cam attribute_pixels attribute_tokens load_minilm",
    "verbalize.background": "Background",
    "verbalize.formats": "Format ReadOptions",
    "verbalize.picture": "extractive_rationale pixel_heatmap_png save_picture token_heatmap_html",
    "verbalize.regions": "colour_in_words find_regions place_in_words",
}


def earlier_names():
    """Earlier module name -> today's, of every `moved({...})` table."""
    for package in ("saywhy_core", "agents", "verbalize", "adversarial", "evals", "saywhy"):
        importlib.import_module(package)
    from saywhy_core import moved

    return dict(moved._FINDER.homes)


def stubs(source):
    return [module for module, path in source.items() if path.with_suffix(".pyi").exists()]


def test_every_name_of_every_face_resolves(source):
    for module in stubs(source):
        face = importlib.import_module(module)
        shown = shown_by(source[module].with_suffix(".pyi"))
        assert shown, module
        for name in shown:
            assert hasattr(face, name), f"{module}.pyi promises {name}"
            assert name in face.__all__, f"{module}.__all__ lacks {name}"
        assert set(face.__all__) <= shown, f"{module}.__init__.pyi lacks {set(face.__all__) - shown}"
        assert set(dir(face)) >= set(face.__all__), f"dir({module}) lacks {set(face.__all__) - set(dir(face))}"


def shown_by(stub):
    """The public names that a stub promises: `from .x import name as name` and `name = ...`."""
    names = set()
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom | ast.Import):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_") and name != "annotations"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("path", DOCUMENTED)
def test_documented_names_are_importable(path):
    for name in DOCUMENTED[path].split():
        exec(f"from {path} import {name}", {})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_earlier_names_lead_to_modules_of_today():
    for earlier, today in earlier_names().items():
        assert importlib.import_module(earlier) is importlib.import_module(today)


def test_docs_and_code_use_the_names_of_today(root, imports):
    earlier = set(earlier_names())
    assert not [str(found) for found in imports if {found.module, found.imported} & earlier]
    for page in (root / "README.md", *sorted((root / "docs").rglob("*.md"))):
        for name in earlier:
            text = page.read_text(encoding="utf-8")
            assert f"from {name} import" not in text, f"{page.name}: {name} is an earlier name"
            assert f"import {name}\n" not in text, f"{page.name}: {name} is an earlier name"


def test_an_earlier_name_says_where_it_is_now():
    code = "import verbalize.picture"
    done = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "verbalize.picture is now verbalize.draw; import it from there" in done.stderr


def test_type_checkers_see_the_faces(root, packages):
    for package in packages:
        assert (root / package / "py.typed").exists()
