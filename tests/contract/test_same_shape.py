"""The emulator's answers, compared with the recorded answers to the same requests."""

import pytest

from .exchanges import Exchange, location_shape, recorded, shape
from .recorded_on_head import recorded_for

ERRORS = [
    "auth_bad_redirect_uri",
    "auth_unknown_client",
    "error_bad_refresh",
    "error_bad_secret",
    "error_bad_verifier",
    "error_code_replayed",
    "error_refresh_unknown_org",
    "error_refresh_unknown_resource",
    "m2m_error_no_resource",
    "refresh_after_code_replay",
    "refresh_after_revocation",
    "refresh_deleted_user",
    "refresh_suspended_user",
    "userinfo_bad_token",
    "userinfo_suspended_user",
]
ANSWERS = [
    "discovery",
    "introspection_refresh",
    "jwks_after_rotation",
    "jwks_before_rotation",
    "m2m_token",
    "refresh_1",
    "refresh_after_logout",
    "refresh_for_organization",
    "refresh_for_organization_resource",
    "refresh_for_resource",
    "refresh_reuse_same_token",
    "revocation",
    "token_authorization_code",
    "token_no_prompt_consent",
    "userinfo",
]
REDIRECTS = [
    "auth_bad_scope",
    "auth_direct_sign_in",
    "auth_no_pkce",
    "auth_prompt_none_signed_out",
    "auth_unknown_resource",
]
TOKENS = [
    "id_token_decoded",
    "logout_token_decoded",
    "m2m_token_decoded",
    "organization_resource_token_decoded",
    "organization_token_decoded",
    "resource_access_token_decoded",
]


def have_same_status_and_headers(ours: Exchange, theirs: Exchange) -> bool:
    return (ours.status, ours.kept_headers) == (theirs.status, theirs.kept_headers)


@pytest.mark.parametrize("name", ANSWERS)
def test_responses_have_recorded_keys_and_types(replay, version, name):
    ours, theirs = getattr(replay, name)(), recorded(name, version=version)
    assert have_same_status_and_headers(ours, theirs)
    assert shape(ours.body) == shape(theirs.body)


@pytest.mark.parametrize("name", ERRORS)
def test_errors_match_recording_exactly(replay, version, name):
    ours, theirs = getattr(replay, name)(), recorded(name, version=version)
    assert have_same_status_and_headers(ours, theirs)
    assert list(ours.body.items()) == [
        (key, value.replace(theirs.issuer, ours.issuer)) for key, value in theirs.body.items()
    ]


@pytest.mark.parametrize("name", REDIRECTS)
def test_redirects_match_recording_exactly(replay, version, name):
    ours, theirs = getattr(replay, name)(), recorded(name, version=version)
    assert have_same_status_and_headers(ours, theirs)
    for mine, their in [(ours.location, theirs.location), (ours.body, theirs.body)]:
        assert mine.replace(replay.emulator.endpoint.rpartition(":")[2], "3001") == their


@pytest.mark.parametrize("name", ["callback_success", "callback_sso_no_prompt"])
def test_callback_parameters_match_recording(replay, version, name):
    assert location_shape(getattr(replay, name)().location) == location_shape(recorded(name, version=version).location)


@pytest.mark.parametrize("name", TOKENS)
def test_token_claims_match_recording_in_order(replay, version, name):
    assert shape(getattr(replay, name)()) == shape(recorded_for(name, version))


@pytest.mark.parametrize("index", [0, 1])
def test_sign_out_responses_match_recording(replay, version, index):
    ours, theirs = replay.session_end(index), recorded("session_end", index, version=version)
    assert ours.status == theirs.status
    assert ours.kept_headers == theirs.kept_headers
    assert ours.location == theirs.location


def test_backchannel_request_matches_recording(replay, version):
    ((ours,), (theirs,)) = replay.backchannel_logout_requests(), recorded_for("backchannel_logout_requests", version)
    assert ours["path"] == theirs["path"]
    assert ours["body"].partition("=")[0] == theirs["body"].partition("=")[0] == "logout_token"
    # Python adds these two headers, which the recordings do not have.
    sent = {name: value for name, value in ours["headers"].items() if name not in {"Content-Length", "Accept-Encoding"}}
    assert set(sent) == set(theirs["headers"])
    same = set(sent) - {"host", "Host"}
    assert {name: sent[name] for name in same} == {name: theirs["headers"][name] for name in same}
