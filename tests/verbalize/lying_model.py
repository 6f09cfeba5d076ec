"""A scripted author that lies in a known share of its sentences: what it says is decided by the request, not by chance of timing."""

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
        data = data_of(request)
        words = [(word, score) for _, word, score in data["words as [number, word, score]"]]
        sent_back = sum(m["role"] == "assistant" for m in request.messages)
        key = hashlib.sha256(json.dumps([self.seed, words, sent_back]).encode()).digest()
        rng = random.Random(key)
        share = 0.0 if self.repents and sent_back else self.share
        sentences = []
        for _ in range(3):
            if rng.random() < share:
                kind = rng.choice(LIES)
                sentence = self.lie(kind, words, rng)
                if sentence:
                    self.lies.append((sentence, kind))
                    sentences.append(sentence)
                    continue
            sentences.append(self.truth(words, rng))
        return json.dumps({"text": " ".join(sentences), "claims": []})

    def truth(self, words, rng):
        word, score = rng.choice([(w, s) for w, s in words if s])
        verb = rng.choice(["speaks for", "supports"]) if score > 0 else rng.choice(["speaks against", "counts against"])
        return f"The word '{word}' {verb} the answer 'positive'."

    def lie(self, kind, words, rng):
        positive, negative = [(w, s) for w, s in words if s > 0], [(w, s) for w, s in words if s < 0]
        total = sum(s for _, s in positive)
        if kind == "sign" and negative:
            word = rng.choice(negative)[0]
            return rng.choice(
                [
                    f"'{word}' supports the prediction 'positive'.",
                    f"The word '{word}' contributes to 'positive'.",
                    f'"{word}" has a high positive score.',
                ]
            )
        if kind == "rank" and len(positive) > 1:
            low, top = min(positive, key=lambda p: p[1]), max(positive, key=lambda p: p[1])
            if low[1] < top[1]:
                return rng.choice(
                    [
                        f"'{low[0]}' is the most important word for 'positive'.",
                        f"The most salient word is '{low[0]}'.",
                        f"'{low[0]}' matters more than '{top[0]}'.",
                    ]
                )
        if kind == "number" and positive:
            word, score = rng.choice(positive)
            wrong = (round(100 * score / total) + rng.choice([13, 29])) % 100
            return rng.choice(
                [
                    f"'{word}' holds {wrong}% of the evidence for 'positive'.",
                    f"'{word}' accounts for {wrong} per cent of the evidence for 'positive'.",
                ]
            )
        if kind == "made-up word":
            return rng.choice(
                ["The word 'zyzzyva' speaks for 'positive'.", "'masterpieces' and similar words drive the prediction."]
            )
        if kind == "label" and positive:
            word = rng.choice(positive)[0]
            return rng.choice(
                [
                    f"'{word}' speaks for 'negative'.",
                    f"The word '{word}' indicates the label 'sports'.",
                    "The model predicted 'negative'.",
                ]
            )
        return None
