"""A `client_id` that is a URL. The recorded refusals are in `tests/contract/test_tokens.py`."""

import json

import pytest

from logto_auth.emulator import Application, Emulator, Visitor
from logto_auth.emulator.visitors.page_reader import forms_of
from tests.client_documents import served_document
from tests.emulator.relying_party import RelyingParty, claims_of, parameters_of

ORGANIZATIONS = "urn:logto:scope:organizations"
DOCUMENT = "https://client.example/metadata.json"


def description_of(response):
    assert response.status_code == 400
    return response.json()["error_description"]


@pytest.fixture
def head(emulator):
    """The development head, with the dynamic app enabled."""
    emulator.like, emulator.outbound_guard, emulator.tenant.cimd_enabled = "head", True, True
    return emulator


@pytest.mark.parametrize(
    "client_id",
    [
        "http://client.example/metadata.json",
        "https:///metadata.json",
        "https://user@client.example/metadata.json",
        "https://client.example/metadata.json#fragment",
        "https://client.example/a/../metadata.json",
        "https://client.example/a/%2e/metadata.json",
        "https://client.example/a b",
        "https://client.example/a\\b",
    ],
)
def test_other_urls_are_unknown_clients(head, bookstore, client_id):
    assert description_of(bookstore.authorize(client_id=client_id)) == f"invalid client {client_id}"


@pytest.mark.parametrize("client_id", [DOCUMENT, "HTTPS://client.example", "https://client.example/a..b?x=../y"])
def test_document_of_a_client_cannot_be_read(head, bookstore, client_id):
    assert description_of(bookstore.authorize(client_id=client_id)) == "client_id metadata document fetch failed"


def test_too_long_url_is_refused(head, bookstore):
    client_id = DOCUMENT.ljust(2049, "x")
    assert description_of(bookstore.authorize(client_id=client_id)) == "client_id must not exceed 2048 characters"


@pytest.mark.parametrize(
    ("like", "guard", "enabled"), [("1.42", True, True), ("head", False, True), ("head", True, False)]
)
def test_dynamic_app_needs_head_guard_and_switch(head, bookstore, like, guard, enabled):
    head.like, head.outbound_guard, head.tenant.cimd_enabled = like, guard, enabled
    assert description_of(bookstore.authorize(client_id=DOCUMENT)) == f"invalid client {DOCUMENT}"


@pytest.mark.parametrize("like", ["1.41", "1.42"])
def test_released_versions_have_no_settings_of_the_dynamic_app(emulator, api, like):
    emulator.like = like
    assert api.get("/configs/cimd").status_code == 404
    assert api.patch("/configs/cimd", {"enabled": True}).status_code == 404


# Documents of this machine

FETCH_FAILED = "client_id metadata document fetch failed"
MCP = "https://shop.example/mcp"


@pytest.fixture
def document():
    with served_document() as document:
        yield document


@pytest.fixture
def agent(head, document):
    """The client of the document. The ceiling has one permission of two."""
    head.loopback_client_documents = True
    tenant = head.tenant
    tenant.add_resource(MCP, scopes=["mcp:tools", "write:stock"])
    tenant.add_role("agent user", scopes={MCP: ["mcp:tools", "write:stock"]})
    customer = next(user for user in tenant.users.values() if user.username == "customer")
    customer.roles.append("agent user")
    tenant.cimd_ceiling.user_scopes = ["profile"]
    tenant.cimd_ceiling.resource_scopes = {MCP: ["mcp:tools"]}
    party = RelyingParty(
        head, Application(id=document.url, name="", type="Native", secrets=[]), "http://localhost:53682/callback"
    )
    yield party
    party.http.close()


def test_document_of_this_machine_needs_the_option(head, document, agent):
    head.loopback_client_documents = False
    assert description_of(agent.authorize()) == FETCH_FAILED
    assert document.fetches == []


SCOPES = "openid profile offline_access mcp:tools write:stock"


def test_client_signs_a_user_in_within_the_ceiling(head, document, agent):
    token = agent.sign_in(scope=SCOPES, resource=MCP)
    claims = claims_of(agent.refresh(token["refresh_token"], resource=MCP).json()["access_token"])
    assert (claims["scope"], claims["client_id"], claims["aud"]) == ("mcp:tools", document.url, MCP)
    assert claims_of(token["id_token"])["aud"] == document.url
    assert agent.userinfo(agent.sign_in()["access_token"]).json()["username"] == "customer"
    assert len(document.fetches) == 1
    assert (document.fetches[0]["accept"], document.fetches[0]["user-agent"]) == ("application/json", "")


def test_lowered_ceiling_applies_at_the_refresh(head, agent):
    token = agent.sign_in(scope=SCOPES, resource=MCP)
    head.tenant.cimd_ceiling.resource_scopes = {}
    claims = claims_of(agent.refresh(token["refresh_token"], resource=MCP).json()["access_token"])
    assert claims["scope"] == ""


def test_user_scope_beyond_the_ceiling_is_refused(agent):
    answer = parameters_of(agent.authorize(scope="openid email").headers["Location"])
    assert (answer["error"], answer["scope"]) == ("invalid_scope", "email")


def test_user_is_asked_at_each_sign_in_and_sees_the_url(head, document, agent):
    with Visitor(head) as visitor:
        agent.sign_in(visitor=visitor, scope=SCOPES, resource=MCP)
        page = visitor.open(agent.authorization_url(scope=SCOPES, resource=MCP, prompt=None)).text
        assert document.url in page
        assert "mcp:tools" in page
        assert "write:stock" not in page
        silent = visitor.session.get(agent.authorization_url(prompt="none"), allow_redirects=False)
    assert parameters_of(silent.headers["Location"])["error"] == "interaction_required"


def test_first_client_of_a_user_is_remembered(head, document, agent, api):
    user = head.tenant.add_user(username="newcomer", password="Passw0rd-1")
    agent.sign_in("newcomer")
    shown = api.get(f"/users/{user.id}").json()
    assert (shown["applicationId"], shown["cimdClientId"]) == (None, document.url)


def test_grants_and_webhooks_name_the_client(head, document, agent, api):
    hook = head.tenant.add_hook("http://127.0.0.1:9/", ["PostSignIn"])
    customer = next(user for user in head.tenant.users.values() if user.username == "customer")
    agent.sign_in(scope=SCOPES, resource=MCP)
    (grant,) = api.get(f"/users/{customer.id}/grants?appType=thirdParty").json()["grants"]
    assert grant["application"] == {"id": document.url, "name": "Agent"}
    assert api.get(f"/users/{customer.id}/grants?appType=firstParty").json()["grants"] == []
    head.webhooks.wait()
    payload = next(json.loads(each.body) for each in head.webhooks.deliveries if each.hook_id == hook.id)
    assert payload["cimdClientId"] == document.url
    assert "application" not in payload


def test_one_organization_is_granted(head, agent):
    tenant = head.tenant
    customer = next(user for user in tenant.users.values() if user.username == "customer")
    tenant.add_organization_role("stocker", scopes=["manage:stock"])
    one, other = (tenant.add_organization(name) for name in ("One", "Other"))
    for each in (one, other):
        tenant.add_member(each.id, customer.id, roles=["stocker"])
    tenant.cimd_ceiling.user_scopes = [ORGANIZATIONS]
    tenant.cimd_ceiling.organization_scopes = ["manage:stock"]
    scope = f"openid offline_access {ORGANIZATIONS} manage:stock"
    token = agent.sign_in(scope=scope, resource="urn:logto:resource:organizations")["refresh_token"]
    chosen = next(grant.organization_id for grant in head.instances.grants.values() if grant.organization_id)
    left = one.id if chosen == other.id else other.id
    refreshed = agent.refresh(token, organization_id=chosen)
    assert claims_of(refreshed.json()["access_token"])["scope"] == "manage:stock"
    refused = agent.refresh(refreshed.json()["refresh_token"], organization_id=left)
    assert refused.json()["error_description"] == "organization access is not granted to the application"
    tenant.cimd_ceiling.organization_scopes = []
    last = agent.refresh(refreshed.json()["refresh_token"], organization_id=chosen)
    assert claims_of(last.json()["access_token"])["scope"] == ""


@pytest.mark.parametrize(
    ("uri", "is_allowed"),
    [
        ("http://localhost/callback", True),
        ("http://localhost:1/callback", True),
        ("http://127.0.0.1:1/callback", False),
        ("http://LOCALHOST/callback", False),
        ("http://localhost/callback/", False),
        ("http://localhost/a/../callback", False),
        ("https://localhost/callback", False),
        ("https://a.apps.example/cb", True),
        ("https://a.b.apps.example/cb", False),
        ("https://*.apps.example/cb", False),
    ],
)
def test_redirect_uris_are_compared_as_text(document, agent, uri, is_allowed):
    document.metadata["redirect_uris"] = ["http://localhost/callback", "https://*.apps.example/cb"]
    assert (agent.authorize(redirect_uri=uri).status_code == 303) == is_allowed


INVALID = {
    "a list": (b"[]", "client_id metadata document is not a JSON object"),
    "another client_id": ({"client_id": "https://localhost/"}, "client_id does not match the expected value"),
    "a secret": ({"client_secret": "s"}, "must not contain client_secret or client_secret_expires_at"),
    "a shared secret": ({"token_endpoint_auth_method": "client_secret_basic"}, "must not use shared-secret token end"),
    "no method": ({"token_endpoint_auth_method": None}, "client_secret is mandatory property"),
    "an unknown method": (
        {"token_endpoint_auth_method": "magic"},
        "token_endpoint_auth_method must be 'client_",
    ),
    "a list as method": ({"token_endpoint_auth_method": ["none"]}, "must be a non-empty string if provided"),
    "no keys": ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks or jwks_uri is mandatory for this client"),
    "http": ({"logo_uri": "http://a.example/logo"}, "client_id metadata document logo_uri must be an https: URL"),
    "a number as URL": ({"client_uri": 1}, "client_id metadata document client_uri must be an https: URL"),
    "no redirect URIs": ({"redirect_uris": None}, "redirect_uris is mandatory property"),
    "empty redirect URIs": ({"redirect_uris": []}, "redirect_uris must contain members"),
    "a text as redirect URIs": ({"redirect_uris": "http://localhost/"}, "redirect_uris must be an array"),
    "numbers as redirect URIs": ({"redirect_uris": [1]}, "redirect_uris must only contain strings"),
    "a path": ({"redirect_uris": ["/cb"]}, "redirect_uris must only contain valid uris"),
    "a fragment": ({"redirect_uris": ["http://localhost/#a"]}, "redirect_uris must not contain fragments"),
    "a wide pattern": ({"redirect_uris": ["https://*.com/cb"]}, "an unsupported wildcard redirect URI pattern (https:"),
    "a name": ({"client_name": 5}, "client_name must be a non-empty string if provided"),
    "a type": ({"application_type": "robot"}, "application_type must be 'native' or 'web'"),
    "an algorithm": ({"id_token_signed_response_alg": "RS256"}, "id_token_signed_response_alg must be"),
    "private metadata": ({"maxAllowedGrants": 9}, "must not contain Logto private metadata (maxAllowedGrants)"),
}


@pytest.mark.parametrize("case", INVALID)
def test_document_is_refused_and_not_kept(document, agent, case):
    changes, description = INVALID[case]
    if isinstance(changes, bytes):
        document.body = changes
    else:
        document.metadata = {name: each for name, each in {**document.metadata, **changes}.items() if each is not None}
    response = agent.authorize()
    assert description in description_of(response)
    wanted = "invalid_redirect_uri" if description.startswith("redirect_uris") else "invalid_client_metadata"
    assert response.json()["error"] == wanted
    agent.authorize()
    assert len(document.fetches) == 2


UNREADABLE = {
    "another status": {"status": 201},
    "a redirect": {"status": 302, "headers": {"Location": "/client.json"}},
    "too large": {"body": b'{"a": "%s"}' % (b"x" * 5120)},
    "a false length": {"headers": {"Content-Length": "9999"}},
    "no JSON": {"body": b"<html>"},
    "nothing": {"body": b""},
    "NaN": {"body": b'{"a": NaN}'},
    "deep": {"body": b"[" * 5000},
    "slow": {"delay_seconds": 3},
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_document_cannot_be_fetched(document, agent, case):
    for name, value in UNREADABLE[case].items():
        setattr(document, name, value)
    assert description_of(agent.authorize()) == FETCH_FAILED


@pytest.mark.parametrize(
    "client_id", ["https://client.example/metadata.json", "https://10.0.0.1/a", "https://localhost.example/a"]
)
def test_other_hosts_are_never_asked(agent, client_id):
    assert description_of(agent.authorize(client_id=client_id)) == FETCH_FAILED


@pytest.mark.parametrize(("header", "seconds"), [("max-age=0", 30), ("public, Max-Age=120", 120), ("", 30)])
def test_document_is_kept_as_long_as_it_says(head, document, agent, header, seconds):
    document.headers = {"Cache-Control": header}
    agent.authorize()
    # Real time passes as well.
    head.clock.advance(seconds - 15)
    agent.authorize()
    assert len(document.fetches) == 1
    head.clock.advance(16)
    agent.authorize()
    assert len(document.fetches) == 2


def test_removed_redirect_uri_stops_the_consent(head, document, agent):
    with Visitor(head) as visitor:
        agent.sign_in(visitor=visitor)
        page = visitor.open(agent.authorization_url())
        document.metadata["redirect_uris"] = ["http://localhost/other"]
        head.clock.advance(31)
        (form,) = [each for each in forms_of(page) if each.id == "consent"]
        refused = visitor.session.post(form.action, data={**dict(form.fields), "decision": "authorize"})
    assert description_of(refused) == "redirect_uri must still be allowed by the client metadata document"


def test_client_that_signs_its_requests_is_not_public(document, agent):
    document.metadata |= {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}}
    refused = agent.exchange("code")
    assert (refused.status_code, refused.json()["error_description"]) == (401, "client authentication failed")


def test_option_needs_head_and_guard():
    for options in ({"like": "1.42"}, {"like": "head", "outbound_guard": False}):
        with pytest.raises(ValueError, match="need --like head, and the outbound guard"):
            Emulator(loopback_client_documents=True, **options)
    emulator = Emulator(loopback_client_documents=True, like="head")
    emulator.loopback_client_documents = False
    emulator.reset(tenant=True)
    assert emulator.loopback_client_documents
