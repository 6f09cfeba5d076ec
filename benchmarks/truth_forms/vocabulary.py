"""Words, classes and quotation marks from which random maps and texts about them are made."""

from __future__ import annotations

WORDS = tuple(
    """
    charming tedious brilliant clumsy tender hollow gripping shallow luminous dreary witty stale vivid bland graceful noisy
    heartfelt sloppy fresh wooden plot dialogue camera ending actors music scene script humor villain goal striker coach
    stadium referee champion league injury season trophy market shares profit merger inflation bank investors tariff bonds
    earnings satellite processor software robot galaxy vaccine battery telescope algorithm chip president treaty border
    election parliament embassy protest refugees minister army winner prize urgent click password invoice lottery bonus
    account verify meeting lunch tomorrow agenda colleague thanks furious delighted lonely terrified grateful disgusted
    cheerful ashamed proud nervous hotel breakfast beach luggage waiter soup dessert spicy burnt menu towel balcony ferry
    museum passport never always quite very but although because nothing really still almost perhaps the with from about
    idiot garbage pathetic kind helpful polite stupid ugly wonderful horrible mediocre splendid dull crisp muddy quick slow
    woman guitar dog outdoors sleeping running crowd bicycle snow kitchen
    """.split()  # noqa: SIM905 - a list of words reads best as text
)

# Words that are often unscored in real maps: they are drawn for the words without a score a little more often.
FUNCTION_WORDS = ("the", "with", "from", "about", "very", "but", "quite", "still")

# Labels of one task each. The label of a map, its rivals and its predictions come from one task.
TASKS: tuple[tuple[str, ...], ...] = (
    ("positive", "negative"),
    ("positive", "negative", "neutral"),
    ("World", "Sports", "Business", "Sci/Tech"),
    ("spam", "ham"),
    ("joy", "anger", "sadness", "fear", "surprise"),
    ("Travel", "Food", "Politics", "Finance"),
    ("toxic", "non-toxic"),
    ("entailment", "contradiction", "neutral"),
    ("complaint", "refund request", "praise"),
)

QUOTES: dict[str, tuple[str, str]] = {
    "single": ("'", "'"),
    "double": ('"', '"'),
    "curly": ("“", "”"),
    "curly single": ("‘", "’"),
    "bold": ("**", "**"),
    "code": ("`", "`"),
    "italic": ("*", "*"),
    "guillemets": ("«", "»"),
    "brackets": ("[", "]"),
    "angles": ("<", ">"),
    "underscores": ("_", "_"),
    "html": ("<b>", "</b>"),
    "word": ("the word ", ""),
    "bare": ("", ""),
}
# How often a text marks its words so; the three plain pairs of quotation marks are what most writers use.
WORD_STYLES = {"single": 30, "double": 26, "curly": 14, "curly single": 8, "bold": 7, "code": 7, "word": 8}
LABEL_STYLES = {"bare": 34, "single": 24, "double": 20, "curly": 8, "bold": 5, "italic": 5, "code": 4}

_ONES = "zero one two three four five six seven eight nine ten eleven twelve"
_TEENS = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
NUMBERS = f"{_ONES} {_TEENS}".split()
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def in_words(number: int) -> str:
    """The number from 0 to 100 in words."""
    if number == 100:
        return "a hundred"
    if number < len(NUMBERS):
        return NUMBERS[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f"-{NUMBERS[ones]}" if ones else "")
