"""Random URLs, cookies and headers never give a 500 or a session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes, urlencode, urlsplit

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logto_auth.conf import conf
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.sign_in.state import COOKIE_PREFIX
from logto_auth.testing import Browser
from tests.support import pending_cookies, query_of, signed_in_user_key

pytestmark = pytest.mark.django_db

bounded = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    # The database and the emulator are shared by the examples, which write nothing.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

# All of Unicode without lone surrogates, which a URL cannot hold; unusual characters more often.
any_text = st.text(max_size=200) | st.sampled_from(
    [
        "\x00",
        "\r\n",
        "\u2028",
        "\ufeff",
        "😀" * 50,
        "%",
        "%00",
        "%ff",
        "&",
        "=",
        ";",
        "\\",
        "//evil.example",
        "x" * 20_000,
    ]
)
callback_names = st.sampled_from(["code", "state", "iss", "error", "error_description", "next", "id_token"])
sign_in_names = st.sampled_from([*conf.sign_in_query_parameters, "next", "state", "client_id", "resource", "extra"])


def queries(names: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return query strings of known and unknown parameters, some repeated, and of random bytes."""
    pairs = st.lists(st.tuples(names | any_text, any_text), max_size=8).map(urlencode)
    garbage = st.binary(max_size=100).map(quote_from_bytes) | st.binary(max_size=100).map(
        lambda raw: raw.decode("latin-1")
    )
    return pairs | garbage | st.tuples(pairs, garbage).map("&".join)


def get(client: Client, path: str, query: str, **environ: str) -> Any:
    return client.get(path, QUERY_STRING=query, **environ)


@pytest.fixture
def waiting(browser: Browser, logto: Emulator, reader: Any) -> Iterator[Browser]:
    """A browser with a pending sign-in, which none of these requests may finish."""
    browser.start()
    yield browser
    assert LogtoSession.objects.count() == 0
    assert signed_in_user_key(browser.client) is None


@bounded
@given(query=queries(callback_names))
def test_callback_survives_any_query(waiting: Browser, query: str) -> None:
    assert get(waiting.client, "/callback", query).status_code in (400, 401, 403, 502)


@bounded
@given(
    pairs=st.lists(st.tuples(callback_names.filter(lambda name: name not in ("state", "iss")), any_text), max_size=6)
)
def test_callback_with_pending_state_survives_any_query(waiting: Browser, pairs: list[tuple[str, str]]) -> None:
    state = query_of(waiting.start())["state"]
    response = get(waiting.client, "/callback", urlencode([("state", state), ("iss", conf.issuer), *pairs]))
    assert response.status_code in (400, 401, 403, 502)


@bounded
@given(query=queries(sign_in_names))
def test_sign_in_survives_any_query(waiting: Browser, logto: Emulator, query: str) -> None:
    response = get(waiting.client, "/sign-in", query)
    assert response.status_code in (302, 400)
    if response.status_code == 302:
        assert urlsplit(response["Location"]).netloc == urlsplit(logto.endpoint).netloc
        assert query_of(response["Location"])["redirect_uri"] == "http://testserver/callback"


@bounded
@given(
    query=queries(st.sampled_from(["next", "redirect", "state"])),
    fields=st.dictionaries(any_text, any_text, max_size=4),
)
def test_sign_out_survives_any_query_and_form(waiting: Browser, query: str, fields: dict[str, str]) -> None:
    response = waiting.client.post("/sign-out", fields, QUERY_STRING=query)
    assert response.status_code == 302
    assert "evil.example" not in response["Location"]


@bounded
@given(
    body=st.binary(max_size=300), content_type=st.sampled_from(["application/json", "text/xml", "multipart/form-data"])
)
def test_sign_out_survives_any_body(waiting: Browser, body: bytes, content_type: str) -> None:
    assert waiting.client.post("/sign-out", body, content_type=content_type).status_code in (302, 400)


@settings(bounded, max_examples=30)
@given(value=any_text, is_prefixed=st.booleans(), name=st.text("abcdef0123456789_", max_size=20))
def test_views_survive_any_pending_cookie(
    waiting: Browser, logto: Emulator, value: str, is_prefixed: bool, name: str
) -> None:
    client = Client()
    Browser(logto, client).start()
    ((known, _),) = pending_cookies(client).items()
    client.cookies.clear()
    # A WSGI server passes headers on as latin-1 (PEP 3333).
    value = value.encode().decode("latin-1")
    client.cookies[known] = value
    client.cookies[COOKIE_PREFIX + name if is_prefixed else f"x{name}"] = value
    state = "unknown-state"
    for path in ("/callback", f"/callback?state={state}&code=x", "/sign-in", "/account/claims"):
        assert client.get(path).status_code in (302, 400)
    assert client.post("/sign-out").status_code == 302


@bounded
@given(header=st.binary(max_size=200) | st.binary(max_size=60).map(lambda raw: COOKIE_PREFIX.encode() + b"=" + raw))
def test_views_survive_any_cookie_header(waiting: Browser, header: bytes) -> None:
    client = Client()
    for path in ("/callback?state=x&code=x", "/sign-in"):
        assert client.get(path, HTTP_COOKIE=header.decode("latin-1")).status_code in (302, 400)


@bounded
@given(place=st.integers(0, 4000), characters=st.permutations("ABCDwxyz019-_=. "))
def test_altered_pending_cookie_is_refused(waiting: Browser, place: int, characters: list[str]) -> None:
    state = query_of(waiting.start())["state"]
    name, value = list(pending_cookies(waiting.client).items())[-1]
    # The length of the cookie varies.
    position = place % (len(value) - 1)
    character = next(new for new in characters if new != value[position])
    client = Client()
    client.cookies[name] = value[:position] + character + value[position + 1 :]
    response = client.get("/callback", {"state": state, "code": "x", "iss": conf.issuer})
    assert response.status_code == 400


@bounded
@given(
    name=st.sampled_from(
        ["Sec-Fetch-Mode", "Sec-Fetch-Dest", "Accept", "Accept-Language", "Referer", "HX-Request", "HX-Current-URL"]
    ),
    value=st.text(st.characters(max_codepoint=255), max_size=100) | st.sampled_from(["http://testserver/\\", "//["]),
)
def test_views_survive_any_header(waiting: Browser, name: str, value: str) -> None:
    for headers in ({name: value}, {"HX-Request": "true", name: value}):
        for path in ("/sign-in", "/callback", "/account/claims"):
            assert waiting.client.get(path, headers=headers).status_code in (302, 400, 401, 403)


@pytest.mark.parametrize("path", ["/sign-in", "/callback"])
@pytest.mark.parametrize(
    "query",
    [
        pytest.param("&".join(f"p{number}=1" for number in range(5000)), id="5000-parameters"),
        pytest.param("&".join(["state=x"] * 900), id="900-times-the-same"),
        pytest.param("state=" + "x" * 3_000_000, id="3-MB"),
        pytest.param("x" * 3_000_000 + "=1", id="3-MB-name"),
        pytest.param("prompt=" + "login " * 100_000, id="100000-words"),
        pytest.param("identifiers=" + "email " * 100_000, id="100000-identifiers"),
        pytest.param("ui_locales=" + "a-" * 100_000, id="a-long-tag"),
        pytest.param("direct_sign_in=social:" + "a" * 1_000_000, id="a-long-target"),
        pytest.param("next=/" + "%2f" * 300_000, id="a-long-next"),
    ],
)
def test_huge_query_is_answered_quickly(waiting: Browser, path: str, query: str) -> None:
    response = get(waiting.client, path, query)
    assert response.status_code in (302, 400)
    # Proxies and Logto refuse a longer URL.
    assert len(response.headers.get("Location", "")) < 8000
