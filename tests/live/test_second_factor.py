"""The second factor: the claims script, what Logto's tokens then say, and the pages that require it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from .conftest import MakePerson, Note, opened
from .leftovers import SCRIPT
from .people import Person
from .sites import Site
from .targets import Target

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

CHALLENGE = 'error="insufficient_user_authentication"'
OTHER_TEAM = """const shopClaims = () => ({ shop: "north" });
%s
const getCustomJwtClaims = async ({ token, context }) => ({
  ...shopClaims(),
  ...logtoAuthClaims({ token, context }),
});
"""


@pytest.fixture(scope="session")
def vault(target: Target, tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Site]:
    """A site that requires a second factor for some pages. Its set-up installs the script."""
    site = Site(
        target,
        "vault",
        tmp_path_factory.mktemp("vault"),
        has_webhooks=False,
        has_account_pages=True,
        has_second_factor=True,
    )
    with opened(site, empty_database):
        yield site


class Keeper(Person):
    """A user with an authenticator app and backup codes."""

    totp_secret: str
    backup_codes: list[str]

    def another_factor(self) -> dict[str, str]:
        """Return a backup code. Logto accepts each code of an app once, so a second sign-in would have to wait."""
        return {"backup_code": self.backup_codes.pop()}


def with_factors(person: Person) -> Keeper:
    """Return a user with the same account, who has second factors from now on."""
    path = f"users/{person.id}/mfa-verifications"
    keeper = Keeper(person.target, person.username, person.password, person.id)
    keeper.totp_secret = person.target.api.post(path, {"type": "Totp"})["secret"]
    keeper.backup_codes = person.target.api.post(path, {"type": "BackupCode"})["codes"]
    return keeper


@pytest.fixture
def keeper(make_person: MakePerson, request: pytest.FixtureRequest) -> Iterator[Keeper]:
    """A new user with second factors."""
    with closing(with_factors(make_person(f"keeper{abs(hash(request.node.nodeid)) % 10**6}"))) as keeper:
        yield keeper


def methods(person: Person, site: Site) -> list[str]:
    found: list[str] = person.get(site, "/methods/").json()["methods"]
    return found


def is_admitted(person: Person, site: Site, path: str = "/vault/") -> bool:
    """Return whether the page opens. If not, it must lead to the page of the second factor."""
    page = person.get(site, path)
    if page.status_code == 200:
        return True
    assert page.status_code == 302, (page.status_code, page.text, site.log())
    assert urlsplit(page.headers["Location"]).path == "/second-factor", page.headers["Location"]
    return False


def script_of(target: Target) -> dict[str, Any]:
    found: dict[str, Any] = target.api.get(SCRIPT)
    return found


def test_set_up_installs_the_script_and_the_factors(vault: Site) -> None:
    mfa = vault.target.api.get("sign-in-exp")["mfa"]
    # Factors that were on before stay on.
    assert {"Totp", "BackupCode"} <= set(mfa["factors"])
    assert mfa["policy"] == "NoPrompt"
    assert "logtoAuthClaims" in script_of(vault.target)["script"]
    assert {step["action"] for step in vault.command_json("logto_setup", "--check")["steps"]} == {"nothing"}


def test_script_of_another_team_keeps_its_claims(vault: Site, keeper: Keeper) -> None:
    api = vault.target.api
    ours = script_of(vault.target)["script"]
    try:
        api.patch(SCRIPT, {"script": "const getCustomJwtClaims = async () => ({ shop: 'north' });"})
        refused = vault.run("logto_setup", "--yes", "--env-file", str(vault.env_file))
        assert refused.returncode != 0
        assert "logtoAuthClaims" in refused.stdout + refused.stderr
        lines = ours.splitlines()
        block = lines[next(i for i, line in enumerate(lines) if "logto_auth: begin" in line) :]
        block = block[: next(i for i, line in enumerate(block) if "logto_auth: end" in line) + 1]
        stale = [line if "const types" not in line else "" for line in block]
        api.patch(SCRIPT, {"script": OTHER_TEAM % "\n".join([block[0], *stale[1:-1], block[-1]])})
        vault.set_up()
        script = script_of(vault.target)["script"]
        assert "\n".join(block) in script
        assert script.startswith("const shopClaims")
        keeper.sign_in_with_factor(vault, totp_secret=keeper.totp_secret)
        assert is_admitted(keeper, vault)
    finally:
        api.patch(SCRIPT, {"script": ours})


def test_password_alone_is_no_second_factor(vault: Site, make_person: MakePerson) -> None:
    person = make_person("single")
    person.sign_in(vault)
    assert methods(person, vault) == ["Password"]
    assert not is_admitted(person, vault)
    page = person.follow(vault, "/vault/")
    assert (page.status_code, urlsplit(page.url).path) == (403, "/second-factor")
    # After the user has set a factor up, the page leads to a sign-in that asks for it.
    with closing(with_factors(person)) as keeper:
        keeper.sign_in_with_factor(vault, "/vault/", totp_secret=keeper.totp_secret)
        assert is_admitted(keeper, vault)
    # The other browser has not used it.
    assert not is_admitted(person, vault)


def test_second_factor_of_the_sign_in_counts_over_refreshes(vault: Site, keeper: Keeper) -> None:
    page = keeper.sign_in_with_factor(vault, totp_secret=keeper.totp_secret)
    assert page.status_code == 200
    assert methods(keeper, vault) == ["Password", "Totp"]
    assert is_admitted(keeper, vault)
    keeper.get(vault, "/refresh/")
    assert is_admitted(keeper, vault)


def test_max_age_asks_for_the_factor_again(vault: Site, keeper: Keeper) -> None:
    keeper.sign_in_with_factor(vault, totp_secret=keeper.totp_secret)
    # Nobody knows when the factor of an ordinary sign-in was used.
    assert not is_admitted(keeper, vault, "/vault/recent/")
    page = keeper.sign_in_with_factor(vault, "/vault/recent/", **keeper.another_factor())
    assert page.status_code == 200, page.text
    assert page.json()["methods"] == ["BackupCode", "Password"]
    assert page.json()["at"]


@pytest.mark.parametrize("prompt", ["none", "login"])
def test_changed_prompt_proves_nothing(vault: Site, keeper: Keeper, prompt: str) -> None:
    keeper.sign_in_with_factor(vault, totp_secret=keeper.totp_secret)
    url = keeper.url_at_logto(vault, "/vault/recent/")
    assert "prompt=login+consent" in url
    changed = url.replace("prompt=login+consent", f"prompt={prompt}")
    callback = keeper.logto.sign_in(changed, keeper.username, keeper.password, **keeper.another_factor())
    page = keeper.follow(vault, callback)
    assert (page.status_code, urlsplit(page.url).path) == (403, "/second-factor")
    assert keeper.is_signed_in(vault)
    assert methods(keeper, vault) == []
    assert not is_admitted(keeper, vault)


def test_made_up_factor_proves_nothing(vault: Site, make_person: MakePerson) -> None:
    if vault.target.is_emulator:
        pytest.skip("The emulator has no page on which a new authenticator app is verified and not added.")
    thief = make_person("thief")
    callback = thief.logto.sign_in_with_made_up_app(thief.start(vault), thief.username, thief.password)
    thief.arrive(vault, callback)
    assert methods(thief, vault) == ["Password"]
    # The owner adds their first authenticator app.
    vault.target.api.post(f"users/{thief.id}/mfa-verifications", {"type": "Totp"})
    thief.get(vault, "/refresh/")
    assert methods(thief, vault) == ["Password"]
    assert not is_admitted(thief, vault)


def test_silent_sign_in_elsewhere(vault: Site, library: Site, keeper: Keeper, note: Note) -> None:
    """Logto 1.42 forgets how the user signed in when an application that has a grant asks for consent again."""
    keeper.sign_in_with_factor(vault, totp_secret=keeper.totp_secret)
    keeper.sign_in_silently(library)
    keeper.get(vault, "/refresh/")
    assert is_admitted(keeper, vault)
    keeper.sign_in_silently(library, prompt="consent")
    # The site has not asked Logto yet.
    assert is_admitted(keeper, vault)
    keeper.get(vault, "/refresh/")
    is_forgotten = not is_admitted(keeper, vault)
    note("forgotten" if is_forgotten else "kept")
    if is_forgotten:
        keeper.sign_in_with_factor(vault, "/vault/", **keeper.another_factor())
        assert is_admitted(keeper, vault)


def test_end_of_the_session_at_logto_takes_the_factor(vault: Site, keeper: Keeper) -> None:
    keeper.sign_in_with_factor(vault, totp_secret=keeper.totp_secret)
    api = vault.target.api
    for session in api.get(f"users/{keeper.id}/sessions")["sessions"]:
        api.delete(f"users/{keeper.id}/sessions/{session['payload']['uid']}")
    keeper.get(vault, "/refresh/")
    assert keeper.is_signed_in(vault)
    assert methods(keeper, vault) == []
    assert not is_admitted(keeper, vault)


def test_user_who_turned_the_factor_off_is_told_so(vault: Site, keeper: Keeper) -> None:
    vault.target.api.patch(f"users/{keeper.id}/logto-configs", {"mfa": {"skipMfaOnSignIn": True}})
    keeper.sign_in(vault)
    assert methods(keeper, vault) == ["Password"]
    page = keeper.follow(vault, "/vault/")
    assert (page.status_code, urlsplit(page.url).path) == (403, "/second-factor")


def test_api_asks_for_step_up(vault: Site, keeper: Keeper, make_person: MakePerson) -> None:
    person = make_person("caller")
    person.sign_in(vault)
    keeper.sign_in_with_factor(vault, totp_secret=keeper.totp_secret)
    api = f"https://{vault.target.run.replace('_', '-')}.example/api"
    for caller, status in ((person, 401), (keeper, 200)):
        token = caller.get(vault, "/token/", resource=api).json()["token"]
        answer = caller._send("GET", vault, "/api/vault/", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status, answer.text
        assert (CHALLENGE in answer.headers.get("WWW-Authenticate", "")) == (status == 401)


def test_doctor_tries_the_script(vault: Site) -> None:
    def levels() -> dict[str, str]:
        findings = vault.run("logto_doctor", "--json").stdout
        return {each["check"]: each["level"] for each in json.loads(findings)["findings"]}

    api = vault.target.api
    ours = script_of(vault.target)["script"]
    assert levels()["authentication-methods"] == "ok"
    try:
        api.patch(SCRIPT, {"script": ours.replace("...logtoAuthClaims(parameters)", "")})
        assert levels()["authentication-methods"] == "failure"
    finally:
        api.patch(SCRIPT, {"script": ours})
