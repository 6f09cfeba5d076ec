"""A scripted author that lies in a known share of its sentences: what it says is decided by the request, not by chance of timing.

Beside each sentence it states claims, as free prose is asked for: those of the sentence, or, beside some lies, true ones.
"""

import hashlib
import json
import random
import re

LIES = ("sign", "rank", "number", "made-up word", "label")


def data_of(request):
    """The data block of the first user message: what a model would see of the map."""
    asked = next(m["content"] for m in request.messages if m["role"] == "user")
    text = asked if isinstance(asked, str) else asked[0]["text"]
    return json.loads(re.search(r"<data>\n(.*)\n</data>", text, re.DOTALL)[1].replace("<\\/", "</"))


class LyingModel:
    """Writes three sentences about a map, each a lie with probability `share`, and remembers each lie it told.

    `repents` says whether a draft that was sent back is answered with the truth.
    """

    def __init__(self, share=0.5, *, repents=False, seed=0):
        self.share, self.repents, self.seed = share, repents, seed
        self.lies = []  # (sentence, kind)

    def __call__(self, request):
        words = data_of(request)["words as [number, word, score]"]
        sent_back = sum(m["role"] == "assistant" for m in request.messages)
        key = hashlib.sha256(json.dumps([self.seed, words, sent_back]).encode()).digest()
        rng = random.Random(key)
        share = 0.0 if self.repents and sent_back else self.share
        sentences = []
        for _ in range(3):
            if rng.random() < share:
                kind = rng.choice(LIES)
                lie = self.lie(kind, words, rng)
                if lie:
                    sentence, claim = lie
                    self.lies.append((sentence, kind))
                    pretended = self.truth(words, rng)[1]
                    sentences.append((sentence, claim if rng.random() < 0.5 else pretended))
                    continue
            sentences.append(self.truth(words, rng))
        return json.dumps({"sentences": [{"text": text, "claims": [claim]} for text, claim in sentences]})

    def truth(self, words, rng):
        number, word, score = rng.choice([one for one in words if one[2]])
        verb = rng.choice(["speaks for", "supports"]) if score > 0 else rng.choice(["speaks against", "counts against"])
        claim = {"kind": "supports" if score > 0 else "opposes", "part": [number]}
        return f"The word '{word}' {verb} the answer 'positive'.", claim

    def lie(self, kind, words, rng):
        positive, negative = [one for one in words if one[2] > 0], [one for one in words if one[2] < 0]
        total = sum(score for _, _, score in positive)
        if kind == "sign" and negative:
            number, word, _ = rng.choice(negative)
            sentence = rng.choice(
                [
                    f"'{word}' supports the prediction 'positive'.",
                    f"The word '{word}' contributes to 'positive'.",
                    f'"{word}" has a high positive score.',
                ]
            )
            return sentence, {"kind": "supports", "part": [number]}
        if kind == "rank" and len(positive) > 1:
            low, top = min(positive, key=lambda one: one[2]), max(positive, key=lambda one: one[2])
            if low[2] < top[2]:
                return rng.choice(
                    [
                        (
                            f"'{low[1]}' is the most important word for 'positive'.",
                            {"kind": "most_important", "part": [low[0]]},
                        ),
                        (f"The most salient word is '{low[1]}'.", {"kind": "most_important", "part": [low[0]]}),
                        (
                            f"'{low[1]}' matters more than '{top[1]}'.",
                            {"kind": "more_important_than", "part": [low[0]], "other": [top[0]]},
                        ),
                    ]
                )
        if kind == "number" and positive:
            number, word, score = rng.choice(positive)
            wrong = (round(100 * score / total) + rng.choice([13, 29])) % 100
            sentence = rng.choice(
                [
                    f"'{word}' holds {wrong}% of the evidence for 'positive'.",
                    f"'{word}' accounts for {wrong} per cent of the evidence for 'positive'.",
                ]
            )
            return sentence, {"kind": "share", "part": [number], "value": wrong / 100}
        if kind == "made-up word":
            sentence = rng.choice(
                ["The word 'zyzzyva' speaks for 'positive'.", "'masterpieces' and similar words drive the prediction."]
            )
            return sentence, {"kind": "supports", "part": None}
        if kind == "label" and positive:
            number, word, _ = rng.choice(positive)
            sentence, label = rng.choice(
                [
                    (f"'{word}' speaks for 'negative'.", "negative"),
                    (f"The word '{word}' indicates the label 'sports'.", "sports"),
                    ("The model predicted 'negative'.", "negative"),
                ]
            )
            return sentence, {"kind": "supports", "part": [number], "label": label}
        return None
