"""What proves each field of `LogtoVersion`: a recording, and how to read the field from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BOTH = {"1.41": "1.41", "1.42": "1.42"}
SINCE_1_42 = {"1.42": "1.42", "head": "1.42"}
HEAD = {"head": "1.42"}

_TRUSTED_DEVICES = "urn:logto:scope:trusted_devices"


@dataclass(frozen=True)
class Proof:
    """`read` returns the value of the field from a recording, or from an answer of the emulator in the same form.

    `recorded_in` names the folder of the recording for each version that it proves. For the other versions the source
    is Logto's change log.
    """

    recording: str
    read: Callable[[Any], object]
    recorded_in: dict[str, str]


def _claim(name: str) -> Callable[[Any], object]:
    return lambda token: name in token["claims"]


def _is_refused(answer: Any) -> bool:
    return bool(answer["status"] == 400)


def _refuses_url_for_lack_of_document(answer: Any) -> bool:
    return bool(answer["body"]["error_description"] == "client_id metadata document fetch failed")


PROOFS = {
    "id_token_has_typ": Proof("id_token_decoded", lambda token: "typ" in token["header"], BOTH),
    "id_token_has_at_hash": Proof("id_token_decoded", _claim("at_hash"), BOTH),
    "logout_token_ttl": Proof("logout_token_decoded", lambda token: _ttl(token["claims"]), BOTH),
    "uid_length": Proof("logout_token_decoded", lambda token: _uid_length(token["claims"]), BOTH),
    "refuses_suspended_users": Proof("tokens/exchange_suspended_user", _is_refused, HEAD),
    "exchange_refuses_id_tokens": Proof("tokens/exchange_id_token", _is_refused, HEAD),
    "exchange_refuses_third_party_tokens": Proof("tokens/exchange_third_party_token", _is_refused, HEAD),
    "access_token_revocation_ends_grant": Proof(
        "tokens/refresh_after_access_token_revocation", _is_refused, SINCE_1_42
    ),
    "refuses_structured_tokens": Proof("tokens/revocation_jwt", _is_refused, SINCE_1_42),
    "foreign_revocation_description": Proof(
        "tokens/revocation_other_client", lambda answer: answer["body"]["error_description"], SINCE_1_42
    ),
    "has_trusted_devices_scope": Proof(
        "discovery", lambda answer: _TRUSTED_DEVICES in answer["body"]["scopes_supported"], {"1.41": "1.41", **HEAD}
    ),
    "discovery_has_ed25519": Proof(
        "discovery",
        lambda answer: "Ed25519" in answer["body"]["token_endpoint_auth_signing_alg_values_supported"],
        BOTH,
    ),
    "discovery_has_request_parameter": Proof(
        "discovery", lambda answer: "request_parameter_supported" in answer["body"], BOTH
    ),
    "has_oauth_metadata": Proof(
        "tenant/oauth_authorization_server", lambda answer: answer["status"] == 200, SINCE_1_42
    ),
    "has_cimd": Proof("tokens/cimd_client_unreachable", _refuses_url_for_lack_of_document, HEAD),
    "has_outbound_guard": Proof(
        "tenant/backchannel_blocked_by_guard", lambda seen: seen["backchannel_requests_received"] == 0, SINCE_1_42
    ),
    "backchannel_uses_fetch": Proof(
        "backchannel_logout_requests", lambda requests: "host" in requests[0]["headers"], BOTH
    ),
    "applications_have_secret": Proof("mgmt_application_created", lambda answer: "secret" in answer["body"], BOTH),
    "users_have_cimd_client_id": Proof(
        "mgmt_users_page", lambda answer: "cimdClientId" in answer["body"][0], {"1.41": "1.41", **HEAD}
    ),
    "email_blocklist_is_public": Proof(
        "wellknown_sign_in_exp", lambda answer: "emailBlocklistPolicy" in answer["body"], BOTH
    ),
}

# Differences without a recording: the source, and the test of the emulator.
WITHOUT_RECORDING = {
    "has_actions": "recorded on 1.42, which has them; tests/password_migration/test_script.py",
    "signs_with_every_curve": "tried on Logto 1.41.0, 1.42.0 and the head; tests/emulator/oidc/test_keys.py",
    "members_take_empty_role_lists": (
        "recorded on the head, tried on 1.41.0 and 1.42.0; tests/emulator/management_api/test_empty_lists.py"
    ),
    "has_grant_limit_event": (
        "tried on Logto 1.41.0, 1.42.0 and the head; tests/emulator/management_api/test_versions.py"
    ),
    "userinfo_without_token_is_401": "tried on Logto 1.41.0, 1.42.0 and the head; tests/emulator/oidc/test_tokens.py",
    "browser_endpoints_require_form": "tried on Logto 1.41 and 1.42; tests/emulator/oidc/test_authorization.py",
}


def _ttl(claims: dict[str, Any]) -> int | None:
    return claims["exp"] - claims["iat"] if "exp" in claims else None


def _uid_length(claims: dict[str, Any]) -> int:
    (length,) = {len(claims["jti"]), len(claims["sid"])}
    return length
