"""What a third-party application gets of permissions that a user has by organization roles.

Each answer was tried on a Logto 1.42.0.
"""

import pytest

from logto_auth.emulator import VisitFailed, Visitor
from tests.emulator.relying_party import RelyingParty, claims_of

API = "https://shop.example/api"
ORGANIZATIONS = "urn:logto:scope:organizations"


@pytest.fixture
def agent(emulator):
    """A client that may ask for `own` anywhere, and for `shared` in an organization. The user has both."""
    tenant = emulator.tenant
    tenant.add_resource(API, scopes=["own", "shared"])
    tenant.add_role("owner of own", scopes={API: ["own"]})
    tenant.add_organization_role("sharer", resource_scopes={API: ["shared"]})
    user = tenant.add_user(username="member", roles=["owner of own"])
    tenant.add_member(tenant.add_organization("Branch", id="branch").id, user.id, roles=["sharer"])
    application = tenant.add_application(
        name="Agent",
        type="Native",
        redirect_uris=["http://127.0.0.1/cb"],
        is_third_party=True,
        user_scopes=[ORGANIZATIONS],
        resource_scopes={API: ["own"]},
        organization_resource_scopes={API: ["shared"]},
    )
    party = RelyingParty(emulator, application, "http://127.0.0.1:5555/cb")
    yield party
    party.http.close()


def granted(agent, token, **more):
    answer = agent.refresh(token["refresh_token"], resource=API, **more).json()
    token["refresh_token"] = answer.get("refresh_token", token["refresh_token"])
    return claims_of(answer["access_token"])["scope"] if "access_token" in answer else answer["error_description"]


def test_permission_of_an_organization_is_left_out_without_its_scope(emulator, agent):
    with Visitor(emulator) as visitor:
        token = agent.sign_in("member", visitor, scope="openid offline_access own shared", resource=API)
        assert granted(agent, token) == "own"
        assert granted(agent, token, organization_id="branch") == (
            "organization access is not granted to the application"
        )
        # It is not missing at the next sign-in in the session.
        agent.code(None, visitor, scope="openid own shared", resource=API, prompt=None)


def test_permission_of_a_chosen_organization_is_granted(agent):
    token = agent.sign_in("member", scope=f"openid offline_access {ORGANIZATIONS} own shared", resource=API)
    assert granted(agent, token).split() == ["own", "shared"]
    assert granted(agent, token, organization_id="branch").split() == ["own", "shared"]


def test_consent_is_asked_for_again_if_nothing_can_be_granted(agent):
    with pytest.raises(VisitFailed) as failure:
        agent.sign_in("member", scope="openid offline_access shared", resource=API)
    assert "/consent" in failure.value.response.url
