// The wire form between a Client and metad, over a Unix stream socket.
//
//   frame    = length (32 bits, of the payload) crc32c (32 bits, of the payload) payload
//   request  = op (8) flags (8) sequence (64) arguments
//   reply    = sequence (64) status (8): 0 and the result, or 1 + Errc and a text
//
// Numbers are little-endian, texts and lists have a 32-bit length before them. The first request
// of a connection is `hello`: lowest and highest protocol version (32 each) and the client's
// instance (16 random octets); it is answered with the version that both speak from then on.
//
// A request with kRepeated was sent before on a lost connection: if its instance and sequence are
// those of the last mutation that was committed, the reply of then is given again. A request with
// kNoReply is executed and never answered.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/wire.h"
#include "lib/meta/list_page.h"
#include "lib/meta/meta.h"

namespace postern::meta::wire {

constexpr std::uint32_t kLowestVersion = 1;
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMostPayload = 16U << 20;
constexpr std::size_t kFrameHead = 8;
constexpr std::size_t kInstanceSize = 16;
constexpr std::uint8_t kNoReply = 1;
constexpr std::uint8_t kRepeated = 2;

/// Numbers are the protocol: never reused, never changed.
enum class Op : std::uint8_t {
  hello = 1,
  lookup_name = 2,
  lookup_id = 3,
  list = 4,
  create = 5,
  erase = 6,
  rename_tree = 7,
  set_acl = 8,
  set_special_use = 9,
  restore = 10,
  list_counter = 11,
  outbox = 12,
  outbox_done = 13,
  subscribe = 14,
  unsubscribe = 15,
  subscriptions = 16,
  set_quota = 17,
  quota_root_of = 18,
  quota = 19,
  quotas = 20,
  reserve = 21,
  release = 22,
  report = 23,
  due = 24,
  user = 25,
  make_user = 26,
  users = 27,
  bump_generation = 28,
  erase_user = 29,
  find_mark = 30,
  set_mark = 31,
  // 32 set one annotation, without telling an empty value from none.
  annotations = 33,
  backup = 34,
  set_annotations = 35,
  set_snoozed = 36,
  end_snoozed = 37,
  snoozed = 38,
  restore_user = 40,
  announce = 41,
  unlisted = 42,
  unlisted_done = 43,
  quotas_within = 44,
  due_exports = 45,
  export_done = 46,
  look_up = 47,
  list_special = 48,
};

/// `payload` with its head.
std::string frame(std::string_view payload);

struct Frame {
  std::string_view payload;
  std::size_t size = 0;  // octets of the input that it took
};
/// The first frame of `input`, nothing while it is incomplete.
/// @error corrupt  a wrong checksum; too_big  over kMostPayload
Result<std::optional<Frame>> take_frame(std::string_view input);

struct RequestHead {
  Op op = Op::hello;
  std::uint8_t flags = 0;
  std::uint64_t sequence = 0;
};
void put(WireWriter& out, const RequestHead& head);
Result<RequestHead> take_head(WireReader& in);

std::string reply_error(std::uint64_t sequence, const Error& error);
/// The sequence of a reply, then its result or its error: `in` stands at the result afterwards.
Result<std::uint64_t> take_sequence(WireReader& in);
Result<void> take_status(WireReader& in);

// One put() and one get() a type. get() takes from untrusted octets.
template <typename T>
requires std::is_integral_v<T>
void put(WireWriter& out, T value) { out.put(value); }
void put(WireWriter& out, bool value);
void put(WireWriter& out, std::string_view value);
void put(WireWriter& out, const MailboxName& value);
void put(WireWriter& out, const UserName& value);
void put(WireWriter& out, const MailboxId& value);
void put(WireWriter& out, const UserId& value);
void put(WireWriter& out, Rights value);
void put(WireWriter& out, const Acl& value);
void put(WireWriter& out, const Identity& value);
void put(WireWriter& out, const MailboxEntry& value);
void put(WireWriter& out, const ListScope& value);
void put(WireWriter& out, const ListPage& value);
void put(WireWriter& out, const NewMailbox& value);
void put(WireWriter& out, const Renamed& value);
void put(WireWriter& out, const QuotaResource& value);
void put(WireWriter& out, const QuotaRoot& value);
void put(WireWriter& out, const Usage& value);
void put(WireWriter& out, Reservation value);
void put(WireWriter& out, const UserRecord& value);
void put(WireWriter& out, const Unlisted& value);
void put(WireWriter& out, const DueExport& value);
void put(WireWriter& out, const Mark& value);
void put(WireWriter& out, const Annotation& value);
void put(WireWriter& out, const AnnotationChange& value);
void put(WireWriter& out, const Guid& value);
void put(WireWriter& out, const Snoozed& value);
inline void put(WireWriter& out, const std::string& value) { put(out, std::string_view(value)); }

template <typename T>
void put(WireWriter& out, const std::vector<T>& values) {
  out.put(static_cast<std::uint32_t>(values.size()));
  for (const auto& value : values) put(out, value);
}
template <typename T>
void put(WireWriter& out, const std::optional<T>& value) {
  put(out, value.has_value());
  if (value) put(out, *value);
}

template <typename T>
struct As {};  // says which get() is meant

template <typename T>
requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) Result<T> get(WireReader& in, As<T>) {
  return in.take<T>();
}
Result<bool> get(WireReader& in, As<bool>);
Result<std::string> get(WireReader& in, As<std::string>);
Result<MailboxName> get(WireReader& in, As<MailboxName>);
Result<UserName> get(WireReader& in, As<UserName>);
Result<MailboxId> get(WireReader& in, As<MailboxId>);
Result<UserId> get(WireReader& in, As<UserId>);
Result<Rights> get(WireReader& in, As<Rights>);
Result<Acl> get(WireReader& in, As<Acl>);
Result<Identity> get(WireReader& in, As<Identity>);
Result<MailboxEntry> get(WireReader& in, As<MailboxEntry>);
Result<ListScope> get(WireReader& in, As<ListScope>);
Result<ListPage> get(WireReader& in, As<ListPage>);
Result<NewMailbox> get(WireReader& in, As<NewMailbox>);
Result<Renamed> get(WireReader& in, As<Renamed>);
Result<QuotaResource> get(WireReader& in, As<QuotaResource>);
Result<QuotaRoot> get(WireReader& in, As<QuotaRoot>);
Result<Usage> get(WireReader& in, As<Usage>);
Result<Reservation> get(WireReader& in, As<Reservation>);
Result<UserRecord> get(WireReader& in, As<UserRecord>);
Result<Unlisted> get(WireReader& in, As<Unlisted>);
Result<DueExport> get(WireReader& in, As<DueExport>);
Result<Mark> get(WireReader& in, As<Mark>);
Result<Annotation> get(WireReader& in, As<Annotation>);
Result<AnnotationChange> get(WireReader& in, As<AnnotationChange>);
Result<Guid> get(WireReader& in, As<Guid>);
Result<Snoozed> get(WireReader& in, As<Snoozed>);

template <typename T>
Result<std::vector<T>> get(WireReader& in, As<std::vector<T>>) {
  const auto count = TRY(in.take<std::uint32_t>());
  std::vector<T> out;
  // Every element takes an octet or more: a count beyond that is a lie, found before it costs.
  if (count > in.rest().size()) return fail(Errc::bad_syntax, "a list of {}", count);
  for (std::uint32_t i = 0; i < count; ++i) out.push_back(TRY(get(in, As<T>())));
  return out;
}
template <typename T>
Result<std::optional<T>> get(WireReader& in, As<std::optional<T>>) {
  if (!TRY(get(in, As<bool>()))) return std::optional<T>();
  return std::optional<T>(TRY(get(in, As<T>())));
}

/// A reply with its result.
template <typename T>
std::string reply(std::uint64_t sequence, const T& result) {
  WireWriter out;
  out.put(sequence);
  out.put(std::uint8_t{0});
  put(out, result);
  return std::move(out).bytes();
}
std::string reply(std::uint64_t sequence);

}  // namespace postern::meta::wire
