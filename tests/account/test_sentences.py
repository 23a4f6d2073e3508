from __future__ import annotations

import pytest
from django.utils.translation import override

from logto_auth.pages.sentences import joined


@pytest.mark.parametrize(
    ("language", "text"), [("en", "A. B. C."), ("de", "A. B. C."), ("ja", "A.B.C."), ("zh-hans", "A.B.C.")]
)
def test_sentences_are_joined_as_in_the_language(language: str, text: str) -> None:
    with override(language):
        assert joined(["A.", "B.", "C."]) == text
        assert joined(each for each in ["A."]) == "A."
        assert joined([]) == ""
