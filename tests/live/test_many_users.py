"""Users who are copied: from Logto to the site, and from the site to Logto with their passwords."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth import hashers

from .conftest import PASSWORD, MakePerson
from .people import Person
from .sites import Site
from .targets import Target

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

# The hashes of Django that Logto can check.
HASHERS = {
    "pbkdf2_sha256": hashers.PBKDF2PasswordHasher(),
    "pbkdf2_sha1": hashers.PBKDF2SHA1PasswordHasher(),
    "argon2": hashers.Argon2PasswordHasher(),
    "bcrypt": hashers.BCryptPasswordHasher(),
}


@pytest.fixture(scope="session")
def old_site(target: Target, tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Site]:
    """A site whose users have passwords there, one of each kind. They have been imported into Logto."""
    site = Site(target, "old", tmp_path_factory.mktemp("old"), has_webhooks=False)
    site.set_up()
    site.migrate(empty_database)
    users = site.folder / "users.json"
    users.write_text(json.dumps([_row(target, kind, hasher) for kind, hasher in HASHERS.items()]))
    site.command("loaddata", str(users))
    assert f"created: {len(HASHERS)}" in site.command("logto_import")
    with site.serving():
        yield site


def _row(target: Target, kind: str, hasher: hashers.BasePasswordHasher) -> dict[str, object]:
    password = hasher.encode(PASSWORD, hasher.salt())
    return {"model": "auth.user", "fields": {"username": f"{target.run}_{kind}", "password": password}}


@pytest.mark.parametrize("kind", HASHERS)
def test_imported_password(old_site: Site, kind: str) -> None:
    if kind == "bcrypt" and old_site.target.is_emulator:
        pytest.skip("the emulator checks no bcrypt hashes")
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
