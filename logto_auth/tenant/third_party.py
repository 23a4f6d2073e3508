"""Third-party applications: their declaration. `third_party_steps` has the part of a plan about them.

A third-party application belongs to others, such as an MCP client. Logto asks users for their consent before the
application gets anything, and the application can ask for declared permissions only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from logto_auth.origins import ascii_form

from .consent_scopes import ConsentScopes, consent_scope_errors, is_list_of_texts
from .uris import DEFAULT_PORTS, split_uri

__all__ = ["ThirdPartyApplication", "ThirdPartyType", "third_party_errors", "third_party_label"]

ThirdPartyType = Literal["Native", "SPA", "Traditional"]
TYPES = ("Native", "SPA", "Traditional")
MAX_NAME = 256
# The schemes that Logto accepts, apart from http and https. Source: RFC 8252, section 7.1.
CUSTOM_SCHEME = re.compile(r"[a-z][a-z0-9_+-]*(\.[a-z0-9_+-]+)*")
BROWSER_SCHEMES = frozenset({"about", "blob", "data", "file", "javascript", "vbscript"})


@dataclass(frozen=True)
class ThirdPartyApplication(ConsentScopes):
    """An application of others, registered beforehand. It is found by its name, and created if there is none.

    A client without a secret that runs on the user's machine, as most MCP clients, is `Native`: Logto then accepts each
    port of a loopback redirect URI, such as `http://127.0.0.1/callback`. What it may ask users for becomes what is
    declared, exactly: the commands remove other permissions.
    """

    name: str
    redirect_uris: Sequence[str]
    type: ThirdPartyType = field(default="Native", kw_only=True)
    """Native and SPA have no secret. Logto cannot change the type of an application."""


def third_party_errors(applications: Sequence[ThirdPartyApplication]) -> Iterator[str]:
    """Yield a sentence for each part that Logto would reject, or would accept and never use."""
    if not isinstance(applications, list | tuple):
        yield f"third_party_applications is {applications!r:.80}, expected a list of ThirdPartyApplication."
        return
    seen: set[str] = set()
    for application in applications:
        if not isinstance(application, ThirdPartyApplication):
            yield f"third_party_applications contains {application!r:.80}, expected a ThirdPartyApplication."
            continue
        if not _is_shown(application.name):
            # Logto stores no NUL, and its pages show the name to users.
            yield (
                f"A third-party application has the name {application.name!r:.80}, expected 1 to "
                f"{MAX_NAME} printable characters."
            )
            continue
        if application.name in seen:
            yield f"The third-party application {application.name} is declared twice. Remove one declaration."
        seen.add(application.name)
        yield from _one_application_errors(application)


def _is_shown(name: object) -> bool:
    return isinstance(name, str) and name.isprintable() and bool(name.strip())


def _one_application_errors(application: ThirdPartyApplication) -> Iterator[str]:
    label = third_party_label(application)
    if len(application.name) > MAX_NAME:
        yield f"The {label} has a name of {len(application.name)} characters, expected 1 to {MAX_NAME}."
    if application.type not in TYPES:
        yield f"The {label} has the type {application.type!r:.80}, expected one of {', '.join(TYPES)}."
    if not is_list_of_texts(application.redirect_uris):
        yield f"redirect_uris of the {label} is {application.redirect_uris!r:.80}, expected a list of strings."
    elif not application.redirect_uris:
        yield f"The {label} has no redirect URI, so no user can sign in with it. Add the URI of its callback."
    else:
        for uri in application.redirect_uris:
            yield from _redirect_uri_errors(uri, label)
    yield from consent_scope_errors(label, application)


def _redirect_uri_errors(uri: str, label: str) -> Iterator[str]:
    parts = split_uri(uri)
    if form := ascii_form(uri):
        yield (
            f"The redirect URI {uri!r:.200} of the {label} is not in ASCII, as Logto and browsers write it. Use "
            f"{form!r}."
        )
    elif parts is None or not _is_callback(parts.scheme, parts.hostname) or "@" in parts.netloc:
        yield (
            f"The redirect URI {uri!r:.200} of the {label} is neither an http or https URL nor a URL with a scheme of "
            "the application, such as com.example.app://callback."
        )
    elif parts.fragment:
        yield f"The redirect URI {uri} of the {label} has a fragment, which Logto rejects. Remove the fragment."
    elif "*" in uri:
        yield (
            f"The redirect URI {uri} of the {label} has a wildcard. A wildcard would let codes of users reach other "
            "sites. Name each URI."
        )


def _is_callback(scheme: str, hostname: str | None) -> bool:
    if scheme in DEFAULT_PORTS:
        return bool(hostname)
    return CUSTOM_SCHEME.fullmatch(scheme) is not None and scheme not in BROWSER_SCHEMES


def third_party_label(application: ThirdPartyApplication) -> str:
    """Return how errors name a third-party application."""
    return f'third-party application "{application.name:.80}"'
