"""Find out which version of Logto answers, and say what that means for the site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jwt

from logto_auth.clients import machine_client, management_api
from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, LogtoError, ProviderError
from logto_auth.oidc.addresses import Addresses
from logto_auth.oidc.http import HTTPClient

from .findings import Finding, ok, skipped, warning
from .versions import CONSEQUENCES, Answers, LogtoVersion, Version

__all__ = ["read_answers", "version_findings"]

OLDEST_TESTED = Version.V1_41


def read_answers(http: HTTPClient, addresses: Addresses, discovery: Mapping[str, Any]) -> Answers:
    """Return what Logto publishes beside its discovery document. No answer is required."""
    base_url = addresses.internal_endpoint
    return Answers(
        discovery=discovery,
        oauth_metadata=_document(http, f"{base_url}/oidc/.well-known/oauth-authorization-server"),
        sign_in_experience=_document(http, f"{base_url}/api/.well-known/sign-in-exp"),
        openapi=_document(http, f"{base_url}/api/.well-known/management.openapi.json"),
        token_id_length=_token_id_length(),
    )


def version_findings(version: LogtoVersion) -> Iterator[Finding]:
    """Yield the version with its evidence, and a finding for each of its consequences."""
    if version.contradictions:
        yield skipped(
            "version",
            f"The version of Logto is unknown. Its answers contradict each other: {_list(version.contradictions)}.",
        )
        return
    if not version.evidence:
        yield skipped(
            "version", "The version of Logto is unknown, because its answers show no difference between versions."
        )
        return
    text = f"Logto is {version}. Evidence: {_list(version.evidence)}."
    if version.may_be(OLDEST_TESTED):
        yield ok("version", text)
    else:
        yield warning("version", text, "Update Logto. This package is tested with 1.41 and newer.")
    for consequence in CONSEQUENCES:
        if not consequence.concerns():
            continue
        if version.is_at_least(consequence.since):
            yield ok("version", consequence.text)
        elif consequence.before and not version.may_be(consequence.since):
            yield ok("version", consequence.before)


def _document(http: HTTPClient, url: str) -> Mapping[str, Any] | None:
    try:
        response = http.get(url)
        return response.json_object() if response.status == 200 else None
    except ProviderError:
        return None


def _token_id_length() -> int | None:
    """Return the length of `jti` in the access token for the Management API. None without such a token."""
    if not (conf.m2m_app_id and conf.m2m_app_secret):
        return None
    try:
        token = machine_client().token(resource=management_api().resource, scopes=["all"])
        claims = jwt.decode(token.access_token.reveal(), options={"verify_signature": False})
    except (ConfigurationError, LogtoError, jwt.PyJWTError):
        return None  # reported as "management-api"
    return len(str(claims.get("jti", "")))


def _list(evidence: tuple[str, ...]) -> str:
    return "; ".join(evidence)
