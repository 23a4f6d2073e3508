from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest

from bookstore.catalog import loading
from bookstore.catalog.covers import Cover, lettering
from bookstore.catalog.covers.palettes import PALETTES

CATALOGUE = json.loads(loading.CATALOGUE.read_text(encoding="utf-8"))["books"]


def test_cover_is_stable_and_differs_between_books():
    assert Cover("Emma", "Jane Austen").draw() == Cover("Emma", "Jane Austen").draw()
    assert Cover("Emma", "Jane Austen").draw() != Cover("Persuasion", "Jane Austen").draw()


def texts(cover: Cover) -> str:
    """Everything that is written on a cover, without spaces."""
    svg = ElementTree.fromstring(cover.draw())
    written = "".join("".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text"))
    return written.replace(" ", "").replace("\u3000", "")


@pytest.mark.parametrize("language", ["en", "ja", "zh_hans"])
def test_every_cover_is_well_formed_with_full_title(language):
    for book in CATALOGUE:
        names = (book.get(f"title_{language}", ""), book.get(f"author_{language}", ""))
        shown = texts(Cover(book["title"], book["author"], book["original_title"], *names))
        assert (names[0] or book["title"]).replace(" ", "") in shown, book["title"]
        assert "…" not in shown


def test_translation_keeps_the_picture_of_the_cover():
    english, japanese = Cover("Emma", "Jane Austen"), Cover("Emma", "Jane Austen", "", "エマ", "ジェイン・オースティン")
    assert texts(japanese) == "エマジェイン・オースティン"
    assert japanese.version != english.version
    colours = [set(re.findall('fill="(#[^"]+)"', cover.draw())) for cover in (english, japanese)]
    assert colours[0] == colours[1]


def test_translated_title_of_an_eastern_book_is_written_downwards_once():
    cover = Cover("Dream of the Red Chamber", "Cao Xueqin", "紅樓夢", "红楼梦", "曹雪芹")
    assert texts(cover) == "红楼梦曹雪芹"
    assert ">红</text>" in cover.draw()


def test_translated_title_of_a_western_book_is_not_written_downwards():
    assert "高慢</tspan>" in Cover("Pride and Prejudice", "Jane Austen", "", "高慢と偏見").draw().replace("と偏見", "")


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("アッシャー家の崩壊", ["アッシャー家の", "崩壊"]),
        ("アンナ・カレーニナ", ["アンナ・", "カレーニナ"]),
        ("レ・ミゼラブル", ["レ・ミゼラブル"]),
        ("少年维特的烦恼", ["少年维特", "的烦恼"]),
    ],
)
def test_lines_end_between_words_of_japanese_and_chinese(title, lines):
    assert lettering.fit(title, width=236, height=270, sizes=(42, 38, 34, 31)).lines == lines


@pytest.mark.parametrize(
    ("title", "author"),
    [
        ("<b>&\"'</b>", "</text><script>"),
        ("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft", "A"),
        ("A " * 79 + "A", "B" * 120),
        ("夢" * 160, "名" * 120),
        ("Z", "Z"),
        ("", ""),
    ],
)
def test_odd_titles_still_make_a_well_formed_cover(title, author):
    ElementTree.fromstring(Cover(title, author).draw())


def test_a_chinese_or_japanese_title_is_written_downwards():
    svg = Cover("Kokoro", "Natsume Sōseki", "こころ").draw()
    assert svg.count(">こ</text>") == 2
    assert ">Kokoro</tspan>" in svg


@pytest.mark.parametrize("title", [book["title"] for book in CATALOGUE[::10]])
def test_lettering_keeps_to_its_width_and_height(title):
    words = lettering.fit(title, width=236, height=270, sizes=(42, 38, 34, 31, 28, 25, 22, 19))
    assert words.height <= 270
    assert all(lettering.measure(line) * words.size <= 236 for line in words.lines)
    assert " ".join(words.lines) == title


@pytest.mark.parametrize("palette", PALETTES)
def test_lettering_is_readable_in_every_palette(palette):
    assert contrast(palette.ink, palette.ground) >= 4.5
    assert contrast(palette.paper_ink, palette.paper) >= 4.5


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours. Source: WCAG 2.2, relative luminance."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_cover_is_cached_only_at_its_versioned_url(client, emma):
    versioned = client.get(emma.cover_url)
    assert versioned["Content-Type"] == "image/svg+xml"
    assert versioned["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "max-age=60" in client.get(emma.cover_url.split("?")[0])["Cache-Control"]


def test_new_title_changes_the_cover_url(emma):
    before = emma.cover_url
    emma.title = "Emma Woodhouse"
    assert emma.cover_url != before


def test_cover_of_unknown_book_is_404(client, db):
    assert client.get("/books/no-such/cover.svg").status_code == 404
