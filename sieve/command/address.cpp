// address and envelope (RFC 5228 §5.1, §5.4) with :user and :detail (RFC 5233), and the envelope
// parts of RFC 6009 §3 and §4.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "sieve/date_parts.h"
#include "sieve/functions.h"
#include "sieve/mail_address.h"
#include "sieve/match.h"
#include "sieve/select.h"

namespace postern::sieve {
namespace {

struct EnvelopePart {
  std::string_view name;
  Cap needs;
};
constexpr std::array kEnvelopeParts{
    EnvelopePart{"from", Cap::none},
    EnvelopePart{"to", Cap::none},
    EnvelopePart{"auth", Cap::none},
    EnvelopePart{"notify", Cap::envelope_dsn},
    EnvelopePart{"orcpt", Cap::envelope_dsn},
    EnvelopePart{"ret", Cap::envelope_dsn},
    EnvelopePart{"envid", Cap::envelope_dsn},
    EnvelopePart{"bytimeabsolute", Cap::envelope_deliverby},
    EnvelopePart{"bytimerelative", Cap::envelope_deliverby},
    EnvelopePart{"bymode", Cap::envelope_deliverby},
    EnvelopePart{"bytrace", Cap::envelope_deliverby},
};

// Fields that hold addresses; others are tested all the same, with a warning.
constexpr std::array<std::string_view, 24> kAddressFields{"from",
                                                          "sender",
                                                          "reply-to",
                                                          "to",
                                                          "cc",
                                                          "bcc",
                                                          "resent-from",
                                                          "resent-sender",
                                                          "resent-to",
                                                          "resent-cc",
                                                          "resent-bcc",
                                                          "delivered-to",
                                                          "envelope-to",
                                                          "errors-to",
                                                          "return-path",
                                                          "x-original-to",
                                                          "disposition-notification-to",
                                                          "return-receipt-to",
                                                          "mail-followup-to",
                                                          "mail-reply-to",
                                                          "x-envelope-to",
                                                          "content-from",
                                                          "x-beenthere",
                                                          "apparently-to"};

// A path of the envelope; the null reverse-path is "" whatever the part (RFC 5228 §5.4).
void add_path(Run& run, const Code& code, const std::string& path, std::vector<std::string>& out) {
  if (path.empty()) {
    // RFC 5231 §4.2: :count of a null reverse-path is 0.
    if (code.match.type != MatchType::count) out.emplace_back();
    return;
  }
  mime::Address address;
  const auto at = path.rfind('@');
  address.local_part = path.substr(0, at);
  address.has_domain = at != std::string::npos;
  if (address.has_domain) address.domain = path.substr(at + 1);
  if (code.part == AddressPart::all) {
    out.push_back(path);
  } else if (auto part = part_of(address, code.part, run.host().detail_separators())) {
    out.push_back(std::move(*part));
  }
}

Result<void> add_deliver_by(Run& run, const Code& code, std::string_view name,
                            std::vector<std::string>& out) {
  const EnvelopeView& envelope = run.envelope();
  if (!envelope.by_time) return {};
  if (name == "bytimeabsolute") {
    const auto at = run.host().now() + *envelope.by_time;
    out.push_back(format_iso8601(at, TRY(wanted_zone(run, code, at))));
  } else if (name == "bytimerelative") {
    out.push_back(fmt::format("{}", *envelope.by_time));
  } else if (name == "bymode") {
    out.push_back(iequals(envelope.by_mode, "N") ? "notify" : "return");
  } else if (name == "bytrace") {
    out.push_back(envelope.by_trace ? "true" : "false");
  }
  return {};
}

Result<void> add_part(Run& run, const Code& code, std::string_view name,
                      std::vector<std::string>& out) {
  const EnvelopeView& envelope = run.envelope();
  const auto plain = [&](std::string_view value) {
    if (!value.empty()) out.emplace_back(value);
  };
  if (name == "from" && envelope.from)
    add_path(run, code, *envelope.from, out);
  else if (name == "to" && envelope.to)
    add_path(run, code, *envelope.to, out);
  else if (name == "auth")
    plain(envelope.auth);
  else if (name == "notify")  // RFC 6009 §3: each of its words is a value
    std::ranges::for_each(split(envelope.notify, ','), plain);
  else if (name == "orcpt")
    plain(envelope.orcpt);
  else if (name == "ret")
    plain(envelope.ret);
  else if (name == "envid")
    plain(envelope.envid);
  return add_deliver_by(run, code, name, out);
}

}  // namespace

void check_address_test(Checker& checker, Code& code) {
  check_address(checker, code);
  check_fields(checker, code, code.args.front());
  for (const auto& name : code.args.front().strings)
    if (!name.has_variables &&
        std::ranges::find(kAddressFields, to_lower(name.text)) == kAddressFields.end())
      checker.warning(name.at,
                      fmt::format("the field \"{}\" is not known to hold addresses", name.text));
}

Result<bool> test_address(Run& run, const Code& code) {
  Match match(run, code, code.args[1]);
  const auto separators = run.host().detail_separators();
  for (const auto* field : TRY(select_fields(run, code, run.strings(code.args[0]))))
    for (const auto& part : field->address_parts(code.part, separators))
      if (TRY(match.takes(part))) return true;
  return match.at_end();
}

void check_envelope(Checker& checker, Code& code) {
  check_address(checker, code);
  check_zone(checker, code);
  for (const auto& name : code.args.front().strings) {
    if (name.has_variables) continue;
    const auto row = std::ranges::find_if(
        kEnvelopeParts, [&](const EnvelopePart& part) { return iequals(part.name, name.text); });
    if (row == kEnvelopeParts.end())
      checker.error(name.at, fmt::format("the envelope has no part \"{}\": expected \"from\" or "
                                         "\"to\"",
                                         name.text));
    else if (!checker.has(row->needs))
      checker.error(name.at, fmt::format("the envelope part \"{}\" needs: require \"{}\";",
                                         name.text, name_of(row->needs)));
  }
}

Result<bool> test_envelope(Run& run, const Code& code) {
  std::vector<std::string> parts;
  for (const auto name : run.strings(code.args[0])) TRY(add_part(run, code, to_lower(name), parts));
  return run.match(code, code.args[1], {parts.begin(), parts.end()});
}

}  // namespace postern::sieve
