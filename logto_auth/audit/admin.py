"""The audit trail in the admin, read-only. Another admin site can register `AuditEventAdmin`, too."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.timezone import template_localtime  # type: ignore[attr-defined]
from django.utils.translation import gettext_lazy as _

from logto_auth.models import Organization

from .models import AuditEvent

__all__ = ["AuditEventAdmin"]

SECONDS_PER_DAY = 24 * 3600


class TimeFilter(admin.SimpleListFilter):
    """Events of the latest days."""

    title = _("time")
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("Past 24 hours")), ("7", _("Past 7 days")), ("30", _("Past 30 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        if self.value() not in ("1", "7", "30"):
            return queryset
        recent: QuerySet[AuditEvent] = queryset.filter(at__gte=time.time() - int(str(self.value())) * SECONDS_PER_DAY)
        return recent


class OrganizationFilter(admin.SimpleListFilter):
    """Events in one organization. It is offered when one is selected, because there may be thousands."""

    title = _("organization")
    parameter_name = "organization"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        selected = self.value()
        return [(selected, str(Organization.objects.for_logto_id(selected).first() or selected))] if selected else []

    def value(self) -> str:
        # PostgreSQL refuses NUL.
        return str(self.used_parameters.get(self.parameter_name) or "").replace("\x00", "")

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        selected = self.value()
        events: QuerySet[AuditEvent] = queryset.filter(organization_id=selected) if selected else queryset
        return events


@admin.register(AuditEvent)
class AuditEventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Events, newest first. Nobody can add, change or delete one."""

    list_display = ("occurred_at", "action", "outcome", "actor", "user", "organization")
    list_filter = (TimeFilter, "outcome", "action", OrganizationFilter)
    # Exactly: a part of an id means nothing.
    search_fields = tuple(
        f"{name}__exact" for name in ("actor_id", "actor_sub", "user_id", "user_sub", "organization_id")
    )
    search_help_text = _("The id of an account, of a user at Logto, or of an organization at Logto.")
    show_full_result_count = False
    fields = readonly_fields = (
        *("occurred_at", "action", "outcome", "actor", "actor_sub", "user", "user_sub", "organization"),
        *("ip_address", "user_agent", "details_json", "seal", "digest"),
    )

    @admin.display(description=_("Time"), ordering="at")
    def occurred_at(self, event: AuditEvent) -> str:
        """The time to the second, which Django's formats leave out."""
        time = template_localtime(event.occurred_at)
        return time.strftime("%Y-%m-%d %H:%M:%S") if time is not None else ""

    @admin.display(description=_("Actor"))
    def actor(self, event: AuditEvent) -> str:
        """Who did it, as a link to the account."""
        return self._account(event.actor_id, event.actor_data)

    @admin.display(description=_("User"))
    def user(self, event: AuditEvent) -> str:
        """To whom, as a link to the account."""
        return self._account(event.user_id, event.actor_data if event.user_id == event.actor_id else event.user_data)

    @admin.display(description=_("Organization"), ordering="organization_id")
    def organization(self, event: AuditEvent) -> str:
        """In which organization, as a link to all events in it."""
        if not event.organization_id:
            return ""
        page = reverse("admin:logto_audit_auditevent_changelist", current_app=self.admin_site.name)
        query = urlencode({OrganizationFilter.parameter_name: event.organization_id})
        return format_html('<a href="{}?{}">{}</a>', page, query, event.organization_id)

    @admin.display(description=_("IP address"))
    def ip_address(self, event: AuditEvent) -> str:
        """Where the actor was."""
        return (event.actor_data or {}).get("ip_address", "")

    @admin.display(description=_("Browser"))
    def user_agent(self, event: AuditEvent) -> str:
        """What the actor used."""
        return (event.actor_data or {}).get("user_agent", "")

    def _account(self, pk: str, data: dict[str, str] | None) -> str:
        """Return a link to an account, whose row may be deleted."""
        name = (data or {}).get("name") or pk
        options = get_user_model()._meta
        try:
            url = reverse(
                f"admin:{options.app_label}_{options.model_name}_change",
                args=[quote(pk)],
                current_app=self.admin_site.name,
            )
        except NoReverseMatch:
            return name
        return format_html('<a href="{}">{}</a>', url, name) if pk else name

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
