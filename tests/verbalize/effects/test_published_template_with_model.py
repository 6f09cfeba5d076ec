"""The published templates name the label where the model, which the map does not tell, predicts another."""

from verbalize import Query, TemplateVerbalizer, TokenSaliency, check_text
from verbalize.models import TextFunction

MODEL = TextFunction(lambda texts: [[0.5, 2.0 * ("fine" in text)] for text in texts], ("pos", "neg"))


def test_the_prediction_is_only_what_the_model_predicts():
    words, scores = ["a", "fine", "film", "plot"], [0.1, 0.9, 0.5, 0.7]
    other, own = (TokenSaliency(words, scores, Query(label)) for label in ("pos", "neg"))
    writer = TemplateVerbalizer(style="smv", model=MODEL)
    of_other, of_own = (writer.verbalize(one).text for one in (other, own))
    assert "important for the prediction" in of_own
    assert "the prediction" not in of_other.partition(").")[0]
    assert "for 'pos'" in of_other.replace("»", "'").replace("«", "'").replace("' pos '", "'pos'")
    for text, saliency in ((of_other, other), (of_own, own)):
        assert check_text(text, saliency, model=MODEL).status == "true"
