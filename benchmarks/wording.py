"""Compares texts by different authors about the same maps: how true and how complete they are.

Run: python benchmarks/wording.py [--maps 500] [--share 0.4] [--samples 40] [--quick]
The authors are the templates; the pipeline published with Feldhus et al. 2023, unchanged and in its own sentences (see
benchmarks/verbalize.py); and a chat model in this process that lies in a share of its sentences, once unchecked and once
through the narrator (style "free"). Composed texts have a scripted planner in the model's place, which goes by sides.
Maps are random, with 5 to 60 words; their scores are normal, Laplace, skewed, sparse, all negative, or
rounded so that there are ties.

The last table says how the texts read: how many different wordings 100 texts have (their sentences with names and numbers
taken out), the Flesch reading ease, words per text and per sentence. With --samples, composed texts are printed for eyes.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

# Python puts this folder first on the path, where verbalize.py would be taken for the package of the same name.
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]

from evals import wording  # noqa: E402
from evals.wording.metrics import readability  # noqa: E402
from verbalize import Narrator, Query, TemplateVerbalizer, TokenSaliency  # noqa: E402
from verbalize.compose import Plan, chosen_of, menu_of, realised  # noqa: E402
from verbalize.phrasing.wording import AUDIENCES  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import BaseMessage
    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("normal", "Laplace", "skewed", "sparse", "all negative", "ties")
_ROLES = {"human": "user", "ai": "assistant", "system": "system"}


def load(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"_{Path(path).stem}_of_{Path(path).parent.name}", ROOT / path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class InProcess(BaseChatModel):
    """A chat model whose replies come from a function of the messages."""

    author: Any

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        asked = [{"role": _ROLES[message.type], "content": message.content} for message in messages]
        said = self.author(SimpleNamespace(messages=asked))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(said))])


def scores_of(kind: str, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    drawn: NDArray[np.float64]
    match kind:
        case "normal":
            drawn = rng.normal(size=n)
        case "Laplace":
            drawn = rng.laplace(size=n)
        case "skewed":
            drawn = rng.gamma(0.5, size=n) - 0.2
        case "sparse":
            drawn = rng.normal(size=n) * (rng.random(n) < 0.15)
            drawn[rng.integers(n)] = 1.0
        case "all negative":
            drawn = -np.abs(rng.normal(size=n)) - 0.01
        case _:
            drawn = np.round(rng.normal(size=n))
            drawn[rng.integers(n)] = 2.0
    return np.round(drawn, 2)


def random_maps(count: int, seed: int) -> list[TokenSaliency]:
    rng = np.random.default_rng(seed)
    made = []
    for index in range(count):
        n = int(rng.integers(5, 61))
        words = rng.choice([f"word{i}" for i in range(300)], n).tolist()
        scores = scores_of(KINDS[index % len(KINDS)], n, rng)
        made.append(TokenSaliency(words, scores, Query("positive"), id=f"m{index}"))
    return made


def published_text(peer: ModuleType, saliency: TokenSaliency) -> str:
    """The text of the published pipeline, in its own sentences."""
    values = saliency.scores.tolist()
    sentences = []
    for part, first in peer.published(saliency.scores):
        words = " ".join(saliency.tokens[index] for index in part)
        noun = "word" if len(part) == 1 else "phrase"
        share = round(100 * peer.published_coverage([part[0], part[-1]], values))
        said = "is most important for the prediction" if first else "is also salient"
        sentences.append(f"The {noun} » {words} « {said} ({share} %).")
    return " ".join(sentences)


def print_tables(texts: dict[str, list[str]], maps: Sequence[TokenSaliency]) -> None:
    tables = {name: wording.evaluate(said, maps).summary for name, said in texts.items()}
    columns = ("precision", "false/100", "texts false", "coverage", "at equal", "top omitted", "omitted", "words", "silent")
    print(f"{'':36}" + "".join(f"{name:>12}" for name in columns))
    for name, found in tables.items():
        silent = sum(not text.strip() for text in texts[name]) / len(maps)
        cells = (
            share_of(found["precision"]), f"{100 * found['false'] / len(maps):.1f}",
            share_of(found["texts with something false"] / len(maps)), share_of(found["coverage"]),
            share_of(found["coverage_equal"]), share_of(found["top_omitted"]), share_of(found["omitted_mass"]),
            f"{found['words']:.1f}", share_of(silent),
        )  # fmt: skip
        print(f"{name:36}" + "".join(f"{cell:>12}" for cell in cells))
    base = tables["template, plain"]
    print(f"\n{'ratio to the plain template':36}{'coverage':>12}{'at equal':>12}{'omitted':>12}{'words':>12}")
    for name, found in tables.items():
        ratios = [found[key] / base[key] for key in ("coverage", "coverage_equal", "omitted_mass", "words")]
        print(f"{name:36}" + "".join(f"{ratio:>12.2f}" for ratio in ratios))
    print(f"\n{'false statements by kind':36}" + "".join(f"{kind.removeprefix('part '):>18}" for kind in wording.ERROR_KINDS))
    for name, found in tables.items():
        print(f"{name:36}" + "".join(f"{found[kind]:>18}" for kind in wording.ERROR_KINDS))
    print(f"\n{'precision by kind of map':36}" + "".join(f"{kind:>14}" for kind in KINDS))
    for name, said in texts.items():
        cells = []
        for index in range(len(KINDS)):
            chosen = slice(index, None, len(KINDS))
            cells.append(share_of(wording.evaluate(said[chosen], maps[chosen]).summary["precision"]))
        print(f"{name:36}" + "".join(f"{cell:>14}" for cell in cells))


def wordings_of(text: str) -> list[str]:
    """The sentences of a text, with the quoted words and numbers taken out."""
    plain = re.sub(r"'[^']*'|\"[^\"]*\"|»[^«]*«", "X", text)
    plain = re.sub(r"X(?:, X)*(?: and X)+", "X", plain)
    plain = re.sub(
        r"\b\d+(?:\.\d+)?\b|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b", "N", plain.lower()
    )
    return [sentence for sentence in re.split(r"(?<=[.!?])\s+", plain) if sentence]


def print_style(texts: dict[str, list[str]]) -> None:
    print(f"\n{'how it reads':36}{'wordings/100':>14}{'texts alike':>14}{'ease':>10}{'words':>10}{'per sentence':>14}")
    for name, said in texts.items():
        sentences = [wordings_of(text) for text in said]
        rng = np.random.default_rng(0)
        drawn = [rng.choice(len(said), min(100, len(said)), replace=False) for _ in range(20)]
        different = np.mean([len({one for index in some for one in sentences[index]}) for some in drawn])
        alike = 1 - np.mean([len({" ".join(sentences[index]) for index in some}) / len(some) for some in drawn])
        ease = [found for found in map(readability, said) if found is not None]
        words = [len(text.split()) for text in said]
        lengths = [len(one.split()) for some in sentences for one in some]
        print(
            f"{name:36}{different:>14.0f}{alike:>14.0%}{np.mean(ease):>10.0f}{np.mean(words):>10.1f}{np.mean(lengths):>14.1f}"
        )


def composed_texts(maps: Sequence[TokenSaliency], seed: int, *, audience: str | None = None) -> list[str]:
    """Composed texts by the planner that goes by sides."""
    planner = load("benchmarks/compose.py").by_sides
    rng = np.random.default_rng(seed)
    said = []
    for number, saliency in enumerate(maps):
        menu = menu_of(saliency)
        plan = Plan.model_validate(planner(menu, rng))
        chosen, audience_of = chosen_of(plan, menu), audience or "lay"
        said.append(realised(saliency, chosen, audience=audience_of, tone=plan.tone, seed=number, max_words=60).text)
    return said


def print_samples(count: int, seed: int) -> None:
    other = load("benchmarks/compose.py")
    rng = np.random.default_rng(seed)
    planners = [other.by_sides, other.by_rank, other.at_random]
    print(f"\n{count} composed texts")
    for number in range(count):
        saliency = other.random_map(rng, 2 * number + 1 if number % 5 else 10 * number + 8)
        menu = menu_of(saliency)
        plan = Plan.model_validate(planners[number % 3](menu, rng))
        made = realised(
            saliency, chosen_of(plan, menu), audience=plan.audience or "lay", tone=plan.tone, seed=number, max_words=60
        )
        print(f"- ({plan.audience or 'lay'}) {made.text}")


def share_of(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def main(count: int, share: float, seed: int, samples: int) -> None:
    maps = random_maps(count, seed)
    peer, lying = load("benchmarks/verbalize.py"), load("tests/verbalize/lying_model.py")
    repaired = free(lying.LyingModel(share, repents=True, seed=seed)).narrate_all(maps)
    unmoved = free(lying.LyingModel(share, seed=seed)).narrate_all(maps)
    texts = {
        "template, plain": [TemplateVerbalizer().verbalize(saliency).text for saliency in maps],
        "template, smv": [TemplateVerbalizer(style="smv").verbalize(saliency).text for saliency in maps],
        "published, as published": [published_text(peer, saliency) for saliency in maps],
        "lying model, unchecked": [made.drafts[0] for made in unmoved],
        "lying model, narrator": [made.text for made in unmoved],
        "  the same, if it mends its drafts": [made.text for made in repaired],
        "composed": composed_texts(maps, seed),
    }
    print(f"{count} maps of {len(KINDS)} kinds; the model lies in {share:.0%} of its sentences\n")
    print_tables(texts, maps)
    for name, results in (("lying model, narrator", unmoved), ("  the same, if it mends its drafts", repaired)):
        outcomes = Counter(str(made.outcome) for made in results)
        print(f"\n{name}: " + ", ".join(f"{number} {outcome}" for outcome, number in outcomes.most_common()), end="")
    print()
    styles = {"template, plain": texts["template, plain"], "free, unchecked": texts["lying model, unchecked"]}
    styles |= {f"composed, {audience}": composed_texts(maps, seed, audience=audience) for audience in AUDIENCES}
    print_style(styles)
    if samples:
        print_samples(samples, seed)


def free(author: Any) -> Narrator:
    return Narrator(InProcess(author=author), style="free", repairs=1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--maps", type=int, default=500)
    parser.add_argument("--share", type=float, default=0.4, help="share of the model's sentences that are lies")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=0, help="how many composed texts are printed for eyes")
    parser.add_argument("--quick", action="store_true", help="60 maps")
    arguments = parser.parse_args()
    maps = 60 if arguments.quick else max(arguments.maps, len(KINDS))
    main(maps, arguments.share, arguments.seed, arguments.samples)
