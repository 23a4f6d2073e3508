"""Measure API calls in their own process: `python -m bench.bearer`, with the task as JSON on standard input."""

from __future__ import annotations

import gc
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import django
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from django.conf import settings as django_settings
from jwt.algorithms import ECAlgorithm

from . import sites
from .candidate import Meter

KEY = "API key seen before"
SESSION, SEEN, FRESH = "session authentication", "token seen before", "a fresh token each time"
BY_HAND = "by hand: PyJWT, no account"
VERIFY = "ES384 verify alone"
MOZILLA_HERE = "mozilla-django-oidc's class, emulator next door"
MOZILLA = "mozilla-django-oidc's class, Logto 10 ms away"
DISTANCE_SECONDS = 0.01
API = "https://bench.example/api"
ROUNDS = 1500
MOZILLA_ROUNDS = 150
MANY_TOKENS, WARM_TOKENS = 100_000, 5_000
JUNK_KIDS = 1000
JUNK_KEYS = 1000


class TokenMaker:
    """Signs access tokens with the emulator's key, so that no request is needed."""

    def __init__(self, jwk: dict[str, Any], issuer: str, sub: str) -> None:
        self.key: Any = ECAlgorithm(ECAlgorithm.SHA384).from_jwk(jwk)
        self.kid = jwk["kid"]
        self._claims = {"sub": sub, "scope": "read:books", "client_id": "benchmark", "iss": issuer, "aud": API}

    def token(self, number: int, *, kid: str | None = None) -> str:
        now = int(time.time())
        claims = {"jti": f"token-{number}", "iat": now, "exp": now + 3600, **self._claims}
        return jwt.encode(claims, self.key, algorithm="ES384", headers={"typ": "at+jwt", "kid": kid or self.kid})


def call(client: Any, path: str, token: str | None = None) -> Callable[[], Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get() -> Any:
        response = client.get(path, headers=headers)
        assert response.status_code == 200, response.content
        return response

    return get


def in_turn(candidates: dict[str, Iterator[Callable[[], Any]]], rounds: int) -> dict[str, dict[str, float]]:
    """Return CPU and wall time of each candidate in milliseconds: medians of alternating rounds."""
    cpu: dict[str, list[float]] = {name: [] for name in candidates}
    wall: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds):
        names = list(candidates)
        # The second candidate of a round benefits from warm caches, so the order alternates.
        for name in names if number % 2 else reversed(names):
            measured = next(candidates[name])
            wall_before, cpu_before = time.perf_counter(), time.thread_time()
            measured()
            cpu[name].append((time.thread_time() - cpu_before) * 1000)
            wall[name].append((time.perf_counter() - wall_before) * 1000)
    return {
        name: {"cpu_ms": statistics.median(cpu[name]), "wall_ms": statistics.median(wall[name])} for name in candidates
    }


def forever(measured: Callable[[], Any]) -> Iterator[Callable[[], Any]]:
    while True:
        yield measured


def signed_in_client(user: Any) -> Any:
    from django.test import Client

    client = Client()
    client.force_login(user, backend="logto_auth.backends.LogtoBackend")
    return client


def measure_calls(
    meter: Meter, maker: TokenMaker, user: Any, opaque_token: str, api_key: str
) -> dict[str, dict[str, float]]:
    """Return the costs of one view of Django REST framework by way of authentication."""
    from django.test import Client

    client = Client()
    message = b"x" * 600
    signature = maker.key.sign(message, ec.ECDSA(SHA384()))
    public_key = maker.key.public_key()
    tokens = [maker.token(number) for number in range(ROUNDS + 1)]
    fresh = (call(client, "/by-token", token) for token in tokens[1:])
    next_seen = call(client, "/by-token", tokens[0])
    next_seen()
    by_key = call(client, "/by-key", api_key)
    by_key()
    candidates = {
        SESSION: forever(call(signed_in_client(user), "/by-session")),
        SEEN: forever(next_seen),
        KEY: forever(by_key),
        FRESH: fresh,
        BY_HAND: forever(call(client, "/by-hand", tokens[0])),
        VERIFY: forever(lambda: public_key.verify(signature, message, ec.ECDSA(SHA384()))),
    }
    costs = in_turn(candidates, ROUNDS)
    before = meter.http
    next_seen()
    costs[SEEN]["http"] = meter.http - before
    before = meter.http
    by_key()
    costs[KEY]["http"] = meter.http - before
    by_mozilla = forever(call(client, "/by-mozilla", opaque_token))
    costs |= in_turn({MOZILLA_HERE: by_mozilla}, MOZILLA_ROUNDS)
    meter.distance_seconds = DISTANCE_SECONDS
    costs |= in_turn({MOZILLA: by_mozilla}, MOZILLA_ROUNDS)
    meter.distance_seconds = 0
    return costs


def measure_memory(maker: TokenMaker) -> dict[str, float]:
    """Return how much this process grew by verifying 100,000 different tokens, in MiB."""
    from logto_auth.clients import access_token_verifier

    def verify(numbers: range) -> float:
        for number in numbers:
            access_token_verifier().verify_for_resource(maker.token(number), API)
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    warm = verify(range(WARM_TOKENS))
    return {"tokens": MANY_TOKENS, "grown_mib": verify(range(WARM_TOKENS, MANY_TOKENS)) - warm}


def measure_junk(meter: Meter, maker: TokenMaker) -> dict[str, float]:
    """Return the number of requests to Logto caused by tokens with 1,000 made-up key ids."""
    from django.test import Client

    client, before, started = Client(), meter.http, time.monotonic()
    for number in range(JUNK_KIDS):
        token = maker.token(number, kid=f"junk-{number}")
        assert client.get("/by-token", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    return {"requests": meter.http - before, "seconds": time.monotonic() - started}


def measure_junk_keys(meter: Meter) -> dict[str, float]:
    """Return the number of requests to Logto caused by 1,000 made-up API keys from one address."""
    from django.test import Client

    client, before, started = Client(), meter.http, time.monotonic()
    for number in range(JUNK_KEYS):
        response = client.get("/by-key", headers={"Authorization": f"Bearer pat_{number:032}"})
        assert response.status_code in (401, 429)
    return {"requests": meter.http - before, "seconds": time.monotonic() - started}


def main() -> None:
    task = json.load(sys.stdin)
    settings = sites.settings("logto_auth", **task["logto"])
    endpoint, maker = task["logto"]["endpoint"], TokenMaker(task["jwk"], task["issuer"], task["sub"])
    django_settings.configure(
        **{
            **settings,
            "ROOT_URLCONF": "bench.api_urls",
            "LOGTO_API_RESOURCE": API,
            "LOGTO_API_SCOPES": ["read:books"],
            # Exchanged once: a fresh exchange is not what is measured.
            "LOGTO_API_KEY_SECONDS": 3600,
            "OIDC_DRF_AUTH_BACKEND": "bench.api_urls.MozillaBackend",
            "OIDC_OP_USER_ENDPOINT": f"{endpoint}/oidc/me",
            "OIDC_OP_TOKEN_ENDPOINT": f"{endpoint}/oidc/token",
            "OIDC_OP_JWKS_ENDPOINT": f"{endpoint}/oidc/jwks",
            "OIDC_RP_CLIENT_ID": task["logto"]["app_id"],
            "OIDC_RP_CLIENT_SECRET": task["logto"]["app_secret"],
            "OIDC_RP_SIGN_ALGO": "ES384",
        }
    )
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from logto_auth.conf import conf
    from logto_auth.models import LogtoIdentity

    call_command("migrate", verbosity=0)
    user = User.objects.create_user("reader", "reader@example.com")
    LogtoIdentity.objects.create(user=user, issuer=conf.issuer, sub=task["sub"])
    meter = Meter()
    costs = {
        "calls": measure_calls(meter, maker, user, task["opaque_token"], task["api_key"]),
        "junk": measure_junk(meter, maker),
        "junk_keys": measure_junk_keys(meter),
        "memory": measure_memory(maker),
    }
    json.dump(costs, sys.stdout)


if __name__ == "__main__":
    main()
