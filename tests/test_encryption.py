"""Encryption of tokens and cookies with a key derived from `SECRET_KEY`."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.encryption import decrypt, encrypt

DATA = {"refresh_token": "secret-refresh-token", "claims": {"name": "あ", "roles": [1, None]}}


def test_data_is_restored() -> None:
    assert decrypt(encrypt(DATA, purpose="tokens"), purpose="tokens") == DATA


def test_encrypted_text_contains_no_secret_and_differs() -> None:
    first, second = encrypt(DATA, purpose="tokens"), encrypt(DATA, purpose="tokens")
    assert "secret" not in first
    assert first != second


def test_text_of_another_purpose_is_refused() -> None:
    assert decrypt(encrypt(DATA, purpose="tokens"), purpose="sign-in") is None


def test_changed_secret_key_makes_text_unreadable(settings: Any) -> None:
    text = encrypt(DATA, purpose="tokens")
    settings.SECRET_KEY = "another-key-of-the-site-0123456789abcdef"
    assert decrypt(text, purpose="tokens") is None


def test_former_key_in_fallbacks_reads_text(settings: Any) -> None:
    text = encrypt(DATA, purpose="tokens")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-of-the-site-0123456789abcdef"
    assert decrypt(text, purpose="tokens") == DATA


@pytest.mark.parametrize("position", [0, 20, -2])
def test_changed_text_is_refused(position: int) -> None:
    text = list(encrypt(DATA, purpose="tokens"))
    text[position] = "A" if text[position] != "A" else "B"
    assert decrypt("".join(text), purpose="tokens") is None


@pytest.mark.parametrize("text", ["", "no-token", "あ"])
def test_other_text_is_refused(text: str) -> None:
    assert decrypt(text, purpose="tokens") is None
