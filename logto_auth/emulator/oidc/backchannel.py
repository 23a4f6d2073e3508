"""Back-channel logout: logout tokens for the relying parties."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor, wait

import requests
from urllib3.util import SKIP_HEADER

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.sessions import Session

from .signed_tokens import issue_logout_token

TIMEOUT_SECONDS = 2.5

_logger = logging.getLogger(__name__)


def notify_clients(provider: Provider, session: Session, only_client_id: str | None = None) -> None:
    """Send a logout token to each client of the session that has a back-channel URI, in parallel.

    Wait at most 2.5 seconds. There are no retries, and an answer other than 200 or 204 is only logged.
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
    wait([pool.submit(_deliver, client, token) for client, token in deliveries], timeout=TIMEOUT_SECONDS)
    # A receiver that sends its answer slowly can outlast the read timeout. The browser does not wait for it.
    pool.shutdown(wait=False)


def _deliver(client: Application, logout_token: str) -> None:
    assert client.backchannel_logout_uri is not None  # checked by the caller
    try:
        with requests.Session() as session:
            # Use no proxy and no credentials of the environment.
            session.trust_env = False
            response = session.post(
                client.backchannel_logout_uri,
                data={"logout_token": logout_token},
                headers={"User-Agent": SKIP_HEADER},
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
                stream=True,
            )
    except requests.RequestException as error:
        _logger.info("Back-channel logout of application %s failed: %s", client.id, type(error).__name__)
        return
    if response.status_code not in {200, 204}:
        _logger.info("Back-channel logout of application %s was answered %s", client.id, response.status_code)
