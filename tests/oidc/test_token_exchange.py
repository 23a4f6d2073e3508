"""Token exchange: which tokens are exchanged, what is kept and for how long, and what every refusal says."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

import jwt
import pytest
import requests
from freezegun import freeze_time

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.emulator.state.stored_tokens import SubjectToken
from logto_auth.oidc.client_credentials import MachineClient
from logto_auth.oidc.errors import ProviderError, ProviderUnreachable, TokenError
from logto_auth.oidc.http import HTTPClient
from logto_auth.oidc.provider import Provider
from logto_auth.oidc.secrets import Secret
from logto_auth.oidc.token_exchange import ExchangedToken, TokenExchange
from tests.emulator.relying_party import RelyingParty

API = "https://bookstore.example/api"
OTHER_API = "https://library.example/api"
HARBOUR = "harbourbr001"
CALLBACK = "http://localhost:8000/callback"


class Site:
    """A site whose application exchanges tokens, and the tokens of its user Ada and of her assistant."""

    def __init__(self, logto: Emulator) -> None:
        tenant = logto.tenant
        self.logto = logto
        tenant.add_resource(API, scopes=["read:books", "write:books"])
        tenant.add_resource(OTHER_API, scopes=["read:books"])
        tenant.add_role("editor", scopes={API: ["read:books", "write:books"], OTHER_API: ["read:books"]})
        tenant.add_organization_role("keeper", scopes=["manage:stock"], resource_scopes={API: ["write:books"]})
        tenant.add_organization("Harbour Branch", id=HARBOUR)
        self.user = tenant.add_user(id="ada", username="ada", roles=["editor"])
        tenant.add_user(id="assistant", username="assistant")
        tenant.add_member(HARBOUR, "ada", roles=["keeper"])
        self.application = tenant.add_application(name="Site", redirect_uris=[CALLBACK], allow_token_exchange=True)
        self.pat = tenant.add_personal_access_token("ada", "script").value
        self.client = self.new_client()

    def new_client(self, *, secret: str = "", total_seconds: float = 5, **options: Any) -> TokenExchange:
        http = HTTPClient(connect_seconds=1, total_seconds=total_seconds)
        return TokenExchange(
            Provider(issuer=self.logto.issuer, algorithms=("ES384",), http=http),
            client_id=self.application.id,
            client_secret=Secret(secret or self.application.secret),
            leeway_seconds=60,
            hint="Check the settings.",
            **options,
        )

    def subject_token(self) -> str:
        token = SubjectToken("ada", self.logto.clock.now() + 600, {})
        self.logto.instances.subject_tokens[token.value] = token
        return token.value

    def opaque(self, user_id: str = "ada", *scopes: str) -> str:
        pat = self.logto.tenant.add_personal_access_token(user_id, f"of {len(self.logto.requests)}").value
        return self.new_client().exchange_personal_access_token(pat, scopes=scopes).access_token.reveal()

    def jwt(self, **changes: Any) -> str:
        """Return a JWT of Ada, with changed claims. Logto signs it without our checks."""
        self.logto.faults.access_token_claims = lambda claims: {**claims, **changes}
        fields = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": self.pat,
            "subject_token_type": "urn:logto:token-type:personal_access_token",
            "resource": API,
        }
        auth = (self.application.id, self.application.secret)
        answer = requests.post(f"{self.logto.issuer}/token", data=fields, auth=auth, timeout=10)
        self.logto.faults.access_token_claims = None
        return answer.json()["access_token"]

    def sent(self) -> int:
        """Return how many token requests there were since the last call."""
        number = len(self.logto.requests.to("token"))
        self.logto.requests.clear()
        return number


@pytest.fixture
def site(logto: Emulator) -> Site:
    return Site(logto)


Exchange = Callable[..., ExchangedToken]


def kinds(site: Site) -> dict[str, tuple[Exchange, str]]:
    """Return the method and a token for each kind of subject tokens."""
    found = {
        "subject": (site.client.exchange_subject_token, site.subject_token()),
        "personal": (site.client.exchange_personal_access_token, site.pat),
        "jwt": (site.client.exchange_access_token, site.jwt()),
        "opaque": (site.client.exchange_access_token, site.opaque("ada", "openid")),
    }
    site.sent()
    return found


KINDS = ["subject", "personal", "jwt", "opaque"]
REUSABLE = KINDS[1:]


def assert_hidden(error: BaseException, token: str) -> None:
    """Assert that neither the error nor the variables of our functions show the token."""
    shown: BaseException | None = error
    while shown is not None:
        assert token not in str(shown)
        for frame, _ in traceback.walk_tb(shown.__traceback__):
            if frame.f_globals["__name__"].startswith("logto_auth."):
                assert token not in repr(frame.f_locals)
        shown = shown.__cause__ or shown.__context__


# What a result is


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_a_token_of_its_user(site: Site, kind: str) -> None:
    exchange, subject_token = kinds(site)[kind]
    token = exchange(subject_token, resource=API, scopes=["read:books", "delete:books"])
    claims = jwt.decode(token.access_token.reveal(), options={"verify_signature": False})
    assert (claims["sub"], claims["aud"], claims["client_id"]) == ("ada", API, site.application.id)
    assert (token.sub, token.actor_sub, token.resource, token.organization_id) == ("ada", None, API, None)
    assert token.scopes == {"read:books"}, "only the named permissions, and only those of the user"
    assert token.is_usable()
    assert token.access_token.reveal() not in repr(token)
    assert subject_token not in repr(vars(site.client))


@pytest.mark.parametrize(
    ("wanted", "audience", "scopes"),
    [
        ({"resource": API}, API, set()),
        (
            {"organization_id": HARBOUR, "scopes": ["manage:stock"]},
            f"urn:logto:organization:{HARBOUR}",
            {"manage:stock"},
        ),
        (
            {"resource": API, "organization_id": HARBOUR, "scopes": ["read:books write:books"]},
            API,
            {"read:books", "write:books"},
        ),
        ({"scopes": ["openid", "profile"]}, None, {"openid", "profile"}),
    ],
    ids=["no-scopes", "organization", "both", "opaque"],
)
def test_token_has_requested_audience(
    site: Site, wanted: dict[str, Any], audience: str | None, scopes: set[str]
) -> None:
    token = site.client.exchange_personal_access_token(site.pat, **wanted)
    assert token.scopes == scopes
    assert token.organization_id == wanted.get("organization_id")
    assert (token.claims and token.claims.audience) == audience
    assert token.sub == ("ada" if audience else None)


def test_actor_is_named_by_the_token(site: Site) -> None:
    actor_token = site.opaque("assistant", "openid")
    token = site.client.exchange_subject_token(site.subject_token(), resource=API, actor_token=Secret(actor_token))
    assert (token.sub, token.actor_sub) == ("ada", "assistant")
    with pytest.raises(ValueError, match="does not name the actor"):
        site.client.exchange_personal_access_token(site.pat, actor_token=actor_token)


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"aud": OTHER_API}, "aud"),
        ({"aud": [API, OTHER_API]}, "aud"),
        ({"client_id": "another-application"}, "client_id"),
        ({"sub": "bob"}, "sub"),
        ({"exp": 1_000_000_000}, "exp"),
        ({"iss": "https://evil.example/oidc"}, "iss"),
        ({"organization_id": HARBOUR}, "organization_id"),
        ({"scope": "read:books write:books"}, "scope"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_result_with_one_wrong_claim_is_refused(site: Site, changes: dict[str, Any], claim: str) -> None:
    subject_token = site.jwt()
    site.logto.faults.access_token_claims = lambda claims: {**claims, **changes}
    with pytest.raises(TokenError) as caught:
        site.client.exchange_access_token(subject_token, resource=API, scopes=["read:books"])
    assert caught.value.claim == claim
    site.logto.faults.clear()
    assert site.client.exchange_access_token(subject_token, resource=API, scopes=["read:books"]).is_usable()


def test_result_expires_with_its_claims(site: Site) -> None:
    site.logto.faults.token_response = lambda answer: {**answer, "expires_in": 86_400}
    token = site.client.exchange_personal_access_token(site.pat, resource=API)
    assert token.expires_at == (token.claims and token.claims.expires_at)


def test_result_that_hides_the_actor_is_refused(site: Site) -> None:
    actor_token = site.opaque("assistant", "openid")
    for act in ({}, {"act": None}, {"act": "assistant"}, {"act": {"sub": ["assistant"]}}):
        site.logto.faults.access_token_claims = lambda claims, act=act: {
            **{name: value for name, value in claims.items() if name != "act"},
            **act,
        }
        with pytest.raises(TokenError) as caught:
            site.client.exchange_personal_access_token(site.pat, resource=API, actor_token=actor_token)
        assert caught.value.claim == "act"


@pytest.mark.parametrize(("wanted", "got"), [({"resource": API}, "opaque"), ({}, "jwt")])
def test_result_of_the_other_form_is_refused(site: Site, wanted: dict[str, str], got: str) -> None:
    other = {"opaque": site.opaque, "jwt": site.jwt}[got]()
    site.logto.faults.token_response = lambda answer: {**answer, "access_token": other}
    with pytest.raises(TokenError) as caught:
        site.client.exchange_personal_access_token(site.pat, **wanted)
    assert_hidden(caught.value, other)


# What is kept


@pytest.mark.parametrize("kind", REUSABLE)
def test_result_is_kept_for_each_purpose(site: Site, kind: str) -> None:
    exchange, subject_token = kinds(site)[kind]
    purposes: list[dict[str, Any]] = [
        {"resource": API},
        {"resource": API, "scopes": ["read:books", "write:books"]},
        {"resource": OTHER_API},
        {"organization_id": HARBOUR},
        {"resource": API, "organization_id": HARBOUR},
        {},
    ]
    tokens = [exchange(subject_token, **purpose) for purpose in purposes]
    assert len({token.access_token for token in tokens}) == site.sent() == len(purposes)
    assert [exchange(Secret(subject_token), **purpose) for purpose in purposes] == tokens
    assert exchange(subject_token, resource=API, scopes=iter(["write:books", "read:books"])) is tokens[1]
    assert site.sent() == 0


def test_kept_result_belongs_to_its_subject_token_and_actor(site: Site) -> None:
    other = site.logto.tenant.add_personal_access_token("assistant", "other").value
    actor_token = site.opaque("assistant", "openid")
    results = [
        site.client.exchange_personal_access_token(site.pat, resource=API),
        site.client.exchange_personal_access_token(other, resource=API),
        site.client.exchange_personal_access_token(site.pat, resource=API, actor_token=actor_token),
    ]
    assert [(token.sub, token.actor_sub) for token in results] == [
        ("ada", None),
        ("assistant", None),
        ("ada", "assistant"),
    ]


def test_result_for_a_jwt_is_kept_until_one_of_both_expires(site: Site) -> None:
    with freeze_time(datetime.now(tz=timezone.utc)) as moment:
        subject_token = site.jwt()
        moment.tick(1800)
        token = site.client.exchange_access_token(subject_token, resource=API)
        moment.tick(1799)
        assert site.client.exchange_access_token(subject_token, resource=API) is token
        moment.tick(2)
        with pytest.raises(TokenError, match="expired"):
            site.client.exchange_access_token(subject_token, resource=API)

        site.logto.tenant.find_resource(API).access_token_ttl = 600  # type: ignore[union-attr]
        subject_token = site.client.exchange_personal_access_token(site.pat, resource=OTHER_API).access_token.reveal()
        token = site.client.exchange_access_token(subject_token, resource=API)
        moment.tick(600 - 16)
        assert site.client.exchange_access_token(subject_token, resource=API) is token
        moment.tick(2)
        assert site.client.exchange_access_token(subject_token, resource=API) is not token


@pytest.mark.parametrize("kind", ["personal", "opaque", "actor"])
def test_revoked_token_stops_working_after_a_minute(site: Site, kind: str) -> None:
    with freeze_time(datetime.now(tz=timezone.utc)) as moment:
        exchange, subject_token = kinds(site)["jwt" if kind == "actor" else kind]
        wanted = {"actor_token": site.opaque("assistant", "openid")} if kind == "actor" else {}
        token = exchange(subject_token, resource=API, **wanted)
        site.logto.tenant.personal_access_tokens.clear()
        site.logto.instances.access_tokens.clear()
        moment.tick(59)
        assert exchange(subject_token, resource=API, **wanted) is token
        moment.tick(2)
        with pytest.raises(TokenError, match="invalid_grant"):
            exchange(subject_token, resource=API, **wanted)


def test_site_chooses_how_long_a_revoked_token_works(site: Site) -> None:
    client = site.new_client(revocation_seconds=0)
    tokens = [client.exchange_personal_access_token(site.pat, resource=API) for _ in range(2)]
    assert tokens[0] is not tokens[1]


def test_forgotten_result_is_exchanged_again(site: Site) -> None:
    token, other = (site.client.exchange_personal_access_token(site.pat, resource=each) for each in (API, OTHER_API))
    site.client.forget(token)
    assert site.client.exchange_personal_access_token(site.pat, resource=API) is not token
    assert site.client.exchange_personal_access_token(site.pat, resource=OTHER_API) is other


def test_memory_is_bounded_and_refused_tokens_take_none(site: Site) -> None:
    client = site.new_client(cache_size=2)
    pats = [site.logto.tenant.add_personal_access_token("ada", f"script {number}").value for number in range(3)]
    first, second, third = (client.exchange_personal_access_token(pat, resource=API) for pat in pats)
    for number in range(5):
        with pytest.raises(TokenError):
            client.exchange_personal_access_token(f"pat_junk{number}", resource=API)
    assert client.exchange_personal_access_token(pats[2], resource=API) is third
    assert client.exchange_personal_access_token(pats[1], resource=API) is second
    assert client.exchange_personal_access_token(pats[0], resource=API) is not first
    assert (len(client._kept), len(client._flights)) == (2, 0)


def test_threads_share_one_exchange_and_one_refusal(site: Site) -> None:
    barrier = threading.Barrier(10)

    def exchange(pat: str) -> object:
        barrier.wait()
        try:
            return site.client.exchange_personal_access_token(pat, resource=API)
        except TokenError as error:
            return str(error)

    with ThreadPoolExecutor(10) as threads:
        # All threads have to ask before a refusal comes. A thread that asks after a success gets the kept token.
        for pat, delay_seconds in ((site.pat, 0.2), ("pat_junk", 1)):
            site.logto.faults.http["token"] = HttpFault(delay_seconds=delay_seconds)
            assert len({*map(str, threads.map(exchange, [pat] * 10))}) == 1
            assert site.sent() == 1


# Subject tokens work once


def test_used_subject_token_is_not_sent_again(site: Site) -> None:
    subject_token = site.subject_token()
    site.client.exchange_subject_token(subject_token, resource=API)
    assert site.sent() == 1
    for wanted in ({"resource": API}, {"resource": OTHER_API}):
        with pytest.raises(TokenError, match="works once") as caught:
            site.client.exchange_subject_token(subject_token, **wanted)
        assert caught.value.claim == "subject_token"
        assert_hidden(caught.value, subject_token)
    assert site.sent() == 0
    with pytest.raises(TokenError, match="already used"):
        site.new_client().exchange_subject_token(subject_token, resource=API)


def test_only_one_of_parallel_exchanges_gets_a_token(site: Site) -> None:
    # Logto 1.42 itself issues a token for each of several requests at the same time.
    site.logto.faults.http["token"] = HttpFault(delay_seconds=0.3)
    subject_token = site.subject_token()

    def exchange(_: int) -> ExchangedToken | None:
        try:
            return site.client.exchange_subject_token(subject_token, resource=API)
        except TokenError:
            return None

    with ThreadPoolExecutor(8) as threads:
        assert len([token for token in threads.map(exchange, range(8)) if token]) == 1
    assert site.sent() == 1


def test_refused_subject_token_may_be_sent_again(site: Site) -> None:
    subject_token = site.subject_token()
    site.application.custom_client_metadata["allowTokenExchange"] = False
    with pytest.raises(ProviderError, match="Allow token exchange"):
        site.client.exchange_subject_token(subject_token, resource=API)
    site.application.custom_client_metadata["allowTokenExchange"] = True
    with pytest.raises(TokenError, match="actor token has expired"):
        site.client.exchange_subject_token(subject_token, resource=API, actor_token=site.opaque("assistant"))
    assert site.client.exchange_subject_token(subject_token, resource=API).sub == "ada"


@pytest.mark.parametrize(
    "fault",
    [
        HttpFault(drop=True),
        HttpFault(delay_seconds=0.6),
        HttpFault(status=503),
        HttpFault(status=500, body='{"error": "server_error"}'),
        HttpFault(body="{}"),
    ],
    ids=["gone", "slow", "503", "server-error", "nothing"],
)
def test_subject_token_without_an_answer_counts_as_used(site: Site, fault: HttpFault) -> None:
    subject_token, client = site.subject_token(), site.new_client(total_seconds=0.3)
    site.logto.faults.http["token"] = fault
    with pytest.raises(ProviderError) as caught:
        client.exchange_subject_token(subject_token, resource=API)
    assert_hidden(caught.value, subject_token)
    site.logto.faults.clear()
    assert site.sent() == 1, "a lost connection is no reason to send it again"
    with pytest.raises(TokenError, match="works once"):
        client.exchange_subject_token(subject_token, resource=API)
    assert site.sent() == 0


def test_subject_token_stays_usable_when_nothing_was_sent(site: Site) -> None:
    subject_token = site.subject_token()
    site.logto.faults.http["discovery"] = HttpFault(status=503)
    with pytest.raises(ProviderError):
        site.client.exchange_subject_token(subject_token, resource=API)
    site.logto.faults.clear()
    assert site.client.exchange_subject_token(subject_token, resource=API).sub == "ada"


def test_memory_of_used_subject_tokens_is_bounded(site: Site) -> None:
    for number in range(1200):
        site.client._reserve(str(number).encode())
    assert len(site.client._used) == 1000
    with freeze_time(datetime.now(tz=timezone.utc)) as moment:
        subject_token = site.subject_token()
        site.client.exchange_subject_token(subject_token, resource=API)
        moment.tick(700)
        with pytest.raises(TokenError, match="invalid_grant"):
            site.client.exchange_subject_token(subject_token, resource=API)


# Tokens that are not sent


@pytest.mark.parametrize(
    ("method", "text", "message"),
    [
        ("exchange_subject_token", "pat_something", "begins with sub_"),
        ("exchange_subject_token", "", "begins with sub_"),
        ("exchange_subject_token", "sub_" + "x" * 300, "at most 256"),
        ("exchange_personal_access_token", "sub_something", "begins with pat_"),
        ("exchange_personal_access_token", "pat_line\nbreak", "begins with pat_"),
        ("exchange_access_token", "sub_something", "method of its own"),
        ("exchange_access_token", "pat_something", "method of its own"),
        ("exchange_access_token", "", "at most 256"),
        ("exchange_access_token", "ключ", "printable ASCII"),
        ("exchange_access_token", "a.b.c" + "x" * 20_000, "at most 16384"),
        ("exchange_access_token", "a.b.c", "JSON header"),
    ],
)
def test_impossible_token_is_not_sent(site: Site, method: str, text: str, message: str) -> None:
    with pytest.raises(TokenError, match=message) as caught:
        getattr(site.client, method)(text, resource=API)
    assert caught.value.claim == "subject_token"
    assert site.sent() == 0
    if text:
        assert_hidden(caught.value, text)


def forged(token: str) -> str:
    head, _, signature = token.split(".")
    return f"{head}.eyJzdWIiOiJib2IifQ.{signature}"


def machine_token(site: Site) -> str:
    robot = site.logto.tenant.add_application(name="Robot", type="MachineToMachine")
    http = HTTPClient(connect_seconds=1, total_seconds=5)
    provider = Provider(issuer=site.logto.issuer, algorithms=("ES384",), http=http)
    machine = MachineClient(provider, client_id=robot.id, client_secret=Secret(robot.secret))
    return machine.token(resource=API).access_token.reveal()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda site: RelyingParty(site.logto, site.application, CALLBACK).sign_in("ada")["id_token"], "of type"),
        (lambda site: site.jwt(exp=1_000_000_000), "expired"),
        (lambda site: site.jwt(iss="https://other.example/oidc"), "issuer"),
        (lambda site: forged(site.jwt()), "signature"),
        (machine_token, "not to a user"),
    ],
    ids=["id-token", "expired", "issuer", "forged", "machine"],
)
def test_jwt_that_is_no_access_token_of_a_user_is_not_sent(
    site: Site, make: Callable[[Site], str], message: str
) -> None:
    token = make(site)
    site.sent()
    with pytest.raises(TokenError, match=message) as caught:
        site.client.exchange_access_token(token, resource=API)
    assert caught.value.claim == "subject_token"
    assert site.sent() == 0
    assert_hidden(caught.value, token)


@pytest.mark.parametrize("text", ["a.b.c", "", "line\nbreak", "x" * 300])
def test_actor_token_that_is_not_opaque_is_not_sent(site: Site, text: str) -> None:
    subject_token = site.subject_token()
    with pytest.raises(TokenError, match="opaque access token with the scope openid") as caught:
        site.client.exchange_subject_token(subject_token, resource=API, actor_token=text)
    assert caught.value.claim == "actor_token"
    assert site.client.exchange_subject_token(subject_token, resource=API).sub == "ada"


# What a refusal says


@pytest.mark.parametrize(
    ("method", "text", "message"),
    [
        (
            "exchange_subject_token",
            "sub_unknown",
            "already used, or its user is suspended or deleted. Create another one",
        ),
        ("exchange_personal_access_token", "pat_unknown", "deleted or expired"),
        ("exchange_access_token", "unknown", "third-party application"),
    ],
)
def test_refused_token_is_a_token_error_with_the_causes(site: Site, method: str, text: str, message: str) -> None:
    for _ in range(2):
        with pytest.raises(TokenError, match=message) as caught:
            getattr(site.client, method)(text, resource=API)
        assert caught.value.claim == "subject_token"
    assert site.sent() == 2, "a refusal is not kept: a suspended user may be reactivated"


@pytest.mark.parametrize(
    ("wanted", "error", "code"),
    [
        ({"resource": "https://nowhere.example"}, "invalid_target", "client_rejected"),
        ({"organization_id": "nowhere"}, "access_denied", "access_denied"),
    ],
)
def test_refused_purpose_raises_the_error_of_logto(site: Site, wanted: dict[str, Any], error: str, code: str) -> None:
    with pytest.raises(ProviderError) as caught:
        site.client.exchange_personal_access_token(site.pat, **wanted)
    assert (caught.value.error, caught.value.code) == (error, code)
    assert_hidden(caught.value, site.pat)


@pytest.mark.parametrize("kind", KINDS)
def test_application_that_may_not_exchange_is_a_fault_of_the_operator(site: Site, kind: str) -> None:
    exchange, subject_token = kinds(site)[kind]
    site.application.custom_client_metadata["allowTokenExchange"] = False
    with pytest.raises(ProviderError, match='"Allow token exchange"') as caught:
        exchange(subject_token, resource=API)
    assert (caught.value.code, caught.value.status) == ("client_rejected", 503)
    assert "first-party" in str(caught.value)
    assert "Traditional Web" not in str(caught.value)
    assert_hidden(caught.value, subject_token)


def test_wrong_secret_raises_the_hint(site: Site) -> None:
    with pytest.raises(ProviderError, match="Check the settings") as caught:
        site.new_client(secret="wrong-secret").exchange_personal_access_token(site.pat, resource=API)
    assert caught.value.code == "client_rejected"
    assert_hidden(caught.value, "wrong-secret")
    assert_hidden(caught.value, site.pat)


def test_failure_is_not_kept_and_a_lost_connection_is_repeated(site: Site) -> None:
    site.logto.faults.http["token"] = HttpFault(drop=True, times=1)
    assert site.client.exchange_personal_access_token(site.pat, resource=API).is_usable()
    site.logto.faults.http["token"] = HttpFault(drop=True)
    with pytest.raises(ProviderUnreachable):
        site.client.exchange_personal_access_token(site.pat, resource=OTHER_API)
    site.logto.faults.clear()
    assert site.client.exchange_personal_access_token(site.pat, resource=OTHER_API).is_usable()


def test_nothing_is_kept_for_zero_seconds(site: Site) -> None:
    client = site.new_client(revocation_seconds=0)
    for _ in range(2):
        client.exchange_personal_access_token(site.pat, resource=API)
    assert site.sent() == 2
    assert not client._kept
