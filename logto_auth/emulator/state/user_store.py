"""The users of a tenant, with an index of their identifiers, so that large tenants are fast."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from zlib import crc32

from . import ids
from .columns import stored_json, stored_text
from .password_digests import PasswordDigest
from .records import User
from .tenant_tables import DuplicateError, TenantTables

_USERNAME = re.compile(r"[A-Z_a-z]\w*", re.ASCII)

# The unique identifiers, and Logto's word for each in its error codes.
_IDENTIFIERS = {"username": "username", "primary_email": "email", "primary_phone": "phone"}

_Key = tuple[str, ...]

_TEXTS = {"username", "primary_email", "primary_phone", "name", "avatar"}
_JSON = {"profile", "identities", "custom_data"}


class UserStore(TenantTables):
    """Adding, changing, deleting and finding users."""

    def _clear(self) -> None:
        super()._clear()
        self._sub_by_key: dict[_Key, str] = {}
        self._subs_by_role: dict[str, dict[str, None]] = {}
        self._has_given_times = False

    def _user_ended(self, sub: str) -> None:
        """End the sessions and stored tokens of a user who was suspended or deleted."""

    def add_user(
        self,
        *,
        username: str | None = None,
        password: str | None = None,
        password_digest: PasswordDigest | None = None,
        primary_email: str | None = None,
        primary_phone: str | None = None,
        name: str | None = None,
        avatar: str | None = None,
        profile: Mapping[str, Any] | None = None,
        identities: Mapping[str, Any] | None = None,
        sso_identities: Sequence[dict[str, Any]] = (),
        custom_data: Mapping[str, Any] | None = None,
        roles: Iterable[str] = (),
        has_mfa: bool = False,
        is_suspended: bool = False,
        id: str | None = None,
        created_at: int | None = None,
    ) -> User:
        """Add a user, who also receives all default roles, and return it.

        With `created_at`, in milliseconds, the user is as one of a script that inserts users into Logto's database:
        lists have no stable order of those with equal times.

        Raise DuplicateError for a username, email or phone in use, and ValueError for an unknown role.
        """
        with self.lock:
            self._refuse_taken({"username": username, "primary_email": primary_email, "primary_phone": primary_phone})
            defaults = [role.name for role in self.roles.values() if role.is_default and role.type == "User"]
            now = self.clock.now_ms()
            user = User(
                id=id or ids.short_id(),
                created_at=now if created_at is None else created_at,
                is_created_at_given=created_at is not None,
                updated_at=now,
                username=stored_text(username),
                password=password,
                password_digest=password_digest,
                primary_email=stored_text(primary_email),
                primary_phone=stored_text(primary_phone),
                name=stored_text(name),
                avatar=stored_text(avatar),
                profile=stored_json(dict(profile or {})),
                identities=stored_json(dict(identities or {})),
                sso_identities=list(sso_identities),
                custom_data=stored_json(dict(custom_data or {})),
                roles=self._existing_roles([*roles, *defaults]),
                has_mfa=has_mfa,
                is_suspended=is_suspended,
            )
            self.users[user.id] = user
            self._has_given_times |= user.is_created_at_given
            self._sub_by_key.update(dict.fromkeys(_keys(user), user.id))
            self._count_roles(user, before=[])
            return user

    def update_user(self, sub: str, **changes: Any) -> User:
        """Change fields of a user and return it. The names are those of `add_user`."""
        with self.lock:
            user = self.users[sub]
            unknown = [name for name in changes if not hasattr(user, name)]
            if unknown:
                raise TypeError(f"User has no field {unknown[0]!r}.")
            changes = {name: _stored(name, value) for name, value in changes.items()}
            self._refuse_taken(changes, allowed_sub=sub)
            if "roles" in changes:
                changes["roles"] = self._existing_roles(changes["roles"])
            self._forget_keys(user)
            held = user.roles
            for name, value in changes.items():
                setattr(user, name, value)
            self._sub_by_key.update(dict.fromkeys(_keys(user), sub))
            self._count_roles(user, before=held)
            if changes.keys() - {"roles"}:
                user.updated_at = self.clock.now_ms()
        if changes.get("is_suspended"):
            self._user_ended(sub)
        return user

    def suspend_user(self, sub: str, *, is_suspended: bool = True) -> None:
        """Suspend a user. Sessions and stored tokens end, JWTs remain valid, and no back-channel logout is sent."""
        self.update_user(sub, is_suspended=is_suspended)

    def delete_user(self, sub: str) -> None:
        """Delete a user. Sessions and tokens end as with a suspension."""
        with self.lock:
            user = self.users.pop(sub)
            self._forget_keys(user)
            self._set_roles(user, [])
            for organization in self.organizations.values():
                organization.members.pop(sub, None)
            gone = [each for each in self.invitations.values() if sub in {each.inviter_id, each.accepted_user_id}]
            for invitation in gone:
                del self.invitations[invitation.id]
            for token in [each for each in self.personal_access_tokens.values() if each.user_id == sub]:
                del self.personal_access_tokens[token.value]
        self._user_ended(sub)

    def find_user(self, **identifier: str) -> User | None:
        """Return the user with this `username`, `primary_email`, `primary_phone` or other field, or None.

        E-mails are compared without case, and usernames with it.
        """
        ((name, value),) = identifier.items()
        if name in _IDENTIFIERS:
            key = _key(name, value)
            user = self.users.get(self._sub_by_key.get(key, ""))
            return user if user is not None and key in _keys(user) else None
        return next((user for user in list(self.users.values()) if getattr(user, name) == value), None)

    def find_user_by_identity(self, target: str, user_id: str) -> User | None:
        """Return the user who is linked to an account at a social provider, or None."""
        user = self.users.get(self._sub_by_key.get(("identities", target, user_id), ""))
        linked = user is not None and user.identities.get(target, {}).get("userId") == user_id
        return user if linked else None

    def newest_first(self, subs: dict[str, Any], *, query: str) -> Iterable[User]:
        """Return the users with these ids, the latest first, in the order of Logto's lists.

        Logto sorts by the time of creation alone. Users who are created one after the other have different times,
        because its database stores microseconds. Equal times are in any order, which each `query` changes.
        """
        newest = (self.users[sub] for sub in reversed(subs))
        if not self._has_given_times:
            return newest

        def key(user: User) -> tuple[int, int]:
            return user.created_at, crc32(f"{user.id} {query}".encode()) if user.is_created_at_given else 0

        return sorted(newest, key=key, reverse=True)

    def users_with_role(self, name: str) -> dict[str, None]:
        """Return the ids of the users with a global role, in the order in which they received it."""
        return self._subs_by_role.get(name, {})

    def username_is_well_formed(self, username: str) -> bool:
        return _USERNAME.fullmatch(username) is not None

    def _refuse_taken(self, wanted: Mapping[str, Any], *, allowed_sub: str | None = None) -> None:
        for name, word in _IDENTIFIERS.items():
            value = wanted.get(name)
            owner = self.find_user(**{name: value}) if value else None
            if owner is not None and owner.id != allowed_sub:
                raise DuplicateError(f"user.{word}_already_in_use")

    def _set_roles(self, user: User, names: list[str]) -> None:
        held, user.roles = user.roles, names
        self._count_roles(user, before=held)

    def _count_roles(self, user: User, *, before: list[str]) -> None:
        """Update the index of role holders. Users who keep a role keep their position."""
        for name in set(before) - set(user.roles):
            self._subs_by_role.get(name, {}).pop(user.id, None)
        for name in user.roles:
            self._subs_by_role.setdefault(name, {}).setdefault(user.id, None)

    def _forget_keys(self, user: User) -> None:
        for key in _keys(user):
            if self._sub_by_key.get(key) == user.id:
                del self._sub_by_key[key]


def _stored(name: str, value: Any) -> Any:
    """Return what the column of an attribute has after `value` was written to it."""
    if name in _TEXTS:
        return stored_text(value)
    return stored_json(value) if name in _JSON else value


def _key(name: str, value: str) -> _Key:
    """Return the index key of an identifier. Case matters in usernames, and not in e-mails."""
    return (name, value.lower() if name == "primary_email" else value)


def _keys(user: User) -> Iterator[_Key]:
    """Yield the index keys of a user: identifiers, and accounts at social providers."""
    for name in _IDENTIFIERS:
        if value := getattr(user, name):
            yield _key(name, value)
    for target, identity in user.identities.items():
        yield ("identities", target, str(identity.get("userId")))
