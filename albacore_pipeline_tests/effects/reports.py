"""Reports on deliveries as mail servers write them, each about the mail MESSAGE_ID to anna@customer.example."""

from __future__ import annotations

MESSAGE_ID = "<0f3c5a1b2d4e6f708192a3b4c5d6e7f8@albacore.example>"

POSTFIX = f"""Return-Path: <>
Received: by mx.albacore.example (Postfix)
\tid 4F1A2B3C4D; Tue,  9 Dec 2025 07:00:03 +0000 (UTC)
Date: Tue,  9 Dec 2025 07:00:03 +0000 (UTC)
From: MAILER-DAEMON@mx.albacore.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: billing@albacore.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="9A8B7C6D5E.1765263603/mx.albacore.example"
Content-Transfer-Encoding: 8bit
Message-Id: <20251209070003.4F1A2B3C4D@mx.albacore.example>

This is a MIME-encapsulated message.

--9A8B7C6D5E.1765263603/mx.albacore.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.albacore.example.

<anna@customer.example>: host mail.customer.example[192.0.2.7] said: 550 5.1.1
    <anna@customer.example>: Recipient address rejected: User unknown (in reply
    to RCPT TO command)

--9A8B7C6D5E.1765263603/mx.albacore.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.albacore.example
X-Postfix-Queue-ID: 9A8B7C6D5E
X-Postfix-Sender: rfc822; billing@albacore.example
Arrival-Date: Tue,  9 Dec 2025 07:00:02 +0000 (UTC)

Final-Recipient: rfc822; anna@customer.example
Original-Recipient: rfc822;anna@customer.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.customer.example
Diagnostic-Code: smtp; 550 5.1.1 <anna@customer.example>: Recipient address
    rejected: User unknown

--9A8B7C6D5E.1765263603/mx.albacore.example
Content-Description: Undelivered Message
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

Return-Path: <billing@albacore.example>
From: billing@albacore.example
To: anna@customer.example
Subject: Final notice
Message-ID: {MESSAGE_ID}
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="===============1=="

--===============1==
Content-Type: text/plain; charset="utf-8"

Dear Anna

--===============1==--

--9A8B7C6D5E.1765263603/mx.albacore.example--
"""

POSTFIX_DELAYED = (
    POSTFIX.replace("Undelivered Mail Returned to Sender", "Delayed Mail (still being retried)")
    .replace(
        "Action: failed\nStatus: 5.1.1", "Action: delayed\nStatus: 4.4.1\nWill-Retry-Until: Sun, 14 Dec 2025 07:00"
    )
    .replace("Content-Type: message/rfc822\n", "Content-Type: text/rfc822-headers\n")
)

POSTFIX_EXPIRED = POSTFIX.replace("Status: 5.1.1", "Status: 4.4.1").replace(
    "smtp; 550 5.1.1 <anna@customer.example>: Recipient address\n    rejected: User unknown",
    "X-Postfix; connect to mail.customer.example[192.0.2.7]:25: Connection\n    timed out",
)

EXCHANGE = f"""From: <postmaster@customer.example>
To: <billing@albacore.example>
Date: Tue, 9 Dec 2025 07:00:09 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="d17b1c0e-33b9-4a1b-9d5f-2a6f7c1f8a10"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: en-US
Message-ID: <f6f27f4e-9d21-4d1f-8f7e-5c36f5f6a111@HE1PR01MB0001.eurprd01.prod.example>
In-Reply-To: {MESSAGE_ID}
References: {MESSAGE_ID}
Subject: Undeliverable: Final notice
Auto-Submitted: auto-replied
MIME-Version: 1.0

--d17b1c0e-33b9-4a1b-9d5f-2a6f7c1f8a10
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="d17b1c0e-33b9-4a1b-9d5f-2a6f7c1f8a10-alternative"

--d17b1c0e-33b9-4a1b-9d5f-2a6f7c1f8a10-alternative
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Your message to anna@customer.example couldn't be delivered.=

--d17b1c0e-33b9-4a1b-9d5f-2a6f7c1f8a10-alternative
Content-Type: text/html; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

<html><body>Your message couldn't be delivered.</body></html>

--d17b1c0e-33b9-4a1b-9d5f-2a6f7c1f8a10-alternative--

--d17b1c0e-33b9-4a1b-9d5f-2a6f7c1f8a10
Content-Type: message/delivery-status

Reporting-MTA: dns;HE1PR01MB0001.eurprd01.prod.example
Received-From-MTA: dns;mx.albacore.example
Arrival-Date: Tue, 9 Dec 2025 07:00:05 +0000

Final-Recipient: rfc822;anna@customer.example
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient anna@customer.example not found by SMTP
\taddress lookup
X-Display-Name: Anna

--d17b1c0e-33b9-4a1b-9d5f-2a6f7c1f8a10
Content-Type: message/rfc822

Received: from mx.albacore.example (192.0.2.1) by HE1PR01MB0001.eurprd01.prod.example
From: billing@albacore.example
To: anna@customer.example
Subject: Final notice
Message-ID:
 {MESSAGE_ID}
Content-Type: text/plain

Dear Anna

--d17b1c0e-33b9-4a1b-9d5f-2a6f7c1f8a10--
"""

GMAIL = f"""Return-Path: <>
Content-Type: multipart/report; boundary="000000000000a1b2c30612345678"; report-type=delivery-status
To: billing@albacore.example
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
From: Mail Delivery Subsystem <mailer-daemon@googlemail.example>
X-Failed-Recipients: anna@customer.example
Date: Tue, 09 Dec 2025 07:00:07 +0000
Message-ID: <6937c8f7.050a0220.1.GMR@mx.google.example>

--000000000000a1b2c30612345678
Content-Type: multipart/related; boundary="000000000000a1b2c4061234567a"

--000000000000a1b2c4061234567a
Content-Type: text/html; charset="UTF-8"

<html><body>Address not found</body></html>
--000000000000a1b2c4061234567a
Content-Type: image/png; name="icon.png"
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--000000000000a1b2c4061234567a--
--000000000000a1b2c30612345678
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.example
Arrival-Date: Tue, 09 Dec 2025 07:00:06 +0000
X-Original-Message-ID: {MESSAGE_ID}

Final-Recipient: rfc822; anna@customer.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; aspmx.l.google.example. (192.0.2.26, the server for the domain customer.example.)
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.
Last-Attempt-Date: Tue, 09 Dec 2025 07:00:07 +0000

--000000000000a1b2c30612345678
Content-Type: message/rfc822

From: billing@albacore.example
To: anna@customer.example
Subject: Final notice
Message-ID: {MESSAGE_ID}
Content-Type: text/plain; charset="UTF-8"

----- Message truncated -----

--000000000000a1b2c30612345678--
"""

READ_RECEIPT = POSTFIX.replace("delivery-status", "disposition-notification")

ABSENCE = """From: anna@customer.example
To: billing@albacore.example
Subject: Out of office
Content-Type: text/plain; charset="utf-8"

I am back on Monday. The invoice is wrong, by the way.
"""


def wire(report: str) -> bytes:
    """A report as it comes over the wire."""
    return report.replace("\n", "\r\n").encode()
