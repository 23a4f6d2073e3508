"""`/api/sso-connectors` and the enterprise connectors that organizations link. Compared with Logto 1.42."""

import pytest

CONNECTORS = "/sso-connectors"
JIT = "/organizations/harbourbr001/jit"


def code(response):
    return response.status_code, response.json()["code"]


@pytest.fixture
def connector(api):
    body = {"providerName": "OIDC", "connectorName": "Harbour", "domains": ["Harbour.Example"]}
    return api.made(CONNECTORS, body)


def test_connector_has_logto_format(api, connector):
    assert list(connector) == [
        "tenantId", "id", "providerName", "connectorName", "config",
        "domains", "branding", "syncProfile", "enableTokenStorage", "createdAt",
    ]  # fmt: skip
    assert connector["domains"] == ["harbour.example"]
    shown = api.get(f"{CONNECTORS}/{connector['id']}").json()
    assert list(shown) == [*connector, "name", "providerType", "providerLogo", "providerLogoDark"]
    assert api.get(CONNECTORS, page=1).headers["Total-Number"] == "2"
    assert [each["providerName"] for each in api.get("/sso-connector-providers").json()] == [
        "OIDC", "SAML", "AzureAD", "AzureAdOidc", "GoogleWorkspace", "Okta",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, (400, "guard.invalid_input")),
        ({"providerName": "Other"}, (422, "connector.not_found")),
        ({"connectorName": "Harbour"}, (409, "single_sign_on.duplicate_connector_name")),
        ({"domains": ["Gmail.com"]}, (422, "single_sign_on.forbidden_domains")),
        ({"domains": ["a.example", "A.example"]}, (422, "single_sign_on.duplicated_domains")),
        ({"config": {"clientId": "a"}}, (400, "connector.invalid_config")),
        (
            {"config": {"clientId": "a", "clientSecret": "b", "issuer": "http://127.0.0.1:9"}},
            (400, "connector.invalid_config"),
        ),
        (
            {
                "providerName": "SAML",
                "config": {"entityId": "a", "signInEndpoint": "https://a.example/", "x509Certificate": "abc"},
            },
            (400, "connector.invalid_certificate"),
        ),
        ({"providerName": "SAML", "config": {"metadata": "<a/>"}}, (400, "connector.invalid_metadata")),
        ({"enableTokenStorage": True}, (422, "request.feature_not_supported")),
    ],
)
def test_bad_connector_is_refused(api, connector, body, refusal):
    wanted = {"providerName": "OIDC", "connectorName": "Other", **body} if body else {}
    assert code(api.post(CONNECTORS, wanted)) == refusal
    assert len(api.get(CONNECTORS).json()) == 2


def test_metadata_of_oidc_provider_are_read(api, emulator, connector):
    config = {"clientId": "a", "clientSecret": "b", "issuer": emulator.issuer, "scope": "other"}
    changed = api.patch(f"{CONNECTORS}/{connector['id']}", {"config": config}).json()
    assert changed["connectorName"] == "Harbour"
    assert changed["providerConfig"]["tokenEndpoint"] == f"{emulator.issuer}/token"
    assert changed["providerConfig"]["scope"] == "openid profile email other"


def test_linked_connectors_are_added_replaced_and_removed(api, connector):
    path, other = f"{JIT}/sso-connectors", api.made(CONNECTORS, {"providerName": "SAML", "connectorName": "Other"})
    assert code(api.post(path, {"ssoConnectorIds": [connector["id"], "unknown"]})) == (
        422,
        "entity.relation_foreign_key_not_found",
    )
    assert api.post(path, {"ssoConnectorIds": [connector["id"], connector["id"]]}).status_code == 201
    assert api.post(path, {"ssoConnectorIds": [connector["id"]]}).status_code == 201
    assert api.get(path).json() == [connector]
    assert api.put(path, {"ssoConnectorIds": [other["id"]]}).status_code == 204
    assert code(api.delete(f"{path}/{connector['id']}")) == (404, "entity.not_found")
    assert api.delete(f"{CONNECTORS}/{other['id']}").status_code == 204
    assert api.get(path).json() == []


def test_tenant_adds_and_links_a_connector(api, emulator):
    made = emulator.tenant.add_sso_connector("Harbour", domains=["Harbour.example"])
    emulator.tenant.add_jit("harbourbr001", sso_connectors=[made.id])
    (linked,) = api.get(f"{JIT}/sso-connectors").json()
    assert (linked["connectorName"], linked["domains"]) == ("Harbour", ["harbour.example"])


def test_replacement_of_domains_is_refused_as_a_whole(api):
    path = f"{JIT}/email-domains"
    assert api.put(path, {"emailDomains": ["a.example"]}).status_code == 204
    assert code(api.put(path, {"emailDomains": ["b.example", "b.example"]})) == (
        422,
        "entity.unique_integrity_violation",
    )
    assert code(api.post(path, {"emailDomain": "a" * 129})) == (422, "entity.value_too_long")
    assert [each["emailDomain"] for each in api.get(path).json()] == ["a.example"]


@pytest.mark.parametrize("kind", ["email-domains", "roles", "sso-connectors"])
def test_unknown_organization_takes_an_empty_replacement(api, kind):
    key = {"email-domains": "emailDomains", "roles": "organizationRoleIds", "sso-connectors": "ssoConnectorIds"}[kind]
    assert api.put(f"/organizations/unknown/jit/{kind}", {key: []}).status_code == 204
