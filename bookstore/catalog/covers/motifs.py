"""Patterns, pictures and ornaments of the covers."""

from .palettes import Palette

CLOTHS = (
    # (tile width, tile height, what is drawn on the tile; `stroke` and `fill` are inherited)
    (60, 30, '<path d="M0 30a30 30 0 0 1 60 0M10 30a20 20 0 0 1 40 0M20 30a10 10 0 0 1 20 0" fill="none"/>'),
    (36, 36, '<path d="M18 2L34 18 18 34 2 18z" fill="none"/><circle cx="18" cy="18" r="3" stroke="none"/>'),
    (24, 24, '<path d="M-6 6L6-6M-6 30L30-6M18 30L30 18" fill="none" stroke-width="4"/>'),
    (28, 28, '<circle cx="7" cy="7" r="3.5" stroke="none"/><circle cx="21" cy="21" r="3.5" stroke="none"/>'),
    (48, 24, '<path d="M0 24L24 4 48 24M0 36L24 16 48 36M0 12L24-8 48 12" fill="none" stroke-width="3"/>'),
    (
        48,
        84,
        '<path d="M24 0L48 14V42L24 56 0 42V14zM24 56V84M24 0V28M0 14L24 28 48 14M24 28V56M0 70L24 56 48 70'
        'M0 42V14M0 70V84M48 70V84" fill="none" stroke-width="1.5"/>',
    ),
    (
        50,
        50,
        '<path d="M25 8c9 6 9 28 0 36c-9-8-9-30 0-36z" stroke="none"/>'
        '<path d="M0-17c9 6 9 28 0 36c-9-8-9-30 0-36zM50-17c9 6 9 28 0 36c-9-8-9-30 0-36z'
        'M0 33c9 6 9 28 0 36c-9-8-9-30 0-36zM50 33c9 6 9 28 0 36c-9-8-9-30 0-36z" stroke="none" opacity=".55"/>',
    ),
    (40, 40, '<path d="M0 20H40M20 0V40" fill="none"/><path d="M20 12l8 8-8 8-8-8z" stroke="none"/>'),
    (
        64,
        64,
        '<path d="M32 4l5 23 23 5-23 5-5 23-5-23-23-5 23-5z" stroke="none" opacity=".8"/>'
        '<circle cx="0" cy="0" r="4" stroke="none"/><circle cx="64" cy="0" r="4" stroke="none"/>'
        '<circle cx="0" cy="64" r="4" stroke="none"/><circle cx="64" cy="64" r="4" stroke="none"/>',
    ),
    (
        44,
        44,
        '<path d="M0 44a44 44 0 0 1 44-44M0 44a30 30 0 0 1 30-30M0 44a16 16 0 0 1 16-16" fill="none" '
        'transform="translate(0 0)"/>',
    ),
)


def cloth(palette: Palette, choice: int) -> str:
    """A pattern over the whole cover."""
    width, height, tile = CLOTHS[choice % len(CLOTHS)]
    return (
        f'<defs><pattern id="cloth" width="{width}" height="{height}" patternUnits="userSpaceOnUse">'
        f'<g fill="{palette.accent}" stroke="{palette.accent}" stroke-width="2">{tile}</g></pattern></defs>'
        '<rect width="400" height="600" fill="url(#cloth)"/>'
    )


def scene(palette: Palette, choice: int, variation: int) -> str:
    """A picture for the lower half of the cover."""
    scenes = (_hills, _sea, _forest, _arches, _mountains, _garden)
    return scenes[choice % len(scenes)](palette, variation)


def ornament(x: float, y: float, fill: str) -> str:
    """A small printer's ornament: a lozenge between two rules."""
    return (
        f'<g transform="translate({x} {y:.1f})" fill="{fill}"><path d="M0-5L5 0 0 5-5 0z"/>'
        '<rect x="-46" y="-.75" width="34" height="1.5"/><rect x="12" y="-.75" width="34" height="1.5"/></g>'
    )


def _hills(palette: Palette, variation: int) -> str:
    sun = 90 + variation % 220
    return (
        f'<circle cx="{sun}" cy="420" r="58" fill="{palette.highlight}"/>'
        f'<path d="M0 470C90 410 150 430 220 462S350 500 400 440V600H0z" fill="{palette.accent}"/>'
        f'<path d="M0 530C110 470 190 520 260 520S360 490 400 510V600H0z" fill="{palette.paper_ink}" opacity=".55"/>'
        f'<path d="M0 575C120 540 240 590 400 555V600H0z" fill="{palette.paper_ink}"/>'
    )


def _sea(palette: Palette, variation: int) -> str:
    rows = "".join(
        f'<path d="M{-40 - row % 2 * 40} {470 + row * 32}'
        + "q20-26 40 0t40 0" * 6
        + f'V640H-80z" fill="{(palette.accent, palette.paper_ink)[row % 2]}" opacity="{0.95 - row * 0.06:.2f}"/>'
        for row in range(5)
    )
    ship = 110 + variation % 170
    return (
        f'<g transform="translate({ship} 458)" fill="{palette.highlight}">'
        '<path d="M-34 0H34L24 18H-24z"/><path d="M-2-6V-74L-32-6zM4-6V-62L30-6z"/></g>' + rows
    )


def _forest(palette: Palette, variation: int) -> str:
    moon = 80 + variation % 240
    trees = "".join(
        f'<path d="M{x} {440 + (x * 37 + variation * 11) % 70}l34 62H{x + 16}l26 60H{x - 42}l26-60H{x - 34}z" '
        f'fill="{(palette.accent, palette.paper_ink)[index % 2]}"/>'
        for index, x in enumerate((20, 370, 110, 290, 200, 60, 340, 160, 250))
    )
    return (
        f'<circle cx="{moon}" cy="410" r="34" fill="{palette.highlight}"/>{trees}'
        f'<rect y="560" width="400" height="40" fill="{palette.paper_ink}"/>'
    )


def _arches(palette: Palette, variation: int) -> str:
    radii = (190, 158, 126, 94, 62, 30)
    colours = (palette.accent, palette.ground, palette.highlight, palette.ground, palette.accent, palette.highlight)
    centre = 200 if variation % 3 else 290
    return "".join(
        f'<circle cx="{centre}" cy="600" r="{radius}" fill="{colour}"/>'
        for radius, colour in zip(radii, colours, strict=True)
    )


def _mountains(palette: Palette, variation: int) -> str:
    peak = 150 + variation % 120
    return (
        f'<circle cx="{400 - peak}" cy="418" r="40" fill="{palette.highlight}"/>'
        f'<path d="M-20 600L{peak} 400 {peak + 240} 600z" fill="{palette.accent}"/>'
        f'<path d="M{peak} 400l48 40-22-4-14 18-18-20-16 16-14-10z" fill="{palette.paper}"/>'
        f'<path d="M-40 600L70 480 210 600zM180 600L330 470 460 600z" fill="{palette.paper_ink}" opacity=".85"/>'
    )


def _garden(palette: Palette, variation: int) -> str:
    stems = []
    for index, x in enumerate((50, 110, 170, 230, 290, 350)):
        top = 410 + (variation * (index + 3) * 7) % 80
        stems.append(
            f'<path d="M{x} 600V{top}" stroke="{palette.accent}" stroke-width="4" fill="none"/>'
            f'<path d="M{x} 560c-34-6-38-32-38-32s32 0 38 32zM{x} 530c34-6 38-32 38-32s-32 0-38 32z" '
            f'fill="{palette.accent}"/>'
            + "".join(
                f'<ellipse cx="{x}" cy="{top - 15}" rx="8" ry="15" fill="{palette.highlight}" '
                f'transform="rotate({angle} {x} {top})"/>'
                for angle in range(0, 360, 60)
            )
            + f'<circle cx="{x}" cy="{top}" r="8" fill="{palette.paper}"/>'
        )
    return "".join(stems)
