"""Token exchange, introspection, revocation and third-party applications, compared with the recordings of `tokens/`."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

import pytest

from logto_auth.emulator import Emulator
from tests.recorded import FOLDER, recording

from .conftest import started
from .exchanges import recorded, shape
from .replay_tokens import TokensReplay

# Recordings that are not replayed, by the reason.
NOT_REPLAYED = {
    "no token: a setting, which `test_scenarios` sends": [
        "jwt_customizer_bad_type",
        "jwt_customizer_created",
        "jwt_customizer_deleted",
        "jwt_customizer_list",
        "jwt_customizer_m2m_created",
        "jwt_customizer_no*",
        "jwt_customizer_syntax_error",
        "jwt_customizer_test*",
    ],
    "the emulator has no device flow": ["device_*"],
    "the sign-in page asks for no second factor": ["mfa_*"],
    "the emulator has no interaction API: its page asks for the consent": [
        "third_party_consent_exchange",
        "third_party_organization_consent",
    ],
    "the emulator has no route for consented organizations; `organization_consents` has them": [
        "user_consent_organizations"
    ],
    "no token: the answer shows the application": ["application_allow_token_exchange*"],
    "no token: the answer lists grants or sessions": ["user_grant*", "user_sessions*"],
}
INDEX = (FOLDER / "1.42/tokens/index.txt").read_text().split()
_PATTERNS = [pattern for patterns in NOT_REPLAYED.values() for pattern in patterns]
LEFT_OUT = {name for name in INDEX if any(fnmatch(name, pattern) for pattern in _PATTERNS)}
REPLAYED = [name for name in INDEX if name not in LEFT_OUT]


@pytest.fixture
def tokens(logto_emulator: Emulator) -> Iterator[TokensReplay]:
    """An emulator that is the recorded development head."""
    replay = TokensReplay(started(logto_emulator, "head"))
    yield replay
    replay.close()


def test_each_recording_is_replayed_or_has_a_reason() -> None:
    assert [name for name in REPLAYED if not hasattr(TokensReplay, name)] == []
    assert [name for name in LEFT_OUT if hasattr(TokensReplay, name)] == []
    for pattern in _PATTERNS:
        assert any(fnmatch(name, pattern) for name in INDEX), pattern


@pytest.mark.parametrize("name", REPLAYED)
def test_answers_match_recording(tokens: TokensReplay, name: str) -> None:
    theirs, ours = recording(f"tokens/{name}", "1.42"), getattr(tokens, name)()
    if "header" in theirs:
        assert shape(ours) == shape(theirs)
        same = ("scope", "aud") if theirs["claims"]["aud"].startswith("https:") else ("scope",)
        assert [ours["claims"].get(claim) for claim in same] == [theirs["claims"].get(claim) for claim in same]
        return
    expected = recorded(f"tokens/{name}", version="head")
    if "status" not in theirs:
        assert _with_issuer(ours.location, ours.issuer) == _with_issuer(expected.location, expected.issuer)
        return
    assert (ours.status, ours.kept_headers) == (expected.status, expected.kept_headers)
    if ours.status >= 400:
        assert str(ours.body).replace(ours.issuer, expected.issuer) == str(expected.body)
    else:
        assert shape(ours.body) == shape(expected.body)
        assert _scope(ours.body) == _scope(expected.body)


def _with_issuer(location: str | None, issuer: str) -> str:
    assert location is not None
    return location.replace(issuer.replace(":", "%3A").replace("/", "%2F"), "<issuer>")


def _scope(body: Any) -> Any:
    return body.get("scope") if isinstance(body, dict) else None
