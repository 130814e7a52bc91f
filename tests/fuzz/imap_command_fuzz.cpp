// The grammar of all IMAP commands over any octets, and codecs whose results must round-trip.
#include <array>
#include <cstdint>
#include <string_view>

#include "imapd/command/commands.h"
#include "imapd/grammar.h"
#include "imapd/list_pattern.h"
#include "imapd/name_codec.h"
#include "lib/base/assert.h"

namespace {

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::imap;  // NOLINT(google-build-using-namespace)

template <typename C>
void parse(Cursor in) {
  if constexpr (requires { C::parse(in, Form::plain); }) {
    Cursor again = in;
    static_cast<void>(C::parse(in, Form::plain));
    static_cast<void>(C::parse(again, Form::uid));
  } else {
    static_cast<void>(C::parse(in));
  }
}

using Parser = void (*)(Cursor);
constexpr std::array kParsers{
    parse<Id>,     parse<Login>,      parse<Authenticate>, parse<Enable>,   parse<Select>,
    parse<Append>, parse<Create>,     parse<Rename>,       parse<List>,     parse<Lsub>,
    parse<Status>, parse<SetAcl>,     parse<DeleteAcl>,    parse<SetQuota>, parse<Expunge>,
    parse<Fetch>,  parse<StoreFlags>, parse<Search>,       parse<Copy>,
};

void names(std::string_view bytes) {
  const auto decoded = from_modified_utf7(bytes);
  if (decoded) ASSERT(*from_modified_utf7(to_modified_utf7(*decoded)) == *decoded);
}

void sets(std::string_view bytes) {
  Cursor in(bytes);
  const auto set = parse_sequence_set(in);
  if (!set) return;
  std::uint64_t last = 0;
  for (const NumberRange& range : set->resolved(1000)) {
    ASSERT(range.first > last && range.first <= range.last);
    last = range.last;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const NameForm form = (data[0] & 0x80) != 0 ? NameForm::utf8 : NameForm::modified_utf7;
  kParsers[(data[0] & 0x7F) % kParsers.size()](Cursor(bytes, form));
  names(bytes);
  sets(bytes);
  static_cast<void>(literal_head_at_end(bytes));
  const std::size_t half = bytes.size() / 2;
  static_cast<void>(ListPattern(bytes.substr(0, half)).matches(bytes.substr(half)));
  return 0;
}
