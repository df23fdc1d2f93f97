"""The way through the rescue media, without a window: each promise is a move and a page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from backup_agent.model.media import MediaSettings
from rescue_media.errands.destinations import disks_found
from rescue_media.flow import answers as a
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow import wishes as w
from rescue_media.flow.machine import advance
from rescue_media.flow.pages import Flow, Surroundings
from rescue_media.flow.values import (
    Options,
    Place,
    Point,
    Problem,
    Purpose,
    Report,
    RowPlan,
    ShownCode,
    StorageKind,
    Workstation,
)
from tests.rescue.captured import disks_of, stored

PLACE = Place("/backups", "/backups")
POINT = Point("ab" * 32, datetime(2026, 11, 16, 18, 4, tzinfo=UTC), True, 10**9, "Complete", True)
CODE = ShownCode("HKTW-QBNR", "https://console.example/link", "7F3A 91C2 0E5D B864", 600)


def walk(*moves: m.Move, flow: Flow | None = None) -> tuple[Flow, w.Wish | None]:
    flow, wish = flow or Flow(), None
    for move in moves:
        step = advance(flow, move)
        flow, wish = step.flow, step.wish
    return flow, wish


def at_select() -> Flow:
    computer = Workstation("ATELIER-01", "/backups", (POINT,))
    select = p.Select(Purpose.RESTORE, PLACE, (computer,))
    contents = tuple(stored(view, n) for n, view in enumerate(disks_of("office-nvme")[:1]))
    flow, _ = walk(m.ManageLocally(), m.Choose(Purpose.RESTORE), m.SelectData(), flow=Flow())
    flow, _ = walk(
        m.ChoosePoint(0, POINT), a.ContentsFound(contents), flow=replace(flow, page=select)
    )
    return flow


def at_mapping() -> Flow:
    found = disks_found(disks_of("office-nvme"))
    flow, wish = walk(m.Accept(), flow=at_select())
    assert wish == w.FindDisks(PLACE)
    return walk(found, flow=flow)[0]


def test_the_promised_way_leads_from_start_to_the_code_and_the_two_tables() -> None:
    media = MediaSettings("https://console.example", "AA11-BB22-CC33", "PEM")
    flow = Flow(surroundings=Surroundings(media=media))
    flow, wish = walk(
        m.ManageLocally(),
        m.Choose(Purpose.RESTORE),
        m.SelectData(),
        m.OpenBrowse(),
        m.ChooseCloud(),
        m.UseCode("https://console.example", "AA11-BB22-CC33"),
        flow=flow,
    )
    assert wish == w.AskForCode("https://console.example", "AA11-BB22-CC33", "PEM")
    flow, wish = walk(a.CodeShown(CODE), flow=flow)
    assert wish == w.WaitForApproval()
    opened = Place("vault:", "Cloud Storage, Keller", is_console=True)
    computers = (Workstation("ATELIER-01", "vault:1"),)
    flow, _ = walk(a.PlaceOpened(opened, computers), flow=flow)
    assert flow.page == p.Select(Purpose.RESTORE, opened, computers)
    assert [type(page) for page in flow.trail] == [p.Start, p.Manage, p.Begin]


def test_an_unknown_certificate_is_trusted_only_by_a_person_and_only_that_one() -> None:
    flow = replace(Flow(), page=p.Cloud(Purpose.RESTORE), trail=(p.Start(),))
    flow, _ = walk(
        m.UseCode("https://console.example"),
        a.CertificateUnknown("AA:BB", "self-signed"),
        flow=flow,
    )
    assert isinstance(flow.page, p.Certificate)
    flow, wish = walk(m.TrustCertificate(), flow=flow)
    assert isinstance(wish, w.AskForCode)
    assert wish.trusted == "AA:BB"
    assert isinstance(walk(m.GoBack(), flow=flow)[0].page, p.Cloud)


def test_a_code_that_ran_out_leads_back_with_its_reason() -> None:
    flow = replace(Flow(), page=p.Cloud(Purpose.RESTORE), trail=(p.Start(),))
    flow, _ = walk(m.UseCode("https://console.example"), a.CodeShown(CODE), flow=flow)
    flow, _ = walk(a.Failed(Problem("Nobody typed the code in time.")), flow=flow)
    assert isinstance(flow.page, p.Cloud)
    assert flow.problem == Problem("Nobody typed the code in time.")


def test_required_stands_until_a_destination_is_chosen_and_the_engine_has_a_plan() -> None:
    flow = at_mapping()
    mapping = flow.page
    assert isinstance(mapping, p.Mapping)
    assert (mapping.required, mapping.is_ready) == (1, False)
    assert mapping.rows[0].proposal is not None
    assert walk(m.Accept(), flow=flow)[0].page is mapping

    flow, wish = walk(m.TakeProposals(), flow=flow)
    assert isinstance(wish, w.MakePlans)
    assert isinstance(flow.page, p.Mapping)
    assert not flow.page.is_ready
    flow, _ = walk(a.Planned((RowPlan("disk0", "/dev/nvme0n1"),)), flow=flow)
    flow, wish = walk(m.Accept(), flow=flow)
    assert isinstance(flow.page, p.Confirm)
    assert wish is None, "nothing is done before the last OK"
    assert walk(m.Accept(), flow=flow)[1] == w.Restore(Options())


def test_a_refused_plan_keeps_ok_shut_and_a_changed_option_plans_anew() -> None:
    flow, _ = walk(
        m.TakeProposals(),
        a.Planned((RowPlan("disk0", "/dev/nvme0n1", refused="Too small."),)),
        flow=at_mapping(),
    )
    assert isinstance(walk(m.Accept(), flow=flow)[0].page, p.Mapping)
    changed = Options(new_guids=True)
    flow, wish = walk(m.SetOptions(changed), flow=flow)
    assert isinstance(wish, w.MakePlans)
    assert wish.options == changed


def test_a_disk_in_use_cannot_be_chosen_and_the_reason_is_told() -> None:
    flow = at_mapping()
    assert isinstance(flow.page, p.Mapping)
    medium = next(d for d in flow.page.destinations if d.path == "/dev/sdb")
    flow, wish = walk(m.MapTo("disk0", medium), flow=flow)
    assert wish is None
    assert flow.problem is not None
    assert "/run/everboot/medium" in flow.problem.message


def test_a_restore_that_fails_says_what_the_destination_is_worth() -> None:
    running = p.Running("Restoring", Purpose.RESTORE)
    flow, _ = walk(
        a.Failed(Problem("The disk does not answer.", "Check its cable.")),
        flow=replace(Flow(), page=running),
    )
    assert isinstance(flow.page, p.Done)
    report = flow.page.report
    assert (report.is_complete, report.done) == (False, ())
    assert report.not_done[:2] == ("The disk does not answer.", "Check its cable.")
    assert "cannot be used yet" in report.not_done[2]


def test_cancelling_waits_for_the_end_of_the_work_and_is_no_way_back() -> None:
    running = replace(Flow(), page=p.Running("Restoring", Purpose.RESTORE), trail=(p.Start(),))
    flow, wish = walk(m.GoBack(), flow=running)
    assert (type(flow.page), flow.busy, wish) == (p.Running, "Stopping", None)


def test_a_backup_asks_for_a_password_only_where_one_is_needed() -> None:
    flow, _ = walk(
        m.Choose(Purpose.BACK_UP), m.ChooseStorage(StorageKind.FOLDER), m.UsePlace(PLACE)
    )
    flow, wish = walk(a.BackUpPlanned(PLACE, ("/dev/sda",), ()), m.Accept(), flow=flow)
    assert wish == w.BackUp(PLACE, ("/dev/sda",), None)
    flow, _ = walk(a.PasswordWanted("/backups", PLACE), flow=flow)
    assert isinstance(flow.page, p.Password)
    flow, wish = walk(m.GivePassword("secret"), flow=flow)
    assert wish == w.BackUp(PLACE, ("/dev/sda",), "secret")
    assert "secret" not in repr(wish) + repr(flow)


def test_no_password_stands_in_the_words_of_any_value() -> None:
    place = Place("rest:https://me:secret@host/", "host", (("EVERBOOT_REST_PASSWORD", "secret"),))
    assert "secret" not in repr((place, m.GivePassword("secret"), w.OpenPlace(place)))


@given(st.lists(st.sampled_from(range(14)), max_size=25))
def test_no_order_of_moves_breaks_the_way_or_writes_before_the_plan_was_shown(
    order: list[int],
) -> None:
    found = disks_found(disks_of("office-nvme"))
    moves: list[m.Move] = [
        m.GoBack(),
        m.ManageLocally(),
        m.Choose(Purpose.RESTORE),
        m.Choose(Purpose.BACK_UP),
        m.SelectData(),
        m.OpenBrowse(),
        m.ChooseStorage(StorageKind.FOLDER),
        m.UsePlace(PLACE),
        m.GoHome(),
        m.Accept(),
        found,
        m.TakeProposals(),
        a.Planned((RowPlan("disk0", "/dev/nvme0n1"),)),
        a.Finished(Report("Everything is back", ())),
    ]
    flow = at_select()
    for number in order:
        before = flow.page
        step = advance(flow, moves[number])
        if isinstance(step.wish, w.Restore):
            assert isinstance(before, p.Confirm)
        flow = step.flow
