"""The emulator as a server on the local machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Thread
from types import TracebackType
from typing import Any

from joserfc.jwk import Key
from werkzeug.serving import BaseWSGIServer, make_server

from .app import create_app
from .cloud import check_tenant_id
from .connections import RequestHandler, handler_with
from .faults import Faults
from .instances import Instances
from .listening import LOOPBACK, bound_socket, check_host, endpoint_at, public_origin
from .provider import Provider
from .request_log import RequestLog
from .state.clock import Clock
from .state.keys import Algorithm, Curve, SigningKey, SigningKeys, natural_alg, sign_compact
from .state.message_connectors import SentMessages
from .state.tenant import Tenant
from .verifications import Verifications
from .versions import DEFAULT, VERSIONS, LogtoVersion
from .webhook_delivery import Webhooks


class Emulator:
    """A Logto for development and tests. It listens on 127.0.0.1, unless another `host` is given.

    `port=0` uses any free port. A `host` that other machines can reach needs `expose_to_network=True`: anyone who can
    reach the emulator can sign in as anyone. `public_endpoint` is the origin that browsers use, and the issuer's.
    `cloud_tenant` is a tenant ID, and makes the emulator a tenant of Logto Cloud with a custom domain.

    `like` is the version of Logto to show, a name in `versions.VERSIONS`. `outbound_guard=False` lets back-channel
    logouts reach loopback and private addresses, as Logto's variable `OIDC_PROVIDER_SSRF_PROTECTION_DISABLED` does.
    `loopback_client_documents=True` reads documents of dynamic clients (CIMD) from https URLs of this machine, which no
    Logto does. It needs `like="head"` and the outbound guard, and the tenant has to turn dynamic clients on.
    `seed` is a function that fills the tenant, now and at each `reset(tenant=True)`; `seed_demo` is an example.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = LOOPBACK,
        public_endpoint: str = "",
        expose_to_network: bool = False,
        cloud_tenant: str = "",
        like: str = DEFAULT,
        outbound_guard: bool = True,
        loopback_client_documents: bool = False,
        seed: Callable[[Tenant], object] | None = None,
    ) -> None:
        check_host(host, expose_to_network=expose_to_network)
        if cloud_tenant:
            check_tenant_id(cloud_tenant)
        self._host = host
        self._port = port
        self._public_endpoint = public_origin(public_endpoint) if public_endpoint else ""
        self._version = _version(like)
        if loopback_client_documents and not (self._version.has_cimd and outbound_guard):
            raise ValueError("Documents of dynamic clients need --like head, and the outbound guard.")
        self._outbound_guard = outbound_guard
        self._loopback_client_documents = loopback_client_documents
        self._seed = seed
        self._provider = Provider(cloud_tenant=cloud_tenant)
        self._restore_options()
        self._server: BaseWSGIServer | None = None
        self._thread: Thread | None = None
        self._handler: type[RequestHandler] = handler_with(self.clock)
        if seed is not None:
            seed(self.tenant)

    # Parts

    @property
    def endpoint(self) -> str:
        """The public origin, such as `http://localhost:3001`. With `port=0` it is known after the start."""
        return self._provider.endpoint

    @property
    def issuer(self) -> str:
        return self._provider.issuer

    @property
    def tenant(self) -> Tenant:
        """Users, applications, roles, resources and organizations."""
        return self._provider.tenant

    @property
    def like(self) -> str:
        """The version of Logto that the emulator shows. A test may change it; `reset(tenant=True)` restores it."""
        return self.tenant.version.name

    @like.setter
    def like(self, name: str) -> None:
        self.tenant.version = _version(name)

    @property
    def outbound_guard(self) -> bool:
        """Whether the outbound guard is on, if this version has one. A test may change it, as `like`."""
        return self._provider.outbound_guard

    @outbound_guard.setter
    def outbound_guard(self, is_on: bool) -> None:
        self._provider.outbound_guard = is_on

    @property
    def loopback_client_documents(self) -> bool:
        """Whether documents of dynamic clients are read from this machine. A test may change it, as `like`."""
        return self._provider.loopback_client_documents

    @loopback_client_documents.setter
    def loopback_client_documents(self, are_read: bool) -> None:
        self._provider.loopback_client_documents = are_read

    @property
    def keys(self) -> SigningKeys:
        return self._provider.keys

    @property
    def clock(self) -> Clock:
        """The clock. `clock.advance(60)` lets codes expire."""
        return self._provider.clock

    @property
    def faults(self) -> Faults:
        return self._provider.faults

    @property
    def requests(self) -> RequestLog:
        """The requests received so far."""
        return self._provider.requests

    @property
    def instances(self) -> Instances:
        """Sessions, grants, codes and tokens."""
        return self._provider.instances

    @property
    def verifications(self) -> Verifications:
        """The records of the Verification API, and the limits for attempts and messages."""
        return self._provider.verifications

    @property
    def messages(self) -> SentMessages:
        """The e-mails and text messages that Logto would have sent. `messages.code_for(recipient)` returns a code."""
        return self.tenant.sent_messages

    @property
    def webhooks(self) -> Webhooks:
        """Deliveries of webhooks. `webhooks.wait()` returns when all are done."""
        return self._provider.webhooks

    # Start and stop

    def start(self) -> Emulator:
        """Start the server in a thread and return self. Raise PortInUse or another OSError."""
        if self._server is not None:
            raise RuntimeError("The emulator is already running.")
        listener = bound_socket(self._host, self._port)
        host, port = listener.getsockname()[:2]
        self._provider.endpoint = self._public_endpoint or endpoint_at(self._host, port)
        with listener:
            # The server duplicates the descriptor.
            self._server = make_server(
                host,
                port,
                create_app(self._provider),
                threaded=True,
                request_handler=self._handler,
                fd=listener.fileno(),
            )
        self._thread = Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="logto-emulator", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop the server. A stopped emulator remains stopped."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._handler.close_connections()
        self.webhooks.stop()
        self._server = self._thread = None

    def wait(self) -> None:
        """Wait until the emulator stops."""
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(0.5)

    def __enter__(self) -> Emulator:
        return self if self._server is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # Control

    def reset(self, *, tenant: bool = False) -> None:
        """Clear faults, sessions, grants, tokens, the logs of requests and deliveries, and the offset of the clock.

        With `tenant=True`, also empty the tenant and seed it again. The signing keys do not change, because other
        processes may have cached them; `keys.clear()` replaces them.
        """
        self.faults.clear()
        self.instances.clear()
        self.verifications.clear()
        self.requests.clear()
        self.webhooks.clear()
        self.clock.reset()
        self._provider.rate_limit.reset()
        if tenant:
            self._restore_options()
            self.tenant.clear()
            if self._seed is not None:
                self._seed(self.tenant)

    def _restore_options(self) -> None:
        self.tenant.version = self._version
        self.outbound_guard = self._outbound_guard
        self.loopback_client_documents = self._loopback_client_documents

    def rotate_keys(
        self, algorithm: Algorithm = "EC", grace_seconds: int = 0, *, curve: Curve = "P-384"
    ) -> list[SigningKey]:
        """Generate a new signing key and return all keys: Current, Next, Previous.

        Logto itself generates EC keys of P-384. With `curve` the key is like one that the operator has provided. Until
        1.42 Logto cannot sign with it: `signs_with_every_curve` in `versions.py`.
        """
        return self.keys.rotate(algorithm, grace_seconds, curve=curve)

    def sign(self, claims: object, *, header: Mapping[str, Any] | None = None, key: Key | None = None) -> str:
        """Return a token with any content, signed with `key` or with the current key.

        `header` changes the default header `{"alg", "typ": "JWT", "kid"}`; a value of None removes a member. The
        signature always fits the key, even if `alg` does not. If `alg` is `none`, in any case of letters, it is empty.
        """
        current = self.keys.current
        signing_key = key or current.key
        natural = {"alg": natural_alg(signing_key), "typ": "JWT", "kid": signing_key.thumbprint()}
        merged = {**natural, **(header or {})}
        return sign_compact({name: value for name, value in merged.items() if value is not None}, claims, signing_key)


def run_in_thread(port: int = 0, **options: Any) -> Emulator:
    """Return a started emulator with the options of `Emulator`. Use it as a context manager, or call `stop()`."""
    return Emulator(port=port, **options).start()


def _version(name: str) -> LogtoVersion:
    if name not in VERSIONS:
        raise ValueError(f"The emulator knows no Logto {name!r}. Expected one of {', '.join(VERSIONS)}.")
    return VERSIONS[name]
