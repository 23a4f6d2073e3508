"""The JSON of the endpoints: what they read, and what they send."""

from __future__ import annotations

from datetime import timezone
from typing import Any

from rest_framework import serializers

from logto_auth.contrib.user_endpoints import StrictFields, TextField

__all__ = [
    "ChangedRolesSerializer",
    "ConsoleSerializer",
    "DomainSerializer",
    "ErrorSerializer",
    "InvitationLinkSerializer",
    "InvitationListSerializer",
    "InvitationSerializer",
    "JoinedOrganizationSerializer",
    "JoiningSerializer",
    "MemberPageSerializer",
    "MemberQuerySerializer",
    "MemberSerializer",
    "NameSerializer",
    "NewInvitationSerializer",
    "NewOrganizationSerializer",
    "OpenInvitationSerializer",
    "OrganizationSerializer",
    "OwnOrganizationListSerializer",
    "OwnOrganizationSerializer",
    "RightsSerializer",
    "RoleListSerializer",
    "RolesSerializer",
]

# Far more than an organization template has.
MAX_ROLES = 200
MAX_TEXT_LENGTH = 1000
# The text of a link has the encrypted address and id.
MAX_LINK_LENGTH = 4000


class RoleNamesField(serializers.ListField):
    """A list of names of organization roles, without duplicates."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=TextField(max_length=MAX_TEXT_LENGTH), max_length=MAX_ROLES, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        """Return the names. Raise ValidationError."""
        return list(dict.fromkeys(super().to_internal_value(data)))


class SortedListField(serializers.ListField):
    """A set of texts, as a sorted list."""

    child = serializers.CharField()

    def to_representation(self, data: Any) -> list[str]:
        """Return the texts in order."""
        return sorted(super().to_representation(data))


class ConsoleSerializer(serializers.Serializer):
    """What an endpoint reads or sends."""


class InputSerializer(StrictFields, ConsoleSerializer):
    """What an endpoint reads."""


# Input


class NameSerializer(InputSerializer):
    """The name of an organization."""

    name = TextField(max_length=MAX_TEXT_LENGTH)


class NewOrganizationSerializer(NameSerializer):
    """A new organization."""

    key = TextField(
        required=False,
        max_length=100,
        help_text="A random text. A request that is repeated with the same key creates no second organization.",
    )


class RolesSerializer(InputSerializer):
    """Names of organization roles."""

    roles = RoleNamesField()


class ChangedRolesSerializer(RolesSerializer):
    """The roles that a member is to have."""

    before = RoleNamesField(
        required=False,
        help_text="The roles that the user has seen. If the member has others by now, nothing changes.",
    )


class NewInvitationSerializer(InputSerializer):
    """A new invitation."""

    email = TextField(max_length=MAX_TEXT_LENGTH)
    roles = RoleNamesField()


class InvitationLinkSerializer(InputSerializer):
    """The last part of the link of an invitation."""

    invitation = TextField(max_length=MAX_LINK_LENGTH)


class DomainSerializer(InputSerializer):
    """An e-mail domain."""

    domain = TextField(max_length=MAX_TEXT_LENGTH)


class MemberQuerySerializer(ConsoleSerializer):
    """The query of the list of members."""

    q = serializers.CharField(required=False, allow_blank=True, max_length=MAX_TEXT_LENGTH)
    page = serializers.IntegerField(required=False, min_value=1, max_value=1_000_000)


# Output


class OwnOrganizationSerializer(ConsoleSerializer):
    """An organization that the user belongs to, with the roles of the user."""

    id = serializers.CharField()
    name = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())


class JoinedOrganizationSerializer(OwnOrganizationSerializer):
    """An organization that the user has just joined."""

    sign_in_url = serializers.CharField(
        help_text="Where the session gets new permissions of API resources, without a form; empty if there are none."
    )


class OwnOrganizationListSerializer(ConsoleSerializer):
    """The organizations of the user."""

    organizations = OwnOrganizationSerializer(many=True)
    may_create = serializers.BooleanField()


class RightsSerializer(ConsoleSerializer):
    """What the user may do, by the names of `OrganizationConsole.guards`."""

    view_members = serializers.BooleanField()
    invite = serializers.BooleanField()
    manage_members = serializers.BooleanField()
    rename = serializers.BooleanField()
    manage_joining = serializers.BooleanField()
    delete = serializers.BooleanField()

    def to_representation(self, organization: Any) -> dict[str, bool]:
        """Return whether the user has each right in a `ManagedOrganization`."""
        return {name: organization.may(name) for name in self.fields}


class OrganizationSerializer(OwnOrganizationSerializer):
    """One organization, and what the user may do in it."""

    is_owner = serializers.BooleanField()
    rights = RightsSerializer(source="*")


class RoleSerializer(ConsoleSerializer):
    """A role of the organization template."""

    name = serializers.CharField()
    description = serializers.CharField()
    scopes = SortedListField()


class RoleListSerializer(ConsoleSerializer):
    """Roles of the organization template."""

    roles = RoleSerializer(many=True)


class MemberSerializer(ConsoleSerializer):
    """A member of the organization."""

    id = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField(help_text="Empty if the user has none.")
    avatar = serializers.CharField(help_text="A URL, or empty.")
    roles = serializers.ListField(child=serializers.CharField())
    is_self = serializers.BooleanField()
    is_owner = serializers.BooleanField()
    may_change = serializers.BooleanField(help_text="Whether you may give this member a role, or take one away.")
    may_remove = serializers.BooleanField(help_text="Whether you may remove this member.")


class MemberPageSerializer(ConsoleSerializer):
    """A page of the members."""

    members = MemberSerializer(many=True)
    page = serializers.IntegerField(source="number")
    pages = serializers.IntegerField(source="last_number")
    count = serializers.IntegerField(help_text="The number of members on all pages.")


class InvitationSerializer(ConsoleSerializer):
    """An invitation. Its link is only in the e-mail."""

    id = serializers.CharField()
    email = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    # Without choices: drf-spectacular would give them a name that the site may use.
    status = serializers.CharField(help_text="`Pending`, `Accepted`, `Revoked` or `Expired`.")
    # Without this, REST framework omits the time zone if `USE_TZ` is off.
    created_at = serializers.DateTimeField(default_timezone=timezone.utc)
    expires_at = serializers.DateTimeField(default_timezone=timezone.utc)
    inviter_id = serializers.CharField(allow_null=True)
    may_change = serializers.BooleanField(help_text="Whether you may send it again or revoke it.")


class InvitationListSerializer(ConsoleSerializer):
    """The invitations of an organization, the newest first."""

    invitations = InvitationSerializer(many=True)


class OpenInvitationSerializer(ConsoleSerializer):
    """What the link of an invitation leads to."""

    email = serializers.CharField()
    organization_id = serializers.CharField()
    organization_name = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    is_for_user = serializers.BooleanField(help_text="Whether the signed-in user has the invited e-mail address.")


class ConnectorSerializer(ConsoleSerializer):
    """An enterprise SSO connector."""

    id = serializers.CharField()
    name = serializers.CharField()
    domains = serializers.ListField(child=serializers.CharField())
    is_linked = serializers.BooleanField()


class JoiningSerializer(ConsoleSerializer):
    """Who becomes a member without an invitation."""

    domains = serializers.ListField(child=serializers.CharField())
    roles = serializers.ListField(child=serializers.CharField())
    connectors = ConnectorSerializer(many=True)


class ErrorSerializer(ConsoleSerializer):
    """Why a request was not processed."""

    code = serializers.CharField()
    detail = serializers.CharField()
    # REST framework takes the declared fields out of the class, so this does not replace `Serializer.fields`.
    fields = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="By the name of a field (`invalid`, `invalid_name`).",
    )
    done = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="What was done at Logto before it failed (incomplete)."
    )
    key = serializers.CharField(required=False, help_text="Send it with the same request again (incomplete).")
    invitation_id = serializers.CharField(required=False, help_text="The open invitation (already_invited).")
    sign_in_url = serializers.CharField(required=False, help_text="Where the user signs in (sign_in_required).")
    error = serializers.CharField(required=False, help_text="The same as the code (sign_in_required).")
