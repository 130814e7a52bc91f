// Writes generated mail. Whatever comes from a message or script is one line and encoded.
#include "sieve/compose.h"

#include <fmt/format.h>

#include "lib/base/assert.h"
#include "lib/base/text.h"
#include "lib/mime/date_time.h"
#include "lib/mime/encoded_word.h"
#include "sieve/mail_address.h"
#include "sieve/mailto.h"
#include "sieve/utf8.h"

namespace postern::sieve {
namespace {

constexpr std::size_t kLongestSubject = 250;

// Text for an unstructured field: no line ends, not too long, encoded where it must be.
std::string field_text(std::string_view text) {
  std::string line(utf8_cut(text, kLongestSubject));
  for (char& c : line)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) c = ' ';
  return mime::encode_header_text(line);
}

// "Name <address>" with the name encoded.
std::string field_address(std::string_view text) {
  const auto address = single_address(text);
  if (!address) return {};
  if (!address->has_name) return fmt::format("<{}>", address->addr_spec());
  const auto name = field_text(address->name);
  const bool plain = name == address->name;
  if (!plain) return fmt::format("{} <{}>", name, address->addr_spec());
  std::string quoted;
  for (const char c : name) quoted.append(c == '"' || c == '\\' ? "\\" : "") += c;
  return fmt::format("\"{}\" <{}>", quoted, address->addr_spec());
}

std::string common_fields(const Origin& origin) {
  const auto zone = static_cast<std::int16_t>(origin.zone_minutes);
  return fmt::format("Date: {}\r\nMessage-ID: {}\r\n",
                     mime::format_date_time({origin.now, zone, true}), origin.message_id);
}

std::string text_body(std::string_view text) {
  std::string out =
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: 8bit\r\n\r\n";
  for (const auto line : split(text, '\n'))
    out.append(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line).append("\r\n");
  return out;
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

// Message ids, each on a line of its own if there are many.
std::string folded(std::string_view ids) {
  std::string out;
  for (const auto id : split(ids, ' ')) out.append(out.empty() ? "" : "\r\n ").append(id);
  return out;
}

}  // namespace

std::string compose_vacation(const Vacation& action, const Origin& origin) {
  std::string out = common_fields(origin);
  const auto from = field_address(action.from);
  out += fmt::format("From: {}\r\n", from.empty() ? field_address(origin.user_address) : from);
  out += fmt::format("To: <{}>\r\nSubject: {}\r\n", action.to, field_text(action.subject));
  if (!action.in_reply_to.empty())
    out += fmt::format("In-Reply-To: {}\r\nReferences: {}\r\n", action.in_reply_to,
                       folded(action.references));
  out += "Auto-Submitted: auto-replied\r\n";
  if (!action.mime) return out + text_body(action.reason);
  return out + "MIME-Version: 1.0\r\n" + action.reason;
}

std::string compose_notification(const Notify& action, const Origin& origin) {
  const auto target = parse_mailto(action.method);
  ASSERT(target.has_value());
  const auto subject = action.message_given ? action.message
                       : target->subject    ? *target->subject
                                            : action.subject;
  std::string out = "Auto-Submitted: auto-notified; owner-email=\"" + origin.user_address +
                    "\"\r\n" + common_fields(origin);
  const auto from = field_address(action.from);
  out += fmt::format("From: {}\r\n", from.empty() ? field_address(origin.user_address) : from);
  if (!target->to.empty()) out += fmt::format("To: {}\r\n", join(target->to));
  if (!target->cc.empty()) out += fmt::format("Cc: {}\r\n", join(target->cc));
  out += fmt::format("Subject: {}\r\n", field_text(subject));
  if (action.importance != 2)
    out += fmt::format("Importance: {}\r\n", action.importance == 1 ? "High" : "Low");
  return out + text_body(target->body.empty() ? action.message : target->body);
}

}  // namespace postern::sieve
