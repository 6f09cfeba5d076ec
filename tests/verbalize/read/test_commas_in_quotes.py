"""Words of a text that end in a comma, and the rest of a text of which not all was read."""

import pytest

from verbalize import Query, TokenSaliency, check_text
from verbalize.models import TextFunction

MAP = TokenSaliency(["a", "fine,", "film", "plot"], [0.1, 0.9, 0.5, 0.7], Query("neg"))
MODEL = TextFunction(lambda texts: [[0.5 + 2 * ("dull" in text), 2.0 * ("fine" in text)] for text in texts], ("pos", "neg"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'fine,' alone is enough for the model to say 'neg'.", "true"),
        ("'plot' alone is enough for the model to say 'neg'.", "false"),
        ("With 'set,' in place of 'film', the model still says 'neg'.", "true"),
        ("With 'dull,' in place of 'film', the model still says 'neg'.", "false"),
        ("Without 'fine,' the model says 'pos'.", "true"),
        ("Without 'plot,' the model says 'pos'.", "false"),
    ],
)
def test_a_comma_may_belong_to_the_word(text, expected):
    assert check_text(text, MAP, model=MODEL).status == expected


def test_the_rest_is_undecided_where_a_sentence_before_was_not_read():
    first = "'fine,' is the most important word for 'neg'."
    rest = "The rest of the text holds 59% of all the evidence."
    assert check_text(f"{first} {rest}", MAP).status == "true"
    report = check_text(f"{first} The rest of the text holds 27% of all the evidence.", MAP)
    assert report.status == "false"
    report = check_text(f"{first} 'plot' bewilders me. The rest of the text holds 27% of all the evidence.", MAP)
    assert report.status == "not verified"
