// notify and its tests (RFC 5435) with the methods mailto (RFC 5436), http and https (a webhook)
// and log.
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "sieve/flag_list.h"
#include "sieve/functions.h"
#include "sieve/mailto.h"

namespace postern::sieve {
namespace {

bool valid_method(std::string_view uri) {
  const auto plain = [](char c) { return c > ' ' && c != 0x7F; };
  if (!std::ranges::all_of(uri, plain)) return false;
  if (istarts_with(uri, "mailto:")) return parse_mailto(uri).has_value();
  if (istarts_with(uri, "log:")) return true;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!istarts_with(uri, scheme)) continue;
    const auto host =
        uri.substr(scheme.size(), uri.find_first_of("/?#", scheme.size()) - scheme.size());
    return !host.empty() && host.find('@') == std::string_view::npos;
  }
  return false;
}

// RFC 5435 §3.5: "<optionname>=<value>"
bool valid_option(std::string_view option) {
  const auto name = option.substr(0, option.find('='));
  return name.size() < option.size() && !name.empty() && std::ranges::all_of(name, [](char c) {
           return ascii_alpha(c) || ascii_digit(c) || c == '.' || c == '-' || c == '_';
         });
}

std::string header_text(Run& run, std::string_view name) {
  for (const auto& field : run.message().fields())
    if (iequals(field.name(), name)) return field.text();
  return {};
}

// RFC 5436 §2.7: automatic mail must not cause more of it.
bool is_automatic(Run& run) {
  const auto value = header_text(run, "Auto-Submitted");
  return !value.empty() && !iequals(trim(value.substr(0, value.find(';'))), "no");
}

}  // namespace

void check_notify(Checker& checker, Code& code) {
  check_fcc(checker, code);
  const Text& method = code.args.front().strings.front();
  if (!method.has_variables && !valid_method(method.text))
    checker.error(method.at, fmt::format("\"{}\" is no method of this server: expected a mailto:, "
                                         "https: or log: URI",
                                         method.text));
  const Value* importance = code.find(Tag::importance);
  if (importance != nullptr && importance->constant()) {
    const auto& text = importance->strings.front().text;
    if (text != "1" && text != "2" && text != "3")
      checker.error(importance->strings.front().at, "expected \"1\", \"2\" or \"3\"");
  }
  if (const Value* options = code.find(Tag::options))
    for (const auto& option : options->strings)
      if (!option.has_variables && !valid_option(option.text))
        checker.error(option.at, "expected an option as \"name=value\"");
}

Result<Flow> run_notify(Run& run, const Code& code) {
  Notify action;
  action.method = run.arg_string(code, 0);
  if (!valid_method(action.method))
    return fail(Errc::bad_syntax, "notify: \"{}\" is no method of this server", action.method);
  if (++run.used().notifications > run.limits().notifications)
    return fail(Errc::limit, "too many notifications (over {})", run.limits().notifications);
  action.from = run.tag_string(code, Tag::from);
  const auto importance = run.tag_string(code, Tag::importance, "2");
  if (importance != "1" && importance != "2" && importance != "3")
    return fail(Errc::bad_syntax, "notify: bad :importance \"{}\"", importance);
  action.importance = importance.front() - '0';
  if (const Value* options = code.find(Tag::options))
    for (const auto option : run.strings(*options)) action.options.emplace_back(option);
  action.subject = header_text(run, "Subject");
  action.message_given = code.has(Tag::message);
  // RFC 5435 §3.6 recommends From and Subject for a default.
  action.message = action.message_given ? run.tag_string(code, Tag::message)
                                        : fmt::format("New mail from {}: {}",
                                                      header_text(run, "From"), action.subject);
  action.fcc = TRY(read_fcc(run, code));
  if (istarts_with(action.method, "mailto:") && is_automatic(run)) {
    run.note("notify left out: the message is automatic (Auto-Submitted)");
    return Flow::next;
  }
  TRY(run.act(code, std::move(action), true));
  return Flow::next;
}

Result<bool> test_valid_notify_method(Run& run, const Code& code) {
  for (const auto uri : run.strings(code.args.front()))
    if (!valid_method(uri) || !run.host().can_notify(uri)) return false;
  return true;
}

// Whether someone reads mail now can't be known: "maybe" (RFC 5436 §2.2). Only a notification by
// mail is a message that can be filed (RFC 8580 §4.1).
Result<bool> test_notify_method_capability(Run& run, const Code& code) {
  const auto method = run.arg_string(code, 0);
  if (!valid_method(method) || !run.host().can_notify(method)) return false;
  const auto capability = run.arg_string(code, 1);
  if (iequals(capability, "online")) return run.match(code, code.args.back(), {"maybe"});
  if (!iequals(capability, "fcc")) return false;
  return run.match(code, code.args.back(), {istarts_with(method, "mailto:") ? "yes" : "no"});
}

}  // namespace postern::sieve
