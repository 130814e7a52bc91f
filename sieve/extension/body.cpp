// body (RFC 5173): :raw, :content and :text, in UTF-8 after transfer decoding.
#include <algorithm>
#include <list>

#include "lib/base/text.h"
#include "lib/mime/encoded_word.h"
#include "sieve/functions.h"

namespace postern::sieve {
namespace {

// RFC 5173 §5.2: "" is all types, "text" all its subtypes, "text/html" itself.
bool type_fits(const mime::Part& part, std::string_view wanted) {
  if (wanted.empty()) return true;
  const auto slash = wanted.find('/');
  if (slash == std::string_view::npos) return iequals(part.type, wanted);
  if (slash == 0 || slash + 1 == wanted.size() ||
      wanted.find('/', slash + 1) != std::string_view::npos)
    return false;
  return iequals(part.type, wanted.substr(0, slash)) &&
         iequals(part.subtype, wanted.substr(slash + 1));
}

bool fits_some(const mime::Part& part, const Strings& types) {
  for (const auto type : types)
    if (type_fits(part, type)) return true;
  return false;
}

// What of a part is searched: a multipart's prologue and epilogue, a message's header, else the
// decoded content (RFC 5173 §5.2).
void add_content(Run& run, std::uint32_t number, std::vector<std::string_view>& out,
                 std::list<std::string>& made) {
  const auto& message = run.message().structure();
  const auto& part = message.parts[number];
  if (part.kind == mime::Kind::leaf) {
    out.push_back(run.message().decoded(number));
    return;
  }
  const auto children = run.message().children(number);
  const auto& first = message.parts[children.front()];
  if (part.kind == mime::Kind::message) {
    out.emplace_back(made.emplace_back(mime::decode_header(message.text(first.header))));
    return;
  }
  const auto& last = message.parts[children.back()];
  out.emplace_back(message.text({part.body.begin, first.header.begin}));
  out.emplace_back(message.text({std::min(last.body.end, part.body.end), part.body.end}));
}

Result<std::vector<std::string_view>> contents(Run& run, const Strings& types,
                                               std::list<std::string>& made) {
  std::vector<std::string_view> out;
  std::size_t octets = 0;
  for (const auto number : run.message().parts_below(run.frame().root)) {
    const auto& part = run.message().structure().parts[number];
    if (!fits_some(part, types)) continue;
    add_content(run, number, out, made);
    octets += out.back().size();
    TRY(run.spend(1 + out.back().size() / 4096));
    if (octets > run.limits().body_octets) break;
  }
  return out;
}

}  // namespace

// RFC 5173 §6: body never sets match variables.
Result<bool> test_body(Run& run, const Code& code) {
  std::vector<std::string_view> texts;
  std::list<std::string> made;  // what texts may point into, besides the message
  if (code.has(Tag::raw)) {
    const auto& message = run.message().structure();
    texts.emplace_back(message.text(message.parts[run.frame().root].body));
  } else if (const Value* types = code.find(Tag::content)) {
    texts = TRY(contents(run, run.strings(*types), made));
  } else {
    texts = TRY(contents(run, Strings::of("text"), made));
  }
  auto captures = run.frame().variables.captures();
  auto result = run.match(code, code.args.front(), texts);
  run.frame().variables.set_captures(std::move(captures));
  return result;
}

}  // namespace postern::sieve
