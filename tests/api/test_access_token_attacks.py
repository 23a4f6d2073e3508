"""An access token is accepted only if all of it is correct, by every kind of protected API."""

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
from tests.support import changed_claims

from .attackers import API, APP, Door, TokenMaker

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
    """Check that every API refuses the token, because of `claim`."""

    def check(token: str, claim: str | Collection[str] = ()) -> None:
        for door in doors:
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
        pytest.param({"aud": [API]}, id="list-of-the-one"),
        pytest.param({"iat": lambda now: now - 30 * 86_400}, id="iat-30-days-old"),
        pytest.param({"iat": lambda now: now + 0.5, "exp": lambda now: now + 60.25}, id="fractions"),
        pytest.param({"nbf": lambda now: now}, id="nbf-past"),
        pytest.param({"jti": ...}, id="no-jti"),
        pytest.param({"organization_id": None}, id="null-organization"),
        pytest.param({"act": {"sub": "somebodyelse"}}, id="exchanged-with-an-actor"),
        pytest.param(
            {"roles": ["admin"], "email": "a@example.com", "tenant": {"plan": [1, None]}, "nonce": "x", "azp": "other"},
            id="claims-of-a-script",
        ),
        pytest.param({"user_id": 1, "id": 1, "pk": 1, "username": "caller", "user": "other"}, id="names-of-others"),
        pytest.param({"at_hash": "wrong", "c_hash": "wrong", "auth_time": "x", "events": {}}, id="hashes"),
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


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_both_spellings_of_typ_are_accepted(served: Callable[..., Claims], token: TokenMaker, typ: str) -> None:
    served(token({"typ": typ}))


def test_missing_kid_is_accepted_with_one_key(
    served: Callable[..., Claims], token: TokenMaker, logto: Emulator
) -> None:
    logto.faults.jwks = lambda document: {"keys": document["keys"][:1]}
    served(token({"kid": None}))


def test_new_key_is_fetched(served: Callable[..., Claims], token: TokenMaker, logto: Emulator) -> None:
    served(token())
    logto.rotate_keys()
    served(token())
    assert len(logto.requests.to("jwks")) == 2


def test_rotation_to_another_key_type_works(served: Callable[..., Claims], token: TokenMaker, logto: Emulator) -> None:
    served(token())
    logto.rotate_keys("RSA")
    try:
        served(token())
    finally:
        logto.rotate_keys("EC")


def test_all_keys_with_the_kid_are_tried(served: Callable[..., Claims], token: TokenMaker, logto: Emulator) -> None:
    kid = logto.keys.current.kid
    others = [{**key.as_dict(private=False), "use": "sig", "kid": kid} for key in (EVIL_KEY, EVIL_RSA_KEY)]
    logto.faults.jwks = lambda document: {"keys": [*others, logto.keys.current.public_jwk()]}
    served(token())


def test_id_token_is_refused(refused: Callable[..., None], stock_doors: list[Door], signed_in: Any) -> None:
    id_token = LogtoSession.objects.get().tokens["id_token"]
    refused(id_token, "typ")
    for door in stock_doors:
        door.sees_refused(id_token, 401, "invalid_token", claim="typ")


def test_id_token_for_the_api_is_refused(
    refused: Callable[..., None], doors: list[Door], token: TokenMaker, settings: Any
) -> None:
    refused(token({"typ": "JWT"}), "typ")
    settings.LOGTO_API_RESOURCE = settings.LOGTO_APP_ID
    for door in doors:
        assert door.call(token({"typ": "JWT"}, aud=settings.LOGTO_APP_ID)).status_code == 401


@pytest.mark.parametrize(
    "audience",
    [
        pytest.param(OTHER_API, id="another-resource"),
        pytest.param(MANAGEMENT_API, id="management-api"),
        pytest.param("urn:logto:resource:organizations", id="organizations-resource"),
        pytest.param("urn:logto:organization:harbour00001", id="organization"),
        pytest.param(API + "/", id="trailing-slash"),
        pytest.param(API[:-1], id="substring"),
        pytest.param(API + "/v2", id="below"),
        pytest.param("https://bookstore.example", id="origin"),
        pytest.param(API.upper(), id="other-case"),
        pytest.param(API.replace("https", "http"), id="other-scheme"),
        pytest.param(API.replace("example", "ex\u0430mple"), id="look-alike"),
        pytest.param(API + "\x00", id="nul"),
        pytest.param(" " + API, id="space"),
        pytest.param(API + "?", id="empty-query"),
        pytest.param("x" * 3000, id="very-long"),
        pytest.param(..., id="missing"),
        pytest.param("", id="empty"),
        pytest.param(None, id="null"),
        pytest.param([], id="empty-list"),
        pytest.param([API, OTHER_API], id="two"),
        pytest.param([OTHER_API, API], id="two-the-other-way-round"),
        pytest.param([API, API], id="the-same-twice"),
        pytest.param([[API]], id="list-in-list"),
        pytest.param({API: True}, id="object"),
        pytest.param(True, id="true"),
        pytest.param(5, id="number"),
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
        pytest.param(MANAGEMENT_API, id="management-api"),
        pytest.param("urn:logto:organization:", id="no-id"),
        pytest.param("urn:logto:organization", id="no-colon"),
        pytest.param("urn:logto:organization:\x00", id="nul"),
        pytest.param("urn:logto:organization:harbour\n0001", id="newline"),
        pytest.param("urn:logto:organization:" + "x" * 256, id="long-id"),
        pytest.param("urn:logto:organization:" + "x" * 3000, id="very-long-id"),
        pytest.param("URN:LOGTO:ORGANIZATION:harbour00001", id="other-case"),
        pytest.param("urn:logto:organizations:harbour00001", id="another-urn"),
        pytest.param("urn:logto:resource:organizations", id="organizations-resource"),
        pytest.param(" urn:logto:organization:harbour00001", id="space"),
        pytest.param(["urn:logto:organization:a", "urn:logto:organization:b"], id="two"),
        pytest.param([API, "urn:logto:organization:a"], id="resource-and-organization"),
        pytest.param(["urn:logto:organization:a", None], id="one-and-null"),
        pytest.param({"urn:logto:organization:a": 1}, id="object"),
        pytest.param("harbour00001", id="id-alone"),
        pytest.param(..., id="missing"),
    ],
)
def test_other_audience_is_no_organization_token(stock_doors: list[Door], token: TokenMaker, audience: Any) -> None:
    for door in stock_doors:
        for address in (door, door.of("harbour00001")):
            address.sees_refused(token(aud=audience, organization_id="harbour00001"), 401, "invalid_token", claim="aud")


def test_surrogate_in_organization_is_refused(stock_doors: list[Door], token: TokenMaker) -> None:
    """Logto's database cannot store half a surrogate pair; JSON can."""
    made = token.sign(json.dumps(token.claims(aud="urn:logto:organization:\ud800")))
    for door in stock_doors:
        door.sees_refused(made, 401, "invalid_token", claim="aud")


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


@pytest.mark.parametrize(
    ("claim", "change"),
    [
        pytest.param("iss", "https://evil.example/oidc", id="other"),
        pytest.param("iss", ..., id="missing"),
        pytest.param("iss", None, id="null"),
        pytest.param("iss", lambda claims: claims["iss"] + "/", id="trailing-slash"),
        pytest.param("iss", lambda claims: claims["iss"].upper(), id="other-case"),
        pytest.param("iss", lambda claims: [claims["iss"]], id="array"),
        pytest.param("iss", lambda claims: claims["iss"].replace("localhost", "127.0.0.1"), id="same-place"),
        pytest.param("exp", lambda claims: claims["iat"] - 3600, id="exp-past"),
        pytest.param("exp", ..., id="exp-missing"),
        pytest.param("exp", None, id="exp-null"),
        pytest.param("exp", lambda claims: str(claims["exp"]), id="exp-string"),
        pytest.param("exp", True, id="exp-bool"),
        pytest.param("exp", -1, id="exp-negative"),
        pytest.param("exp", 10**4000, id="exp-4000-digits"),
        pytest.param("exp", float("inf"), id="exp-infinity"),
        pytest.param("exp", float("nan"), id="exp-nan"),
        pytest.param("exp", lambda claims: [claims["exp"]], id="exp-list"),
        pytest.param("iat", ..., id="iat-missing"),
        pytest.param("iat", lambda claims: claims["iat"] + 120, id="iat-future"),
        pytest.param("iat", "now", id="iat-string"),
        pytest.param("nbf", lambda claims: claims["iat"] + 120, id="nbf-future"),
        pytest.param("nbf", None, id="nbf-null"),
        pytest.param("sub", ..., id="missing"),
        pytest.param("sub", "", id="empty"),
        pytest.param("sub", None, id="null"),
        pytest.param("sub", 42, id="integer"),
        pytest.param("sub", ["reader"], id="list"),
        pytest.param("sub", {"sub": "reader"}, id="object"),
        pytest.param("sub", "x" * 300, id="300-characters"),
        pytest.param("sub", "a\x00b", id="nul"),
        pytest.param("sub", "a\nb", id="newline"),
        pytest.param("client_id", ..., id="client_id-missing"),
        pytest.param("client_id", None, id="client_id-null"),
        pytest.param("client_id", "", id="client_id-empty"),
        pytest.param("client_id", 5, id="client_id-number"),
        pytest.param("client_id", [APP], id="client_id-list"),
        pytest.param("scope", ["read:books"], id="list"),
        pytest.param("scope", {"read:books": True}, id="object"),
        pytest.param("scope", True, id="true"),
        pytest.param("scope", None, id="null"),
        pytest.param("scope", 5, id="number"),
        pytest.param("organization_id", "", id="organization-empty"),
        pytest.param("organization_id", ["harbour00001"], id="organization-list"),
        pytest.param("organization_id", {"id": "harbour00001"}, id="organization-object"),
        pytest.param("organization_id", 5, id="organization-number"),
        pytest.param("organization_id", True, id="organization-true"),
        pytest.param("organization_id", "a\x00b", id="organization-nul"),
        pytest.param("organization_id", "x" * 300, id="organization-300-characters"),
    ],
)
def test_one_wrong_claim_is_refused(refused: Callable[..., None], token: TokenMaker, claim: str, change: Any) -> None:
    changes = {claim: change(token.claims()) if callable(change) else change}
    refused(token(**changes), claim)


@pytest.mark.parametrize("claim", ["sub", "client_id", "organization_id", "scope", "iss", "aud"])
def test_surrogate_in_claim_is_no_500(doors: list[Door], token: TokenMaker, claim: str) -> None:
    made = token.sign(json.dumps({**token.claims(), claim: "\ud800"}))
    for door in doors:
        assert door.call(made).status_code in (401, 403)


def test_huge_number_as_time_is_refused(refused: Callable[..., None], token: TokenMaker) -> None:
    claims = token.claims()
    refused(token.sign(json.dumps(claims).replace(str(claims["exp"]), "1e400")), "exp")


@pytest.mark.parametrize(
    ("claim", "accepted", "rejected"),
    [("exp", -59, -60), ("iat", 60, 61), ("nbf", 60, 61)],
    ids=["exp", "iat", "nbf"],
)
def test_clock_skew_is_exact(
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


def test_cached_token_expires(served: Callable[..., Claims], refused: Callable[..., None], token: TokenMaker) -> None:
    with freeze_time(datetime.now(timezone.utc).replace(microsecond=0)) as clock:
        made = token(exp=token.claims()["iat"] + 100)
        served(made)
        clock.tick(159)
        served(made)
        clock.tick(1)
        refused(made, "exp")


def test_changed_sub_needs_logto_key(refused: Callable[..., None], token: TokenMaker, logto: Emulator) -> None:
    refused(token({"kid": logto.keys.current.kid}, key=EVIL_KEY), "signature")


def test_last_of_duplicate_claims_counts(refused: Callable[..., None], token: TokenMaker) -> None:
    refused(token.sign(json.dumps(token.claims())[:-1] + ', "aud": "other"}'), "aud")


# Algorithm and signature


def test_unlisted_algorithm_is_refused(refused: Callable[..., None], token: TokenMaker, rsa: Emulator) -> None:
    for alg in ("PS256", "RS512"):
        refused(token({"alg": alg}), "alg")


def test_unlisted_curve_is_refused(refused: Callable[..., None], token: TokenMaker, logto: Emulator) -> None:
    key = ECKey.generate_key("P-256")
    logto.faults.jwks = lambda document: {"keys": [*document["keys"], {**key.as_dict(private=False), "alg": "ES256"}]}
    refused(token(key=key), "alg")


def test_rsa_key_is_accepted(
    served: Callable[..., Claims], refused: Callable[..., None], token: TokenMaker, rsa: Emulator
) -> None:
    served(token())
    refused(token({"kid": rsa.keys.current.kid}, key=EVIL_RSA_KEY), "signature")


@pytest.mark.parametrize(
    "alg",
    [
        pytest.param("none", id="none"),
        pytest.param("None", id="None"),
        pytest.param("nOnE", id="nOnE"),
        pytest.param("", id="empty"),
        pytest.param(["ES384"], id="list"),
        pytest.param({"alg": "ES384"}, id="object"),
        pytest.param("es384", id="lower-case"),
        pytest.param(None, id="missing"),
    ],
)
def test_missing_algorithm_is_refused(refused: Callable[..., None], token: TokenMaker, alg: Any) -> None:
    refused(token({"alg": alg}), ("alg", "header"))


@pytest.mark.parametrize("signature", ["", "AA", "A" * 128, "A" * 127, "-", "="], ids=range(6))
def test_forged_signature_is_refused(refused: Callable[..., None], token: TokenMaker, signature: str) -> None:
    refused(token().rpartition(".")[0] + "." + signature, ("signature", "header"))


@pytest.mark.parametrize("spoilt", ["{}~", "{}~~~~", "{}=", "{}==", "{}====", "+{}", "{}/", "~~~~{}"])
def test_respelled_signature_is_refused(
    refused: Callable[..., None], token: TokenMaker, rsa: Emulator, spoilt: str
) -> None:
    """Otherwise one valid token could fill the cache in many spellings."""
    head, _, signature = token().rpartition(".")
    refused(f"{head}.{spoilt.format(signature)}", "header")


def test_altered_token_is_refused(refused: Callable[..., None], token: TokenMaker) -> None:
    head, payload, signature = token().split(".")
    other_head = b64_json({"alg": "ES384", "typ": "at+jwt", "kid": token.logto.keys.current.kid, "x": 1})
    refused(f"{head}.{b64_json(token.claims(scope='everything'))}.{signature}", "signature")
    refused(f"{other_head}.{payload}.{signature}", "signature")


@pytest.mark.parametrize("secret", ["secret", "pem", "jwk", "nothing"])
@pytest.mark.parametrize("with_kid", [True, False], ids=["kid", "no-kid"])
def test_hmac_with_public_key_is_refused(
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


def test_symmetric_key_in_key_set_is_ignored(refused: Callable[..., None], token: TokenMaker, logto: Emulator) -> None:
    key = OctKey.import_key(b"k" * 32)
    logto.faults.jwks = lambda document: {"keys": [*document["keys"], {**key.as_dict(), "kid": "oct", "alg": "HS256"}]}
    refused(token({"kid": "oct"}, key=key), "alg")
    refused(token({"kid": "oct", "alg": "ES384"}, key=key), "kid")


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "x5t"])
@pytest.mark.parametrize("kid", ["kid-of-logto", "kid-of-the-evil-key", "no-kid"])
def test_key_in_token_header_is_ignored(
    refused: Callable[..., None], token: TokenMaker, logto: Emulator, name: str, kid: str
) -> None:
    value = {
        "jwk": EVIL_KEY.as_dict(private=False),
        "x5c": ["MIIB"],
        "x5t": EVIL_KEY.thumbprint(),
    }.get(name, f"{logto.endpoint}/api/status")
    kids = {"kid-of-logto": logto.keys.current.kid, "kid-of-the-evil-key": EVIL_KEY.thumbprint(), "no-kid": None}
    refused(token({"kid": kids[kid], name: value}, key=EVIL_KEY), ("signature", "kid"))
    # The URL in the token is not fetched.
    assert not any(request.path == "/api/status" for request in logto.requests)


@pytest.mark.parametrize(
    "kid",
    [
        pytest.param("unknown", id="unknown"),
        pytest.param("", id="empty"),
        pytest.param("../../../../dev/null", id="path"),
        pytest.param("' OR '1'='1", id="sql"),
        pytest.param("x" * 10_000, id="10-KB"),
        pytest.param("\x00\x1b[2J\r\n", id="control-characters"),
        pytest.param("<script>alert(1)</script>", id="html"),
        pytest.param('", realm="evil', id="quotes"),
        pytest.param("\u3042\u2028", id="not-ascii"),
        pytest.param(0, id="number"),
        pytest.param(["x"], id="list"),
        pytest.param({"$ne": None}, id="object"),
        pytest.param(False, id="false"),
    ],
)
def test_unknown_key_is_refused(refused: Callable[..., None], token: TokenMaker, logto: Emulator, kid: Any) -> None:
    refused(token({"kid": kid}, key=EVIL_KEY), ("kid", "header"))
    # At most two fetches for all requests: the first, and one for the unknown key.
    assert len(logto.requests.to("jwks")) <= 2


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"crit": ["exp"], "exp": 1}, id="crit"),
        pytest.param({"crit": []}, id="crit-empty"),
        pytest.param({"crit": "exp"}, id="crit-text"),
        pytest.param({"crit": ["b64"], "b64": False}, id="b64-false"),
        pytest.param({"b64": False}, id="b64-false-without-crit"),
        pytest.param({"zip": "DEF", "crit": ["zip"]}, id="zip"),
    ],
)
def test_unknown_critical_header_is_refused(refused: Callable[..., None], token: TokenMaker, header: Claims) -> None:
    refused(token(header), ("crit", "header", "signature"))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda token: token + "A" * 1_000_000, id="1-MB"),
        pytest.param(lambda token: f"{token}.AAAA.AAAA", id="five-segments"),
        pytest.param(lambda token: token.rpartition(".")[0], id="two-segments"),
        pytest.param(lambda token: f"{token}.AAAA", id="four-segments"),
        pytest.param(lambda token: f".{token}", id="leading-dot"),
        pytest.param(lambda token: "..", id="dots"),
        pytest.param(lambda token: "." * 5000, id="many-dots"),
        pytest.param(lambda token: "W10" + token[token.index(".") :], id="header-a-list"),
        pytest.param(lambda token: "e30" + token[token.index(".") :], id="header-empty"),
        pytest.param(lambda token: "bm8" + token[token.index(".") :], id="header-no-json"),
        pytest.param(
            lambda token: urlsafe_b64encode(b"[" * 60_000).decode() + token[token.index(".") :],
            id="header-nested",
        ),
        pytest.param(
            lambda token: b64(b'{"alg":' + b"[" * 400 + b"]" * 400 + b"}") + token[token.index(".") :],
            id="alg-nested",
        ),
        pytest.param(
            lambda token: b64_json({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "x"}) + ".QUFB.QUFB.QUFB.QUFB",
            id="JWE",
        ),
        pytest.param(
            lambda token: b64_json({"alg": "dir", "enc": "A128CBC-HS256", "zip": "DEF"}) + "..QUFB.QUFB.QUFB",
            id="JWE-compressed",
        ),
    ],
)
def test_malformed_token_is_refused(
    refused: Callable[..., None], token: TokenMaker, make: Callable[[str], str]
) -> None:
    refused(make(token()), ("token", "header", "alg", "signature"))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"not json", id="text"),
        pytest.param(b"[1]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[" * 100_000, id="nested-list"),
        pytest.param(b'{"a":' * 30_000, id="nested-object"),
        pytest.param(b"\xff\xfe\x00", id="no-utf-8"),
        pytest.param(b"", id="empty"),
        pytest.param(b'{"exp": 1' + b"0" * 10_000 + b"}", id="10000-digits"),
    ],
)
def test_payload_without_claims_is_refused(refused: Callable[..., None], token: TokenMaker, payload: bytes) -> None:
    refused(token.sign(payload), "payload")


# Keys and kinds of tokens


def test_missing_kid_is_refused_with_several_keys(
    refused: Callable[..., None], token: TokenMaker, logto: Emulator
) -> None:
    other = {**EVIL_KEY.as_dict(private=False), "use": "sig", "alg": "ES384", "kid": "other"}
    logto.faults.jwks = lambda document: {"keys": [other, *document["keys"][:1]]}
    refused(token({"kid": None}), "kid")


def test_removed_key_is_refused(refused: Callable[..., None], token: TokenMaker, logto: Emulator) -> None:
    old = token()
    logto.rotate_keys()
    logto.rotate_keys()
    refused(old, "kid")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"use": "enc"}, id="use-enc"),
        pytest.param({"kty": "RSA"}, id="wrong-kty"),
        pytest.param({"crv": "P-256"}, id="wrong-crv"),
        pytest.param({"alg": "ES256"}, id="wrong-alg"),
        pytest.param({"x": "AAAA"}, id="point-off-the-curve"),
        pytest.param({"x": 5, "y": None}, id="coordinates-no-text"),
        pytest.param({"kty": ["EC"]}, id="kty-list"),
        pytest.param({"kid": "other"}, id="other-kid"),
        pytest.param({"kid": ...}, id="no-kid"),
    ],
)
def test_unsuitable_key_is_skipped(
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
def test_short_key_is_skipped(refused: Callable[..., None], token: TokenMaker, logto: Emulator) -> None:
    short = RSAKey.import_key(generate_private_key(65537, 1024))
    logto.faults.jwks = lambda document: {"keys": [{**short.as_dict(private=False), "kid": short.thumbprint()}]}
    refused(token(key=short), "kid")


@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "secevent+jwt", "jwt", "at", "at+jwt ", "", None, 5, ["at+jwt"]])
def test_other_typ_is_refused(refused: Callable[..., None], token: TokenMaker, typ: Any) -> None:
    refused(token({"typ": typ}), ("typ", "header"))


def test_logout_token_is_refused(refused: Callable[..., None], token: TokenMaker) -> None:
    event = {"http://schemas.openid.net/event/backchannel-logout": {}}
    refused(token({"typ": "logout+jwt"}, events=event), "typ")
    refused(token(exp=..., client_id=..., events=event), "exp")


def test_token_of_another_logto_is_refused(refused: Callable[..., None], token: TokenMaker) -> None:
    with run_in_thread() as other:
        refused(other.sign(token.claims(), header={"typ": "at+jwt"}), "kid")
