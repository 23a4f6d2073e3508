"""Just-in-time members: who joins an organization without an invitation, and with which roles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api.answers import optional_text, plain_text, read

from .answers import names_by_id
from .domains import domain_refusal, may_claim, valid_domain
from .effects import after_change
from .errors import DomainNotAllowed, InvalidName, NotAMember
from .rights import OrganizationRights, is_id
from .values import Connector, Joining

__all__ = ["JoiningSettings"]

GONE = "entity.not_found"
TAKEN = "entity.unique_integrity_violation"
UNKNOWN_REFERENCE = "entity.relation_foreign_key_not_found"


class JoiningSettings(OrganizationRights):
    """What an organization's managers set about members who join by themselves."""

    def joining(self) -> Joining:
        """Return who becomes a member without an invitation. Raise NotPermitted."""
        self.require("manage_joining")
        linked = self._linked()
        others = [each for each in self._connectors() if each.id not in linked and self._may_link(each)]
        return Joining(
            domains=tuple(sorted(self._domains())),
            roles=self._default_roles(),
            connectors=(*linked.values(), *others),
        )

    def add_domain(self, domain: str) -> None:
        """Add an e-mail domain, whose new users become members.

        Raise DomainNotAllowed, InvalidName, NotPermitted, and RoleNotGrantable for the default roles.
        """
        self.require("manage_joining")
        name = valid_domain(domain)
        if not may_claim(self._actor.request, self.id, name):
            raise domain_refusal(f"The user {self._actor.sub} may not claim the domain {name} for {self.id}.")
        self._require_grantable_default_roles()
        add = partial(self._api.organizations.add_jit_email_domain, self.id, name)
        if self._call_unless(TAKEN, add):
            after_change(self._actor, self.id, "jit_domain_added", details={"domain": name})

    def remove_domain(self, domain: str) -> None:
        """Remove an e-mail domain, if it is there. Memberships stay. Raise NotPermitted."""
        self.require("manage_joining")
        # As Logto has it: it checks no form, and another tool may have added it.
        stored = self._domains()
        remove = partial(self._api.organizations.remove_jit_email_domain, self.id, domain)
        if domain in stored and self._call_unless(GONE, remove):
            after_change(self._actor, self.id, "jit_domain_removed", details={"domain": domain})

    def set_default_roles(self, roles: Sequence[str]) -> None:
        """Set the roles of just-in-time members, by name. Raise RoleNotGrantable, NotPermitted."""
        self.require("manage_joining")
        ids = self._role_ids(roles)
        former = frozenset(self._default_roles())
        self._require_grantable(former ^ ids.keys())
        if former == ids.keys():
            return
        self._call_unless("", partial(self._api.organizations.set_jit_roles, self.id, list(ids.values())))
        details = {"former": sorted(former), "current": sorted(ids)}
        after_change(self._actor, self.id, "jit_roles_changed", details=details)

    def link_connector(self, connector_id: str) -> None:
        """Let users of an enterprise SSO connector become members.

        Raise DomainNotAllowed, NotPermitted, and RoleNotGrantable for the default roles.
        """
        self.require("manage_joining")
        if connector_id in self._linked():
            return
        connector = next((each for each in self._connectors() if each.id == connector_id), None)
        # An unknown connector is refused like one of another customer.
        if connector is None or not self._may_link(connector):
            raise DomainNotAllowed(f"The user {self._actor.sub} may not link the connector to {self.id}.")
        self._require_grantable_default_roles()
        self._call_unless("", partial(self._api.organizations.add_jit_sso_connectors, self.id, [connector.id]))
        after_change(self._actor, self.id, "sso_connector_linked", details={"connector": connector.id})

    def unlink_connector(self, connector_id: str) -> None:
        """Undo `link_connector`. Memberships stay. Raise NotPermitted."""
        self.require("manage_joining")
        if not is_id(connector_id) or connector_id not in self._linked():
            return
        remove = partial(self._api.organizations.remove_jit_sso_connector, self.id, connector_id)
        if self._call_unless(GONE, remove):
            after_change(self._actor, self.id, "sso_connector_unlinked", details={"connector": connector_id})

    # Logto

    def _domains(self) -> list[str]:
        with self._not_deleted():
            return [_domain_in(each) for each in self._api.organizations.jit_email_domains(self.id)]

    def _default_roles(self) -> tuple[str, ...]:
        with self._not_deleted():
            roles = names_by_id(list(self._api.organizations.jit_roles(self.id)))
        return tuple(sorted(roles.values()))

    def _require_grantable_default_roles(self) -> None:
        """Raise RoleNotGrantable unless the user may give the roles of those who join.

        Otherwise a second account with an address of the domain would get more than the user may give.
        """
        self._require_grantable(self._default_roles())

    def _linked(self) -> dict[str, Connector]:
        with self._not_deleted():
            connectors = [_connector_in(each) for each in self._api.organizations.jit_sso_connectors(self.id)]
        return {each.id: replace(each, is_linked=True) for each in _by_name(connectors)}

    def _connectors(self) -> list[Connector]:
        """Return all connectors of the tenant. Some belong to other customers."""
        return _by_name(_connector_in(each) for each in self._api.sso_connectors.all())

    def _may_link(self, connector: Connector) -> bool:
        """Return whether the connector has domains, and the user may claim each of them."""
        return bool(connector.domains) and all(map(self._may_claim, connector.domains))

    def _may_claim(self, domain: str) -> bool:
        try:
            return may_claim(self._actor.request, self.id, valid_domain(domain))
        except InvalidName:
            return False

    def _call_unless(self, done_code: str, call: Callable[[], object]) -> bool:
        """Change something at Logto, and return whether it has changed: an error `done_code` says that it need not.

        Raise NotAMember if the organization is gone.
        """
        try:
            call()
        except ManagementAPIError as error:
            if error.code == UNKNOWN_REFERENCE:
                raise NotAMember(f"The organization {self.id} does not exist any more.") from error
            if error.code != done_code:
                raise
            return False
        return True


def _by_name(connectors: Iterable[Connector]) -> list[Connector]:
    return sorted(connectors, key=lambda each: (each.name.casefold(), each.id))


@read
def _connector_in(row: Mapping[str, Any]) -> Connector:
    # Not more of it: the config has the secret of the identity provider.
    name = optional_text(row["branding"].get("displayName")) or plain_text(row["connectorName"])
    domains = tuple(sorted(map(plain_text, row["domains"])))
    return Connector(id=plain_text(row["id"]), name=name, domains=domains, is_linked=False)


@read
def _domain_in(row: Mapping[str, Any]) -> str:
    return plain_text(row["emailDomain"])
