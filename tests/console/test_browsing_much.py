"""Much of everything: a folder of a hundred thousand files, ten thousand restore points."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console_ui.restore.turning import Turning
from console_ui.storage.models import StoredObject, Vault
from tests.console.restoring import Restorer


def test_ten_thousand_restore_points_are_paged_and_asked_for_once(mira: Restorer) -> None:
    page = f"/devices/{mira.device.pk}/restore"
    for_few = _queries(mira, page)
    add_points(mira.vault, 10_000)

    assert _queries(mira, page) <= for_few
    first = mira.client.get(page).content.decode()
    last = mira.client.get(f"{page}?page=401").content.decode()

    assert "10002 restore points" in first
    assert "Page 1 of 401" in first
    assert first.count("<time ") == 25
    # Newest first: what nobody knows the time of comes last.
    assert mira.stored.files_point in last
    assert mira.stored.files_point not in first


def test_a_page_of_a_large_folder_is_cut_where_it_was_asked(mira: Restorer) -> None:
    mira.unlock()
    names = mira.at(mira.stored.files_point)
    folder = mira.reference(mira.stored.files_point, *mira.stored.where, "names")

    beyond = mira.client.get(f"{names}/{folder}?page=7").content.decode()
    nonsense = mira.client.get(f"{names}/{folder}?page=-1").content.decode()

    assert "This folder is empty." in beyond
    assert nonsense.count('name="item"') == 7


def test_pages_are_counted_to_the_last_file() -> None:
    turning = Turning(number=3, size=200, total=100_001)

    assert (turning.num_pages, turning.has_previous, turning.has_next) == (501, True, True)
    assert not Turning(number=501, size=200, total=100_001).has_next
    assert not Turning(number=1, size=200, total=200).has_other_pages
    assert Turning(number=1, size=200, total=0).num_pages == 1


def add_points(vault: Vault, count: int) -> None:
    """As the catalog has them; no unlocked vault could read them."""
    now = timezone.now()
    StoredObject.objects.bulk_create(
        StoredObject(
            vault=vault,
            kind="snapshots",
            name=f"{number:064x}",
            size=300,
            stored_at=now - timedelta(hours=number),
        )
        for number in range(count)
    )


def _queries(mira: Restorer, page: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert mira.client.get(page).status_code == 200
    return len(asked)
