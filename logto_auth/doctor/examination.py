"""Run all examinations in order, and skip those that cannot give a result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.oidc.http import HTTPClient

from . import addresses, site, tenant
from .findings import Finding, failure, findings_or_ok, skipped
from .logto import LogtoExamination
from .sign_in import SignInExamination

__all__ = ["examine"]

WRONG_TYPE = "logto_auth.E001"
# After any of these errors, Logto cannot be called.
NO_LOGTO = frozenset(f"logto_auth.{number}" for number in ("E002", "E006", "E007", "E013", "E036", "E037"))


def examine(base_urls: Sequence[str], *, deploy: bool = False) -> Iterator[Finding]:
    """Yield all findings about the site, which is served at `base_urls`.

    `deploy` includes the system checks for deployment.
    """
    messages = site.system_messages(deploy=deploy)
    ids = {message.id for message in messages}
    yield from findings_or_ok(map(site.finding_from, messages), "settings", "The system checks found no problems.")
    if WRONG_TYPE in ids:
        yield skipped("site", "The other examinations were skipped. Correct the types of the settings first.")
        return
    yield from site.examine(base_urls)
    if ids & NO_LOGTO:
        yield skipped("logto", "Logto was not called. Correct the settings first.")
        return
    try:
        yield from _examine_logto(base_urls)
    except (ConfigurationError, LogtoError) as error:
        yield failure("logto", str(error), "Correct this, then run the command again for the remaining checks.")


def _examine_logto(base_urls: Sequence[str]) -> Iterator[Finding]:
    connect_seconds, total_seconds = conf.http_timeout_seconds
    http = HTTPClient(connect_seconds=connect_seconds, total_seconds=total_seconds)
    logto = LogtoExamination(http)
    yield from addresses.examine(http)
    yield from logto.examine()
    if logto.metadata is None:
        yield skipped("sign-in", "No sign-in was tried, because there is no valid discovery document.")
        return
    if conf.app_id and conf.app_secret:
        yield from SignInExamination(http, logto.metadata, base_urls).examine()
    else:
        yield skipped("sign-in", "No sign-in was tried, because LOGTO_APP_ID or LOGTO_APP_SECRET is not set.")
    yield from tenant.examine(base_urls)
