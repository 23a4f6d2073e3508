"""`/api/sso-connectors` and `/api/sso-connector-providers`.

The emulator reads the metadata of OIDC providers, as Logto does. It reads no SAML metadata, and refuses a connector
that has any.
"""

from __future__ import annotations

from typing import Any

import requests
from cryptography.x509 import load_pem_x509_certificate
from flask import Response

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.api.schemas import (
    Misfit,
    anything,
    boolean,
    list_of,
    object_of,
    optional,
    text,
    with_default,
)
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.json_columns import jsonb
from logto_auth.emulator.state.sso_connectors import PROVIDERS, PUBLIC_DOMAINS, SsoConnector, SsoProvider
from logto_auth.emulator.state.tenant import Tenant

from .lookup import existing
from .paging import optionally_paged
from .routing import route

_LOGO = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'/%3E"
_TABLE = "sso_connectors"
_FETCH_SECONDS = 5

_connector_name = text(at_least=1, at_most=128)
_changeable = {
    "config": optional(anything),
    "domains": optional(list_of(text())),
    "branding": optional(object_of(displayName=optional(text()), logo=optional(text()), darkLogo=optional(text()))),
    "syncProfile": optional(boolean),
    "enableTokenStorage": optional(boolean),
}
_new = object_of(**_changeable, providerName=text(at_least=1, at_most=128), connectorName=_connector_name)
_changes = object_of(**_changeable, connectorName=optional(_connector_name))

_credentials = {"clientId": text(), "clientSecret": text()}
_options = {"scope": optional(text()), "trustUnverifiedEmail": with_default(boolean, default=False)}
_oidc = object_of(**_credentials, issuer=text(), **_options)
_oidc_of_fixed_issuer = object_of(**_credentials, **_options, offlineAccess=optional(boolean))
_mapping = optional(object_of(id=optional(text()), email=optional(text()), name=optional(text())))
_saml = object_of(entityId=text(), signInEndpoint=text(), x509Certificate=text(), attributeMapping=_mapping)
_METADATA_KEYS = {
    "authorization_endpoint": "authorizationEndpoint",
    "token_endpoint": "tokenEndpoint",
    "userinfo_endpoint": "userinfoEndpoint",
    "jwks_uri": "jwksUri",
    "issuer": "issuer",
}


def as_json(connector: SsoConnector) -> dict[str, Any]:
    """Return a connector as Logto stores it, with its secrets in clear text."""
    return {
        "tenantId": "default",
        "id": connector.id,
        "providerName": connector.provider.provider_name,
        "connectorName": connector.connector_name,
        "config": jsonb(connector.config),
        "domains": connector.domains,
        "branding": connector.branding,
        "syncProfile": connector.sync_profile,
        "enableTokenStorage": False,
        "createdAt": connector.created_at,
    }


@route("GET", "/sso-connector-providers")
def list_providers(tenant: Tenant) -> list[dict[str, Any]]:
    return [
        {
            "providerName": provider.provider_name,
            "providerType": provider.type,
            "logo": _LOGO,
            "logoDark": _LOGO,
            "description": provider.description,
            "name": provider.name,
        }
        for provider in PROVIDERS.values()
    ]


@route("GET", "/sso-connectors")
def list_connectors(tenant: Tenant) -> Response:
    return optionally_paged(sorted(tenant.sso_connectors.values(), key=lambda each: each.id), _with_provider)


@route("POST", "/sso-connectors", exclusive=False)
def create_connector(tenant: Tenant) -> dict[str, Any]:
    given = body(_new)
    if given["providerName"] not in PROVIDERS:
        raise APIError("connector.not_found", type=given["providerName"])
    connector = SsoConnector(PROVIDERS[given["providerName"]], given["connectorName"], current().clock.now_ms())
    _change(tenant, connector, given)
    tenant.sso_connectors[connector.id] = connector
    return as_json(connector)


@route("GET", "/sso-connectors/:id")
def show_connector(tenant: Tenant, id: str) -> dict[str, Any]:
    return _with_provider(existing(tenant.sso_connectors, id, _TABLE))


@route("PATCH", "/sso-connectors/:id", exclusive=False)
def change_connector(tenant: Tenant, id: str) -> dict[str, Any]:
    given = body(_changes)
    connector = existing(tenant.sso_connectors, id, _TABLE)
    _change(tenant, connector, given)
    return _with_provider(connector)


@route("DELETE", "/sso-connectors/:id", status=204)
def delete_connector(tenant: Tenant, id: str) -> None:
    tenant.delete_sso_connector(existing(tenant.sso_connectors, id, _TABLE).id)


def _change(tenant: Tenant, connector: SsoConnector, given: dict[str, Any]) -> None:
    """Change the connector as the body says, or raise APIError. The checks are in Logto's order."""
    domains = [domain.lower() for domain in given.get("domains", connector.domains)]
    _check_domains(domains)
    config = _checked_config(connector.provider, given["config"]) if "config" in given else connector.config
    name = given.get("connectorName", connector.connector_name)
    if any(each.connector_name == name and each is not connector for each in tenant.sso_connectors.values()):
        raise APIError("single_sign_on.duplicate_connector_name", 409)
    fetched = _fetched(connector.provider, config) if "config" in given else connector.fetched
    if given.get("enableTokenStorage"):
        # A Logto without a key for its vault of secrets stores no tokens.
        raise APIError("request.feature_not_supported")
    connector.connector_name, connector.domains = name, domains
    connector.config, connector.fetched = config, fetched
    connector.branding = given.get("branding", connector.branding)
    connector.sync_profile = given.get("syncProfile", connector.sync_profile)


def _check_domains(domains: list[str]) -> None:
    public = list(dict.fromkeys(domain for domain in domains if domain in PUBLIC_DOMAINS))
    if public:
        raise APIError("single_sign_on.forbidden_domains", data={"data": public})
    repeated = [domain for domain in dict.fromkeys(domains) if domains.count(domain) > 1]
    if repeated:
        raise APIError("single_sign_on.duplicated_domains", data={"data": repeated})


def _checked_config(provider: SsoProvider, config: dict[str, Any]) -> dict[str, Any]:
    """Return the config with the keys that Logto knows. Raise 400 for a config that does not fit."""
    if provider.type == "saml" and {"metadata", "metadataUrl"} & config.keys():
        raise APIError("connector.invalid_metadata", 400)
    schema = _saml if provider.type == "saml" else _oidc_of_fixed_issuer if provider.issuer else _oidc
    try:
        known: dict[str, Any] = schema(config, ())
    except Misfit:
        raise APIError("connector.invalid_config", 400) from None
    return known


def _fetched(provider: SsoProvider, config: dict[str, Any]) -> dict[str, Any] | None:
    """Return the metadata of an OIDC provider. Raise 400 for a provider that does not answer and a bad certificate."""
    if provider.type == "saml":
        _check_certificate(config)
        return None
    issuer = provider.issuer or config["issuer"]
    try:
        with requests.Session() as session:
            session.trust_env = False
            response = session.get(f"{issuer}/.well-known/openid-configuration", timeout=_FETCH_SECONDS)
        response.raise_for_status()
        metadata = response.json()
        known = {ours: metadata[theirs] for theirs, ours in _METADATA_KEYS.items() if theirs in metadata}
    except (requests.RequestException, ValueError, TypeError):
        raise _invalid_config(issuer, "fail_to_fetch_config") from None
    if known.keys() != set(_METADATA_KEYS.values()) - ({"userinfoEndpoint"} - known.keys()):
        raise _invalid_config(issuer, "invalid_config_response")
    return known


def _invalid_config(issuer: str, message: str) -> APIError:
    data = {"ssoErrorCode": "invalid_config", "config": {"issuer": issuer}, "message": message}
    return APIError("connector.invalid_config", 400, data=data)


def _check_certificate(config: dict[str, Any]) -> None:
    encoded = config["x509Certificate"]
    if "BEGIN CERTIFICATE" not in encoded:
        encoded = f"-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----"
    try:
        load_pem_x509_certificate(encoded.encode())
    except ValueError:
        data = {"ssoErrorCode": "invalid_certificate", "config": config}
        raise APIError("connector.invalid_certificate", 400, data=data) from None


def _with_provider(connector: SsoConnector) -> dict[str, Any]:
    provider, details = connector.provider, _provider_config(connector)
    return {
        **as_json(connector),
        "name": provider.name,
        "providerType": provider.type,
        "providerLogo": _LOGO,
        "providerLogoDark": _LOGO,
        **({"providerConfig": details} if details is not None else {}),
    }


def _provider_config(connector: SsoConnector) -> dict[str, Any] | None:
    """Return what the administrator of an identity provider needs, and its metadata. None for an unfinished config."""
    if connector.provider.type == "saml":
        endpoint = current().endpoint
        return {
            "defaultAttributeMapping": {"id": "nameID", "email": "email", "name": "name"},
            "serviceProvider": {
                "entityId": f"{endpoint}/enterprise-sso/{connector.id}",
                "assertionConsumerServiceUrl": f"{endpoint}/api/authn/single-sign-on/saml/{connector.id}",
            },
        }
    if connector.fetched is None:
        return None
    scopes = ["openid", "profile", "email", *connector.config.get("scope", "").replace("+", " ").split()]
    return {**connector.config, "scope": " ".join(dict.fromkeys(scopes)), **connector.fetched}
