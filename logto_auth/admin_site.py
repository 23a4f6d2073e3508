"""The admin with sign-in through Logto.

`logto_auth.apps.LogtoAdminConfig` makes it the default admin site. Other admin sites can subclass it.

Each `manage.py` command imports this module, and none calls its views. So the views import the sign-in when called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME, get_user_model
from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.timezone import template_localtime  # type: ignore[attr-defined]
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from .admin_actions import (
    ACTIONS,
    console_url,
    may_manage_at_logto,
    may_open_support_access,
    sign_out_everywhere,
    support_access_url,
)
from .admin_password import PasswordForm
from .conf import conf
from .models import LogtoIdentity, LogtoSession, Organization, OrganizationMembership
from .signals import signed_in_with_password

if TYPE_CHECKING:
    from .access.requirements import SecondFactor

__all__ = ["LogtoAdminSite", "LogtoIdentityInline", "OrganizationAdmin"]

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

# Per organization, so that the page stays short.
MAX_MEMBERS_SHOWN = 100


class LogtoIdentityInline(admin.StackedInline):  # type: ignore[type-arg]
    """The Logto identities of a user, read-only. For the user admin of a site that keeps its own admin site."""

    model = LogtoIdentity
    fields = readonly_fields = ("issuer", "sub", "status", "created_at", "organizations", "signed_in", "console")
    extra = 0
    can_delete = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:  # type: ignore[override]
        """Return the fields: the link to the Logto Console only if its URL is known, the link to support access only
        for staff who may act as this user."""
        has_console = obj is not None and any(map(console_url, obj.logto_identities.all()))
        fields = [name for name in self.fields if name != "console" or has_console]
        return [*fields, "support_access"] if self._may_act_as(request, obj) else fields

    @admin.display(description=_("Organizations"))
    def organizations(self, identity: LogtoIdentity) -> str:
        """The organizations of the user with the roles there, from the latest claims."""
        rows = identity.memberships.select_related("organization")
        return _lines((row.organization, row) for row in rows)

    @admin.display(description=_("Signed in"))
    def signed_in(self, identity: LogtoIdentity) -> str:
        """The sessions of the user here: time, IP address and browser."""
        from .account.devices import device_name

        sessions = [
            (
                localize(template_localtime(row.created_at)),
                device_name(row.user_agent),
                row.ip_address or "",
                _support_access(row),
            )
            for row in identity.sessions.select_related("impersonator")
        ]
        return format_html_join(mark_safe("<br>"), "{} · {} · {}{}", sessions) or "-"

    @admin.display(description=_("Logto Console"))
    def console(self, identity: LogtoIdentity) -> str:
        """A link to the user in the Logto Console."""
        url = console_url(identity)
        return format_html('<a href="{}" rel="noreferrer">{}</a>', url, _("Open")) if url else "-"

    @admin.display(description=_("Support access"))
    def support_access(self, identity: LogtoIdentity) -> str:
        """A link to the page on which staff start to act as the user."""
        if identity.issuer != conf.issuer:
            return "-"
        return format_html('<a href="{}">{}</a>', support_access_url(identity.user_id), _("Support access…"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:  # type: ignore[override]
        return self.get_fields(request, obj)

    def _may_act_as(self, request: HttpRequest, user: Any) -> bool:
        from .impersonation import may_impersonate

        return user is not None and may_open_support_access(request) and may_impersonate(request, user)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.display(description=_("Status at Logto"))
def status_at_logto(user: Any) -> str:
    """The column of the list of users: the status at Logto as last reported, empty for a user of this site only."""
    return ", ".join(str(identity.get_status_display()) for identity in user.logto_identities.all())


def _with_identities(get_queryset: Callable[[HttpRequest], QuerySet[Any]]) -> Callable[[HttpRequest], QuerySet[Any]]:
    """Return `get_queryset` with the identities of all users of a page in one query."""
    return wraps(get_queryset)(lambda request: get_queryset(request).prefetch_related("logto_identities"))


def _support_access(row: LogtoSession) -> str:
    """Return what marks the session of a staff member who acts as the user; "" for a session of the user."""
    if row.impersonator is None:
        return ""
    return format_html(" ({})", _("support access by %(name)s") % {"name": row.impersonator})


class OrganizationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """An organization and its members, read-only. Only its name and its subdomain can be changed."""

    list_display = ("__str__", "logto_id", "subdomain", "created_at")
    search_fields = ("name", "logto_id", "subdomain")
    readonly_fields = ("logto_id", "issuer", "created_at", "members")
    fields = ("name", "subdomain", *readonly_fields)

    @admin.display(description=_("Members"))
    def members(self, organization: Organization) -> str:
        """The members with their roles; at most `MAX_MEMBERS_SHOWN`."""
        rows = organization.memberships.select_related("identity__user").order_by("pk")
        shown = _lines((row.identity.user, row) for row in rows[:MAX_MEMBERS_SHOWN])
        more = rows.count() - MAX_MEMBERS_SHOWN
        return format_html("{}<br>{}", shown, _("and %(count)d more") % {"count": more}) if more > 0 else shown

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _lines(memberships: Iterable[tuple[object, OrganizationMembership]]) -> str:
    """Return one line for each membership: its user or organization, and the roles."""
    lines = [(subject, f": {', '.join(row.roles)}" if row.roles else "") for subject, row in memberships]
    return format_html_join(mark_safe("<br>"), "{}{}", lines) or "-"


class LogtoAdminSite(admin.AdminSite):
    """Django's admin site with sign-in through Logto.

    With `LOGTO_ADMIN_SECOND_FACTOR`, all its pages need a second factor: also those of a subclass with another
    `has_permission`, and views of the site with `admin_view`.
    """

    # Of `password_login`.
    login_form = PasswordForm

    second_factor_methods: Sequence[str] | None = None
    """The methods that count as the second factor; None for all of them."""
    second_factor_max_age: int | None = None
    """How many seconds ago a user may have used it; None: at any time in this session at Logto."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.register(Organization, OrganizationAdmin)

    def register(self, *args: Any, **options: Any) -> None:
        super().register(*args, **options)
        user_admin = self._registry.get(get_user_model())
        if user_admin is None:
            return
        if LogtoIdentityInline not in user_admin.inlines:
            user_admin.inlines = [*user_admin.inlines, LogtoIdentityInline]  # type: ignore[misc]
        if status_at_logto not in user_admin.list_display:
            user_admin.list_display = [*user_admin.list_display, status_at_logto]
            user_admin.get_queryset = _with_identities(user_admin.get_queryset)  # type: ignore[method-assign,assignment]
        actions = list(user_admin.actions or ())
        user_admin.actions = actions + [each for each in (sign_out_everywhere, *ACTIONS) if each not in actions]
        # Django calls it before it offers the actions.
        user_admin.has_manage_at_logto_permission = may_manage_at_logto  # type: ignore[attr-defined]
        user_admin.has_impersonate_permission = may_open_support_access  # type: ignore[attr-defined]

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Return the URLs of the site. Raise ValueError or TypeError for a wrong attribute about the second factor."""
        self._second_factor()
        return [
            path("login/password/", self.password_login, name="password_login"),
            # In place of Django's, which only users with access to the admin can use.
            path("logout/", login_not_required(csrf_protect(self._sign_out)), name="logout"),
            *super().get_urls(),
        ]

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may use the admin: active staff, with the second factor if it is required."""
        return super().has_permission(request) and self.has_second_factor(request)

    def has_second_factor(self, request: HttpRequest) -> bool:
        """Return whether the user has proved the second factor, or need not."""
        if not conf.admin_second_factor:
            return True
        from .sessions.password_form import began_at_password_form
        from .sessions.principal import session_principal

        return began_at_password_form(request) or self._second_factor().is_met_by(session_principal(request))

    def _second_factor(self) -> SecondFactor:
        """Return the second factor that the pages need. Raise ValueError for a wrong attribute of the class."""
        from .access.requirements import SecondFactor

        return SecondFactor.of(self.second_factor_methods, self.second_factor_max_age)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Return `view` for users who may use the admin. Other users are sent to the sign-in, or to the second factor.

        The second factor does not depend on `has_permission`, which a subclass may replace.
        """

        @wraps(view)
        def view_with_second_factor(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if self.has_second_factor(request):
                return view(request, *args, **kwargs)
            from .access.second_factor import second_factor_response

            return second_factor_response(request, self._second_factor())

        return cast(View, super().admin_view(view_with_second_factor, cacheable))

    @method_decorator(never_cache)
    @login_not_required
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Redirect to the sign-in at Logto, or to the second factor that staff have not proved.

        A signed-in user who is not staff gets a page that says so.
        """
        from .access.responses import forbidden_response
        from .access.second_factor import second_factor_url
        from .sign_in.next_url import safe_next_url
        from .sign_in.start import sign_in_url

        index = reverse("admin:index", current_app=self.name)
        next_url = request.GET.get(REDIRECT_FIELD_NAME) or index
        if request.user.is_authenticated and not self.has_permission(request):
            if super().has_permission(request) and not self.has_second_factor(request):
                return HttpResponseRedirect(second_factor_url(next_url, self._second_factor()))
            return forbidden_response(request)
        if self.has_permission(request):
            return HttpResponseRedirect(safe_next_url(request, next_url))
        if conf.admin_second_factor:
            return HttpResponseRedirect(second_factor_url(next_url, self._second_factor()))
        return HttpResponseRedirect(sign_in_url(next_url))

    @method_decorator(sensitive_post_parameters())
    @method_decorator(never_cache)
    @login_not_required
    def password_login(self, request: HttpRequest) -> HttpResponse:
        """Show Django's password form, for times when Logto is unreachable; 404 unless LOGTO_ADMIN_PASSWORD_SIGN_IN."""
        if not conf.admin_password_sign_in:
            raise Http404
        response = super().login(request)
        if request.method == "POST" and response.status_code == 302:
            from .sessions.password_form import begin_at_password_form

            begin_at_password_form(request)
            signed_in_with_password.send_robust(sender=request.user.__class__, request=request, user=request.user)
        return response

    def _sign_out(self, request: HttpRequest) -> HttpResponseBase:
        """Sign out a user who may have lost the access to the admin. Other visitors are sent to the index."""
        if request.user.is_authenticated:
            return self.logout(request)
        return HttpResponseRedirect(reverse("admin:index", current_app=self.name))

    @method_decorator(never_cache)
    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:  # type: ignore[override]
        """Sign out here and at Logto."""
        from .views import SignOutView

        return SignOutView.as_view()(request)
