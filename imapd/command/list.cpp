// LIST with its extensions, and LSUB (RFC 9051 §6.3.9, RFC 3501 §6.3.9, RFC 5258, RFC 5819,
// RFC 6154, RFC 8440). A mailbox that the client may not look up is in no answer.
#include "imapd/command/commands.h"
#include "imapd/grammar.h"
#include "imapd/mailbox_list.h"
#include "imapd/name_codec.h"
#include "lib/base/text.h"
#include "lib/log/log.h"
#include "lib/mime/charset.h"

namespace postern::imap {
namespace {

// list-select-opts = "(" [list-select-opt *(SP list-select-opt)] ")"
Result<void> parse_select_options(Cursor& in, List::Request& request) {
  TRY(in.expect('('));
  if (in.take(')')) return {};
  do {
    if (in.take_word("SUBSCRIBED"))
      request.only_subscribed = true;
    else if (in.take_word("RECURSIVEMATCH"))
      request.recursive = true;
    else if (in.take_word("SPECIAL-USE"))
      request.only_special = true;
    else if (!in.take_word("REMOTE"))  // there are no remote mailboxes
      return in.expected("a selection option");
  } while (in.take(' '));
  // RFC 5258 §3: RECURSIVEMATCH alone selects nothing.
  if (request.recursive && !request.only_subscribed && !request.only_special)
    return fail(Errc::bad_syntax, "RECURSIVEMATCH needs another selection option");
  return in.expect(')');
}

Result<void> parse_return_option(Cursor& in, List::Request& request) {
  if (in.take_word("SUBSCRIBED"))
    request.return_subscribed = true;
  else if (in.take_word("MYRIGHTS"))
    request.return_rights = true;
  else if (in.take_word("STATUS")) {
    TRY(in.space());
    request.status = TRY(parse_status_items(in));
  } else if (!in.take_word("CHILDREN") && !in.take_word("SPECIAL-USE"))  // always given
    return in.expected("a return option");
  return {};
}

// list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"
Result<void> parse_return_options(Cursor& in, List::Request& request) {
  TRY(in.space());
  if (!in.take_word("RETURN")) return in.expected("RETURN");
  TRY(in.space());
  TRY(in.expect('('));
  if (in.take(')')) return {};
  do {
    TRY(parse_return_option(in, request));
  } while (in.take(' '));
  return in.expect(')');
}

// Names are kept in NFC, and so are what is looked for among them.
Result<ListPattern> pattern_of(const std::string& reference, const std::string& pattern) {
  return ListPattern(TRY(mime::to_nfc(reference + pattern)));
}

Result<std::vector<ListPattern>> patterns_of(const List::Request& request) {
  std::vector<ListPattern> patterns;
  for (const std::string& pattern : request.patterns)
    patterns.push_back(TRY(pattern_of(request.reference, pattern)));
  return patterns;
}

std::string attributes_of(const ListedName& name, bool subscribed) {
  std::string out;
  const auto add = [&out](std::string_view attribute) {
    if (!out.empty()) out += ' ';
    out += attribute;
  };
  if (!name.entry) {
    add("\\NonExistent");
    add("\\Noselect");  // for clients that don't know the other (RFC 5258 §3)
  } else if (!name.rights.has(meta::Right::read)) {
    add("\\Noselect");  // RFC 4314 §4: l without r
  }
  // RFC 3348 §3: only what the client may see counts.
  add(name.has_children ? "\\HasChildren" : "\\HasNoChildren");
  if (subscribed && name.subscribed) add("\\Subscribed");
  if (name.entry && !name.entry->special_use.empty()) add(name.entry->special_use);
  return out;
}

bool selected_by(const List::Request& request, const ListedName& name) {
  if (request.only_subscribed && !name.subscribed) return false;
  if (request.only_special && (!name.entry || name.entry->special_use.empty())) return false;
  // A name that is no mailbox is shown for what is below it, or because it is subscribed to.
  return name.entry.has_value() || name.has_children ||
         (request.only_subscribed && name.subscribed);
}

// RFC 5258 §3.5: below this name, which isn't selected itself, some other is.
bool selected_by_child(const List::Request& request, const ListedName& name) {
  return request.recursive && request.only_subscribed && name.has_subscribed_children;
}

void tell_rights(Context& ctx, const std::string& wire, const ListedName& name) {
  if (name.entry) ctx.out.untagged("MYRIGHTS ", wire, " ", name.rights.text());
}

void tell_name(Context& ctx, const List::Request& request, const std::string& name,
               const ListedName& listed) {
  const bool selected = selected_by(request, listed);
  const bool child = selected_by_child(request, listed);
  if (!selected && !child) return;
  const bool show_subscribed = request.only_subscribed || request.return_subscribed;
  const std::string wire = encode_name(name, ctx.conn.name_form());
  ctx.out.untagged("LIST (", attributes_of(listed, show_subscribed), ") \"/\" ", wire,
                   child ? " (\"CHILDINFO\" (\"SUBSCRIBED\"))" : "");
  if (request.return_rights) tell_rights(ctx, wire, listed);
  if (request.status.empty() || !listed.entry || !listed.rights.has(meta::Right::read)) return;
  // RFC 5819 §2: a mailbox whose status can't be had is listed without it.
  if (const auto told = tell_status(ctx, *listed.entry, request.status); !told)
    LOG(warning, "imap.trouble", {"conn", ctx.facts.session_id},
        {"mailbox", listed.entry->name.text()}, {"errc", name_of(told.error().code)},
        {"error", told.error().text});
}

// RFC 9051 §6.3.9: levels that are no mailbox are told where "%" stops at them.
bool is_told_level(const ListedName& name, const List::Request& request) {
  if (name.entry || name.subscribed) return true;
  for (const std::string& pattern : request.patterns)
    if (pattern.ends_with('%')) return true;
  return request.recursive;
}

}  // namespace

// list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
Result<List::Request> List::parse(Cursor& in) {
  Request request;
  TRY(in.space());
  if (in.peek() == '(') {
    TRY(parse_select_options(in, request));
    request.extended = true;
    TRY(in.space());
  }
  request.reference = TRY(parse_mailbox(in));
  TRY(in.space());
  if (in.peek() == '(') {
    request.patterns = TRY(parenthesized(in, parse_list_mailbox));
    request.extended = true;
  } else {
    request.patterns.push_back(TRY(parse_list_mailbox(in)));
  }
  if (!in.at_end()) TRY(parse_return_options(in, request));
  return request;
}

Result<void> List::respond(const Request& request, Context& ctx) {
  // RFC 3501 §6.3.8: an empty name asks for the separator and the root of the reference.
  if (!request.extended && request.patterns.front().empty()) {
    ctx.out.untagged("LIST (\\Noselect) \"/\" \"\"");
    return {};
  }
  const auto patterns = TRY(patterns_of(request));
  const auto need = request.recursive ? Subscribed::names_and_levels : Subscribed::names;
  const NameList names =
      TRY(request.only_subscribed ? subscribed_names(ctx, patterns, need)
                                  : visible_names(ctx, patterns, request.return_subscribed));
  for (const auto& [name, listed] : names)
    if (is_told_level(listed, request) && matches_any(patterns, name))
      tell_name(ctx, request, name, listed);
  return {};
}

// lsub = "LSUB" SP mailbox SP list-mailbox
Result<Lsub::Request> Lsub::parse(Cursor& in) {
  Request request;
  TRY(in.space());
  request.reference = TRY(parse_mailbox(in));
  TRY(in.space());
  request.pattern = TRY(parse_list_mailbox(in));
  return request;
}

// RFC 3501 §6.3.9: with "%", a name that isn't subscribed to but has subscribed inferiors is told
// as \Noselect. Special uses are told for clients that look for them here.
Result<void> Lsub::respond(const Request& request, Context& ctx) {
  const ListPattern pattern = TRY(pattern_of(request.reference, request.pattern));
  const NameList names = TRY(subscribed_names(ctx, {pattern}, Subscribed::uses));
  for (const auto& [name, listed] : names) {
    const bool level = request.pattern.ends_with('%') && listed.has_subscribed_children;
    if ((!listed.subscribed && !level) || !pattern.matches(name)) continue;
    std::string attributes = listed.subscribed ? "" : "\\Noselect";
    if (listed.subscribed && listed.entry) attributes = listed.entry->special_use;
    ctx.out.untagged("LSUB (", attributes, ") \"/\" ", encode_name(name, ctx.conn.name_form()));
  }
  return {};
}

}  // namespace postern::imap
