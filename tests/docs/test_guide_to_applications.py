"""What the guide to applications says about its views."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import path

from logto_auth.emulator import Emulator

from .callers import access_token, bearer

WHICH_APPLICATION = "docs/how-to/which-application.md"
API = "https://shop.example/api"
AGENT = "https://agent.example/client.json"

urlpatterns: list[Any] = []


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_views_accept_the_documented_applications(
    modules: Any, apply_settings: Any, logto: Emulator, settings: Any
) -> None:
    settings.LOGTO_API_RESOURCE = API
    settings.LOGTO_API_CREATE_USERS = True
    apply_settings(WHICH_APPLICATION, "LOGTO_FIRST_PARTY_APPS")
    payouts = modules(WHICH_APPLICATION, "shop.api").Payouts
    stock = modules(WHICH_APPLICATION, "shop.partners").stock
    urlpatterns[:] = [path("payouts", payouts.as_view()), path("stock", stock)]

    def status(method: str, place: str, client_id: str, scope: str) -> int:
        token = access_token(logto, aud=API, client_id=client_id, scope=scope)
        return Client().generic(method, place, headers=bearer(token)).status_code

    for client_id, of_payouts, of_stock in (
        ("mobileapp000000000001", 200, 403),
        (settings.LOGTO_APP_ID, 200, 403),
        ("partnerapp00000000001", 403, 200),
        (AGENT, 403, 200),
        (f"{AGENT}?", 403, 403),
    ):
        assert status("POST", "/payouts", client_id, "write:payouts") == of_payouts, client_id
        assert status("GET", "/stock", client_id, "read:stock") == of_stock, client_id
    assert status("POST", "/payouts", "mobileapp000000000001", "read:stock") == 403
