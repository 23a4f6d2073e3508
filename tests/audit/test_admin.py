"""The audit trail in the admin: staff with the permission can read it, and nobody can change it."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from logto_auth.admin_site import LogtoAdminSite
from logto_auth.audit.admin import AuditEventAdmin
from logto_auth.audit.erasing import erase_account
from logto_auth.audit.models import AuditEvent, plain_rows
from logto_auth.audit.recording import build_event, write_events
from logto_auth.conf import conf
from logto_auth.models import Organization

from .support import EVENTS, problems, record, seal, sql

pytestmark = pytest.mark.django_db

LIST = "/admin/logto_audit/auditevent/"


@pytest.fixture
def auditor(django_user_model: Any) -> Any:
    user = django_user_model.objects.create_user("auditor", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_auditevent"))
    return user


@pytest.fixture
def client_of_auditor(auditor: Any) -> Client:
    client = Client()
    client.force_login(auditor, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def reader(django_user_model: Any) -> Any:
    return django_user_model.objects.create(username="Reinhard", email="reinhard@shop.example")


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode())


def test_only_the_permission_to_view_exists() -> None:
    names = Permission.objects.filter(content_type__app_label="logto_audit").values_list("codename", flat=True)
    assert list(names) == ["view_auditevent"]


def test_list_and_page(client_of_auditor: Client, rf: Any, reader: Any) -> None:
    request = rf.get("/", REMOTE_ADDR="192.0.2.7", headers={"User-Agent": "<b>Firefox"})
    write_events([build_event("shop.refund", request, actor=reader, user_sub="sub2", details={"order": 7})])
    event = AuditEvent.objects.get(action="shop.refund")
    page = text_of(client_of_auditor.get(LIST))
    assert "shop.refund" in page
    assert f'<a href="/admin/auth/user/{reader.pk}/change/">Reinhard</a>' in page
    page = text_of(client_of_auditor.get(f"{LIST}{event.pk}/change/"))
    for text in ("192.0.2.7", "&lt;b&gt;Firefox", "sub2", "{&quot;order&quot;:7}", event.digest):
        assert text in page
    assert "salt" not in page
    assert not re.findall(r'<input type="(?!hidden)', page.split('id="content"')[1])
    assert 'name="_save"' not in page


def test_key_with_special_characters_is_quoted(client_of_auditor: Client) -> None:
    # The admin reads "_2F" as a slash.
    write_events([build_event("shop.refund", actor=SimpleNamespace(pk="a_2Fb"))])
    assert '<a href="/admin/auth/user/a_5F2Fb/change/">a_2Fb</a>' in text_of(client_of_auditor.get(LIST))


@pytest.mark.parametrize("use_tz", [True, False])
def test_time_is_that_of_the_site(client_of_auditor: Client, settings: Any, use_tz: bool) -> None:
    settings.TIME_ZONE, settings.USE_TZ = "Asia/Tokyo", use_tz
    event = build_event("shop.sold")
    event.at = datetime(2026, 11, 28, 15, 30, 7, tzinfo=timezone.utc).timestamp()
    AuditEvent.objects.record([event])
    assert "2026-11-29 00:30:07" in text_of(client_of_auditor.get(LIST))
    assert "2026-11-29 00:30:07" in text_of(client_of_auditor.get(f"{LIST}{event.pk}/change/"))


def test_queries_do_not_grow_with_the_rows(client_of_auditor: Client, reader: Any) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client_of_auditor.get(LIST)
        return len(captured)

    record(1, actor=reader)
    one = count()
    record(20, actor=reader)
    assert count() == one


@pytest.mark.parametrize("path", ["", "{pk}/change/", "{pk}/history/", "add/", "{pk}/delete/"])
def test_staff_without_the_permission_get_403(client: Client, django_user_model: Any, path: str) -> None:
    [pk] = record(1)
    user = django_user_model.objects.create_user("staff", is_staff=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(LIST + path.format(pk=pk)).status_code == 403


@pytest.mark.parametrize("path", ["", "{pk}/change/"])
def test_visitor_is_sent_to_the_sign_in(client: Client, path: str) -> None:
    [pk] = record(1)
    response = client.get(LIST + path.format(pk=pk))
    assert response.status_code == 302
    assert "/login/" in response["Location"]


@pytest.mark.parametrize("path", ["add/", "{pk}/change/", "{pk}/delete/"])
def test_superuser_cannot_change_anything(admin_client: Client, path: str) -> None:
    [pk] = record(1)
    before = list(AuditEvent.objects.filter(pk=pk).values())
    response = admin_client.post(LIST + path.format(pk=pk), {"action": "forged", "details_json": "{}", "post": "yes"})
    assert response.status_code == 403
    assert list(AuditEvent.objects.filter(pk=pk).values()) == before
    assert problems() == []


@pytest.mark.parametrize("action", ["delete_selected", "nothing", ""])
def test_superuser_has_no_action(admin_client: Client, action: str) -> None:
    [pk] = record(1)
    data = {"action": action, "_selected_action": [pk], "post": "yes", "index": 0}
    response = admin_client.post(LIST, data, follow=True)
    assert response.status_code == 200
    assert 'name="action"' not in response.content.decode()
    assert AuditEvent.objects.filter(pk=pk).exists()


def test_list_cannot_be_edited(admin_client: Client) -> None:
    [pk] = record(1)
    data = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": pk, "form-0-action": "forged", "_save": "Save"}
    admin_client.post(LIST, data)
    assert AuditEvent.objects.get(pk=pk).action == "shop.sold"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("?action=shop.sold", 1),
        ("?outcome=refused", 1),
        ("?outcome=refused&action=shop.sold", 0),
        ("?days=1", 2),
        ("?days=7", 2),
        ("?days=30", 3),
        ("?days=x", 3),
        ("?q=org1", 1),
        ("?q=or", 0),
        ("?q=sub1", 1),
        ("?organization=org1", 1),
        ("?organization=or%00", 0),
        ("?organization=%00", 3),
    ],
)
def test_filters_and_search(client_of_auditor: Client, query: str, count: int) -> None:
    plain_rows(AuditEvent).delete()
    old = build_event("shop.opened", user_sub="sub1")
    old.at -= 20 * 24 * 3600
    write_events([build_event("shop.sold", organization_id="org1"), build_event("shop.asked", outcome="refused"), old])
    rows = re.findall(r'<th class="field-occurred_at', text_of(client_of_auditor.get(LIST + query)))
    assert len(rows) == count


def test_search_by_account(client_of_auditor: Client, reader: Any) -> None:
    record(2, user=reader)
    record(1)
    page = text_of(client_of_auditor.get(f"{LIST}?q={reader.pk}&action=shop.sold"))
    assert page.count('<th class="field-occurred_at') == 2


def test_organization_leads_to_its_events(client_of_auditor: Client) -> None:
    Organization.objects.create(issuer=conf.issuer, logto_id="harbour", name="Harbour Branch")
    [id] = record(1, organization_id="harbour")
    link = f'<a href="{LIST}?organization=harbour">harbour</a>'
    for path in (LIST, f"{LIST}{id}/change/"):
        page = text_of(client_of_auditor.get(path))
        assert link in page
        assert "Harbour Branch" not in page
    assert "Harbour Branch" in text_of(client_of_auditor.get(f"{LIST}?organization=harbour"))


def test_erased_and_damaged_rows_are_shown(client_of_auditor: Client, reader: Any) -> None:
    [erased] = record(1, user=reader)
    erase_account(reader.pk)
    [damaged] = record(1, actor=reader)
    sql(f"UPDATE {EVENTS} SET actor_json = '[', details_json = 'null', at = 1e300 WHERE id = %s", damaged)
    seal()
    page = text_of(client_of_auditor.get(LIST))
    assert "Reinhard" not in page
    for pk in (erased, damaged):
        assert "Reinhard" not in text_of(client_of_auditor.get(f"{LIST}{pk}/change/"))


def test_another_admin_site(rf: Any, admin_user: Any, reader: Any) -> None:
    """Its users may not be in it, so that there is no page to link to."""
    record(1, user=reader)
    for site in (admin.AdminSite("other"), LogtoAdminSite("another")):
        site.register(AuditEvent, AuditEventAdmin)
        request = rf.get("/")
        request.user = admin_user
        assert not site._registry[AuditEvent].has_add_permission(request)
        assert site._registry[AuditEvent].has_view_permission(request)


def test_default_admin_site_has_it() -> None:
    assert isinstance(admin.site._registry[AuditEvent], AuditEventAdmin)
    assert isinstance(admin.site, LogtoAdminSite)
