"""Back-channel logout: logout tokens for the relying parties."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor, wait
from urllib.parse import urlencode, urlsplit

import requests
from urllib3.util import SKIP_HEADER

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.sessions import Session

from .outbound_guard import is_blocked
from .signed_tokens import issue_logout_token

TIMEOUT_SECONDS = 2.5

_logger = logging.getLogger(__name__)


def notify_clients(provider: Provider, session: Session, only_client_id: str | None = None) -> None:
    """Send a logout token to each client of the session that has a back-channel URI, in parallel.

    Wait at most 2.5 seconds. There are no retries, and an answer other than 200 or 204 is only logged. The same holds
    for a request that the outbound guard blocks: the browser's sign-out succeeds.
    """
    if session.account_id is None:
        return
    deliveries = [
        (client, issue_logout_token(provider, client, sub=session.account_id, sid=authorization.sid))
        for client_id, authorization in session.authorizations.items()
        if only_client_id in {None, client_id}
        and (client := provider.tenant.applications.get(client_id))
        and client.backchannel_logout_uri
    ]
    if not deliveries:
        return
    pool = ThreadPoolExecutor(max_workers=len(deliveries))
    wait([pool.submit(_deliver, provider, client, token) for client, token in deliveries], timeout=TIMEOUT_SECONDS)
    # A receiver that sends its answer slowly can outlast the read timeout. The browser does not wait for it.
    pool.shutdown(wait=False)


def _deliver(provider: Provider, client: Application, logout_token: str) -> None:
    uri = client.backchannel_logout_uri
    assert uri is not None  # checked by the caller
    if provider.guards_outbound_requests and is_blocked(uri):
        _logger.info("The outbound guard blocked the back-channel logout of application %s", client.id)
        return
    try:
        with requests.Session() as session:
            # Use no proxy and no credentials of the environment.
            session.trust_env = False
            session.headers.clear()
            response = session.post(
                uri,
                data=urlencode({"logout_token": logout_token}),
                headers=_headers(provider, uri),
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
                stream=True,
            )
    except requests.RequestException as error:
        _logger.info("Back-channel logout of application %s failed: %s", client.id, type(error).__name__)
        return
    if response.status_code not in {200, 204}:
        _logger.info("Back-channel logout of application %s was answered %s", client.id, response.status_code)


def _headers(provider: Provider, uri: str) -> dict[str, str]:
    form = {"content-type": "application/x-www-form-urlencoded"}
    if provider.tenant.version.backchannel_uses_fetch:
        return {"host": urlsplit(uri).netloc.rpartition("@")[2], **form, "user-agent": "", "accept": "*/*"}
    return {**form, "User-Agent": SKIP_HEADER}
