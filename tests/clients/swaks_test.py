#!/usr/bin/python3
"""swaks: one LMTP session as a tester types it, over TCP and over the Unix socket."""

import harness


class Swaks(harness.ClientTest):
    def swaks(self, recipients, *options, status=(0,)):
        return harness.run(["swaks", "--protocol", "LMTP", "--from", "sender@example.net", "--to",
                            ",".join(recipients), "--header", "Subject: by swaks", *options],
                           status=status)

    def tcp(self):
        return ["--server", self.server.host, "--port", self.server.lmtp_port]

    def test_delivers_over_tcp(self):
        user = self.new_user()
        self.swaks([user], *self.tcp(), "--body", "over TCP")
        client = self.imap(user)
        client.choose()
        self.assertEqual(len(client.uids('BODY "over TCP"')), 1)

    def test_delivers_to_several_recipients(self):
        users = [self.new_user() for _ in range(3)]
        self.swaks(users, *self.tcp(), "--body", "to all")
        for user in users:
            self.assertEqual(self.imap(user).choose(), 1, user)

    def test_delivers_over_the_unix_socket(self):
        path = getattr(self.server, "env", {}).get("LMTP_SOCKET")
        if not path:
            self.skipTest("the server has no LMTP socket")
        user = self.new_user()
        self.swaks([user], "--socket", path, "--body", "over a socket")
        self.assertEqual(self.imap(user).choose(), 1)

    def test_an_unknown_recipient_gets_550_and_the_other_one_the_mail(self):
        user = self.new_user()
        # swaks ends with 24 when some recipients were refused and --force isn't given.
        output = self.swaks([user, "nobody-here"], *self.tcp(), status=(0, 24, 26))
        self.assertIn(b"550", output)
        self.assertEqual(self.imap(user).choose(), 1)


if __name__ == "__main__":
    harness.need("swaks")
    harness.main()
