"""Row-level security: PostgreSQL shows the rows of the current organization only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction

from logto_auth.emulator import Emulator
from logto_auth.models import Organization
from tests.profiles.site.visitors import rows, signed_in
from tests.rights import HARBOUR, HILL

ROLE = "logto_auth_shop"


@pytest.fixture(autouse=True)
def branches(logto: Emulator) -> Iterator[dict[str, Organization]]:
    """Both branches, each with one shelf. The connection has a role that the policy applies to."""
    from shelves.models import Shelf

    branches = {id: Organization.objects.get_or_create_for_logto_id(id) for id in (HARBOUR, HILL)}
    for id, branch in branches.items():
        Shelf.objects.create(organization=branch, label=f"{id} shelf")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE}")
        cursor.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}")
        cursor.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")
        cursor.execute(f"SET ROLE {ROLE}")
    yield branches
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(f"DROP OWNED BY {ROLE}")
        cursor.execute(f"DROP ROLE {ROLE}")


def visit(browser: Any, organization_id: str) -> Any:
    return browser.client.get(f"/branches/{organization_id}/shelves/")


def test_member_sees_rows_of_current_organization(logto: Emulator) -> None:
    editor = signed_in(logto, "editor")
    for id in (HARBOUR, HILL, HARBOUR):
        assert visit(editor, id).json() == {"shelves": [f"{id} shelf"]}


def test_user_of_other_organization_is_refused(logto: Emulator) -> None:
    response = visit(signed_in(logto, "reader"), HILL)
    assert response.status_code == 403
    assert f"{HILL} shelf" not in response.content.decode()


def test_query_without_organization_sees_no_rows() -> None:
    from shelves.models import Shelf

    assert rows(Shelf).count() == 0


def test_block_sees_and_changes_rows_of_its_organization(branches: dict[str, Organization]) -> None:
    from shelves.models import Shelf
    from shelves.organization import rows_of

    with rows_of(branches[HARBOUR]):
        assert [shelf.label for shelf in Shelf.objects.all()] == [f"{HARBOUR} shelf"]
        assert Shelf.objects.filter(organization=branches[HILL]).update(label="stolen") == 0
        assert Shelf.objects.filter(organization=branches[HILL]).delete()[0] == 0
        with pytest.raises(ProgrammingError), transaction.atomic():
            Shelf.objects.create(organization=branches[HILL], label="planted")
        with pytest.raises(ProgrammingError), transaction.atomic():
            Shelf.objects.update(organization=branches[HILL])


@pytest.mark.django_db(transaction=True)
def test_organization_ends_with_the_block(branches: dict[str, Organization]) -> None:
    from shelves.models import Shelf
    from shelves.organization import rows_of

    with rows_of(branches[HARBOUR]):
        assert Shelf.objects.count() == 1
    assert Shelf.objects.count() == 0
    with pytest.raises(ZeroDivisionError), rows_of(branches[HARBOUR]):
        1 / 0  # noqa: B018
    assert Shelf.objects.count() == 0
    with transaction.atomic(), pytest.raises(RuntimeError), rows_of(branches[HARBOUR]):
        pass
