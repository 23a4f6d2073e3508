"""The creation of an organization in three calls, which a repetition finishes after a failure half-way."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from functools import partial
from itertools import islice
from typing import Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.answers import plain_text, read
from logto_auth.management_api.resources import search_text
from logto_auth.memberships.claims import Membership
from logto_auth.oidc.claims import storable
from logto_auth.tenant.organization_console import OrganizationConsole
from logto_auth.users.locks import user_locked

from .answers import LiveMembership, custom_data, own_organization
from .effects import after_change, has_membership, store_membership
from .errors import Incomplete, InvalidName, TooManyOrganizations
from .rights import Actor, live_memberships
from .template import Template
from .values import OwnOrganization

__all__ = ["MAX_NAME_LENGTH", "Creation", "valid_name"]

# Logto counts as JavaScript does: most emoji are two units of UTF-16.
MAX_NAME_LENGTH = 128
# Where the digest of the form is in the custom data of an organization.
OWN_DATA, CREATION = "logto_auth", "creation"
# For how long the same form finishes what it has begun. Later, an organization without members stays as it is.
MAX_RESUME_SECONDS = 3600
# How many organizations with such a name are searched for the one that this form has begun.
MAX_SEARCHED = 500


class Creation:
    """Creates organizations for a user who may do so."""

    def __init__(self, actor: Actor, rules: OrganizationConsole, api: ManagementAPI, template: Template) -> None:
        self._actor, self._rules, self._api, self._template = actor, rules, api, template

    def create(self, name: str, key: str) -> OwnOrganization:
        """Create an organization, or finish one that this form has begun. See `Console.create`."""
        role, role_id = self._owner_role()
        mark = hashlib.sha256(f"{conf.issuer}\n{self._actor.sub}\n{key}".encode(errors="replace")).hexdigest()
        # One creation at a time: the same form may be sent twice at once, and the number of organizations is limited.
        with user_locked(conf.issuer, self._actor.sub):
            memberships = live_memberships(self._api, self._actor.sub)
            own = next((each for each in memberships if _mark_in(each.custom_data) == mark), None)
            is_made = own is not None and not self._is_half_made(own)
            if own is not None and is_made:
                created = own_organization(own)
            else:
                begun = own or self._begun(name, mark)
                if begun is None:
                    self._require_another(memberships)
                organization = self._finish(name, mark, begun, role_id)
                created = OwnOrganization(id=organization.id, name=organization.name, roles=(role,))
        # It may be made without a row here: the answer to the last call of the first form was lost.
        if not is_made or not has_membership(self._actor.sub, created.id):
            membership = Membership(id=created.id, name=created.name, roles=created.roles)
            change_rows = partial(store_membership, self._actor.sub, membership)
            details = {"roles": list(created.roles)}
            after_change(self._actor, created.id, "organization_created", change_rows, details=details)
        return created

    def _owner_role(self) -> tuple[str, str]:
        """Return name and id of the role that the creator gets. Raise ConfigurationError."""
        name = self._rules.owner_roles[0]
        role = next((each for each in self._template.roles if each.name == name), None)
        if role is None:
            raise ConfigurationError(
                f"Logto has no organization role {name!r} for users, which owner_roles of organization_console names. "
                "Run `manage.py logto_setup`."
            )
        return role.name, role.id

    def _require_another(self, memberships: list[LiveMembership]) -> None:
        owner_roles = set(self._rules.owner_roles)
        owned = [each for each in memberships if not owner_roles.isdisjoint(each.roles.values())]
        if len(owned) >= self._rules.max_owned:
            raise TooManyOrganizations(f"The user {self._actor.sub} owns {len(owned)} organizations already.")

    def _is_half_made(self, own: LiveMembership) -> bool:
        """Return whether the creator is the only member and lacks the role, because the last call had failed.

        A founder who was removed, or lost the role later, must not become an owner again by an old form.
        """
        return not own.roles and _is_recent(own) and self._count_members(own.id) == 1

    def _begun(self, name: str, mark: str) -> LiveMembership | None:
        """Return an organization of this form that has no member, because the second call had failed."""
        # The order of Logto's search is unknown, and a name may be a wildcard, so the number of calls is limited.
        for organization in islice(self._api.organizations.all(q=search_text(name)), MAX_SEARCHED):
            found = _organization_in(organization)
            if _mark_in(found.custom_data) == mark and _is_recent(found) and self._count_members(found.id) == 0:
                return found
        return None

    def _count_members(self, organization_id: str) -> int:
        return self._api.organizations.page_of_users(organization_id, 1, page_size=1)[1]

    def _finish(self, name: str, mark: str, begun: LiveMembership | None, role_id: str) -> LiveMembership:
        """Make all calls that are left to do. Raise Incomplete after the first one."""
        organizations, sub = self._api.organizations, self._actor.sub
        organization = begun or _organization_in(
            organizations.create({"name": name, "customData": {OWN_DATA: {CREATION: mark}}})
        )
        done: list[str | Promise] = [_("The organization was created.")]
        try:
            organizations.add_users(organization.id, [sub])
            done.append(_("You have become a member."))
            organizations.add_user_roles(organization.id, sub, [role_id])
        except LogtoError as error:
            # Without the explanation of Logto, which may contain an address.
            raise Incomplete(
                f"The organization {organization.id} is not complete ({error.code}).", done=done
            ) from error
        return organization


def valid_name(name: str) -> str:
    """Return the name of an organization as Logto accepts it. Raise InvalidName."""
    text = storable(name).strip()
    if not any(each.isprintable() and not each.isspace() for each in text):
        raise InvalidName("The name is empty.", field="name", visitor_message=_("Enter a name."))
    if len(text.encode("utf-16-le")) // 2 > MAX_NAME_LENGTH:
        message = format_lazy(_("Enter at most {max} characters."), max=MAX_NAME_LENGTH)
        raise InvalidName("The name is too long.", field="name", visitor_message=message)
    return text


@read
def _organization_in(organization: Mapping[str, Any]) -> LiveMembership:
    """Return an organization without the roles of anybody."""
    return LiveMembership(
        id=plain_text(organization["id"]),
        name=plain_text(organization["name"]),
        roles={},
        custom_data=custom_data(organization),
        created_at=int(organization.get("createdAt") or 0),
    )


def _mark_in(custom_data: Mapping[str, Any]) -> str | None:
    own = custom_data.get(OWN_DATA)
    mark = own.get(CREATION) if isinstance(own, dict) else None
    return mark if isinstance(mark, str) else None


def _is_recent(organization: LiveMembership) -> bool:
    return time.time() - organization.created_at / 1000 < MAX_RESUME_SECONDS
