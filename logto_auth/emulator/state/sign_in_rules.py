"""Signing a user in by password or by Alipay, and registering new users."""

from __future__ import annotations

from typing import Any

from .password_digests import MalformedDigest
from .records import User
from .tenant import Tenant
from .verified_users import NewUser, ReturningUser, VerifiedUser


class SignInRefused(Exception):
    """A refused sign-in. The page shows `message`; `code` and `status` are those of Logto's Experience API."""

    def __init__(self, code: str, message: str, *, status: int = 422) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def user_with_password(tenant: Tenant, identifier: str, password: str) -> User:
    """Return the user with this username, email or phone and this password, or raise SignInRefused."""
    if not tenant.sign_in_experience.takes_passwords:
        raise SignInRefused("user.sign_in_method_not_enabled", "Signing in with a password is not enabled.")
    user = find_typed_user(tenant, identifier)
    try:
        if not identifier or user is None or not accepts_password(user, password):
            raise SignInRefused("session.invalid_credentials", "The account or the password is wrong.")
    except MalformedDigest:
        raise SignInRefused("server_error", "Internal server error.", status=500) from None
    if "@" in identifier:
        check_enterprise_domain(tenant, identifier)
    return user


def find_typed_user(tenant: Tenant, identifier: str) -> User | None:
    """Return the user with this username, email or phone, or None."""
    return (
        tenant.find_user(username=identifier)
        or tenant.find_user(primary_email=identifier)
        or tenant.find_user(primary_phone=identifier)
    )


def check_enterprise_domain(tenant: Tenant, email: str) -> None:
    """Raise SignInRefused if users with this e-mail have to sign in with an enterprise connector.

    Logto asks that of a new user with a one-time token, and of each user who types the e-mail.
    """
    is_on = tenant.sign_in_experience.settings["singleSignOnEnabled"]
    if is_on and any(connector.is_for(email) for connector in list(tenant.sso_connectors.values())):
        raise SignInRefused("session.sso_enabled", "Users with this e-mail sign in with an enterprise connector.")


def accepts_password(user: User, password: str) -> bool:
    """Return whether the password is that of the user. Raise MalformedDigest.

    Like Logto, replace an imported digest by one of its own once the password was right.
    """
    if not user.password_fits(password):
        return False
    user.password, user.password_digest = password, None
    return True


def new_user(tenant: Tenant, username: str, password: str) -> User:
    """Add a user with a username and a password, and return it. Raise SignInRefused if Logto would refuse it."""
    if not tenant.sign_in_experience.can_register_with_username:
        raise SignInRefused("auth.forbidden", "Registration is closed.", status=403)
    with tenant.lock:
        check_new_username(tenant, username)
        check_new_password(tenant, password)
        return tenant.add_user(username=username, password=password)


def check_new_username(tenant: Tenant, username: str) -> None:
    if not tenant.username_is_well_formed(username):
        raise SignInRefused(
            "guard.invalid_input", "A username has letters, digits and _ only, and no digit at the start."
        )
    if tenant.find_user(username=username) is not None:
        raise SignInRefused("user.username_already_in_use", "That username is taken.")


def check_new_password(tenant: Tenant, password: str) -> None:
    at_least = tenant.sign_in_experience.min_password_length
    if len(password) < at_least:
        raise SignInRefused("password.rejected", f"The password needs at least {at_least} characters.")


def alipay_user(tenant: Tenant, user_id: str, nick_name: str | None, avatar: str | None) -> VerifiedUser:
    """Return the user who is linked to an Alipay account, or a new user to add.

    Alipay reports no email and no phone. Name and avatar are stored at the first sign-in only.
    """
    if not user_id:
        raise SignInRefused("connector.invalid_response", "An Alipay account needs a user id.", status=400)
    user = tenant.find_user_by_identity("alipay", user_id)
    if user is not None:
        return ReturningUser(user, is_social=True)
    if not tenant.sign_in_experience.can_register:
        raise SignInRefused("auth.forbidden", "Registration is closed.", status=403)
    identity = alipay_identity(user_id, nick_name, avatar)
    return NewUser({"name": nick_name, "avatar": avatar, "identities": {"alipay": identity}})


def check_account(tenant: Tenant, user: User) -> None:
    """Raise SignInRefused for a user who was deleted or suspended, possibly during the sign-in."""
    if user.id not in tenant.users:
        raise unknown_account()
    check_not_suspended(user)


def unknown_account() -> SignInRefused:
    return SignInRefused("user.user_not_exist", "That account does not exist.", status=404)


def check_not_suspended(user: User) -> None:
    if user.is_suspended:
        raise SignInRefused("user.suspended", "This account is suspended.", status=401)


def record_sign_in(tenant: Tenant, user: User) -> None:
    """Store the time of a sign-in. `updated_at` changes too, as recorded from Logto."""
    user.last_sign_in_at = tenant.clock.now_ms()
    user.updated_at = user.last_sign_in_at


def alipay_identity(user_id: str, nick_name: str | None, avatar: str | None) -> dict[str, Any]:
    """Return the identity in the format of the connector, without the values that Alipay does not report."""
    reported = {"avatar": avatar, "nick_name": nick_name}
    answer = {"code": "10000", "msg": "Success", "user_id": user_id}
    answer |= {name: value for name, value in reported.items() if value is not None}
    details: dict[str, Any] = {"id": user_id}
    details |= {name: value for name, value in {"name": nick_name, "avatar": avatar}.items() if value is not None}
    details["rawData"] = {"sign": "emulator", "alipay_user_info_share_response": answer}
    return {"userId": user_id, "details": details}
