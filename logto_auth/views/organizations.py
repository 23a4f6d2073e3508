"""The choice of the current organization."""

from __future__ import annotations

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from logto_auth.access.requirements import MissingRequirement, RequirementKind
from logto_auth.access.responses import forbidden_response
from logto_auth.exceptions import OrganizationRequired
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.next_url import safe_next_url

from .public import PublicView

__all__ = ["ChooseOrganizationView"]


class ChooseOrganizationView(PublicView):
    """Make an organization the current one, for pages whose URL selects none. POST only."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store the choice and return the redirect to `next`; 403 if the user does not belong to the organization."""
        next_url = safe_next_url(request, request.POST.get(REDIRECT_FIELD_NAME))
        if not request.user.is_authenticated:
            return redirect_to_login(next_url)
        try:
            session_principal(request).choose_organization(request.POST.get("organization_id", ""))
        except OrganizationRequired:
            return forbidden_response(request, MissingRequirement(RequirementKind.ORGANIZATION))
        return HttpResponseRedirect(next_url)
