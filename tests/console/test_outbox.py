"""Mails wait in the database until they have left, whatever happens to console or mail server."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from django.core import mail as django_mail
from django.core.mail import EmailMessage
from django.db import connection, connections, transaction
from django.test import Client
from django.utils import timezone

from console_ui.accounts.models import Role, User
from console_ui.web import mail, postman
from console_ui.web.models import OutgoingMail
from tests.console.people import PASSWORD, Office, enrol

LINK = "https://console.example/invitation#a-secret-token"


def post(subject: str = "News", *, to: str = "ben@keller.example", is_urgent: bool = False) -> None:
    mail.post(to=to, subject=subject, body=f"Open {LINK}", is_urgent=is_urgent)


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> list[str]:
    """No mail leaves any more; the subjects of those that were tried."""
    tried: list[str] = []

    def send(message: EmailMessage) -> None:
        tried.append(str(message.subject))
        raise error

    monkeypatch.setattr(EmailMessage, "send", send)
    return tried


def at(moment: datetime) -> None:
    postman.send_due(clock=lambda: moment)


def test_a_mail_leaves_once_and_is_gone_from_the_outbox(db: None) -> None:
    post()

    mail.wait_until_sent()
    mail.wait_until_sent()

    (sent,) = django_mail.outbox
    assert (sent.to, sent.subject) == (["ben@keller.example"], "News")
    assert LINK in sent.body
    assert not OutgoingMail.objects.exists()


def test_a_mail_about_something_that_did_not_happen_never_leaves(transactional_db: None) -> None:
    with transaction.atomic():
        post()
        transaction.set_rollback(True)

    mail.wait_until_sent()

    assert django_mail.outbox == []


def test_links_in_waiting_mails_cannot_be_read_in_the_database(db: None) -> None:
    post()

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM web_outgoingmail")
        row = [bytes(v) if isinstance(v, memoryview) else v for v in cursor.fetchone()]

    assert "a-secret-token" not in repr(row)


def test_a_name_with_line_breaks_adds_no_header(db: None) -> None:
    post("The vault of\r\nBcc: mallory@example.org")

    mail.wait_until_sent()

    assert django_mail.outbox[0].subject == "The vault of Bcc: mallory@example.org"


def test_a_failed_mail_is_tried_again_with_growing_pauses_until_it_leaves(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    post()
    start = timezone.now()
    pauses = [timedelta(0)]
    with monkeypatch.context() as patch:
        tried = fail_with(patch, SMTPServerDisconnected())
        moment = start
        for _ in range(8):
            at(moment)
            at(moment)
            due = OutgoingMail.objects.get().next_attempt_at
            pauses.append(due - moment)
            moment = due
    assert len(tried) == 8
    assert pauses == sorted(pauses)
    assert pauses[1] == timedelta(minutes=1)
    assert pauses[-1] == timedelta(hours=1)

    at(moment)
    assert len(django_mail.outbox) == 1


def test_an_alarm_overtakes_what_was_posted_before(db: None) -> None:
    for number in range(3):
        post(f"News {number}")
    post("Alarm", is_urgent=True)

    mail.wait_until_sent()

    assert django_mail.outbox[0].subject == "Alarm"


def test_what_a_killed_console_was_sending_leaves_later(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    post()
    start = timezone.now()
    with monkeypatch.context() as patch:
        # What the kernel does at kill -9 leaves no trace either.
        tried = fail_with(patch, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            at(start)
    at(start + timedelta(minutes=1))
    assert (tried, django_mail.outbox) == (["News"], [])

    at(start + timedelta(minutes=11))
    assert len(django_mail.outbox) == 1


def test_two_consoles_on_one_database_send_each_mail_once(transactional_db: None) -> None:
    for number in range(20):
        post(f"News {number}")
    together = threading.Barrier(2)

    def send() -> None:
        try:
            together.wait()
            postman.send_due()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(message.subject for message in django_mail.outbox) == sorted(
        f"News {number}" for number in range(20)
    )


def test_a_mail_server_that_hangs_holds_up_neither_posting_nor_the_end(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs, answers = threading.Event(), threading.Event()

    def send(_message: EmailMessage) -> None:
        hangs.set()
        assert answers.wait(60)

    monkeypatch.setattr(EmailMessage, "send", send)
    monkeypatch.setattr(postman, "_STOP_SECONDS", 0.01)
    post("First")
    sender = postman.Postman()
    sender.start()
    try:
        assert hangs.wait(60)
        post("Second")
        sender.stop()
        assert not answers.is_set()
        assert OutgoingMail.objects.count() == 2
    finally:
        answers.set()
        sender.thread.join()


def test_a_mail_given_up_on_is_shown_to_administrators_and_can_be_tried_again(
    client: Client, office: Office, other_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    post("For Ben", to=office.viewer.email)
    with monkeypatch.context() as patch:
        fail_with(patch, SMTPServerDisconnected())
        at(timezone.now())
        client.force_login(office.admin)
        assert "did not arrive" not in client.get("/vaults").content.decode()
        at(timezone.now() + timedelta(days=2))

    assert "did not arrive" in client.get("/vaults").content.decode()
    page = client.get("/mails").content.decode()
    assert "For Ben" in page
    assert "SMTPServerDisconnected" in page
    client.post("/mails/try-again")
    mail.wait_until_sent()
    assert [message.subject for message in django_mail.outbox] == ["For Ben"]
    assert "For Ben" not in client.get("/mails").content.decode()


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
def test_only_administrators_of_the_same_organisation_see_mails_that_did_not_arrive(
    client: Client, office: Office, other_office: Office, role: Role
) -> None:
    post("For Ben", to=office.viewer.email)
    OutgoingMail.objects.update(given_up_at=timezone.now())

    client.force_login(office.member(role))
    assert client.get("/mails").status_code == 403
    assert "did not arrive" not in client.get("/vaults").content.decode()
    client.force_login(other_office.owner)
    assert "For Ben" not in client.get("/mails").content.decode()
    client.post("/mails/try-again")
    assert OutgoingMail.objects.exclude(given_up_at=None).exists()


def test_an_address_that_is_refused_for_good_is_given_up_on_at_once(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    post()
    refused = {"ben@keller.example": (550, b"no such mailbox")}
    fail_with(monkeypatch, SMTPRecipientsRefused(refused))

    at(timezone.now())

    assert OutgoingMail.objects.get().given_up_at is not None


def test_a_mailbox_that_is_full_is_tried_again(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    post()
    fail_with(monkeypatch, SMTPRecipientsRefused({"ben@keller.example": (452, b"full")}))

    at(timezone.now())

    assert OutgoingMail.objects.get().given_up_at is None


def test_what_was_given_up_on_is_forgotten_after_a_month(db: None) -> None:
    post()
    now = timezone.now()
    OutgoingMail.objects.update(given_up_at=now)

    at(now + timedelta(days=29))
    assert OutgoingMail.objects.exists()
    at(now + timedelta(days=31))
    assert not OutgoingMail.objects.exists()


def test_a_factor_is_not_reset_without_the_mail_that_tells_of_it(
    client: Client, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(office.viewer)
    client.force_login(office.owner)
    client.post("/confirm", {"password": PASSWORD})
    member = office.viewer.memberships.get()

    def die(**_mail: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mail, "post", die)
        with pytest.raises(KeyboardInterrupt):
            client.post(f"/people/{member.pk}/reset")
    assert User.objects.get(pk=office.viewer.pk).has_second_factor
    assert not OutgoingMail.objects.exists()

    client.post(f"/people/{member.pk}/reset")
    assert not User.objects.get(pk=office.viewer.pk).has_second_factor
    told = {each.recipient for each in OutgoingMail.objects.all()}
    # Who looks after the organisation is alerted, too.
    assert told == {office.viewer.email, office.owner.email, office.admin.email}
