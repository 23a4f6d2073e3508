"""The whole way of the phone's app: Alipay's app, tokens of a public client, an order over the API."""

from __future__ import annotations

import base64
import hashlib
import secrets
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from bookstore.orders.models import Order
from logto_auth.emulator import NativeVisitor

from .programs import API, APP_CALLBACK, APP_ID, Program


def token_request(logto, **form: str) -> dict[str, str]:
    """What Logto answers to a client that has no secret."""
    response = requests.post(f"{logto.issuer}/token", data={"client_id": APP_ID, **form}, timeout=10)
    assert response.status_code == 200, response.text
    return response.json()


def test_app_order_is_visible_in_the_browser(logto, tenant, browser, emma):
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    authorization_url = f"{logto.issuer}/auth?" + urlencode(
        {
            "client_id": APP_ID,
            "redirect_uri": APP_CALLBACK,
            "response_type": "code",
            "scope": "openid offline_access profile read:books",
            "resource": API,
            "prompt": "consent",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "direct_sign_in": "social:alipay",
        }
    )
    with NativeVisitor(logto) as phone:
        callback = phone.sign_in_with_alipay(authorization_url, "2088000000000001", nick_name="Alipay Reader")
    assert callback.startswith(f"{APP_CALLBACK}?")
    answer = parse_qs(urlsplit(callback).query)
    assert answer["state"] == [state]

    tokens = token_request(
        logto,
        grant_type="authorization_code",
        code=answer["code"][0],
        redirect_uri=APP_CALLBACK,
        code_verifier=verifier,
    )
    for_the_api = token_request(logto, grant_type="refresh_token", refresh_token=tokens["refresh_token"], resource=API)
    app = Program(for_the_api["access_token"])
    assert [book["slug"] for book in app.get("/api/books/", {"q": "emma"}).json()["results"]] == [emma.slug]
    placed = app.post("/api/orders/", {"lines": [{"book": emma.slug, "quantity": 2}], "agreed_cents": 2500})
    assert placed.status_code == 201, placed.json()

    # The same person in a browser, where Logto shows the other connector of Alipay.
    browser.open(browser.logto.sign_in_with_alipay(browser.start(), "2088000000000001", nick_name="Alipay Reader"))
    response = browser.client.get("/orders/")
    assert [order.pk for order in response.context["orders"]] == [placed.json()["id"]]
    assert "$25.00" in response.text
    assert "Alipay Reader" in response.text
    assert Order.objects.get().user.first_name == "Alipay Reader"
