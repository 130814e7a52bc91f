#include "lib/store/header_file.h"

#include <fcntl.h>

#include <cstring>

#include "lib/base/wire.h"
#include "lib/store/check.h"
#include "lib/store/format.h"
#include "lib/store/fs.h"

namespace postern::store {
namespace {

enum Tag : std::uint16_t {
  kState = 1,
  kName = 2,
  kPartition = 3,
  kAcl = 4,
  kUidValidity = 5,
  kSpecialUse = 6,
  kVersion = 7,
  kCreated = 8,
  kId = 9,
};

Result<void> take(Header& header, const TlvField& field) {
  meta::MailboxEntry& entry = header.entry;
  switch (field.tag & ~kCriticalTag) {
    case kState:
      header.state = static_cast<HeaderState>(TRY(field.number<std::uint8_t>()));
      break;
    case kName:
      entry.name = TRY(meta::MailboxName::from_utf8(field.value));
      break;
    case kPartition:
      entry.partition = field.value;
      break;
    case kAcl:
      entry.acl = TRY(meta::Acl::from_text(field.value));
      break;
    case kUidValidity:
      entry.uidvalidity = UidValidity(TRY(field.number<std::uint32_t>()));
      break;
    case kSpecialUse:
      entry.special_use = field.value;
      break;
    case kVersion:
      entry.version = TRY(field.number<std::uint64_t>());
      break;
    case kCreated:
      entry.created = TRY(field.number<std::int64_t>());
      break;
    case kId:
      entry.id = TRY(MailboxId::from_hex(field.value));
      break;
    default:
      if ((field.tag & kCriticalTag) != 0)
        return fail(Errc::not_supported, "header field {}", field.tag);
  }
  return {};
}

}  // namespace

std::string encode_header(const Header& header) {
  const meta::MailboxEntry& entry = header.entry;
  TlvWriter fields;
  fields.number(kState | kCriticalTag, static_cast<std::uint8_t>(header.state));
  fields.bytes(kId | kCriticalTag, entry.id.hex());
  fields.bytes(kName, entry.name.text());
  fields.bytes(kPartition, entry.partition);
  fields.bytes(kAcl, entry.acl.text());
  fields.number(kUidValidity, entry.uidvalidity.value());
  fields.bytes(kSpecialUse, entry.special_use);
  fields.number(kVersion, entry.version);
  fields.number(kCreated, entry.created);
  const std::string payload = std::move(fields).take();
  const Preamble preamble =
      make_preamble(kHeaderMagic, entry.id, entry.partition, 1, entry.uidvalidity);
  WireWriter out;
  out.put_raw({reinterpret_cast<const char*>(&preamble), sizeof preamble});
  out.put_bytes(payload);
  out.put(crc32c(payload, preamble.crc));
  return std::move(out).bytes();
}

Result<Header> decode_header(std::string_view bytes, std::string_view path) {
  if (bytes.size() < sizeof(Preamble)) return fail(Errc::corrupt, "{}: cut short", path);
  Preamble preamble;
  std::memcpy(&preamble, bytes.data(), sizeof preamble);
  MailboxId own;
  own.bytes = preamble.mailbox;
  TRY(check_preamble(preamble, kHeaderMagic, own, path));
  WireReader in(bytes.substr(sizeof preamble));
  const auto payload = in.take_bytes();
  const auto crc = payload ? in.take<std::uint32_t>() : Result<std::uint32_t>(0U);
  if (!payload || !crc || !in.at_end() || *crc != crc32c(*payload, preamble.crc))
    return fail(Errc::corrupt, "{}: bad checksum", path);
  Header header;
  TlvReader fields(*payload);
  while (!fields.at_end()) TRY(take(header, TRY(fields.next())));
  if (header.entry.id != own) return fail(Errc::corrupt, "{}: two ids", path);
  return header;
}

Result<void> write_header(const std::string& directory, const Header& header) {
  TRY(replace_durably(directory + "/header", encode_header(header)));
  const Fd names = TRY(fs().open(directory, O_RDONLY | O_DIRECTORY));
  return fs().sync(names.get());
}

Result<meta::MailboxEntry> read_header(const std::string& directory) {
  return TRY(read_header_file(directory)).entry;
}

Result<Header> read_header_file(const std::string& directory) {
  const std::string path = directory + "/header";
  return decode_header(TRY(read_whole(path)), path);
}

}  // namespace postern::store
