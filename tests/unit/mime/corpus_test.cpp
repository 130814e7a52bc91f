// All messages of tests/corpus: consistent structure, wire forms by the ABNF, section tables that
// agree, with CRLF and with bare LF. The wire forms of tests/corpus/mime octet by octet as in
// corpus.golden, which POSTERN_UPDATE_GOLDEN=1 rewrites.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "lib/base/text.h"
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

std::string golden_text() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(POSTERN_CORPUS) / "mime"))
    if (entry.path().extension() == ".eml") files.push_back(entry.path());
  std::ranges::sort(files);
  std::string text;
  for (const auto& path : files) {
    const std::string octets = testing::crlf(read(path));
    const Message message = parse(octets);
    text += "== " + path.filename().string() + "\n";
    text += envelope(message) + "\n" + bodystructure(message) + "\n";
  }
  return text;
}

TEST(Corpus, WireFormsAreThoseOfTheGoldenFile) {
  const std::string text = golden_text();
  if (std::getenv("POSTERN_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(POSTERN_GOLDEN, std::ios::binary) << text;
    return;
  }
  const auto ours = split(text, '\n');
  const std::string golden = read(POSTERN_GOLDEN);
  const auto expected = split(golden, '\n');
  EXPECT_EQ(ours.size(), expected.size());
  for (std::size_t i = 0; i < std::min(ours.size(), expected.size()); ++i)
    EXPECT_EQ(ours[i], expected[i]) << "line " << i + 1;
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
