"""QR codes as SVG, if the optional library for them is installed."""

from __future__ import annotations

from django.utils.safestring import SafeString

from logto_auth.oidc.secrets import Secret, hide_frames

__all__ = ["qr_code_svg"]


@hide_frames
def qr_code_svg(text: Secret) -> SafeString | None:
    """Return `text` as a QR code, an `<svg>` element without styles or scripts.

    None without the library segno: `pip install logto-auth[account]`.
    """
    try:
        import segno
    except ImportError:
        return None
    # Apps read dark modules on a light ground, with a margin, whatever the colours of the page are.
    svg: str = segno.make(text.reveal(), micro=False).svg_inline(
        scale=5, border=4, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    # The text is in the modules only, and the library writes the markup.
    return SafeString(svg)
