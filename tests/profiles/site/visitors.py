"""Users, machines and Logto itself, as the site of the profiles sees them; and the rows that they leave there."""

from __future__ import annotations

import time
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.db import models, router
from django.test import Client
from django.urls import get_script_prefix, reverse

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.rights import API
from tests.webhooks.deliveries import encoded, signature

Model = TypeVar("Model", bound=models.Model)
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class SiteClient(Client):
    """Django's test client, behind a server that removes the script prefix from each path, as servers do."""

    def generic(self, method: str, path: str, *args: Any, **options: Any) -> Any:
        prefix = get_script_prefix().rstrip("/")
        if prefix and not path.startswith(f"{prefix}/"):
            raise AssertionError(f"{path} is outside of the site, which is below {prefix}.")
        return super().generic(method, path.removeprefix(prefix), *args, **options)


# Browsers


def new_browser(logto: Emulator, **defaults: Any) -> Browser:
    """Return a browser without cookies, here and at Logto. `defaults` go into each request's environment."""
    return Browser(logto, SiteClient(**defaults))


def signed_in(logto: Emulator, username: str, **defaults: Any) -> Browser:
    """Return a browser in which this user has signed in."""
    browser = new_browser(logto, **defaults)
    response = browser.sign_in(username)
    assert response.status_code == 302, response.content.decode()
    return browser


def get(browser: Browser, name: str, *args: str, **query: str) -> Any:
    """Return the response of the page with this URL name."""
    return browser.client.get(reverse(name, args=args), query)


def home(browser: Browser, *organization_id: str) -> dict[str, Any]:
    """Return what the site knows of the visitor."""
    name = "branch" if organization_id else "home"
    content: dict[str, Any] = get(browser, name, *organization_id).json()
    return content


def is_signed_in(browser: Browser) -> bool:
    return home(browser)["user"] is not None


# Callers of the API


def call(name: str, *args: str, token: str | None = None) -> Any:
    """Return the response of the API view with this URL name."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return SiteClient().get(reverse(name, args=args), headers=headers)


def access_token(logto: Emulator, sub: str, *, scope: str = "read:books", audience: str = API, app: str = "app") -> str:
    """Return an access token as Logto issues it."""
    now = int(time.time())
    claims = {"iss": logto.issuer, "aud": audience, "sub": sub, "client_id": app, "iat": now, "exp": now + 3600}
    return logto.sign({**claims, "jti": f"{sub}{now}", "scope": scope}, header={"typ": "at+jwt"})


# Logto


def log_out_from_logto(logto: Emulator, **claims: Any) -> Any:
    """Return the site's answer to Logto's back-channel logout; `claims` has `sub`, `sid` or both."""
    client_id = next(iter(logto.tenant.applications))
    token = {"iss": logto.issuer, "aud": client_id, "iat": int(time.time()), "jti": f"jti{time.time_ns()}", **claims}
    signed = logto.sign({**token, "events": {LOGOUT_EVENT: {}}}, header={"typ": "logout+jwt"})
    client = SiteClient(raise_request_exception=False)
    return client.post(reverse("logto_auth:back-channel-logout"), {"logout_token": signed})


def deliver(payload: Any, *, key: str | None = None) -> int:
    """Return the status of the site's answer to a webhook."""
    body = encoded(payload)
    headers = {"logto-signature-sha-256": signature(body, key) if key else signature(body)}
    client = SiteClient(raise_request_exception=False)
    response = client.generic("POST", reverse("logto_auth:webhook"), body, "application/json", headers=headers)
    return int(response.status_code)


# Rows


def rows(model: type[Model]) -> models.QuerySet[Model]:
    """Return all rows of the model, from the database that they are written to."""
    return model._base_manager.using(router.db_for_write(model))


def account(sub: str) -> Any:
    """Return the account of a user at Logto."""
    return rows(get_user_model()).get(logto_identities__sub=sub)


def local_user(name: str, **fields: Any) -> Any:
    """Create an account without a Logto identity."""
    user_model: Any = get_user_model()
    user = user_model(**{user_model.USERNAME_FIELD: name, "email": f"{name}@example.com", **fields})
    user.set_password("secret")
    user.save()
    return user
