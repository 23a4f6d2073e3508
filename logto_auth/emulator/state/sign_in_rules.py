"""Signing a user in by password or by Alipay, and registering new users."""

from __future__ import annotations

from .application_record import Application
from .records import User
from .tenant import Tenant
from .tenant_tables import DuplicateError


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
    user = (
        tenant.find_user(username=identifier)
        or tenant.find_user(primary_email=identifier)
        or tenant.find_user(primary_phone=identifier)
    )
    if not identifier or user is None or not user.password_fits(password):
        raise SignInRefused("session.invalid_credentials", "The account or the password is wrong.")
    if user.password_digest is not None:
        # Logto replaces an imported digest by one of its own after the first sign-in.
        user.password, user.password_digest = password, None
    return user


def new_user(tenant: Tenant, username: str, password: str) -> User:
    """Add a user with a username and a password, and return it. Raise SignInRefused if Logto would refuse it."""
    experience = tenant.sign_in_experience
    if not experience.can_register_with_username:
        raise SignInRefused("auth.forbidden", "Registration is closed.", status=403)
    if not tenant.username_is_well_formed(username):
        raise SignInRefused(
            "guard.invalid_input", "A username has letters, digits and _ only, and no digit at the start."
        )
    if len(password) < experience.min_password_length:
        message = f"The password needs at least {experience.min_password_length} characters."
        raise SignInRefused("password.rejected", message)
    try:
        return tenant.add_user(username=username, password=password)
    except DuplicateError as error:
        raise SignInRefused(error.code, "That username is taken.") from error


def alipay_user(tenant: Tenant, user_id: str, nick_name: str | None, avatar: str | None) -> User:
    """Return the user who is linked to an Alipay account, and add one at the first sign-in.

    Alipay reports no email and no phone. Name and avatar are stored at the first sign-in only.
    """
    if not user_id:
        raise SignInRefused("connector.invalid_response", "An Alipay account needs a user id.", status=400)
    with tenant.lock:
        user = tenant.find_user_by_identity("alipay", user_id)
        if user is not None:
            return user
        if not tenant.sign_in_experience.can_register:
            raise SignInRefused("auth.forbidden", "Registration is closed.", status=403)
        identity = _alipay_identity(user_id, nick_name, avatar)
        return tenant.add_user(name=nick_name, avatar=avatar, identities={"alipay": identity})


def check_not_suspended(user: User) -> None:
    if user.is_suspended:
        raise SignInRefused("user.suspended", "This account is suspended.", status=401)


def record_sign_in(tenant: Tenant, user: User, client: Application) -> None:
    """Store the time, and the application of the first sign-in. `updated_at` changes too, as recorded from Logto."""
    user.last_sign_in_at = tenant.clock.now_ms()
    user.updated_at = user.last_sign_in_at
    user.application_id = user.application_id or client.id


def _alipay_identity(user_id: str, nick_name: str | None, avatar: str | None) -> dict[str, object]:
    """Return the identity in the format of the connector, without the values that Alipay does not report."""
    reported = {"avatar": avatar, "nick_name": nick_name}
    answer = {"code": "10000", "msg": "Success", "user_id": user_id}
    answer |= {name: value for name, value in reported.items() if value is not None}
    details: dict[str, object] = {"id": user_id}
    details |= {name: value for name, value in {"name": nick_name, "avatar": avatar}.items() if value is not None}
    details["rawData"] = {"sign": "emulator", "alipay_user_info_share_response": answer}
    return {"userId": user_id, "details": details}
