"""What is wrong with a site's sign-in, and what to do: each thing is tried the way that it will be used.

`site` looks at this machine, `logto` at Logto, `sign_in` at the application by requests such as sign-ins make, and
`tenant` at what only the Management API tells. Nothing is changed anywhere, and no finding holds a secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.oidc.http import HTTPClient

from . import site, tenant
from .findings import Finding, failure, or_ok, skipped
from .logto import Logto
from .sign_in import SignIn

WRONG_TYPE = "logto_auth.E001"
# With any of these there is nobody to ask, or no way to.
NO_LOGTO = frozenset({"logto_auth.E002", "logto_auth.E006", "logto_auth.E007", "logto_auth.E013"})


def examine(base_urls: Sequence[str], *, deploy: bool = False) -> Iterator[Finding]:
    """All findings about the site, which is reached at `base_urls`; with `deploy` also what matters to servers only."""
    messages = site.system_messages(deploy=deploy)
    ids = {message.id for message in messages}
    yield from or_ok(map(site.finding_of, messages), "settings", "The system checks have nothing to say.")
    if WRONG_TYPE in ids:
        yield skipped("site", "Nothing else was looked at: first mend the types of the settings.")
        return
    yield from site.examine(base_urls)
    if ids & NO_LOGTO:
        yield skipped("logto", "Logto was not asked: first mend the settings.")
        return
    try:
        yield from _examine_logto(base_urls)
    except (ConfigurationError, LogtoError) as error:
        yield failure("logto", str(error), "See to that, then run this again for the rest.")


def _examine_logto(base_urls: Sequence[str]) -> Iterator[Finding]:
    connect_seconds, total_seconds = conf.http_timeout_seconds
    http = HTTPClient(connect_seconds=connect_seconds, total_seconds=total_seconds)
    logto = Logto(http)
    yield from logto.examine()
    if logto.metadata is None:
        yield skipped("sign-in", "No sign-in was tried, for Logto could not be asked.")
        return
    if conf.app_id and conf.app_secret:
        yield from SignIn(http, logto.metadata, base_urls).examine()
    else:
        yield skipped("sign-in", "No sign-in was tried without LOGTO_APP_ID and LOGTO_APP_SECRET.")
    yield from tenant.examine(base_urls)
