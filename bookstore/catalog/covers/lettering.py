"""Break a title into lines. The fonts of the browser are unknown, so widths are estimated, a little too wide."""

import unicodedata
from itertools import zip_longest
from typing import NamedTuple

LINE_HEIGHT = 1.16
LONGEST_VERTICAL_TITLE = 12
NEVER_FIRST = "、。，：・）」』ーぁぃぅぇぉっゃゅょァィゥェォッャュョ"
NEVER_LAST = "（「『"


class Lettering(NamedTuple):
    lines: list[str]
    size: int

    @property
    def leading(self) -> float:
        return self.size * LINE_HEIGHT

    @property
    def height(self) -> float:
        return self.leading * len(self.lines)


def fit(text: str, *, width: int, height: int, sizes: tuple[int, ...]) -> Lettering:
    """Return the text in the largest size that fits the width and the height.

    A text too long for the smallest size is cut and ends in an ellipsis.
    """
    for size in sizes:
        lettering = Lettering(_balanced(text, width / size), size)
        if lettering.height <= height and all(measure(line) * size <= width for line in lettering.lines):
            return lettering
    lines = _wrap(text, width / sizes[-1], break_words=True)
    most_lines = max(1, int(height / sizes[-1] / LINE_HEIGHT))
    if len(lines) > most_lines:
        lines = [*lines[: most_lines - 1], lines[most_lines - 1][:-1].rstrip() + "…"]
    return Lettering(lines, sizes[-1])


def measure(text: str) -> float:
    """Return the estimated width of a text in ems, set in a bold serif."""
    return sum(_character_width(character) for character in text)


def vertical_title(title: str, original_title: str) -> str:
    """Return the Chinese or Japanese title to write downwards, or "" if there is none or it is too long."""
    for candidate in (original_title, title):
        characters = candidate.replace(" ", "").replace("　", "")
        if 0 < len(characters) <= LONGEST_VERTICAL_TITLE and all(map(_is_wide, characters)):
            return characters
    return ""


def _balanced(text: str, width: float) -> list[str]:
    """Wrap into as few lines as the width requires, of similar lengths."""
    lines = _wrap(text, width)
    narrower = width
    while narrower > width * 0.55:
        narrower -= width * 0.05
        candidate = _wrap(text, narrower)
        if len(candidate) > len(lines) or any(measure(line) > width for line in candidate):
            break
        lines = candidate
    return lines


def _wrap(text: str, width: float, *, break_words: bool = False) -> list[str]:
    lines: list[str] = []
    line = ""
    for piece in _pieces(text, width if break_words else None):
        if line and measure((line + piece).rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece.lstrip() if not line else piece
    return [*lines, line.rstrip()] if line.strip() else lines


def _pieces(text: str, width: float | None) -> list[str]:
    """Split a text where a line may end. With `width`, also inside a word that is longer."""
    has_kana = any(map(_is_kana, text))
    pieces = [""]
    for character, following in zip_longest(text, text[1:], fillvalue=" "):
        pieces[-1] += character
        too_long = width is not None and measure(pieces[-1]) >= width - 1
        if too_long or _ends_word(pieces[-1], following, has_kana):
            pieces.append("")
    return [piece for piece in pieces if piece]


def _ends_word(piece: str, following: str, has_kana: bool) -> bool:
    """Return whether a line may end after the piece: after a word that is more than an "a" or "of".

    Chinese may be broken anywhere, Japanese where a new word is likely to begin.
    """
    last = piece[-1]
    if last == " ":
        return len(piece) > len("of ")
    if not _is_wide(last) or following in NEVER_FIRST or last in NEVER_LAST:
        return False
    if not has_kana:
        return True
    is_new_word = last in "・、" or (_is_kana(last) and not _is_katakana(last) and not _is_hiragana(following))
    return is_new_word and len(piece) > len("レ・")


def _is_hiragana(character: str) -> bool:
    return "ぁ" <= character <= "ゖ"


def _is_katakana(character: str) -> bool:
    return "ァ" <= character <= "ヺ" or character == "ー"


def _is_kana(character: str) -> bool:
    return _is_hiragana(character) or _is_katakana(character)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _character_width(character: str) -> float:
    if _is_wide(character):
        return 1.0
    if character in " .,;:'’!|":
        return 0.3
    if character in "fijlrtI()-":
        return 0.42
    if character in "mwMW—":
        return 0.98
    return 0.76 if character.isupper() else 0.6
