"""The endpoints for Django REST framework: `api_urls` has their URLs.

They accept sessions, and access tokens of users by first-party applications. Needs the extra `drf`.
"""

from __future__ import annotations

import logging
from functools import cached_property
from importlib import import_module

try:
    from rest_framework.authentication import SessionAuthentication
    from rest_framework.request import Request
    from rest_framework.response import Response
    from rest_framework.views import APIView
except ModuleNotFoundError as error:
    raise ImportError(f'This needs {error.name}, which is not installed: pip install "logto_auth[drf]"') from error

from django.apps import apps
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from logto_auth.access import Requirement
from logto_auth.access.responses import cookie_challenge, page_of_request
from logto_auth.api.authentication import TokenPrincipal
from logto_auth.api.errors import ErrorResponse
from logto_auth.conf import conf
from logto_auth.contrib.user_endpoints import (
    IsLogtoUser,
    UserAuthentication,
    UserEndpoint,
    refuse_token,
)
from logto_auth.exceptions import ConfigurationError
from logto_auth.pages.refusals import Refusal
from logto_auth.sign_in.start import absolute_uri

from .api_serializers import (
    CreatedKeySerializer,
    KeyListSerializer,
    KeyNameSerializer,
    KeySerializer,
    NewKeySerializer,
)
from .errors import ProofRequired
from .proof import proof_url
from .service import ApiKeys, latest_expiry
from .texts import KEYS_ARE_OFF, NOT_MANAGED

__all__ = ["ApiKeyAuthentication", "ApiKeyView", "IsKeyOwner", "KeyListView", "KeyView"]

logger = logging.getLogger("logto_auth")

FIRST_PARTY = Requirement(third_party=False)


class ApiKeyAuthentication(UserAuthentication):
    """Authenticate a user by an access token for the API of the site."""


class IsKeyOwner(IsLogtoUser):
    """Require a Logto session, or an access token of a user by a first-party application."""

    def check_token(self, principal: TokenPrincipal, view: APIView) -> None:
        """Refuse the token of a third-party application."""
        missing = FIRST_PARTY.missing_from(principal)
        if missing is not None:
            refuse_token(principal, ErrorResponse.insufficient(missing))


class ApiKeyView(UserEndpoint):
    """An endpoint for API keys."""

    authentication_classes = [ApiKeyAuthentication, SessionAuthentication]
    permission_classes = [IsKeyOwner]
    own_methods = frozenset({"GET", "POST", "PATCH", "DELETE"})
    log_name = "API keys"
    no_session_text = NOT_MANAGED.text
    not_set_up_text = KEYS_ARE_OFF.text

    @cached_property
    def keys(self) -> ApiKeys:
        """The keys of the user of the request. Raise an error with the status 404 if the site cannot manage keys."""
        try:
            return ApiKeys(self.request._request)
        except ConfigurationError as error:
            raise self.not_set_up(error, status=404) from error

    def refusal_response(self, error: Refusal) -> Response:
        """Return the response to a refusal of the service: with the URL of the proof that the user has to give."""
        response = super().refusal_response(error)
        if isinstance(error, ProofRequired):
            self.add_proof_url(response)
        return response

    def add_proof_url(self, response: Response) -> None:
        """Say at which URL the user proves who they are. Then they return to the page of the request."""
        request = self.request._request
        if url := proof_url(request, page_of_request(request)):
            url = absolute_uri(request, url)
            # A script of the site may know `error` from the other responses to scripts.
            response.data.update({"error": "sign_in_required", "sign_in_url": url})
            response["WWW-Authenticate"] = cookie_challenge(url)


class KeyListView(ApiKeyView):
    """The keys of the user."""

    # A key works for longer than an access token, and with other permissions.
    session_methods = frozenset({"POST"})

    def get(self, request: Request) -> Response:
        """Return the keys, the newest first."""
        data = {"api_keys": self.keys.all(), "limit": conf.api_keys_per_user, "expires_before": latest_expiry()}
        return Response(KeyListSerializer(data).data)

    @sensitive_variables()
    def post(self, request: Request) -> Response:
        """Make a key, and return it with its value."""
        values = self.values(NewKeySerializer)
        key = self.keys.create(values["name"], expires_at=values["expires_at"])
        match = request.resolver_match
        url = reverse(f"{match.app_name}:key", args=[key.id], current_app=match.namespace)
        return Response(CreatedKeySerializer(key).data, status=201, headers={"Location": url})


class KeyView(ApiKeyView):
    """One key."""

    def get(self, request: Request, key_id: str) -> Response:
        """Return the key."""
        return Response(KeySerializer(self.keys.get(key_id)).data)

    def patch(self, request: Request, key_id: str) -> Response:
        """Rename the key."""
        return Response(KeySerializer(self.keys.rename(key_id, self.values(KeyNameSerializer)["name"])).data)

    def delete(self, request: Request, key_id: str) -> Response:
        """Revoke the key."""
        self.keys.revoke(key_id)
        return Response(status=204)


# Register what drf-spectacular writes about the endpoints. By name, because that module imports this one.
if apps.is_installed("drf_spectacular"):
    import_module("logto_auth.api_keys.api_schema")
