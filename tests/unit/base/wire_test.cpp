#include "lib/base/wire.h"

#include <gtest/gtest.h>

#include "lib/base/crc32c.h"
#include "lib/base/ids.h"

namespace postern {
namespace {

TEST(Wire, ReadsWhatWasWritten) {
  WireWriter out;
  out.put(std::uint32_t{7});
  out.put_bytes("mail");
  WireReader in(out.bytes());
  EXPECT_EQ(in.take<std::uint32_t>().value(), 7U);
  EXPECT_EQ(in.take_bytes().value(), "mail");
  EXPECT_TRUE(in.at_end());
}

TEST(Wire, AShortRecordIsAnErrorNotARead) {
  WireWriter out;
  out.put(std::uint32_t{1000});
  WireReader in(out.bytes());
  EXPECT_EQ(in.take_bytes().error().code, Errc::bad_syntax);
}

TEST(Wire, TlvFieldsKeepTagAndLength) {
  TlvWriter out;
  out.number(1, std::uint16_t{300});
  out.bytes(2 | kCriticalTag, "x");
  const std::string bytes = std::move(out).take();
  TlvReader in(bytes);
  EXPECT_EQ(in.next().value().number<std::uint16_t>().value(), 300);
  const TlvField second = in.next().value();
  EXPECT_EQ(second.tag, 2 | kCriticalTag);
  EXPECT_FALSE(second.number<std::uint32_t>());
  EXPECT_TRUE(in.at_end());
}

TEST(Crc32c, HasTheCheckValueOfItsDefinition) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xE3069283U);
}

TEST(Ids, TextFormUndoesItself) {
  const MailboxId id = random_mailbox_id();
  EXPECT_EQ(MailboxId::from_hex(id.hex()).value(), id);
  EXPECT_FALSE(MailboxId::from_hex("abcd"));
  EXPECT_NE(random_mailbox_id(), id);
}

Result<int> doubled(Result<int> in) {
  const int value = TRY(std::move(in));
  return value * 2;
}

TEST(Result, TryHandsOnValuesAndErrors) {
  EXPECT_EQ(doubled(21).value(), 42);
  EXPECT_EQ(doubled(fail(Errc::limit, "no")).error().code, Errc::limit);
}

}  // namespace
}  // namespace postern
