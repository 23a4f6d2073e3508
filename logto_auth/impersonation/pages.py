"""The pages of support access: start it for a user, leave it, and the page that says why it has ended."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

from django.apps import apps
from django.contrib.admin.utils import quote
from django.contrib.auth import REDIRECT_FIELD_NAME, get_permission_codename, get_user_model
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from logto_auth.access.requirements import SecondFactor
from logto_auth.access.second_factor import second_factor_response
from logto_auth.conf import conf
from logto_auth.exceptions import ImpersonationRefused, LogtoError
from logto_auth.models import LogtoIdentity
from logto_auth.pages.failures import NOT_LOADED, failure_text, remedy
from logto_auth.pages.managed import ManagedPage
from logto_auth.pages.navigation import optional_url
from logto_auth.pages.texts import PageText
from logto_auth.sessions.impersonation_check import ENDED as ENDED_PARAMETER
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.next_url import is_allowed_next, safe_next_url, with_query
from logto_auth.sign_in.start import sign_in_url

from . import check_may_impersonate, end_impersonation, may_impersonate, start_impersonation
from .banner import of_request
from .forms import StartForm
from .texts import ENDED, IS_ACTING, NO_USER, NOT_FINISHED, NOT_MANAGED, NOT_SET_UP, NOT_STARTED, REFUSED, refusal_text

__all__ = ["LeavePage", "StartPage", "UserPage", "page_of_user", "user_page_url"]

# Refusals that are about the staff member, not about the user: they see nothing of the user.
ABOUT_STAFF = {"impersonation_not_permitted", "impersonation_without_logto", "impersonation_nested"}


class ImpersonationPage(ManagedPage):
    """A page of support access."""

    folder = "impersonation"
    log_name = "Support access page"
    not_managed = NOT_MANAGED
    not_set_up_text = NOT_SET_UP
    all_done_texts: ClassVar[dict[str, str | Promise]] = {}
    done_texts = {"left": _("You have ended support access.")}

    def page_text(self, error: LogtoError) -> PageText:
        """Return the texts of the page for `error`."""
        if isinstance(error, ImpersonationRefused):
            return PageText(NOT_STARTED if self.request.method == "POST" else REFUSED, refusal_text(error))
        return PageText(NOT_LOADED, failure_text(error, is_change=False), remedy(error))

    def error_text(self, error: LogtoError) -> str:
        """Return the sentence that a form shows for `error`."""
        return refusal_text(error) if isinstance(error, ImpersonationRefused) else str(NOT_FINISHED)


class UserPage(ImpersonationPage):
    """Show staff who a user is, and start support access for them."""

    template_name = "user.html"
    actions = {"start": "start"}

    def check(self) -> HttpResponseBase | None:
        """Return None if staff may see the page of this user, else the page that says why not."""
        if of_request(self.request) is not None:
            return self.error_page(IS_ACTING, status=HTTPStatus.FORBIDDEN, is_acting=True, leave_url=url_of("leave"))
        if not may_impersonate(self.request):
            check_may_impersonate(self.request, self.target or self.request.user)
        # As in the admin, from which staff come here.
        second_factor = SecondFactor.of(None, None)
        if conf.admin_second_factor and not second_factor.is_met_by(session_principal(self.request)):
            return second_factor_response(self.request, second_factor)
        if self.target is None:
            return self.error_page(NO_USER, status=HTTPStatus.NOT_FOUND)
        return None

    @cached_property
    def target(self) -> Any:
        """The user of the URL, None if there is no such user."""
        model = get_user_model()
        try:
            pk = model._meta.pk.to_python(self.kwargs["pk"])
            return model._default_manager.filter(pk=pk).first()
        except (ValidationError, ValueError, OverflowError):
            return None

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Return the page."""
        return self.render_user(StartForm(initial={"next": request.GET.get(REDIRECT_FIELD_NAME, "")}))

    def render_user(self, form: StartForm) -> HttpResponse:
        """Return the page with `form`, or with the reason why support access is impossible."""
        refusal = self.refusal
        # Staff who may not act as the user, and may not see users in the admin, learn nothing of the user.
        is_shown = refusal is None or self.request.user.has_perm(view_permission())
        return self.render(
            {
                "name": str(self.target) if is_shown else "",
                "facts": facts_about(self.target) if is_shown else [],
                "form": None if refusal else form,
                "refusal": refusal and {"text": refusal_text(refusal), "code": refusal.code},
                "is_read_only": conf.impersonation_read_only,
                "is_audited": apps.is_installed("logto_auth.audit"),
                "back_url": page_of_user(self.target),
            }
        )

    @property
    def refusal(self) -> ImpersonationRefused | None:
        """Why staff cannot act as this user; None if they can. Raise it if it is not about the user."""
        try:
            check_may_impersonate(self.request, self.target)
        except ImpersonationRefused as error:
            if error.code in ABOUT_STAFF:
                raise
            return error
        return None

    def start(self, pk: str) -> HttpResponseBase:
        """Start support access, and redirect to the first page."""
        form = StartForm(self.request.POST)
        if form.is_valid():
            values = form.cleaned_data
            with self.form_errors(form):
                start_impersonation(self.request, self.target, reason=values["reason"], seconds=values["seconds"])
                return HttpResponseRedirect(safe_next_url(self.request, values["next"]))
        return self.render_user(form)


@method_decorator(login_not_required, name="dispatch")
class LeavePage(ImpersonationPage):
    """End support access: only by the button of the banner."""

    http_method_names = ["post", "options"]
    needs_user = False

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let staff have their own session again, and redirect to the page of the user."""
        impersonation = of_request(request)
        if impersonation is None:
            # Sent twice, or from a page of before the end.
            return HttpResponseRedirect(self.next_url or ended_url("left"))
        if end_impersonation(request) is None:
            return HttpResponseRedirect(ended_url("impersonator_session_ended", impersonation.user))
        return self.redirect(
            "left", self.next_url or page_of_user(impersonation.user) or user_page_url(impersonation.user)
        )

    @property
    def next_url(self) -> str:
        """The page to open then, if the form names one of this site."""
        url = self.request.POST.get(REDIRECT_FIELD_NAME, "")
        return url if url and is_allowed_next(self.request, url) else ""


@method_decorator(login_not_required, name="dispatch")
class StartPage(ImpersonationPage):
    """Say why support access has ended, and where to start it. `LogtoMiddleware` redirects here after the end."""

    template_name = "start.html"
    needs_user = False

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the page. It calls no Logto, and tells nothing about a user."""
        cause, pk = request.GET.get(ENDED_PARAMETER), request.GET.get("user", "")
        page, is_signed_in = url_of("user", pk) if pk else "", request.user.is_authenticated
        may_start = is_signed_in and may_impersonate(request)
        return self.render(
            {
                "impersonation": of_request(request),
                "has_ended": cause is not None,
                "text": ENDED.get(cause or "", ""),
                "may_start": may_start,
                "again_url": page if may_start else "",
                "users_url": users_in_admin() if may_start else "",
                "sign_in_url": "" if is_signed_in else sign_in_url(page),
                "leave_url": url_of("leave"),
            }
        )


def facts_about(user: Any) -> list[tuple[str | Promise, str]]:
    """Return what staff see of a user: labels and values."""
    subs = LogtoIdentity.objects.filter(user=user, issuer=conf.issuer).values_list("sub", flat=True)
    email_field = user.get_email_field_name()
    facts = [
        (_("Name"), getattr(user, "get_full_name", str)()),
        (_("Username"), user.get_username()),
        (_("E-mail address"), getattr(user, email_field, "") or ""),
        (_("User ID at Logto"), ", ".join(subs)),
    ]
    return [(label, value) for label, value in facts if value]


def view_permission() -> str:
    """Return the permission to see users in the admin."""
    options = get_user_model()._meta
    return f"{options.app_label}.{get_permission_codename('view', options)}"


def page_of_user(user: Any) -> str:
    """Return the URL path of the page of `user` in the admin; "" if the site has none."""
    return optional_url(f"admin:{user._meta.app_label}_{user._meta.model_name}_change", quote(user.pk))


def users_in_admin() -> str:
    """Return the URL path of the list of users in the admin; "" if the site has none."""
    meta = get_user_model()._meta
    return optional_url(f"admin:{meta.app_label}_{meta.model_name}_changelist")


def user_page_url(user: Any) -> str:
    """Return the URL path of the page on which staff start support access for `user`; "" if the site has none."""
    return url_of("user", str(user.pk))


def ended_url(cause: str, user: Any = None) -> str:
    """Return the URL path of the page that says why support access has ended."""
    return with_query(url_of("start"), {ENDED_PARAMETER: cause, **({"user": str(user.pk)} if user else {})})


def url_of(name: str, *args: str) -> str:
    """Return the URL path of a page of support access; "" if the site has left it out."""
    return optional_url(f"logto_impersonation:{name}", *args)
