// What a script decided: plain values, in order, without effects. Delivery carries them out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace postern::sieve {

/// Where a copy of generated mail is filed (RFC 8580), and how fileinto finds its mailbox.
struct Target {
  std::string mailbox;      // UTF-8 as the script wrote it
  bool create = false;      // RFC 5490 §3.2: make it if it doesn't exist
  std::string mailbox_id;   // RFC 9042 §3: preferred if such a mailbox exists
  std::string special_use;  // RFC 8579 §4: preferred if such a mailbox exists, e.g. "\\Junk"
  std::vector<std::string> flags;
};

struct Keep {
  bool implicit = false;
  std::vector<std::string> flags;
};

struct FileInto {
  Target target;
  bool copy = false;
};

struct Discard {};

/// DSN and deliver-by parameters of a redirected message (RFC 6009 §5, §6).
struct RedirectOptions {
  std::string notify;                      // "NEVER", or SUCCESS, FAILURE, DELAY joined by commas
  std::string ret;                         // "FULL" or "HDRS"
  std::optional<std::int64_t> deliver_by;  // seconds from now; may be negative
  char by_mode = 'R';                      // 'N' or 'R' (RFC 2852 §4)
  bool by_trace = false;
};

struct Redirect {
  std::string address;
  bool copy = false;
  RedirectOptions options;
};

struct Reject {
  std::string reason;     // UTF-8
  bool extended = false;  // ereject: refuse in the protocol if at all possible
};

struct Vacation {
  std::string to;    // the envelope sender, to whom the reply goes
  std::string from;  // the From field: :from, or the address that the mail was sent to
  std::string subject;
  std::string reason;
  bool mime = false;         // reason is a MIME entity with its header
  std::string handle;        // what identifies this response for tracking (RFC 5230 §4.2)
  std::int64_t seconds = 0;  // no second reply to `to` with this handle for so long
  std::string in_reply_to;   // Message-ID of the message, or empty
  std::string references;
  std::optional<Target> fcc;
};

struct Notify {
  std::string method;  // a URI
  std::string from;
  int importance = 2;  // 1 urgent, 2 normal, 3 low
  std::vector<std::string> options;
  std::string message;         // without :message a text that names sender and subject
  bool message_given = false;  // :message was there
  std::string subject;         // of the message that this is about
  std::optional<Target> fcc;
};

struct Pipe {
  std::string program;  // a name in the administrator's directory, never a path
  std::vector<std::string> arguments;
  bool copy = false;
  bool try_ = false;  // failure is no error
};

struct Snooze {
  Target target;                   // mailbox may be empty: INBOX
  std::int64_t until = 0;          // seconds since 1970 UTC
  std::vector<std::string> flags;  // while it sleeps
  std::vector<std::string> add_flags;
  std::vector<std::string> remove_flags;
};

// The edits below are already in the message versions of the Outcome; they are listed so that a
// reader of the result sees what happened.
struct AddHeader {
  std::string name;
  std::string value;
  bool last = false;
};
struct DeleteHeader {
  std::string name;
  std::size_t count = 0;
};
struct Replace {
  std::string part;  // "1.2", or "" for the whole message
};
struct Enclose {
  std::string subject;
};

struct LogLine {
  std::string text;
};

using Action = std::variant<Keep, FileInto, Discard, Redirect, Reject, Vacation, Notify, Pipe,
                            Snooze, AddHeader, DeleteHeader, Replace, Enclose, LogLine>;

struct Step {
  Action action;
  std::uint32_t line = 0;   // of the statement; 0 for the implicit keep
  std::size_t version = 0;  // index into Outcome::versions: the message that it means
};

/// To be noted once the delivery is committed (RFC 7352 §3).
struct DuplicateMark {
  std::string handle;
  std::string unique_id;
  std::int64_t seconds = 0;
  bool last = false;
  bool seen = false;  // it was already there; with `last` its time starts anew
};

struct RunError {
  std::string text;
  std::string script;  // ":personal NAME" or ":global NAME" of an included script, else empty
  std::uint32_t line = 0;
};

/// The end of a run. With an error the actions are one implicit keep of the message as received.
struct Outcome {
  std::vector<Step> actions;
  /// Octets of the message in its versions; [0] is empty and means: as received.
  std::vector<std::string> versions{std::string()};
  std::vector<DuplicateMark> marks;
  std::vector<std::string> notes;  // why an action was left out, for the log
  std::optional<RunError> error;
  std::uint64_t steps = 0;
};

}  // namespace postern::sieve
