"""django-tenants: each organization has a schema, and only its members get to it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django_tenants.utils import schema_context, schema_exists

from logto_auth.emulator import Emulator
from logto_auth.models import OrganizationMembership
from logto_auth.testing import Browser
from logto_auth.testing.site import register_site
from tests.docs.pages import the_block
from tests.emulator.management_api_client import ROLE
from tests.profiles.site.visitors import SiteClient, access_token, deliver, new_browser, rows
from tests.rights import HARBOUR, HILL
from tests.webhooks.deliveries import event

GUIDE = "docs/how-to/tenants.md"
SITE = "shop.example"


def host(organization_id: str) -> str:
    return f"{organization_id}.{SITE}"


def schema(organization_id: str) -> str:
    return f"org_{organization_id}"


@pytest.fixture(autouse=True)
def tenants(logto: Emulator) -> None:
    """The site itself and the tenants of both branches, each with one shelf."""
    from customers.creation import create_tenant
    from customers.models import Domain, Tenant
    from stock.models import Shelf

    # The thread keeps the schema of the request before.
    connection.set_schema_to_public()
    register_site(logto, f"http://{SITE}", f"http://*.{SITE}")
    Domain.objects.create(domain=SITE, tenant=Tenant.objects.create(schema_name="public", name="The site"))
    for organization_id, name in ((HARBOUR, "Harbour"), (HILL, "Hill")):
        create_tenant(organization_id, name)
        with schema_context(schema(organization_id)):
            Shelf.objects.create(label=f"{name} shelf")


def at(logto: Emulator, organization_id: str, username: str) -> Browser:
    """Return a browser in which this user has signed in at the host of an organization."""
    browser = new_browser(logto, HTTP_HOST=host(organization_id))
    assert browser.sign_in(username).status_code == 302
    return browser


def visit(browser: Browser, organization_id: str, path: str = "/shelves/") -> Any:
    return browser.client.get(path, HTTP_HOST=host(organization_id))


def call(token: str, organization_id: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return SiteClient(HTTP_HOST=host(organization_id)).get("/api/stock/", headers=headers)


def organization_token(logto: Emulator, organization_id: str) -> str:
    audience = f"urn:logto:organization:{organization_id}"
    return access_token(logto, "reader000001", audience=audience, scope="")


def test_visitor_signs_in_and_comes_back_to_same_host(logto: Emulator) -> None:
    browser = new_browser(logto, HTTP_HOST=host(HARBOUR))
    location = "/shelves/"
    while location.startswith("/"):
        location = browser.open(location)["Location"]
    back = browser.open(browser.logto.sign_in(location, "reader"))["Location"]
    assert back == "/shelves/"
    assert browser.open(back).json() == {"shelves": ["Harbour shelf"]}


def test_member_sees_rows_of_each_own_tenant(logto: Emulator) -> None:
    for organization_id, label in ((HARBOUR, "Harbour shelf"), (HILL, "Hill shelf")):
        assert visit(at(logto, organization_id, "editor"), organization_id).json() == {"shelves": [label]}


@pytest.mark.parametrize("username", ["reader", "customer", "admin"])
def test_user_of_other_organization_is_refused(logto: Emulator, username: str) -> None:
    response = visit(at(logto, HILL, username), HILL)
    assert response.status_code == 403
    assert "Hill shelf" not in response.content.decode()


def test_session_of_member_is_refused_at_other_host(logto: Emulator) -> None:
    """As if a browser sent the cookie of one host to another."""
    browser = at(logto, HARBOUR, "reader")
    assert visit(browser, HARBOUR).status_code == 200
    assert visit(browser, HILL).status_code == 403
    assert visit(browser, HARBOUR).json() == {"shelves": ["Harbour shelf"]}


def test_switcher_does_not_open_other_tenant(logto: Emulator) -> None:
    browser = at(logto, HILL, "reader")
    browser.client.post("/organization", {"organization": HARBOUR}, HTTP_HOST=host(HILL))
    assert visit(browser, HILL).status_code == 403


def test_every_view_of_tenant_requires_membership(logto: Emulator) -> None:
    browser = at(logto, HILL, "reader")
    for path in ("/", f"/branches/{HARBOUR}/", "/members/", "/admin/"):
        assert visit(browser, HILL, path).status_code == 403, path


def test_tenant_without_organization_admits_no_user(logto: Emulator) -> None:
    from customers.models import Tenant

    Tenant.objects.filter(organization_id=HARBOUR).update(organization_id=None)
    assert visit(at(logto, HARBOUR, "reader"), HARBOUR).status_code == 403


def test_former_member_is_refused_after_refresh(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_FRESHNESS_SECONDS = 0
    browser = at(logto, HARBOUR, "reader")
    assert visit(browser, HARBOUR).status_code == 200
    logto.tenant.remove_member(HARBOUR, "reader000001")
    assert visit(browser, HARBOUR).status_code == 403


def test_token_counts_at_host_of_its_organization_only(logto: Emulator) -> None:
    token = organization_token(logto, HARBOUR)
    assert call(token, HARBOUR).json() == {"shelves": ["Harbour shelf"]}
    refused = call(token, HILL)
    assert refused.status_code == 403
    assert b"shelf" not in refused.content
    assert call(access_token(logto, "reader000001"), HARBOUR).status_code == 401
    assert SiteClient(HTTP_HOST=host(HARBOUR)).get("/api/stock/").status_code == 401


def test_unknown_host_has_no_tables_of_tenants(logto: Emulator, settings: Any) -> None:
    settings.SHOW_PUBLIC_IF_NO_TENANT_FOUND = False
    assert SiteClient(HTTP_HOST=host("other")).get("/shelves/").status_code == 404
    assert SiteClient(HTTP_HOST=SITE).get("/shelves/").status_code == 404


def test_site_leads_users_to_their_hosts(logto: Emulator) -> None:
    for username, hosts in (("editor", [host(HARBOUR), host(HILL)]), ("customer", [])):
        browser = new_browser(logto, HTTP_HOST=SITE)
        browser.sign_in(username)
        assert browser.open("/organizations/").json() == {"hosts": hosts}


def test_user_has_one_account_for_all_hosts(logto: Emulator) -> None:
    for organization_id in (HARBOUR, HILL):
        at(logto, organization_id, "editor")
    assert rows(OrganizationMembership).count() == 2
    assert rows(OrganizationMembership).values("identity__user").distinct().count() == 1


def test_webhook_creates_tenant_once(logto: Emulator) -> None:
    from customers.models import Tenant

    created = event("Organization.Created", data={"id": "lakebranch01", "name": "Lake"})
    assert (deliver(created), deliver(created)) == (204, 204)
    assert Tenant.objects.get(organization_id="lakebranch01").name == "Lake"
    assert schema_exists("org_lakebranch01")
    bad = event("Organization.Created", data={"id": 'x"; DROP SCHEMA public', "name": "Bad"})
    assert deliver(bad) == 204
    assert Tenant.objects.count() == 4


def test_missing_tenants_are_created(logto: Emulator, settings: Any) -> None:
    from customers.models import Tenant

    logto.tenant.add_organization("Lake", id="lakebranch01")
    machine = logto.tenant.add_application(name="Commands", type="MachineToMachine", roles=[ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    the_block(GUIDE, "package missing tenants").run()
    assert set(Tenant.objects.values_list("organization_id", flat=True)) == {None, HARBOUR, HILL, "lakebranch01"}


def test_job_sees_its_schema_and_fails_without_one(logto: Emulator) -> None:
    from stock.jobs import count_shelves
    from stock.models import Shelf

    with schema_context(schema(HILL)):
        Shelf.objects.create(label="Second shelf")
    assert (count_shelves(schema(HARBOUR)), count_shelves(schema(HILL))) == (1, 2)
    assert connection.schema_name == "public"
    with pytest.raises(ProgrammingError), transaction.atomic():
        Shelf.objects.count()


def test_tables_of_users_are_shared() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", [schema(HARBOUR)])
        names = {name for (name,) in cursor.fetchall()}
    assert names == {"stock_shelf", "django_migrations"}
