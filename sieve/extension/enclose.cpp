// enclose (RFC 5703 §6): the message becomes an attachment of a new one.
#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/mime/date_time.h"
#include "lib/mime/encoded_word.h"
#include "sieve/functions.h"

namespace postern::sieve {
namespace {

// A boundary that occurs in neither: made from the texts, so a run gives the same result always.
std::string boundary_for(std::string_view text, std::string_view message) {
  for (std::uint64_t n = text.size() * 31 + message.size();; ++n) {
    auto boundary = fmt::format("=_postern_enclose_{:x}", n);
    if (text.find(boundary) == std::string_view::npos &&
        message.find(boundary) == std::string_view::npos)
      return boundary;
  }
}

std::string subject_of(Run& run, const Code& code) {
  if (code.has(Tag::subject)) return run.tag_string(code, Tag::subject);
  for (const auto& field : run.message().fields())
    if (iequals(field.name(), "Subject")) return field.text();
  return {};
}

// The new header: fields named by :headers are copied, Date and From made if they are not among
// them.
std::string header_for(Run& run, const Code& code, const std::string& subject) {
  const auto end = run.message().line_end();
  std::string out;
  bool date = false;
  bool from = false;
  if (const Value* names = code.find(Tag::header)) {
    for (const auto name : run.strings(*names)) {
      if (istarts_with(name, "content-") || iequals(name, "subject")) continue;
      for (const auto& field : run.message().fields())
        if (iequals(field.name(), name)) out += field.whole();
      date = date || iequals(name, "date");
      from = from || iequals(name, "from");
    }
  }
  const auto now = run.host().now();
  const auto zone = static_cast<std::int16_t>(run.host().zone_minutes(now));
  if (!date) out += fmt::format("Date: {}{}", mime::format_date_time({now, zone, true}), end);
  if (!from) out += fmt::format("From: <{}>{}", run.envelope().to.value_or(""), end);
  return out + fmt::format("Subject: {}{}", mime::encode_header_text(subject), end);
}

}  // namespace

Result<Flow> run_enclose(Run& run, const Code& code) {
  const auto text = run.arg_string(code, 0);
  const auto subject = subject_of(run, code);
  const auto boundary = boundary_for(text, run.message().render());
  const auto end = run.message().line_end();
  std::string before = header_for(run, code, subject);
  before += fmt::format("MIME-Version: 1.0{0}Content-Type: multipart/mixed; boundary=\"{1}\"{0}{0}",
                        end, boundary);
  before += fmt::format(
      "--{1}{0}Content-Type: text/plain; charset=utf-8{0}"
      "Content-Transfer-Encoding: 8bit{0}{0}{2}{0}--{1}{0}",
      end, boundary, text);
  before += fmt::format("Content-Type: message/rfc822{0}{0}", end);
  run.message().enclose(std::move(before), fmt::format("{0}--{1}--{0}", end, boundary));
  TRY(run.act(code, Enclose{subject}, true));
  return Flow::next;
}

}  // namespace postern::sieve
