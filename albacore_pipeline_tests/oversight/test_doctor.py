"""What the doctor says of the mailbox to which mails come back."""

from __future__ import annotations

from albacore_pipeline.oversight.doctor import Finding, examine
from albacore_pipeline.settings import Settings
from albacore_pipeline_tests.effects.imap import mail_server
from albacore_pipeline_tests.effects.reports import POSTFIX, wire


def finding(url: str = "") -> Finding:
    """What is said where nothing but this mailbox is set."""
    settings = Settings.as_given({"ALBACORE_BOUNCES_URL": url})
    (found,) = (finding for finding in examine(settings) if finding.what == "bounces")
    return found


def test_the_doctor_logs_in_to_the_mailbox_of_bounces_and_changes_nothing() -> None:
    with mail_server(wire(POSTFIX)) as mailbox:
        assert finding(mailbox.url) == Finding(what="bounces", good=True, detail="1 unread mails")
        assert mailbox.seen == [False]


def test_a_mailbox_that_refuses_the_login_is_named_with_the_mend() -> None:
    with mail_server() as mailbox:
        found = finding(f"imap://somebody:canary@127.0.0.1:{mailbox.port}/INBOX")

    assert not found.good
    assert found.detail.startswith("the mailbox of bounces refuses the login: check user and password in ALBACORE_BOUN")
    assert "canary" not in found.detail


def test_without_a_mailbox_people_report_bounces() -> None:
    assert finding() == Finding(
        what="bounces", good=True,
        detail="off: ALBACORE_BOUNCES_URL is not set; people report what comes back (report_bounce)",
    )  # fmt: skip
