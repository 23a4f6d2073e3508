"""Admin actions on users at Logto, and their messages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.sites import site
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.testing import Browser

pytestmark = pytest.mark.django_db
User = get_user_model()
USERS = "admin:auth_user_changelist"
ACTIONS = {"suspend_at_logto", "reactivate_at_logto", "sign_out_at_logto"}


@pytest.fixture
def machine(logto: Emulator, settings: Any) -> Any:
    """Return the site's application for the Management API."""
    machine = logto.tenant.add_application(name="Site", type="MachineToMachine", roles=["Logto Management API access"])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    return machine


@pytest.fixture
def staff(client: Client) -> Client:
    """Return a staff user with the permission to manage users at Logto, who is not a superuser."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "manage_at_logto"]))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def reader(machine: Any, logto: Emulator) -> Browser:
    """Return the browser of a signed-in user."""
    logto.tenant.add_user(id="reader000001", username="reader")
    browser = Browser(logto)
    browser.sign_in("reader")
    return browser


def do(staff: Client, action: str, *usernames: str) -> list[tuple[str, str]]:
    """Run an action on these users, or on all, and return its messages with their levels."""
    chosen = User.objects.filter(username__in=usernames) if usernames else User.objects.all()
    form = {"action": action, "_selected_action": [user.pk for user in chosen], "confirmed": "yes"}
    response = staff.post(reverse(USERS), form, follow=True)
    assert response.status_code == 200
    return [(message.level_tag, str(message)) for message in response.context["messages"]]


def offered(client: Client) -> set[str]:
    form = client.get(reverse(USERS)).context["action_form"]
    return ACTIONS & {name for name, _ in form.fields["action"].choices} if form else set()


def is_signed_in(browser: Browser) -> bool:
    return bool(browser.client.get("/").wsgi_request.user.is_authenticated)


def test_actions_need_permission_and_application(staff: Client, machine: Any, settings: Any) -> None:
    assert offered(staff) == ACTIONS
    User.objects.get().user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    assert offered(staff) == set()
    User.objects.update(is_superuser=True)
    assert offered(staff) == ACTIONS
    settings.LOGTO_M2M_APP_ID = ""
    assert offered(staff) == set()


def test_suspension_is_confirmed_first(staff: Client, reader: Browser, logto: Emulator) -> None:
    user = User.objects.get(username="reader")
    page = staff.post(reverse(USERS), {"action": "suspend_at_logto", "_selected_action": [user.pk]})
    assert "<li>reader</li>" in page.text
    assert f'name="_selected_action" value="{user.pk}"' in page.text
    assert is_signed_in(reader)
    assert not logto.tenant.users["reader000001"].is_suspended
    form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', page.text))
    staff.post(reverse(USERS), form)
    assert logto.tenant.users["reader000001"].is_suspended


def test_list_of_users_shows_the_status_at_logto(
    staff: Client, reader: Browser, django_assert_max_num_queries: Any
) -> None:
    assert "Status at Logto" in staff.get(reverse(USERS)).text
    do(staff, "suspend_at_logto", "reader")
    row = re.search(r"<tr>.*?reader.*?</tr>", staff.get(reverse(USERS)).text.split("<tbody")[1], re.DOTALL)
    assert row is not None
    assert "suspended" in row[0]
    with django_assert_max_num_queries(10) as few:
        staff.get(reverse(USERS))
    User.objects.bulk_create(User(username=f"user{number}") for number in range(20))
    with django_assert_max_num_queries(len(few)):
        staff.get(reverse(USERS))


def test_posted_action_without_permission_does_nothing(staff: Client, reader: Browser, logto: Emulator) -> None:
    User.objects.get(username="clerk").user_permissions.set(Permission.objects.filter(codename="view_user"))
    do(staff, "suspend_at_logto", "reader")
    assert not logto.tenant.users["reader000001"].is_suspended
    assert is_signed_in(reader)


def test_suspend_action_suspends_at_logto_and_here(staff: Client, reader: Browser, logto: Emulator) -> None:
    assert do(staff, "suspend_at_logto", "reader") == [("success", "Done at Logto for 1 of 1.")]
    assert logto.tenant.users["reader000001"].is_suspended
    assert not User.objects.get(username="reader").is_active
    assert not is_signed_in(reader)
    assert do(staff, "reactivate_at_logto", "reader") == [("success", "Done at Logto for 1 of 1.")]
    assert not logto.tenant.users["reader000001"].is_suspended
    assert User.objects.get(username="reader").is_active
    reader.sign_in("reader")
    assert is_signed_in(reader)


def test_reactivate_action_warns_about_inactive_account(staff: Client, reader: Browser) -> None:
    User.objects.filter(username="reader").update(is_active=False)
    do(staff, "suspend_at_logto", "reader")
    warning, success = do(staff, "reactivate_at_logto", "reader")
    assert warning[0] == "warning"
    assert warning[1].startswith("reader: The account stays inactive here")
    assert success == ("success", "Done at Logto for 1 of 1.")
    assert not User.objects.get(username="reader").is_active


def test_sign_out_action_ends_sessions_at_logto(staff: Client, reader: Browser, logto: Emulator) -> None:
    other_device = Browser(logto)
    other_device.sign_in("reader")
    row = LogtoSession.objects.first()
    assert len(logto.instances.sessions) == 2
    assert do(staff, "sign_out_at_logto", "reader") == [("success", "Done at Logto for 1 of 1.")]
    assert not logto.instances.sessions
    assert row.tokens["refresh_token"] not in logto.instances.refresh_tokens
    assert not is_signed_in(reader)
    assert not is_signed_in(other_device)


def test_message_is_shown_for_each_failed_user(staff: Client, reader: Browser, logto: Emulator) -> None:
    account = User.objects.create_user("gone")
    LogtoIdentity.objects.create(user=account, issuer=logto.issuer, sub="gone00000001")
    stranger = User.objects.create_user("stranger")
    LogtoIdentity.objects.create(user=stranger, issuer="https://elsewhere.example/oidc", sub="stranger0001")
    boss = User.objects.create_superuser("boss")
    LogtoIdentity.objects.create(user=boss, issuer=logto.issuer, sub="boss00000001")
    shown = do(staff, "suspend_at_logto")
    by_name = {text.partition(":")[0]: (level, text) for level, text in shown}
    assert by_name["gone"][0] == "error"
    assert "404" in by_name["gone"][1]
    assert by_name["stranger"] == ("warning", "stranger: This user is not linked to a user at Logto.")
    assert by_name["boss"] == ("warning", "boss: Only a superuser can do this to a superuser.")
    assert ("warning", "You cannot suspend yourself here.") in shown
    assert ("success", "Done at Logto for 1 of 4.") in shown
    assert {user.username for user in User.objects.filter(is_active=False)} == {"reader"}


@pytest.mark.parametrize("action", sorted(ACTIONS))
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param(HttpFault(drop=True), "is out of reach", id="out-of-reach"),
        pytest.param(
            HttpFault(status=401, body='{"error": "invalid_client"}'), "Logto issued no token", id="wrong-secret"
        ),
        pytest.param(HttpFault(status=500, body="<h1>Oops</h1>"), "Logto issued no token", id="broken"),
    ],
)
def test_unreachable_logto_stops_after_first_user(
    staff: Client, machine: Any, logto: Emulator, action: str, fault: HttpFault, words: str
) -> None:
    for number in range(3):
        account = User.objects.create_user(f"reader{number}")
        LogtoIdentity.objects.create(user=account, issuer=logto.issuer, sub=f"reader00000{number}")
    logto.faults.http["token"] = fault
    shown = do(staff, action, "reader0", "reader1", "reader2")
    assert [level for level, _ in shown] == ["error", "error"]
    assert words in shown[0][1]
    assert shown[1][1] == "Stopped after this error. Users not changed: 2."
    assert User.objects.filter(is_active=True).count() == 4


def test_message_names_missing_role_of_application(
    staff: Client, reader: Browser, logto: Emulator, settings: Any
) -> None:
    machine = logto.tenant.add_application(name="Powerless", type="MachineToMachine")
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    ((level, text),) = do(staff, "suspend_at_logto", "reader")
    assert level == "error"
    assert "Logto Management API access" in text
    assert is_signed_in(reader)


def test_message_names_missing_setting(staff: Client, reader: Browser, settings: Any) -> None:
    settings.LOGTO_M2M_APP_SECRET = ""
    ((level, text),) = do(staff, "suspend_at_logto", "reader")
    assert level == "error"
    assert "LOGTO_M2M_APP_SECRET must be set" in text


@pytest.mark.parametrize(
    ("endpoint", "resource", "console", "links"),
    [
        ("https://abc123.logto.app", "", "", ["https://cloud.logto.io/abc123/users/a%2Fb"]),
        ("https://logto.example", "", "", []),
        ("https://logto.example", "https://default.logto.app/api", "", []),
        # A cloud tenant with a custom domain.
        (
            "https://logto.example",
            "https://abc123.logto.app/api",
            "",
            ["https://cloud.logto.io/abc123/users/a%2Fb"],
        ),
        ("https://logto.example", "", "https://a.example/console/", ["https://a.example/console/users/a%2Fb"]),
    ],
)
def test_user_page_links_to_console(
    admin_client: Client, settings: Any, endpoint: str, resource: str, console: str, links: list[str]
) -> None:
    settings.LOGTO_ENDPOINT, settings.LOGTO_CONSOLE_URL = endpoint, console
    settings.LOGTO_MANAGEMENT_API_RESOURCE = resource
    user = User.objects.create_user("reader")
    LogtoIdentity.objects.create(user=user, issuer=f"{endpoint}/oidc", sub="a/b", status="suspended")
    LogtoIdentity.objects.create(user=user, issuer="https://elsewhere.example/oidc", sub="c")
    page = admin_client.get(reverse("admin:auth_user_change", args=[user.pk])).content.decode()
    assert "suspended" in page
    assert re.findall(r'<a href="([^"]+)" rel="noreferrer">Open</a>', page) == links


def test_system_checks_accept_user_admin() -> None:
    assert site.get_model_admin(User).check() == []
