"""A stream that writes any text, whatever its encoding."""

from __future__ import annotations

import codecs
from typing import Any

__all__ = ["EncodableStream"]

# Characters of our texts that ASCII and some code pages of Windows lack.
_PLAIN = {
    0x2013: "-",  # en dash
    0x2014: "-",  # em dash
    0x2018: "'",  # quotation marks
    0x2019: "'",
    0x201C: '"',
    0x201D: '"',
    0x2026: "...",  # ellipsis
}


class EncodableStream:
    """Passes text to `stream`, and escapes characters that the encoding of the stream lacks, as in `\\u4e2d`.

    Python would end the command with UnicodeEncodeError: on Windows when the output goes to a file, and on terminals
    without UTF-8. Text for a stream without an encoding, such as StringIO, does not change.
    """

    def __init__(self, stream: Any) -> None:
        self._stream: Any = stream._stream if isinstance(stream, EncodableStream) else stream

    @property
    def is_unicode(self) -> bool:
        """Whether the stream accepts all characters."""
        encoding = getattr(self._stream, "encoding", None)
        return encoding is None or codecs.lookup(encoding).name.startswith("utf")

    def write(self, text: str) -> Any:
        """Write the text. Raise what the stream raises, such as BrokenPipeError."""
        if not self.is_unicode:
            encoding = self._stream.encoding
            try:
                text.encode(encoding)
            except UnicodeEncodeError:
                text = text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
