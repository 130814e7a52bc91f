#!/usr/bin/python3
"""Perl's Mail::IMAPClient: the claims are in imapclient.pl."""

import harness


class Perl(harness.ClientTest):
    def test_mail_imapclient(self):
        output = harness.run(["/usr/bin/perl", harness.HERE / "imapclient.pl", self.server.host,
                              self.server.imap_port, self.new_user()])
        self.assertTrue(output.endswith(b"logout\n"), output)


if __name__ == "__main__":
    harness.need("perl")
    harness.main()
