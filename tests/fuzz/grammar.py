"""What live.py says to a server: a context-free grammar for each protocol, and mutation.

A production is text in which <name> stands for any production of `name`; <lit:name> is its
expansion as a literal of the right size. Productions are weighted by repetition. The texts are
latin-1, so that any octet can be written.
"""

import re

MESSAGES = [
    "From: a@example.org\r\nTo: b@example.org\r\nSubject: =?utf-8?q?x?=\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: "
    "message/rfc822\r\n\r\nSubject: in\r\n\r\ntwo\r\n--b--\r\n",
    "From: \"A, B\" <a@b>, G: c@d;\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\n",
    "Subject: a\r\n b\r\nContent-Transfer-Encoding: base64\r\nContent-Type: text/plain; "
    "charset=latin1; name*0*=utf-8'en'%e2%82; name*1=ac\r\n\r\n4pys4pys\r\n=\r\n",
    "no header at all", "\r\n", "X: \xe9\x80\r\n\r\n.\r\n..\r\n", "List-Id: <l.example.org>\r\n\r\nx\r\n",
]
NUMBERS = ["0", "1", "1", "2", "3", "10", "4096", "2147483648", "4294967295", "4294967296",
           "9223372036854775807", "9223372036854775808", "18446744073709551615", "99999999999999999999"]

COMMON = {
    "num": NUMBERS,
    "small": ["0", "1", "2", "3", "5", "17"],
    "message": MESSAGES,
    "word": ["x", "INBOX", "a b", "", "\xff\xfe", "NIL", "*", "user2", "caf\xc3\xa9", "&AOk-", "&", "&&-",
             "a" * 300, "(", ")", "{", "\"", "\\", "%", "]", "[", "~", "\x00", "\x7f"],
    "plain": ["AHVzZXIxAHBhc3M=", "<auth>", "=", "*", "", "dXNlcjEAdXNlcjEAcGFzcw==", "AAAA", "????"],
    "mech": ["PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "DIGEST-MD5", "CRAM-MD5", "EXTERNAL",
             "ANONYMOUS", "GSSAPI", "OAUTHBEARER", "X"],
    "base64": ["<plain>", "biwsbj11c2VyMSxyPWFiYw==", "dXNlcjE=", "cGFzcw==", "*", "<num>"],
}

IMAP = {
    "line": ["<any>", "<auth_>", "<auth_>", "<sel>", "<sel>", "<sel>", "<sel>", "<word> <word>"],
    "any": ["CAPABILITY", "NOOP", "LOGOUT", "ID <idlist>", "ID NIL", "ENABLE <caps>", "STARTTLS",
            "AUTHENTICATE <mech> <base64>", "AUTHENTICATE <mech>", "LOGIN <astring> <astring>",
            "LOGIN <user> pass", "COMPRESS DEFLATE", "UNAUTHENTICATE", "<base64>"],
    "user": ["{u}", "\"{u}\"", "<lit:me>", "nobody"],
    "me": ["{u}"],
    "idlist": ["()", "(\"name\" \"x\" \"version\" NIL)", "(<string> <nstring> <string> <nstring>)"],
    "caps": ["CONDSTORE", "QRESYNC", "UTF8=ACCEPT", "CONDSTORE QRESYNC", "IMAP4rev2", "X"],
    "auth_": ["NAMESPACE", "LIST <mbox> <pattern>", "LIST (<selopts>) <mbox> (<pattern> <pattern>) RETURN (<retopts>)",
              "LIST <mbox> <pattern> RETURN (<retopts>)", "LSUB <mbox> <pattern>", "SUBSCRIBE <mbox>",
              "UNSUBSCRIBE <mbox>", "STATUS <mbox> (<statuses>)", "CREATE <mbox>", "CREATE <mbox> (USE (<use>))",
              "DELETE <mbox>", "RENAME <mbox> <mbox>", "SELECT <mbox>", "EXAMINE <mbox>", "SELECT INBOX",
              "SELECT <mbox> (CONDSTORE)", "SELECT <mbox> (QRESYNC (<num> <num> <set> (<set> <set>)))",
              "SELECT INBOX (QRESYNC (<num> <num>))", "APPEND <mbox> <append>", "APPEND <mbox> <append> <append>",
              "APPEND INBOX <append>", "IDLE", "IDLE\r\nDONE", "IDLE\r\n<word>", "GETACL <mbox>", "MYRIGHTS <mbox>",
              "SETACL <mbox> <ident> <rights>", "DELETEACL <mbox> <ident>", "LISTRIGHTS <mbox> <ident>",
              "GETQUOTA <mbox>", "GETQUOTAROOT <mbox>", "SETQUOTA <mbox> (<resource> <num> <resource> <num>)",
              "GETMETADATA <mbox> (/private/comment)", "SETMETADATA <mbox> (/private/comment <nstring>)",
              "NOTIFY SET (personal (MessageNew MessageExpunge))", "REPLACE 1 <mbox> <append>"],
    "sel": ["CLOSE", "UNSELECT", "CHECK", "EXPUNGE", "<uid>EXPUNGE <set>", "<uid>FETCH <set> <items>",
            "<uid>FETCH <set> <items>", "<uid>FETCH <set> (<items>) (CHANGEDSINCE <num> VANISHED)",
            "<uid>FETCH <set> (<items> <items> <items>)", "<uid>STORE <set> <op>FLAGS<silent> (<flags>)",
            "<uid>STORE <set> (UNCHANGEDSINCE <num>) <op>FLAGS<silent> <flags>", "<uid>COPY <set> <mbox>",
            "<uid>MOVE <set> <mbox>", "<uid>SEARCH <keys>", "<uid>SEARCH RETURN (<results>) <keys>",
            "<uid>SEARCH CHARSET <charset> <keys>", "<uid>SORT (<sorts>) <charset> <keys>",
            "<uid>THREAD <thread> <charset> <keys>", "<uid>STORE <set> +FLAGS (\\Deleted)"],
    "uid": ["", "UID "],
    "silent": ["", ".SILENT"],
    "op": ["", "+", "-"],
    "mbox": ["INBOX", "INBOX", "inbox", "box<small>", "box<small>/a", "Trash", "Drafts", "Shared/x", "Other Users/user1",
             "user/user1", "\"\"", "\"a/b/c\"", "<astring>", "&AOk-", "\"INBOX/x\""],
    "pattern": ["*", "%", "\"*\"", "\"%/%\"", "INBOX", "\"\"", "box*", "\"*%*%*%*\"", "<mbox>"],
    "selopts": ["", "SUBSCRIBED", "REMOTE", "RECURSIVEMATCH SUBSCRIBED", "SPECIAL-USE", "RECURSIVEMATCH"],
    "retopts": ["", "CHILDREN", "SUBSCRIBED", "SPECIAL-USE", "MYRIGHTS", "STATUS (<statuses>)", "CHILDREN SUBSCRIBED"],
    "statuses": ["MESSAGES", "RECENT", "UIDNEXT UIDVALIDITY UNSEEN", "HIGHESTMODSEQ SIZE", "DELETED DELETED-STORAGE",
                 "MAILBOXID APPENDLIMIT", "<word>"],
    "use": ["\\Sent", "\\Trash \\Archive", "\\All", "\\x"],
    "append": ["<lit:message>", "(<flags>) <lit:message>", "(<flags>) \"01-Jan-2020 00:00:00 +0000\" <lit:message>",
               "~<lit:message>", "UTF8 (~<lit:message>)", "{<num>+}", "{<num>}", "<string>",
               "\"32-Foo-2020 99:00:00 +9999\" <lit:message>"],
    "flags": ["\\Seen", "\\Deleted \\Flagged", "$kw<small>", "$Forwarded \\Answered \\Draft", "", "\\Recent", "\\x", "<word>",
              "a1 a2 a3 a4 a5 a6 a7 a8 a9 b1 b2 b3"],
    "set": ["1", "*", "1:*", "*:1", "2:1", "1,2,3", "<num>", "<num>:<num>", "<num>,<set>", "$", "5:2,*,1:3", ","],
    "items": ["ALL", "FAST", "FULL", "FLAGS", "UID", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY", "BODYSTRUCTURE",
              "MODSEQ", "EMAILID", "THREADID", "SAVEDATE", "RFC822", "RFC822.HEADER", "RFC822.TEXT", "BODY<peek>[<section>]<part>",
              "BODY<peek>[<section>]<part>", "BINARY<peek>[<path>]<part>", "BINARY.SIZE[<path>]", "PREVIEW", "(FLAGS UID)"],
    "peek": ["", ".PEEK"],
    "section": ["", "<path>", "<path>.<text>", "<text>", "<path>.MIME"],
    "text": ["HEADER", "TEXT", "MIME", "HEADER.FIELDS (<fields>)", "HEADER.FIELDS.NOT (<fields>)"],
    "fields": ["From", "From To Subject", "<astring>", "date \"x-y\" <lit:field>", ""],
    "field": ["subject", "to", "Content-Type"],
    "path": ["1", "2", "1.2", "2.1", "2.1.1", "<num>", "1.1.1.1.1.1", "0"],
    "part": ["", "", "<0.10>", "<<num>.<num>>", "<5>"],
    "keys": ["<key>", "<key>", "<key> <keys>", "(<key> <key>)", "OR <key> <key>", "NOT <key>", "ALL"],
    "key": ["<keys>", "SEEN", "NEW", "OLD", "RECENT", "UNSEEN", "DELETED", "ANSWERED", "KEYWORD $kw1", "UNKEYWORD x", "UID <set>",
            "<set>", "SINCE <date>", "BEFORE <date>", "SENTON <date>", "SAVEDSINCE <date>", "LARGER <num>", "SMALLER <num>",
            "SUBJECT <astring>", "FROM <astring>", "BODY <astring>", "TEXT <astring>", "HEADER <astring> <astring>",
            "MODSEQ <num>", "MODSEQ \"/flags/\\\\seen\" all <num>", "OLDER <num>", "YOUNGER <num>", "EMAILID M00", "THREADID T0", "FUZZY TEXT x"],
    "date": ["1-Jan-2020", "\"01-Feb-1969\"", "31-Feb-2020", "1-Jan-9999", "0-x-0"],
    "results": ["", "MIN", "MAX", "COUNT", "ALL", "SAVE", "MIN MAX COUNT ALL SAVE", "PARTIAL 1:2", "UPDATE"],
    "charset": ["UTF-8", "US-ASCII", "utf-7", "<astring>", "ISO-8859-1"],
    "sorts": ["DATE", "REVERSE ARRIVAL", "SUBJECT FROM", "<word>"],
    "thread": ["REFERENCES", "ORDEREDSUBJECT", "<word>"],
    "ident": ["anyone", "user2", "-user2", "admin", "group:x", "<astring>", "{u}"],
    "rights": ["lrs", "+k", "-x", "lrswipkxtean", "lrswipcd", "\"\"", "<word>"],
    "resource": ["STORAGE", "MESSAGE", "MAILBOX", "X"],
    "astring": ["<string>", "x", "INBOX", "<num>", "a]b"],
    "string": ["\"x\"", "\"\"", "\"a\\\"\\\\b\"", "<lit:word>", "~<lit:word>", "\"<word>\"", "{<num>}\r\n", "{<num>+}\r\n"],
    "nstring": ["NIL", "<string>"],
}

LMTP = {
    "line": ["<hello>", "MAIL FROM:<from><mailparam>", "RCPT TO:<to><rcptparam>", "RCPT TO:<{u}>", "<rest>", "<txn>", "<txn>"],
    "hello": ["LHLO x", "LHLO [127.0.0.1]", "EHLO x", "HELO", "LHLO <word>"],
    "txn": ["MAIL FROM:<from><mailparam>\r\nRCPT TO:<to>\r\nDATA\r\n<message>\r\n.",
            "MAIL FROM:<a@b> BODY=BINARYMIME\r\nRCPT TO:<{u}>\r\nRCPT TO:<to>\r\nBDAT <bdat:message>\r\nBDAT 0 LAST",
            "MAIL FROM:<a@b>\r\nRCPT TO:<{u}+box<small>@example.org>\r\nBDAT <bdatlast:message>",
            "MAIL FROM:<>\r\nRCPT TO:<{u}>\r\nDATA\r\n<message>\r\n.\r\n<message>"],
    "from": ["<a@example.org>", "<>", "<@x,@y:a@b>", "<\"a b\"@[IPv6:::1]>", "a@b", " <a@b>", "<<word>>", "<a@\xc3\xa9>"],
    "to": ["<{u}>", "<{u}@example.org>", "<{u}+box<small>>", "<{u}+a/b@x>", "<nobody>", "<\"{u}\"@x>", "<+x>", "<<word>>",
           "<{u}+<word>>", "<postmaster>", "<user2+INBOX>"],
    "mailparam": ["", "", " SIZE=<num>", " BODY=8BITMIME", " BODY=<word>", " SMTPUTF8", " RET=HDRS ENVID=x+2B", " RET=x",
                  " AUTH=<>", " HOLDFOR=<num>", " BY=<num>;R", " MT-PRIORITY=<num>", " <word>", " SIZE=1 SIZE=2"],
    "rcptparam": ["", "", " NOTIFY=NEVER", " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+40b", " ORCPT=+zz", " <word>", " RRVS=x"],
    "rest": ["DATA", "<message>\r\n.", "..x\r\n.", "BDAT <num>", "BDAT <small>\r\nabc", "BDAT <num> LAST", "BDAT 0 LAST", "RSET",
             "NOOP <word>", "VRFY {u}", "VRFY <word>", "EXPN x", "HELP", "QUIT", "AUTH <mech> <base64>", "AUTH <mech>", "<base64>",
             "STARTTLS", "XCLIENT ADDR=1", "LHLO x", ".", "<word>"],
}

POP3 = {
    "line": ["CAPA", "USER <user>", "PASS pass", "PASS <word>", "AUTH", "AUTH <mech> <base64>", "AUTH <mech>", "<base64>", "STAT",
             "LIST", "LIST <n>", "UIDL", "UIDL <n>", "RETR <n>", "RETR <n>", "TOP <n> <num>", "TOP <n> <n>", "DELE <n>", "RSET",
             "NOOP", "QUIT", "STLS", "UTF8", "LANG", "LANG en", "LANG *", "APOP x y", "<word> <word>"],
    "user": ["{u}", "nobody", "<word>"],
    "n": ["1", "2", "3", "<num>", "-1", "<word>"],
}

SIEVE = {
    "line": ["AUTHENTICATE \"<mech>\" <str>", "AUTHENTICATE \"<mech>\"", "\"<base64>\"", "CAPABILITY", "NOOP", "NOOP <str>", "LOGOUT",
             "STARTTLS", "HAVESPACE <name> <num>", "PUTSCRIPT <name> <lit:script>", "PUTSCRIPT <name> <lit:script>",
             "CHECKSCRIPT <lit:script>", "LISTSCRIPTS", "SETACTIVE <name>", "GETSCRIPT <name>", "DELETESCRIPT <name>",
             "RENAMESCRIPT <name> <name>", "UNAUTHENTICATE", "<word> <str> <num>"],
    "name": ["\"a\"", "\"b\"", "\"\"", "<lit:word>", "\"a/../b\"", "\"<word>\"", "\"caf\xc3\xa9\"", "main"],
    "str": ["\"<word>\"", "\"AHVzZXIxAHBhc3M=\"", "<lit:base64>", "\"<auth>\"", "{<num>+}\r\n", "{<num>}\r\n", "\"\\\"\\\\\""],
    "script": ["keep;", "require \"fileinto\"; fileinto \"x\";", "if true { stop; }", "require [\"include\"]; include \"a\";",
               "if header :contains \"subject\" [\"a\",\"b\"] { discard; } elsif size :over 1M { keep; }",
               "require [\"variables\",\"imap4flags\"]; set \"a\" \"${a}<word>\"; addflag \"\\\\Seen\";", "# <word>", "/* <word>",
               "if anyof (not true, allof (false, exists \"x\")) { redirect \"a@b\"; }", "text:\r\nx\r\n.\r\n;",
               "require \"vacation\"; vacation :days <num> :addresses [\"a@b\"] \"<word>\";", "if <word> {", ""],
}

# What is said first. The state of a session is what these lead to; a last line without an end
# leaves it in the middle of a command.
IMAP_STATES = ["", "LOGIN {u} pass", "LOGIN {u} pass\nSELECT INBOX", "LOGIN {u} pass\nSELECT INBOX",
               "LOGIN {u} pass\nENABLE QRESYNC UTF8=ACCEPT\nSELECT INBOX (CONDSTORE)", "LOGIN {u} pass\nEXAMINE INBOX",
               "LOGIN {u} pass\nCREATE box1\nSELECT box1", "LOGIN {u} pass\nSELECT INBOX\nIDLE", "AUTHENTICATE PLAIN",
               "AUTHENTICATE SCRAM-SHA-256", "LOGIN {u} pass\nAPPEND INBOX {30}", "LOGIN {u} pass\nSELECT INBOX\nSEARCH BODY {9}",
               "STARTTLS", "LOGIN {u} pass\nSELECT INBOX\nSTORE 1:* +FLAGS (\\Deleted)"]
LMTP_STATES = ["", "LHLO x", "LHLO x\nMAIL FROM:<a@b>", "LHLO x\nMAIL FROM:<a@b>\nRCPT TO:<{u}>",
               "LHLO x\nMAIL FROM:<a@b>\nRCPT TO:<{u}>\nDATA", "LHLO x\nMAIL FROM:<a@b>\nRCPT TO:<{u}>\nBDAT 200\nabc",
               "LHLO x\nMAIL FROM:<> BODY=BINARYMIME\nRCPT TO:<{u}>\nRCPT TO:<nobody>\nRCPT TO:<{u}+box1>", "LHLO x\nAUTH LOGIN",
               "LHLO x\nAUTH SCRAM-SHA-256", "LHLO x\nSTARTTLS"]
POP3_STATES = ["", "USER {u}", "USER {u}\nPASS pass", "USER {u}\nPASS pass", "USER {u}\nPASS pass\nDELE 1", "AUTH PLAIN", "STLS",
               "UTF8\nUSER {u}\nPASS pass"]
SIEVE_STATES = ["", "AUTHENTICATE \"PLAIN\" \"<auth>\"", "AUTHENTICATE \"PLAIN\" \"<auth>\"", "AUTHENTICATE \"SCRAM-SHA-1\"", "STARTTLS",
                "AUTHENTICATE \"PLAIN\" \"<auth>\"\nPUTSCRIPT \"a\" {50+}"]

PROTOCOLS = {"imap": (IMAP, IMAP_STATES), "lmtp": (LMTP, LMTP_STATES), "pop3": (POP3, POP3_STATES),
             "sieve": (SIEVE, SIEVE_STATES)}
HOLE = re.compile(r"<(?:(lit|bdat|bdatlast):)?([a-z_]+)>")
DELIMITERS = b" (){}[]\"\\%*,:<>\r\n+-.$~\x00\x80\xff0123456789"
TOKENS = re.compile(rb"\r\n|\"[^\"]*\"|[A-Za-z0-9.]+|.", re.S)
DEEPEST = 12


class Speaker:
    """Makes what one protocol's client might say."""

    def __init__(self, protocol, rng):
        rules, self.states = PROTOCOLS[protocol]
        self.rules = {**COMMON, **rules}
        self.rng = rng

    def line(self, fill):
        """One line; `fill` replaces what stands in braces. Most are mutated."""
        line = self.filled("<line>", fill)
        return line if self.rng.random() < 0.5 else self.mutated(line, self.filled("<line>", fill))

    def state(self, fill):
        """Lines that lead to some state."""
        return [self.filled(line, fill) for line in self.rng.choice(self.states).split("\n") if line]

    def filled(self, text, fill):
        text = text.replace("<auth>", fill["auth"])
        return self.expand(text.replace("{u}", fill["u"]), fill).encode("latin-1")

    def expand(self, text, fill, depth=0):
        def replaced(hole):
            kind, name = hole.groups()
            if name == "auth":
                return fill["auth"]
            if name not in self.rules:
                return hole[0]
            one = self.rng.choice(self.rules[name]) if depth < DEEPEST else self.rules[name][-1]
            one = self.expand(one.replace("{u}", fill["u"]), fill, depth + 1) if depth < 2 * DEEPEST else one
            return self.wrapped(kind, one)
        return HOLE.sub(replaced, text)

    def wrapped(self, kind, text):
        if kind == "lit":
            return f"{{{len(text)}{self.rng.choice(('+', '+', '+', ''))}}}\r\n{text}"
        if kind == "bdat":
            return f"{len(text)}\r\n{text}"
        if kind == "bdatlast":
            return f"{len(text)} LAST\r\n{text}"
        return text

    def mutated(self, line, other):
        """`line` with up to four random edits, of octets or of whole tokens."""
        data = bytearray(line)
        for _ in range(self.rng.choice((1, 1, 2, 4))):
            edit = self.rng.choice((self.edit_octets, self.edit_tokens, self.edit_tokens))
            data = edit(data, other)
        return bytes(data)

    def edit_octets(self, data, other):
        rng, at = self.rng, self.rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            data[at:at] = bytes([rng.choice(DELIMITERS)])
        elif kind == 1:
            del data[at:at + rng.randrange(1, 8)]
        elif kind == 2 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 3:
            data[at:] = other[rng.randrange(len(other) + 1):]
        elif kind == 4:
            data[at:at] = data[max(0, at - 12):at] * rng.choice((2, 30, 400))
        else:
            data[at:at] = rng.randbytes(rng.randrange(1, 20))
        return data

    def edit_tokens(self, data, other):
        rng, mine, theirs = self.rng, TOKENS.findall(bytes(data)), TOKENS.findall(other)
        if not mine or not theirs:
            return data
        at, kind = rng.randrange(len(mine)), rng.randrange(6)
        if kind == 0:
            mine[at] = rng.choice(theirs)
        elif kind == 1:
            mine.insert(at, rng.choice(theirs))
        elif kind == 2:
            del mine[at]
        elif kind == 3:
            mine[at] = rng.choice(NUMBERS).encode()
        elif kind == 4:
            mine[at] = b"(" * rng.choice((1, 20, 3000)) + mine[at] + b")" * rng.choice((1, 20))
        else:
            mine[at] = b"{%d+}\r\n%s" % (len(mine[at]), mine[at])
        return bytearray(b"".join(mine))
