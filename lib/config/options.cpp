// The table of all options. doc/configuration.md is made from it (postern config manual), the
// CTest `options` checks that each is used by the code and that the code uses no other.
#include <array>

#include "lib/config/config.h"

namespace postern::config {
namespace {

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kDay = 86400 * kSecond;

// Sorted by name. Durations and sizes have their range in milliseconds and bytes.
constexpr std::array kOptions{
    Option{"auth.admins", Type::list, "", "Users who administer the server over IMAP."},
    Option{"auth.default_domain", Type::text, "",
           "Domain that is taken off a user name that ends in it: anna@example.org is anna."},
    Option{"auth.failure_delay", Type::duration, "500ms",
           "Delay of the answer to the first failed login of an address and user; it doubles with "
           "each further one.",
           0, 60 * kSecond},
    Option{"auth.failure_delay_max", Type::duration, "15s",
           "Longest delay of the answer to a failed login.", 0, 300 * kSecond},
    Option{"auth.groups.*", Type::list, "",
           "Members of a group: access control lists name it group:NAME. One line a group."},
    Option{"auth.mechanisms", Type::list, "",
           "SASL mechanisms to offer; empty offers all that the installed plugins have, except "
           "ANONYMOUS."},
    Option{"auth.plaintext_loopback", Type::boolean, "false",
           "Accept plaintext passwords without TLS from this host's own addresses."},
    Option{"auth.realm", Type::text, "postern",
           "Realm under which the password database keeps names without a domain; the host's name "
           "if Kerberos is used."},
    Option{"auth.saslauthd", Type::text, "",
           "Folder of saslauthd's socket: passwords that the database doesn't accept are asked for "
           "there (PAM, LDAP)."},
    Option{"auth.sasldb", Type::text, "/var/lib/postern/sasldb2",
           "The SASL password database (Berkeley DB)."},
    Option{"auth.system_groups", Type::boolean, "false",
           "Take groups from the system's group database too."},
    Option{"event.*.at", Type::text, "",
           "Time of day of the event, local time: \"03:30\"; empty: see every."},
    Option{"event.*.command", Type::text, "",
           "Command that runs to its end at each event, never twice at once. Words are separated "
           "by spaces; a bare program name is looked up beside master."},
    Option{"event.*.every", Type::duration, "0",
           "Period of the event; 0: none. The first run is one period after the start.", 0,
           366 * kDay},
    Option{"imap.append_limit", Type::size, "50MiB", "Largest message that APPEND takes.", 1 << 10,
           std::int64_t{1} << 40},
    Option{"imap.autocreate", Type::boolean, "true",
           "A user who logs in and has no INBOX gets one, with the usual special-use mailboxes."},
    Option{"imap.autologout", Type::duration, "30min",
           "A silent session is ended after this time; RFC 9051 asks for 30 minutes at least.",
           1000, kDay},
    Option{"imap.bad_command_limit", Type::integer, "50",
           "Mistakes in a row (unknown, ill-timed or malformed commands) that end a session.", 1,
           100000},
    Option{"imap.idle_keepalive", Type::duration, "4min",
           "How often an idling client is told that the connection lives; 0 is never.", 0, kDay},
    Option{"imap.max_command", Type::size, "64KiB",
           "Longest command, literals of messages not counted.", 1 << 12, 64 << 20},
    Option{
        "imap.metadata_max_entries", Type::integer, "100",
        "Annotations (METADATA) of one mailbox, or of the server, that are shared or one user's; "
        "RFC 5464 asks for 10 at least.",
        10, 10000},
    Option{"imap.metadata_max_size", Type::size, "16KiB",
           "Largest value of an annotation; the command around it must fit imap.max_command.", 1024,
           16 << 20},
    Option{"imap.rights_refresh", Type::duration, "1s",
           "A session sees a change of its rights on the selected mailbox after this time.", 0,
           600 * kSecond},
    Option{"imapsieve.*.after", Type::text, "",
           "Path of a Sieve script that runs after the user's own when the rule applies."},
    Option{"imapsieve.*.before", Type::text, "",
           "Path of a Sieve script that runs before the user's own when the rule applies."},
    Option{
        "imapsieve.*.causes", Type::list, "COPY",
        "Events that the rule is for: APPEND, COPY (also MOVE), FLAG. A rule (one table a rule, in "
        "the order of their names) applies when all its conditions do."},
    Option{"imapsieve.*.from", Type::text, "*",
           "Mailbox that a message was copied or moved from, written like mailbox."},
    Option{"imapsieve.*.mailbox", Type::text, "*",
           "Mailbox that the message is in after the event, as its owner sees it: a name with the "
           "wildcards * and %, or a special use like \\Junk."},
    Option{"lmtp.autocreate", Type::boolean, "true",
           "A recipient who can log in but has no INBOX gets one at the first delivery, with the "
           "usual special-use mailboxes."},
    Option{"lmtp.duplicate_life", Type::duration, "3d",
           "How long a delivered message is remembered, so that a repeated delivery into the same "
           "mailbox is dropped; 0 switches suppression off.",
           0, 366 * kDay},
    Option{"lmtp.idle_timeout", Type::duration, "5min",
           "Silence of the MTA between or within transactions that ends the session.", 100, kDay},
    Option{"lmtp.max_message", Type::size, "64MiB", "Largest message that is taken.", 1 << 10,
           std::int64_t{1} << 40},
    Option{"lmtp.max_recipients", Type::integer, "1000",
           "Recipients of one transaction; RFC 5321 asks for 100 at least.", 1, 100000},
    Option{"lmtp.over_quota_permanent", Type::boolean, "false",
           "Refuse mail for a mailbox over its quota for good (552), not for now (452)."},
    Option{
        "lmtp.postmaster", Type::text, "",
        "User, or user+Mailbox, who gets mail for postmaster (RFC 5321 §4.5.1) at any domain where "
        "no user is called so; empty: such mail is refused."},
    Option{
        "lmtp.require_auth", Type::boolean, "false",
        "Over TCP an MTA must authenticate before MAIL. Unix sockets are guarded by their mode."},
    Option{"log.level", Type::text, "notice",
           "Least level that is logged: debug, notice, warning or error."},
    Option{"log.target", Type::text, "syslog", "syslog (facility mail) or stderr."},
    Option{"log.trace_directory", Type::text, "/var/lib/postern/trace",
           "A folder made here with the name of a user switches on that user's protocol trace."},
    Option{
        "master.connections", Type::integer, "0",
        "Most connections of all services together; 0 takes what the limit of open files allows.",
        0, 1000000},
    Option{"master.pid_file", Type::text, "",
           "File that holds the process id of master and is locked by it; empty: master.pid in the "
           "runtime directory."},
    Option{"master.stop_timeout", Type::duration, "10s",
           "After SIGTERM sessions have this long to end before they are cut.", 0, 600 * kSecond},
    Option{"meta.cache", Type::size, "64MiB", "Berkeley DB's page cache in metad.", 1 << 20,
           std::int64_t{1} << 40},
    Option{"meta.checkpoint_interval", Type::duration, "30s",
           "metad shortens its next recovery this often.", kSecond, 3600 * kSecond},
    Option{"meta.directory", Type::text, "/var/lib/postern/meta",
           "Home of the Berkeley DB environment of metad."},
    Option{
        "meta.log_archive", Type::text, "",
        "Directory to which metad moves log files that recovery no longer needs; empty: they are "
        "removed."},
    Option{"meta.socket", Type::text, "",
           "Unix socket of metad; empty: metad.sock in server.runtime_directory."},
    Option{"meta.timeout", Type::duration, "10s",
           "How long a request waits for metad before it fails as unavailable.", 100,
           600 * kSecond},
    Option{"namespace.other_users", Type::text, "Other Users",
           "First level under which a client sees the mailboxes of other users."},
    Option{"namespace.post_user", Type::text, "",
           "User name that stands for shared mailboxes in addresses: bb+news is the mailbox news."},
    Option{"namespace.shared", Type::text, "Shared Folders",
           "First level under which a client sees shared mailboxes."},
    Option{"partition.*.path", Type::text, "/var/spool/postern/default",
           "Directory of the partition: mailboxes, indexes and messages."},
    Option{"pop3.apop", Type::boolean, "false",
           "Offer APOP. It needs no TLS to hide the password, but rests on MD5 alone."},
    Option{"pop3.autocreate", Type::boolean, "true",
           "Make INBOX and the usual mailboxes at a user's first login."},
    Option{"pop3.autologout", Type::duration, "10min",
           "A silent POP3 session ends after this time; RFC 1939 asks for ten minutes at least.",
           600 * kSecond, kDay},
    Option{"pop3.expire_days", Type::integer, "0",
           "Days that messages are kept, as the site's policy has it: announced by CAPA, done by "
           "other means; 0: for ever.",
           0, 36500},
    Option{"pop3.login_burst", Type::integer, "3",
           "Logins that a user may make at once in spite of pop3.login_delay.", 1, 1000},
    Option{"pop3.login_delay", Type::duration, "0",
           "Time between two logins of a user, over a longer time; 0: none.", 0,
           24LL * 3600 * 1000},
    Option{"pop3.mark_seen", Type::boolean, "true", "RETR sets the flag \\Seen."},
    Option{"process.*.command", Type::text, "",
           "Command that is kept running beside the services and restarted when it ends."},
    Option{"server.admin_contact", Type::text, "",
           "URI that says how to reach the administrator (\"mailto:postmaster@example.org\"): the "
           "annotation /shared/admin of the server."},
    Option{
        "server.hostname", Type::text, "",
        "Name that the server gives itself in greetings and trace fields; empty asks the system."},
    Option{"server.runtime_directory", Type::text, "/run/postern", "Sockets and the pid file."},
    Option{"server.user", Type::text, "postern",
           "System user of all processes but master when it is started as root."},
    Option{
        "service.*.allow_networks", Type::list, "",
        "Networks (\"192.0.2.0/24\", \"2001:db8::/32\", \"unix\") that may connect; empty: all."},
    Option{"service.*.command_timeout", Type::duration, "2min",
           "A command or literal that has begun must go on within this time, or the session ends.",
           1000, 24LL * 3600 * 1000},
    Option{"service.*.daemon", Type::text, "",
           "Program that serves the connections: imapd, pop3d, lmtpd or managesieved. Services "
           "with the same one share its workers; the pool sizes are those of the first by name."},
    Option{"service.*.deny_networks", Type::list, "",
           "Networks whose connections are closed at once, before TLS too; stronger than "
           "allow_networks."},
    Option{"service.*.enabled", Type::boolean, "true", "Whether the service is started."},
    Option{"service.*.fork_rate", Type::integer, "200", "New workers a second, at most.", 1, 10000},
    Option{"service.*.linger", Type::duration, "5ms",
           "How long a worker waits for the next command before it parks the session; not at all "
           "while other sessions wait for a worker; ten times as long while a POP3 client works on "
           "its maildrop.",
           0, 60 * kSecond},
    Option{"service.*.listen", Type::list, "",
           "Where to listen: \"127.0.0.1:143\", \"[::1]:143\", \"*:143\" (all addresses), "
           "\"unix:/run/postern/lmtp\"."},
    Option{"service.*.login_timeout", Type::duration, "60s",
           "A connection that hasn't logged in after this time is ended; 0: never.", 0,
           3600 * kSecond},
    Option{"service.*.max_active_per_user", Type::integer, "10",
           "Sessions of one user that workers serve at the same time; more wait their turn.", 1,
           100000},
    Option{"service.*.max_connections", Type::integer, "100000", "Connections of this service.", 1,
           1000000},
    Option{"service.*.max_growth", Type::size, "64MiB",
           "A worker whose private memory grew by this is replaced; 0: never.", 0, INT64_MAX},
    Option{"service.*.max_per_address", Type::integer, "1000",
           "Connections of one address: IPv4 /32, IPv6 /64. Unix sockets and loopback are free.", 1,
           1000000},
    Option{"service.*.max_per_user", Type::integer, "200",
           "Sessions of one user; at the limit the user's oldest idle session is ended.", 1,
           1000000},
    Option{"service.*.max_pipelined", Type::integer, "100",
           "Commands that a session sends ahead and has served in one go; while others wait for a "
           "worker, the rest is served in its turn.",
           1, 1000000},
    Option{"service.*.max_sessions", Type::integer, "10000",
           "A worker is replaced after serving this many sessions; 0: never.", 0, INT64_MAX},
    Option{"service.*.max_spare", Type::integer, "8",
           "More idle workers than this are ended after a minute.", 1, 4096},
    Option{"service.*.max_workers", Type::integer, "200",
           "Workers of the pool; further sessions wait.", 1, 4000},
    Option{"service.*.min_spare", Type::integer, "4", "Idle workers that are kept ready.", 1, 4000},
    Option{"service.*.proxy_networks", Type::list, "",
           "Networks (\"192.0.2.0/24\", \"unix\") of load balancers whose PROXY header is awaited "
           "and believed."},
    Option{"service.*.socket_group", Type::text, "", "Group of the Unix sockets; empty leaves it."},
    Option{"service.*.socket_mode", Type::text, "0660", "Mode of the Unix sockets, octal."},
    Option{"service.*.tls", Type::text, "none",
           "none, starttls (where transportd runs) or implicit."},
    Option{"service.*.write_timeout", Type::duration, "1min",
           "A client that takes no octet of an answer for so long is cut off.", 1000,
           24LL * 3600 * 1000},
    Option{"sieve.address_book", Type::text, "",
           "Path of a user's address book with {user} in it, one address a line, for the external "
           "list :addrbook:default; empty: the one that postern sieve addresses keeps."},
    Option{"sieve.autocreate", Type::boolean, "false",
           "A mailbox of the user that fileinto names and that doesn't exist is made, also without "
           ":create."},
    Option{"sieve.autologout", Type::duration, "30min",
           "A silent ManageSieve session ends after this time (RFC 5804: 30 minutes at least).",
           1800 * kSecond, kDay},
    Option{"sieve.default_script", Type::text, "",
           "Path of the Sieve script for users without an active one; empty: none."},
    Option{"sieve.global_directory", Type::text, "",
           "Folder of the scripts that include :global finds, as NAME.sieve; empty: none."},
    Option{"sieve.list.*.file", Type::text, "", "External list of the site, one entry a line."},
    Option{"sieve.list.*.name", Type::text, "",
           "What scripts call the list, \"tag:example.org,2026:partners\"; empty: the name in *."},
    Option{"sieve.max_script_size", Type::size, "1MiB", "Largest Sieve script.", 1024, 16 << 20},
    Option{"sieve.max_scripts", Type::integer, "50", "Sieve scripts of one user.", 1, 10000},
    Option{"sieve.max_storage", Type::size, "10MiB", "All Sieve scripts of one user together.",
           1024, 1 << 30},
    Option{"sieve.program_directory", Type::text, "",
           "Folder of the programs that scripts may run with pipe; empty: none."},
    Option{"sieve.program_timeout", Type::duration, "10s",
           "A program that scripts run is killed after this time.", 100, 600 * kSecond},
    Option{"sieve.spamtest_field", Type::text, "",
           "Header field with the spam filter's score: \"X-Spam-Score\", or with an expression "
           "whose first group "
           "is the text that counts: \"X-Spam-Status: score=(-?[0-9.]+)\". Empty: spamtest knows "
           "nothing."},
    Option{
        "sieve.spamtest_form", Type::text, "number",
        "number (the first number of the text), marks (the length of its first word, \"****\") or "
        "words (see sieve.spamtest_words)."},
    Option{"sieve.spamtest_max", Type::text, "10",
           "The number or length that is certain, or a field where it stands, as in "
           "sieve.spamtest_field."},
    Option{
        "sieve.spamtest_words", Type::list, "",
        "\"GRADE=TEXT\" with grades from 1 (clean) to 10 (certain); any other text: not tested."},
    Option{"sieve.submission", Type::text, "",
           "Where mail that scripts send goes: \"smtp://127.0.0.1:25\", or \"sendmail:\" and the "
           "path of a command; empty: it can't be sent, and redirected mail is refused for now."},
    Option{
        "sieve.url", Type::text, "",
        "URL of the ManageSieve server that IMAP announces (IMAPSIEVE=); empty: this host's, if a "
        "service with managesieved is configured."},
    Option{"sieve.virustest_field", Type::text, "",
           "Header field with the virus scanner's verdict: \"X-Virus\", or with an expression "
           "whose first group "
           "is the text that counts: \"X-Virus-Status: ([A-Za-z]+)\". Empty: virustest knows "
           "nothing."},
    Option{
        "sieve.virustest_form", Type::text, "words",
        "number (the first number of the text), marks (the length of its first word, \"****\") or "
        "words (see sieve.virustest_words)."},
    Option{"sieve.virustest_max", Type::text, "5",
           "The number or length that is certain, or a field where it stands, as in "
           "sieve.virustest_field."},
    Option{"sieve.virustest_words", Type::list, "",
           "\"GRADE=TEXT\" with grades from 1 (clean) to 5 (certain); any other text: not tested."},
    Option{
        "sieve.webhooks", Type::list, "",
        "Prefixes of the URLs that notify may post to, \"https://hooks.example.org/mail/\"; empty: "
        "none."},
    Option{
        "start.*.command", Type::text, "",
        "Command that must end with success before the services start, in the order of the names."},
    Option{"store.expunge_keep", Type::duration, "7d",
           "How long the file of an expunged message is kept (undelete); never under an hour.",
           3600 * kSecond, 3650 * kDay},
    Option{"store.flush_interval", Type::duration, "1s",
           "Flag changes survive power loss after this time.", 0, 60 * kSecond},
    Option{"store.lock_timeout", Type::duration, "30s",
           "How long a change waits for the mailbox lock.", 100, 600 * kSecond},
    Option{"store.max_keywords", Type::integer, "4096",
           "Keywords that one mailbox may know; more are refused with NO [LIMIT].", 64, 65'000},
    Option{"store.shared_seen", Type::boolean, "false",
           "All users of a mailbox have the same \\Seen. Otherwise all but its owner have one of "
           "their own, and what they read stays unread for others."},
    Option{"store.stage_memory", Type::size, "64KiB",
           "A message being received is kept in memory up to this size, then in a file.", 0,
           1 << 30},
    Option{"store.strict_fsync", Type::boolean, "false",
           "Sync directories too: for file systems that don't write a new name together with its "
           "file, as ext4, xfs and btrfs do."},
    Option{"store.tombstone_keep", Type::duration, "30d",
           "How long the index remembers that a message was expunged (QRESYNC, parked views).",
           kDay, 3650 * kDay},
    Option{
        "tls.certificate.*.chain", Type::text, "",
        "PEM file: the certificate, then its issuers. The first name in alphabetical order serves "
        "clients that name no host."},
    Option{"tls.certificate.*.key", Type::text, "",
           "PEM file of its private key, without a password."},
    Option{"tls.certificate.*.names", Type::list, "",
           "Host names (SNI) that this certificate serves; *.example.org is allowed."},
    Option{"tls.certificate.*.ocsp", Type::text, "", "DER file of an OCSP response to staple."},
    Option{"tls.chroot", Type::text, "/run/postern/empty",
           "Empty directory that becomes the root of transportd, when started as root."},
    Option{"tls.ciphers", Type::text, "",
           "OpenSSL cipher list for TLS 1.2; empty: Mozilla's intermediate recommendation."},
    Option{"tls.client_ca", Type::text, "",
           "PEM file: clients may show certificates that one of these has signed (SASL EXTERNAL)."},
    Option{"tls.handshake_timeout", Type::duration, "30s",
           "A handshake that takes longer ends the connection; and so does a client that takes "
           "nothing for so long of what a session left when it ended.",
           1 * kSecond, 600 * kSecond},
    Option{"tls.processes", Type::integer, "0", "transportd processes; 0: one for each processor.",
           0, 64},
    Option{"tls.ticket_rotation", Type::duration, "12h",
           "Session tickets get a new key after this time; the two keys before it are still "
           "accepted.",
           1 * kSecond, 7 * 24 * 3600 * kSecond},
    Option{"tls.tls12", Type::boolean, "true", "Accept TLS 1.2 besides 1.3."},
    Option{"tls.user", Type::text, "postern-transport",
           "System user of transportd when started as root."},
};

}  // namespace

std::span<const Option> options() { return kOptions; }

}  // namespace postern::config
