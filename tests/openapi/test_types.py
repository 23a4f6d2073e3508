"""The generated types are those of the document, and the methods of the Management API have the right ones."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NoReturn

import pytest

from logto_auth.clients import management_api
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api import ManagementAPI, resources, types

from .document import document
from .operations import OPERATIONS
from .types import type_schemas

SCHEMAS = type_schemas()
ARGUMENTS = {
    "context": {},
    "custom_data": {},
    "description": "",
    "name": "name",
    "payload": {},
    "profile": {},
    "is_suspended": True,
    "first_page": 1,
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_generated_type_has_keys_of_document(name: str) -> None:
    """`make lint` compares the whole file; this test needs no generator."""
    schema, annotations = SCHEMAS[name], getattr(types, name).__annotations__
    optional = {key for key, type in annotations.items() if type.__forward_arg__.startswith("NotRequired[")}
    assert list(annotations) == list(schema["properties"])
    assert optional == set(annotations) - set(schema.get("required", []))


def test_no_other_type_is_generated() -> None:
    assert {name for name, each in vars(types).items() if typing.is_typeddict(each)} == SCHEMAS.keys()


# The methods


class Method(typing.NamedTuple):
    """A method of the Management API, with the types in its signature as text."""

    name: str
    collection: str
    payload: str
    answer: str


def methods() -> Iterator[Method]:
    for attribute in vars(ManagementAPI):
        if attribute.startswith("_"):
            continue
        cls = getattr(resources, ManagementAPI.__dict__[attribute].func.__annotations__["return"].rpartition(".")[2])
        names = generic_types(cls)
        for name, function in inspect.getmembers(cls, inspect.isfunction):
            signature = inspect.signature(function)
            payload = signature.parameters.get("payload") or signature.parameters.get("profile")
            given = names.get(str(payload.annotation), str(payload.annotation)) if payload else ""
            answer = re.sub(r"\bT\b", names.get("T", "T"), str(signature.return_annotation))
            if not name.startswith("_") and given != "NoReturn":
                yield Method(name, attribute, given, answer)


def generic_types(cls: type) -> dict[str, str]:
    """Return the arguments of `Collection`, by the names of its type variables."""
    for base in getattr(cls, "__orig_bases__", ()):
        given = [getattr(each, "__forward_arg__", each) for each in typing.get_args(base)]
        texts = ["NoReturn" if each is NoReturn else str(each) for each in given]
        return dict(zip(("T", "New", "Changes"), texts, strict=True))
    return {}


METHODS = list(methods())


@pytest.fixture
def called(logto: Emulator, settings: Any) -> Callable[[Method], str]:
    """Return a function that calls a method and returns the name of the operation that it has requested."""
    machine = logto.tenant.add_application(
        name="Machine", type="MachineToMachine", roles=["Logto Management API access"]
    )
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    # The arguments make no sense, and the answers do not matter.
    logto.faults.http["management_api"] = HttpFault(status=400, body="{}")
    api = management_api()

    def call(method: Method) -> str:
        function = getattr(getattr(api, method.collection), method.name)
        needed = [each for each in inspect.signature(function).parameters.values() if each.default is each.empty]
        arguments = [ARGUMENTS.get(each.name, "x") for each in needed if each.kind is not each.VAR_KEYWORD]
        with suppress(ManagementAPIError):
            result = function(*arguments)
            list(result) if isinstance(result, Iterator) else None
        request = logto.requests.to("management_api")[-1]
        operation = document().find(request.method, request.path)
        assert operation is not None
        return operation.name

    return call


def test_methods_request_the_operations_of_the_table(called: Callable[[Method], str]) -> None:
    assert {called(method) for method in METHODS} == OPERATIONS.keys()


@pytest.mark.parametrize("method", METHODS, ids=lambda each: f"{each.collection}.{each.name}")
def test_types_of_method_are_those_of_its_operation(called: Callable[[Method], str], method: Method) -> None:
    names = OPERATIONS[called(method)]
    if method.payload:
        # The argument of `update_profile` is the content of its payload.
        assert method.payload.removeprefix("types.") in {names.payload, names.payload.removesuffix("Changes")}
    if "types." in method.answer:
        assert re.findall(r"types\.(\w+)", method.answer) in ([names.answer], [names.answer.removesuffix("s")])


COLLECTIONS = [each for each in vars(resources).values() if isinstance(each, type) and getattr(each, "path", "")]


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda each: each.__name__)
def test_paged_collections_are_those_with_pages_at_logto(collection: type[resources.Collection[Any, Any, Any]]) -> None:
    has_pages = document().operation(f"GET /{collection.path}").accepts_query("page")
    assert issubclass(collection, resources.PagedCollection) == has_pages
