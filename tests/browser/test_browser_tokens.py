"""The script of the how-to page in Chromium: at the site, at an API on another origin, and on a page of an attacker."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from playwright.sync_api import Page, Route, expect

from logto_auth.clients import access_token_verifier
from logto_auth.emulator import Emulator

from .people import choose_account

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.browser.browser_token_urls"),
]

API = "https://books.example/api"
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "authorization"}
# Each tries another way to a token, and shows what it has seen.
ATTACK = """<!doctype html><html lang="en"><body><p id="seen"></p><script>
const seen = [], url = "%(site)s/access-token", body = JSON.stringify({resource: "%(api)s"});
const tries = [
  () => fetch(url, {method: "POST", credentials: "include", headers: {"Content-Type": "application/json"}, body}),
  () => fetch(url, {method: "POST", credentials: "include", body: new URLSearchParams({resource: "%(api)s"})}),
  () => fetch(url, {method: "POST", credentials: "include", mode: "no-cors", body: "resource=%(api)s"}),
];
(async () => {
  for (const attempt of tries) {
    try { const response = await attempt(); seen.push(response.type + (await response.text()).length); }
    catch (error) { seen.push("blocked"); }
  }
  document.getElementById("seen").textContent = seen.join(" ");
})();
</script></body></html>"""


@pytest.fixture
def calls(tab: Page, logto: Emulator, settings: Any) -> list[dict[str, str]]:
    """The headers of the calls to the API, which is on another origin and answers each valid token."""
    settings.LOGTO_SCOPES = ("openid", "offline_access", "profile", "roles", "read:books", "write:books")
    settings.LOGTO_RESOURCES = (API,)
    settings.LOGTO_API_RESOURCE = ""
    settings.LOGTO_BROWSER_TOKENS = {API: ["read:books"]}
    books = ["read:books", "write:books"]
    logto.tenant.add_resource(API, scopes=books, access_token_ttl=600)
    logto.tenant.add_role("librarian", scopes={API: books})
    logto.tenant.users["reader000001"].roles.append("librarian")
    calls: list[dict[str, str]] = []

    def answer(route: Route) -> None:
        if route.request.method == "OPTIONS":
            route.fulfill(headers=CORS)
            return
        calls.append(route.request.headers)
        claims = access_token_verifier().verify_for_resource(token_of(calls[-1]), API)
        route.fulfill(headers=CORS, body=f"Books for {' '.join(sorted(claims.scopes))}")

    tab.context.route(f"{API}/**", answer)
    return calls


def token_of(headers: dict[str, str]) -> str:
    return headers["authorization"].removeprefix("Bearer ")


def test_script_calls_api_on_other_origin(
    tab: Page, site: str, logto: Emulator, calls: list[dict[str, str]], settings: Any
) -> None:
    tab.goto("/")
    tab.get_by_role("button", name="Load books").click()
    # Nobody is signed in yet, so the script has opened the sign-in. It returns to this page.
    choose_account(tab, "reader")
    expect(tab.get_by_text("Hello reader")).to_be_visible()
    tab.wait_for_load_state()
    tab.get_by_role("button", name="Load books").click()
    expect(tab.locator("#books")).to_have_text("Books for read:books")
    logto.requests.clear()
    tab.locator("#books").evaluate("element => element.textContent = ''")
    tab.get_by_role("button", name="Load books").click()
    expect(tab.locator("#books")).to_have_text("Books for read:books")
    assert token_of(calls[0]) == token_of(calls[1])
    assert len(logto.requests) == 0
    assert jwt.decode(token_of(calls[0]), options={"verify_signature": False})["scope"] == "read:books"
    stored = tab.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert token_of(calls[0]) not in stored


def test_page_of_other_origin_gets_no_token(
    tab: Page, site: str, logto: Emulator, calls: list[dict[str, str]], settings: Any
) -> None:
    settings.SESSION_COOKIE_SAMESITE = settings.CSRF_COOKIE_SAMESITE = "Lax"
    settings.CSRF_TRUSTED_ORIGINS = ["http://attacker.localhost"]
    tab.goto("/sign-in")
    choose_account(tab, "reader")
    expect(tab.get_by_text("Hello reader")).to_be_visible()
    attack = ATTACK % {"site": site, "api": API}
    tab.context.route("http://attacker.localhost/", lambda route: route.fulfill(body=attack, content_type="text/html"))
    logto.requests.clear()
    tab.goto("http://attacker.localhost/")
    expect(tab.locator("#seen")).to_have_text("blocked blocked blocked")
    assert len(logto.requests) == 0
    # A form of that page is a navigation, and shows no token either.
    tab.evaluate(
        """([url, resource]) => {
          document.body.insertAdjacentHTML("beforeend", `<form method="post" action="${url}"><input name="resource"
            value="${resource}"></form>`);
          document.forms[0].submit();
        }""",
        [f"{site}/access-token", API],
    )
    tab.wait_for_url(f"{site}/access-token")
    assert "access_token" not in tab.content()
    assert len(logto.requests) == 0
