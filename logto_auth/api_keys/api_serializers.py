"""The JSON of the endpoints: what they read, and what they send."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from logto_auth.contrib.user_endpoints import StrictFields, TextField

__all__ = [
    "CreatedKeySerializer",
    "ErrorSerializer",
    "KeyListSerializer",
    "KeyNameSerializer",
    "KeySerializer",
    "KeysSerializer",
    "NewKeySerializer",
]

# The service has a lower limit, with a sentence for users.
MAX_TEXT_LENGTH = 1000


class MomentField(serializers.DateTimeField):
    """A time with an offset from UTC, also with `USE_TZ = False`."""

    default_error_messages = {
        "invalid": _("Enter a time with an offset from UTC, such as 2027-01-31T12:00:00Z."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=timezone.utc, **kwargs)

    def to_internal_value(self, data: Any) -> datetime:
        """Return the time, in UTC. Raise ValidationError."""
        moment = None
        with suppress(ValueError, OverflowError):
            parsed = parse_datetime(data) if isinstance(data, str) else None
            moment = parsed.astimezone(timezone.utc) if parsed and parsed.tzinfo else None
        if moment is None:
            raise serializers.ValidationError(self.error_messages["invalid"], code="invalid")
        return moment


class KeysSerializer(serializers.Serializer):
    """What an endpoint reads or sends."""


class KeySerializer(KeysSerializer):
    """An API key, without its value."""

    id = serializers.CharField()
    name = serializers.CharField()
    created_at = MomentField()
    expires_at = MomentField(allow_null=True, help_text="null: the key never expires.")
    is_expired = serializers.BooleanField()


class KeyListSerializer(KeysSerializer):
    """The keys of the user."""

    api_keys = KeySerializer(many=True)
    limit = serializers.IntegerField(help_text="How many keys a user may have.")
    expires_before = MomentField(
        allow_null=True, help_text="The latest time at which a key that is made now may expire. null: any, or never."
    )


class CreatedKeySerializer(KeySerializer):
    """A new key, with its value."""

    value = serializers.SerializerMethodField(help_text="What a client sends as a bearer token. It is sent only once.")

    def get_value(self, key: Any) -> str:
        """Return the value of the key."""
        text: str = key.value.reveal()
        return text


class KeyNameSerializer(StrictFields, KeysSerializer):
    """The name of a key."""

    name = TextField(max_length=MAX_TEXT_LENGTH)


class NewKeySerializer(KeyNameSerializer):
    """A new key."""

    expires_at = MomentField(
        required=False, allow_null=True, default=None, help_text="null, or left out: the key never expires."
    )


class ErrorSerializer(KeysSerializer):
    """Why a request was not processed."""

    code = serializers.CharField()
    detail = serializers.CharField(help_text="A sentence for the user, in the language of the request.")
    # REST framework takes the declared fields out of the class, so this does not replace `Serializer.fields`.
    fields = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="By the name of a field.",
    )
    sign_in_url = serializers.CharField(
        required=False, help_text="Where the user signs in (sign_in_required), or proves who they are (proof_required)."
    )
    error = serializers.CharField(
        required=False, help_text="sign_in_required, if there is a sign_in_url. For scripts of the site."
    )
