"""Uploaded files, if the tenant has storage for them. A new Logto has none."""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAX_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Upload:
    """A file and its content type."""

    content: bytes
    content_type: str


def image_type(content: bytes) -> str | None:
    """Return the content type of a whole image of a type that Logto takes as an avatar, or None.

    The content decides, not what the request says. Logto looks at the start and the end, and takes no SVG.
    """
    checks = {
        "image/jpeg": content.startswith(b"\xff\xd8\xff") and content.endswith(b"\xff\xd9"),
        "image/png": content.startswith(b"\x89PNG\r\n\x1a\n") and content.endswith(b"IEND\xaeB`\x82"),
        "image/gif": content.startswith(b"GIF8") and content.endswith(b";"),
        "image/webp": content[8:12] == b"WEBP" and _size_at(content, 4) == len(content) - 8,
        "image/bmp": content.startswith(b"BM") and _size_at(content, 2) == len(content),
    }
    return next((name for name, fits in checks.items() if fits), None)


def _size_at(content: bytes, offset: int) -> int:
    """Return the size that a header names, or -1 if the content is too short."""
    part = content[offset : offset + 4]
    return int(struct.unpack("<I", part)[0]) if len(part) == 4 else -1
