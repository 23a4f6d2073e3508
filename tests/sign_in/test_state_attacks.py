"""Attacks on sign-in: a callback is accepted only for a sign-in that this browser has started."""

from __future__ import annotations

import copy
import math
import random
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.conf import settings as django_settings
from django.test import Client, RequestFactory
from freezegun import freeze_time

from logto_auth.conf import conf
from logto_auth.emulator import Emulator
from logto_auth.exceptions import CallbackError
from logto_auth.models import LogtoSession
from logto_auth.oidc.authorization import AuthorizationRequest
from logto_auth.sign_in.start import redirect_to_logto
from logto_auth.testing import Browser
from tests.support import Witness, pending_cookies, query_of, signed_in_user_key, with_query

pytestmark = pytest.mark.django_db


def callback_of(browser: Browser, username: str = "reader", next_url: str = "") -> str:
    """Return the callback URL of a completed sign-in at Logto, without opening it."""
    return browser.logto.sign_in(browser.start(next_url), username)


def test_foreign_callback_without_own_sign_in_is_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any
) -> None:
    url = callback_of(Browser(logto))
    witness.sees_refused(lambda: browser.open(url), "state_unknown", 400)
    assert logto.requests.to("token") == []


def test_foreign_callback_leaves_own_sign_in_usable(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any
) -> None:
    logto.tenant.add_user(username="attacker")
    own = callback_of(browser, next_url="/account/claims")
    url = callback_of(Browser(logto), "attacker")
    witness.sees_refused(lambda: browser.open(url), "state_unknown", 400)
    assert witness.sees_signed_in(browser.open(own)).username == "reader"


def test_foreign_code_with_own_state_is_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any
) -> None:
    logto.tenant.add_user(username="attacker")
    attacker_code = query_of(callback_of(Browser(logto), "attacker"))["code"]
    own = callback_of(browser)
    # The code was issued for another code challenge.
    witness.sees_refused(lambda: browser.open(with_query(own, code=attacker_code)), "code_rejected", 400)


def test_code_of_another_own_sign_in_is_refused(browser: Browser, witness: Witness, reader: Any) -> None:
    first, second = callback_of(browser), callback_of(browser)
    mixed = with_query(first, code=query_of(second)["code"])
    witness.sees_refused(lambda: browser.open(mixed), "code_rejected", 400)


def test_foreign_callback_keeps_signed_in_user(browser: Browser, logto: Emulator, reader: Any) -> None:
    logto.tenant.add_user(username="attacker")
    browser.sign_in("reader")
    before = signed_in_user_key(browser.client)
    response = browser.open(callback_of(Browser(logto), "attacker"))
    assert (response.status_code, response["Location"]) == (302, "/")
    assert signed_in_user_key(browser.client) == before
    assert len(logto.requests.to("token")) == 1


def test_state_nonce_and_verifier_have_enough_entropy() -> None:
    requests = [AuthorizationRequest() for _ in range(1000)]
    for read in (lambda each: each.state, lambda each: each.nonce, lambda each: each.code_verifier.reveal()):
        values = [read(request) for request in requests]
        assert len(set(values)) == 1000
        symbols = Counter("".join(values))
        shares = [count / symbols.total() for count in symbols.values()]
        bits = len(values[0]) * -sum(share * math.log2(share) for share in shares)
        assert bits >= 250
        # No position holds the same symbol in all values.
        assert all(len({value[position] for value in values}) > 50 for position in range(len(values[0]) - 1))


def test_each_sign_in_has_new_state_nonce_and_challenge(browser: Browser) -> None:
    queries = [query_of(browser.start()) for _ in range(20)]
    values = [query[name] for query in queries for name in ("state", "nonce", "code_challenge")]
    assert len(set(values)) == 60
    assert all(len(value) == 43 for value in values)


def test_state_can_be_used_once(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    url = callback_of(browser)
    witness.sees_signed_in(browser.open(url))
    browser.client.post("/sign-out")
    witness.sees_refused(lambda: browser.open(url), "state_used", 400)
    assert len(logto.requests.to("token")) == 1


def test_copied_cookie_does_not_make_code_usable_again(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any
) -> None:
    url = callback_of(browser)
    copied = copy.deepcopy(browser.client.cookies)
    witness.sees_signed_in(browser.open(url))
    browser.client.cookies = copied
    witness.sees_refused(lambda: browser.open(url), "code_rejected", 400)
    # Logto revokes the tokens of a code that is used a second time.
    assert logto.instances.refresh_tokens == {}


def test_used_state_contains_no_secret(browser: Browser, reader: Any) -> None:
    from logto_auth.encryption import decrypt

    browser.sign_in("reader")
    (cookie,) = pending_cookies(browser.client).values()
    used = decrypt(cookie, purpose="sign-in")
    assert used is not None
    assert (used["nonce"], used["code_verifier"], used["is_used"]) == ("", "", True)


@pytest.mark.parametrize("seconds", [3601, 86_400], ids=["just-over", "a-day"])
def test_expired_state_is_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, seconds: int
) -> None:
    with freeze_time() as clock:
        url = callback_of(browser)
        clock.tick(seconds)
        witness.sees_refused(lambda: browser.open(url), "state_expired", 400)
    assert logto.requests.to("token") == []


def test_state_at_end_of_lifetime_is_accepted(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, settings: Any
) -> None:
    settings.LOGTO_SIGN_IN_MAX_AGE_SECONDS = 30
    with freeze_time() as clock:
        url = callback_of(browser)
        clock.tick(30)
        witness.sees_signed_in(browser.open(url))


def test_state_from_the_future_is_refused(browser: Browser, witness: Witness, reader: Any) -> None:
    with freeze_time() as clock:
        url = callback_of(browser)
        clock.tick(-61)
        witness.sees_refused(lambda: browser.open(url), "state_expired", 400)


def test_state_of_server_whose_clock_is_ahead_is_accepted(browser: Browser, witness: Witness, reader: Any) -> None:
    with freeze_time() as clock:
        url = callback_of(browser)
        clock.tick(-1)
        witness.sees_signed_in(browser.open(url))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, id="image"),
        pytest.param({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, id="script"),
        pytest.param({"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, id="frame"),
        pytest.param({"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "object"}, id="object"),
        pytest.param({"Sec-Fetch-Mode": "n\tavigate\x1f" * 50, "Sec-Fetch-Dest": ""}, id="nonsense"),
    ],
)
def test_request_that_is_no_navigation_is_refused(browser: Browser, witness: Witness, headers: dict[str, str]) -> None:
    witness.sees_refused(lambda: browser.client.get("/sign-in", headers=headers), "not_a_navigation", 403)
    assert pending_cookies(browser.client) == {}


@pytest.mark.parametrize("mode", ["cors", "same-origin", "no-cors"])
def test_script_starts_no_sign_in_and_gets_its_url(browser: Browser, logto: Emulator, mode: str) -> None:
    headers = {"Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": "empty"}
    response = browser.client.get("/sign-in?next=/orders/", headers=headers)
    assert response.status_code == 401
    assert response.json()["sign_in_url"] == "http://testserver/sign-in?next=/orders/"
    assert not response.cookies
    assert len(logto.requests) == 0


PREFETCHES = [
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Sec-Purpose": "prefetch;anonymous-client-ip"},
    {"Purpose": "prefetch"},
    {"X-Purpose": "preview"},
    {"X-Moz": "prefetch"},
]


@pytest.mark.parametrize("headers", PREFETCHES, ids=lambda headers: "-".join(*headers.items()))
def test_prefetch_of_sign_in_and_callback_changes_nothing(
    browser: Browser, logto: Emulator, reader: Any, caplog: Any, headers: dict[str, str]
) -> None:
    callback = callback_of(browser)
    before = dict(pending_cookies(browser.client))
    logto.requests.clear()
    for url in ("/sign-in", f"/callback?{urlsplit(callback).query}"):
        response = browser.client.get(url, headers=headers)
        # Browsers discard the response, because the status is no success.
        assert (response.status_code, response.content) == (403, b"")
        assert response["Cache-Control"] == "no-store"
        assert not response.cookies
    assert pending_cookies(browser.client) == before
    assert len(logto.requests) == 0
    assert [record for record in caplog.records if record.name == "logto_auth"] == []
    assert browser.open(callback).status_code == 302


def test_view_of_site_starts_sign_in_only_by_navigation(rf: RequestFactory, logto: Emulator) -> None:
    for headers in (*PREFETCHES, {"Sec-Fetch-Mode": "no-cors"}, {"Sec-Fetch-Dest": "iframe"}):
        with pytest.raises(CallbackError, match="expected the navigation"):
            redirect_to_logto(rf.get("/join/", headers=headers))
    assert len(logto.requests) == 0


def test_navigation_through_service_worker_starts_sign_in(browser: Browser) -> None:
    headers = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"}
    assert browser.client.get("/sign-in", headers=headers).status_code == 302


@pytest.mark.parametrize("path", ["/sign-in", "/callback"])
def test_head_starts_and_finishes_nothing(browser: Browser, logto: Emulator, reader: Any, path: str) -> None:
    callback = callback_of(browser)
    logto.requests.clear()
    response = browser.client.head(f"{path}?{urlsplit(callback).query}")
    assert (response.status_code, response.content) == (200, b"")
    assert not response.cookies
    assert len(logto.requests) == 0
    assert browser.open(callback).status_code == 302


@pytest.mark.parametrize("site", ["none", "same-origin", "same-site", "cross-site"])
def test_navigation_from_any_site_starts_sign_in(browser: Browser, site: str) -> None:
    headers = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": site}
    assert browser.client.get("/sign-in", headers=headers).status_code == 302


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("path", ["/sign-in", "/callback"])
def test_sign_in_and_callback_require_get(
    browser: Browser, logto: Emulator, reader: Any, path: str, method: str
) -> None:
    url = callback_of(browser)
    before = pending_cookies(browser.client)
    response = getattr(browser.client, method)(f"{path}?{urlsplit(url).query}")
    assert response.status_code == 405
    assert pending_cookies(browser.client) == before
    assert logto.requests.to("token") == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=["in-order", "backwards", "mixed"])
def test_tabs_finish_in_any_order_at_their_pages(
    browser: Browser, witness: Witness, reader: Any, order: tuple[int, ...]
) -> None:
    pages = ["/account/claims", "/basket/", "/"]
    urls = [callback_of(browser, next_url=page) for page in pages]
    for index in order:
        response = browser.open(urls[index])
        witness.sees_signed_in(response)
        assert response["Location"] == pages[index]
    assert LogtoSession.objects.count() == 1


def test_sixtieth_pending_sign_in_works_within_limit(browser: Browser, witness: Witness, reader: Any) -> None:
    urls = [callback_of(browser) for _ in range(60)]
    assert len(pending_cookies(browser.client)) == conf.max_pending_sign_ins
    assert django_settings.SESSION_COOKIE_NAME not in browser.client.cookies
    witness.sees_signed_in(browser.open(urls[-1]))
    assert len(pending_cookies(browser.client)) == conf.max_pending_sign_ins


def test_oldest_pending_sign_ins_are_dropped_first(logto: Emulator) -> None:
    # Unlike the test client, a browser sends its cookies in the order in which they were set.
    jar: dict[str, str] = {}
    started = []
    for _ in range(20):
        header = "; ".join(f"{name}={value}" for name, value in jar.items())
        response = Client().get("/sign-in", headers={"Cookie": header})
        for name, morsel in response.cookies.items():
            jar[name] = morsel.value
            if morsel["max-age"] == 0:
                del jar[name]
        started.append(list(jar)[-1])
    assert list(jar) == started[-conf.max_pending_sign_ins :]


@pytest.mark.parametrize(
    "character", ["x", "中", "😀", '"', "%E4"], ids=["ascii", "chinese", "emoji", "quote", "encoded"]
)
def test_pending_cookie_fits_browser_limit_for_any_next(browser: Browser, character: str) -> None:
    # Browsers silently ignore a cookie of more than 4096 bytes; some of them count the attributes.
    for count in (100, 300, 340, 500, 1000, 5000):
        browser.start("/" + character * count)
    assert max(map(len, pending_cookies(browser.client).values())) < 3600


def test_nonce_of_another_sign_in_is_refused(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    other = query_of(browser.start())["nonce"]
    url = callback_of(browser)
    logto.faults.id_token_claims = lambda claims: {**claims, "nonce": other}
    witness.sees_refused(lambda: browser.open(url), "token_invalid", 400)


@pytest.mark.parametrize(
    "iss",
    [
        pytest.param("https://evil.example/oidc", id="wrong"),
        pytest.param("", id="empty"),
        pytest.param(None, id="missing-while-advertised"),
        pytest.param("{issuer}/", id="trailing-slash"),
        pytest.param("{issuer} ", id="trailing-space"),
        pytest.param("{upper}", id="other-case"),
        pytest.param("\x00\x1b[31m\n" * 100, id="control-characters"),
    ],
)
def test_callback_of_another_issuer_is_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, iss: str | None
) -> None:
    if iss is not None:
        iss = iss.replace("{issuer}", logto.issuer).replace("{upper}", logto.issuer.upper())
    url = with_query(callback_of(browser), iss=iss)
    witness.sees_refused(lambda: browser.open(url), "issuer_mismatch", 400)
    assert logto.requests.to("token") == []
    witness.sees_refused(lambda: browser.open(with_query(url, iss=logto.issuer)), "state_used", 400)


def test_missing_issuer_is_accepted_if_not_advertised(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any
) -> None:
    logto.faults.discovery = lambda document: {
        **document,
        "authorization_response_iss_parameter_supported": False,
    }
    url = callback_of(browser)
    witness.sees_refused(lambda: browser.open(with_query(url, iss="https://evil.example/oidc")), "issuer_mismatch", 400)
    witness.sees_signed_in(browser.open(with_query(callback_of(browser), iss=None)))


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        pytest.param("access_denied", "access_denied", 403, id="access_denied"),
        pytest.param("login_required", "login_required", 401, id="login_required"),
        pytest.param("consent_required", "interaction_required", 401, id="consent_required"),
        pytest.param("invalid_request", "authorization_failed", 503, id="invalid_request"),
        pytest.param("invalid_scope", "authorization_failed", 503, id="invalid_scope"),
        pytest.param("invalid_target", "authorization_failed", 503, id="invalid_target"),
        pytest.param("unauthorized_client", "authorization_failed", 503, id="unauthorized_client"),
        pytest.param("server_error", "provider_error", 502, id="server_error"),
        pytest.param("temporarily_unavailable", "provider_error", 502, id="temporarily_unavailable"),
        pytest.param("", "authorization_failed", 400, id="empty"),
        pytest.param("<script>alert(1)</script>", "authorization_failed", 400, id="html"),
        pytest.param("x" * 20_000, "authorization_failed", 400, id="long"),
        pytest.param("a\r\nERROR forged line\x1b[31m", "authorization_failed", 400, id="control-characters"),
    ],
)
def test_error_of_logto_shows_own_text_and_logs_one_line(
    browser: Browser, witness: Witness, error: str, code: str, status: int
) -> None:
    state = query_of(browser.start())["state"]
    description = "<img src=x onerror=alert(1)> \x00\x1b[31m‮ \n forged " + "y" * 20_000
    query = urlencode({"error": error, "error_description": description, "state": state, "iss": conf.issuer})
    response = witness.sees_refused(lambda: browser.open(f"/callback?{query}"), code, status)
    page = response.content.decode()
    assert "onerror" not in page
    assert "alert(1)" not in page
    assert "yyyy" not in page
    assert len(page) < 10_000
    assert len(response.line) < 800
    assert response.line.isprintable()


def test_error_callback_uses_up_its_state(browser: Browser, witness: Witness, reader: Any) -> None:
    url = callback_of(browser)
    query = query_of(url)
    failed = f"/callback?{urlencode({'error': 'access_denied', 'state': query['state'], 'iss': query['iss']})}"
    witness.sees_refused(lambda: browser.open(failed), "access_denied", 403)
    witness.sees_refused(lambda: browser.open(url), "state_used", 400)


def test_error_with_unknown_state_uses_up_nothing(browser: Browser, witness: Witness, reader: Any) -> None:
    url = callback_of(browser)
    witness.sees_refused(lambda: browser.open("/callback?error=access_denied&state=made-up"), "state_unknown", 400)
    witness.sees_refused(lambda: browser.open("/callback?error=access_denied"), "state_unknown", 400)
    witness.sees_refused(lambda: browser.open("/callback"), "sign_in_cancelled", 400)
    witness.sees_signed_in(browser.open(url))


@pytest.mark.parametrize("error", ["access_denied", ""])
def test_error_beside_code_is_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, error: str
) -> None:
    url = with_query(callback_of(browser), ("error", error))
    expected = ("access_denied", 403) if error else ("authorization_failed", 400)
    witness.sees_refused(lambda: browser.open(url), *expected)
    assert logto.requests.to("token") == []


@pytest.mark.parametrize("name", ["code", "state", "iss", "error", "error_description"])
@pytest.mark.parametrize("same", [True, False], ids=["same", "different"])
def test_repeated_parameter_is_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, name: str, same: bool
) -> None:
    for is_first in (True, False):
        url = callback_of(browser)
        value = query_of(url).get(name, "x")
        pairs = [(name, value), (name, value if same else "other")]
        url = with_query(url, *(pairs if is_first else reversed(pairs)), **{name: None})
        witness.sees_refused(lambda url=url: browser.open(url), "callback_invalid", 400)
    assert logto.requests.to("token") == []


@pytest.mark.parametrize("code", [None, "", "x" * 2049, "x" * 50_000], ids=["missing", "empty", "long", "huge"])
def test_callback_without_usable_code_is_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, code: str | None
) -> None:
    url = with_query(callback_of(browser), code=code)
    witness.sees_refused(lambda: browser.open(url), "callback_invalid", 400)
    assert logto.requests.to("token") == []


@pytest.mark.parametrize("code", ["made-up", "../../token", "x" * 43])
def test_unknown_code_is_refused(browser: Browser, witness: Witness, reader: Any, code: str) -> None:
    url = with_query(callback_of(browser), code=code)
    response = witness.sees_refused(lambda: browser.open(url), "code_rejected", 400)
    assert code not in response.content.decode()


@pytest.mark.parametrize("code", ["a b\n\r\x00", "码", "\x7f"])
def test_malformed_code_is_not_sent(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, code: str
) -> None:
    url = with_query(callback_of(browser), code=code)
    witness.sees_refused(lambda: browser.open(url), "callback_invalid", 400)
    assert logto.requests.to("token") == []


def test_query_cannot_change_protocol_parameters(browser: Browser, settings: Any) -> None:
    plain = query_of(browser.start())
    attack = {
        "client_id": "evil",
        "redirect_uri": "https://evil.example/",
        "scope": "openid evil",
        "scopes": "evil",
        "response_type": "token",
        "response_mode": "form_post",
        "state": "evil",
        "nonce": "evil",
        "code_challenge": "evil",
        "code_challenge_method": "plain",
        "resource": "https://evil.example/api",
        "resources": "https://evil.example/api",
        "organization_id": "evil",
        "one_time_token": "evil",
        "request": "evil",
        "request_uri": "https://evil.example/",
        "extra": "evil",
        "id_token_hint": "evil",
        "acr_values": "evil",
    }
    location = browser.client.get("/sign-in", attack)["Location"]
    assert "evil" not in location
    attacked = query_of(location)
    random_values = {"state", "nonce", "code_challenge"}
    assert attacked.keys() == plain.keys()
    assert {name: attacked[name] for name in attacked.keys() - random_values} == {
        name: plain[name] for name in plain.keys() - random_values
    }


@pytest.mark.parametrize(
    "injected",
    ["a&redirect_uri=https://evil.example/", "a#x", "a%26client_id%3Devil", "a b\tc", "login_hint=1&state=evil"],
)
def test_option_value_cannot_add_a_parameter(browser: Browser, injected: str) -> None:
    plain = query_of(browser.start())
    response = browser.client.get("/sign-in", {"login_hint": injected})
    if response.status_code == 302:
        query = query_of(response["Location"])
        assert query.keys() == {*plain, "login_hint"}
        assert query["login_hint"] == injected
        assert query["redirect_uri"] == plain["redirect_uri"]
        assert not urlsplit(response["Location"]).fragment
    else:
        assert response.status_code == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first_screen", "evil"),
        ("identifiers", "email evil"),
        ("direct_sign_in", "evil"),
        ("direct_sign_in", "social:../../x"),
        ("login_hint", "x" * 513),
        ("login_hint", "a\x00b"),
        ("prompt", "none login"),
        ("prompt", "create"),
        ("ui_locales", "<script>"),
        ("ui_locales", "en " * 1000),
    ],
)
def test_invalid_option_is_refused_without_cookie(browser: Browser, witness: Witness, name: str, value: str) -> None:
    witness.sees_refused(lambda: browser.client.get("/sign-in", {name: value}), "invalid_option", 400)
    assert pending_cookies(browser.client) == {}


def test_sign_ins_do_not_change_settings(browser: Browser, settings: Any, reader: Any) -> None:
    settings.LOGTO_SCOPES = ["openid", "profile"]
    settings.LOGTO_RESOURCES = ["https://bookstore.example/api"]
    settings.LOGTO_SIGN_IN_PARAMETERS = {"x": "1"}
    settings.LOGTO_GROUPS_BY_ROLE = {"editor": "Editors"}
    names = [setting.name for setting in conf.all()]
    before = {name: copy.deepcopy(getattr(settings, name, None)) for name in names}
    for options in ({"prompt": "login"}, {"identifiers": "email phone", "first_screen": "register"}, {"x": "2"}):
        browser.client.get("/sign-in", options)
    settings.LOGTO_RESOURCES = before["LOGTO_RESOURCES"] = []
    browser.sign_in("reader")
    assert {name: getattr(settings, name, None) for name in names} == before


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "localhost"}, id="host"),
        pytest.param({"X-Forwarded-Host": "evil.example"}, id="forwarded-host"),
        pytest.param({"X-Forwarded-Proto": "http", "X-Forwarded-Port": "81"}, id="forwarded-proto"),
        pytest.param({"Forwarded": "host=evil.example;proto=http"}, id="forwarded"),
    ],
)
def test_headers_do_not_change_redirect_uri_with_base_url(
    browser: Browser, settings: Any, headers: dict[str, str]
) -> None:
    settings.LOGTO_BASE_URL = "https://shop.example"
    settings.ALLOWED_HOSTS = ["*"]
    settings.USE_X_FORWARDED_HOST = True
    response = browser.client.get("/sign-in", headers=headers)
    assert response["Location"] == "https://shop.example/sign-in?redirected=1"
    response = browser.client.get("/sign-in?redirected=1", headers=headers)
    assert query_of(response["Location"])["redirect_uri"] == "https://shop.example/callback"
    browser.client.cookies.clear()
    response = browser.client.post("/sign-out", headers=headers)
    assert query_of(response["Location"])["post_logout_redirect_uri"] == "https://shop.example/"


def test_host_outside_allowed_hosts_is_refused(browser: Browser, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    for path in ("/sign-in", "/callback?state=x"):
        assert browser.client.get(path, headers={"Host": "evil.example"}).status_code == 400


def test_code_is_redeemed_with_redirect_uri_of_start(
    browser: Browser, witness: Witness, logto: Emulator, settings: Any, reader: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    url = urlsplit(callback_of(browser))
    response = browser.client.get(f"{url.path}?{url.query}", headers={"X-Forwarded-Host": "evil.example"})
    witness.sees_signed_in(response)
    assert logto.requests.to("token")[0].form["redirect_uri"] == ["http://testserver/callback"]


def test_authorization_request_uses_code_flow_with_pkce(browser: Browser) -> None:
    query = parse_qs(urlsplit(browser.start()).query)
    assert query["response_type"] == ["code"]
    assert query["code_challenge_method"] == ["S256"]
    assert "response_mode" not in query
    assert len(query["code_challenge"][0]) == 43


def test_foreign_or_altered_cookies_are_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, settings: Any
) -> None:
    """A pending sign-in is ignored under the name of another state, if altered, or with another `SECRET_KEY`."""
    url = callback_of(browser)
    ((name, value),) = pending_cookies(browser.client).items()
    other = Client()
    other_url = callback_of(Browser(logto, other))
    ((other_name, other_value),) = pending_cookies(other).items()
    for wrong in (other_value, value[:-4] + "AAA=", value.swapcase(), "", "x", "é" * 9, value[: len(value) // 2]):
        browser.client.cookies.clear()
        browser.client.cookies[name] = wrong
        witness.sees_refused(lambda: browser.open(url), "state_unknown", 400)
    random.Random(1).shuffle(wrong_bytes := list(value))
    browser.client.cookies[name] = "".join(wrong_bytes)
    witness.sees_refused(lambda: browser.open(url), "state_unknown", 400)
    settings.SECRET_KEY = "another"
    witness.sees_refused(lambda: Browser(logto, other).open(other_url), "state_unknown", 400)
    assert other_name in other.cookies
