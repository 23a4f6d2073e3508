"""`/api/subject-tokens`, and the exchange of such tokens (impersonation)."""

import re

import pytest

from tests.emulator.relying_party import claims_of

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
IMPERSONATION = "urn:logto:token-type:impersonation_token"
API = "https://bookstore.example/api"


@pytest.fixture
def subject(api):
    return api.made("/subject-tokens", {"userId": "editor000001"})["subjectToken"]


@pytest.fixture
def exchange(bookstore, subject):
    bookstore.application.allow_token_exchange = True

    def exchange(**changes):
        fields = {"grant_type": EXCHANGE, "subject_token": subject, "subject_token_type": IMPERSONATION, **changes}
        return bookstore.post("token", **fields)

    return exchange


def test_subject_token_has_logto_format(api):
    made = api.made("/subject-tokens", {"userId": "editor000001", "context": {"reason": "support"}})
    assert re.fullmatch(r"sub_[0-9a-z]{21}", made["subjectToken"])
    assert list(made.items())[1:] == [("expiresIn", 600)]
    assert api.post("/subject-tokens", {"userId": "nope"}).status_code == 404


def test_subject_token_is_exchanged_for_resource_token(exchange):
    answer = exchange(resource=API, scope="read:books delete:books").json()
    assert list(answer) == ["access_token", "expires_in", "scope", "token_type"]
    claims = claims_of(answer["access_token"])
    assert (claims["sub"], claims["aud"], claims["scope"]) == ("editor000001", API, "read:books")


def test_only_requested_scopes_are_granted(exchange):
    assert exchange(resource=API).json()["scope"] == ""


def test_exchange_without_resource_gives_opaque_token(bookstore, exchange):
    answer = exchange(scope="openid profile nonsense").json()
    assert answer["scope"] == "openid profile"
    assert bookstore.userinfo(answer["access_token"]).json()["sub"] == "editor000001"


def test_exchange_for_organization_requires_membership(exchange):
    refused = exchange(organization_id="hillbranch01")
    assert (refused.status_code, refused.json()["error"]) == (403, "access_denied")


def test_member_gets_organization_token_by_exchange(exchange):
    claims = claims_of(exchange(organization_id="harbourbr001", scope="manage:stock").json()["access_token"])
    assert (claims["aud"], claims["scope"]) == ("urn:logto:organization:harbourbr001", "")


def test_subject_token_works_once(exchange):
    assert exchange(scope="openid").status_code == 200
    assert exchange(scope="openid").json()["error"] == "invalid_grant"


def test_subject_token_expires(emulator, exchange):
    emulator.clock.advance(600)
    assert exchange(scope="openid").json()["error"] == "invalid_grant"


def test_failed_exchange_does_not_consume_subject_token(exchange):
    assert exchange(organization_id="hillbranch01").status_code == 403
    assert exchange(scope="openid").status_code == 200


@pytest.mark.parametrize(("like", "status"), [("1.41", 200), ("1.42", 200), ("head", 400)])
def test_head_refuses_subject_token_of_suspended_user(emulator, bookstore, exchange, like, status):
    emulator.like = like
    emulator.tenant.suspend_user("editor000001")
    answer = exchange(scope="openid")
    assert answer.status_code == status
    if status == 200:
        assert bookstore.userinfo(answer.json()["access_token"]).status_code == 200


def test_head_refuses_userinfo_of_suspended_user(emulator, bookstore, exchange):
    emulator.like = "1.42"
    emulator.tenant.suspend_user("editor000001")
    token = exchange(scope="openid").json()["access_token"]
    emulator.like = "head"
    assert bookstore.userinfo(token).status_code == 401


def test_exchange_requires_permission_of_application(bookstore, exchange):
    bookstore.application.allow_token_exchange = False
    description = exchange(scope="openid").json()["error_description"]
    assert description == "requested grant type is not allowed for this client"


def test_third_party_application_cannot_exchange_tokens(api, third_party):
    body = {"customClientMetadata": {"allowTokenExchange": True}}
    refused = api.patch(f"/applications/{third_party.application.id}", body)
    assert refused.json()["code"] == "application.third_party_application_cannot_enable_token_exchange"


@pytest.mark.parametrize(
    "changes",
    [
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"actor_token": "x"},
        {"subject_token": None},
        {"resource": ["https://a.example", "https://b.example"]},
    ],
)
def test_malformed_exchanges_are_refused(exchange, changes):
    assert exchange(**changes).status_code == 400
