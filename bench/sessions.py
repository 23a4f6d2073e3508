"""Measure active sessions in their own process: `python -m bench.sessions`, with the task as JSON on standard input."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings as django_settings

from . import sites
from .candidate import Costs, Meter

WITHOUT, WITH = "signed-in page, without LogtoMiddleware", "signed-in page, with it"
REFRESH = "signed-in page, with a refresh"
FEW, MANY = "back-channel logout, 10 active sessions", "back-channel logout, 10,000 active sessions"
PAGE_ROUNDS = 4000
REFRESH_ROUNDS = 60


def signed_in_client(endpoint: str, username: str) -> Any:
    """Return a test client that is signed in."""
    from django.test import Client

    from logto_auth.emulator import Visitor

    client, visitor = Client(), Visitor(endpoint)
    start = client.get(sites.START["logto_auth"])
    callback = visitor.sign_in(start["Location"], username, f"{username}-password")
    assert client.get(callback.removeprefix(sites.SITE)).status_code == 302
    visitor.close()
    return client


def in_turn(meter: Meter, costs: Costs, number: int) -> Callable[[Callable[[], Any]], Any]:
    """Return a function that counts in odd rounds and measures time in even rounds, because counting takes time."""
    return lambda call: (meter.measure if number % 2 else meter.time)(costs, call)


def measure_pages(meter: Meter, client: Any) -> dict[str, Costs]:
    """Return the costs of a signed-in page on two sites that differ in one middleware."""
    from django.test import Client, override_settings

    ours = "logto_auth.middleware.LogtoMiddleware"
    costs = {WITHOUT: Costs(), WITH: Costs()}
    plain = Client()
    plain.cookies = client.cookies
    with override_settings(MIDDLEWARE=[name for name in django_settings.MIDDLEWARE if name != ours]):
        # Django loads the middleware at the first request.
        assert not hasattr(plain.get("/").wsgi_request, "logto")
    assert hasattr(client.get("/").wsgi_request, "logto")
    for number in range(PAGE_ROUNDS):
        pair = [(WITHOUT, plain), (WITH, client)]
        # The second candidate of a round benefits from warm caches, so the order alternates.
        for kind, browser in pair if number % 4 < 2 else reversed(pair):
            in_turn(meter, costs[kind], number)(lambda browser=browser: browser.get("/"))
    return costs


def measure_refreshes(meter: Meter, client: Any) -> dict[str, Costs]:
    """Return the costs of a page that refreshes the session."""
    from logto_auth.models import LogtoSession

    costs = Costs()
    for number in range(REFRESH_ROUNDS):
        LogtoSession.objects.update(fresh_until=time.time() - 1)
        page = in_turn(meter, costs, number)(lambda: client.get("/"))
        assert page.content != b"hello AnonymousUser"
    return {REFRESH: costs}


def measure_logouts(meter: Meter, sub: str, tokens: list[list[str]]) -> dict[str, Costs]:
    """Return the costs of back-channel logout with few and with many active sessions; each call ends one session."""
    from django.test import Client

    costs = {FEW: Costs(), MANY: Costs()}
    client = Client()
    for kind, live in ((FEW, 10), (MANY, 10_000)):
        make_sessions({f"other-{number}": f"user-{number}" for number in range(live)})
        for number, (sid, token) in enumerate(tokens):
            make_sessions({sid: sub})
            data = {"logout_token": token}
            answer = in_turn(meter, costs[kind], number)(lambda data=data: client.post("/back-channel-logout", data))
            assert answer.status_code == 200
            assert count_sessions() == live
            forget_replays()
        end_everything()
    return costs


def make_sessions(subs: dict[str, str]) -> None:
    """Create active sessions; `subs` is the user's `sub` by `sid`."""
    from django.contrib.auth.models import User

    from logto_auth.conf import conf
    from logto_auth.models import LogtoIdentity, LogtoSession, make_digest

    later, user = time.time() + 3600, User.objects.get()
    digests = {sub: make_digest(conf.issuer, sub) for sub in subs.values()}
    LogtoIdentity.objects.bulk_create(
        [LogtoIdentity(user=user, issuer=conf.issuer, sub=sub, digest=digest) for sub, digest in digests.items()],
        ignore_conflicts=True,
    )
    identities = {identity.sub: identity for identity in LogtoIdentity.objects.filter(digest__in=digests.values())}
    LogtoSession.objects.bulk_create(
        LogtoSession(identity=identities[sub], user=user, sid=sid, fresh_until=later, delete_after=later)
        for sid, sub in subs.items()
    )


def count_sessions() -> int:
    from logto_auth.models import LogtoSession

    return LogtoSession.objects.count()


def end_everything() -> None:
    from django.contrib.sessions.models import Session

    from logto_auth.models import LogtoSession

    Session.objects.all().delete()
    LogtoSession.objects.all().delete()


def forget_replays() -> None:
    """Forget used tokens: both sites receive the same ones."""
    from django.core.cache import cache

    cache.clear()


def measure(endpoint: str, username: str, sub: str, logout_tokens: list[list[str]]) -> dict[str, dict[str, float]]:
    """Costs by kind of request."""
    meter = Meter()
    client = signed_in_client(endpoint, username)
    costs = {**measure_pages(meter, client), **measure_refreshes(meter, client)}
    end_everything()
    costs |= measure_logouts(meter, sub, logout_tokens)
    return {kind: cost.medians() for kind, cost in costs.items()}


def main() -> None:
    task = json.load(sys.stdin)
    settings = sites.settings("logto_auth", **task["logto"])
    django_settings.configure(**{**settings, "LOGTO_SCOPES": (*sites.SCOPES, "offline_access")})
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    costs = measure(task["logto"]["endpoint"], task["username"], task["sub"], task["logout_tokens"])
    json.dump(costs, sys.stdout)


if __name__ == "__main__":
    main()
