"""Signing keys, the metadata documents and the outbound guard, compared with the recordings of `tenant/`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
import requests

from logto_auth.emulator import Emulator
from tests.emulator.management_api_client import ManagementAPI
from tests.recorded import recording

from .conftest import started
from .exchanges import Exchange, received, recorded, shape
from .replay import Replay

_ROTATE = "/configs/oidc/private-keys/rotate"
_KEYS = "/configs/oidc/private-keys"


class KeysReplay:
    """The key set, changed by the Management API in the recorded order."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.management = ManagementAPI(emulator)

    def close(self) -> None:
        self.management.http.close()
        self.emulator.keys.clear()

    def keys_list(self) -> Exchange:
        return self._received(self.management.get(_KEYS))

    def keys_rotate_bad(self) -> Exchange:
        return self._received(self.management.post(_ROTATE, {"signingKeyAlgorithm": "X"}))

    def keys_rotate_grace(self) -> Exchange:
        self.management.post(_ROTATE, {"signingKeyAlgorithm": "EC"})
        grace = {"signingKeyAlgorithm": "RSA", "rotationGracePeriod": 3600}
        return self._received(self.management.post(_ROTATE, grace))

    def keys_list_staged(self) -> Exchange:
        self.keys_rotate_grace()
        return self.keys_list()

    def jwks_staged(self) -> Exchange:
        self.keys_rotate_grace()
        return self._received(requests.get(f"{self.emulator.issuer}/jwks", timeout=5))

    def key_delete_current(self) -> Exchange:
        self.keys_rotate_grace()
        return self._received(self.management.delete(f"{_KEYS}/{self.emulator.keys.current.id}"))

    def key_delete_unknown(self) -> Exchange:
        return self._received(self.management.delete(f"{_KEYS}/nope"))

    def oauth_authorization_server(self) -> Exchange:
        return self._received(self._get("/oidc/.well-known/oauth-authorization-server"))

    def oauth_authorization_server_root(self) -> Exchange:
        return self._received(self._get("/.well-known/oauth-authorization-server"))

    def oauth_authorization_server_root_suffix(self) -> Exchange:
        return self._received(self._get("/.well-known/oauth-authorization-server/oidc"))

    def _get(self, path: str) -> requests.Response:
        return requests.get(f"{self.emulator.endpoint}{path}", timeout=5)

    def _received(self, response: requests.Response) -> Exchange:
        return received(response, self.emulator.issuer)


@pytest.fixture
def answer(logto_emulator: Emulator) -> Iterator[Callable[[str], Exchange]]:
    replay = KeysReplay(started(logto_emulator, "1.42"))
    yield lambda name: getattr(replay, name)()
    replay.close()


@pytest.mark.parametrize("name", ["keys_list", "keys_list_staged", "keys_rotate_grace", "jwks_staged"])
def test_keys_have_recorded_form_and_order(answer: Callable[[str], Exchange], name: str) -> None:
    ours, theirs = answer(name), recorded(f"tenant/{name}", version="1.42")
    assert (ours.status, ours.kept_headers) == (theirs.status, theirs.kept_headers)
    assert [shape(key) for key in _keys(ours)] == [shape(key) for key in _keys(theirs)]
    same = ("status", "signingKeyAlgorithm", "kty", "alg", "use")
    for mine, their in zip(_keys(ours), _keys(theirs), strict=True):
        assert [mine.get(name) for name in same] == [their.get(name) for name in same]
        # Logto writes one time in seconds, and the other in milliseconds.
        assert [len(str(mine.get(time))) for time in ("createdAt", "effectiveAt")] == [
            len(str(their.get(time))) for time in ("createdAt", "effectiveAt")
        ]


@pytest.mark.parametrize("name", ["keys_rotate_bad", "key_delete_current", "key_delete_unknown"])
def test_refusals_have_recorded_code(answer: Callable[[str], Exchange], name: str) -> None:
    ours, theirs = answer(name), recorded(f"tenant/{name}", version="1.42")
    assert (ours.status, ours.kept_headers) == (theirs.status, theirs.kept_headers)
    assert {**ours.body, "message": None} == {**theirs.body, "message": None}


def test_oauth_metadata_match_recording_exactly(answer: Callable[[str], Exchange]) -> None:
    ours, theirs = answer("oauth_authorization_server"), recorded("tenant/oauth_authorization_server", version="1.42")
    assert (ours.status, ours.kept_headers) == (theirs.status, theirs.kept_headers)
    assert str(ours.body).replace(ours.issuer, theirs.issuer) == str(theirs.body)


@pytest.mark.parametrize("name", ["oauth_authorization_server_root", "oauth_authorization_server_root_suffix"])
def test_root_has_no_oauth_metadata(answer: Callable[[str], Exchange], name: str) -> None:
    ours, theirs = answer(name), recorded(f"tenant/{name}", version="1.42")
    assert (ours.status, ours.kept_headers, ours.body) == (theirs.status, theirs.kept_headers, theirs.body)


def test_guard_blocks_backchannel_logout_as_recorded(logto_emulator: Emulator) -> None:
    theirs: Any = recording("tenant/backchannel_blocked_by_guard", "1.42")
    ours = confirmed_sign_out(started(logto_emulator, "1.42"))
    assert ours == {name: theirs[name] for name in ours}
    assert ours["backchannel_requests_received"] == 0


def confirmed_sign_out(emulator: Emulator) -> dict[str, Any]:
    """Sign out with the outbound guard on, and return what happened in the form of the recording."""
    emulator.outbound_guard = True
    with closing(Replay(emulator)) as replay, replay.receiver() as requests_received:
        confirm = replay.session_end(1)
    return {
        "session_end_confirm": {"status": confirm.status, "location": confirm.location},
        "backchannel_requests_received": len(requests_received),
    }


def _keys(answer: Exchange) -> list[dict[str, Any]]:
    return answer.body["keys"] if isinstance(answer.body, dict) else answer.body
