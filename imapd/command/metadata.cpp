// Annotations of mailboxes and of the server: GETMETADATA, SETMETADATA (RFC 5464 §4).
#include <algorithm>

#include "imapd/command/commands.h"
#include "imapd/grammar.h"
#include "imapd/responder.h"
#include "imapd/special_use.h"
#include "lib/base/change_board.h"
#include "lib/base/text.h"
#include "lib/log/log.h"

namespace postern::imap {
namespace {

using meta::Right;

constexpr std::string_view kShared = "/shared/";
constexpr std::string_view kPrivate = "/private/";
constexpr std::string_view kVendor = "vendor/";
constexpr std::string_view kAdmin = "/shared/admin";
constexpr std::string_view kScript = "/shared/imapsieve/";

// RFC 5464 §3.2: at least two components, under vendor/ at least four.
bool has_enough_components(std::string_view name) {
  const auto slash = name.find('/', 1);
  if (slash == std::string_view::npos) return false;
  const std::string_view rest = name.substr(slash + 1);
  if (rest != "vendor" && !rest.starts_with(kVendor)) return !rest.empty();
  return std::ranges::count(rest, '/') >= 2;
}

// entry = astring; slash-separated, without "*" and "%". Names have no case; lower case is kept.
Result<std::string> parse_entry(Cursor& in) {
  const std::string name = to_lower(TRY(parse_astring(in)));
  const bool clean = std::ranges::none_of(name, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet >= 0x7F || c == '*' || c == '%';
  });
  const std::string scope = name + '/';  // "/shared" alone is the root of all shared ones
  if (!clean || name.size() > 1000 || name.ends_with('/') || name.find("//") != std::string::npos ||
      (!scope.starts_with(kShared) && !scope.starts_with(kPrivate)))
    return in.expected("the name of an annotation before this");
  return name;
}

// getmetadata-option = "MAXSIZE" SP number / "DEPTH" SP ("0" / "1" / "infinity")
Result<void> parse_option(Cursor& in, GetMetadata::Request& request) {
  if (in.take_word("MAXSIZE")) {
    TRY(in.space());
    request.max_size = TRY(parse_number64(in));
    return {};
  }
  if (!in.take_word("DEPTH")) return in.expected("MAXSIZE or DEPTH");
  TRY(in.space());
  if (in.take_word("infinity"))
    request.depth = GetMetadata::Depth::infinity;
  else if (in.take_word("1"))
    request.depth = GetMetadata::Depth::children;
  else if (in.take_word("0"))
    request.depth = GetMetadata::Depth::self;
  else
    return in.expected("0, 1 or infinity");
  return {};
}

// The ABNF has the options before the mailbox, the RFC's examples behind it: both are taken.
Result<bool> take_options(Cursor& in, GetMetadata::Request& request) {
  const std::string_view rest = in.rest();
  if (rest.size() < 2 || rest[0] != '(' || !ascii_alpha(rest[1])) return false;
  TRY(in.expect('('));
  do {
    TRY(parse_option(in, request));
  } while (in.take(' '));
  TRY(in.expect(')'));
  TRY(in.space());
  return true;
}

// value = nstring / literal8
Result<meta::AnnotationChange> parse_entry_value(Cursor& in) {
  meta::AnnotationChange change;
  change.entry = TRY(parse_entry(in));
  TRY(in.space());
  change.value = TRY(parse_nstring(in));
  return change;
}

// RFC 5464 §3.3: with l any one of these rights is needed; an administrator needs none.
Result<meta::MailboxEntry> annotatable(Context& ctx, std::string_view client_name,
                                       meta::Rights any_of) {
  if (client_name.empty()) return meta::MailboxEntry();
  const auto found = TRY(ctx.find(client_name));
  if (!ctx.conn.who.admin && (found.rights.bits() & any_of.bits()) == 0)
    return fail(Errc::no_permission, "annotations of {}", found.entry.name.text());
  return found.entry;
}

constexpr meta::Rights kMayAnnotate =
    Right::read | Right::seen | Right::write | Right::insert | Right::post;

// Who may set what, beyond what the RFC asks for: a mere reader writes nothing that others see, and
// scripts run with the rights of the mailbox's owner. A special use is the mailbox's, for all.
meta::Rights rights_to_set(const std::vector<meta::AnnotationChange>& changes) {
  meta::Rights needed = kMayAnnotate;
  for (const auto& change : changes) {
    if (change.entry.starts_with(kScript) || change.entry == kSpecialUseEntry)
      return Right::administer;
    if (change.entry.starts_with(kShared))
      needed = Right::write | Right::annotate | Right::administer;
  }
  return needed;
}

Result<void> check_server_entry(const Context& ctx, const meta::AnnotationChange& change) {
  if (change.entry == kAdmin)
    return fail(Errc::no_permission, "{} comes from server.admin_contact", kAdmin);
  if (!ctx.conn.who.admin && change.entry.starts_with(kShared))
    return fail(Errc::no_permission, "the server's annotations are the administrators'");
  return {};
}

// RFC 6154 §4: the entry is the mailbox's list of special uses, in any order, or NIL.
Result<std::string> special_uses_in(Context& ctx, const meta::AnnotationChange& change) {
  std::vector<std::string> uses;
  const std::string value = change.value.value_or("");
  for (const std::string_view use : split(value, ' '))
    if (!use.empty()) uses.emplace_back(use);
  return known_special_uses(ctx, uses);
}

bool is_wanted(std::string_view entry, std::string_view asked, GetMetadata::Depth depth) {
  if (entry == asked) return true;
  if (depth == GetMetadata::Depth::self || entry.size() <= asked.size() ||
      !entry.starts_with(asked) || entry[asked.size()] != '/')
    return false;
  return depth == GetMetadata::Depth::infinity ||
         entry.find('/', asked.size() + 1) == std::string_view::npos;
}

void append_value(std::string& out, const std::optional<std::string>& value, bool utf8) {
  if (!value) {
    out += "NIL";
  } else if (value->find('\0') != std::string::npos) {
    out += fmt::format("~{{{}}}\r\n{}", value->size(), *value);
  } else {
    append_string(out, *value, utf8);
  }
}

std::string quoted_or_atom(std::string_view text, bool utf8) {
  if (!text.empty() && std::ranges::all_of(text, is_atom_char)) return std::string(text);
  std::string out;
  append_string(out, text, utf8);
  return out;
}

std::string wire_name_or_server(const Context& ctx, const meta::MailboxName& mailbox) {
  return mailbox.empty() ? "\"\"" : ctx.wire_name(mailbox);
}

}  // namespace

// getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries
Result<GetMetadata::Request> GetMetadata::parse(Cursor& in) {
  Request request;
  TRY(in.space());
  const bool had_options = TRY(take_options(in, request));
  request.mailbox = TRY(parse_mailbox(in));
  TRY(in.space());
  if (!had_options) TRY(take_options(in, request));
  if (in.peek() == '(')
    request.entries = TRY(parenthesized(in, parse_entry));
  else
    request.entries.push_back(TRY(parse_entry(in)));
  return request;
}

Result<GetMetadata::Plan> GetMetadata::plan(const Request& request, Context& ctx) {
  Plan plan;
  const auto mailbox = TRY(annotatable(ctx, request.mailbox, kMayAnnotate));
  plan.mailbox = mailbox.name;
  auto all = TRY(ctx.back.meta.annotations(plan.mailbox, ctx.conn.who.user));
  if (!mailbox.special_use.empty())
    all.push_back({{}, {}, std::string(kSpecialUseEntry), mailbox.special_use});
  if (plan.mailbox.empty() && !ctx.back.options.admin_contact.empty())
    all.push_back({{}, {}, std::string(kAdmin), ctx.back.options.admin_contact});
  for (const std::string& asked : request.entries) {
    bool found = false;
    for (const meta::Annotation& one : all) {
      if (!is_wanted(one.entry, asked, request.depth)) continue;
      found = true;
      if (request.max_size && one.value.size() > *request.max_size)
        plan.longest = std::max<std::uint64_t>(plan.longest, one.value.size());
      else
        plan.found.emplace_back(one.entry, one.value);
    }
    // What was asked for by its name is told to be nothing.
    if (!found && request.depth == Depth::self) plan.found.emplace_back(asked, std::nullopt);
  }
  return plan;
}

void GetMetadata::respond(const Plan& plan, Context& ctx) {
  const bool utf8 = ctx.conn.has(enabled::utf8);
  std::string list;
  for (const auto& [entry, value] : plan.found) {
    if (!list.empty()) list += ' ';
    list += quoted_or_atom(entry, utf8) + ' ';
    append_value(list, value, utf8);
  }
  if (!list.empty())
    ctx.out.untagged("METADATA ", wire_name_or_server(ctx, plan.mailbox), " (", list, ")");
  if (plan.longest > 0) ctx.out.code(fmt::format("METADATA LONGENTRIES {}", plan.longest));
}

// setmetadata = "SETMETADATA" SP mailbox SP entry-values
Result<SetMetadata::Request> SetMetadata::parse(Cursor& in) {
  Request request;
  TRY(in.space());
  request.mailbox = TRY(parse_mailbox(in));
  TRY(in.space());
  request.changes = TRY(parenthesized(in, parse_entry_value));
  return request;
}

Result<SetMetadata::Plan> SetMetadata::plan(const Request& request, Context& ctx) {
  if (ctx.conn.who.anonymous) return fail(Errc::no_permission, "anonymous sets nothing");
  Plan plan;
  plan.mailbox = TRY(annotatable(ctx, request.mailbox, rights_to_set(request.changes))).name;
  for (const meta::AnnotationChange& change : request.changes)
    if (change.entry == kSpecialUseEntry && !plan.mailbox.empty())
      plan.special_use = TRY(special_uses_in(ctx, change));
    else
      plan.changes.push_back(change);
  for (meta::AnnotationChange& change : plan.changes) {
    if (plan.mailbox.empty()) TRY(check_server_entry(ctx, change));
    if (!has_enough_components(change.entry))
      return fail(Errc::not_supported, "{} is no entry that can have a value", change.entry);
    if (change.value && change.value->size() > ctx.back.options.metadata_max_size) {
      ctx.out.code(fmt::format("METADATA MAXSIZE {}", ctx.back.options.metadata_max_size));
      return fail(Errc::too_big, "{} octets", change.value->size());
    }
    if (change.entry.starts_with(kPrivate)) change.user = ctx.conn.who.user;
  }
  return plan;
}

Result<void> SetMetadata::execute(const Plan& plan, Context& ctx) {
  const auto set = ctx.back.meta.set_annotations(plan.mailbox, plan.changes,
                                                 ctx.back.options.metadata_max_entries);
  if (!set && set.error().code == Errc::limit) ctx.out.code("METADATA TOOMANY");
  TRY(set);
  if (plan.special_use) TRY(ctx.back.meta.set_special_use(plan.mailbox, *plan.special_use));
  ctx.runtime.board().bump(ChangeBoard::annotations_slot(), ModSeq(0));
  std::string entries;
  if (plan.special_use) entries = kSpecialUseEntry;
  for (const auto& change : plan.changes) entries += (entries.empty() ? "" : " ") + change.entry;
  LOG(notice, "mailbox.annotate", {"conn", ctx.facts.session_id},
      {"user", ctx.conn.who.user.text()}, {"mailbox", plan.mailbox.text()}, {"entries", entries});
  return {};
}

}  // namespace postern::imap
