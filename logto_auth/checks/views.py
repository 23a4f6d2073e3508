"""Checks of what the decorators, mixins and permissions of views require."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage
from django.urls import URLPattern, URLResolver, get_resolver

from logto_auth.access.requirements import Requirement

from .lenient_conf import conf
from .mcp import auth_of
from .problem import Problem
from .sign_in import sign_in_path, signs_users_in, url_path

VERIFICATION_MISSING = Problem(
    "logto_auth.E038",
    "{view} requires the security verification, but the site's URLs do not include its page.",
    "Add path('account/', include('logto_auth.account.urls')).",
)
SECOND_FACTOR_OFF = Problem(
    "logto_auth.E041",
    "{view} requires a second factor, but LOGTO_SECOND_FACTOR is False.",
    "Set LOGTO_SECOND_FACTOR = True, and set Logto up for it; the guide 'Require a second factor' shows how.",
)
RESOURCE_UNDECLARED = Problem(
    "logto_auth.E047",
    "{view} requires access tokens for {resource}, which the settings do not declare.",
    "Add it to LOGTO_API_RESOURCES with its permissions, or correct the name. Without that, the 401 of the view cannot "
    "name its metadata.",
)
THIRD_PARTIES_UNKNOWN = Problem(
    "logto_auth.W041",
    "{view} refuses third-party applications, but this site cannot ask Logto which ones are: of all applications, only "
    "LOGTO_APP_ID and LOGTO_M2M_APP_ID have access.",
    "Set LOGTO_M2M_APP_ID and LOGTO_M2M_APP_SECRET of an application that may use the Management API, or list your own "
    "applications in LOGTO_FIRST_PARTY_APPS.",
)
KEYS_NOT_EXCHANGEABLE = Problem(
    "logto_auth.E050",
    "{view} accepts API keys, but LOGTO_M2M_APP_ID or LOGTO_M2M_APP_SECRET is not set.",
    "Set both. Logto exchanges an API key only for an application, which needs 'Allow token exchange' at Logto.",
)


def check_views() -> Iterator[CheckMessage]:
    """Check that the site has what its views require."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return
    patterns = get_resolver().url_patterns
    if signs_users_in() and sign_in_path() is not None and url_path("logto_account:verify") is None:
        yield from (VERIFICATION_MISSING(view=view) for view in _views(patterns, _requires_verification))
    if conf.second_factor is False:
        yield from (SECOND_FACTOR_OFF(view=view) for view in _views(patterns, _requires_second_factor))
    yield from _check_resources(patterns)
    if not (conf.m2m_app_id and conf.m2m_app_secret) and not conf.first_party_apps:
        yield from (THIRD_PARTIES_UNKNOWN(view=view) for view in _views(patterns, _refuses_third_parties))
    yield from _check_api_keys(patterns)


def _check_resources(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[CheckMessage]:
    declared = conf.declared_api_resources
    required = ((_name_of(view), resource) for view in _callbacks(patterns) for resource in _required_resources(view))
    for view, resource in dict.fromkeys(required):
        if resource not in declared:
            yield RESOURCE_UNDECLARED(view=view, resource=resource)


def _check_api_keys(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[CheckMessage]:
    """Check that keys can be exchanged. Where users sign in, another check reports a missing application."""
    if signs_users_in() or (conf.app_id and conf.app_secret) or (conf.m2m_app_id and conf.m2m_app_secret):
        return
    for name in dict.fromkeys(_views(patterns, _accepts_api_keys)):
        yield KEYS_NOT_EXCHANGEABLE(view=name)


def accepts_api_keys() -> bool:
    """Return whether a view of the site, or an MCP server in its URLs, accepts API keys."""
    return any(_accepts_api_keys(view) for view in _callbacks(get_resolver().url_patterns))


def _accepts_api_keys(view: Any) -> bool:
    return any(getattr(each, "accepts_api_keys", False) for each in _token_checks(view))


def _views(patterns: Iterable[URLPattern | URLResolver], is_wanted: Callable[[Any], bool]) -> Iterator[str]:
    """Yield the names of the views that `is_wanted` accepts."""
    return (_name_of(callback) for callback in _callbacks(patterns) if is_wanted(callback))


def _callbacks(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[Any]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _callbacks(pattern.url_patterns)
        else:
            yield pattern.callback


def _name_of(callback: Any) -> str:
    operations = _ninja_operations(callback)
    view = operations[0].view_func if operations else _class_of(callback) or callback
    # REST framework makes a class for each function with `api_view`, and sets only `__name__`. An MCP server has none.
    return f"{view.__module__}.{getattr(view, '__name__', type(view).__name__)}"


def _requires_verification(view: Any) -> bool:
    """Return whether a view has `verification_required` or `VerificationRequiredMixin`."""
    return getattr(view, "requires_verification", getattr(_class_of(view), "requires_verification", False))


def _requires_second_factor(view: Any) -> bool:
    """Return whether a view has a decorator or mixin that requires a second factor, or such a permission class.

    The permissions of Django Ninja, and those that depend on the request, are not known here.
    """
    auth = auth_of(view)
    requirements = [*_required_by_permissions(view), *([auth.requirement] if auth else ())]
    return getattr(view, "requires_second_factor", False) or any(each.second_factor for each in requirements)


def _refuses_third_parties(view: Any) -> bool:
    """Return whether a view for access tokens refuses third-party applications."""
    checks = _token_checks(view)
    # Those of Ninja and MCP, and those of REST framework, where a session is never that of a third-party application.
    requirements = [getattr(each, "requirement", None) for each in checks]
    requirements += _required_by_permissions(view) if checks else ()
    return getattr(view, "refuses_third_parties", False) or any(
        isinstance(each, Requirement) and each.third_party is False for each in requirements
    )


def _class_of(view: Any) -> Any:
    return getattr(view, "view_class", getattr(view, "cls", None))


def _required_by_permissions(view: Any) -> Iterator[Requirement]:
    """Yield the requirements of the permission classes of REST framework, and of the parts of compositions."""
    waiting = list(_classes(view, "permission_classes"))
    while waiting:
        permission = waiting.pop()
        requirement = getattr(permission, "requirement", None)
        if isinstance(requirement, Requirement):
            yield requirement
        waiting += [getattr(permission, name) for name in ("op1_class", "op2_class") if hasattr(permission, name)]


def _required_resources(view: Any) -> Iterator[str]:
    """Yield the API resources that a view names: by a decorator or mixin, or by a class of REST framework or Ninja."""
    # The check of MCP servers reports theirs.
    checks = (each for each in _token_checks(view) if each is not auth_of(view))
    named = (getattr(each, "resource", getattr(each, "api_resource", None)) for each in checks)
    yield from (each for each in named if isinstance(each, str) and each)


def _token_checks(view: Any) -> list[Any]:
    """Return what authenticates by access token: the view, classes of REST framework, or objects of Ninja and MCP."""
    authenticators = [callback for operation in _ninja_operations(view) for callback in operation.auth_callbacks]
    # Only the authentication of this package has this attribute.
    found = (view, auth_of(view), *_classes(view, "authentication_classes"), *authenticators)
    return [each for each in found if hasattr(each, "of_organization")]


def _classes(view: Any, name: str) -> Sequence[Any]:
    """Return an attribute of a view of REST framework, which keeps the arguments of a route, such as an action."""
    classes = getattr(view, "initkwargs", {}).get(name)
    return (getattr(_class_of(view), name, None) if classes is None else classes) or ()


def _ninja_operations(view: Any) -> Sequence[Any]:
    """Return the operations of a view of Django Ninja, which are only in the closure of the function; else none."""
    return next((each.operations for each in _closure_of(view) if type(each).__name__ == "PathView"), ())


def _closure_of(function: Any) -> Iterator[Any]:
    for cell in getattr(function, "__closure__", None) or ():
        # A cell is empty if its name has no value yet.
        with contextlib.suppress(ValueError):
            yield cell.cell_contents
