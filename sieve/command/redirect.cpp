// redirect (RFC 5228 §4.2) with :copy (RFC 3894), :list (RFC 6134 §2.3), the DSN and deliver-by
// parameters (RFC 6009 §5, §6), and the checks against mail loops.
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "sieve/date_parts.h"
#include "sieve/functions.h"
#include "sieve/mail_address.h"

namespace postern::sieve {
namespace {

/// The field that delivery adds to what it redirects; its value is the user who did.
constexpr std::string_view kRedirectedFrom = "X-Sieve-Redirected-From";

bool is_notify_value(std::string_view text) {
  if (iequals(text, "NEVER")) return true;
  return std::ranges::all_of(split(text, ','), [](std::string_view word) {
    return iequals(word, "SUCCESS") || iequals(word, "FAILURE") || iequals(word, "DELAY");
  });
}

Result<RedirectOptions> read_options(Run& run, const Code& code) {
  RedirectOptions options;
  options.notify = to_upper(run.tag_string(code, Tag::notify));
  if (!options.notify.empty() && !is_notify_value(options.notify))
    return fail(Errc::bad_syntax, "redirect: bad :notify \"{}\"", options.notify);
  options.ret = to_upper(run.tag_string(code, Tag::ret));
  if (!options.ret.empty() && options.ret != "FULL" && options.ret != "HDRS")
    return fail(Errc::bad_syntax, "redirect: bad :ret \"{}\"", options.ret);
  options.by_mode = iequals(run.tag_string(code, Tag::bymode), "notify") ? 'N' : 'R';
  options.by_trace = code.has(Tag::bytrace);
  if (const Value* relative = code.find(Tag::bytimerelative))
    options.deliver_by = static_cast<std::int64_t>(relative->number);
  if (code.has(Tag::bytimeabsolute)) {
    const auto text = run.tag_string(code, Tag::bytimeabsolute);
    const auto time = parse_iso8601(text);
    if (!time) return fail(Errc::bad_syntax, "redirect: bad :bytimeabsolute \"{}\"", text);
    options.deliver_by = *time - run.host().now();
  }
  return options;
}

// Too many hops, or this user has already redirected this message: then it stays here.
bool loops(Run& run) {
  std::size_t received = 0;
  for (const auto& field : run.message().fields()) {
    if (iequals(field.name(), "Received")) ++received;
    if (iequals(field.name(), kRedirectedFrom) && run.envelope().to &&
        same_address(field.text(), *run.envelope().to))
      return true;
  }
  return received > run.limits().received_fields;
}

Result<std::vector<std::string>> addresses_of(Run& run, const Code& code) {
  const auto text = run.arg_string(code, 0);
  if (code.has(Tag::list)) return run.host().list_addresses(text);
  const auto address = single_address(text);
  if (!address) return fail(Errc::bad_syntax, "redirect: \"{}\" is no mail address", text);
  return std::vector{address->addr_spec()};
}

}  // namespace

void check_redirect(Checker& checker, Code& code) {
  const Text& address = code.args.front().strings.front();
  if (!address.has_variables && !code.has(Tag::list) && !single_address(address.text))
    checker.error(address.at, fmt::format("\"{}\" is no mail address", address.text));
  const bool by = code.has(Tag::bytimeabsolute) || code.has(Tag::bytimerelative);
  if (!by && (code.has(Tag::bymode) || code.has(Tag::bytrace)))
    checker.error(code.at, "':bymode' and ':bytrace' need ':bytimerelative' or ':bytimeabsolute'");
  const auto constant = [&](Tag tag, auto valid, std::string_view expected) {
    const Value* value = code.find(tag);
    if (value != nullptr && value->constant() && !valid(value->strings.front().text))
      checker.error(value->strings.front().at, fmt::format("expected {}", expected));
  };
  constant(Tag::notify, is_notify_value, "\"NEVER\", or SUCCESS, FAILURE and DELAY with commas");
  constant(
      Tag::ret, [](auto& v) { return iequals(v, "FULL") || iequals(v, "HDRS"); },
      "\"FULL\" or \"HDRS\"");
  constant(
      Tag::bymode, [](auto& v) { return iequals(v, "notify") || iequals(v, "return"); },
      "\"notify\" or \"return\"");
}

Result<Flow> run_redirect(Run& run, const Code& code) {
  const bool copy = code.has(Tag::copy);
  const auto options = TRY(read_options(run, code));
  const auto addresses = TRY(addresses_of(run, code));
  if (loops(run)) {
    run.note("redirect left out: the message is in a loop");
    return Flow::next;
  }
  // A list is one redirect; how many addresses it may have, the limit of actions says.
  if (++run.used().redirects > run.limits().redirects)
    return fail(Errc::limit, "too many redirects (over {})", run.limits().redirects);
  for (const auto& address : addresses) TRY(run.act(code, Redirect{address, copy, options}, copy));
  return Flow::next;
}

}  // namespace postern::sieve
