#include "sieve/site/sieve_mail.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/random.h"
#include "lib/base/text.h"
#include "lib/mime/address.h"
#include "lib/mime/date_time.h"
#include "lib/mime/encoded_word.h"
#include "lib/mime/message.h"

namespace postern::site {
namespace {

constexpr std::size_t kMostHeaderText = 700;  // octets of an unstructured field of ours
constexpr std::size_t kMostLine = 998;        // RFC 5322 §2.1.1
constexpr std::size_t kQuotedLine = 73;       // RFC 2045 §6.7: 76 with "=" and an "=XX" more

/// Text of a script in one field: no line ends, not too long, encoded where it must be.
std::string header_text(std::string_view text) {
  std::string flat(text.substr(0, kMostHeaderText));
  while (!flat.empty() && !is_utf8(flat)) flat.pop_back();
  for (char& c : flat)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) c = ' ';
  return mime::encode_header_text(flat);
}

/// `text` as one address for a field, the display name encoded.
std::string header_address(std::string_view text) {
  const auto parsed = mime::parse_address_list(text, 3);
  if (parsed.empty()) return {};
  const auto& address = parsed.front();
  if (!address.has_name || address.name.empty()) return address.addr_spec();
  const std::string name = mime::decode_header(address.name);
  std::string quoted = header_text(name);
  if (quoted == name) {
    quoted = "\"";
    for (const char c : name) (c == '"' || c == '\\' ? quoted += '\\' : quoted) += c;
    quoted += '"';
  }
  return fmt::format("{} <{}>", quoted, address.addr_spec());
}

/// Words of a field one below the other, so that no line is too long.
std::string folded(std::string_view name, std::string_view words) {
  std::string out = fmt::format("{}:", name);
  for (const auto word : split(words, ' '))
    if (!word.empty()) out.append(out.ends_with(':') ? " " : "\r\n ").append(word);
  return out += "\r\n";
}

std::string with_crlf(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 40);
  for (const char c : text) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out;
}

bool fits_as_it_is(std::string_view text) {
  if (!is_ascii(text) || text.find('\0') != std::string_view::npos) return false;
  return std::ranges::all_of(split(text, '\n'),
                             [](std::string_view line) { return line.size() <= kMostLine; });
}

// RFC 2045 §6.7
std::string quoted_printable(std::string_view text) {
  std::string out;
  for (auto line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::size_t column = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      const bool last = i + 1 == line.size();
      const bool plain = (c > ' ' && c < 0x7F && c != '=') || ((c == ' ' || c == '\t') && !last);
      const std::string piece =
          plain ? std::string(1, c) : fmt::format("={:02X}", static_cast<unsigned char>(c));
      if (column + piece.size() > kQuotedLine) {
        out += "=\r\n";
        column = 0;
      }
      out += piece;
      column += piece.size();
    }
    out += "\r\n";
  }
  out.resize(out.size() - 2);  // split() gives an empty piece behind the last LF
  return out;
}

/// Content fields, the empty line, and the text.
std::string text_entity(std::string_view text) {
  const std::string body = with_crlf(text);
  const bool plain = fits_as_it_is(body);
  return fmt::format(
      "Content-Type: text/plain; charset={}\r\nContent-Transfer-Encoding: {}\r\n\r\n{}",
      is_ascii(body) ? "us-ascii" : "utf-8", plain ? "7bit" : "quoted-printable",
      plain ? body : quoted_printable(body));
}

/// The fields that all mail of ours begins with. `to`: whole fields.
std::string origin(std::string_view from, std::string_view to, std::string_view subject,
                   const MailFacts& facts) {
  return fmt::format("From: {}\r\n{}Subject: {}\r\nDate: {}\r\nMessage-ID: <{}@{}>\r\n",
                     header_address(from), to, header_text(subject),
                     mime::format_date_time({facts.now, 0, true}), random_hex(12), facts.hostname);
}

/// The header of `message`, with the empty line behind it.
std::string_view header_of(std::string_view message) {
  return message.substr(0, mime::scan_header(message).size);
}

}  // namespace

std::string redirected_mail(std::string_view message, std::string_view recipient) {
  std::string out = fmt::format("X-Sieve-Redirected-From: {}\r\n", recipient);
  out.reserve(out.size() + message.size());
  const auto header = mime::scan_header(message);
  std::uint64_t done = 0;
  for (const auto& field : header.fields) {
    if (!iequals(field.name.of(message), "Return-Path")) continue;
    out += message.substr(done, field.whole.begin - done);
    done = field.whole.end;
  }
  out += message.substr(done);
  return out;
}

std::string vacation_mail(const sieve::Vacation& reply, const MailFacts& facts) {
  std::string out = origin(reply.from, fmt::format("To: {}\r\n", reply.to), reply.subject, facts);
  if (!reply.in_reply_to.empty()) out += folded("In-Reply-To", reply.in_reply_to);
  if (!reply.references.empty()) out += folded("References", reply.references);
  // RFC 3834 §5; the second field is what Exchange goes by.
  out += "Auto-Submitted: auto-replied (vacation)\r\nX-Auto-Response-Suppress: All\r\n";
  out += "MIME-Version: 1.0\r\n";
  return out + (reply.mime ? with_crlf(reply.reason) : text_entity(reply.reason));
}

namespace {

std::string addresses(std::string_view field, const std::vector<std::string>& list) {
  std::string out;
  for (const auto& one : list) out += (out.empty() ? "" : ",\r\n ") + one;
  return list.empty() ? out : fmt::format("{}: {}\r\n", field, out);
}

/// RFC 5436 §2.7: :message, else what the URI says, else the subject of the message.
std::string_view subject_of(const sieve::Notify& notify, const sieve::Mailto& mailto) {
  if (notify.message_given) return notify.message;
  if (mailto.subject) return *mailto.subject;
  return notify.subject.empty() ? notify.message : notify.subject;
}

}  // namespace

std::string notification_mail(const sieve::Notify& notify, const sieve::Mailto& mailto,
                              const MailFacts& facts) {
  std::string out = origin(notify.from.empty() ? facts.user_address : notify.from,
                           addresses("To", mailto.to) + addresses("Cc", mailto.cc),
                           subject_of(notify, mailto), facts);
  // RFC 5436 §2.7.1
  out += fmt::format("Auto-Submitted: auto-notified; owner-email=\"{}\"\r\n", facts.user_address);
  constexpr std::array<std::string_view, 3> kImportance{"high", "normal", "low"};
  out += fmt::format(
      "Importance: {}\r\n",
      kImportance.at(static_cast<std::size_t>(std::clamp(notify.importance, 1, 3)) - 1));
  return out + "MIME-Version: 1.0\r\n" +
         text_entity(mailto.body.empty() ? notify.message : mailto.body);
}

std::string refusal_mail(std::string_view reason, std::string_view sender, std::string_view message,
                         const MailFacts& facts) {
  const std::string boundary = "refusal-" + random_hex(12);
  std::string out = origin(facts.user_address, fmt::format("To: {}\r\n", sender),
                           "Your message was refused", facts);
  out += fmt::format(
      "Auto-Submitted: auto-replied (rejected)\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/report; report-type=disposition-notification;\r\n"
      " boundary=\"{0}\"\r\n\r\n--{0}\r\n{1}",
      boundary,
      text_entity(fmt::format("Your message was refused by the recipient's mail filter. The reason "
                              "given is:\r\n\r\n{}",
                              reason)));
  out += fmt::format(
      "\r\n--{0}\r\nContent-Type: message/disposition-notification\r\n\r\n"
      "Reporting-UA: {1}; Postern\r\nFinal-Recipient: rfc822; {2}\r\n"
      "Disposition: automatic-action/MDN-sent-automatically; deleted\r\n\r\n",
      boundary, facts.hostname, facts.user_address);
  return out + fmt::format("--{0}\r\nContent-Type: text/rfc822-headers\r\n\r\n{1}\r\n--{0}--\r\n",
                           boundary, header_of(message));
}

}  // namespace postern::site
