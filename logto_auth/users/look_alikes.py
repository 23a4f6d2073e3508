"""Usernames that look like other names, such as `admin` with a Cyrillic "a". Decision 24 explains the rule.

Full-width letters and ligatures are not handled here: `normalize_username()` replaces them.
"""

from __future__ import annotations

import unicodedata

# These scripts are written together in Chinese, Japanese and Korean names.
WRITTEN_TOGETHER = frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "HANGUL", "BOPOMOFO"})
# Letters that look like Latin ones. A whole word of them looks like a Latin word (Unicode Technical Standard 39).
LOOK_LATIN = frozenset("асеорхуіјѕһӏԁԛԝАВЕКМНОРСТХУІЈЅҺԚԜονιυρκαΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")


def looks_like_another(name: str) -> bool:
    """Return whether a reader may take `name` for a name in other letters."""
    letters = {character for character in name if character.isalpha()}
    scripts = {_script(letter) for letter in letters}
    if len(scripts) > 1 and not scripts <= WRITTEN_TOGETHER:
        return True
    return any(map(_is_phonetic, letters)) or bool(letters and letters <= LOOK_LATIN)


def _script(letter: str) -> str:
    """Return the first word of the name of a letter, which is its script: "LATIN" of "LATIN SMALL LETTER A"."""
    return unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]


def _is_phonetic(letter: str) -> bool:
    """Return whether `letter` is Latin and used in no European language and not in Vietnamese: a small capital."""
    is_usual = letter <= "\u024f" or "\u1e00" <= letter <= "\u1eff"
    return not is_usual and _script(letter) == "LATIN"
