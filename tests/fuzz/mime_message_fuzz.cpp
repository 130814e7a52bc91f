// Any octets are a message: its structure is consistent, its wire forms follow the ABNF, and its
// section table holds the same ranges.
#include <cstdint>
#include <string>

#include "lib/base/assert.h"
#include "lib/mime/header.h"
#include "lib/mime/imap_form.h"
#include "lib/mime/parameters.h"
#include "lib/mime/section_table.h"
#include "tests/unit/mime/support.h"

namespace {

using namespace postern;
using namespace postern::mime;

void check_forms(const Message& message) {
  for (const Form form : {Form::rev1, Form::utf8}) {
    const bool utf8 = form == Form::utf8;
    ASSERT(testing::check_envelope(envelope(message, form), utf8).empty());
    ASSERT(testing::check_body(bodystructure(message, form), true, utf8).empty());
    ASSERT(testing::check_body(body(message, form), false, utf8).empty());
  }
  if (forms_differ(message)) return;
  ASSERT(envelope(message, Form::rev1) == envelope(message, Form::utf8));
  ASSERT(bodystructure(message, Form::rev1) == bodystructure(message, Form::utf8));
}

void check_table(const Message& message) {
  const std::string octets = section_table(message);
  const auto table = SectionTable::open(octets, message.bytes.size());
  ASSERT(table.has_value());
  ASSERT(table->parts().size() == message.parts.size());
  for (std::size_t i = 0; i < message.parts.size(); ++i) {
    ASSERT(table->parts()[i].header == message.parts[i].header);
    ASSERT(table->parts()[i].body == message.parts[i].body);
  }
}

// Both subsets together have the octets of the whole header, but the empty line twice.
void check_subsets(const Message& message) {
  const std::string_view header = message.text(message.parts[0].header);
  const std::string_view names[] = {"content-type", "to"};
  const std::size_t named = header_fields(header, names, FieldSelector::Show::named).size();
  const std::size_t others = header_fields(header, names, FieldSelector::Show::not_named).size();
  ASSERT(named + others >= header.size() && named + others <= header.size() + 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  for (const Limits& limits : {Limits{}, Limits{.depth = 2, .parts = 4, .fields = 3}}) {
    const Message message = parse(bytes, limits);
    ASSERT(testing::check_structure(message).empty());
    check_forms(message);
    check_table(message);
    check_subsets(message);
    for (const Part& part : message.parts) (void)file_name(message, part);
  }
  return 0;
}
