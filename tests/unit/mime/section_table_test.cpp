// Sections by RFC 3501 §6.4.5, from the table alone; damaged tables.
#include "lib/mime/section_table.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "lib/base/text.h"
#include "tests/unit/mime/support.h"

namespace postern::mime {
namespace {

using testing::crlf;
using Path = std::vector<std::uint32_t>;

// The example of RFC 3501 §6.4.5, with something in each part.
constexpr const char* kExample =
    "Subject: top\nContent-Type: multipart/mixed; boundary=a\n\n"
    "--a\nContent-Type: text/plain; charset=\"ISO-8859-1\"\n"
    "Content-Transfer-Encoding: quoted-printable\n\none\n"
    "--a\nContent-Type: application/octet-stream\n\ntwo\n"
    "--a\nContent-Type: message/rfc822\n\nSubject: three\nContent-Type: multipart/mixed; "
    "boundary=b\n\n--b\n\nthree one\n--b\n\nthree two\n--b--\n"
    "--a\nContent-Type: multipart/mixed; boundary=c\n\n"
    "--c\nContent-Type: image/gif\n\nfour one\n"
    "--c\nContent-Type: message/rfc822\n\nSubject: four two\n\nfour two one\n--c--\n"
    "--a--\n";

class Sections {
 public:
  explicit Sections(std::string_view text)
      : octets_(crlf(text)),
        table_(section_table(parse(octets_))),
        opened_(SectionTable::open(table_, octets_.size())) {}

  [[nodiscard]] std::optional<Section> find(const Path& path, Which which) const {
    return opened_.value().find(path, which);
  }
  /// The section's octets, or "(none)".
  [[nodiscard]] std::string text(const Path& path, Which which) const {
    const auto section = find(path, which);
    return section ? std::string(section->range.of(octets_)) : "(none)";
  }
  [[nodiscard]] const std::string& octets() const { return octets_; }
  [[nodiscard]] const std::string& table() const { return table_; }

 private:
  std::string octets_;
  std::string table_;
  Result<SectionTable> opened_;
};

TEST(SectionTable, PartsOfTheExample) {
  const Sections s(kExample);
  EXPECT_EQ(s.text({}, Which::body), s.octets());
  EXPECT_TRUE(s.text({}, Which::header).starts_with("Subject: top\r\n"));
  EXPECT_TRUE(s.text({}, Which::header).ends_with("\r\n\r\n"));
  EXPECT_TRUE(s.text({}, Which::text).starts_with("--a\r\n"));
  EXPECT_EQ(s.text({1}, Which::body), "one");
  EXPECT_EQ(s.text({2}, Which::body), "two");
  EXPECT_EQ(s.text({2}, Which::mime), "Content-Type: application/octet-stream\r\n\r\n");
  EXPECT_TRUE(s.text({3}, Which::body).starts_with("Subject: three"));
  EXPECT_TRUE(s.text({3}, Which::header).starts_with("Subject: three"));
  EXPECT_TRUE(s.text({3}, Which::text).starts_with("--b\r\n"));
  EXPECT_EQ(s.text({3, 1}, Which::body), "three one");
  EXPECT_EQ(s.text({3, 2}, Which::body), "three two");
  EXPECT_EQ(s.text({4, 1}, Which::body), "four one");
  EXPECT_EQ(s.text({4, 1}, Which::mime), "Content-Type: image/gif\r\n\r\n");
  EXPECT_EQ(s.text({4, 2}, Which::header), "Subject: four two\r\n\r\n");
  EXPECT_EQ(s.text({4, 2}, Which::text), "four two one");
  EXPECT_EQ(s.text({4, 2, 1}, Which::body), "four two one");
}

TEST(SectionTable, WhatIsNotThere) {
  const Sections s(kExample);
  for (const Path& path : {Path{5}, {0}, {1, 1}, {4, 3}, {4, 2, 2}, {3, 1, 1}, {4, 2, 1, 1}})
    EXPECT_EQ(s.text(path, Which::body), "(none)");
  EXPECT_EQ(s.text({}, Which::mime), "(none)");
  EXPECT_EQ(s.text({1}, Which::header), "(none)");
  EXPECT_EQ(s.text({4}, Which::text), "(none)");
}

TEST(SectionTable, EncodingAndCharsetForSearchAndBinary) {
  const Sections s(kExample);
  const Section one = s.find({1}, Which::body).value();
  EXPECT_EQ(one.encoding, Encoding::quoted_printable);
  EXPECT_EQ(one.charset, "iso-8859-1");
  EXPECT_TRUE(one.text);
  EXPECT_FALSE(s.find({2}, Which::body)->text);
  EXPECT_EQ(s.find({1}, Which::mime)->encoding, Encoding::seven_bit);
}

TEST(SectionTable, PlainMessageHasOnlyPartOne) {
  const Sections s("Subject: x\n\ntext\n");
  EXPECT_EQ(s.text({1}, Which::body), "text\r\n");
  EXPECT_EQ(s.text({1}, Which::mime), "Subject: x\r\n\r\n");
  EXPECT_EQ(s.text({1, 1}, Which::body), "(none)");
  EXPECT_EQ(s.text({2}, Which::body), "(none)");
  EXPECT_EQ(s.text({1}, Which::text), "(none)");
  EXPECT_LE(s.table().size(), 8U);
}

TEST(SectionTable, MessageAsTheWholeMessage) {
  const Sections s("Content-Type: message/rfc822\n\nSubject: in\n\ntext\n");
  EXPECT_EQ(s.text({1}, Which::body), "Subject: in\r\n\r\ntext\r\n");
  EXPECT_EQ(s.text({1}, Which::header), "Subject: in\r\n\r\n");
  EXPECT_EQ(s.text({1, 1}, Which::body), "text\r\n");
  EXPECT_EQ(s.text({1, 1, 1}, Which::body), "(none)");
}

TEST(SectionTable, ATableOfAnotherMessageIsRefused) {
  const Sections s(kExample);
  EXPECT_EQ(SectionTable::open(s.table(), s.octets().size() + 1).error().code, Errc::corrupt);
  EXPECT_EQ(SectionTable::open("", 0).error().code, Errc::corrupt);
  EXPECT_EQ(SectionTable::open("\x02", 0).error().code, Errc::not_supported);
}

TEST(SectionTable, CutTablesAreCorrupt) {
  const Sections s(kExample);
  for (std::size_t size = 0; size < s.table().size(); ++size) {
    const auto opened = SectionTable::open(s.table().substr(0, size), s.octets().size());
    ASSERT_FALSE(opened) << size;
    EXPECT_EQ(opened.error().code, Errc::corrupt) << size;
  }
}

TEST(SectionTable, FlippedBitsNeverLeadOutsideTheMessage) {
  const Sections s(kExample);
  for (std::size_t bit = 0; bit < s.table().size() * 8; ++bit) {
    std::string damaged = s.table();
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const auto opened = SectionTable::open(damaged, s.octets().size());
    if (!opened) continue;
    for (const SectionPart& part : opened->parts()) {
      EXPECT_LE(part.header.begin, part.header.end);
      EXPECT_LE(part.body.begin, part.body.end);
      EXPECT_LE(part.body.end, s.octets().size());
    }
  }
}

// Random messages made of the lines that matter.
std::string random_message() {
  static const std::vector<std::string> kLines{"Content-Type: multipart/mixed; boundary=a",
                                               "Content-Type: multipart/digest; boundary=ab",
                                               "Content-Type: message/rfc822",
                                               "Content-Type: text/plain; charset=x",
                                               "",
                                               "--a",
                                               "--ab",
                                               "--a--",
                                               "--ab--",
                                               "text",
                                               "Subject: x",
                                               " folded",
                                               "Content-Transfer-Encoding: base64"};
  std::string text;
  for (const auto& line : *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(kLines)))
    text += line + (*rc::gen::inRange(0, 8) == 0 ? "\n" : "\r\n");
  return text;
}

RC_GTEST_PROP(SectionTableProperty, HoldsTheRangesOfTheParsedMessage, ()) {
  const std::string text = random_message();
  const Message message = parse(text);
  RC_ASSERT(testing::check_structure(message) == "");
  const std::string octets = section_table(message);
  const auto table = SectionTable::open(octets, text.size());
  RC_ASSERT(table.has_value());
  RC_ASSERT(table->parts().size() == message.parts.size());
  for (std::size_t i = 0; i < message.parts.size(); ++i) {
    RC_ASSERT(table->parts()[i].header == message.parts[i].header);
    RC_ASSERT(table->parts()[i].body == message.parts[i].body);
    RC_ASSERT(table->parts()[i].kind == message.parts[i].kind);
    RC_ASSERT(table->parts()[i].parent == message.parts[i].parent);
  }
}

}  // namespace
}  // namespace postern::mime
