"""API keys (`Authorization: Bearer pat_...`): what they open, for how long, and what a made-up one costs."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client, RequestFactory
from freezegun import freeze_time

from logto_auth.api import api_keys
from logto_auth.api.api_keys import (
    MAX_CALLS_FOR_NEW_KEYS,
    MAX_REFUSALS,
    MAX_REFUSED,
    PERIOD_SECONDS,
    REFUSALS,
    REFUSED_SECONDS,
    ApiKeys,
    KeyPurpose,
)
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.emulator.state.records import MANAGEMENT_API_ROLE
from logto_auth.exceptions import LogtoError, TokenError
from logto_auth.models import LogtoIdentity, UserStatus
from logto_auth.navigation import client_network
from logto_auth.oidc.secrets import Secret
from logto_auth.signals import api_keys_limited
from logto_auth.site_cache import count
from logto_auth.users.suspension import suspend
from tests.rights import API, HARBOUR, HILL

from . import api_key_urls
from .api_key_urls import CLOSED, OPEN, READ, STOCK, STOCKS, WRITE
from .callers import App, call, parameters_of

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("site", "exchange"),
    pytest.mark.urls(api_key_urls.__name__),
]

PURPOSE = KeyPurpose(API, None, (READ,))
MakeKey = Callable[..., str]


@pytest.fixture
def exchange(site: None, logto: Emulator, settings: Any) -> Iterator[None]:
    """The application of the site may exchange tokens, and the site declares its permissions."""
    logto.tenant.applications[settings.LOGTO_APP_ID].allow_token_exchange = True
    settings.LOGTO_API_SCOPES = [READ, WRITE]
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "keys"}}
    cache.clear()
    for username in ("editor", "reader", "customer"):
        user = get_user_model().objects.create_user(username)
        LogtoIdentity.objects.create(user=user, issuer=logto.issuer, sub=username.ljust(11, "0") + "1")
    yield
    cache.clear()


@pytest.fixture
def make_key(logto: Emulator) -> MakeKey:
    def make_key(username: str = "editor", **options: Any) -> str:
        name = f"script {len(logto.tenant.personal_access_tokens)}"
        return logto.tenant.add_personal_access_token(username.ljust(11, "0") + "1", name, **options).value

    return make_key


@pytest.fixture
def management(logto: Emulator, settings: Any) -> None:
    """The site may use the Management API."""
    machine = logto.tenant.add_application(name="Site", type="MachineToMachine", roles=[MANAGEMENT_API_ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret


def exchanges(logto: Emulator) -> int:
    """Return how many keys Logto was asked about since the last call."""
    number = len(logto.requests.to("token"))
    logto.requests.clear()
    return number


def refusal(answer: Any, *, status: int = 401, error: str | None = "invalid_token") -> str:
    """Return the description of a refusal."""
    assert answer.status_code == status, answer.content
    body = answer.json()
    if status != 429 and "WWW-Authenticate" in answer:
        assert parameters_of(answer["WWW-Authenticate"]).get("error", error) == error
    return str(body.get("error_description") or body.get("detail"))


def junk() -> str:
    """Return a made-up key that no test has used before."""
    return f"pat_{uuid4().hex}"


# What a key opens


def test_each_entrance_accepts_key_by_one_exchange(logto: Emulator, make_key: MakeKey) -> None:
    key = make_key()
    for path in OPEN:
        answer = call(path, key)
        assert answer.status_code == 200, (path, answer.content)
        assert (answer.json()["is_api_key"], answer.json()["scopes"]) == (True, [READ]), path
        assert answer.json().get("user", "editor") == "editor"
    assert exchanges(logto) == 1


def test_each_entrance_refuses_key_where_not_accepted(logto: Emulator, make_key: MakeKey, settings: Any) -> None:
    # An opaque token would be introspected.
    settings.LOGTO_API_INTROSPECTED_APPS = [settings.LOGTO_APP_ID]
    for path in CLOSED:
        assert "does not accept API keys here" in refusal(call(path, make_key())), path
    assert list(logto.requests) == []


def test_access_token_still_works_where_keys_are_accepted(app: App) -> None:
    token = app.token("editor", resource=API)
    for path in OPEN:
        answer = call(path, token)
        assert (answer.status_code, answer.json()["is_api_key"]) == (200, False), path
        assert answer.json()["scopes"] == [READ, WRITE]


def test_key_has_only_scopes_that_view_names(make_key: MakeKey) -> None:
    answer = call("/plain", make_key()).json()
    assert (answer["scopes"], answer["claim"], answer["permissions"]) == ([READ], READ, [READ])
    assert answer["has_write"] is False
    answer = call("/any", make_key()).json()
    assert (answer["scopes"], answer["claim"], answer["permissions"]) == ([], "", [])


def test_key_can_do_no_more_than_its_owner(make_key: MakeKey) -> None:
    answer = call("/writing", make_key("reader"))
    assert "write:books" in refusal(answer, status=403, error="insufficient_scope")
    assert call("/plain", make_key("reader")).status_code == 200


def test_key_of_view_without_declared_permissions_works(make_key: MakeKey, settings: Any) -> None:
    settings.LOGTO_API_SCOPES = []
    assert call("/plain", make_key()).json()["scopes"] == [READ]


def test_rest_framework_gives_key_what_its_permissions_name(make_key: MakeKey) -> None:
    key = make_key()
    seen = {
        ("get", "/drf"): [READ],
        ("post", "/drf"): [WRITE],
        ("head", "/drf"): None,
        ("get", "/drf/any"): [],
        ("get", "/drf/alternatives"): [READ, WRITE],
        ("get", "/drf/by-user"): [READ],
        ("get", "/drf/further"): [READ],
        ("get", "/drf/either"): [READ],
    }
    for (method, path), scopes in seen.items():
        answer = call(path, key, method)
        assert answer.status_code == 200, (path, answer.content)
        assert scopes is None or answer.json()["scopes"] == scopes, path


def test_negated_permission_sees_all_scopes_of_key(make_key: MakeKey) -> None:
    assert call("/drf/not", make_key("editor")).status_code == 403
    assert call("/drf/not", make_key("reader")).status_code == 200


def test_key_proves_no_second_factor(logto: Emulator, make_key: MakeKey, settings: Any) -> None:
    settings.LOGTO_SECOND_FACTOR = True
    logto.faults.access_token_claims = lambda claims: {**claims, "authentication_methods": ["Password", "Totp"]}
    try:
        assert call("/plain", make_key()).json()["methods"] == []
        refusal(call("/factor", make_key()), error="insufficient_user_authentication")
    finally:
        logto.faults.access_token_claims = None


def test_key_counts_for_resource_of_view(logto: Emulator, make_key: MakeKey) -> None:
    assert call("/other", make_key("editor")).json()["scopes"] == [READ]
    refusal(call("/other", make_key("reader")), status=403, error="insufficient_scope")


# Organizations


def test_key_counts_in_organization_of_url(logto: Emulator, make_key: MakeKey) -> None:
    key = make_key()
    for path in STOCKS:
        answer = call(f"{path}/{HARBOUR}", key)
        assert answer.status_code == 200, (path, answer.content)
        assert answer.json()["organization_scopes"] == [STOCK]
    assert exchanges(logto) == 1
    for path in STOCKS:
        refusal(call(f"{path}/{HILL}", key), status=403, error="insufficient_scope")
    answer = call(f"/branch/{HARBOUR}/books", make_key()).json()
    assert (answer["organization"], answer["permissions"]) == (HARBOUR, [WRITE])
    assert call(f"/drf/either/{HARBOUR}", key).json()["organization_scopes"] == [STOCK]


def test_key_of_non_member_is_refused(logto: Emulator, make_key: MakeKey) -> None:
    key = make_key("reader")
    ids = [HILL, "nobody", "x" * 300, "%F0%9F%93%9A", "a%00b"]
    for number, organization_id in enumerate(ids):
        for _ in range(2):
            answer = call(f"/stock/{organization_id}", key)
            assert "organization" in refusal(answer, status=403, error="organization_required"), organization_id
        assert exchanges(logto) == (1 if number < 2 or number == 3 else 0), organization_id


def test_key_needs_organization_in_url_for_organization_token(logto: Emulator, make_key: MakeKey) -> None:
    answer = call("/stock", make_key())
    assert "organization that the URL selects" in refusal(answer, status=403, error="organization_required")
    assert exchanges(logto) == 0


# Keys that are not accepted


def test_refused_key_is_not_sent_again(logto: Emulator) -> None:
    key = junk()
    with freeze_time() as now:
        for path in OPEN:
            text = refusal(call(path, key))
            assert "It is unknown, revoked or expired, or its user is suspended or deleted" in text
        assert exchanges(logto) == 1
        now.tick(REFUSED_SECONDS + 1)
        refusal(call("/plain", key))
        assert exchanges(logto) == 1


def test_malformed_key_is_refused_without_exchange(logto: Emulator) -> None:
    for key in ("pat_" + "x" * 300, "pat_" + "x" * 60_000):
        refusal(call("/plain", key))
    for header in ("Bearer pat_a, Bearer pat_b", "Bearer pat_ä", "Bearer pat_a b", "Bearer pat_\x00"):
        answer = Client().get("/plain", headers={"Authorization": header})
        assert answer.status_code == 400, header
    assert exchanges(logto) == 0


def test_revoked_key_works_for_a_minute_only(logto: Emulator, make_key: MakeKey) -> None:
    key = make_key()
    with freeze_time() as now:
        assert call("/plain", key).status_code == 200
        del logto.tenant.personal_access_tokens[key]
        now.tick(59)
        assert call("/plain", key).status_code == 200
        now.tick(2)
        refusal(call("/plain", key))
        assert exchanges(logto) == 2


def test_time_counts_from_the_question_to_logto(logto: Emulator, make_key: MakeKey) -> None:
    key, keys, began = Secret(make_key()), ApiKeys(), time.monotonic()
    # As if it was revoked while the answer was on its way.
    logto.faults.http["token"] = HttpFault(delay_seconds=0.5)
    keys.claims_of(RequestFactory().get("/"), key, PURPOSE)
    (kept,) = keys._kept.values()
    assert 59 < kept.valid_until - began < 60.4


def test_zero_seconds_ask_logto_each_time(logto: Emulator, make_key: MakeKey, settings: Any) -> None:
    settings.LOGTO_API_KEY_SECONDS = 0
    key = make_key()
    assert [call("/plain", key).status_code for _ in range(2)] == [200, 200]
    del logto.tenant.personal_access_tokens[key]
    refusal(call("/plain", key))
    assert exchanges(logto) == 3


def test_forgotten_keys_of_user_are_exchanged_again(logto: Emulator, make_key: MakeKey) -> None:
    key, other = make_key("editor"), make_key("reader")
    assert {call("/plain", each).status_code for each in (key, other)} == {200}
    exchanges(logto)
    del logto.tenant.personal_access_tokens[key]
    api_keys.forget("editor000001")
    refusal(call("/plain", key))
    assert call("/plain", other).status_code == 200
    assert exchanges(logto) == 1


def test_expired_key_is_refused(logto: Emulator, make_key: MakeKey) -> None:
    key = make_key(expires_at=logto.clock.now_ms() + 1000)
    assert call("/plain", key).status_code == 200
    refusal(call("/plain", make_key(expires_at=logto.clock.now_ms() - 1)))


def test_key_is_never_accepted_longer_than_its_token(logto: Emulator, make_key: MakeKey, settings: Any) -> None:
    settings.LOGTO_API_KEY_SECONDS = 10**6
    key = make_key()
    with freeze_time() as now:
        assert call("/plain", key).status_code == 200
        del logto.tenant.personal_access_tokens[key]
        now.tick(3600)
        refusal(call("/plain", key))


# Suspended users


def test_key_of_user_suspended_here_is_refused_at_once(logto: Emulator, make_key: MakeKey) -> None:
    key = make_key()
    assert call("/plain", key).status_code == 200
    suspend(LogtoIdentity.objects.get(sub="editor000001"), UserStatus.SUSPENDED, logto.clock.now())
    for path in OPEN:
        assert "deactivated" in refusal(call(path, key)), path


def test_key_of_user_suspended_at_logto_is_refused(logto: Emulator, make_key: MakeKey, management: None) -> None:
    key = make_key()
    logto.tenant.suspend_user("editor000001")
    assert "suspended" in refusal(call("/plain", key))
    logto.tenant.suspend_user("editor000001", is_suspended=False)
    assert call("/plain", make_key()).status_code == 200


def test_key_of_deleted_user_is_refused(logto: Emulator, make_key: MakeKey, management: None) -> None:
    key = make_key()
    logto.tenant.delete_user("editor000001")
    refusal(call("/plain", key))


def test_key_of_user_without_account_is_refused(logto: Emulator, make_key: MakeKey, settings: Any) -> None:
    LogtoIdentity.objects.all().delete()
    assert "has no account" in refusal(call("/plain", make_key()), status=403, error="account_unknown")
    settings.LOGTO_API_CREATE_USERS = True
    assert call("/plain", make_key()).status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        HttpFault(status=500),
        HttpFault(status=404, body="Not Found"),
        HttpFault(status=200, body="[]"),
        HttpFault(status=200, body="{}"),
    ],
)
def test_key_is_refused_while_management_api_fails(
    make_key: MakeKey, management: None, spoil: Callable[..., None], fault: HttpFault
) -> None:
    key = make_key()
    spoil("management_api", fault)
    answer = call("/plain", key)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")


def test_key_works_without_permission_for_management_api(
    logto: Emulator, make_key: MakeKey, settings: Any, caplog: Any
) -> None:
    machine = logto.tenant.add_application(name="Others", type="MachineToMachine")
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    assert call("/plain", make_key()).status_code == 200
    assert "cannot be asked whether the user of an API key is suspended" in caplog.text


# When Logto fails


@pytest.mark.parametrize(
    "fault", [HttpFault(status=500), HttpFault(status=200, body=b"{}"), HttpFault(delay_seconds=1)]
)
def test_key_is_not_judged_while_logto_fails(
    make_key: MakeKey, logto: Emulator, spoil: Callable[..., None], fault: HttpFault
) -> None:
    key = make_key()
    spoil("token", fault)
    for path in ("/plain", "/drf", "/ninja/books"):
        answer = call(path, key)
        assert answer.status_code == 503, (path, answer.content)
        assert answer["Retry-After"]
    logto.faults.http.clear()
    assert call("/plain", key).status_code == 200


def test_forbidden_exchange_says_what_to_switch_on(
    logto: Emulator, make_key: MakeKey, settings: Any, caplog: Any
) -> None:
    logto.tenant.applications[settings.LOGTO_APP_ID].custom_client_metadata["allowTokenExchange"] = False
    answer = call("/plain", make_key())
    assert answer.status_code == 503
    assert 'Switch on "Allow token exchange"' in caplog.text


def test_token_of_other_audience_is_not_accepted(logto: Emulator, make_key: MakeKey) -> None:
    key = make_key()
    for changes in ({"aud": "https://other.example"}, {"scope": "admin"}, {"client_id": "x"}, {"exp": 1}):
        logto.faults.access_token_claims = lambda claims, changes=changes: {**claims, **changes}
        assert call("/plain", key).status_code == 503, changes
    logto.faults.access_token_claims = None


# Guessing


def test_guessing_is_limited_by_address(logto: Emulator, make_key: MakeKey) -> None:
    known, unknown = make_key(), make_key("reader")
    begun: list[Any] = []
    api_keys_limited.connect(receiver := lambda sender, **arguments: begun.append(arguments))
    assert call("/plain", known).status_code == 200
    exchanges(logto)
    with freeze_time() as now:
        for number in range(MAX_REFUSALS + 5):
            answer = call("/plain", junk())
            assert answer.status_code == (401 if number < MAX_REFUSALS else 429), number
        assert exchanges(logto) == MAX_REFUSALS
        for path in OPEN:
            answer = call(path, junk())
            assert (answer.status_code, answer["Retry-After"]) == (429, str(PERIOD_SECONDS)), path
            assert "WWW-Authenticate" not in answer
        assert answer["Cache-Control"] == "no-store"
        assert call("/plain", unknown).status_code == 429
        assert call("/plain", unknown, REMOTE_ADDR="192.0.2.9").status_code == 200
        # Known keys are exchanged again, too.
        assert call("/plain", known).status_code == 200
        now.tick(59)
        assert call("/plain", known).status_code == 200
        now.tick(PERIOD_SECONDS)
        assert call("/plain", junk()).status_code == 401
    assert [each["network"] for each in begun] == ["127.0.0.1"]
    api_keys_limited.disconnect(receiver)


def test_repeated_key_does_not_use_limit_up(make_key: MakeKey) -> None:
    key = junk()
    for _ in range(MAX_REFUSALS + 1):
        refusal(call("/plain", key))
    assert call("/plain", make_key()).status_code == 200


class BrokenCache(LocMemCache):
    def get(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("The cache is down.")

    add = incr = get


@pytest.mark.parametrize("backend", ["django.core.cache.backends.dummy.DummyCache", f"{__name__}.BrokenCache"])
def test_keys_are_not_limited_without_cache(make_key: MakeKey, settings: Any, backend: str) -> None:
    settings.CACHES = {"default": {"BACKEND": backend}}
    for _ in range(MAX_REFUSALS + 1):
        refusal(call("/plain", junk()))
    assert call("/plain", make_key()).status_code == 200


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("64:ff9b::192.0.2.7", "192.0.2.7"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_network_is_what_one_client_has(address: str, network: str) -> None:
    assert client_network(RequestFactory().get("/", REMOTE_ADDR=address)) == network


# Threads and memory


class Flood:
    """Requests with keys, each in a thread of its own."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.keys, self._pool = ApiKeys(), pool

    def outcomes(self, values: list[str], addresses: list[str] | None = None, pause_before: int = 0) -> list[str]:
        """Return the scopes or the error of each key. They are sent at the same time, some of them a little later."""

        def send(number: int, value: str, address: str) -> str:
            request = RequestFactory().get("/", REMOTE_ADDR=address)
            if pause_before:
                time.sleep(0.05 * max(0, number - pause_before + 1))
            try:
                return " ".join(self.keys.claims_of(request, Secret(value), PURPOSE).scopes)
            except LogtoError as error:
                return type(error).__name__

        return list(self._pool.map(send, range(len(values)), values, addresses or ["192.0.2.1"] * len(values)))


@pytest.fixture
def flood() -> Iterator[Flood]:
    with ThreadPoolExecutor(max_workers=40) as pool:
        yield Flood(pool)


def test_parallel_first_use_is_one_exchange(logto: Emulator, make_key: MakeKey, flood: Flood) -> None:
    logto.faults.http["token"] = HttpFault(delay_seconds=0.2)
    assert set(flood.outcomes([make_key()] * 20)) == {READ}
    assert set(flood.outcomes([junk()] * 20)) == {"TokenError"}
    assert exchanges(logto) == 2


def test_parallel_guesses_leave_room_for_known_keys(logto: Emulator, make_key: MakeKey, flood: Flood) -> None:
    logto.faults.http["token"] = HttpFault(delay_seconds=1.5)
    outcomes = flood.outcomes([junk() for _ in range(8)])
    assert outcomes.count("TokenError") == MAX_CALLS_FOR_NEW_KEYS
    assert outcomes.count("ProviderError") == 8 - MAX_CALLS_FOR_NEW_KEYS


def test_parallel_guesses_exceed_limit_by_few(logto: Emulator, flood: Flood) -> None:
    outcomes = flood.outcomes([junk() for _ in range(40)])
    assert MAX_REFUSALS <= exchanges(logto) <= MAX_REFUSALS + MAX_CALLS_FOR_NEW_KEYS
    assert set(outcomes) <= {"TokenError", "TooManyRequests", "ProviderError"}


def test_waiting_thread_of_other_address_is_not_limited(logto: Emulator, make_key: MakeKey, flood: Flood) -> None:
    # The address reaches its limit while its thread waits to ask Logto, and the other thread waits for it.
    key = make_key()
    logto.faults.http["token"] = HttpFault(delay_seconds=0.3)
    addresses = [*["192.0.2.1"] * (MAX_CALLS_FOR_NEW_KEYS + 1), "192.0.2.2"]
    for _ in range(MAX_REFUSALS - 1):
        count(REFUSALS, "192.0.2.1", period_seconds=60)
    guesses = [junk() for _ in range(MAX_CALLS_FOR_NEW_KEYS)]
    outcomes = flood.outcomes([*guesses, key, key], addresses, pause_before=MAX_CALLS_FOR_NEW_KEYS)
    assert outcomes == [*["TokenError"] * MAX_CALLS_FOR_NEW_KEYS, "TooManyRequests", READ]


def test_revocation_during_exchange_is_not_overlooked(logto: Emulator, make_key: MakeKey, flood: Flood) -> None:
    key = make_key()
    logto.faults.http["token"] = HttpFault(delay_seconds=0.3)
    timer = threading.Timer(0.1, flood.keys.forget, ["editor000001"])
    timer.start()
    assert flood.outcomes([key]) == [READ]
    timer.join()
    logto.faults.http.clear()
    del logto.tenant.personal_access_tokens[key]
    assert flood.outcomes([key]) == ["TokenError"]


def test_memory_is_bounded(logto: Emulator, make_key: MakeKey, settings: Any) -> None:
    settings.LOGTO_API_TOKEN_CACHE_SIZE = 3
    keys, known, request = ApiKeys(), Secret(make_key()), RequestFactory().get("/")
    for key in (*(Secret(make_key()) for _ in range(5)), known):
        keys.claims_of(request, key, PURPOSE)
    for number in range(MAX_REFUSED + 10):
        # Not sent to Logto, because it is too long.
        request = RequestFactory().get("/", REMOTE_ADDR=f"10.0.{number // 250}.{number % 250}")
        with pytest.raises(TokenError):
            keys.claims_of(request, Secret(junk() + "x" * 300), PURPOSE)
    exchanges(logto)
    assert keys.claims_of(request, known, PURPOSE).sub == "editor000001"
    assert exchanges(logto) == 0, "junk does not replace known keys"
    assert (len(keys._kept), len(keys._refused), len(keys._running)) == (3, MAX_REFUSED, 0)


# Secrets


def test_key_is_in_no_log_answer_or_memory(make_key: MakeKey, caplog: Any, logto: Emulator) -> None:
    caplog.set_level(logging.DEBUG)
    key = make_key()
    told = call("/plain", key).content.decode() + call("/plain", junk()).content.decode()
    logto.faults.http["token"] = HttpFault(status=500)
    told += call("/plain", make_key()).content.decode()
    assert "pat_" not in told + "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("logto")
    )
    gc.collect()
    assert key not in repr(vars(api_keys._api_keys))
