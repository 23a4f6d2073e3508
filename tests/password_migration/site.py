"""A site that moves passwords, its accounts, and calls of Logto's script."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, ScryptPasswordHasher, make_password
from django.core.cache import cache
from django.test import Client
from django.urls import include, path

from logto_auth.conf import conf
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity
from logto_auth.tenant import TenantDeclaration

KEY = "a-key-of-the-tests-with-enough-characters"
PASSWORD = "Old-Passw0rd1"
URL = "/password-migration/logto"
MANAGEMENT_ROLE = "Logto Management API access"
TENANT = TenantDeclaration(password_migration=True, webhook_events=())

urlpatterns = [path("", include("logto_auth.password_migration.urls")), path("", include("bookstore.urls"))]


class CountedScrypt(ScryptPasswordHasher):
    """Django's hasher with the smallest work factor. It notes what it computes."""

    work_factor = 2
    computed: ClassVar[list[str]] = []

    def verify(self, password: str, encoded: str) -> bool:
        self.computed.append(self.algorithm)
        return super().verify(password, encoded)


class CountedBCrypt(BCryptSHA256PasswordHasher):
    """The same of another kind that Logto does not take."""

    rounds = 4

    def verify(self, password: str, encoded: str) -> bool:
        CountedScrypt.computed.append(self.algorithm)
        return super().verify(password, encoded)


def set_up(logto: Emulator, settings: Any) -> None:
    """Let the site of the test move passwords."""
    cache.clear()
    CountedScrypt.computed.clear()
    settings.ROOT_URLCONF = __name__
    settings.PASSWORD_HASHERS = [
        f"{__name__}.CountedScrypt",
        f"{__name__}.CountedBCrypt",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    settings.LOGTO_TENANT = f"{__name__}.TENANT"
    settings.LOGTO_PASSWORD_MIGRATION_KEY = KEY
    settings.LOGTO_PASSWORD_MIGRATION_UNTIL = "2999-12-31"
    machine = logto.tenant.add_application(name="Mover", type="MachineToMachine", roles=[MANAGEMENT_ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret


def add_account(
    logto: Emulator, username: str, *, hasher: str = "scrypt", at_logto: dict[str, Any] | None = None, **fields: Any
) -> Any:
    """Return an account with `PASSWORD`, as the import leaves it: linked to a user at Logto without a password."""
    user = get_user_model().objects.create(username=username, password=make_password(PASSWORD, hasher=hasher), **fields)
    LogtoIdentity.objects.create(user=user, issuer=conf.issuer, sub=f"sub{username}")
    logto.tenant.add_user(id=f"sub{username}", username=username, **(at_logto or {}))
    return user


def body_of(sub: str | None, password: Any = PASSWORD, **values: Any) -> bytes:
    """Return the body of a call."""
    identifier = {"type": "username", "value": (sub or "subunknown").removeprefix("sub")}
    return json.dumps({"user_id": sub, "identifier": identifier, "password": password, **values}).encode()


def signed(body: bytes, *, at: float | None = None, key: str = KEY) -> dict[str, str]:
    """Return the headers of a call."""
    sent_at = str(int(time.time() if at is None else at))
    signature = hmac.new(key.encode(), sent_at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"logto-auth-time": sent_at, "logto-auth-signature": signature}


def send(body: bytes, headers: dict[str, str] | None = None, *, secure: bool = True, **options: Any) -> Any:
    """Send a call, signed unless `headers` are given, and return the response."""
    headers = signed(body) if headers is None else headers
    return Client(enforce_csrf_checks=True, **options).post(
        URL, body, content_type="application/json", headers=headers, secure=secure
    )


def ask(sub: str | None, password: Any = PASSWORD) -> tuple[int, Any]:
    """Ask about a password, as Logto's script does; return the status and the answer or the code."""
    # Two calls of one second with the same password have the same signature.
    response = send(body_of(sub, password, nonce=time.perf_counter_ns()))
    answer = response.json()
    return response.status_code, answer.get("verified", answer.get("error"))
