"""Commands that are killed while they run, and started again."""

from __future__ import annotations

import json
import signal
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
    # The first request and the last one are counts.
    assert ["1"] not in listed[1:-1]
    assert set(site.sql("SELECT sub, roles FROM logto_auth_logtoidentity")) == {(sub, '["reader"]') for sub in subs}
    assert site.sql("SELECT count(*) FROM logto_auth_syncnote") == [(0,)]


def add_accounts(site: OwnSite, number: int) -> list[str]:
    """Add accounts to the database of the site, and return their usernames."""
    names = [f"customer{each}" for each in range(number)]
    rows = ", ".join(f"('{name}', '{name}@example.com', '!', '', '', 1, 0, 0, '2026-01-01')" for name in names)
    columns = "username, email, password, first_name, last_name, is_active, is_staff, is_superuser, date_joined"
    with closing(sqlite3.connect(site.path)) as connection:
        connection.execute(f"INSERT INTO auth_user ({columns}) VALUES {rows}")
        connection.commit()
    return names


def linked(site: OwnSite) -> dict[str, str]:
    """Return the usernames of linked accounts by `sub`."""
    query = "SELECT sub, username FROM logto_auth_logtoidentity i JOIN auth_user u ON u.id = i.user_id"
    return dict(site.sql(query))


def test_killed_import_restarts_and_links_all_accounts(logto: Emulator, site: OwnSite) -> None:
    names = add_accounts(site, 100)
    logto.faults.http["management_api"] = HttpFault(delay_seconds=0.02)
    site.kill_once("SELECT count(*) FROM logto_auth_logtoidentity", "logto_import")
    assert len(linked(site)) < len(names)
    logto.faults.clear()
    # Logto may have created users without this site having received the responses.
    site.run("logto_import", "--adopt-by-email")
    assert linked(site) == {user.id: user.username for user in logto.tenant.users.values()}
    assert sorted(linked(site).values()) == sorted(names)


def test_interrupted_import_links_all_users_that_it_created(logto: Emulator, site: OwnSite) -> None:
    names = add_accounts(site, 100)
    logto.faults.http["management_api"] = HttpFault(delay_seconds=0.1)
    with site.start("logto_import") as process:
        site.wait_for("SELECT count(*) FROM logto_auth_logtoidentity", lambda: process.poll() is None)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "Interrupted. Start the command again to import the rest." in errors
    assert "Stopping: waiting for the answers to 8 requests.\n" in output
    done = linked(site)
    assert f"created: {len(done)}, without password: {len(done)}\n" in output
    assert 0 < len(done) < len(names)
    assert done == {user.id: user.username for user in logto.tenant.users.values()}
    logto.faults.clear()
    site.run("logto_import")
    assert sorted(linked(site).values()) == sorted(names)


def test_interrupted_rollback_is_continued_by_next_one(logto: Emulator, site: OwnSite) -> None:
    names = add_accounts(site, 100)
    site.run("logto_migrate", "import")
    logto.faults.http["management_api"] = HttpFault(delay_seconds=0.3, only="DELETE .*")
    with site.start("logto_migrate", "rollback", "--yes", "--json") as process:
        while len(logto.tenant.users) == len(names):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    done = json.loads(output)
    assert done["error"] == "Interrupted. Start the command again to delete the rest."
    left = len(logto.tenant.users)
    assert 0 < done["counts"]["deleted"] == len(names) - left < len(names)
    logto.faults.clear()
    assert json.loads(site.run("logto_migrate", "rollback", "--yes", "--json"))["counts"]["deleted"] == left
    assert not logto.tenant.users
    assert site.sql("SELECT count(*) FROM logto_auth_logtoidentity") == [(0,)]
    assert site.sql("SELECT count(*) FROM auth_user WHERE is_active") == [(len(names),)]


def test_import_of_move_links_users_of_killed_run(logto: Emulator, site: OwnSite) -> None:
    names = add_accounts(site, 100)
    logto.faults.http["management_api"] = HttpFault(delay_seconds=0.02)
    site.kill_once("SELECT count(*) FROM logto_auth_logtoidentity", "logto_migrate", "import")
    assert len(linked(site)) < len(names)
    logto.faults.clear()
    # Without --adopt-by-email: the mark shows that they are the same users.
    site.run("logto_migrate", "import")
    assert linked(site) == {user.id: user.username for user in logto.tenant.users.values()}
    assert sorted(linked(site).values()) == sorted(names)
