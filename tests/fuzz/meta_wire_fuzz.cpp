// The wire form of metad: no octets of a peer break the service or a client's decoders.
#include <stdlib.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "lib/base/assert.h"
#include "lib/meta/core.h"
#include "lib/meta/service.h"
#include "lib/meta/wire.h"

namespace {

using namespace postern;
using namespace postern::meta;

/// One database for the whole run: requests find what earlier ones left.
struct World {
  World() {
    char name[] = "/dev/shm/postern-fuzz-XXXXXX";  // each commit is synced
    home = ::mkdtemp(name);
    core = Core::open({.home = home, .cache_bytes = 4U << 20}).value();
  }
  ~World() {
    core.reset();
    std::filesystem::remove_all(home);
  }
  std::string home;
  std::unique_ptr<Core> core;
};

template <typename... Types>
void decode_as(std::string_view bytes) {
  const auto one = [&](auto type) {
    WireReader in(bytes);
    static_cast<void>(wire::get(in, type));
  };
  (one(wire::As<Types>()), ...);
}

}  // namespace

/// Berkeley DB keeps the pages of a private environment behind offsets, which the leak check
/// between two inputs can't follow.
extern "C" const char* __lsan_default_suppressions();  // NOLINT: the sanitizer's name
extern "C" const char* __lsan_default_suppressions() { return "leak:libdb_cxx"; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(wire::take_frame(bytes));
  decode_as<MailboxEntry, std::vector<Renamed>, ListPage, std::optional<QuotaRoot>,
            std::vector<QuotaRoot>, std::vector<UserRecord>, std::vector<Unlisted>,
            std::vector<DueExport>, std::vector<Annotation>, std::vector<Snoozed>,
            std::vector<AnnotationChange>, std::vector<MailboxId>, std::optional<std::string>>(
      bytes);
  Service service(*world.core);
  ServiceSession session{.id = 1, .instance = std::string(wire::kInstanceSize, 'f')};
  const Executed executed = service.execute(session, bytes);
  WireReader reply(executed.reply);
  if (!executed.reply.empty()) ASSERT(wire::take_sequence(reply).has_value());
  world.core->end_session(1);
  return 0;
}
