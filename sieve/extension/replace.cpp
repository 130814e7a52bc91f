// replace (RFC 5703 §5): a part, or the whole message's body, gives way to a text.
#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/mime/encoded_word.h"
#include "sieve/functions.h"
#include "sieve/mail_address.h"

namespace postern::sieve {
namespace {

// Sets a field of the message; the one that was there stays under "Original-" and its name.
void set_field(Run& run, std::string_view name, std::string_view value) {
  std::string old;
  for (const auto& field : run.message().fields())
    if (iequals(field.name(), name)) old = field.value();
  run.message().remove_fields([&](const Field& f) { return iequals(f.name(), name); });
  if (!old.empty()) run.message().add_field(fmt::format("Original-{}", name), trim(old), true);
  run.message().add_field(name, value, true);
}

}  // namespace

Result<Flow> run_replace(Run& run, const Code& code) {
  const auto part = run.current_part();
  const auto text = run.arg_string(code, 0);
  const auto end = run.message().line_end();
  std::string entity =
      code.has(Tag::mime)
          ? text
          : fmt::format(
                "Content-Type: text/plain; charset=utf-8{0}Content-Transfer-Encoding: "
                "8bit{0}{0}{1}",
                end, text);
  if (part == 0) {
    if (!entity.ends_with('\n')) entity += end;
    if (code.has(Tag::subject))
      set_field(run, "Subject", mime::encode_header_text(run.tag_string(code, Tag::subject)));
    if (code.has(Tag::from)) {
      const auto from = run.tag_string(code, Tag::from);
      if (!single_address(from))
        return fail(Errc::bad_syntax, "replace: \"{}\" is no mail address", from);
      set_field(run, "From", from);
    }
    run.message().remove_fields([](const Field& field) {
      return istarts_with(field.name(), "content-") || iequals(field.name(), "mime-version");
    });
    run.message().add_field("MIME-Version", "1.0", true);
  }
  run.message().replace_part(part, std::move(entity));
  TRY(run.act(code, Replace{run.message().path(part)}, true));
  return Flow::next;
}

}  // namespace postern::sieve
