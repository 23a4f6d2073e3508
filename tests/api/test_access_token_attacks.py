"""Access tokens at protected APIs, over HTTP.

`tests/oidc/test_claim_matrix.py` has the rules of access tokens. Here is one example of each group of rules at every
kind of API, and then what is more than a token: real tokens, audiences, keys and settings, at one API.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from freezegun import freeze_time
from joserfc.jwk import ECKey, RSAKey

from logto_auth.emulator import Emulator, HttpFault, run_in_thread
from logto_auth.models import LogtoIdentity, LogtoSession, UserStatus
from logto_auth.testing import Browser
from tests.emulator.relying_party import CALLBACK, RelyingParty

from . import attacked_urls
from .attackers import API, Door, TokenMaker

pytestmark = pytest.mark.django_db

Claims = dict[str, Any]
EVIL_KEY = ECKey.generate_key("P-384")
EVIL_RSA_KEY = RSAKey.generate_key(2048)
OTHER_API = "https://other.example/api"
MANAGEMENT_API = "https://default.logto.app/api"


@pytest.fixture
def refused(door: Door) -> Callable[..., None]:
    """Check that an API refuses the token, because of `claim`."""

    def check(token: str, claim: str | Collection[str] = ()) -> None:
        door.sees_refused(token, 401, "invalid_token", claim=claim)

    return check


@pytest.fixture
def served(doors: list[Door]) -> Callable[[str], Claims]:
    """Check that every API accepts the token; return what their views saw, which is the same."""

    def check(token: str) -> Claims:
        answers = [door.sees_served(token) for door in doors]
        assert answers.count(answers[0]) == len(doors)
        return answers[0]

    return check


@pytest.fixture
def rsa(logto: Emulator) -> Iterator[Emulator]:
    """Logto after rotating to an RSA key."""
    logto.rotate_keys("RSA")
    yield logto
    # A reset does not change the keys.
    logto.rotate_keys("EC")


@pytest.fixture
def signed_in(browser: Browser, logto: Emulator, reader: Any, caller: Any, settings: Any) -> Any:
    """`request.logto` of the user after a sign-in, with every kind of token."""
    settings.LOGTO_RESOURCES = [API, OTHER_API, "urn:logto:resource:organizations"]
    settings.LOGTO_SCOPES = [
        "openid",
        "offline_access",
        "urn:logto:scope:organizations",
        "read:books",
        "write:books",
        "manage:stock",
    ]
    for resource in (API, OTHER_API):
        logto.tenant.add_resource(resource, scopes=["read:books", "write:books"])
    logto.tenant.add_role("editor", scopes={API: ["read:books"], OTHER_API: ["read:books"]})
    logto.tenant.update_user(reader.id, roles=["editor"])
    logto.tenant.add_organization("Harbour", id="harbour00001")
    logto.tenant.add_organization_role("manager", scopes=["manage:stock"], resource_scopes={API: ["write:books"]})
    logto.tenant.add_member("harbour00001", reader.id, roles=["manager"])
    return browser.sign_in("reader").wsgi_request.logto


@pytest.fixture
def machine_token(logto: Emulator, signed_in: Any) -> Callable[..., str]:
    """Get a token for a machine with `read:books` and, in its organization, `manage:stock`."""
    logto.tenant.add_role("robot", type="MachineToMachine", scopes={API: ["read:books"], MANAGEMENT_API: ["all"]})
    logto.tenant.add_organization_role("keeper", type="MachineToMachine", scopes=["manage:stock"])
    robot = logto.tenant.add_application(name="Robot", type="MachineToMachine", roles=["robot"])
    logto.tenant.add_organization_application("harbour00001", robot.id, roles=["keeper"])

    def get(**parameters: str) -> str:
        scope = "read:books manage:stock all"
        answer = RelyingParty(logto, robot).post("token", grant_type="client_credentials", scope=scope, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    return get


# Every kind of API


@pytest.mark.parametrize("kind", attacked_urls.BOOKS)
def test_every_api_checks_token_header_scope_and_account(
    apis: None, caplog: Any, token: TokenMaker, logto: Emulator, caller: Any, kind: str
) -> None:
    door, remembered = Door(kind, attacked_urls.BOOKS[kind], caplog), token()
    door.sees_served(remembered)
    door.sees_refused(None, 401, None)
    door.sees_refused(None, 401, None, Authorization=f"Basic {remembered}")
    door.sees_refused(None, 400, "invalid_request", Authorization=f"Bearer {remembered} {remembered}")
    door.sees_refused("opaque", 401, "invalid_token", claim="token")
    door.sees_refused(token({"kid": logto.keys.current.kid}, key=EVIL_KEY), 401, "invalid_token", claim="signature")
    door.sees_refused(token({"typ": "JWT"}), 401, "invalid_token", claim="typ")
    door.sees_refused(token.for_organization("harbour00001"), 401, "invalid_token", claim="aud")
    for claim, value in (("iss", "https://evil.example/oidc"), ("aud", OTHER_API), ("exp", 1), ("sub", ...)):
        door.sees_refused(token(**{claim: value}), 401, "invalid_token", claim=claim)
    door.sees_refused(token(scope="bread:books"), 403, "insufficient_scope")
    door.sees_refused(token(sub="stranger0001"), 403, "account_unknown")
    caller.is_active = False
    caller.save()
    door.sees_refused(remembered, 401, "invalid_token")
    LogtoIdentity.objects.update(status=UserStatus.SUSPENDED)
    type(caller).objects.update(is_active=True)
    door.sees_refused(remembered, 401, "invalid_token")
    caller.delete()
    door.sees_refused(remembered, 403, "account_unknown")


@pytest.mark.parametrize("kind", attacked_urls.STOCKS)
def test_every_organization_api_checks_token_scope_and_account(
    apis: None, caplog: Any, token: TokenMaker, caller: Any, kind: str
) -> None:
    door, made = Door(kind, attacked_urls.STOCKS[kind], caplog), token.for_organization("harbour00001")
    for address in (door, door.of("harbour00001")):
        address.sees_served(made)
        address.sees_refused(None, 401, None)
        address.sees_refused("opaque", 401, "invalid_token", claim="token")
        for audience in (API, ["urn:logto:organization:harbour00001", API]):
            moved = token(aud=audience, organization_id="harbour00001")
            address.sees_refused(moved, 401, "invalid_token", claim="aud")
        address.sees_refused(token.for_organization("harbour00001", scope="x"), 403, "insufficient_scope")
    type(caller).objects.update(is_active=False)
    door.sees_refused(made, 401, "invalid_token")


@pytest.mark.parametrize("kind", attacked_urls.BOOKS)
def test_outage_is_503_at_every_api(apis: None, caplog: Any, token: TokenMaker, logto: Emulator, kind: str) -> None:
    logto.faults.http["jwks"] = HttpFault(drop=True)
    door = Door(kind, attacked_urls.BOOKS[kind], caplog)
    response = door.sees_refused(token(), 503, "temporarily_unavailable")
    assert "http" not in response.content.decode()


# Accepted


def test_token_of_user_is_accepted(served: Callable[..., Claims], signed_in: Any, caller: Any) -> None:
    seen = served(signed_in.access_token(API))
    assert (seen["user"], seen["is_machine"]) == (str(caller.pk), False)
    # Logto adds up the permissions of all organizations.
    assert seen["scopes"] == ["read:books", "write:books"]
    assert (seen["organization"], seen["organization_scopes"]) == (None, [])


def test_token_for_api_in_organization_is_accepted(served: Callable[..., Claims], signed_in: Any) -> None:
    seen = served(signed_in.access_token(API, "harbour00001"))
    assert (seen["organization"], seen["organization_scopes"]) == ("harbour00001", ["read:books", "write:books"])


def test_organization_token_is_accepted(stock_doors: list[Door], signed_in: Any) -> None:
    token = signed_in.access_token(None, "harbour00001")
    for door in stock_doors:
        for address in (door, door.of("harbour00001")):
            seen = address.sees_served(token)
            assert (seen["organization"], seen["organization_scopes"]) == ("harbour00001", ["manage:stock"])
            assert seen["scopes"] == []


def test_token_of_machine_is_accepted(
    served: Callable[..., Claims], machine_token: Callable[..., str], stock_doors: list[Door]
) -> None:
    seen = served(machine_token(resource=API))
    assert (seen["is_machine"], seen["scopes"]) == (True, ["read:books"])
    assert seen["user"] == seen["sub"]
    for door in stock_doors:
        seen = door.sees_served(machine_token(organization_id="harbour00001"))
        assert (seen["is_machine"], seen["organization_scopes"]) == (True, ["manage:stock"])


@pytest.mark.parametrize("type", ["Native", "SPA", "Traditional"])
def test_token_of_another_application_is_accepted(
    served: Callable[..., Claims], signed_in: Any, logto: Emulator, caller: Any, type: Any
) -> None:
    """The audience is the API, whichever application requests the token: a native app is another one."""
    application = logto.tenant.add_application(name="App", type=type, redirect_uris=[CALLBACK])
    app = RelyingParty(logto, application)
    code = app.code("reader", resource=API, scope="openid read:books")
    answer = app.exchange(code, resource=API).json()
    assert served(answer["access_token"])["user"] == str(caller.pk)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"act": {"sub": "somebodyelse"}}, id="exchanged-with-an-actor"),
        pytest.param(
            {"roles": ["admin"], "email": "a@example.com", "tenant": {"plan": [1, None]}, "nonce": "x", "azp": "other"},
            id="claims-of-a-script",
        ),
        pytest.param({"user_id": 1, "id": 1, "pk": 1, "username": "caller", "user": "other"}, id="names-of-others"),
        pytest.param({"scope": "  write:books  read:books read:books "}, id="scope-with-odd-spaces"),
    ],
)
def test_unusual_valid_token_is_accepted(
    served: Callable[..., Claims], token: TokenMaker, caller: Any, changes: Claims
) -> None:
    now = token.claims()["iat"]
    made = {name: value(now) if callable(value) else value for name, value in changes.items()}
    seen = served(token(**made))
    assert (seen["user"], seen["organization"]) == (str(caller.pk), None)
    assert "read:books" in seen["scopes"]


def test_id_token_is_refused(refused: Callable[..., None], stock_doors: list[Door], signed_in: Any) -> None:
    id_token = LogtoSession.objects.get().tokens["id_token"]
    refused(id_token, "typ")
    for door in stock_doors:
        door.sees_refused(id_token, 401, "invalid_token", claim="typ")


def test_id_token_for_the_api_is_refused(door: Door, token: TokenMaker, settings: Any) -> None:
    settings.LOGTO_API_RESOURCE = settings.LOGTO_APP_ID
    assert door.call(token({"typ": "JWT"}, aud=settings.LOGTO_APP_ID)).status_code == 401


@pytest.mark.parametrize(
    "audience",
    [
        pytest.param(OTHER_API, id="another-resource"),
        pytest.param(MANAGEMENT_API, id="management-api"),
        pytest.param("urn:logto:organization:harbour00001", id="organization"),
    ],
)
def test_other_audience_is_refused(refused: Callable[..., None], token: TokenMaker, audience: Any) -> None:
    refused(token(aud=audience), "aud")


def test_other_claims_do_not_replace_the_audience(refused: Callable[..., None], token: TokenMaker) -> None:
    refused(token(aud=OTHER_API, azp=API, resource=API, audience=API, client_id=API, scope=f"read:books {API}"), "aud")


@pytest.mark.parametrize(
    "audience",
    [
        pytest.param(API, id="resource"),
        pytest.param("urn:logto:organizations:harbour00001", id="another-urn"),
        pytest.param("urn:logto:resource:organizations", id="organizations-resource"),
    ],
)
def test_other_audience_is_no_organization_token(stock_doors: list[Door], token: TokenMaker, audience: Any) -> None:
    made = token(aud=audience, organization_id="harbour00001")
    stock_doors[0].of("harbour00001").sees_refused(made, 401, "invalid_token", claim="aud")


def test_real_token_for_another_api_is_refused(
    refused: Callable[..., None], stock_doors: list[Door], signed_in: Any, machine_token: Callable[..., str]
) -> None:
    refused(signed_in.access_token(OTHER_API), "aud")
    refused(signed_in.access_token(None, "harbour00001"), "aud")
    refused(machine_token(resource=MANAGEMENT_API), "aud")
    for door in stock_doors:
        for other in (signed_in.access_token(API), signed_in.access_token(API, "harbour00001")):
            door.sees_refused(other, 401, "invalid_token", claim="aud")


def test_opaque_token_is_refused_with_advice(
    refused: Callable[..., None], stock_doors: list[Door], signed_in: Any, logto: Emulator
) -> None:
    opaque = signed_in.access_token()
    refused(opaque, "token")
    for door in stock_doors:
        response = door.sees_refused(opaque, 401, "invalid_token", claim="token")
        assert "send resource" in response["WWW-Authenticate"]
        assert opaque not in f"{response.headers}{response.content.decode()}"
    assert logto.requests.to("introspection") == []


def test_refresh_token_is_refused(refused: Callable[..., None], signed_in: Any) -> None:
    refused(LogtoSession.objects.get().tokens["refresh_token"], "token")


# Claims


def test_clock_skew_of_the_setting_is_exact(door: Door, token: TokenMaker, settings: Any) -> None:
    settings.LOGTO_CLOCK_SKEW_SECONDS = 30
    with freeze_time(datetime.now(timezone.utc).replace(microsecond=0)):
        now = token.claims()["iat"]
        door.sees_refused(token(exp=now - 30), 401, "invalid_token", claim="exp")
        door.sees_served(token(exp=now - 29))


# Algorithm and signature


def test_unlisted_algorithm_is_refused(refused: Callable[..., None], token: TokenMaker, rsa: Emulator) -> None:
    for alg in ("PS256", "RS512"):
        refused(token({"alg": alg}), "alg")


def test_rsa_key_is_accepted(
    served: Callable[..., Claims], refused: Callable[..., None], token: TokenMaker, rsa: Emulator
) -> None:
    served(token())
    refused(token({"kid": rsa.keys.current.kid}, key=EVIL_RSA_KEY), "signature")


@pytest.mark.parametrize(
    "kid",
    [
        pytest.param("\x00\x1b[2J\r\n", id="control-characters"),
        pytest.param("<script>alert(1)</script>", id="html"),
        pytest.param('", realm="evil', id="quotes"),
        pytest.param("\u3042\u2028", id="not-ascii"),
    ],
)
def test_unknown_key_is_refused(refused: Callable[..., None], token: TokenMaker, logto: Emulator, kid: Any) -> None:
    refused(token({"kid": kid}, key=EVIL_KEY), ("kid", "header"))
    # At most two fetches for all requests: the first, and one for the unknown key.
    assert len(logto.requests.to("jwks")) <= 2


def test_token_of_another_logto_is_refused(refused: Callable[..., None], token: TokenMaker) -> None:
    with run_in_thread() as other:
        refused(other.sign(token.claims(), header={"typ": "at+jwt"}), "kid")
