"""Commands that are killed while they run, and started again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from logto_auth.emulator import Application, Emulator, HttpFault

from .own_site import OwnSite


@pytest.fixture
def site(logto: Emulator, machine: Application, tmp_path: Path) -> OwnSite:
    return OwnSite(logto, machine, tmp_path / "site.sqlite3")


def test_killed_sync_resumes_and_syncs_all_users(logto: Emulator, site: OwnSite) -> None:
    logto.tenant.add_role("reader")
    subs = {logto.tenant.add_user(username=f"reader{number}", roles=["reader"]).id for number in range(2300)}
    logto.faults.http["management_api"] = HttpFault(delay_seconds=0.02)
    site.kill_once("SELECT count(*) FROM auth_user", "logto_sync", "--create")
    assert 0 < site.sql("SELECT count(*) FROM auth_user")[0][0] < len(subs)
    logto.faults.clear()
    logto.requests.clear()
    output = site.run("logto_sync", "--create")
    assert output == "created: 2,300\n"
    listed = [each.query["page"] for each in logto.requests if each.path == "/api/users"]
    # The first request is the count.
    assert ["1"] not in listed[1:]
    assert set(site.sql("SELECT sub, roles FROM logto_auth_logtoidentity")) == {(sub, '["reader"]') for sub in subs}
    assert site.sql("SELECT count(*) FROM logto_auth_syncnote") == [(0,)]


def test_killed_import_restarts_and_links_all_accounts(logto: Emulator, site: OwnSite) -> None:
    names = [f"customer{number}" for number in range(40)]
    rows = ", ".join(f"('{name}', '{name}@example.com', '!', '', '', 1, 0, 0, '2026-01-01')" for name in names)
    columns = "username, email, password, first_name, last_name, is_active, is_staff, is_superuser, date_joined"
    with closing(sqlite3.connect(site.path)) as connection:
        connection.execute(f"INSERT INTO auth_user ({columns}) VALUES {rows}")
        connection.commit()
    logto.faults.http["management_api"] = HttpFault(delay_seconds=0.02)
    site.kill_once("SELECT count(*) FROM logto_auth_logtoidentity", "logto_import")
    logto.faults.clear()
    # Logto may have created a user without this site having received the response.
    site.run("logto_import", "--adopt-by-email")
    linked = dict(site.sql("SELECT sub, username FROM logto_auth_logtoidentity i JOIN auth_user u ON u.id = i.user_id"))
    assert linked == {user.id: user.username for user in logto.tenant.users.values()}
    assert sorted(linked.values()) == sorted(names)
