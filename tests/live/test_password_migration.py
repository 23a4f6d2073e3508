"""Passwords that Logto cannot import: Logto asks the site at the first sign-in, and keeps the password then.

The script belongs to the whole tenant. It is there during these journeys only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import bcrypt
import pytest
from django.contrib.auth import hashers

from logto_auth.emulator import VisitFailed

from .conftest import PASSWORD
from .leftovers import ACTION
from .people import Person
from .sites import Site
from .targets import Target

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

ENDPOINT = "/password-migration/logto"
HASHES = {
    "scrypt": hashers.ScryptPasswordHasher().encode(PASSWORD, "NaClNaClNaCl"),
    "bcrypt_sha256": hashers.BCryptSHA256PasswordHasher().encode(PASSWORD, bcrypt.gensalt(4)),
    "staff": hashers.ScryptPasswordHasher().encode(PASSWORD, "NaClNaClNaCl"),
    "newer": hashers.ScryptPasswordHasher().encode(PASSWORD, "NaClNaClNaCl"),
}
NEWER_PASSWORD = "Newer-and-strange-4712"


@pytest.fixture(scope="module")
def moving_site(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose users have passwords of kinds that Logto does not take. They have been imported into Logto."""
    if target.is_emulator and target.version == "1.41":
        pytest.skip("Logto 1.41 has no Actions.")
    if target.options.site_host:
        pytest.skip("Logto would send the passwords to another machine in clear text.")
    folder = tmp_path_factory.mktemp("moving")
    site = Site(target, "moving", folder, has_webhooks=False, moves_passwords="1")
    site.migrate(folder / "empty.sqlite3")
    users = folder / "users.json"
    users.write_text(
        json.dumps(
            [
                {
                    "model": "auth.user",
                    "fields": {
                        "username": f"{target.run}_old_{kind}",
                        "password": password,
                        "is_staff": kind == "staff",
                    },
                }
                for kind, password in HASHES.items()
            ]
        )
    )
    site.command("loaddata", str(users))
    try:
        site.set_up()
        assert f"without password: {len(HASHES)}" in site.command("logto_import")
        with site.serving():
            yield site
    finally:
        site.moves_passwords = "0"
        site.command("logto_setup", "--yes")


@pytest.fixture
def person(moving_site: Site) -> Iterator[Callable[..., Person]]:
    people: list[Person] = []

    def make(kind: str, password: str = PASSWORD) -> Person:
        people.append(Person(moving_site.target, f"{moving_site.target.run}_old_{kind}", password))
        return people[-1]

    yield make
    for each in people:
        each.close()


def status_of(site: Site) -> str:
    code = (
        "from logto_auth.password_migration import status; found = status(); "
        "print(found.total, found.migrated, found.left, found.is_installed)"
    )
    return site.command("shell", "-v0", "-c", code).strip().splitlines()[-1]


@pytest.mark.parametrize("kind", ["scrypt", "bcrypt_sha256"])
def test_old_password_moves_at_the_first_sign_in(moving_site: Site, person: Callable[..., Person], kind: str) -> None:
    with pytest.raises(VisitFailed, match=r"invalid_credentials|password is wrong"):
        person(kind, "Wrong-and-strange-1").sign_in(moving_site)
    assert person(kind).sign_in(moving_site)["user"] == f"{moving_site.target.run}_old_{kind}"
    asked = len(moving_site.received(ENDPOINT))
    # Logto has the password now, and does not ask again.
    assert person(kind).sign_in(moving_site)["user"] == f"{moving_site.target.run}_old_{kind}"
    assert len(moving_site.received(ENDPOINT)) == asked
    assert set(moving_site.received(ENDPOINT)) == {200}


def test_staff_do_not_move(moving_site: Site, person: Callable[..., Person]) -> None:
    with pytest.raises(VisitFailed, match=r"invalid_credentials|password is wrong"):
        person("staff").sign_in(moving_site)


def test_password_at_logto_is_not_replaced(moving_site: Site, person: Callable[..., Person]) -> None:
    username = f"{moving_site.target.run}_old_newer"
    (user,) = moving_site.target.api.all("users", search=f"{username}%")
    moving_site.target.api.patch(f"users/{user['id']}/password", {"password": NEWER_PASSWORD})
    with pytest.raises(VisitFailed, match=r"invalid_credentials|password is wrong"):
        person("newer").sign_in(moving_site)
    assert person("newer", NEWER_PASSWORD).sign_in(moving_site)["user"] == username


def test_setup_finds_the_script_and_repairs_it(moving_site: Site) -> None:
    moving_site.command("logto_setup", "--check")
    moving_site.target.api.patch(ACTION, {"enabled": False})
    assert "enabled: no -> yes" in moving_site.command("logto_setup", "--check", code=1)
    moving_site.command("logto_setup", "--yes")
    moving_site.command("logto_setup", "--check")


def test_status_says_what_has_moved(moving_site: Site) -> None:
    # The one with a newer password at Logto was found at the failed sign-in.
    assert status_of(moving_site) == "3 3 0 True"
