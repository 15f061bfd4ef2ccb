"""A message as an e-mail over SMTP: text, and the same as simple HTML. No word of the server's is handed on."""

from __future__ import annotations

import html
import smtplib
import socket
import ssl
import time
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr

from etl.notify.base import NotDelivered, Sending
from etl.notify.message import Message
from etl.settings.on_finish import PORTS, EmailNotifier, Notifier

ANSWER_SECONDS = 8.0
WAIT_SECONDS = 2.0
_LEAST = 0.5
_PERMANENT = 500


def send(notifier: Notifier, message: Message, sending: Sending) -> None:
    """Hand a message to the mail server, twice at most. Raises NotDelivered."""
    if not isinstance(notifier, EmailNotifier):
        raise AssertionError(f"BUG: {notifier.kind} is no e-mail")
    password = sending.secret(notifier, "password")
    mail = mail_of(notifier, message)
    try:
        _hand_over(notifier, mail, password, sending)
    except _PassingError as passing:
        if sending.seconds_left < WAIT_SECONDS + _LEAST:
            raise NotDelivered(passing.reason, passing.hint) from None
        time.sleep(WAIT_SECONDS)
        _hand_over(notifier, mail, password, sending)


class _PassingError(NotDelivered):
    """A try that may go better the next time."""


def mail_of(notifier: EmailNotifier, message: Message) -> EmailMessage:
    """Return the mail."""
    mail = EmailMessage()
    mail["From"], mail["To"] = notifier.sender, ", ".join(notifier.to)
    mail["Subject"] = f"[etl] {' '.join(message.title.split())}"[:200]
    mail["Date"] = formatdate(localtime=True)
    mail["Message-ID"] = make_msgid(domain=parseaddr(notifier.sender)[1].rpartition("@")[2])
    # So that nobody's absence note answers (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text + "\n")
    mail.add_alternative(_as_html(message), subtype="html")
    return mail


def _as_html(message: Message) -> str:
    rows = "".join(
        f'<tr><th style="text-align:left;vertical-align:top;padding:2px 12px 2px 0">{html.escape(label)}</th>'
        f'<td style="padding:2px 0">{html.escape(text)}</td></tr>'
        for label, text in message.facts
    )
    colour = "#b3261e" if message.is_bad else "#1b6e3c"
    return (
        '<html><body style="font-family:sans-serif;font-size:14px">'
        f'<p style="font-size:16px;color:{colour}"><strong>{html.escape(message.title)}</strong></p>'
        f"<table>{rows}</table></body></html>"
    )


def _hand_over(notifier: EmailNotifier, mail: EmailMessage, password: str | None, sending: Sending) -> None:
    try:
        server = _connected(notifier, sending)
        try:
            if notifier.user is not None:
                server.login(notifier.user, password or "")
            refused = server.send_message(mail)
        finally:
            # What it says to a farewell changes nothing of what it took.
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()
        if refused:
            count = f"{len(refused)} of {len(notifier.to)} recipients"
            sending.notes.append(f"notification '{notifier.name}': the mail server refuses {count}; check `to`")
    except UnicodeEncodeError:
        hint = "check `user` and its password; SMTP takes letters of ASCII alone"
        raise NotDelivered("user or password hold letters that a mail server does not take", hint) from None
    except ssl.SSLError:
        hint = "check `host` and `security`; `ca_file` names the certificate of a company's own"
        raise NotDelivered("no secure connection to the mail server can be made", hint) from None
    except smtplib.SMTPAuthenticationError:
        raise NotDelivered("the mail server refuses user or password", "check `user` and its password") from None
    except smtplib.SMTPNotSupportedError:
        raise NotDelivered(
            "the mail server does not offer what is asked of it (STARTTLS, or a login)", "check `security` and `user`"
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        kind = NotDelivered if min(codes, default=_PERMANENT) >= _PERMANENT else _PassingError
        raise kind("the mail server refuses all recipients", "check `to`") from None
    except smtplib.SMTPResponseException as error:
        kind = NotDelivered if error.smtp_code >= _PERMANENT else _PassingError
        raise kind(f"the mail server answered {error.smtp_code}", "check `from` and `to`") from None
    except (OSError, smtplib.SMTPException):
        hint = "check `host` and `port`, and whether this machine may reach it"
        raise _PassingError("the mail server cannot be reached, or does not answer", hint) from None


def _connected(notifier: EmailNotifier, sending: Sending) -> smtplib.SMTP:
    try:
        context = ssl.create_default_context(cafile=str(sending.path(notifier.ca_file)) if notifier.ca_file else None)
    except OSError:
        hint = "it is the certificate of a company's own, in PEM form"
        raise NotDelivered(f"the file that `ca_file` names cannot be read: {notifier.ca_file}", hint) from None
    seconds = max(_LEAST, min(ANSWER_SECONDS, sending.seconds_left))
    port = notifier.port or PORTS[notifier.security]
    # Looking up the machine's full name, as smtplib does, may take longer than all the rest.
    own = socket.gethostname() or "localhost"
    if notifier.security == "tls":
        return smtplib.SMTP_SSL(notifier.host, port, local_hostname=own, timeout=seconds, context=context)
    server = smtplib.SMTP(notifier.host, port, local_hostname=own, timeout=seconds)
    if notifier.security == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server
