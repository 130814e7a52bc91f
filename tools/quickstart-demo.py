"""Delivers one message over LMTP and fetches it over IMAP. Arguments: LMTP port, IMAP port."""
import imaplib
import smtplib
import sys
import time
import uuid

MESSAGE = """From: Postern <postern@localhost>
To: user1@localhost
Subject: It works
Date: {date}
Message-ID: <{id}@localhost>

This message came in over LMTP, lies in the spool and was read over IMAP.
"""


def deliver(port, message_id):
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
    text = MESSAGE.format(date=date, id=message_id).replace("\n", "\r\n")
    with smtplib.LMTP("127.0.0.1", port) as lmtp:
        lmtp.sendmail("postern@localhost", ["user1"], text)


def fetch(port, message_id):
    with imaplib.IMAP4("127.0.0.1", port) as imap:
        imap.login("user1", "pass")
        imap.select("INBOX")
        _, found = imap.search(None, "HEADER", "Message-ID", f'"<{message_id}@localhost>"')
        _, parts = imap.fetch(found[0].split()[-1], "(FLAGS BODY.PEEK[])")
        return parts[0]


def main():
    message_id = uuid.uuid4().hex
    deliver(int(sys.argv[1]), message_id)
    summary, text = fetch(int(sys.argv[2]), message_id)
    print("A message went in over LMTP and came back over IMAP:\n")
    print("  " + summary.decode())
    for line in text.decode().splitlines():
        print("  | " + line)


if __name__ == "__main__":
    main()
