"""Accounts and sign-ins for tests of identities, without a browser."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from logto_auth.conf import conf
from logto_auth.users.provisioning import provision

User = get_user_model()

TRUST = "tests.support.trust_every_address"
HOUSE = "tests.support.trust_addresses_of_the_house"
TRUTHY = "tests.support.say_something_truthy"


def local_user(email: str = "reader@example.com", **fields: Any) -> Any:
    """Return an account of this site that has no identity at Logto."""
    return User.objects.create_user(fields.pop("username", f"local-{User.objects.count()}"), email, "secret", **fields)


def sign_in(**changes: Any) -> Any:
    """Return the user after a sign-in with these claims; the value `...` removes a claim."""
    claims = {
        "iss": conf.issuer,
        "sub": "reader000001",
        "username": "reader",
        "email": "reader@example.com",
        "email_verified": True,
        **changes,
    }
    return provision({name: value for name, value in claims.items() if value is not ...})[0].user
