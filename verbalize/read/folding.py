"""Folds phrases into single tokens: lists of parts, labels with their nouns, "the model's decision", numbers in brackets.

Rules then see one token where a phrase stood, which keeps them short. What a quoted text is depends on its place: a token may
be a part and a label at once ("PT" and "LB"), and the rule decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from verbalize.read.marking.tokens import Token

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Sequence

    from verbalize.read.grammar.notation import Notation

Lists: TypeAlias = Literal["parts", "pair", "part"]
_EITHER, _PART, _LABEL, _TARGET, _VERSUS = (
    frozenset({"PT", "LB"}), frozenset({"PT"}), frozenset({"LB"}), frozenset({"TG"}), frozenset({"VS"}),
)  # fmt: skip
_AREA = frozenset({"OFPICTURE"})
_AREAS = frozenset(f"of the {whole}" for whole in ("picture", "image", "photo", "photograph"))
_QUOTED = frozenset({"QP", "QPL", "QX", "QL", "QM"})


class Folder:
    """The folds, compiled.

    Args:
        notation: the word classes as characters.
        folds: the patterns of the phrases by their names (`phrases.FOLDS`).
    """

    def __init__(self, notation: Notation, folds: dict[str, str]) -> None:
        import re

        self.notation = notation
        self.patterns: dict[str, re.Pattern[str]] = {
            name: re.compile(notation.expand(pattern)) for name, pattern in folds.items()
        }

    def fold(self, tokens: Sequence[Token], lists: Lists) -> list[Token]:
        """Fold a sentence.

        `lists` says which parts form a list: "parts": all that stand side by side; "pair": those joined by "and" or "or";
        "part": none.
        """
        kept = _without_fillers(tokens)
        kept = self._pass(
            "number", kept, lambda inner: Token(inner[0].text, inner[0].names, inner[0].value, (inner[0], *inner[1:]))
        )
        kept = self._pass("members", kept, lambda _: None, after_label=True)
        kept = self._pass("versus", kept, lambda inner: Token(_text(inner), _VERSUS, None, inner), after_label=True)
        kept = self._pass("label", kept, lambda inner: Token(_text(inner), _LABEL, None, inner))
        kept = self._pass("target", kept, lambda inner: Token(_text(inner), _TARGET, None, inner))
        kept = self._pass(lists, kept, lambda inner: Token(_text(inner), _part_names(inner), None, inner))
        return [_single(token) for token in kept]

    def _pass(
        self, name: str, tokens: list[Token], make: Callable[[tuple[Token, ...]], Token | None], *, after_label: bool = False
    ) -> list[Token]:
        codes = "".join(self.notation.code(token.names) for token in tokens)
        folded: list[Token] = []
        position = 0
        for match in self.patterns[name].finditer(codes):
            start, stop = match.span()
            if start < position or start == stop:
                continue
            if after_label and not (
                start and tokens[start - 1].names & {"QL", "QPL", "QX", "QM", "BL", "PREDN", "POS", "NEG", "IT", "RP"}
            ):
                continue
            folded += tokens[position:start]
            made = make(tuple(tokens[start:stop]))
            folded += [made] if made is not None else []
            position = stop
        return folded + tokens[position:] if position else tokens


def _without_fillers(tokens: Sequence[Token]) -> list[Token]:
    """Drop the words that can't change what is true, with the commas around them."""
    kept: list[Token] = []
    index, count = 0, len(tokens)
    while index < count:
        token = tokens[index]
        if token.names == {"FILL"} and kept and kept[-1].names & {"FRAC", "PCT"} and token.text in _AREAS:
            kept.append(Token(token.text, _AREA))  # what a number is of changes the truth
            index += 1
            continue
        if token.names == {"FILL"}:
            following = index + 1 < count and "COMMA" in tokens[index + 1].names
            if following and (not kept or "COMMA" in kept[-1].names or kept[-1].names & {"SEMI", "AND", "BUT", "DASH"}):
                index += 1  # "overall," and ", however,"
                if kept and "COMMA" in kept[-1].names:
                    kept.pop()
            elif kept and "COMMA" in kept[-1].names and index + 1 == count:
                kept.pop()
            index += 1
            continue
        kept.append(token)
        index += 1
    return kept


def _text(inner: Sequence[Token]) -> str:
    return " ".join(token.text for token in inner)


def _part_names(inner: Sequence[Token]) -> frozenset[str]:
    quoted = [token for token in inner if token.names & _QUOTED]
    if (
        len(quoted) == 1
        and quoted[0].names & {"QPL", "QX"}
        and all(token is quoted[0] or token.names & {"DET"} for token in inner)
    ):
        return _EITHER
    return _PART


def _single(token: Token) -> Token:
    """A label that stands alone."""
    if token.names & {"QL"} and not token.inner:
        return Token(token.text, _LABEL, token.value, (token,))
    if token.names == {"QM"}:
        return Token(token.text, frozenset({"LB", "QM"}), token.value, (token,))
    return token
