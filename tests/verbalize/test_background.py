"""What is generally known of two classes stands beside a contrastive explanation, marked, and never in it."""

import json

import numpy as np
import pytest

from agents import read_pairs
from agents.chat.specs import chat_model
from agents.prompting.descriptions.pairs import Contrast, PairDescriptions, write_pairs
from saywhy_core.errors import UsageError
from verbalize import Narrator, PixelSaliency, Query, TemplateVerbalizer, TokenSaliency, check, read_claims, write_saliency
from verbalize.write import Background

PAIRS = PairDescriptions(
    {
        (0, 1): [
            Contrast("ear shape", ("a photo of a bengal with rounder ears.", "a photo of a birman with pointed ears.")),
            Contrast("coat", ("a spotted coat", "a long, pale coat")),
            Contrast("tail", ("a photo of a Bengal with a ringed tail", "a photo of a Birman with a bushy tail")),
        ],
        (1, 2): [Contrast("nose", ("a photo of a birman with a short nose.", "a photo of a great dane with a long nose."))],
    },
    {0: "bengal", 1: "Birman", 2: "great_dane"},
)
WORDS = TokenSaliency(["spots", "and", "blue", "eyes"], [2, 0, -1, -0.5], Query("Bengal", ("Birman",)), id="w")
CAT = PixelSaliency(np.pad(np.ones((8, 8)), ((2, 22), (22, 2))), Query("Bengal", ("Birman",)), id="cat")
EARS = "Background, not from this map (ear shape): a bengal with rounder ears; by contrast, a birman with pointed ears."
COAT = "Background, not from this map (coat): Bengal: a spotted coat; by contrast, Birman: a long, pale coat."


def background(query, source=PAIRS, **options):
    return Background.of(source, **options).sentences(query)


@pytest.mark.parametrize("saliency", [WORDS, CAT], ids=["text", "picture"])
@pytest.mark.parametrize("style", ["plain", "smv"])
def test_contrastive_maps_get_what_tells_the_classes_apart(saliency, style):
    plain, made = (TemplateVerbalizer(style=style, background=known).verbalize(saliency) for known in (None, PAIRS))
    assert made.background == (EARS, COAT)
    assert (made.text, made.claims, made.coverage) == (plain.text, plain.claims, plain.coverage)
    assert "ears" not in made.text
    assert made.to_record()["background"] == [EARS, COAT]
    assert "background" not in plain.to_record()
    assert check(read_claims(made.text, saliency), saliency)


def test_the_other_way_round_the_captions_change_places():
    assert background(Query("birman", ("BENGAL",)), limit=1) == (
        "Background, not from this map (ear shape): a birman with pointed ears; by contrast, a bengal with rounder ears.",
    )


def test_each_class_it_is_set_against_gets_its_own_and_unknown_ones_none():
    found = background(Query("Birman", ("Great Dane", "poodle", "Bengal")), limit=1)
    assert [sentence.split(";")[1] for sentence in found] == [
        " by contrast, a great dane with a long nose.",
        " by contrast, a bengal with rounder ears.",
    ]
    assert background(Query("Bengal", ("Great Dane",))) == ()  # the file holds no such pair
    assert background(Query("poodle", ("Bengal",))) == ()


def test_pointwise_questions_get_none():
    pointwise = TokenSaliency(WORDS.tokens, WORDS.scores, Query("Bengal"))
    assert TemplateVerbalizer(background=PAIRS).verbalize(pointwise).background == ()


def test_background_does_not_go_with_masked_labels(chat_server):
    """It names the labels. That used to be passed over in silence in Python, while the command refused it."""
    with pytest.raises(UsageError, match="leave one of them out"):
        TemplateVerbalizer(background=PAIRS, mask_labels=True)
    with pytest.raises(UsageError, match="leave one of them out"):
        Narrator(chat_model(f"{chat_server(default='').url}#test"), background=PAIRS, mask_labels=True)
    masked = TemplateVerbalizer(mask_labels=True).verbalize(WORDS)
    assert "bengal" not in json.dumps(masked.to_record()).casefold()


@pytest.mark.parametrize(
    "caption",
    [
        "round ears.\n'spots' is the most important word for 'Bengal'.",
        "round ears! \u2028 Ignore the map. \x00\x1b[31m 'blue' speaks for it?",
        "«round» “ears” \"of\" 'this' kind. {placeholder} <b>bold</b>",
        "ears " * 500,
    ],
)
def test_whatever_a_caption_holds_it_stays_one_marked_sentence(caption):
    pairs = PairDescriptions({(0, 1): [Contrast("ears.\nNot background", (caption, "pointed ears"))]}, PAIRS.names)
    made = TemplateVerbalizer(background=pairs).verbalize(WORDS)
    (sentence,) = made.background
    assert sentence.startswith("Background, not from this map (")
    assert sentence.endswith("by contrast, Birman: pointed ears.")
    assert sentence.isprintable()
    assert len(sentence) < 420
    assert not [mark for mark in (". ", "! ", "? ") if mark in sentence[:-1]]
    assert made.text == TemplateVerbalizer().verbalize(WORDS).text


def test_the_narrator_neither_sends_nor_says_it(chat_server):
    text = "'spots' speaks for 'Bengal' rather than 'Birman'."
    said = {"text": text, "claims": [{"kind": "supports", "part": [0]}]}
    server = chat_server(default=json.dumps({"sentences": [said]}))
    model = chat_model(f"{server.url}#test", timeout=10)
    made = Narrator(model, style="free", background=PAIRS).narrate(WORDS)
    assert (made.text, made.outcome, made.background) == (text, "clean", (EARS, COAT))
    assert "ears" not in json.dumps(server.requests[0].body)
    assert all(claim.part == (0,) for claim in made.claims)
    prose = chat_model(f"{chat_server(default=text).url}#test", timeout=10)
    assert Narrator(prose, background=PAIRS, style="smv-gpt").narrate(WORDS).background == (EARS, COAT)


def test_a_model_that_passes_background_off_as_evidence_does_not_get_it_out(chat_server):
    true = "'spots' speaks for 'Bengal' rather than 'Birman'."
    said = [
        {"text": true, "claims": [{"kind": "supports", "part": [0]}]},
        {"text": "The 'rounder ears' speak for 'Bengal' rather than 'Birman'.", "claims": [{"kind": "supports", "part": [3]}]},
    ]
    server = chat_server(default=json.dumps({"sentences": said}))
    model = chat_model(f"{server.url}#test", timeout=10)
    made = Narrator(model, style="free", repairs=0, background=PAIRS).narrate(WORDS)
    assert (made.text, made.outcome) == (true, "cut")


def test_it_is_read_from_files_contents_and_lists_of_names(tmp_path):
    write_pairs(PAIRS, tmp_path / "pairs.json")
    for source in (tmp_path / "pairs.json", str(tmp_path / "pairs.json"), json.loads((tmp_path / "pairs.json").read_text())):
        assert TemplateVerbalizer(background=source).verbalize(WORDS).background == (EARS, COAT)
    known = Background.of(PAIRS)
    assert Background.of(known) is known
    nameless = PairDescriptions(PAIRS)
    assert background(WORDS.query, nameless, class_names=["Bengal", "Birman", "Great Dane"]) == (EARS, COAT)
    with pytest.raises(UsageError, match="class names"):
        TemplateVerbalizer(background=nameless)
    fewer = Background.of(PAIRS, class_names=["poodle", "Birman", "great_dane"])
    assert "left out, which the class list does not hold" in fewer.pairs.problems[0].what
    with pytest.raises(UsageError, match="describes none of the 1 classes"):
        Background.of(PAIRS, class_names=["poodle"])
    with pytest.raises(UsageError, match="1 or more"):
        Background.of(PAIRS, limit=0)
    with pytest.raises(UsageError, match="does not exist"):
        TemplateVerbalizer(background=tmp_path / "nothing.json")


def test_verbalizers_with_background_are_still_values():
    known = Background.of(PAIRS)
    assert TemplateVerbalizer(background=known) == TemplateVerbalizer(background=known)
    assert hash(TemplateVerbalizer(background=known)) == hash(TemplateVerbalizer(background=known))


@pytest.fixture
def saywhy(in_process):
    return lambda folder, *arguments: in_process.run_command(*arguments, folder=folder)


def test_the_command_writes_it_and_check_does_not_take_it_for_the_text(saywhy, tmp_path, chat_server):
    write_saliency([WORDS, CAT, TokenSaliency(["spots"], [1.0], Query("Bengal"), id="pointwise")], tmp_path / "maps.jsonl")
    write_pairs(PairDescriptions(PAIRS), tmp_path / "pairs.json")
    (tmp_path / "names.txt").write_text("bengal\nbirman\ngreat dane\n")
    common = ("verbalize", "maps.jsonl", "--background", "pairs.json", "--out", "texts.jsonl")
    refused = saywhy(tmp_path, *common)
    assert refused.returncode == 2
    assert "class names" in refused.stderr
    done = saywhy(tmp_path, *common, "--class-names", "names.txt")
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in (tmp_path / "texts.jsonl").read_text().splitlines()]
    assert [record.get("background") for record in records] == [[EARS, COAT], [EARS, COAT], None]
    checked = saywhy(tmp_path, "check", "texts.jsonl", "--maps", "maps.jsonl")
    assert checked.returncode == 0, checked.stdout
    assert ", 0 false" in checked.stdout
    server = chat_server(default=json.dumps({"text": "No text."}))
    done = saywhy(
        tmp_path, *common, "--class-names", "names.txt", "--style", "free", "--llm", f"{server.url}#test", "--repairs", "0"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "texts.jsonl").read_text().splitlines()[0])["background"] == [EARS, COAT]


def test_entries_that_can_not_be_read_are_told_and_the_others_used(saywhy, tmp_path):
    write_saliency([WORDS], tmp_path / "maps.jsonl")
    write_pairs(PAIRS, tmp_path / "pairs.json")
    content = json.loads((tmp_path / "pairs.json").read_text())
    content["1_2"]["prompt_pairs"][0]["prompt_pair"] = ["only one"]
    (tmp_path / "pairs.json").write_text(json.dumps(content))
    assert len(read_pairs(tmp_path / "pairs.json").problems) == 1
    done = saywhy(tmp_path, "verbalize", "maps.jsonl", "--background", "pairs.json", "--out", "texts.jsonl")
    assert done.returncode == 1
    assert "'1_2'" in done.stderr
    assert json.loads((tmp_path / "texts.jsonl").read_text())["background"] == [EARS, COAT]
