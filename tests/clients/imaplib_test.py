#!/usr/bin/python3
"""Python's imaplib and smtplib: a script's view of the server, every common command once."""

import re
import threading

import harness
from harness import make_message


class Imaplib(harness.ClientTest):
    def test_a_delivered_message_reads_as_it_was_sent(self):
        user = self.new_user()
        message = make_message(1, size=20000)
        self.deliver(user, message)
        client = self.imap(user)
        self.assertEqual(client.choose(), 1)
        got = client.body(client.uids()[0])
        self.assertTrue(got.endswith(message))
        self.assertTrue(got.startswith(b"Return-Path: <sender@example.net>\r\n"), got[:100])

    def test_broken_mail_comes_back_byte_exact_behind_the_trace_fields(self):
        messages = [octets for _, octets in harness.corpus_messages(self.options.corpus)]
        user = self.new_user()
        with harness.LmtpClient(self.server) as client:
            for number, octets in enumerate(messages):
                client.deliver([user], octets, sender=f"{number}@example.net")
        client = self.imap(user)
        self.assertEqual(client.choose(), len(messages))
        for uid in client.uids():
            got = client.body(uid)
            original = messages[int(re.match(rb"Return-Path: <(\d+)@", got).group(1))]
            self.assertTrue(got.endswith(original))
            trace = got[:len(got) - len(original)]
            self.assertRegex(trace, rb"\A(?:[A-Z][\w-]+: .+\r\n(?:[ \t].+\r\n)*){2,3}\Z")

    def test_an_appended_message_is_byte_exact_and_keeps_flags_and_date(self):
        client = self.imap(self.new_user())
        message = make_message(2, size=5000)
        date = '"17-Jul-1996 02:44:25 -0700"'
        client.ok(client.append("INBOX", "(\\Seen $Important)", date, message))
        client.choose()
        uid = client.uids()[0]
        self.assertEqual(client.body(uid), message)
        self.assertEqual(client.flags(uid), {"\\Seen", "$Important"})
        fetched = client.ok(client.uid("FETCH", str(uid), "(INTERNALDATE RFC822.SIZE)"))[0]
        self.assertIn(f"RFC822.SIZE {len(message)}".encode(), fetched)
        self.assertIn(b"17-Jul-1996", fetched)

    def test_search_finds_by_header_text_and_flag(self):
        client = self.imap(self.new_user())
        for number in range(1, 6):
            client.add("INBOX", make_message(number), "(\\Flagged)" if number == 3 else "")
        client.choose()
        uids = client.uids()
        self.assertEqual(client.uids('SUBJECT "Test 4"'), [uids[3]])
        self.assertEqual(client.uids('BODY "message 2"'), [uids[1]])
        self.assertEqual(client.uids("FLAGGED"), [uids[2]])
        self.assertEqual(client.uids("UNFLAGGED UNSEEN"), uids[:2] + uids[3:])

    def test_copy_and_expunge(self):
        client = self.imap(self.new_user())
        messages = [make_message(number) for number in range(1, 4)]
        for message in messages:
            client.add("INBOX", message)
        client.ok(client.create("Copies"))
        client.choose()
        uids = client.uids()
        client.ok(client.uid("COPY", f"{uids[0]},{uids[2]}", "Copies"))
        client.store_flags(uids[0], "+FLAGS", "\\Deleted")
        client.ok(client.expunge())
        self.assertEqual(client.uids(), uids[1:])
        self.assertEqual(list(client.bodies("Copies").values()), [messages[0], messages[2]])

    def test_move(self):
        client = self.imap(self.new_user())
        message = make_message(1)
        client.add("INBOX", message)
        client.ok(client.create("Moved"))
        client.choose()
        client.ok(client.uid("MOVE", "1:*", "Moved"))
        self.assertEqual(client.uids(), [])
        self.assertEqual(list(client.bodies("Moved").values()), [message])

    def test_mailboxes_are_made_renamed_with_inferiors_and_removed(self):
        client = self.imap(self.new_user())
        for name in ("Work", "Work/2026", "Old"):
            client.ok(client.create(name))
        client.add("Work/2026", make_message(1))
        client.ok(client.rename("Work", "Job"))
        names = self.names(client)
        self.assertTrue({"Job", "Job/2026", "Old"} <= names, names)
        self.assertNotIn("Work", names)
        self.assertEqual(client.choose("Job/2026"), 1)
        client.ok(client.close())
        client.ok(client.delete("Old"))
        self.assertNotIn("Old", self.names(client))

    def names(self, client):
        return {line.decode().split('"/"')[1].strip().strip('"') for line in client.ok(client.list())}

    def test_subscriptions(self):
        client = self.imap(self.new_user())
        client.ok(client.create("News"))
        client.ok(client.subscribe("News"))
        self.assertIn(b"News", b" ".join(client.ok(client.lsub())))
        client.ok(client.unsubscribe("News"))
        self.assertNotIn(b"News", b" ".join(line or b"" for line in client.ok(client.lsub())))

    def test_a_second_session_sees_the_first_ones_changes(self):
        user = self.new_user()
        one, two = self.imap(user), self.imap(user)
        one.add("INBOX", make_message(1))
        one.choose()
        two.choose()
        uid = one.uids()[0]
        one.store_flags(uid, "+FLAGS", "\\Answered")
        one.add("INBOX", make_message(2))
        two.ok(two.noop())
        self.assertEqual(two.flags(uid), {"\\Answered"})
        self.assertEqual(len(two.uids()), 2)

    def test_wrong_password_is_refused(self):
        client = harness.imaplib.IMAP4(self.server.host, self.server.imap_port)
        self.addCleanup(harness.close_quietly, client)
        with self.assertRaises(client.error):
            client.login("user1", "wrong")

    def test_many_deliverers_and_a_reader_at_once(self):
        user = self.new_user()
        client = self.imap(user)
        client.choose()
        threads = [threading.Thread(target=self.deliver, args=(
            user, *[make_message(100 * lane + n) for n in range(25)])) for lane in range(1, 5)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            client.ok(client.noop())
            uids = client.uids()
            self.assertEqual(uids, sorted(set(uids)))
        self.assertEqual(len(client.bodies()), 100)


if __name__ == "__main__":
    harness.main()
