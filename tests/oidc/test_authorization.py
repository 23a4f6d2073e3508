"""The authorization request: its parameters and the sign-in options."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from logto_auth.oidc.authorization import AuthorizationRequest, SignInOptions


def query_of(options: SignInOptions) -> dict[str, list[str]]:
    url = AuthorizationRequest().url(
        "https://logto.example/oidc/auth",
        client_id="app",
        redirect_uri="https://shop.example/callback",
        scopes=["openid"],
        resources=[],
        prompt="consent",
        options=options,
    )
    return parse_qs(urlsplit(url).query)


@pytest.mark.parametrize(
    ("options", "parameter", "value"),
    [
        (SignInOptions(prompt="login " * 10_000), "prompt", "login"),
        (SignInOptions(identifiers=["email", "phone"] * 10_000), "identifier", "email phone"),
    ],
    ids=["prompt", "identifiers"],
)
def test_repeated_words_are_sent_once(options: SignInOptions, parameter: str, value: str) -> None:
    assert query_of(options)[parameter] == [value]
