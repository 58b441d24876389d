"""Sending a short mail through the hospital's mail server, with the standard library.

A mail holds no personal data: what happened in a few fixed words, and a number to look it up by (SEC-50).
"""

import logging
import smtplib
import ssl
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage

log = logging.getLogger("evidentia.mail")
SECONDS = 15.0


@dataclass(frozen=True)
class MailServer:
    """Where mails go out, in whose name, and to whom alerts go."""

    host: str
    sender: str
    security_contact: str
    port: int = 25
    starttls: bool = True
    user: str = ""
    password: str = field(default="", repr=False)


def compose(server: MailServer, subject: str, text: str) -> EmailMessage:
    """A plain mail to the security contact.

    Raises:
        ValueError: a line break in a header; nothing that a person typed belongs there.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = server.sender, server.security_contact, subject
    message.set_content(text)
    return message


def send(server: MailServer, message: EmailMessage) -> None:
    """Hand a mail to the server, encrypted unless the settings say otherwise.

    Raises:
        OSError: the server does not answer, or its certificate is not right.
        smtplib.SMTPException: it refuses.
    """
    with smtplib.SMTP(server.host, server.port, timeout=SECONDS) as connection:
        if server.starttls:
            connection.starttls(context=ssl.create_default_context())
        if server.user:
            connection.login(server.user, server.password)
        connection.send_message(message)


def send_soon(server: MailServer, message: EmailMessage) -> threading.Thread:
    """Send in a thread of its own: what the person does waits for no mail server and fails with none."""
    thread = threading.Thread(target=_try, args=(server, message), name="mail", daemon=True)
    thread.start()
    return thread


def _try(server: MailServer, message: EmailMessage) -> None:
    try:
        send(server, message)
    except (OSError, smtplib.SMTPException) as error:
        log.error("mail not sent: %s", type(error).__name__)
