"""Generated covers: SVG drawn from title and author, always the same for the same book."""

import hashlib
from html import escape
from typing import NamedTuple

from . import lettering, motifs
from .palettes import PALETTES, Palette

WIDTH, HEIGHT = 400, 600

DRAWING = "1"
"""Increase this when covers are drawn differently, so that browsers fetch them again."""

SERIF = (
    "'Iowan Old Style','Palatino Linotype',Palatino,'Book Antiqua',Georgia,"
    "'Hiragino Mincho ProN','Yu Mincho','Songti SC','Noto Serif CJK JP','Noto Serif CJK SC',serif"
)


class Cover(NamedTuple):
    """What is on a cover. A translated title replaces the title, not the colours and the layout."""

    title: str
    author: str
    original_title: str = ""
    translated_title: str = ""
    translated_author: str = ""

    @property
    def is_translated(self) -> bool:
        return bool(self.translated_title or self.translated_author)

    @property
    def version(self) -> str:
        """A short text that changes when the cover does."""
        return _digest(DRAWING, *self).hex()[:10]

    def draw(self) -> str:
        """Return the cover as an SVG document."""
        chance = _digest(self.title, self.author)
        palette = PALETTES[chance[0] % len(PALETTES)]
        title = self.translated_title or self.title
        author = self.translated_author or self.author
        if vertical_title := self._vertical_title():
            picture = _title_slip(title, author, vertical_title, palette, chance)
        else:
            layout = (_framed_label, _landscape, _banded)[chance[1] % 3]
            picture = layout(title, author, palette, chance)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}" role="img" font-family="{SERIF}">'
            f"<title>{escape(f'{title}, {author}')}</title>"
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{palette.ground}"/>'
            f"{picture}{_spine()}</svg>"
        )

    def _vertical_title(self) -> str:
        """The title that is written downwards: only a book that was written in Chinese or Japanese has one."""
        original = lettering.vertical_title(self.title, self.original_title)
        return (original and lettering.vertical_title(self.translated_title, "")) or original


def _framed_label(title: str, author: str, palette: Palette, chance: bytes) -> str:
    """A patterned cloth with a paper label, as on a pocket edition."""
    words = lettering.fit(title, width=236, height=270, sizes=(42, 38, 34, 31, 28, 25, 22, 19))
    height = max(190, words.height + 126)
    top = 96
    return (
        motifs.cloth(palette, chance[2])
        + _box(52, top, 296, height, palette.paper)
        + _outline(60, top + 8, 280, height - 16, palette.accent, 2)
        + _outline(65, top + 13, 270, height - 26, palette.accent, 0.75)
        + _lines(words, x=200, top=top + 44, anchor="middle", fill=palette.paper_ink)
        + motifs.ornament(200, top + 62 + words.height, palette.accent)
        + _author(author, x=200, y=top + height - 32, anchor="middle", fill=palette.paper_ink, width=236)
    )


def _landscape(title: str, author: str, palette: Palette, chance: bytes) -> str:
    """A large title over a picture that fills the foot of the cover."""
    words = lettering.fit(title, width=316, height=236, sizes=(56, 50, 45, 40, 36, 32, 28, 24))
    return (
        motifs.scene(palette, chance[2], chance[3])
        + _lines(words, x=44, top=58, anchor="start", fill=palette.ink)
        + f'<rect x="44" y="{76 + words.height:.0f}" width="54" height="4" fill="{palette.highlight}"/>'
        + _author(author, x=44, y=116 + words.height, anchor="start", fill=palette.ink, width=316)
    )


def _banded(title: str, author: str, palette: Palette, chance: bytes) -> str:
    """Patterned cloth above and below a broad band."""
    words = lettering.fit(title, width=312, height=260, sizes=(48, 43, 38, 34, 31, 28, 24, 21))
    height = words.height + 132
    top = 150 if height < 300 else 120
    return (
        motifs.cloth(palette, chance[2])
        + _box(0, top, WIDTH, height, palette.ground)
        + _box(0, top, WIDTH, 5, palette.highlight)
        + _box(0, top + height - 5, WIDTH, 5, palette.highlight)
        + _lines(words, x=200, top=top + 44, anchor="middle", fill=palette.ink)
        + _author(author, x=200, y=top + height - 40, anchor="middle", fill=palette.ink, width=312)
    )


def _title_slip(title: str, author: str, vertical_title: str, palette: Palette, chance: bytes) -> str:
    """A stitched book of East Asia: the original title down a paper slip, the translated one beside it."""
    size = min(46, 380 // len(vertical_title))
    leading = size * 1.12
    slip_height = leading * len(vertical_title) + 44
    characters = "".join(
        f'<text x="87" y="{84 + leading * (index + 0.78):.1f}" font-size="{size}" '
        f'text-anchor="middle" font-weight="600" fill="{palette.paper_ink}">{escape(character)}</text>'
        for index, character in enumerate(vertical_title)
    )
    stitches = "".join(f"M374 {y}H400" for y in (60, 180, 300, 420, 540))
    is_own_title = lettering.vertical_title(title, "") == vertical_title
    words = lettering.fit("" if is_own_title else title, width=172, height=330, sizes=(30, 27, 24, 21, 18))
    names = lettering.fit(author, width=172, height=80, sizes=(20, 18, 16))
    return (
        motifs.cloth(palette, chance[2])
        + _box(160, 0, WIDTH - 160, HEIGHT, palette.ground)
        + _box(160, 0, 4, HEIGHT, palette.highlight)
        + f'<path d="M374 0V600{stitches}" stroke="{palette.ink}" stroke-width="1.5" fill="none" opacity=".55"/>'
        + _box(49, 62, 76, slip_height, palette.paper)
        + _outline(54, 67, 66, slip_height - 10, palette.accent, 1.25)
        + characters
        + _lines(words, x=188, top=66, anchor="start", fill=palette.ink)
        + _lines(names, x=188, top=548 - names.height, anchor="start", fill=palette.ink, weight=400)
    )


def _lines(words: lettering.Lettering, *, x: int, top: float, anchor: str, fill: str, weight: int = 600) -> str:
    spans = "".join(
        f'<tspan x="{x}" y="{top + words.size * 0.8 + index * words.leading:.1f}">{escape(line)}</tspan>'
        for index, line in enumerate(words.lines)
    )
    return f'<text font-size="{words.size}" font-weight="{weight}" text-anchor="{anchor}" fill="{fill}">{spans}</text>'


def _author(author: str, *, x: int, y: float, anchor: str, fill: str, width: int) -> str:
    words = lettering.fit(author, width=width, height=25, sizes=(21, 19, 17, 15, 13))
    return (
        f'<text x="{x}" y="{y:.1f}" font-size="{words.size}" letter-spacing=".4" '
        f'text-anchor="{anchor}" fill="{fill}">{escape(" ".join(words.lines))}</text>'
    )


def _box(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height:.1f}" fill="{fill}"/>'


def _outline(x: float, y: float, width: float, height: float, stroke: str, thickness: float) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height:.1f}" fill="none" '
        f'stroke="{stroke}" stroke-width="{thickness}"/>'
    )


def _spine() -> str:
    """The fold beside the spine: a shade and a light."""
    return (
        '<rect width="14" height="600" fill="#000" opacity=".16"/>'
        '<rect x="14" width="3" height="600" fill="#fff" opacity=".14"/>'
    )


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("\n".join(parts).encode()).digest()
