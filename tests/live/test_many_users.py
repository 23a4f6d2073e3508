"""Users who are copied: from Logto to the site, and from the site to Logto with their passwords."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import argon2
import bcrypt
import pytest
from django.contrib.auth import hashers

from .conftest import PASSWORD, MakePerson
from .people import Person
from .sites import Site
from .targets import Target

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

SALT = "NaClNaClNaCl"


def _hex(algorithm: str, text: str) -> str:
    return hashlib.new(algorithm, text.encode()).hexdigest()


# The kinds of hashes that Logto can check, as Django stores them. Django itself no longer makes the last three.
HASHES = {
    "pbkdf2_sha256": hashers.PBKDF2PasswordHasher().encode(PASSWORD, SALT),
    "pbkdf2_sha1": hashers.PBKDF2SHA1PasswordHasher().encode(PASSWORD, SALT),
    "argon2id": hashers.Argon2PasswordHasher().encode(PASSWORD, SALT),
    "argon2i": f"argon2{argon2.PasswordHasher(type=argon2.Type.I).hash(PASSWORD)}",
    "argon2d": f"argon2{argon2.PasswordHasher(type=argon2.Type.D).hash(PASSWORD)}",
    "bcrypt": hashers.BCryptPasswordHasher().encode(PASSWORD, bcrypt.gensalt(4)),
    "md5": hashers.MD5PasswordHasher().encode(PASSWORD, SALT),
    "unsalted_md5": _hex("md5", PASSWORD),
    "sha1": f"sha1${SALT}${_hex('sha1', SALT + PASSWORD)}",
    "unsalted_sha1": f"sha1$${_hex('sha1', PASSWORD)}",
}


@pytest.fixture(scope="session")
def old_site(target: Target, tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Site]:
    """A site whose users have passwords there, one of each kind. They have been imported into Logto."""
    site = Site(target, "old", tmp_path_factory.mktemp("old"), has_webhooks=False)
    site.set_up()
    site.migrate(empty_database)
    users = site.folder / "users.json"
    users.write_text(json.dumps([_row(target, kind, password) for kind, password in HASHES.items()]))
    site.command("loaddata", str(users))
    assert f"created: {len(HASHES)}" in site.command("logto_import")
    with site.serving():
        yield site


def _row(target: Target, kind: str, password: str) -> dict[str, object]:
    return {"model": "auth.user", "fields": {"username": f"{target.run}_{kind}", "password": password}}


@pytest.mark.parametrize("kind", HASHES)
def test_imported_password(old_site: Site, kind: str) -> None:
    username = f"{old_site.target.run}_{kind}"
    user = Person(old_site.target, username, PASSWORD)
    try:
        found = user.sign_in(old_site)
    finally:
        user.close()
    # The account that was there before, and no second one.
    assert found["user"] == username


def test_second_import_finds_everybody_linked(old_site: Site) -> None:
    assert "created" not in old_site.command("logto_import")


def test_sync_creates_and_updates(
    target: Target, make_person: MakePerson, tmp_path: Path, empty_database: Path
) -> None:
    site = Site(target, "shelf", tmp_path, has_webhooks=False)
    people = [make_person(f"listed{number}", name=f"Listed {number}") for number in range(3)]
    site.set_up()
    site.migrate(empty_database)
    site.command("logto_sync", "--create")
    target.api.patch(f"users/{people[0].id}", {"name": "Renamed"})
    site.command("logto_sync")
    with site.serving():
        assert people[0].sign_in(site)["name"] == "Renamed"
        assert "created" not in site.command("logto_sync", "--create")


def test_rollback_of_move_keeps_users_who_signed_in(target: Target, tmp_path: Path, empty_database: Path) -> None:
    site = Site(target, "moved", tmp_path, has_webhooks=False)
    site.set_up()
    site.migrate(empty_database)
    users = tmp_path / "users.json"
    kinds = ("md5", "sha1", "pbkdf2_sha256")
    users.write_text(json.dumps([_row(target, f"moved_{kind}", HASHES[kind]) for kind in kinds]))
    site.command("loaddata", str(users))
    plan = json.loads(site.command("logto_migrate", "plan", "--json"))
    assert (plan["imported"]["with_password"], sum(plan["not_imported"].values())) == (3, 0)
    assert "created: 3" in site.command("logto_migrate", "import")
    user = Person(target, f"{target.run}_moved_md5", PASSWORD)
    try:
        with site.serving():
            assert user.sign_in(site)["user"] == f"{target.run}_moved_md5"
    finally:
        user.close()
    status = json.loads(site.command("logto_migrate", "status", "--json"))
    assert (status["created"], status["signed_in"], status["without_password"]) == (3, 1, 0)
    done = json.loads(site.command("logto_migrate", "rollback", "--yes", "--json"))
    assert (done["counts"]["deleted"], done["counts"]["have_signed_in"]) == (2, 1)
    assert json.loads(site.command("logto_migrate", "status", "--json"))["linked"] == 1
