"""Two audits compared, rules on them, and shards merged."""

from __future__ import annotations

from dataclasses import replace

from parameters.harness import case, later, record

from adversarial.audit import AuditStore, ImageRecord
from adversarial.audit.comparing import Interval, Measurement, compare_audits, read_rule

FACE = "adversarial.audit.comparing"
WAIT = ImageRecord(id=1, name="a", path="a.png", label=0, predicted=0, norm="l0", pixels="1")


def audit(tools, name, distances, **settings):
    """An audit of images with adversarial examples at these distances; None for an image without one."""
    folder = tools.folder / name
    if folder.exists():
        return folder
    with AuditStore(folder, write=True) as store:
        store.tell(
            format=1, saywhy="1", settings={"distance": "l0", "budget": 100, "folder": "/", **settings}, class_names=None
        )
        for number, far in enumerate(distances, 1):
            trace = () if far is None else ((10, far),)
            one = replace(
                WAIT, id=number, name=f"i{number}", path=f"{name if settings else 'i'}{number}.png", pixels=str(number),
                status="held" if far is None else "found", distance=far, trace=trace,
            )  # fmt: skip
            store.write(one)
    return folder


def first(tools):
    return audit(tools, "first", [3.0, 8.0, None, None, 5.0, 7.0])


def second(tools):
    return audit(tools, "second", [1.0, 8.0, 2.0, None, 9.0, 6.0])


def told(comparison, tools, arguments):
    """What was measured."""
    return [one.to_dict() for one in comparison.measurements]


case(
    f"{FACE}.compare_audits",
    {"before": later(first), "after": later(second)},
    told,
    before=later(second),
    after=later(first),
    seed=1,
)


def compared(tools):
    return compare_audits(first(tools), second(tools))


def without_folders(text, tools):
    return text.replace(str(tools.folder), "")


RULES = ["robust_accuracy@l0=5 drops by 0.02", "found falls below 1"]
case(f"{FACE}.AuditComparison.judge", {"self": later(compared), "rule": RULES[0]}, rule=RULES[1])
case(f"{FACE}.AuditComparison.judge_all", {"self": later(compared), "rules": RULES[:1]}, rules=RULES)
for name in ("comparison_text", "comparison_record"):
    case(
        f"{FACE}.{name}",
        {"comparison": later(compared)},
        lambda made, tools, arguments: without_folders(str(made), tools),
        comparison=later(lambda tools: compare_audits(second(tools), first(tools))),
        verdicts=later(lambda tools: [compared(tools).judge(RULES[0])]),
    )
case(f"{FACE}.read_rule", {"text": RULES[0]}, text=RULES[1])
case(
    f"{FACE}.merge_audits",
    {
        "shards": later(lambda tools: [audit(tools, "a", [1.0], label="x"), audit(tools, "b", [2.0], label="x")]),
        "out": later(lambda tools: tools.folder / "all"),
    },
    lambda outcome, tools, arguments: (outcome, sorted(path.name for path in tools.folder.iterdir())),
    shards=later(lambda tools: [audit(tools, "a", [1.0], label="x"), audit(tools, "c", [2.0, 3.0], label="x")]),
    out=later(lambda tools: tools.folder / "other"),
)
record(f"{FACE}.Interval", {"value": 1.0, "low": 0.0, "high": 2.0}, value=1.5, low=0.5, high=2.5)
MEASURED = {
    "metric": "found", "unit": "count", "images": 3, "before": Interval(1), "after": Interval(2), "difference": Interval(1),
    "rises": 1, "falls": 0, "p": 1.0, "methods": ("a",),
}  # fmt: skip
record(
    f"{FACE}.Measurement",
    MEASURED,
    metric="failed",
    unit="share",
    images=4,
    before=Interval(0),
    after=Interval(3),
    difference=Interval(2),
    rises=2,
    falls=1,
    p=0.5,
    methods=("b",),
    note="so",
    doubt="perhaps",
)
record(
    f"{FACE}.MergeOutcome",
    {"images": 3, "repeated": 0, "waiting": 0, "failed": 0, "renamed": 0, "releases": ("1",)},
    images=4,
    repeated=1,
    waiting=1,
    failed=1,
    renamed=1,
    releases=("2",),
    alike=1,
)
RULE = read_rule(RULES[0])
record(
    f"{FACE}.Rule",
    {"text": "a", "metric": RULE.metric, "change": "drops"},
    text="b",
    metric=read_rule(RULES[1]).metric,
    change="rises",
    amount=1.0,
    percent=True,
    significantly=True,
    any_image=True,
)
record(
    f"{FACE}.RuleVerdict",
    {"rule": "a", "holds": True, "why": "b"},
    rule="c",
    holds=False,
    why="d",
    measurement=Measurement(**MEASURED),
)
record(
    f"{FACE}.AuditComparison",
    {
        "audits": 0, "pairing": None, "settings": (), "measurements": (),
        "unmeasured": (), "fragile": (), "better": (),
    },
    audits=None,
    pairing=1,
    settings=(1,),
    measurements=(1,),
    unmeasured=("a",),
    fragile=(1,),
    better=(1,),
)  # fmt: skip
