"""`/api/one-time-tokens`, and links with such tokens."""

import pytest


def code(response):
    return response.status_code, response.json()["code"]


@pytest.fixture
def token(api):
    return api.made("/one-time-tokens", {"email": "editor@bookstore.example"})


def verify(api, made, **changes):
    return api.post("/one-time-tokens/verify", {"token": made["token"], "email": made["email"], **changes})


def test_token_created_by_api_signs_in(api, bookstore, visitor):
    context = {"jitOrganizationIds": ["harbourbr001"]}
    token = api.made("/one-time-tokens", {"email": "new@bookstore.example", "context": context})
    assert token["context"] == context
    visitor.sign_in_by_link(bookstore.authorization_url(one_time_token=token["token"], login_hint=token["email"]))
    assert api.get(f"/one-time-tokens/{token['id']}").json()["status"] == "consumed"
    assert api.get("/users").json()[0]["primaryEmail"] == "new@bookstore.example"
    assert api.get("/organizations/harbourbr001/users", q="new@").headers["Total-Number"] == "1"


def test_token_has_logto_format_and_ten_minutes(token):
    assert list(token) == ["tenantId", "id", "email", "token", "context", "status", "createdAt", "expiresAt"]
    assert token["expiresAt"] - token["createdAt"] == 600_000
    assert (len(token["token"]), token["context"], token["status"]) == (32, {}, "active")


def test_token_is_verified_once(api, token):
    assert code(verify(api, token, email="other@bookstore.example")) == (400, "one_time_token.email_mismatch")
    assert code(verify(api, token, token="nope")) == (404, "one_time_token.token_not_found")
    assert verify(api, token).json()["status"] == "consumed"
    assert code(verify(api, token)) == (400, "one_time_token.token_consumed")


def test_revoked_token_cannot_be_reactivated(api, token):
    path = f"/one-time-tokens/{token['id']}"
    assert api.put(f"{path}/status", {"status": "revoked"}).json()["status"] == "revoked"
    assert code(verify(api, token)) == (400, "one_time_token.token_revoked")
    refused = api.put(f"{path}/status", {"status": "active"})
    assert code(refused) == (400, "one_time_token.cannot_reactivate_token")
    assert [each["id"] for each in api.get("/one-time-tokens", status="revoked").json()] == [token["id"]]
    assert api.get("/one-time-tokens", email="other@bookstore.example").json() == []
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_unknown_organization_is_ignored_at_sign_in(api, bookstore, visitor):
    context = {"jitOrganizationIds": ["nope", "harbourbr001"]}
    token = api.made("/one-time-tokens", {"email": "new@bookstore.example", "context": context})
    assert token["context"] == context
    visitor.sign_in_by_link(bookstore.authorization_url(one_time_token=token["token"], login_hint=token["email"]))
    assert api.get("/organizations/harbourbr001/users", q="new@").headers["Total-Number"] == "1"


def test_expired_token_is_shown_as_expired(emulator, api):
    token = api.made("/one-time-tokens", {"email": "new@bookstore.example", "expiresIn": 1.5})
    emulator.clock.advance(2)
    assert api.get(f"/one-time-tokens/{token['id']}").json()["status"] == "expired"
    # The status that is stored changes later.
    assert [each["id"] for each in api.get("/one-time-tokens", status="active").json()] == [token["id"]]
    api.made("/one-time-tokens", {"email": "new@bookstore.example"})
    assert [each["id"] for each in api.get("/one-time-tokens", status="expired").json()] == [token["id"]]


def test_page_counts_tokens_of_other_addresses(api, token):
    api.made("/one-time-tokens", {"email": "new@bookstore.example"})
    page = api.get("/one-time-tokens", email="new@bookstore.example", page=1)
    assert (len(page.json()), page.headers["Total-Number"]) == (1, "2")


@pytest.mark.parametrize(
    "body",
    [
        {"email": "a" * 129},
        {"email": "a@b.example", "expiresIn": 0.5},
        {"email": "a@b.example", "context": {"interactionEvent": "x"}},
    ],
)
def test_bad_token_is_refused(api, body):
    assert code(api.post("/one-time-tokens", body)) == (400, "guard.invalid_input")


@pytest.mark.parametrize("query", [{"email": "x"}, {"status": "old"}])
def test_bad_search_is_refused(api, query):
    assert code(api.get("/one-time-tokens", **query)) == (400, "guard.invalid_input")


def test_token_of_another_interaction_is_refused(api, bookstore, visitor):
    context = {"interactionEvent": "Register"}
    token = api.made("/one-time-tokens", {"email": "new@bookstore.example", "context": context})
    url = bookstore.authorization_url(one_time_token=token["token"], login_hint=token["email"])
    with pytest.raises(AssertionError, match="another purpose"):
        visitor.sign_in_by_link(url)
    assert api.get(f"/one-time-tokens/{token['id']}").json()["status"] == "active"
