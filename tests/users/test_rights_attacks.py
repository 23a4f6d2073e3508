"""Roles give the rights that the site maps and nothing else; no profile prevents a sign-in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.support import Witness, changed_claims

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def mapped(settings: Any, logto: Emulator) -> Any:
    """A site that maps roles to rights, with the roles at Logto."""
    settings.LOGTO_GROUPS_BY_ROLE = {"editor": "Editors", "proofreader": "Editors", "cashier": "Cashiers"}
    settings.LOGTO_STAFF_ROLES = ["admin", "helper"]
    settings.LOGTO_SUPERUSER_ROLES = ["admin"]
    for role in ("editor", "proofreader", "cashier", "admin", "helper", "Owners", "superuser", "staff", "editor "):
        logto.tenant.add_role(role)
    return settings


def rights_of(user: Any) -> tuple[bool, bool, set[str]]:
    user = User.objects.get(pk=user.pk)
    return user.is_staff, user.is_superuser, set(user.groups.values_list("name", flat=True))


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        pytest.param(..., (True, False, {"Editors"}), id="missing-changes-nothing"),
        pytest.param(None, (True, False, {"Editors"}), id="null-changes-nothing"),
        pytest.param("admin", (True, False, {"Editors"}), id="text-changes-nothing"),
        pytest.param({"admin": True}, (True, False, {"Editors"}), id="object-changes-nothing"),
        pytest.param([], (False, False, set()), id="empty-takes-all"),
        pytest.param(["editor", 5, None, ["admin"], {"admin": 1}, True], (False, False, {"Editors"}), id="non-text"),
        pytest.param([f"role-{n}" for n in range(5000)], (False, False, set()), id="5000-entries"),
        pytest.param(["x" * 150_000], (False, False, set()), id="a-very-long-name"),
        pytest.param(["editor"] * 5000, (False, False, {"Editors"}), id="the-same-5000-times"),
        pytest.param(["\ud800", "\x00", "editor\x00"], (False, False, set()), id="garbage"),
        pytest.param(["EDITOR", "Admin", " admin", "admin "], (False, False, set()), id="other-spellings"),
    ],
)
def test_missing_roles_claim_changes_no_rights(
    browser: Browser, logto: Emulator, witness: Witness, mapped: Any, roles: Any, expected: Any
) -> None:
    sub = logto.tenant.add_user(username="reader", roles=["helper", "editor"]).id
    user = witness.sees_signed_in(browser.sign_in("reader"))
    assert rights_of(user) == (True, False, {"Editors"})
    if isinstance(roles, list) and "\ud800" in roles:
        # JSON can contain half a surrogate pair, UTF-8 cannot.
        logto.faults.id_token = lambda header, claims: logto.sign(json.dumps({**claims, "roles": roles}), header=header)
    else:
        logto.faults.id_token_claims = changed_claims(roles=roles)
    response = browser.sign_in(ui_locales="en")
    witness.sees_signed_in(response)
    assert rights_of(user) == expected
    assert response.wsgi_request.logto.sub == sub
    assert browser.client.post("/sign-out").status_code == 302


def test_new_user_without_roles_claim_has_no_rights(
    browser: Browser, logto: Emulator, witness: Witness, mapped: Any, reader: Any
) -> None:
    logto.faults.id_token_claims = changed_claims(roles=...)
    assert rights_of(witness.sees_signed_in(browser.sign_in("reader"))) == (False, False, set())


def test_rights_given_by_staff_survive(browser: Browser, logto: Emulator, witness: Witness, mapped: Any) -> None:
    sub = logto.tenant.add_user(username="reader", roles=["editor", "admin"]).id
    user = witness.sees_signed_in(browser.sign_in("reader"))
    assert rights_of(user) == (True, True, {"Editors"})
    user.groups.add(Group.objects.create(name="By hand"))
    logto.tenant.update_user(sub, roles=["cashier"])
    witness.sees_signed_in(browser.sign_in(ui_locales="en"))
    assert rights_of(user) == (False, False, {"By hand", "Cashiers"})


def test_one_of_two_roles_keeps_the_group(browser: Browser, logto: Emulator, witness: Witness, mapped: Any) -> None:
    sub = logto.tenant.add_user(username="reader", roles=["editor", "proofreader"]).id
    user = witness.sees_signed_in(browser.sign_in("reader"))
    logto.tenant.update_user(sub, roles=["proofreader"])
    witness.sees_signed_in(browser.sign_in(ui_locales="en"))
    assert rights_of(user) == (False, False, {"Editors"})


def test_site_without_mapping_changes_nothing(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    user = witness.sees_signed_in(browser.sign_in("reader"))
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    user.groups.add(Group.objects.create(name="By hand"))
    logto.faults.id_token_claims = changed_claims(roles=[], is_staff=False, is_superuser=False, groups=[])
    witness.sees_signed_in(browser.sign_in(ui_locales="en"))
    assert rights_of(user) == (True, True, {"By hand"})


def test_unmapped_role_gives_no_rights(browser: Browser, logto: Emulator, witness: Witness, mapped: Any) -> None:
    for name in ("Owners", "Editors", "superuser"):
        Group.objects.get_or_create(name=name)
    logto.tenant.add_user(username="reader", roles=["Owners", "superuser", "staff", "editor "])
    user = witness.sees_signed_in(browser.sign_in("reader"))
    assert rights_of(user) == (False, False, set())
    assert set(Group.objects.values_list("name", flat=True)) == {"Owners", "Editors", "superuser"}


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"is_superuser": True, "is_staff": True, "is_active": True}, id="flags"),
        pytest.param({"groups": ["Owners", "Editors"], "permissions": ["auth.add_user"]}, id="groups"),
        pytest.param({"role": "admin", "Roles": ["admin"], "roles ": ["admin"]}, id="other-names"),
        pytest.param({"organization_roles": ["x:admin", "admin"], "scope": "admin"}, id="organization-roles"),
        pytest.param({"custom_data": {"roles": ["admin"], "is_superuser": True}}, id="custom-data"),
        pytest.param({"id": 1, "pk": 1, "password": "x", "user_permissions": [1], "backend": "x"}, id="fields"),
    ],
)
def test_other_claims_give_no_rights(
    browser: Browser, logto: Emulator, witness: Witness, mapped: Any, reader: Any, claims: dict[str, Any]
) -> None:
    Group.objects.create(name="Owners")
    logto.faults.id_token_claims = changed_claims(**claims)
    user = witness.sees_signed_in(browser.sign_in("reader"))
    assert rights_of(user) == (False, False, set())
    assert not user.has_usable_password()


def test_userinfo_gives_no_roles(browser: Browser, logto: Emulator, witness: Witness, mapped: Any, reader: Any) -> None:
    mapped.LOGTO_USERINFO_CLAIMS = ["custom_data", "roles"]
    logto.faults.userinfo = lambda claims: {**claims, "roles": ["admin"]}
    assert rights_of(witness.sees_signed_in(browser.sign_in("reader"))) == (False, False, set())


def test_organization_roles_do_not_apply_elsewhere(
    browser: Browser, logto: Emulator, witness: Witness, mapped: Any, reader: Any
) -> None:
    mapped.LOGTO_SCOPES = ["openid", "roles", "urn:logto:scope:organizations", "urn:logto:scope:organization_roles"]
    logto.tenant.add_organization_role("admin")
    logto.tenant.add_organization_role("b:admin")
    for id, roles in (("a", ["admin"]), ("b", []), ("a:b", ["admin"]), ("c", ["b:admin"])):
        logto.tenant.add_organization(f"Organization {id}", id=id)
        logto.tenant.add_member(id, reader.id, roles=roles)
    response = browser.sign_in("reader")
    user = witness.sees_signed_in(response)
    held = {organization.id: organization.roles for organization in response.wsgi_request.logto.organizations}
    assert held["a"] == ("admin", "b:admin")  # Logto's ids have no colon; "a:b" is split after "a"
    assert (held["b"], held["c"]) == ((), ("b:admin",))
    assert response.wsgi_request.logto.roles == ()
    assert rights_of(user) == (False, False, set())


@pytest.mark.parametrize(
    "claims",
    [
        {"organizations": None, "organization_roles": None},
        {"organizations": "a", "organization_roles": "a:admin"},
        {"organizations": ["a", 5, None, ["b"]], "organization_roles": [5, None, "admin", ":admin", "a:", "a"]},
        {"organizations": {}, "organization_data": [{"id": []}, None, {"name": "x"}]},
    ],
)
def test_malformed_organizations_are_ignored(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, claims: dict[str, Any]
) -> None:
    logto.faults.id_token_claims = changed_claims(**claims)
    response = browser.sign_in("reader")
    witness.sees_signed_in(response)
    organizations = response.wsgi_request.logto.organizations
    assert all("admin" not in organization.roles for organization in organizations)


TEXTS = [
    pytest.param("<script>alert(1)</script>", id="html"),
    pytest.param("{{ 7|add:7 }}{% debug %}", id="template"),
    pytest.param("%s%n%(x)s{0.__class__}", id="format"),
    pytest.param("a\x00b", id="nul"),
    pytest.param("\x00", id="only-nul"),
    pytest.param("x" * 10_000, id="long"),
    pytest.param("😀" * 300, id="emoji"),
    pytest.param("漢字かな" * 50, id="japanese"),
    pytest.param("\u202egnp.exe\u202c", id="right-to-left"),
    pytest.param("e\u0301" * 200, id="combining"),
    pytest.param("' OR 1=1; DROP TABLE auth_user; --", id="sql"),
    pytest.param("\r\nSet-Cookie: a=b", id="crlf"),
    pytest.param("   ", id="spaces"),
    pytest.param("", id="empty"),
    pytest.param(None, id="null"),
    pytest.param(5, id="number"),
    pytest.param(["x"], id="list"),
    pytest.param({"a": "b"}, id="object"),
    pytest.param(True, id="true"),
    pytest.param(10**300, id="huge-number"),
]
NAMES = ("username", "preferred_username", "name", "given_name", "family_name", "picture", "email", "sid", "locale")


@pytest.mark.parametrize("text", TEXTS)
def test_odd_profile_does_not_prevent_sign_in(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, text: Any
) -> None:
    def spoilt(claims: dict[str, Any]) -> dict[str, Any]:
        return {**claims, **dict.fromkeys(NAMES, text)}

    logto.faults.id_token_claims = spoilt
    user = witness.sees_signed_in(browser.sign_in("reader"))
    assert user.username
    user.full_clean()
    again = witness.sees_signed_in(browser.sign_in(ui_locales="en"))
    assert again == user
    assert again.username == user.username


@pytest.mark.parametrize("name", [*NAMES, "roles", "custom_data"])
def test_surrogate_in_profile_is_no_500(browser: Browser, logto: Emulator, reader: Any, name: str) -> None:
    """Logto's database cannot store half a surrogate pair; JSON can."""
    logto.faults.id_token = lambda header, claims: logto.sign(json.dumps({**claims, name: "\ud800"}), header=header)
    for options in ({}, {"ui_locales": "en"}):
        assert browser.sign_in("reader", **options).status_code in (302, 403)


@pytest.mark.parametrize(
    "email",
    [
        "x" * 300 + "@example.com",
        "not an address",
        "a@b",
        "<b>@example.com",
        "a\x00@example.com",
        "a@" + "b" * 70 + ".com",
    ],
)
def test_email_is_kept_whole_or_dropped(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, email: str
) -> None:
    logto.faults.id_token_claims = changed_claims(email=email)
    user = witness.sees_signed_in(browser.sign_in("reader"))
    assert user.email in ("", email.replace("\x00", ""))


@pytest.mark.parametrize("sid", [..., None, "", 5, "x" * 255, "x" * 256, ["x"], "\x00", "😀"])
def test_odd_sid_does_not_prevent_sign_in(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, sid: Any
) -> None:
    logto.faults.id_token_claims = changed_claims(sid=sid)
    witness.sees_signed_in(browser.sign_in("reader"))
    assert LogtoSession.objects.get().sid in ("", sid)


@pytest.mark.parametrize("username", ["admin", "ADMIN", "admin\x00", "admin ", " admin", "\u0430dmin"])
def test_username_taken_in_any_spelling_is_avoided(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, username: str
) -> None:
    admin = User.objects.create_superuser("admin", "admin@example.com", "secret")
    logto.faults.id_token_claims = changed_claims(username=username)
    user = witness.sees_signed_in(browser.sign_in("reader"))
    assert user.pk != admin.pk
    assert user.username.lower() != "admin"
    assert not user.is_superuser
