"""Changes that belong together end once, together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from logto_auth.batches import Batch, Cause, batch, batch_ended, current_batch


@pytest.fixture
def ended() -> Iterator[list[Batch]]:
    found: list[Batch] = []

    def note(batch: Batch, **arguments: object) -> None:
        found.append(batch)

    batch_ended.connect(note)
    yield found
    batch_ended.disconnect(note)


def test_inner_block_joins_the_outer_batch(ended: list[Batch]) -> None:
    with batch(Cause.SIGN_IN) as outer:
        with batch(Cause.LOGTO) as inner:
            assert inner is outer is current_batch()
        assert ended == []
    assert (ended, current_batch()) == ([outer], None)


def test_change_after_the_end_is_one_by_itself(ended: list[Batch]) -> None:
    with batch(Cause.SIGN_IN) as outer:
        outer.end()
        assert current_batch() is None
        with batch(Cause.LOGTO) as other:
            assert other is not outer
    assert ended == [outer, other]


def test_batch_ends_after_an_exception(ended: list[Batch]) -> None:
    with pytest.raises(KeyError), batch(Cause.LOGTO):
        raise KeyError
    assert len(ended) == 1
    assert current_batch() is None


def test_batch_of_one_transaction_does_not_end_after_an_exception(ended: list[Batch]) -> None:
    with pytest.raises(KeyError), batch(Cause.COMMAND, is_one_transaction=True):
        raise KeyError
    assert ended == []
