// APPEND (RFC 9051 §6.3.12), several messages at once (RFC 3502), binary ones (RFC 3516 §4.4) and
// those with UTF-8 headers (RFC 6855 §4). Mailbox, rights and size are checked before the client
// is asked for a message's octets; these go straight to the store.
#include <array>

#include "imapd/command/commands.h"
#include "imapd/event_run.h"
#include "imapd/flag_text.h"
#include "imapd/grammar.h"
#include "lib/base/clock.h"
#include "lib/log/log.h"
#include "lib/mime/header.h"

namespace postern::imap {
namespace {

using meta::Right;

constexpr std::size_t kMostMessages = 1000;  // of one APPEND

// The head of a message's literal. In the prefix that a LiteralHook sees it is the last thing.
Result<LiteralHead> parse_message_head(Cursor& in) {
  LiteralHead head;
  head.binary = in.take('~');
  TRY(in.expect('{'));
  head.size = TRY(parse_number64(in));
  head.synchronizing = !in.take('+');
  TRY(in.expect('}'));
  return head;
}

// append-message = append-opts SP append-data; append-opts = [SP flag-list] [SP date-time]
// append-data = literal / literal8 / "UTF8" SP "(" literal8 ")"
Result<AppendMessage> parse_message(Cursor& in) {
  AppendMessage message;
  TRY(in.space());
  if (in.peek() == '(') {
    message.flags = TRY(parse_flag_list(in));
    TRY(in.space());
  }
  if (in.peek() == '"') {
    const auto when = TRY(parse_date_time(in));
    message.internal_date = when.utc_seconds;
    message.zone = when.zone_minutes;
    TRY(in.space());
  }
  if (in.take_word("UTF8")) {
    TRY(in.space());
    TRY(in.expect('('));
    message.in_parentheses = true;
  }
  message.size = TRY(parse_message_head(in)).size;
  return message;
}

// What comes behind a message's octets.
Result<void> parse_after_message(Cursor& in, const AppendMessage& message) {
  if (!in.take_text("\r\n")) return in.expected("a message");
  if (message.in_parentheses) TRY(in.expect(')'));
  return {};
}

Result<Found> find_destination(Context& ctx, std::string_view name) {
  auto found = ctx.find_with(name, Right::insert);
  if (!found && found.error().code == Errc::no_such_mailbox) ctx.out.code("TRYCREATE");
  return found;
}

// What is over the quota for certain is refused before its octets come; the commit decides finally.
Result<void> check_quota(Context& ctx, const meta::MailboxName& name, std::uint64_t octets) {
  std::uint64_t messages = 1;
  for (const store::Staged& before : ctx.staged) {
    octets += before.size();
    ++messages;
  }
  const auto root = TRY(ctx.back.meta.quota_root_of(name));
  if (!root) return {};
  for (const meta::QuotaResource& resource : root->resources) {
    const bool storage = resource.resource == meta::Resource::storage;
    const std::uint64_t more = storage                                        ? octets
                               : resource.resource == meta::Resource::message ? messages
                                                                              : 0;
    if (more > 0 && resource.limit && resource.usage + more > *resource.limit)
      return fail(Errc::over_quota, "{} more for {}", more, root->root.text());
  }
  return {};
}

LiteralVerdict refuse(Error error) { return {LiteralVerdict::Kind::refuse, {}, std::move(error)}; }

// NUL in a literal that isn't a literal8 is BAD (RFC 9051 §9, CHAR8).
net::Sink sink_for(store::Staged& staged, bool binary) {
  return [&staged, binary](std::string_view bytes) -> Result<void> {
    if (!binary && bytes.find('\0') != std::string_view::npos)
      return fail(Errc::bad_syntax, "NUL in a message; send it as literal8");
    return staged.add(bytes);
  };
}

// RFC 4314 §4: flags that the client has no right to set are left out.
void drop_forbidden(store::NamedFlags& flags, meta::Rights rights) {
  const store::CarriedFlags settable = settable_flags(rights);
  flags.system &= settable.system;
  if (!settable.keywords) flags.keywords.clear();
}

std::string message_id_of(store::Staged& message) {
  constexpr std::size_t kLongestHeader = 64 << 10;
  constexpr std::array<std::string_view, 1> kName{"message-id"};
  const auto text = message.bytes();
  if (!text) return {};
  const std::string field =
      mime::header_fields(text->substr(0, kLongestHeader), kName, mime::FieldSelector::Show::named);
  const auto ids = mime::message_ids(std::string_view(field).substr(field.find(':') + 1));
  return ids.empty() ? std::string() : ids.front();
}

void log_appended(Context& ctx, const Append::Plan& plan) {
  for (std::size_t i = 0; i < plan.appended.size(); ++i)
    LOG(notice, "mailbox.append", {"conn", ctx.facts.session_id},
        {"user", ctx.conn.who.user.text()}, {"mailbox", plan.destination.name.text()},
        {"uidvalidity", plan.appended[i].uidvalidity}, {"uid", plan.appended[i].uid},
        {"guid", plan.appended[i].guid.hex()}, {"message_id", message_id_of(ctx.staged[i])},
        {"size", ctx.staged[i].size()});
}

}  // namespace

LiteralVerdict Append::literal(Context& ctx, Cursor& in, const LiteralHead& head) {
  // Until the mailbox is known, a literal is the mailbox's name.
  if (!in.space()) return {};
  const auto mailbox = parse_mailbox(in);
  if (!mailbox) return {};
  for (std::size_t i = 0; i < ctx.staged.size(); ++i) {
    const auto message = parse_message(in);
    if (!message || !parse_after_message(in, *message)) return {};
  }
  if (const auto message = parse_message(in); !message) return refuse(message.error());
  // RFC 7889 §4: the limit that APPENDLIMIT announces.
  if (head.size > ctx.back.options.append_limit)
    return refuse(fail(Errc::too_big, "{} octets", head.size));
  auto found = find_destination(ctx, *mailbox);
  if (!found) return refuse(std::move(found).error());
  if (auto fits = check_quota(ctx, found->entry.name, head.size); !fits)
    return refuse(std::move(fits).error());
  if (ctx.staged.size() == kMostMessages) return refuse(fail(Errc::limit, "messages"));
  ctx.staged.push_back(ctx.back.store.stage());
  return {LiteralVerdict::Kind::hold, sink_for(ctx.staged.back(), head.binary), {}};
}

// append = "APPEND" SP mailbox 1*append-message
Result<Append::Request> Append::parse(Cursor& in) {
  Request request;
  TRY(in.space());
  request.mailbox = TRY(parse_mailbox(in));
  do {
    auto message = TRY(parse_message(in));
    TRY(parse_after_message(in, message));
    request.messages.push_back(std::move(message));
  } while (!in.at_end());
  return request;
}

Result<Append::Plan> Append::plan(const Request& request, Context& ctx) {
  if (request.messages.size() != ctx.staged.size())
    return fail(Errc::bad_syntax, "a message is missing");
  auto found = TRY(find_destination(ctx, request.mailbox));
  Plan plan{std::move(found.entry), request.messages, {}};
  for (AppendMessage& message : plan.messages) {
    // So a client cancels an APPEND that it has begun: RFC 3502 §6.3.11 asks for NO.
    if (message.size == 0) return fail(Errc::not_supported, "a message has no octets");
    drop_forbidden(message.flags, found.rights);
  }
  return plan;
}

Result<void> Append::execute(Plan& plan, Context& ctx) {
  std::vector<store::AppendItem> items;
  for (std::size_t i = 0; i < plan.messages.size(); ++i) {
    AppendMessage& message = plan.messages[i];
    items.push_back({&ctx.staged[i], std::move(message.flags),
                     message.internal_date.value_or(wall_seconds()), message.zone});
  }
  auto appended = ctx.back.store.append(plan.destination, items);
  if (!appended && appended.error().code == Errc::mailbox_deleted) {
    ctx.out.code("TRYCREATE");
    return fail(Errc::no_such_mailbox, "{}", appended.error().text);
  }
  plan.appended = TRY(std::move(appended));
  log_appended(ctx, plan);
  std::vector<Uid> uids;
  for (const store::Appended& one : plan.appended) uids.push_back(one.uid);
  note_arrival(ctx, Cause::append, plan.destination, {}, std::move(uids));
  return {};
}

// RFC 4315 §3: one uid a message, in the order of the messages; they are consecutive.
void Append::respond(const Plan& plan, Context& ctx) {
  std::vector<Uid> uids;
  for (const store::Appended& appended : plan.appended) uids.push_back(appended.uid);
  ctx.out.code(
      fmt::format("APPENDUID {} {}", plan.appended.front().uidvalidity, format_uid_set(uids)));
}

}  // namespace postern::imap
