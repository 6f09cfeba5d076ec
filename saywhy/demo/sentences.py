"""Texts that are classified by their meaning: the texts, their classes, and which words decided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from saywhy.demo.answers import Answer, answer
from verbalize.saliency import Prediction, Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from verbalize.attribution import ZeroShotClassifier
    from verbalize.write.template import TemplateVerbalizer

STEPS = 50  # of integrated gradients; with so many, the word scores of these texts sum to the class score within 0.1 %
REVIEWS = {
    "positive": ("A positive review: I loved it, it was wonderful.", "This is great, I recommend it."),
    "negative": ("A negative review: I hated it, it was terrible.", "This is bad, I do not recommend it."),
}
NEWS = {
    "world": "News about international politics, war and diplomacy.",
    "sports": "News about sports, matches, athletes and scores.",
    "business": "News about companies, markets and the economy.",
    "science": "News about science, research and technology.",
}
MAIL = {
    "refund": "The customer wants the money back.",
    "delivery": "The customer asks where the parcel is.",
    "broken": "The product arrived damaged or does not work.",
    "praise": "The customer is happy and says thank you.",
}


@dataclass(frozen=True)
class Sentence:
    """A text, its kind, its classes with their descriptions, and the label that a reader would give if that is clear."""

    kind: str
    text: str
    classes: Mapping[str, str | tuple[str, ...]]
    reader: str | None = None


SENTENCES = (
    Sentence("News", "The football club was sold to an investment fund for two billion euros.", NEWS, "business"),
    Sentence("Film review", "Beautifully shot and utterly boring.", REVIEWS, "negative"),
    Sentence("News", "The river burst its banks after a week of rain.", NEWS, "world"),
    Sentence("Mail to a shop", "The kettle leaks from the bottom, so please send my money back.", MAIL, "refund"),
    Sentence("Restaurant review", "The waiter was rude, the soup was cold, and we still paid too much.", REVIEWS, "negative"),
    Sentence("News", "Sprinter banned for two years after failed drug test.", NEWS, "sports"),
    Sentence("Film review", "The plot is thin and the jokes fall flat, but the music is wonderful.", REVIEWS),
    Sentence("Mail to a shop", "The courier left my order in the rain and the box was soaked.", MAIL),
)


@dataclass(frozen=True)
class SentenceCard:
    """A text, the model, its prediction, and two answers: why this label, and why rather than the next best label."""

    sentence: Sentence
    model: ZeroShotClassifier
    prediction: Prediction
    answers: tuple[Answer, ...]

    @property
    def mistaken(self) -> bool:
        """Whether a reader would give another label."""
        return self.sentence.reader not in (None, self.prediction.label)


def sentence_cards(verbalizer: TemplateVerbalizer) -> Iterator[SentenceCard]:
    """Explain `SENTENCES` with MiniLM and integrated gradients. Yields one card per text.

    The first answer also says what the model does without the most important word, and with that word alone.
    """
    from verbalize.attribution import ZeroShotClassifier, attribute_tokens, load_minilm

    model, tokenizer = load_minilm()
    for sentence in SENTENCES:
        classifier = ZeroShotClassifier(model, tokenizer, sentence.classes)
        pointwise = attribute_tokens(classifier, sentence.text, steps=STEPS, true_label=sentence.reader)
        prediction = pointwise.prediction
        assert prediction is not None
        others = sorted(prediction.scores, key=lambda label: -prediction.scores[label])
        query = Query(prediction.label, versus=(others[1],))
        contrastive = attribute_tokens(classifier, sentence.text, query, steps=STEPS, true_label=sentence.reader)
        tested = replace(verbalizer, model=classifier)
        answers = (answer(pointwise, tested, classifier), answer(contrastive, verbalizer))
        yield SentenceCard(sentence, classifier, prediction, answers)
