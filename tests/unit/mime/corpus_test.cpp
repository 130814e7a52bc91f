// All messages of tests/corpus: consistent structure, wire forms by the ABNF, section tables that
// agree, with CRLF and with bare LF.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "lib/mime/imap_form.h"
#include "lib/mime/section_table.h"
#include "tests/unit/mime/support.h"

namespace postern::mime {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void check(const std::string& octets) {
  const Message message = parse(octets);
  EXPECT_EQ(testing::check_structure(message), "");
  for (const Form form : {Form::rev1, Form::utf8}) {
    const bool utf8 = form == Form::utf8;
    EXPECT_EQ(testing::check_envelope(envelope(message, form), utf8), "");
    EXPECT_EQ(testing::check_body(bodystructure(message, form), true, utf8), "");
    EXPECT_EQ(testing::check_body(body(message, form), false, utf8), "");
  }
  const std::string table = section_table(message);
  const auto opened = SectionTable::open(table, octets.size());
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->parts().size(), message.parts.size());
}

TEST(Corpus, EveryMessageHasValidForms) {
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(POSTERN_CORPUS)) {
    if (entry.path().extension() != ".eml") continue;
    SCOPED_TRACE(entry.path().filename());
    const std::string octets = read(entry.path());
    check(octets);
    check(testing::crlf(octets));
    ++count;
  }
  EXPECT_GE(count, 30);
}

// Cutting a message anywhere, as a broken connection or a partial fetch would, harms nothing.
TEST(Corpus, EveryPrefixIsAMessage) {
  const std::string octets =
      testing::crlf(read(std::filesystem::path(POSTERN_CORPUS) / "mime/forwarded.eml"));
  ASSERT_FALSE(octets.empty());
  for (std::size_t size = 0; size < octets.size(); ++size) check(octets.substr(0, size));
}

}  // namespace
}  // namespace postern::mime
