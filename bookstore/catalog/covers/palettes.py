"""Colours of the covers. In each palette, both inks are readable on what they are printed on (WCAG AA)."""

from typing import NamedTuple


class Palette(NamedTuple):
    ground: str
    """The cloth."""
    ink: str
    """Lettering on the cloth."""
    accent: str
    """A second colour, for patterns and rules; also drawn on paper."""
    highlight: str
    """A small bright spot."""
    paper: str
    paper_ink: str


PALETTES = (
    Palette("#12355b", "#fdf6e3", "#4f7cac", "#f2b134", "#fbf3df", "#12263f"),
    Palette("#6b1f2a", "#fdf1e3", "#b3564f", "#e9b872", "#fbf1e1", "#4a121b"),
    Palette("#1f4d3a", "#f5f2df", "#5b8f6b", "#e8c468", "#f6f2e0", "#16382a"),
    Palette("#f0e3c8", "#3a2418", "#b4743c", "#8f2f1b", "#fffaf0", "#3a2418"),
    Palette("#2b2a45", "#f4ecf7", "#6d68a6", "#f08a6c", "#f7f1ea", "#26253d"),
    Palette("#c9d8d3", "#14343b", "#4f8a8b", "#c1502e", "#f8faf6", "#14343b"),
    Palette("#a63d1f", "#fff4e4", "#d9763f", "#ffd27a", "#fff5e6", "#5c1f0e"),
    Palette("#e9c9b4", "#47202a", "#b8665a", "#7a1f3d", "#fff7f0", "#47202a"),
    Palette("#0f4c4c", "#eef7f0", "#3e8884", "#f4c95d", "#f3f7ee", "#0b3838"),
    Palette("#d9c25a", "#2e2a12", "#9a7b1c", "#a2311c", "#fffbe8", "#2e2a12"),
    Palette("#3b2a20", "#f6ead8", "#866047", "#dd9f4e", "#f7ecda", "#32231a"),
    Palette("#4a2545", "#fbeff5", "#8d5486", "#f2c078", "#faf1f1", "#3d1d39"),
    Palette("#dfe3ea", "#1d2a44", "#6a7fa6", "#b33a3a", "#ffffff", "#1d2a44"),
    Palette("#26303a", "#f2f0e9", "#5f7484", "#d7a24a", "#f4f1e8", "#1e272f"),
)
