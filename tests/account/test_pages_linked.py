"""The page for linked accounts, and the way through the browser."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from logto_auth.account.linked import browser_connectors, connector_name, is_web_url
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.emulator.state.social_connectors import FACTORIES, Connector

from .conftest import Reader, step_in, text_of
from .test_pages_identifiers import next_of

pytestmark = pytest.mark.django_db
MOCK = "mocksocial01"
ALIPAY = "alipayweb001"
APP_ONLY = "alipayapp001"


@pytest.fixture(autouse=True)
def connectors(account_site: Emulator) -> None:
    """Alipay for browsers and for apps, and the mock connector of Logto's tests."""
    experience = account_site.tenant.sign_in_experience
    alipay = {"appId": "2021000000000000", "privateKey": "key", "signType": "RSA2"}
    for connector in (
        Connector(FACTORIES["alipay-native"], alipay, id=APP_ONLY),
        Connector(FACTORIES["alipay-web"], alipay, id=ALIPAY),
        Connector(FACTORIES["mock-social-connector"], {"clientId": "a", "clientSecret": "b"}, id=MOCK),
    ):
        experience.connector_instances[connector.id] = connector
    experience.settings["socialSignInConnectorTargets"] = ["alipay", "mock-social"]


def provider_url(response: Any) -> str:
    """Return the URL that the page after the button leads to."""
    assert response.status_code == 200, text_of(response)
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', response.content.decode())
    assert found
    return html.unescape(found[1])


def start(reader: Reader, action: str = "link", connector: str = MOCK) -> str:
    """Press the button, and return the state."""
    url = provider_url(reader.post(f"linked/{connector}", action))
    return parse_qs(urlsplit(url).query)["state"][0]


def come_back(reader: Reader, state: str, connector: str = MOCK, **answer: str) -> Any:
    """Open the callback with the answer of the provider."""
    answer = {"state": state, "code": "c", "userId": "soc-1", "name": "Soc", **answer}
    return reader.get(f"linked/{connector}/callback", **answer)


def test_page_lists_providers_and_linked_accounts(reader: Reader) -> None:
    reader.user.identities["github"] = {"userId": "42", "details": {"name": "Octo"}}
    page = text_of(reader.get("linked"))
    assert "Alipay Not linked Link Alipay" in page
    assert "Mock Social Not linked Link Mock Social" in page
    # No connector for browsers: it can only be unlinked.
    assert "github Octo 42 Unlink github" in page
    assert "Replace github" not in page


@pytest.mark.parametrize("path", ["", "username", "email", "phone", "password", "linked"])
def test_page_makes_at_most_two_calls(reader: Reader, path: str) -> None:
    reader.verify()
    counts = []
    for _visit in range(3):
        before = len(reader.logto.requests)
        assert reader.get(path).status_code == 200
        counts.append(len(reader.logto.requests) - before)
    assert max(counts) == 2
    assert counts[-1] == 1


@pytest.mark.parametrize(("path", "field"), [("linked", "social"), ("password", "password")])
def test_page_that_is_off_with_an_empty_cache(reader: Reader, path: str, field: str) -> None:
    reader.logto.tenant.enable_account_center(**{field: "Off"})
    reader.verify()
    for _visit in range(3):
        assert reader.get(path).status_code == 403


def test_account_is_linked_through_the_browser(reader: Reader) -> None:
    assert next_of(reader.post(f"linked/{MOCK}", "link")) == "/account/linked"
    reader.verify()
    response = reader.post(f"linked/{MOCK}", "link")
    url = provider_url(response)
    assert url.startswith("http://mock-social/?")
    query = parse_qs(urlsplit(url).query)
    assert query["redirect_uri"] == [f"http://testserver/account/linked/{MOCK}/callback"]
    cookie = response.cookies["logto_link"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert query["state"][0] not in cookie.value
    response = come_back(reader, query["state"][0])
    assert response.status_code == 302
    assert response["Location"] == "/account/linked"
    assert reader.user.identities["mock-social"]["userId"] == "soc-1"
    page = text_of(reader.get("linked"))
    assert "The account has been linked." in page
    assert "Mock Social Soc soc-1 Replace Mock Social Unlink Mock Social" in page


def test_alipay_is_linked_with_its_auth_code(reader: Reader) -> None:
    reader.verify()
    state = start(reader, connector=ALIPAY)
    account = reader.logto.tenant.add_alipay_account("2088000000000001", nick_name="小明")
    reader.logto.instances.alipay_auth_codes["auth-code"] = account
    answer = {"state": state, "auth_code": "auth-code", "app_id": "2021000000000000", "source": "alipay_wallet"}
    assert reader.get(f"linked/{ALIPAY}/callback", **answer)["Location"] == "/account/linked"
    page = text_of(reader.get("linked"))
    assert "Alipay 小明 2088000000000001 Replace Alipay" in page


def test_linked_account_is_replaced(reader: Reader) -> None:
    reader.user.identities["mock-social"] = {"userId": "old", "details": {}}
    reader.verify()
    come_back(reader, start(reader, "replace"))
    assert reader.user.identities["mock-social"]["userId"] == "soc-1"


def test_account_is_unlinked(reader: Reader) -> None:
    reader.user.identities["mock-social"] = {"userId": "old", "details": {}}
    next_of(reader.post("linked", "unlink", target="mock-social"))
    reader.verify()
    reader.post("linked", "unlink", target="mock-social")
    assert reader.user.identities == {}
    assert "The linked account has been removed." in text_of(reader.get("linked"))


def test_unknown_target_is_not_unlinked(reader: Reader) -> None:
    reader.verify()
    for target in ("", "nothing", "../password", "a/b"):
        response = reader.post("linked", "unlink", target=target)
        assert response["Location"] == "/account/linked"
        assert "This account is no longer linked." in text_of(reader.get("linked"))


# Attacks


def test_callback_of_other_browser_links_nothing(reader_of: Any) -> None:
    attacker, victim = reader_of("attacker"), reader_of("victim")
    attacker.verify()
    victim.verify()
    state = start(attacker)
    start(victim)
    # The attacker gives the victim the URL that links the attacker's account.
    response = come_back(victim, state, userId="account-of-attacker")
    assert response["Location"] == "/account/linked"
    assert victim.user.identities == {}
    assert "This link was not started in this browser" in text_of(victim.get("linked"))


def test_cookie_of_other_session_links_nothing(reader_of: Any) -> None:
    attacker, victim = reader_of("attacker"), reader_of("victim")
    attacker.verify()
    victim.verify()
    state = start(attacker)
    victim.client.cookies["logto_link"] = attacker.client.cookies["logto_link"].value
    come_back(victim, state, userId="account-of-attacker")
    assert victim.user.identities == {}


def test_callback_without_cookie_links_nothing(reader: Reader) -> None:
    reader.verify()
    state = start(reader)
    del reader.client.cookies["logto_link"]
    come_back(reader, state)
    assert reader.user.identities == {}


def test_callback_of_other_connector_links_nothing(reader: Reader) -> None:
    reader.verify()
    state = start(reader)
    come_back(reader, state, ALIPAY, auth_code="x")
    assert reader.user.identities == {}


def test_callback_works_once(reader: Reader) -> None:
    reader.verify()
    state = start(reader)
    come_back(reader, state)
    reader.user.identities.clear()
    come_back(reader, state)
    assert reader.user.identities == {}


def test_callback_is_not_prefetched(reader: Reader) -> None:
    reader.verify()
    query = {"state": start(reader), "code": "c", "userId": "soc-1"}
    response = reader.client.get(f"/account/linked/{MOCK}/callback", query, headers={"Sec-Purpose": "prefetch"})
    assert response.status_code == 403
    assert reader.user.identities == {}
    assert reader.client.head(f"/account/linked/{MOCK}/callback", query).status_code == 405
    assert reader.client.post(f"/account/linked/{MOCK}/callback", query).status_code == 405


def test_signed_out_callback_leads_to_the_page(reader: Reader) -> None:
    response = Client().get(f"/account/linked/{MOCK}/callback", {"state": "s", "code": "THECODE"})
    assert response.status_code == 302
    assert "THECODE" not in response["Location"]


def test_identity_of_other_user_is_not_linked(reader: Reader) -> None:
    reader.logto.tenant.add_user(username="other", identities={"mock-social": {"userId": "soc-1", "details": {}}})
    reader.verify()
    come_back(reader, start(reader))
    assert reader.user.identities == {}
    assert "This account is already linked to another user." in text_of(reader.get("linked"))


@pytest.mark.parametrize("answer", [{"error": "access_denied"}, {"code": ""}])
def test_provider_that_says_no_links_nothing(reader: Reader, answer: dict[str, str]) -> None:
    reader.verify()
    state = start(reader)
    values = {"state": state, **answer}
    if not values.get("code"):
        values.pop("code", None)
    reader.get(f"linked/{MOCK}/callback", **values)
    assert reader.user.identities == {}
    assert "because the other service did not confirm it" in text_of(reader.get("linked"))


def test_record_that_expires_at_the_provider_keeps_the_proof(reader: Reader) -> None:
    reader.verify()
    state = start(reader)
    reader.forget_verification()
    url = next_of(come_back(reader, state))
    assert reader.user.identities == {}
    assert url != "c"
    reader.verify()
    page = reader.client.get(url)
    assert "The other service has confirmed your account." in text_of(page)
    assert reader.post("linked", "finish", step=step_in(page))["Location"] == "/account/linked"
    assert reader.user.identities["mock-social"]["userId"] == "soc-1"


def test_last_step_needs_the_provider(reader: Reader) -> None:
    reader.verify()
    start(reader)
    reader.post("linked", "finish", step=reader.client.cookies["logto_link"].value)
    assert reader.user.identities == {}


def test_connector_for_apps_is_not_started(reader: Reader) -> None:
    reader.verify()
    response = reader.post(f"linked/{APP_ONLY}", "link")
    assert response["Location"] == "/account/linked"
    assert "This service can only be linked in its app." in text_of(reader.get("linked"))


def test_unknown_connector_is_explained(reader: Reader) -> None:
    reader.verify()
    assert reader.post("linked/unknown", "link").status_code == 302
    assert "This service is no longer available." in text_of(reader.get("linked"))
    assert reader.get("linked/unknown")["Location"] == "/account/linked"


def test_logto_that_is_down_at_the_callback(reader: Reader) -> None:
    reader.verify()
    state = start(reader)
    reader.logto.faults.http["account_api"] = HttpFault(drop=True)
    assert come_back(reader, state)["Location"] == "/account/linked"
    del reader.logto.faults.http["account_api"]
    assert "Logto does not respond." in text_of(reader.get("linked"))


def test_read_only_page_has_no_buttons(reader: Reader) -> None:
    reader.logto.tenant.enable_account_center(social="ReadOnly")
    reader.get("")
    assert "<form" not in reader.get("linked").content.decode()


def test_buttons_of_read_only_page_do_nothing(reader: Reader) -> None:
    reader.logto.tenant.enable_account_center(social="ReadOnly")
    reader.verify()
    come_back(reader, start(reader))
    assert reader.user.identities == {}
    assert "This can no longer be changed here." in text_of(reader.get("linked"))


def test_names_of_provider_are_escaped(reader: Reader) -> None:
    markup = "<script>alert(1)</script>"
    reader.user.identities[markup] = {"userId": markup, "details": {"name": markup}}
    assert "<script>" not in reader.get("linked").content.decode()


def test_connector_for_browsers_is_preferred(settings: Any) -> None:
    def connector(id: str, platform: str | None) -> Any:
        return {"id": id, "target": "alipay", "name": {}, "logo": "", "platform": platform}

    assert browser_connectors([connector("a", "Native")]) == {}
    chosen = browser_connectors([connector("a", "Universal"), connector("b", "Native"), connector("c", "Web")])
    assert [each["id"] for each in chosen.values()] == ["c"]
    assert connector_name(connector("a", "Web")) == "alipay"


def test_name_of_provider_in_the_active_language() -> None:
    from django.utils.translation import override

    connector: Any = {"id": "a", "target": "alipay", "name": {"en": "Alipay", "zh-CN": "支付宝"}, "logo": ""}
    assert connector_name(connector) == "Alipay"
    for language, name in (("zh-hans", "支付宝"), ("ja", "Alipay")):
        with override(language):
            assert connector_name(connector) == name


@pytest.mark.parametrize(
    ("uri", "is_page"),
    [
        ("https://a.example/x", True),
        ("HTTP://a", True),
        ("alipay://x", False),
        ("javascript:1", False),
        ("http://[", False),
    ],
)
def test_only_pages_of_the_web_are_opened(uri: str, is_page: bool) -> None:
    assert is_web_url(uri) is is_page
