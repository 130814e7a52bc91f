#!/usr/bin/python3
"""curl as IMAP client: read by uid, list, search, upload."""

import harness
from harness import make_message


class Curl(harness.ClientTest):
    def curl(self, user, path, *options):
        return harness.run(["curl", "--silent", "--show-error", "--user", f"{user}:pass", *options,
                            f"imap://{self.server.host}:{self.server.imap_port}/{path}"])

    def test_reads_a_message_by_uid(self):
        user = self.new_user()
        message = make_message(1, size=30000)
        self.imap(user).add("INBOX", message)
        self.assertEqual(self.curl(user, "INBOX;UID=1"), message)

    def test_reads_one_section(self):
        user = self.new_user()
        self.imap(user).add("INBOX", make_message(7))
        self.assertEqual(self.curl(user, "INBOX;UID=1;SECTION=TEXT"), b"Line 0 of message 7.\r\n")

    def test_uploads_a_message(self):
        user = self.new_user()
        message = make_message(1, size=3000)
        path = self.home / "message"
        path.write_bytes(message)
        self.curl(user, "INBOX", "--upload-file", path)
        self.assertEqual(list(self.imap(user).bodies().values()), [message])

    def test_lists_and_searches(self):
        user = self.new_user()
        client = self.imap(user)
        client.ok(client.create("Lists"))
        client.add("INBOX", make_message(1), "(\\Seen)")
        client.add("INBOX", make_message(2))
        self.assertIn(b"Lists", self.curl(user, ""))
        self.assertEqual(self.curl(user, "INBOX?UNSEEN").strip(), b"* SEARCH 2")


if __name__ == "__main__":
    harness.need("curl")
    harness.main()
