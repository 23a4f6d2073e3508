"""What the guide to the console of organizations says about its example."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache

from logto_auth.clients import management_api
from logto_auth.emulator import Emulator
from logto_auth.tenant import apply_plan, make_plan
from logto_auth.testing import Browser

CONSOLE = "docs/how-to/organization-console.md"


@pytest.fixture
def customers(fresh: Emulator, apply_settings: Any, modules: Any, settings: Any) -> Emulator:
    """Return the tenant that the declaration of the guide has set up, with some users."""
    cache.clear()
    declaration = modules(CONSOLE, "shop.tenant").TENANT
    apply_plan(make_plan(management_api(), declaration))
    application = fresh.tenant.add_application(name="Shop", redirect_uris=["http://testserver/callback"])
    settings.LOGTO_APP_ID, settings.LOGTO_APP_SECRET = application.id, application.secret
    for name in ("organizations", "LOGTO_TENANT", "LOGTO_INVITATION_SENDER"):
        apply_settings(CONSOLE, name)
    settings.ROOT_URLCONF = "shop.urls"
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    for username in ("ada", "bob", "eve", "max"):
        fresh.tenant.add_user(username=username, id=username, primary_email=f"{username}@harbour.example")
    return fresh


def signed_in(logto: Emulator, username: str) -> Browser:
    browser = Browser(logto)
    browser.sign_in(username)
    return browser


@pytest.mark.django_db
def test_console_of_the_guide(customers: Emulator) -> None:
    ada, bob = signed_in(customers, "ada"), signed_in(customers, "bob")
    key = ada.open("/organizations/new").context["form"]["key"].value()
    created = ada.client.post("/organizations/new", {"name": "Harbour", "key": key, "action": "create"})
    organization_id = next(iter(customers.tenant.organizations))
    home = f"/organizations/{organization_id}/"
    assert created.url == home

    form = {"email": "bob@harbour.example", "roles": ["staff"], "action": "invite"}
    assert ada.client.post(f"{home}invitations", form).status_code == 302
    [message] = mail.outbox
    assert (message.from_email, message.to) == ("Shop <invitations@shop.example>", ["bob@harbour.example"])
    (link,) = re.findall(r"http://testserver(/organizations/invitation/\S+)", message.body)
    assert bob.client.post(link).url == home

    customers.tenant.add_member(organization_id, "max", roles=["manager"])
    users = {"owner": ada, "manager": signed_in(customers, "max"), "staff": bob, "nobody": signed_in(customers, "eve")}
    assert {
        page: [browser.open(f"{home}{page}").status_code for browser in users.values()]
        for page in ("members", "invitations", "joining", "delete", "leave")
    } == {
        "members": [200, 200, 200, 404],
        "invitations": [200, 200, 403, 404],
        "joining": [200, 403, 403, 404],
        "delete": [200, 403, 403, 404],
        "leave": [200, 200, 200, 404],
    }


@pytest.mark.django_db
def test_own_view_and_domain_check_of_the_guide(
    customers: Emulator, apply_settings: Any, modules: Any, settings: Any
) -> None:
    colleagues = modules(CONSOLE, "shop.views").colleagues
    customers.tenant.add_organization("Harbour", id="harbourbr001")
    customers.tenant.add_member("harbourbr001", "ada", roles=["owner"])
    request = signed_in(customers, "ada").open("/organizations/").wsgi_request
    assert colleagues(request, "harbourbr001").content == b"ada"
    assert colleagues(request, "hillbranch01").status_code == 404
    apply_settings(CONSOLE, "LOGTO_ORGANIZATION_DOMAIN_CHECK")
    ada = signed_in(customers, "ada").client
    for domain in ("harbour-branch.example", "hill.example"):
        ada.post("/organizations/harbourbr001/joining", {"domain": domain, "action": "add-domain"})
    assert customers.tenant.organizations["harbourbr001"].jit_email_domains == ["harbour-branch.example"]
