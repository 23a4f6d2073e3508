"""The move from django-allauth: users who signed in there with Logto keep their accounts."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.test import Client

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity
from tests.docs.pages import the_block
from tests.profiles.site.visitors import account, local_user, new_browser, rows, signed_in

GUIDE = "docs/how-to/move-from-other-packages.md"


@pytest.fixture
def allauth(logto: Emulator, settings: Any) -> Any:
    """allauth with Logto as its provider, registered at Logto under allauth's redirect URI."""
    app = next(iter(logto.tenant.applications.values()))
    app.redirect_uris.append("http://testserver/accounts/oidc/logto/login/callback/")
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "logto",
                    "name": "Logto",
                    "client_id": app.id,
                    "secret": app.secret,
                    "settings": {"server_url": f"{logto.endpoint}/oidc"},
                }
            ],
            "OAUTH_PKCE_ENABLED": True,
        }
    }
    return settings


def convert() -> None:
    the_block(GUIDE, "package identities of allauth").run()


def sign_in_through_allauth(logto: Emulator, username: str) -> Client:
    browser = new_browser(logto)
    location = browser.client.post("/accounts/oidc/logto/login/")["Location"]
    response = browser.open(browser.logto.sign_in(location, username))
    assert response.status_code == 302, response.content.decode()
    return browser.client


def test_user_of_allauth_keeps_account(allauth: Any, logto: Emulator) -> None:
    from allauth.socialaccount.models import SocialAccount

    former = sign_in_through_allauth(logto, "reader")
    user = rows(get_user_model()).get()
    assert SocialAccount.objects.get().uid == "reader000001"
    for _ in range(2):
        convert()
    signed_in(logto, "reader")
    assert account("reader000001") == user
    assert rows(get_user_model()).count() == 1
    assert former.get("/").json()["sub"] is None


def test_accounts_of_other_providers_get_no_identity() -> None:
    from allauth.socialaccount.models import SocialAccount

    SocialAccount.objects.create(user=local_user("ada"), provider="google", uid="reader000001")
    convert()
    assert not rows(LogtoIdentity).exists()


def test_user_with_two_users_at_logto_keeps_both() -> None:
    from allauth.socialaccount.models import SocialAccount

    user = local_user("ada")
    for uid in ("reader000001", "editor000001"):
        SocialAccount.objects.create(user=user, provider="logto", uid=uid)
    convert()
    assert {identity.sub for identity in rows(LogtoIdentity).filter(user=user)} == {"reader000001", "editor000001"}


def test_second_account_of_a_user_stops_the_loop(logto: Emulator) -> None:
    from allauth.socialaccount.models import SocialAccount

    signed_in(logto, "reader")
    SocialAccount.objects.create(user=local_user("ada"), provider="logto", uid="reader000001")
    with pytest.raises(IntegrityError), transaction.atomic():
        convert()
    assert account("reader000001").username != "ada"
