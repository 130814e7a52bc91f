#!/usr/bin/python3
"""fetchmail over IMAP and POP3: fetch and keep, fetch and delete."""

import harness
from harness import make_message, message_id

CONFIG = """
poll {host} protocol {protocol} service {port}
  username {user} password pass
  sslproto ''
  mda "/bin/sh -c 'umask 077; cat > {home}/fetched/$$.eml'"
"""


class Fetchmail(harness.ClientTest):
    def fetch(self, user, protocol, *options):
        (self.home / "fetched").mkdir(exist_ok=True)
        port = {"imap": self.server.imap_port, "pop3": self.server.pop3_port}[protocol]
        if port is None:
            self.skipTest(f"the server has no {protocol} yet")
        config = self.write("rc", CONFIG.format(host=self.server.host, port=port, user=user,
                                                protocol=protocol, home=self.home))
        # Exit status 1: there was no mail.
        harness.run(["fetchmail", "-f", config, "--nosyslog", "--pidfile", self.home / "pid",
                     "--idfile", self.home / "ids", *options], status=(0, 1),
                    env={"HOME": str(self.home), "PATH": harness.PATH})

    def fetched(self):
        files = (self.home / "fetched").glob("*.eml")
        return sorted(message_id(path.read_bytes().replace(b"\n", b"\r\n")) for path in files)

    def filled(self, count):
        user = self.new_user()
        messages = [make_message(n, size=2000) for n in range(count)]
        self.deliver(user, *messages)
        return user, sorted(message_id(message) for message in messages)

    def keep(self, protocol, *options):
        user, ids = self.filled(4)
        self.fetch(user, protocol, "--keep", *options)
        self.assertEqual(self.fetched(), ids)
        self.assertEqual(self.imap(user).choose(), 4)
        self.fetch(user, protocol, "--keep", *options)
        self.assertEqual(self.fetched(), ids, "fetched again what it had")

    def delete(self, protocol):
        user, ids = self.filled(4)
        self.fetch(user, protocol, "--nokeep")
        self.assertEqual(self.fetched(), ids)
        self.assertEqual(self.imap(user).choose(), 0)

    def test_imap_keep(self):
        self.keep("imap")

    def test_imap_delete(self):
        self.delete("imap")

    def test_pop3_keep(self):
        self.keep("pop3", "--uidl")

    def test_pop3_delete(self):
        self.delete("pop3")


if __name__ == "__main__":
    harness.need("fetchmail")
    harness.main()
