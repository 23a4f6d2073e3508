"""Whether an application that calls this site is a third-party application.

Source: the Management API, GET /applications/{id}: `isThirdParty`, which never changes.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from functools import lru_cache, partial

from logto_auth.clients import management_api
from logto_auth.conf import conf
from logto_auth.exceptions import ManagementAPIError, ProviderError
from logto_auth.management_api import ManagementAPI
from logto_auth.oidc.claims import MAX_CLIENT_ID_LENGTH, is_name
from logto_auth.oidc.single_flight import SingleFlight

__all__ = ["Applications", "is_client_id", "is_third_party"]

logger = logging.getLogger("logto_auth")

KEPT_SECONDS = 300
# How long an old answer is used after Logto could not be asked, and how long a failure is shared without an answer.
COOL_DOWN_SECONDS, RETRY_SECONDS = 30, 5
MAX_REMEMBERED = 1000
# Anything else, such as the URL of a client's metadata document (CIMD), is no application of the tenant.
APP_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def is_client_id(value: object) -> bool:
    """Return whether `value` can be what a site declares of an application: its App ID, or the URL of a client.

    It has no space, because two ids in one string are a mistake.
    """
    return is_name(value, max_length=MAX_CLIENT_ID_LENGTH) and " " not in value


def is_third_party(client_id: str) -> bool:
    """Return whether the application with this App ID, or URL as `client_id`, is a third-party application.

    The site's own applications and those of `LOGTO_FIRST_PARTY_APPS` are not. For others Logto is asked. One that Logto
    does not know is third-party, and without the Management API each one is. An answer is kept in the process for five
    minutes, and while Logto cannot be asked. Raise ProviderError if Logto cannot be asked and no answer is kept.
    """
    if client_id in (conf.app_id, conf.m2m_app_id, *conf.first_party_apps):
        return False
    if not APP_ID.fullmatch(client_id) or not (conf.m2m_app_id and conf.m2m_app_secret):
        return True
    # One try: a client waits for the response.
    return _applications(management_api(max_tries=1)).is_third_party(client_id)


class Applications:
    """What Logto has said of the applications of one tenant. Safe to share between threads, which share a call."""

    def __init__(self, api: ManagementAPI, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        self._answers: dict[str, SingleFlight[bool]] = {}
        self._lock = threading.Lock()

    def is_third_party(self, app_id: str) -> bool:
        """Return whether the application is third-party, or unknown to Logto. Raise ProviderError."""
        answer = self._answers.get(app_id)
        if answer is None:
            with self._lock:
                answer = self._answers.setdefault(app_id, self._new_answer(app_id))
                while len(self._answers) > MAX_REMEMBERED:
                    del self._answers[next(iter(self._answers))]
        return answer.get()

    def _new_answer(self, app_id: str) -> SingleFlight[bool]:
        return SingleFlight(
            partial(self._ask, app_id),
            seconds_fresh=KEPT_SECONDS,
            cool_down_seconds=COOL_DOWN_SECONDS,
            retry_seconds=RETRY_SECONDS,
            clock=self._clock,
        )

    def _ask(self, app_id: str) -> bool:
        try:
            application = self._api.request("GET", f"applications/{app_id}", returns=dict)
            return application.get("isThirdParty") is not False
        except ManagementAPIError as error:
            if error.is_not_found:
                return True
            text = f"Logto does not say whether the application {app_id} is third-party: {error}"
            if error.code == "no_permission":
                logger.warning("%s It counts as third-party, unless LOGTO_FIRST_PARTY_APPS contains it.", text)
                return True
            raise ProviderError(text, retry_after_seconds=error.retry_after_seconds) from error


@lru_cache(maxsize=16)
def _applications(api: ManagementAPI) -> Applications:
    # There is another client after a change of the settings, so no answer is about another tenant.
    return Applications(api)
