// The command classes; each has its steps in the file of its name. See command.h for what the
// steps are, table.cpp for when each is legal.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "imapd/command/command.h"
#include "imapd/fetch_item.h"
#include "imapd/number_set.h"
#include "imapd/search_grammar.h"
#include "imapd/status_items.h"
#include "lib/auth/secret.h"
#include "lib/store/mailbox.h"
#include "lib/store/store.h"

namespace postern::imap {

// Any state.

struct Capability {
  static void respond(const Nothing&, Context&);
};

struct Noop {  // and CHECK
  static void respond(const Nothing&, Context&);
};

struct Logout {
  static Completion respond(const Nothing&, Context&);
};

struct Id {
  struct Request {
    std::vector<std::pair<std::string, std::string>> fields;
  };
  static Result<Request> parse(Cursor& in);
  static void respond(const Request&, Context&);
};

// Not authenticated (login.cpp).

struct Login {
  struct Request {
    std::string user;
    auth::Secret password;
  };
  static Result<Request> parse(Cursor& in);
  static Completion respond(const Request&, Context&);
};

struct Authenticate {
  struct Request {
    std::string mechanism;
    std::optional<auth::Secret> initial;
  };
  static Result<Request> parse(Cursor& in);
  static Completion respond(const Request&, Context&);
};

struct StartTls {
  static Result<void> plan(const Nothing&, Context&);
  static Completion respond(const Nothing&, Context&);
};

// Authenticated.

struct Enable {
  struct Request {
    std::vector<std::string> names;
  };
  static Result<Request> parse(Cursor& in);
  static void respond(const Request&, Context&);
};

struct Compress {
  struct Request {
    std::string mechanism;
  };
  static Result<Request> parse(Cursor& in);
  static Result<void> plan(const Request&, Context&);
  static Completion respond(const Request&, Context&);
};

struct Namespace {
  static void respond(const Nothing&, Context&);
};

struct Idle {
  static Completion respond(const Nothing&, Context&);
};

/// What a client that comes back knows (RFC 7162 §3.2.5).
struct Resync {
  UidValidity uidvalidity;
  ModSeq since;
  std::optional<NumberSet> known;
};
struct SelectRequest {
  std::string mailbox;
  bool condstore = false;
  std::optional<Resync> resync;
};
Result<SelectRequest> parse_select(Cursor& in);

struct Select {
  static Result<SelectRequest> parse(Cursor& in) { return parse_select(in); }
  static Result<void> plan(const SelectRequest&, Context&);
  static Result<void> execute(const SelectRequest&, Context&);
  static Completion respond(const SelectRequest&, Context&);
};
struct Examine : Select {
  static Result<void> execute(const SelectRequest&, Context&);
};

/// One message of an APPEND; its octets are in Context::staged.
struct AppendMessage {
  store::NamedFlags flags;
  std::optional<std::int64_t> internal_date;  // seconds UTC; nothing: now
  std::int16_t zone = 0;
  std::uint64_t size = 0;
  bool in_parentheses = false;
};

struct Append {
  struct Request {
    std::string mailbox;
    std::vector<AppendMessage> messages;
  };
  struct Plan {
    meta::MailboxEntry destination;
    std::vector<AppendMessage> messages;
    std::vector<store::Appended> appended;
  };
  static LiteralVerdict literal(Context&, Cursor& in, const LiteralHead& head);
  static Result<Request> parse(Cursor& in);
  static Result<Plan> plan(const Request&, Context&);
  static Result<void> execute(Plan&, Context&);
  static void respond(const Plan&, Context&);
};

// Mailbox names (mailbox_names.cpp).

struct Create {
  struct Request {
    std::string mailbox;
    std::vector<std::string> uses;
  };
  struct Plan {
    meta::MailboxName name;
    std::string special_use;
  };
  static Result<Request> parse(Cursor& in);
  static Result<Plan> plan(const Request&, Context&);
  static Result<meta::MailboxEntry> execute(const Plan&, Context&);
  static void respond(const meta::MailboxEntry&, Context&);
};

struct Delete {
  struct Request {
    std::string mailbox;
  };
  struct Plan {
    std::vector<meta::MailboxEntry> doomed;  // inferiors first
  };
  static Result<Request> parse(Cursor& in);
  static Result<Plan> plan(const Request&, Context&);
  static Result<void> execute(const Plan&, Context&);
};

struct Rename {
  struct Request {
    std::string from, to;
  };
  struct Plan {
    meta::MailboxName from, to;
  };
  static Result<Request> parse(Cursor& in);
  static Result<Plan> plan(const Request&, Context&);
  static Result<std::vector<meta::Renamed>> execute(const Plan&, Context&);
  static void respond(const std::vector<meta::Renamed>&, Context&);
};

struct Subscribe {
  struct Request {
    std::string mailbox;
  };
  static Result<Request> parse(Cursor& in);
  static Result<std::string> plan(const Request&, Context&);
  static Result<void> execute(const std::string& name, Context&);
};
struct Unsubscribe : Subscribe {
  static Result<std::string> plan(const Request&, Context&);
  static Result<void> execute(const std::string& name, Context&);
};

struct List {
  struct Request {
    std::string reference;
    std::vector<std::string> patterns;
    bool extended = false;
    bool only_subscribed = false;
    bool only_special = false;
    bool recursive = false;
    bool return_subscribed = false;
    bool return_rights = false;
    std::vector<StatusItem> status;
  };
  static Result<Request> parse(Cursor& in);
  static Result<void> respond(const Request&, Context&);
};

struct Lsub {
  struct Request {
    std::string reference, pattern;
  };
  static Result<Request> parse(Cursor& in);
  static Result<void> respond(const Request&, Context&);
};

struct Status {
  struct Request {
    std::string mailbox;
    std::vector<StatusItem> items;
  };
  struct Plan {
    meta::MailboxEntry entry;
    std::vector<StatusItem> items;
  };
  static Result<Request> parse(Cursor& in);
  static Result<Plan> plan(const Request&, Context&);
  static Result<void> respond(const Plan&, Context&);
};

// Access control (acl.cpp).

struct AclChange {
  meta::MailboxName mailbox;
  std::string identifier;
  meta::Rights rights;  // after the change; empty removes the line
};

struct SetAcl {
  struct Request {
    std::string mailbox, identifier;
    char mode = '=';  // '+', '-', or '=' for "exactly these"
    meta::Rights rights;
  };
  static Result<Request> parse(Cursor& in);
  static Result<AclChange> plan(const Request&, Context&);
  static Result<void> execute(const AclChange&, Context&);
};

struct DeleteAcl {
  struct Request {
    std::string mailbox, identifier;
  };
  static Result<Request> parse(Cursor& in);
  static Result<AclChange> plan(const Request&, Context&);
  static Result<void> execute(const AclChange& change, Context& ctx) {
    return SetAcl::execute(change, ctx);
  }
};

struct GetAcl {
  struct Request {
    std::string mailbox;
  };
  static Result<Request> parse(Cursor& in);
  static Result<Found> plan(const Request&, Context&);
  static void respond(const Found&, Context&);
};

struct MyRights : GetAcl {
  static Result<Found> plan(const Request&, Context&);
  static void respond(const Found&, Context&);
};

struct ListRights {
  using Request = DeleteAcl::Request;
  struct Plan {
    meta::MailboxEntry entry;
    std::string identifier;
  };
  static Result<Request> parse(Cursor& in);
  static Result<Plan> plan(const Request&, Context&);
  static void respond(const Plan&, Context&);
};

// Quota (quota.cpp).

struct GetQuota {
  struct Request {
    std::string mailbox;
  };
  static Result<Request> parse(Cursor& in);
  static Result<meta::QuotaRoot> plan(const Request&, Context&);
  static void respond(const meta::QuotaRoot&, Context&);
};

struct GetQuotaRoot {
  using Request = GetQuota::Request;
  struct Plan {
    meta::MailboxName mailbox;
    std::optional<meta::QuotaRoot> quota;
  };
  static Result<Request> parse(Cursor& in) { return GetQuota::parse(in); }
  static Result<Plan> plan(const Request&, Context&);
  static void respond(const Plan&, Context&);
};

struct SetQuota {
  struct Request {
    std::string root;
    std::vector<meta::QuotaResource> limits;
  };
  struct Plan {
    meta::MailboxName root;
    std::vector<meta::QuotaResource> limits;
  };
  static Result<Request> parse(Cursor& in);
  static Result<Plan> plan(const Request&, Context&);
  static Result<meta::QuotaRoot> execute(const Plan&, Context&);
  static void respond(const meta::QuotaRoot&, Context&);
};

// Annotations (metadata.cpp).

struct GetMetadata {
  enum class Depth : std::uint8_t { self, children, infinity };
  struct Request {
    std::string mailbox;  // empty: the server
    std::vector<std::string> entries;
    std::optional<std::uint64_t> max_size;  // octets of a value
    Depth depth = Depth::self;
  };
  struct Plan {
    meta::MailboxName mailbox;
    std::vector<std::pair<std::string, std::optional<std::string>>> found;
    std::uint64_t longest = 0;  // of the values that were over max_size
  };
  static Result<Request> parse(Cursor& in);
  static Result<Plan> plan(const Request&, Context&);
  static void respond(const Plan&, Context&);
};

struct SetMetadata {
  struct Request {
    std::string mailbox;
    std::vector<meta::AnnotationChange> changes;
  };
  struct Plan {
    meta::MailboxName mailbox;
    std::vector<meta::AnnotationChange> changes;
    std::optional<std::string> special_use;  // tied to an entry of its own
  };
  static Result<Request> parse(Cursor& in);
  static Result<Plan> plan(const Request&, Context&);
  static Result<void> execute(const Plan&, Context&);
};

// Selected.

struct Close {
  static Result<void> execute(const Nothing&, Context&);
  static void respond(const Nothing&, Context&);
};
struct Unselect {
  static void respond(const Nothing&, Context&);
};

struct Expunge {
  struct Request {
    std::optional<NumberSet> only;
  };
  struct Plan {
    std::vector<NumberRange> ranges;
    Form form;
  };
  static Result<Request> parse(Cursor& in, Form form);
  static Result<Plan> plan(const Request&, Context&);
  static Result<store::Mailbox::Expunged> execute(const Plan&, Context&);
  static Result<void> respond(const store::Mailbox::Expunged&, Context&);
};
void log_expunge(const Context& ctx, const store::Mailbox::Expunged& gone);

struct StoreFlags {
  struct Request {
    NumberSet set;
    Form form = Form::plain;
    store::FlagChange change;
    bool silent = false;
  };
  struct Plan {
    std::vector<NumberRange> ranges;
    Form form;
    store::FlagChange change;
    bool silent;
    meta::Rights lacking;  // FLAGS replaces, but these rights are not there
    store::FlagsStored stored;
  };
  static Result<Request> parse(Cursor& in, Form form);
  static Result<Plan> plan(const Request&, Context&);
  static Result<void> execute(Plan&, Context&);
  static Completion respond(const Plan&, Context&);

 private:
  static Result<store::FlagsStored> replace_permitted(const Plan& plan,
                                                      const std::vector<store::RecNo>& records,
                                                      Context& ctx);
};

struct Fetch {
  struct Request {
    NumberSet set;
    Form form = Form::plain;
    std::vector<FetchItem> items;
    std::optional<ModSeq> changed_since;
    bool vanished = false;
  };
  struct Plan {
    std::vector<NumberRange> ranges;
    Form form;
    std::vector<FetchItem> items;
    std::optional<ModSeq> changed_since;
    std::vector<NumberRange> known;  // with VANISHED: the uids of which expunges are told
  };
  static Result<Request> parse(Cursor& in, Form form);
  static Result<Plan> plan(const Request&, Context&);
  static Result<void> respond(const Plan&, Context&);
};

struct Search {
  // What RETURN asks for (RFC 4731 §3.1, RFC 5182 §2).
  static constexpr std::uint32_t kExtended = 1, kMin = 2, kMax = 4, kAll = 8, kCount = 16,
                                 kSave = 32;
  struct Request {
    SearchProgram program;
    Form form = Form::plain;
    std::uint32_t returns = 0;
  };
  struct Plan {
    search::Key key;
    Form form;
    std::uint32_t returns;
  };
  struct Found {
    std::vector<std::uint32_t> numbers;  // ascending; uids for Form::uid
    std::vector<Uid> uids;
    Form form;
    std::uint32_t returns;
    std::optional<ModSeq> modseq;  // if the program asks about modseqs (RFC 4731 §3.2)
  };
  static Result<Request> parse(Cursor& in, Form form);
  static Result<Plan> plan(const Request&, Context&);
  static Result<Found> execute(const Plan&, Context&);
  static void respond(const Found&, Context&);
};

struct CopyRequest {
  NumberSet set;
  Form form = Form::plain;
  std::string mailbox;
};
struct CopyPlan {
  std::vector<NumberRange> ranges;
  Form form;
  meta::MailboxEntry destination;
  store::CarriedFlags carried;
  store::Copied copied;
};
Result<CopyRequest> parse_copy(Cursor& in, Form form);

struct Copy {
  static Result<CopyRequest> parse(Cursor& in, Form form) { return parse_copy(in, form); }
  static Result<CopyPlan> plan(const CopyRequest&, Context&);
  static Result<void> execute(CopyPlan&, Context&);
  static void respond(const CopyPlan&, Context&);
};
struct Move {
  static Result<CopyRequest> parse(Cursor& in, Form form) { return parse_copy(in, form); }
  static Result<CopyPlan> plan(const CopyRequest&, Context&);
  static Result<void> execute(CopyPlan&, Context&);
  static Result<void> respond(const CopyPlan&, Context&);
};

}  // namespace postern::imap
