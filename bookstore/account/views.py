"""The page of what the shop knows about a user. The other account pages are those of logto_auth."""

import logging
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.views.generic import TemplateView

from logto_auth.account import account_navigation
from logto_auth.exceptions import LogtoError
from logto_auth.organizations import organizations_in

from .claims import identities, presentable

logger = logging.getLogger(__name__)


class ClaimsPage(LoginRequiredMixin, TemplateView):
    template_name = "account/claims.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user_info = self.user_info()
        latest = user_info or {}
        return super().get_context_data(
            navigation=account_navigation(self.request),
            claims=presentable(self.request.logto.claims),
            custom_data=presentable(latest.get("custom_data") or {}),
            identities=identities(latest),
            # The ID token has only the ids of organizations; userinfo has their names.
            organizations=organizations_in({**self.request.logto.claims, **latest}),
            logto_is_reachable=user_info is not None,
            orders=self.request.user.orders.with_totals()[:3],
            **kwargs,
        )

    def user_info(self) -> Mapping[str, Any] | None:
        """Return the userinfo from Logto: empty without a Logto session, None if Logto cannot be reached."""
        if not self.request.logto.is_authenticated:
            return {}
        try:
            return self.request.logto.user_info()
        except LogtoError as error:
            logger.warning("The page of the claims is shown without userinfo: %s", error)
            return None
