"""Staff of the shop act as a reader: the link at an order, and the banner of the shop's pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from bookstore.orders.models import Order
from logto_auth.emulator import Emulator
from logto_auth.testing import Browser

BANNER = 'data-logto-banner="'


@pytest.fixture
def shop(logto: Emulator, tenant: Any, settings: Any) -> None:
    settings.HAS_SUPPORT_ACCESS = True
    tenant.applications[settings.LOGTO_APP_ID].allow_token_exchange = True
    Browser(logto).sign_in("customer")


@pytest.fixture
def order(shop: None) -> Order:
    return Order.objects.create(user=User.objects.get(username="customer"))


def test_admin_sees_the_shop_as_the_reader_of_an_order(browser: Browser, order: Order) -> None:
    browser.sign_in("admin")
    page = browser.client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    path = f"/support-access/users/{order.user_id}"
    assert f'href="{path}?next=%2Forders%2F{order.pk}%2F"' in page
    data = {"action": "start", "reason": "Not arrived", "seconds": "900", "next": order.get_absolute_url()}
    assert browser.client.post(path, data)["Location"] == order.get_absolute_url()
    page = browser.client.get("/").content.decode()
    assert page.count(BANNER) == 1
    assert page.index("<body>") < page.index(BANNER) < page.index("skip-link")


def test_order_without_reader_has_no_link(browser: Browser, order: Order) -> None:
    browser.sign_in("admin")
    Order.objects.update(user=None)
    assert "support-access" not in browser.client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()


def test_order_of_staff_has_no_link(browser: Browser, order: Order) -> None:
    browser.sign_in("admin")
    Order.objects.update(user=User.objects.get(username="admin"))
    assert "support-access" not in browser.client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
