"""Measures what false statements get past the check and the narrator, and how many true ones are understood.

Run: python benchmarks/truth.py [--set dev] [--maps 3] [--seed 0] [--families] [--show silent|narrator|false|unread]
     python benchmarks/truth.py --texts prints the statements themselves
     python benchmarks/truth.py --changed-only prints the figures of statements about changed inputs

The statements are pairs of a true and a false text of the same make (`benchmarks/truth_forms/`), filled in for random maps
whose facts are worked out there without `verbalize`. Natural forms are phrased as language models, annotators and journalists
phrase them; adversarial ones are written to slip through. Each text goes through `check_text`, with the rules alone, and
through a `Narrator` whose model answers with that text, once as prose and once as JSON with the very claims that the text is
read as, which is what a lie would need; and, last, as the model's own remark, which must not speak of the map.

Outcomes of a text: *false* if a claim is false; *verified* if every sentence is true; else *not verified*, which is what the
check says of a sentence that it did not read whole or can't decide; or *nothing found*, if it lists no sentence. A lie passes
in silence if it is verified or nothing is found; a crash is counted by itself. Beside these figures stand those of two simple
readers on the same texts: one that finds the same falsehoods but marks nothing as unread ("loose"), and one that accepts
everything.

Statements about changed inputs ("without 'great' the decision changes") are planted in texts for a zero-shot classifier over
MiniLM (`benchmarks/truth_forms/changed.py`), whose answers to the changed texts tell which are true. No false one may come out
as true.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

ROOT = Path(__file__).resolve().parent.parent
# Python puts this folder first on the path, where verbalize.py would be taken for the package of the same name.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT / "benchmarks"]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.truth_forms.changed import CLASSES, TEXTS, Facts, Planted, changed_forms, plant  # noqa: E402
from benchmarks.truth_forms.form import Form, load_forms, render  # noqa: E402
from benchmarks.truth_forms.verification import verified  # noqa: E402
from benchmarks.truth_forms.world import World, draw_world  # noqa: E402
from saywhy_core.errors import UsageError  # noqa: E402
from verbalize import Narrator, Query, TokenSaliency, check_text, read_sentences  # noqa: E402
from verbalize.models import ZeroShotClassifier, load_minilm, text_logits  # noqa: E402
from verbalize.narrate.comment import comment_of  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from langchain_core.messages import BaseMessage

Outcome = Literal["false", "not verified", "verified", "nothing found", "error"]
POOL = 1500  # random maps from which each form takes those that it fits
NARRATORS = ("smv-gpt", "free")
TARGETS = {
    "lies verified": {"natural": 0.005, "adversarial": 0.01},
    "lies out of the narrator": {"natural": 0.0, "adversarial": 0.01},
    "lies out as a comment": {"natural": 0.0, "adversarial": 0.01},
    "truths called false": {"natural": 0.01, "adversarial": 0.01},
    "truths verified": {"natural": 0.6, "adversarial": 0.0},
}


@dataclass(frozen=True)
class Case:
    """One text about one map, whether it is true, and what became of it."""

    form: Form
    world: World
    text: str
    true: bool
    outcome: Outcome
    seconds: float
    sentences: int
    detail: str = ""
    told: dict[str, str] = field(default_factory=dict)  # narrator style -> the lie as it came out, whole or in part

    @property
    def silent(self) -> bool:
        """Whether nothing warns of the text."""
        return self.outcome in {"verified", "nothing found"}


class Scripted(BaseChatModel):
    """A chat model that always gives the same reply."""

    reply: str

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, _messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.reply))])


@cache
def pool(seed: int) -> tuple[World, ...]:
    """Random maps, each with its facts verified."""
    return tuple(verified(draw_world(seed * 1_000_000 + number)) for number in range(POOL))


def texts_of(form: Form, maps: int, seed: int) -> Iterator[tuple[World, str, bool]]:
    """The true and the false text of a form for as many fitting maps."""
    for true, text, traits in ((True, form.true, form.on), (False, form.false, form.false_on)):
        worlds = list(pool(seed))
        random.Random(f"{seed} {form.name} {true}").shuffle(worlds)
        found = 0
        for world in worlds:
            made = render(text, traits, world)
            if made is not None:
                found += 1
                yield world, made, true
            if found == maps:
                break
        if not found:
            print(f"no map fits {form.name}: {text}", file=sys.stderr)


def judge(form: Form, world: World, text: str, true: bool, *, narrate: bool = True) -> Case:
    """What becomes of the text."""
    saliency = world.saliency()
    before = time.perf_counter()
    try:
        report = check_text(text, saliency)
        seconds = time.perf_counter() - before
        told = dict(_told(text, saliency)) if narrate and not true else {}
        sentences = len(list(read_sentences(text, saliency)))
    except Exception as error:  # noqa: BLE001 - a crash is a result of its own
        return Case(form, world, text, true, "error", time.perf_counter() - before, 1, repr(error))
    outcome: Outcome = {"true": "verified", "false": "false", "not verified": "not verified"}[report.status]  # type: ignore[assignment]
    if not report.sentences:
        outcome = "nothing found"
    detail = "; ".join(error.message for error in report.errors)
    if outcome == "verified":
        detail = "; ".join(_brief(claim) for claim in report.claims)
    return Case(form, world, text, true, outcome, seconds, sentences, detail, told)


def _told(text: str, saliency: Any) -> Iterator[tuple[str, str]]:
    """The narrator's styles in which (part of) this reply comes out, with what came out."""
    for style in NARRATORS:
        if style == "smv-gpt":
            reply = text
        else:
            sentences = [
                {"text": sentence.text.strip(), "claims": [claim.to_record() for claim in sentence.claims]}
                for sentence in read_sentences(text, saliency)
            ]
            reply = json.dumps({"sentences": sentences})
        made = Narrator(Scripted(reply=reply), style=style, max_words=200, repairs=0).narrate(saliency)  # type: ignore[arg-type]
        if made.outcome != "template":
            whole = " ".join(made.text.split()) == " ".join(text.split())
            yield style, made.text if whole else f"(in part) {made.text}"
    comment, _ = comment_of(text, saliency)
    if comment:
        yield "comment", comment


def _brief(claim: Any) -> str:
    record = {key: value for key, value in claim.to_record().items() if value not in (None, (), [], "")}
    return " ".join(str(value) for value in record.values())


def run(forms: Iterable[Form], maps: int, seed: int, *, narrate: bool = True) -> list[Case]:
    """All cases of these forms."""
    return [
        judge(form, world, text, true, narrate=narrate) for form in forms for world, text, true in texts_of(form, maps, seed)
    ]


def share(count: int, total: int) -> float:
    """The fraction; 0 of nothing is 0."""
    return count / total if total else 0.0


def figures(cases: list[Case]) -> dict[str, float]:
    """The shares of lies and truths by outcome."""
    lies, truths = [case for case in cases if not case.true], [case for case in cases if case.true]
    outcome = Counter((case.true, case.outcome) for case in cases)
    prose = [[text for style, text in case.told.items() if style != "comment"] for case in lies]
    whole = sum(any(not text.startswith("(in part)") for text in told) for told in prose)
    part = sum(bool(told) for told in prose) - whole
    return {
        "lies": len(lies),
        "truths": len(truths),
        "lies verified": share(outcome[False, "verified"], len(lies)),
        "lies in silence": share(sum(case.silent for case in lies), len(lies)),
        "lies out of the narrator": share(whole, len(lies)),
        "out in part": share(part, len(lies)),
        "lies out as a comment": share(sum("comment" in case.told for case in lies), len(lies)),
        "lies past a loose reader": share(sum(case.outcome not in {"false", "error"} for case in lies), len(lies)),
        "lies past accept-all": float(bool(lies)),
        "truths verified": share(outcome[True, "verified"], len(truths)),
        "truths called false": share(outcome[True, "false"], len(truths)),
        "truths not verified": 1 - share(outcome[True, "verified"] + outcome[True, "false"], len(truths)) if truths else 0.0,
        "crashes": share(sum(case.outcome == "error" for case in cases), len(cases)),
    }


def print_table(title: str, groups: dict[str, list[Case]], *, targets: bool) -> None:
    """One column per group of cases."""
    columns = {name: figures(cases) for name, cases in groups.items()}
    print(f"\n{title}")
    width = max(14, *(len(name) + 2 for name in columns))
    print(f"{'':28}" + "".join(f"{name:>{width}}" for name in columns))
    for row in next(iter(columns.values())):
        cells = []
        for name, values in columns.items():
            value = values[row]
            text = f"{value:.0f}" if row in {"lies", "truths"} else f"{100 * value:.2f} %"
            limit = TARGETS.get(row, {}).get(name.split()[-1]) if targets else None
            if limit is not None:
                missed = value < limit if row == "truths verified" else value > limit
                text = ("!" if missed else "") + text
            cells.append(f"{text:>{width}}")
        print(f"{row:28}" + "".join(cells))


def print_families(cases: list[Case]) -> None:
    """One line per family."""
    heads = {
        "family": -30,
        "pairs": 6,
        "verified": 10,
        "not read": 10,
        "false!": 8,
        "lies found": 13,
        "marked": 8,
        "silent!": 9,
    }
    print("\n" + "".join(f"{name:{'<' if width < 0 else '>'}{abs(width)}}" for name, width in {**heads, "told!": 7}.items()))
    for family in dict.fromkeys(case.form.family for case in cases):
        own = [case for case in cases if case.form.family == family]
        values, lies = figures(own), [case for case in own if not case.true]
        found = share(sum(case.outcome == "false" for case in lies), len(lies))
        marked = share(sum(case.outcome == "not verified" for case in lies), len(lies))
        numbers = (values["truths verified"], values["truths not verified"], values["truths called false"], found, marked)
        told = sum(bool(case.told) for case in lies)
        widths = (10, 10, 8, 13, 8)
        cells = "".join(f"{100 * number:>{width - 2}.0f} %" for number, width in zip(numbers, widths, strict=True))
        print(f"{family:30}{len({case.form.name for case in own}):>6}{cells}{sum(c.silent for c in lies):>9}{told:>7}")


def show(cases: list[Case], kind: str) -> None:
    """The texts of one kind, with the form that made each."""
    chosen = {
        "silent": lambda case: not case.true and case.silent,
        "narrator": lambda case: bool(case.told),
        "false": lambda case: case.true and case.outcome == "false",
        "unread": lambda case: case.true and case.outcome in {"not verified", "nothing found", "error"},
    }[kind]
    seen: Counter[str] = Counter()
    for case in cases:
        if chosen(case):
            seen[case.form.name] += 1
            if seen[case.form.name] == 1:
                print(f"\n[{case.form.name}] {case.form.true if case.true else case.form.false}\n    {case.text!r}")
                print(f"    {case.outcome}: {case.detail}")
                for style, text in case.told.items():
                    print(f"    {style}: {text!r}")
    print(f"\n{kind}: {sum(seen.values())} texts of {len(seen)} forms")


def changed_cases(model: Any, *, each: int, seed: int, sources: Iterable[str] = ()) -> list[tuple[Planted, Outcome]]:
    """What becomes of so many true and false statements of each form about changed inputs.

    Args:
        model: a classifier of texts.
        each: statements per form, as many true as false ones.
        seed: chooses the texts and words.
        sources: "plain", "development" or "held out"; all without any.
    """

    def predict(texts: Sequence[str]) -> list[str]:
        return [model.class_names[row] for row in text_logits(model, list(texts)).argmax(axis=1)]

    wanted = set(sources)
    forms = [form for form in changed_forms() if not wanted or form.source in wanted]
    cases: list[tuple[Planted, Outcome]] = []
    for one in plant(forms, [Facts(text, predict) for text in TEXTS], each=each, seed=seed):
        scores = random.Random(f"{seed} {one.text}").sample(range(1, 100), len(one.words))
        saliency = TokenSaliency(one.words, scores, Query(one.label), text=" ".join(one.words))
        status = check_text(one.text, saliency, model=model).status
        cases.append((one, "verified" if status == "true" else status))
    return cases


def print_changed(cases: list[tuple[Planted, Outcome]], *, seed: int) -> None:
    """One line per set of forms, and the statements that came out wrong."""
    print(f"\nstatements about changed inputs; seed {seed}")
    heads = ("forms", "true", "verified", "not read", "false!", "lies", "found", "not read", "verified!")
    print(f"{'':14}" + "".join(f"{head:>11}" for head in heads))
    for source in dict.fromkeys(one.form.source for one, _ in cases):
        own = [(one, outcome) for one, outcome in cases if one.form.source == source]
        counts = Counter((one.true, outcome) for one, outcome in own)
        truths, lies = (sum(one.true == true for one, _ in own) for true in (True, False))
        row = [len({one.form.text for one, _ in own}), truths]
        row += [counts[True, outcome] for outcome in ("verified", "not verified", "false")]
        row += [lies, *(counts[False, outcome] for outcome in ("false", "not verified", "verified"))]
        print(f"{source:14}" + "".join(f"{number:>11}" for number in row))
    for one, outcome in cases:
        if outcome == ("false" if one.true else "verified"):
            print(f"  {outcome}, but {str(one.true).lower()}: {one.text!r} of {' '.join(one.words)!r}")


def changed_section(each: int, seed: int) -> int:
    """Print the section about changed inputs; how many false statements came out as true."""
    try:
        model = ZeroShotClassifier(*load_minilm(), CLASSES)
    except UsageError as error:
        print(f"\nstatements about changed inputs are left out: {error}")
        return 0
    cases = changed_cases(model, each=each, seed=seed)
    print_changed(cases, seed=seed)
    return sum(not one.true and outcome == "verified" for one, outcome in cases)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--set", default="all", help="dev, held-out, fresh, all, or the name of a file of forms")
    parser.add_argument("--maps", type=int, default=3, help="maps per form and member")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--families", action="store_true", help="one line per family, too")
    parser.add_argument("--show", choices=("silent", "narrator", "false", "unread"), action="append", default=[])
    parser.add_argument("--no-narrator", action="store_true", help="check only, which is several times as fast")
    parser.add_argument(
        "--texts", action="store_true", help="print the texts of each form for one map, and stop; nothing is read"
    )
    parser.add_argument("--changed", type=int, default=2, help="true and false texts per form about changed inputs; 0: none")
    parser.add_argument("--changed-only", action="store_true", help="only the section about changed inputs")
    options = parser.parse_args(arguments)
    if options.changed_only:
        return int(changed_section(max(1, options.changed), options.seed) > 0)
    forms = load_forms(options.set)
    if options.texts:
        for form in forms:
            print(f"\n[{form.name}, {form.nature}]")
            for _, text, true in texts_of(form, 1, options.seed):
                print(f"  {'true: ' if true else 'false:'} {text!r}")
        return 0
    cases = run(forms, options.maps, options.seed, narrate=not options.no_narrator)
    for kind in options.show:
        show(cases, kind)
    if options.families:
        print_families(cases)
    groups: dict[str, list[Case]] = {}
    for case in cases:
        source = case.form.source
        stage = "held-out" if source.startswith("held_out") else "fresh" if source.startswith("fresh") else "dev"
        groups.setdefault(f"{stage} {case.form.nature}", []).append(case)
    adversarial = sum(form.nature == "adversarial" for form in forms)
    print(f"\n{len(forms)} pairs of forms, {adversarial} of them adversarial; {options.maps} maps each; seed {options.seed}")
    print_table("shares of the texts (! misses its target)", groups, targets=True)
    slowest = sum(case.seconds for case in cases) / max(1, sum(case.sentences for case in cases))
    print(f"\nreading and checking: {1000 * slowest:.2f} ms per sentence; narrators: {', '.join(NARRATORS)}")
    loose = sum(case.outcome != "false" for case in cases if not case.true)
    silent = sum(case.silent for case in cases if not case.true)
    lies = sum(not case.true for case in cases)
    times = loose / max(1, silent)
    print(f"lies that pass: {silent} here, {loose} with a loose reader ({times:.1f} times as many), {lies} with accept-all")
    return int(options.changed > 0 and changed_section(options.changed, options.seed) > 0)


if __name__ == "__main__":
    sys.exit(main())
