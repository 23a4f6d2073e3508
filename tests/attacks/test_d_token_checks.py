"""D1-D3: an access token is believed only when everything about it is right, whichever way an API is protected."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from freezegun import freeze_time
from joserfc.jwk import ECKey, OctKey, RSAKey

from logto_auth.clients import reset_clients
from logto_auth.emulator import Emulator, run_in_thread
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.emulator.relying_party import CALLBACK, RelyingParty

from .callers import API, APP, Door, TokenMaker
from .support import changed_claims

pytestmark = pytest.mark.django_db

Claims = dict[str, Any]
EVIL_KEY = ECKey.generate_key("P-384")
EVIL_RSA_KEY = RSAKey.generate_key(2048)
OTHER_API = "https://other.example/api"
MANAGEMENT_API = "https://default.logto.app/api"


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def b64_json(value: object) -> str:
    return b64(json.dumps(value).encode())


@pytest.fixture
def refused(doors: list[Door]) -> Callable[..., None]:
    """Makes sure that every API refuses the token, because of `claim`."""

    def check(token: str, claim: str | Collection[str] = ()) -> None:
        for door in doors:
            door.sees_refused(token, 401, "invalid_token", claim=claim)

    return check


@pytest.fixture
def served(doors: list[Door]) -> Callable[[str], Claims]:
    """Makes sure that every API takes the token; returns what their views have seen, which is the same."""

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
    # Keys outlive a reset.
    logto.rotate_keys("EC")


@pytest.fixture
def signed_in(browser: Browser, logto: Emulator, reader: Any, caller: Any, settings: Any) -> Any:
    """`request.logto` of the person after a sign-in, with every kind of token at hand."""
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
    """Gets a token for a machine, which holds `read:books` and, in its organization, `manage:stock`."""
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


# Accepted


def test_a_token_of_a_person_is_taken(served: Callable[..., Claims], signed_in: Any, caller: Any) -> None:
    seen = served(signed_in.access_token(API))
    assert (seen["user"], seen["is_machine"]) == (str(caller.pk), False)
    # Logto counts what is held in any organization.
    assert seen["scopes"] == ["read:books", "write:books"]
    assert (seen["organization"], seen["organization_scopes"]) == (None, [])


def test_a_token_in_the_name_of_an_organization_is_taken(served: Callable[..., Claims], signed_in: Any) -> None:
    seen = served(signed_in.access_token(API, "harbour00001"))
    assert (seen["organization"], seen["organization_scopes"]) == ("harbour00001", ["read:books", "write:books"])


def test_an_organization_token_is_taken_where_one_is_asked_for(stock_doors: list[Door], signed_in: Any) -> None:
    token = signed_in.access_token(None, "harbour00001")
    for door in stock_doors:
        for address in (door, door.of("harbour00001")):
            seen = address.sees_served(token)
            assert (seen["organization"], seen["organization_scopes"]) == ("harbour00001", ["manage:stock"])
            assert seen["scopes"] == []


def test_D7_a_token_of_a_machine_is_taken_and_is_nobody_s(
    served: Callable[..., Claims], machine_token: Callable[..., str], stock_doors: list[Door]
) -> None:
    seen = served(machine_token(resource=API))
    assert (seen["is_machine"], seen["scopes"]) == (True, ["read:books"])
    assert seen["user"] == seen["sub"]
    for door in stock_doors:
        seen = door.sees_served(machine_token(organization_id="harbour00001"))
        assert (seen["is_machine"], seen["organization_scopes"]) == (True, ["manage:stock"])


@pytest.mark.parametrize("type", ["Native", "SPA", "Traditional"])
def test_a_token_of_another_application_of_the_tenant_is_taken(
    served: Callable[..., Claims], signed_in: Any, logto: Emulator, caller: Any, type: Any
) -> None:
    """The audience is the API, whichever application asks for the token: a site's app on phones is another one."""
    application = logto.tenant.add_application(name="App", type=type, redirect_uris=[CALLBACK])
    app = RelyingParty(logto, application)
    code = app.code("reader", resource=API, scope="openid read:books")
    answer = app.exchange(code, resource=API).json()
    assert served(answer["access_token"])["user"] == str(caller.pk)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"aud": [API]}, id="A10-list-of-the-one"),
        pytest.param({"iat": lambda now: now - 30 * 86_400}, id="A11-iat-30-days-old"),
        pytest.param({"iat": lambda now: now + 0.5, "exp": lambda now: now + 60.25}, id="A11-fractions"),
        pytest.param({"nbf": lambda now: now}, id="A11-nbf-past"),
        pytest.param({"jti": ...}, id="no-jti"),
        pytest.param({"organization_id": None}, id="null-organization"),
        pytest.param({"act": {"sub": "somebodyelse"}}, id="exchanged-with-an-actor"),
        pytest.param(
            {"roles": ["admin"], "email": "a@example.com", "tenant": {"plan": [1, None]}, "nonce": "x", "azp": "other"},
            id="claims-of-a-script",
        ),
        pytest.param({"user_id": 1, "id": 1, "pk": 1, "username": "caller", "user": "other"}, id="names-of-others"),
        pytest.param({"at_hash": "wrong", "c_hash": "wrong", "auth_time": "x", "events": {}}, id="A23-hashes"),
        pytest.param({"scope": "  write:books  read:books read:books "}, id="scope-with-odd-spaces"),
    ],
)
def test_an_unusual_but_right_token_is_taken(
    served: Callable[..., Claims], token: TokenMaker, caller: Any, changes: Claims
) -> None:
    now = token.claims()["iat"]
    made = {name: value(now) if callable(value) else value for name, value in changes.items()}
    seen = served(token(**made))
    assert (seen["user"], seen["organization"]) == (str(caller.pk), None)
    assert "read:books" in seen["scopes"]


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_A22_both_names_of_the_type_are_taken(served: Callable[..., Claims], token: TokenMaker, typ: str) -> None:
    served(token({"typ": typ}))


def test_A21_a_token_without_a_kid_is_taken_while_there_is_one_key(
    served: Callable[..., Claims], token: TokenMaker, logto: Emulator
) -> None:
    logto.faults.jwks = lambda document: {"keys": document["keys"][:1]}
    served(token({"kid": None}))


def test_A21_a_key_that_was_made_right_before_signing_is_found(
    served: Callable[..., Claims], token: TokenMaker, logto: Emulator
) -> None:
    served(token())
    logto.rotate_keys()
    served(token())
    assert len(logto.requests.to("jwks")) == 2


def test_A21_a_rotation_from_one_type_of_key_to_the_other_is_followed(
    served: Callable[..., Claims], token: TokenMaker, logto: Emulator
) -> None:
    served(token())
    logto.rotate_keys("RSA")
    try:
        served(token())
    finally:
        logto.rotate_keys("EC")


def test_A21_keys_of_the_same_kid_are_all_tried(
    served: Callable[..., Claims], token: TokenMaker, logto: Emulator
) -> None:
    kid = logto.keys.current.kid
    others = [{**key.as_dict(private=False), "use": "sig", "kid": kid} for key in (EVIL_KEY, EVIL_RSA_KEY)]
    logto.faults.jwks = lambda document: {"keys": [*others, logto.keys.current.public_jwk()]}
    served(token())


# D1, D2


def test_D1_the_id_token_of_the_same_person_is_no_access_token(
    refused: Callable[..., None], stock_doors: list[Door], signed_in: Any
) -> None:
    id_token = LogtoSession.objects.get().tokens["id_token"]
    refused(id_token, "typ")
    for door in stock_doors:
        door.sees_refused(id_token, 401, "invalid_token", claim="typ")


def test_D1_nor_when_it_is_for_the_api_by_its_name(
    refused: Callable[..., None], doors: list[Door], token: TokenMaker, settings: Any
) -> None:
    refused(token({"typ": "JWT"}), "typ")
    settings.LOGTO_API_RESOURCE = settings.LOGTO_APP_ID
    for door in doors:
        assert door.call(token({"typ": "JWT"}, aud=settings.LOGTO_APP_ID)).status_code == 401


@pytest.mark.parametrize(
    "audience",
    [
        pytest.param(OTHER_API, id="D2-another-resource"),
        pytest.param(MANAGEMENT_API, id="D2-management-api"),
        pytest.param("urn:logto:resource:organizations", id="D2-organizations-resource"),
        pytest.param("urn:logto:organization:harbour00001", id="D2-organization"),
        pytest.param(API + "/", id="D2-trailing-slash"),
        pytest.param(API[:-1], id="D2-substring"),
        pytest.param(API + "/v2", id="D2-below"),
        pytest.param("https://bookstore.example", id="D2-origin"),
        pytest.param(API.upper(), id="D2-other-case"),
        pytest.param(API.replace("https", "http"), id="D2-other-scheme"),
        pytest.param(API.replace("example", "ex\u0430mple"), id="D2-look-alike"),
        pytest.param(API + "\x00", id="D2-nul"),
        pytest.param(" " + API, id="D2-space"),
        pytest.param(API + "?", id="D2-empty-query"),
        pytest.param("x" * 3000, id="D2-very-long"),
        pytest.param(..., id="A10-missing"),
        pytest.param("", id="A10-empty"),
        pytest.param(None, id="A10-null"),
        pytest.param([], id="A10-empty-list"),
        pytest.param([API, OTHER_API], id="A10-two"),
        pytest.param([OTHER_API, API], id="A10-two-the-other-way-round"),
        pytest.param([API, API], id="A10-the-same-twice"),
        pytest.param([[API]], id="A10-list-in-list"),
        pytest.param({API: True}, id="A10-object"),
        pytest.param(True, id="A10-true"),
        pytest.param(5, id="A10-number"),
    ],
)
def test_D2_a_token_for_something_else_is_refused(
    refused: Callable[..., None], token: TokenMaker, audience: Any
) -> None:
    refused(token(aud=audience), "aud")


def test_D2_what_stands_beside_the_audience_does_not_mend_it(refused: Callable[..., None], token: TokenMaker) -> None:
    refused(token(aud=OTHER_API, azp=API, resource=API, audience=API, client_id=API, scope=f"read:books {API}"), "aud")


@pytest.mark.parametrize(
    "audience",
    [
        pytest.param(API, id="D2-resource"),
        pytest.param(MANAGEMENT_API, id="D2-management-api"),
        pytest.param("urn:logto:organization:", id="D2-no-id"),
        pytest.param("urn:logto:organization", id="D2-no-colon"),
        pytest.param("urn:logto:organization:\x00", id="D2-nul"),
        pytest.param("urn:logto:organization:harbour\n0001", id="D2-newline"),
        pytest.param("urn:logto:organization:" + "x" * 256, id="D2-long-id"),
        pytest.param("urn:logto:organization:" + "x" * 3000, id="D2-very-long-id"),
        pytest.param("URN:LOGTO:ORGANIZATION:harbour00001", id="D2-other-case"),
        pytest.param("urn:logto:organizations:harbour00001", id="D2-another-urn"),
        pytest.param("urn:logto:resource:organizations", id="D2-organizations-resource"),
        pytest.param(" urn:logto:organization:harbour00001", id="D2-space"),
        pytest.param(["urn:logto:organization:a", "urn:logto:organization:b"], id="D2-two"),
        pytest.param([API, "urn:logto:organization:a"], id="D2-resource-and-organization"),
        pytest.param(["urn:logto:organization:a", None], id="D2-one-and-null"),
        pytest.param({"urn:logto:organization:a": 1}, id="D2-object"),
        pytest.param("harbour00001", id="D2-id-alone"),
        pytest.param(..., id="D2-missing"),
    ],
)
def test_D2_a_token_for_something_else_is_no_organization_token(
    stock_doors: list[Door], token: TokenMaker, audience: Any
) -> None:
    for door in stock_doors:
        for address in (door, door.of("harbour00001")):
            address.sees_refused(token(aud=audience, organization_id="harbour00001"), 401, "invalid_token", claim="aud")


def test_D2_half_a_surrogate_pair_as_an_organization_is_refused(stock_doors: list[Door], token: TokenMaker) -> None:
    """Logto's database cannot hold one; JSON can."""
    made = token.sign(json.dumps(token.claims(aud="urn:logto:organization:\ud800")))
    for door in stock_doors:
        door.sees_refused(made, 401, "invalid_token", claim="aud")


def test_D2_a_real_token_of_the_tenant_for_something_else_is_refused(
    refused: Callable[..., None], stock_doors: list[Door], signed_in: Any, machine_token: Callable[..., str]
) -> None:
    refused(signed_in.access_token(OTHER_API), "aud")
    refused(signed_in.access_token(None, "harbour00001"), "aud")
    refused(machine_token(resource=MANAGEMENT_API), "aud")
    for door in stock_doors:
        for other in (signed_in.access_token(API), signed_in.access_token(API, "harbour00001")):
            door.sees_refused(other, 401, "invalid_token", claim="aud")


def test_D2_the_opaque_token_for_userinfo_is_refused_with_a_word_on_what_to_do(
    refused: Callable[..., None], stock_doors: list[Door], signed_in: Any, logto: Emulator
) -> None:
    opaque = signed_in.access_token()
    refused(opaque, "token")
    for door in stock_doors:
        response = door.sees_refused(opaque, 401, "invalid_token", claim="token")
        assert "send resource" in response["WWW-Authenticate"]
        assert opaque not in f"{response.headers}{response.content.decode()}"
    assert logto.requests.to("introspection") == []


def test_D2_a_refresh_token_is_no_access_token(refused: Callable[..., None], signed_in: Any) -> None:
    refused(LogtoSession.objects.get().tokens["refresh_token"], "token")


# D3: claims


@pytest.mark.parametrize(
    ("claim", "change"),
    [
        pytest.param("iss", "https://evil.example/oidc", id="A9-other"),
        pytest.param("iss", ..., id="A9-missing"),
        pytest.param("iss", None, id="A9-null"),
        pytest.param("iss", lambda claims: claims["iss"] + "/", id="A9-trailing-slash"),
        pytest.param("iss", lambda claims: claims["iss"].upper(), id="A9-other-case"),
        pytest.param("iss", lambda claims: [claims["iss"]], id="A9-array"),
        pytest.param("iss", lambda claims: claims["iss"].replace("localhost", "127.0.0.1"), id="A9-same-place"),
        pytest.param("exp", lambda claims: claims["iat"] - 3600, id="A11-exp-past"),
        pytest.param("exp", ..., id="A11-exp-missing"),
        pytest.param("exp", None, id="A11-exp-null"),
        pytest.param("exp", lambda claims: str(claims["exp"]), id="A11-exp-string"),
        pytest.param("exp", True, id="A11-exp-bool"),
        pytest.param("exp", -1, id="A11-exp-negative"),
        pytest.param("exp", 10**4000, id="A11-exp-4000-digits"),
        pytest.param("exp", float("inf"), id="A11-exp-infinity"),
        pytest.param("exp", float("nan"), id="A11-exp-nan"),
        pytest.param("exp", lambda claims: [claims["exp"]], id="A11-exp-list"),
        pytest.param("iat", ..., id="A11-iat-missing"),
        pytest.param("iat", lambda claims: claims["iat"] + 120, id="A11-iat-future"),
        pytest.param("iat", "now", id="A11-iat-string"),
        pytest.param("nbf", lambda claims: claims["iat"] + 120, id="A11-nbf-future"),
        pytest.param("nbf", None, id="A11-nbf-null"),
        pytest.param("sub", ..., id="A12-missing"),
        pytest.param("sub", "", id="A12-empty"),
        pytest.param("sub", None, id="A12-null"),
        pytest.param("sub", 42, id="A12-integer"),
        pytest.param("sub", ["reader"], id="A12-list"),
        pytest.param("sub", {"sub": "reader"}, id="A12-object"),
        pytest.param("sub", "x" * 300, id="A12-300-characters"),
        pytest.param("sub", "a\x00b", id="A12-nul"),
        pytest.param("sub", "a\nb", id="A12-newline"),
        pytest.param("client_id", ..., id="client_id-missing"),
        pytest.param("client_id", None, id="client_id-null"),
        pytest.param("client_id", "", id="client_id-empty"),
        pytest.param("client_id", 5, id="client_id-number"),
        pytest.param("client_id", [APP], id="client_id-list"),
        pytest.param("scope", ["read:books"], id="D6-list"),
        pytest.param("scope", {"read:books": True}, id="D6-object"),
        pytest.param("scope", True, id="D6-true"),
        pytest.param("scope", None, id="D6-null"),
        pytest.param("scope", 5, id="D6-number"),
        pytest.param("organization_id", "", id="organization-empty"),
        pytest.param("organization_id", ["harbour00001"], id="organization-list"),
        pytest.param("organization_id", {"id": "harbour00001"}, id="organization-object"),
        pytest.param("organization_id", 5, id="organization-number"),
        pytest.param("organization_id", True, id="organization-true"),
        pytest.param("organization_id", "a\x00b", id="organization-nul"),
        pytest.param("organization_id", "x" * 300, id="organization-300-characters"),
    ],
)
def test_D3_one_wrong_claim_is_enough(refused: Callable[..., None], token: TokenMaker, claim: str, change: Any) -> None:
    changes = {claim: change(token.claims()) if callable(change) else change}
    refused(token(**changes), claim)


@pytest.mark.parametrize("claim", ["sub", "client_id", "organization_id", "scope", "iss", "aud"])
def test_D3_half_a_surrogate_pair_is_never_a_500(doors: list[Door], token: TokenMaker, claim: str) -> None:
    made = token.sign(json.dumps({**token.claims(), claim: "\ud800"}))
    for door in doors:
        assert door.call(made).status_code in (401, 403)


def test_A11_a_number_too_large_for_a_float_is_refused(refused: Callable[..., None], token: TokenMaker) -> None:
    claims = token.claims()
    refused(token.sign(json.dumps(claims).replace(str(claims["exp"]), "1e400")), "exp")


@pytest.mark.parametrize(
    ("claim", "accepted", "rejected"),
    [("exp", -59, -60), ("iat", 60, 61), ("nbf", 60, 61)],
    ids=["A11-exp", "A11-iat", "A11-nbf"],
)
def test_A11_exactly_at_the_edge_of_the_skew(
    served: Callable[..., Claims],
    refused: Callable[..., None],
    token: TokenMaker,
    claim: str,
    accepted: int,
    rejected: int,
) -> None:
    with freeze_time(datetime.now(timezone.utc).replace(microsecond=0)):
        now = token.claims()["iat"]
        refused(token(**{claim: now + rejected}), claim)
        served(token(**{claim: now + accepted}))


def test_A11_a_remembered_token_ends_as_well(
    served: Callable[..., Claims], refused: Callable[..., None], token: TokenMaker
) -> None:
    with freeze_time(datetime.now(timezone.utc).replace(microsecond=0)) as clock:
        made = token(exp=token.claims()["iat"] + 100)
        served(made)
        clock.tick(159)
        served(made)
        clock.tick(1)
        refused(made, "exp")


def test_A12_the_sub_of_another_person_needs_the_key_of_logto(
    refused: Callable[..., None], token: TokenMaker, logto: Emulator
) -> None:
    refused(token({"kid": logto.keys.current.kid}, key=EVIL_KEY), "signature")


def test_A20_a_claim_that_comes_twice_counts_as_the_last_one_for_every_check(
    refused: Callable[..., None], token: TokenMaker
) -> None:
    refused(token.sign(json.dumps(token.claims())[:-1] + ', "aud": "other"}'), "aud")


# D3: algorithm and signature


def test_A13_an_algorithm_outside_the_list_is_refused_though_the_key_would_verify(
    refused: Callable[..., None], token: TokenMaker, rsa: Emulator
) -> None:
    for alg in ("PS256", "RS512"):
        refused(token({"alg": alg}), "alg")


def test_A13_a_curve_outside_the_list_is_refused(
    refused: Callable[..., None], token: TokenMaker, logto: Emulator
) -> None:
    key = ECKey.generate_key("P-256")
    logto.faults.jwks = lambda document: {"keys": [*document["keys"], {**key.as_dict(private=False), "alg": "ES256"}]}
    refused(token(key=key), "alg")


def test_A13_an_rsa_key_is_good_for_a_token_too(
    served: Callable[..., Claims], refused: Callable[..., None], token: TokenMaker, rsa: Emulator
) -> None:
    served(token())
    refused(token({"kid": rsa.keys.current.kid}, key=EVIL_RSA_KEY), "signature")


@pytest.mark.parametrize(
    "alg",
    [
        pytest.param("none", id="A14-none"),
        pytest.param("None", id="A14-None"),
        pytest.param("nOnE", id="A14-nOnE"),
        pytest.param("", id="A14-empty"),
        pytest.param(["ES384"], id="A14-list"),
        pytest.param({"alg": "ES384"}, id="A14-object"),
        pytest.param("es384", id="A14-lower-case"),
        pytest.param(None, id="A14-missing"),
    ],
)
def test_A14_a_token_that_names_no_algorithm_is_refused(
    refused: Callable[..., None], token: TokenMaker, alg: Any
) -> None:
    refused(token({"alg": alg}), ("alg", "header"))


@pytest.mark.parametrize("signature", ["", "AA", "A" * 128, "A" * 127, "-", "="], ids=range(6))
def test_A14_an_empty_or_made_up_signature_is_refused(
    refused: Callable[..., None], token: TokenMaker, signature: str
) -> None:
    refused(token().rpartition(".")[0] + "." + signature, ("signature", "header"))


@pytest.mark.parametrize("spoilt", ["{}~", "{}~~~~", "{}=", "{}==", "{}====", "+{}", "{}/", "~~~~{}"])
def test_A14_another_spelling_of_a_good_signature_is_refused(
    refused: Callable[..., None], token: TokenMaker, rsa: Emulator, spoilt: str
) -> None:
    """Else one good token would be as many as anybody likes, which drive all others out of the memory."""
    head, _, signature = token().rpartition(".")
    refused(f"{head}.{spoilt.format(signature)}", "header")


def test_A15_an_altered_payload_or_header_is_refused(refused: Callable[..., None], token: TokenMaker) -> None:
    head, payload, signature = token().split(".")
    other_head = b64_json({"alg": "ES384", "typ": "at+jwt", "kid": token.logto.keys.current.kid, "x": 1})
    refused(f"{head}.{b64_json(token.claims(scope='everything'))}.{signature}", "signature")
    refused(f"{other_head}.{payload}.{signature}", "signature")


@pytest.mark.parametrize("secret", ["secret", "pem", "jwk", "nothing"])
@pytest.mark.parametrize("with_kid", [True, False], ids=["kid", "no-kid"])
def test_A16_hmac_with_what_an_attacker_may_know_is_refused(
    refused: Callable[..., None], token: TokenMaker, logto: Emulator, settings: Any, secret: str, with_kid: bool
) -> None:
    key = {
        "secret": settings.LOGTO_APP_SECRET.encode(),
        "pem": logto.keys.current.key.as_pem(private=False),
        "jwk": json.dumps(logto.keys.current.public_jwk()).encode(),
        "nothing": b"\x00" * 32,
    }[secret]
    header = {"alg": "HS256", "typ": "at+jwt", **({"kid": logto.keys.current.kid} if with_kid else {})}
    signing_input = f"{b64_json(header)}.{b64_json(token.claims())}"
    refused(f"{signing_input}.{b64(hmac.digest(key, signing_input.encode(), 'sha256'))}", "alg")


def test_A16_a_symmetric_key_in_the_key_set_counts_for_nothing(
    refused: Callable[..., None], token: TokenMaker, logto: Emulator
) -> None:
    key = OctKey.import_key(b"k" * 32)
    logto.faults.jwks = lambda document: {"keys": [*document["keys"], {**key.as_dict(), "kid": "oct", "alg": "HS256"}]}
    refused(token({"kid": "oct"}, key=key), "alg")
    refused(token({"kid": "oct", "alg": "ES384"}, key=key), "kid")


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "x5t"])
@pytest.mark.parametrize("kid", ["kid-of-logto", "kid-of-the-evil-key", "no-kid"])
def test_A17_a_key_that_the_token_brings_along_counts_for_nothing(
    refused: Callable[..., None], token: TokenMaker, logto: Emulator, name: str, kid: str
) -> None:
    value = {
        "jwk": EVIL_KEY.as_dict(private=False),
        "x5c": ["MIIB"],
        "x5t": EVIL_KEY.thumbprint(),
    }.get(name, f"{logto.endpoint}/api/status")
    kids = {"kid-of-logto": logto.keys.current.kid, "kid-of-the-evil-key": EVIL_KEY.thumbprint(), "no-kid": None}
    refused(token({"kid": kids[kid], name: value}, key=EVIL_KEY), ("signature", "kid"))
    # Nobody has looked where the token points to.
    assert not any(request.path == "/api/status" for request in logto.requests)


@pytest.mark.parametrize(
    "kid",
    [
        pytest.param("unknown", id="A18-unknown"),
        pytest.param("", id="A18-empty"),
        pytest.param("../../../../dev/null", id="A18-path"),
        pytest.param("' OR '1'='1", id="A18-sql"),
        pytest.param("x" * 10_000, id="A18-10-KB"),
        pytest.param("\x00\x1b[2J\r\n", id="A18-control-characters"),
        pytest.param("<script>alert(1)</script>", id="A18-html"),
        pytest.param('", realm="evil', id="A18-quotes"),
        pytest.param("\u3042\u2028", id="A18-not-ascii"),
        pytest.param(0, id="A18-number"),
        pytest.param(["x"], id="A18-list"),
        pytest.param({"$ne": None}, id="A18-object"),
        pytest.param(False, id="A18-false"),
    ],
)
def test_A18_a_key_that_logto_does_not_have_is_refused(
    refused: Callable[..., None], token: TokenMaker, logto: Emulator, kid: Any
) -> None:
    refused(token({"kid": kid}, key=EVIL_KEY), ("kid", "header"))
    # Asked for at most twice, however many ask: at first, and again for the key that nobody knows.
    assert len(logto.requests.to("jwks")) <= 2


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"crit": ["exp"], "exp": 1}, id="A19-crit"),
        pytest.param({"crit": []}, id="A19-crit-empty"),
        pytest.param({"crit": "exp"}, id="A19-crit-text"),
        pytest.param({"crit": ["b64"], "b64": False}, id="A19-b64-false"),
        pytest.param({"b64": False}, id="A19-b64-false-without-crit"),
        pytest.param({"zip": "DEF", "crit": ["zip"]}, id="A19-zip"),
    ],
)
def test_A19_header_parameters_that_nobody_understands_are_refused(
    refused: Callable[..., None], token: TokenMaker, header: Claims
) -> None:
    refused(token(header), ("crit", "header", "signature"))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda token: token + "A" * 1_000_000, id="A20-1-MB"),
        pytest.param(lambda token: f"{token}.AAAA.AAAA", id="A20-five-segments"),
        pytest.param(lambda token: token.rpartition(".")[0], id="A20-two-segments"),
        pytest.param(lambda token: f"{token}.AAAA", id="A20-four-segments"),
        pytest.param(lambda token: f".{token}", id="A20-leading-dot"),
        pytest.param(lambda token: "..", id="A20-dots"),
        pytest.param(lambda token: "." * 5000, id="A20-many-dots"),
        pytest.param(lambda token: "W10" + token[token.index(".") :], id="A20-header-a-list"),
        pytest.param(lambda token: "e30" + token[token.index(".") :], id="A20-header-empty"),
        pytest.param(lambda token: "bm8" + token[token.index(".") :], id="A20-header-no-json"),
        pytest.param(
            lambda token: urlsafe_b64encode(b"[" * 60_000).decode() + token[token.index(".") :],
            id="A20-header-nested",
        ),
        pytest.param(
            lambda token: b64(b'{"alg":' + b"[" * 400 + b"]" * 400 + b"}") + token[token.index(".") :],
            id="A20-alg-nested",
        ),
        pytest.param(
            lambda token: b64_json({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "x"}) + ".QUFB.QUFB.QUFB.QUFB",
            id="A20-JWE",
        ),
        pytest.param(
            lambda token: b64_json({"alg": "dir", "enc": "A128CBC-HS256", "zip": "DEF"}) + "..QUFB.QUFB.QUFB",
            id="A20-JWE-compressed",
        ),
    ],
)
def test_A20_what_is_no_signed_token_is_refused(
    refused: Callable[..., None], token: TokenMaker, make: Callable[[str], str]
) -> None:
    refused(make(token()), ("token", "header", "alg", "signature"))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"not json", id="A20-text"),
        pytest.param(b"[1]", id="A20-list"),
        pytest.param(b"null", id="A20-null"),
        pytest.param(b"[" * 100_000, id="A20-nested-list"),
        pytest.param(b'{"a":' * 30_000, id="A20-nested-object"),
        pytest.param(b"\xff\xfe\x00", id="A20-no-utf-8"),
        pytest.param(b"", id="A20-empty"),
        pytest.param(b'{"exp": 1' + b"0" * 10_000 + b"}", id="A20-10000-digits"),
    ],
)
def test_A20_a_payload_that_is_no_set_of_claims_is_refused(
    refused: Callable[..., None], token: TokenMaker, payload: bytes
) -> None:
    refused(token.sign(payload), "payload")


# D3: keys and kinds


def test_A21_a_token_without_a_kid_is_refused_while_there_are_several_keys(
    refused: Callable[..., None], token: TokenMaker, logto: Emulator
) -> None:
    other = {**EVIL_KEY.as_dict(private=False), "use": "sig", "alg": "ES384", "kid": "other"}
    logto.faults.jwks = lambda document: {"keys": [other, *document["keys"][:1]]}
    refused(token({"kid": None}), "kid")


def test_A21_a_key_that_logto_has_removed_is_refused(
    refused: Callable[..., None], token: TokenMaker, logto: Emulator
) -> None:
    old = token()
    logto.rotate_keys()
    logto.rotate_keys()
    refused(old, "kid")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"use": "enc"}, id="A21-use-enc"),
        pytest.param({"kty": "RSA"}, id="A21-wrong-kty"),
        pytest.param({"crv": "P-256"}, id="A21-wrong-crv"),
        pytest.param({"alg": "ES256"}, id="A21-wrong-alg"),
        pytest.param({"x": "AAAA"}, id="A21-point-off-the-curve"),
        pytest.param({"x": 5, "y": None}, id="A21-coordinates-no-text"),
        pytest.param({"kty": ["EC"]}, id="A21-kty-list"),
        pytest.param({"kid": "other"}, id="A21-other-kid"),
        pytest.param({"kid": ...}, id="A21-no-kid"),
    ],
)
def test_A21_a_key_that_is_not_for_this_signature_is_passed_over(
    refused: Callable[..., None],
    served: Callable[..., Claims],
    token: TokenMaker,
    logto: Emulator,
    spoil: Claims,
) -> None:
    honest = logto.keys.current.public_jwk()
    spoilt = changed_claims(**spoil)(honest)
    logto.faults.jwks = lambda document: {"keys": [spoilt]}
    refused(token(), "kid")
    reset_clients()
    logto.faults.jwks = lambda document: {"keys": [spoilt, None, "text", [], {}, honest]}
    served(token())


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_A21_a_key_too_short_to_be_trusted_is_passed_over(
    refused: Callable[..., None], token: TokenMaker, logto: Emulator
) -> None:
    short = RSAKey.import_key(generate_private_key(65537, 1024))
    logto.faults.jwks = lambda document: {"keys": [{**short.as_dict(private=False), "kid": short.thumbprint()}]}
    refused(token(key=short), "kid")


@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "secevent+jwt", "jwt", "at", "at+jwt ", "", None, 5, ["at+jwt"]])
def test_A22_a_token_of_another_kind_is_no_access_token(
    refused: Callable[..., None], token: TokenMaker, typ: Any
) -> None:
    refused(token({"typ": typ}), ("typ", "header"))


def test_A22_a_logout_token_is_no_access_token(refused: Callable[..., None], token: TokenMaker) -> None:
    event = {"http://schemas.openid.net/event/backchannel-logout": {}}
    refused(token({"typ": "logout+jwt"}, events=event), "typ")
    refused(token(exp=..., client_id=..., events=event), "exp")


def test_E7_tokens_of_an_emulator_are_not_believed_by_a_site_of_another_logto(
    refused: Callable[..., None], token: TokenMaker
) -> None:
    with run_in_thread() as other:
        refused(other.sign(token.claims(), header={"typ": "at+jwt"}), "kid")
