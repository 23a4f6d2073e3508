"""`has_perm("logto.…")` works for `request.user` while the request is handled, and nothing is stored on the user."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import AsyncClient, Client, RequestFactory
from django.urls import include, path
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.api import Machine, authenticate
from logto_auth.backends import logto_backend
from logto_auth.contrib.rest_framework import LogtoAuthentication
from logto_auth.decorators import access_token_required
from logto_auth.emulator import Emulator
from logto_auth.middleware import LogtoMiddleware
from logto_auth.testing import Browser
from logto_auth.users.current_request import current_request, principal_of_user, use_request
from tests.ageing import age
from tests.api.callers import App, Robot
from tests.rights import API, ask_for_rights, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()

READ = "logto.read:books"
# What the views of a test do with their request.
step: list[Callable[[HttpRequest], Any]] = [lambda request: None]
seen: list[Any] = []


def view(request: HttpRequest) -> HttpResponse:
    seen.append(step[0](request))
    return HttpResponse(str(seen[-1]))


async def async_view(request: HttpRequest) -> HttpResponse:
    user = await request.auser()
    seen.append(await user.ahas_perm(READ))
    seen.append(await sync_to_async(user.has_perm)(READ))
    return HttpResponse()


def raising(request: HttpRequest) -> HttpResponse:
    raise {"denied": PermissionDenied, "error": ZeroDivisionError}[request.GET["by"]]


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    def content() -> Iterator[str]:
        yield "start "
        for _ in range(2):
            yield f"{request.user.has_perm(READ)} "

    return StreamingHttpResponse(content())


async def streamed_async(request: HttpRequest) -> StreamingHttpResponse:
    user = await request.auser()

    async def content() -> AsyncIterator[str]:
        yield "start "
        for _ in range(2):
            yield f"{await user.ahas_perm(READ)} "

    return StreamingHttpResponse(content())


class OtherUser(BaseAuthentication):
    """Authenticate another user than that of the session."""

    def authenticate(self, request: Request) -> Any:
        return User.objects.get_or_create(username="other")[0], None


class OtherUserAPI(APIView):
    authentication_classes = [OtherUser]

    def get(self, request: Request) -> Response:
        return Response([request.user.has_perm(READ), request._request.user.has_perm(READ)])


class TokenAPI(APIView):
    authentication_classes = [LogtoAuthentication]

    def get(self, request: Request) -> Response:
        return Response([request.user.has_perm(READ), request._request.user.has_perm(READ)])


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("view/", view),
    path("token/", access_token_required()(view)),
    path("async/", async_view),
    path("raising/", raising),
    path("streamed/", streamed),
    path("streamed-async/", streamed_async),
    path("drf/other/", OtherUserAPI.as_view()),
    path("drf/token/", TokenAPI.as_view()),
]


@pytest.fixture(autouse=True)
def site(logto: Emulator, settings: Any) -> Any:
    set_up(logto)
    ask_for_rights(settings)
    # An earlier test may have called `authenticate` without a middleware.
    current_request.set(None)
    yield
    step[0] = lambda request: None
    seen.clear()
    assert current_request.get() is None


@pytest.fixture
def reader(browser: Browser) -> Browser:
    browser.sign_in("reader")
    return browser


@pytest.fixture
def tokens(logto: Emulator, settings: Any) -> Iterator[dict[str, str]]:
    """Access tokens of a user and of a machine."""
    settings.LOGTO_API_CREATE_USERS = True
    app, robot = App(logto), Robot(logto)
    yield {"user": app.token("reader", resource=API), "machine": robot.token(resource=API)}
    app.close()
    robot.close()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def run(client: Client, function: Callable[[HttpRequest], Any], url: str = "/view/", **headers: str) -> Any:
    """Return what `function` returns for the request of a view."""
    step[0] = function
    assert client.get(url, headers=headers).status_code == 200
    return seen.pop()


# Nothing is stored on the user


def copies(request: HttpRequest) -> list[Any]:
    """Use the user's permissions, then copy the user in every way."""
    user = request.user
    assert user.has_perm(READ)
    cache.set("user", user)
    return [pickle.loads(pickle.dumps(user)), copy.deepcopy(user), copy.copy(user), cache.get("user")]


def check_copies(request: HttpRequest) -> bool:
    for each in copies(request):
        assert each == request.user
        assert (each.pk, str(each)) == (request.user.pk, str(request.user))
        assert not any("logto" in name for name in vars(each)), vars(each)
        assert not each.has_perm(READ), "a copy is another object"
    assert request.user.has_perm(READ)
    return True


def test_user_of_session_can_be_copied(reader: Browser) -> None:
    assert run(reader.client, check_copies)


@pytest.mark.parametrize("kind", ["user", "machine"])
def test_user_of_access_token_can_be_copied(tokens: dict[str, str], kind: str) -> None:
    assert run(Client(), check_copies, "/token/", **bearer(tokens[kind]))


def test_user_of_async_request_can_be_copied(reader: Browser) -> None:
    def check(request: HttpRequest) -> bool:
        user = async_to_sync(request.auser)()
        assert user.has_perm(READ)
        assert not any("logto" in name for name in vars(user))
        return pickle.loads(pickle.dumps(user)) == copy.deepcopy(user) == user

    assert run(reader.client, check)


# Only for `request.user`


def test_same_user_from_database_has_no_permission(reader: Browser) -> None:
    assert not run(reader.client, lambda request: User.objects.get(pk=request.user.pk).has_perm(READ))


def test_user_has_no_permission_after_the_request(reader: Browser) -> None:
    request = reader.client.get("/view/").wsgi_request
    assert request.user.is_authenticated
    assert not request.user.has_perm(READ)
    with use_request(request):
        assert request.user.has_perm(READ)
    assert not request.user.has_perm(READ)


def test_impersonated_user_has_no_permission_of_the_session(reader: Browser) -> None:
    def check(request: HttpRequest) -> bool:
        request.user = User.objects.create_user("impersonated")
        return request.user.has_perm(READ)

    assert not run(reader.client, check)


def test_object_of_another_model_has_no_permission(reader: Browser) -> None:
    """Primary keys are unique within one model only."""

    class Customer(Session):
        is_authenticated = is_active = True

        class Meta:
            proxy = True
            app_label = "sessions"

    def check(request: HttpRequest) -> bool:
        customer = request.user = Customer(pk=str(request.user.pk))  # type: ignore[assignment]
        return principal_of_user(customer) is None

    assert run(reader.client, check)


def test_lazy_user_can_be_passed_to_a_backend(reader: Browser) -> None:
    assert run(reader.client, lambda request: logto_backend().has_perm(request.user, READ))


def test_other_authenticator_gets_no_session_permission(reader: Browser) -> None:
    assert reader.client.get("/drf/other/").json() == [False, False]


@pytest.mark.parametrize("kind", ["user", "machine"])
def test_rest_framework_s_user_has_permissions_of_the_token(tokens: dict[str, str], kind: str) -> None:
    assert Client().get("/drf/token/", headers=bearer(tokens[kind])).json() == [True, True]


def test_user_of_session_has_no_permission_beside_access_token(reader: Browser, tokens: dict[str, str]) -> None:
    def check(request: HttpRequest) -> list[bool]:
        user_of_session = request.user
        assert user_of_session.has_perm(READ)
        request.META["HTTP_AUTHORIZATION"] = f"Bearer {tokens['machine']}"
        authenticate(request)
        return [request.user.has_perm(READ), user_of_session.has_perm(READ)]

    assert run(reader.client, check) == [True, False]


# The context variable is always reset


@pytest.mark.parametrize("by", ["denied", "error"])
def test_variable_is_reset_after_an_exception(reader: Browser, settings: Any, by: str) -> None:
    settings.TEMPLATES = []
    client = Client(raise_request_exception=False)
    client.cookies = reader.client.cookies
    assert client.get(f"/raising/?by={by}").status_code == {"denied": 403, "error": 500}[by]
    assert current_request.get() is None


def test_variable_is_reset_if_the_next_middleware_raises(rf: RequestFactory) -> None:
    def get_response(request: HttpRequest) -> HttpResponse:
        assert current_request.get() is request
        raise ZeroDivisionError

    async def aget_response(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    async def call() -> None:
        with pytest.raises(ZeroDivisionError):
            await LogtoMiddleware(aget_response)(rf.get("/"))
        assert current_request.get() is None

    with pytest.raises(ZeroDivisionError):
        LogtoMiddleware(get_response)(rf.get("/"))
    assert current_request.get() is None
    asyncio.run(call())


def test_nested_request_does_not_change_the_outer_one(reader: Browser, logto: Emulator) -> None:
    other = Browser(logto)
    other.sign_in("customer")

    def check(request: HttpRequest) -> list[bool]:
        step[0] = lambda request: request.user.has_perm(READ)
        before = request.user.has_perm(READ)
        other.client.get("/view/")
        Client().get("/view/")
        return [before, *[seen.pop(), seen.pop()], request.user.has_perm(READ), current_request.get() is request]

    assert run(reader.client, check) == [True, False, False, True, True]


def test_thread_of_a_view_has_no_permission(reader: Browser) -> None:
    """A thread starts with an empty context, and the check fails closed."""

    def check(request: HttpRequest) -> Any:
        assert request.user.is_authenticated
        assert principal_of_user(request.user._wrapped) is request.logto
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(principal_of_user(request.user._wrapped)))
        thread.start()
        thread.join()
        return found

    assert run(reader.client, check) == [None]


def test_threads_of_two_requests_do_not_mix(rf: RequestFactory) -> None:
    barrier, found = threading.Barrier(2, timeout=10), {}

    def answer(name: str) -> None:
        request = rf.get(f"/{name}")
        with use_request(request):
            barrier.wait()
            found[name] = current_request.get() is request
        barrier.wait()

    threads = [threading.Thread(target=answer, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"a": True, "b": True}


def test_tasks_of_two_requests_do_not_mix(rf: RequestFactory) -> None:
    async def answer(name: str) -> bool:
        request = rf.get(f"/{name}")
        with use_request(request):
            await asyncio.sleep(0.01)
            return current_request.get() is request

    async def both() -> list[bool]:
        return await asyncio.gather(answer("a"), answer("b"))

    assert asyncio.run(both()) == [True, True]


# Async sites and streams


@pytest.fixture
def async_client(reader: Browser) -> AsyncClient:
    client = AsyncClient()
    client.cookies = reader.client.cookies
    return client


@pytest.mark.django_db(transaction=True)
def test_async_view_has_permissions_under_asgi(async_client: AsyncClient) -> None:
    assert async_to_sync(async_client.get)("/async/").status_code == 200
    assert seen == [True, True]


def test_async_view_has_permissions_under_wsgi(reader: Browser) -> None:
    assert reader.client.get("/async/").status_code == 200
    assert seen == [True, True]


@pytest.mark.django_db(transaction=True)
def test_sync_view_has_permissions_under_asgi(async_client: AsyncClient) -> None:
    step[0] = lambda request: request.user.has_perm(READ)
    assert async_to_sync(async_client.get)("/view/").status_code == 200
    assert seen == [True]


def test_streaming_response_has_permissions(reader: Browser) -> None:
    response = reader.client.get("/streamed/")
    parts = iter(response.streaming_content)
    assert next(parts) == b"start "
    # The server may handle another request in this thread between two parts.
    assert Client().get("/view/").status_code == 200
    assert current_request.get() is None
    assert list(parts) == [b"True ", b"True "]


@pytest.mark.django_db(transaction=True)
def test_async_streaming_response_has_permissions(async_client: AsyncClient) -> None:
    @async_to_sync
    async def parts() -> list[bytes]:
        response = await async_client.get("/streamed-async/")
        return [part async for part in response.streaming_content]

    assert parts() == [b"start ", b"True ", b"True "]


def test_abandoned_stream_is_closed(reader: Browser) -> None:
    response = reader.client.get("/streamed/")
    assert next(iter(response.streaming_content)) == b"start "
    response.close()
    assert current_request.get() is None


def test_file_response_keeps_its_file(rf: RequestFactory) -> None:
    """The server may then send the file itself (`wsgi.file_wrapper`)."""
    file = BytesIO(b"content")
    response = LogtoMiddleware(lambda request: FileResponse(file))(rf.get("/"))
    assert response.file_to_stream is file


class OwnStreamingResponse(HttpResponseBase):
    """A streaming response that is not Django's class."""

    streaming = True
    streaming_content: Any = (b"a", b"b")

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.streaming_content)


def test_streaming_response_of_another_class_is_accepted(rf: RequestFactory) -> None:
    response = LogtoMiddleware(lambda request: OwnStreamingResponse())(rf.get("/"))
    assert list(response) == [b"a", b"b"]  # type: ignore[call-overload]


def test_revalidated_request_has_permissions(reader: Browser) -> None:
    age(reader)
    assert run(reader.client, lambda request: request.user.has_perm(READ))


def test_machine_alone_has_no_permission(rf: RequestFactory) -> None:
    assert not Machine("robot").has_perm(READ)
    request = rf.get("/")
    request.user = Machine("robot")
    with use_request(request):
        assert not request.user.has_perm(READ)
