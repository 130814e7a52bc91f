// notify and its tests (RFC 5435) with the methods mailto (RFC 5436), http and https (a webhook)
// and log.
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "sieve/flag_list.h"
#include "sieve/functions.h"
#include "sieve/mail_address.h"

namespace postern::sieve {
namespace {

int hex_value(char c) {
  if (ascii_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Percent-decoded; nothing if a '%' has not two hex digits behind it.
std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
      return std::nullopt;
    out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return out;
}

// mailtoURI = "mailto:" [ to ] [ headers ]; at least one address, in `to` or in to= (RFC 5436 §2.1)
bool valid_mailto(std::string_view rest) {
  const auto question = rest.find('?');
  std::vector<std::string_view> lists;
  if (!rest.substr(0, question).empty()) lists.push_back(rest.substr(0, question));
  if (question != std::string_view::npos) {
    for (const auto field : split(rest.substr(question + 1), '&')) {
      if (field.find('=') == std::string_view::npos || !decode_percent(field)) return false;
      if (istarts_with(field, "to=")) lists.push_back(field.substr(3));
    }
  }
  for (const auto list : lists) {
    for (const auto one : split(list, ',')) {
      const auto address = decode_percent(one);
      if (!address || !single_address(*address)) return false;
    }
  }
  return !lists.empty();
}

bool valid_method(std::string_view uri) {
  const auto plain = [](char c) { return c > ' ' && c != 0x7F; };
  if (!std::ranges::all_of(uri, plain)) return false;
  if (istarts_with(uri, "mailto:")) return valid_mailto(uri.substr(7));
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

// RFC 5435 §3.6 recommends From and Subject.
std::string default_message(Run& run) {
  std::string from;
  std::string subject;
  for (const auto& field : run.message().fields()) {
    if (iequals(field.name(), "From") && from.empty()) from = field.text();
    if (iequals(field.name(), "Subject") && subject.empty()) subject = field.text();
  }
  return fmt::format("New mail from {}: {}", from, subject);
}

// RFC 5436 §2.7.1: a notification must not cause another one.
bool is_notification(Run& run) {
  return std::ranges::any_of(run.message().fields(), [](const Field& field) {
    return iequals(field.name(), "Auto-Submitted") && istarts_with(field.text(), "auto-notified");
  });
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
  action.message =
      code.has(Tag::message) ? run.tag_string(code, Tag::message) : default_message(run);
  action.fcc = TRY(read_fcc(run, code));
  if (istarts_with(action.method, "mailto:") && is_notification(run)) {
    run.note("notify left out: the message is a notification itself");
    return Flow::next;
  }
  TRY(run.act(code, std::move(action), true));
  return Flow::next;
}

Result<bool> test_valid_notify_method(Run& run, const Code& code) {
  for (const auto uri : run.strings(code.args.front()))
    if (!valid_method(uri)) return false;
  return true;
}

// Whether someone reads mail now can't be known: "maybe" (RFC 5436 §2.2).
Result<bool> test_notify_method_capability(Run& run, const Code& code) {
  if (!valid_method(run.arg_string(code, 0)) || !iequals(run.arg_string(code, 1), "online"))
    return false;
  return run.match(code, code.args.back(), {"maybe"});
}

}  // namespace postern::sieve
