"""Whose answers look odd: scripted participants are told apart, and attentive people are left alone."""

import json
from collections import Counter, defaultdict
from random import Random

import pytest

from evals.study import Answers, Item, Participant, Stimulus, open_study
from evals.study.flow import judge, steps_for
from evals.study.quality import FLAGS, flags
from evals.study.simulated.kind import PARTICIPANTS, Page, Reply

GOOD, BAD = ("great", "lovely", "superb"), ("awful", "dull", "poor")


def write(folder, *, items=30, kind="latin"):
    """Texts whose most important word suggests the model's label, but for every fifth, where it suggests the other one."""
    folder.mkdir()
    (folder / "study.yaml").write_text(
        "title: Guess\nlabels: [negative, positive]\nconditions:\n  - {name: heatmap, kind: heatmap}\n  - {name: words, kind: none}\n"
        f"design: {{kind: {kind}, items: {items}, participants: 100}}\npractice: {{items: 0}}\n"
        "tasks:\n  - {name: simulation, kind: simulation}\n  - {name: helpfulness, kind: rating}\n"
        "attention: [{name: blue, after: 3, question: Choose blue., options: [red, blue], answer: blue}]\n"
    )
    with (folder / "items.jsonl").open("w") as stream:
        for number in range(items):
            good = Random(number).random() < 0.5
            label = ("positive", "negative")[good is (number % 5 == 0)]
            word = (GOOD if good else BAD)[number % 3]
            text = f"The film was {word} and number {number}"
            shown = Stimulus(f"<p>{text}</p>", text, word)
            item = Item(
                id=f"item-{number}", form="text", input=Stimulus(f"<p>{text}</p>", text), predicted=label, true=label,
                labels=("negative", "positive"), stimuli={"heatmap": shown, "words": shown},
            )  # fmt: skip
            stream.write(json.dumps(item.to_record()) + "\n")
    return open_study(folder)


def attentive(skill):
    """Somebody who is right with this probability, at an ordinary pace, and rates as people do."""

    def answer(pages):
        replies = []
        for page in pages:
            given = {}
            for question in page.step.questions:
                if question.kind == "rating":
                    given[question.name] = page.random.choice((3, 4, 4, 5, 5, 6))
                elif question.name in page.step.answers:
                    given[question.name] = page.step.answers[question.name]
                else:
                    right = page.study.items[page.step.item].predicted
                    other = next(value for value, _ in question.options if value != right)
                    given[question.name] = right if page.random.random() < skill else other
            replies.append(Reply(given, page.random.uniform(6, 30)))
        return replies

    return answer


def taken(study, answers_of):
    """(name, how many, who answers) as answers, with the places of the participants."""
    rows, people, places = [], {}, {}
    for name, count, answer in answers_of:
        for number in range(count):
            code, seed = f"{name}-{number}", len(people)
            cell = study.cells[len(people) % len(study.cells)]
            people[code], places[code] = Participant(code=code, cell=cell.name), (cell.name, seed)
            chance = Random(code)
            for step in steps_for(study, cell, seed):
                page = Page(shown=step.to_record(), step=step, study=study, seed=seed, random=chance, code=code)
                reply = answer([page])[0]
                rows += judge(study, step, reply.responses, participant=code, seed=seed, seconds=reply.seconds).rows
    return Answers(tuple(rows), people), places


def counted(found):
    counts = defaultdict(Counter)
    for code, given in found.items():
        counts[code.rpartition("-")[0]].update(flag.name for flag in given)
    return counts


SCRIPTED = ("perfect", "random", "position", "speeding", "top-word")


@pytest.mark.parametrize(
    ("each", "people"), [(1, 0), pytest.param(4, 0, marks=pytest.mark.long), pytest.param(2, 20, marks=pytest.mark.long)]
)
def test_the_scripted_participants_are_told_apart(tmp_path, each, people):
    study = write(tmp_path / "study", items=40)
    crowd = [(name, each, PARTICIPANTS.get(name).answer) for name in SCRIPTED] + [("people", people, attentive(0.8))]
    answers, places = taken(study, crowd)
    found = counted(flags(answers, study, places))
    assert found["perfect"] == {}
    assert found["people"] == {}
    assert found["random"]["random"] == each
    assert set(found["random"]) == {"random"}
    assert found["speeding"]["speeding"] == each
    assert set(found["speeding"]) <= {"speeding", "random"}
    assert found["position"]["position bias"] == each
    assert found["position"]["straight-lining"] == each
    assert found["top-word"] == {"top word only": each}


@pytest.mark.long
@pytest.mark.parametrize("skill", [0.55, 0.7, 0.85, 0.97])
def test_attentive_people_are_hardly_ever_flagged(tmp_path, skill):
    study = write(tmp_path / "study", items=40)
    answers, places = taken(study, [("people", 200, attentive(skill))])
    found = flags(answers, study, places)
    assert len(found) <= 4, {code: [flag.detail for flag in given] for code, given in found.items()}


def test_failed_attention_checks_are_counted(tmp_path):
    study = write(tmp_path / "study")
    careless = attentive(0.8)
    answers, places = taken(study, [("good", 3, careless), ("bad", 1, lambda pages: [fail(page, careless) for page in pages])])
    found = flags(answers, study, places)
    assert {code: [(flag.name, flag.detail) for flag in given] for code, given in found.items()} == {
        "bad-0": [("failed attention", "1 of 1 attention checks failed")]
    }


def fail(page, otherwise):
    return Reply({"blue": "red"}, 5.0) if page.step.phase == "attention" else otherwise([page])[0]


def test_without_the_study_all_but_the_most_important_word_is_looked_at(tmp_path):
    study = write(tmp_path / "study", items=40)
    answers, _ = taken(study, [(name, 2, PARTICIPANTS.get(name).answer) for name in SCRIPTED])
    found = counted(flags(answers))
    assert found["position"]["position bias"] == 2
    assert found["random"]["random"] == 2
    assert not any("top word only" in names for names in found.values())


def test_flags_of_nobody(tmp_path):
    study = write(tmp_path / "study")
    assert flags(Answers((), {}), study) == {}
    answers, places = taken(study, [("one", 1, attentive(0.5))])
    assert set(flags(answers, study, places).get("one-0", [])) <= set(FLAGS)
