"""The members of an organization and their roles."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from logto_auth.exceptions import LogtoError, ManagementAPIError
from logto_auth.management_api.answers import is_unknown, plain_text, read
from logto_auth.memberships.claims import Membership
from logto_auth.oidc.claims import storable

from .answers import UserNames, names_by_id, user_names
from .effects import after_change, end_membership, refresh_own_claims, store_membership
from .errors import ChangedMeanwhile, Incomplete, LastOwner, MemberGone, NotAMember, NotPermitted, RoleNotGrantable
from .locks import organization_locked
from .rights import OrganizationRights, is_id
from .values import PAGE_SIZE, Member, MemberPage

if TYPE_CHECKING:
    from logto_auth.management_api import types

__all__ = ["MAX_SEARCH_LENGTH", "Members"]

MAX_SEARCH_LENGTH = 128
# What a phone number can match: Logto stores digits, and its search knows wildcards.
PHONE = re.compile(r"[0-9%_\\]+")
NO_MEMBER = "organization.require_membership"


class Members(OrganizationRights):
    """What an organization's managers do with its members."""

    def members(self, *, search: str = "", page: int = 1) -> MemberPage:
        """Return a page of the members. Raise NotPermitted."""
        self.require("view_members")
        number = min(max(1, page), 1_000_000)
        text = storable(search).strip()[:MAX_SEARCH_LENGTH]
        if PHONE.fullmatch(text):
            rows, count = self._without_phones(text, number)
        else:
            rows, count = self._api.organizations.page_of_users(self.id, number, page_size=PAGE_SIZE, q=text or None)
        return MemberPage(members=tuple(map(self._member_in, rows)), number=number, count=count)

    def member(self, user_id: str) -> Member:
        """Return one member. Raise MemberGone, NotPermitted."""
        self.require("view_members")
        names = self._user(user_id)
        return self._member(names, self._live_roles(user_id).values())

    def set_roles(self, user_id: str, roles: Sequence[str], *, before: Sequence[str] | None = None) -> Member:
        """Give a member these roles, by name, and take the others away.

        `before` are the roles that the form has shown. Raise ChangedMeanwhile if the member has others by now, unless
        the same change was made meanwhile; MemberGone, RoleNotGrantable, LastOwner, NotPermitted, and Incomplete.
        """
        self.require("manage_members")
        names, ids = self._user(user_id), self._role_ids(roles)
        with self._locked(user_id):
            live = self._live_roles(user_id)
            held = frozenset(live.values())
            added, removed = ids.keys() - held, held - ids.keys()
            if before is not None and not _leads_from(frozenset(before), held, frozenset(ids)):
                raise ChangedMeanwhile(f"The roles of {user_id} in {self.id} are not those that the form has shown.")
            self._require_grantable(added | removed)
            if self._has_owner_role(held, self._rules) and not self._has_owner_role(ids, self._rules):
                self._require_other_owner(user_id)
            former_ids = {id: name for id, name in live.items() if name in removed}
            current, incomplete = self._change_roles(
                user_id, held, {name: ids[name] for name in sorted(added)}, former_ids
            )
        membership = Membership(id=self.id, name=self.name, roles=tuple(sorted(current)))
        change_rows = partial(store_membership, user_id, membership)
        # Also what was done before a failure is announced, so that no change is missing in an audit trail.
        if current != held:
            details = {"former": sorted(held), "current": sorted(current)}
            after_change(self._actor, self.id, "member_roles_changed", change_rows, target=user_id, details=details)
        else:
            # The answer to the same request may have been lost.
            change_rows(self._actor.began_at)
            if user_id == self._actor.sub:
                refresh_own_claims(self._actor)
        if incomplete is not None:
            raise incomplete
        return self._member(names, ids)

    def remove(self, user_id: str) -> None:
        """End a membership. Raise MemberGone, RoleNotGrantable, LastOwner, NotPermitted."""
        self.require("manage_members")
        roles = self._end_membership(user_id, of_other=True)
        self._after_end(user_id, "member_removed", roles)

    def leave(self) -> None:
        """End the membership of the acting user, of a session: no scope of an access token is for this.

        Raise LastOwner, and NotAMember if it has ended meanwhile.
        """
        if self._actor.has_token:
            raise NotPermitted("An access token cannot end the membership of its user.")
        try:
            roles = self._end_membership(self._actor.sub)
        except MemberGone as error:
            raise NotAMember(str(error)) from error
        self._after_end(self._actor.sub, "member_left", roles)

    # Logto

    @contextmanager
    def _locked(self, user_id: str) -> Iterator[None]:
        """Change a member in turn. If Logto says that the user is no member, the rows of this site follow."""
        try:
            with organization_locked(self.id):
                yield
        except MemberGone:
            # After the transaction of the lock, which the error rolls back.
            end_membership(user_id, self.id, self._actor.began_at)
            raise

    def _user(self, user_id: str) -> UserNames:
        """Return how a user is shown. One call. Raise MemberGone."""
        if not is_id(user_id):
            raise MemberGone("The id of the member is not one that Logto gives.")
        try:
            return user_names(self._api.users.get(user_id))
        except ManagementAPIError as error:
            if is_unknown(error):
                raise self._gone(user_id) from error
            raise

    def _live_roles(self, user_id: str) -> dict[str, str]:
        """Return the names of a member's roles by id. One call. Raise MemberGone."""
        if not is_id(user_id):
            raise MemberGone("The id of the member is not one that Logto gives.")
        try:
            return names_by_id(list(self._api.organizations.user_roles(self.id, user_id)))
        except ManagementAPIError as error:
            if _is_gone(error):
                raise self._gone(user_id) from error
            raise

    def _gone(self, user_id: str) -> MemberGone:
        return MemberGone(f"The user {user_id} is no member of the organization {self.id}.")

    def _require_other_owner(self, user_id: str) -> None:
        """Raise LastOwner unless a member besides this one has an owner role, and can sign in to use it.

        One call for each owner role at most.
        """
        for role in self._template.roles:
            if role.name not in self._rules.owner_roles:
                continue
            owners = self._api.organizations.users(self.id, organizationRoleId=role.id)
            if any(_is_active(owner) and _id_of(owner) != user_id for owner in owners):
                return
        raise LastOwner(f"The user {user_id} is the only owner of the organization {self.id}.")

    def _change_roles(
        self, user_id: str, held: Collection[str], added: Mapping[str, str], removed: Mapping[str, str]
    ) -> tuple[set[str], Incomplete | None]:
        """Add roles, ids by name, then remove roles, names by id. Return the names that the member has now.

        With the error to raise, if only a part could be done. Only differences are sent: a list of all roles would undo
        what another user changes at this moment.
        """
        organizations, current, done = self._api.organizations, set(held), list[str | Promise]()
        try:
            if added:
                organizations.add_user_roles(self.id, user_id, list(added.values()))
                current.update(added)
                done.append(format_lazy(_("The roles were added: {roles}."), roles=", ".join(sorted(added))))
            for role_id, name in removed.items():
                try:
                    organizations.remove_user_role(self.id, user_id, role_id)
                except ManagementAPIError as error:
                    if not _is_gone(error):
                        raise
                current.discard(name)
                done.append(format_lazy(_("The role was removed: {role}."), role=name))
        except LogtoError as error:
            if isinstance(error, ManagementAPIError) and error.code == NO_MEMBER:
                raise self._gone(user_id) from error
            if not done:
                raise
            incomplete = Incomplete(f"Not all roles of {user_id} in {self.id} were changed ({error.code}).", done=done)
            incomplete.__cause__ = error
            return current, incomplete
        return current, None

    def _end_membership(self, user_id: str, *, of_other: bool = False) -> list[str]:
        """End a membership at Logto, and return the former roles."""
        with self._locked(user_id):
            held = self._live_roles(user_id).values()
            if of_other and not self._may_grant(held):
                raise RoleNotGrantable(f"The member {user_id} has roles that the user may not take away.")
            if self._has_owner_role(held, self._rules):
                self._require_other_owner(user_id)
            try:
                self._api.organizations.remove_user(self.id, user_id)
            except ManagementAPIError as error:
                # The user was a member a moment ago. This request may have been sent twice.
                if not _is_gone(error):
                    raise
        return sorted(held)

    def _after_end(self, user_id: str, action: str, roles: list[str]) -> None:
        change_rows = partial(end_membership, user_id, self.id)
        after_change(self._actor, self.id, action, change_rows, target=user_id, details={"roles": roles})

    def _without_phones(self, text: str, number: int) -> tuple[list[types.Member], int]:
        """Return a page of the members whose id, name or address contains `text`, and how many there are.

        Logto also searches in phone numbers. Members, who do not see these, could find them digit by digit.
        """
        rows = [row for row in self._api.organizations.users(self.id, q=text) if _is_shown(row, text)]
        start = (number - 1) * PAGE_SIZE
        return rows[start : start + PAGE_SIZE], len(rows)

    # Values

    @read
    def _member_in(self, row: types.Member) -> Member:
        return self._member(user_names(row), names_by_id(row["organizationRoles"]).values())

    def _member(self, names: UserNames, roles: Collection[str]) -> Member:
        may_manage = self.may("manage_members")
        return Member(
            id=names.id,
            name=names.name,
            email=names.email,
            avatar=names.avatar,
            roles=tuple(sorted(roles)),
            is_self=names.id == self._actor.sub,
            is_owner=self._has_owner_role(roles, self._rules),
            may_change=may_manage and bool(self._grantable),
            may_remove=may_manage and self._may_grant(roles),
        )


def _is_gone(error: ManagementAPIError) -> bool:
    """Return whether Logto has answered that there is no such thing: it is gone, or was never there."""
    return is_unknown(error) or error.code == NO_MEMBER


def _leads_from(before: Iterable[str], held: frozenset[str], wanted: frozenset[str]) -> bool:
    """Return whether the roles that a member has now are those of `before`, or some of the same change was made.

    Then the same request, after it was interrupted, goes on.
    """
    former = frozenset(before)
    return held - former <= wanted and not (former - held) & wanted


@read
def _is_shown(user: Mapping[str, Any], text: str) -> bool:
    shown = (user["id"], user.get("name"), user.get("username"), user.get("primaryEmail"))
    return any(text in each for each in shown if each)


@read
def _id_of(user: Mapping[str, Any]) -> str:
    return plain_text(user["id"])


@read
def _is_active(user: Mapping[str, Any]) -> bool:
    return not user.get("isSuspended")
