#include "lib/net/trace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>

#include <ctime>

#include "lib/base/clock.h"

namespace postern::net {
namespace {

/// "2026-11-21T23:31:00.123456Z"
std::string utc_now() {
  const std::int64_t micros = wall_micros();
  const std::time_t seconds = micros / 1'000'000;
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
  return fmt::format("{}.{:06}Z", text, micros % 1'000'000);
}

}  // namespace

std::unique_ptr<Trace> Trace::begin(const std::string& directory, std::string_view user,
                                    std::string_view service, std::uint64_t session) {
  const bool is_one_name = user.find('/') == std::string_view::npos && !user.starts_with('.');
  if (directory.empty() || !is_one_name) return nullptr;
  const std::string folder = user.empty() ? fmt::format("@{}", service) : std::string(user);
  const auto path = fmt::format("{}/{}/{}-{:x}.trace", directory, folder, service, session);
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return nullptr;
  return std::unique_ptr<Trace>(new Trace(std::move(file)));
}

void Trace::add(From from, std::string_view bytes) {
  const auto head =
      fmt::format("\n--- {} {} {} octets\n", from == From::client ? "client" : "server", utc_now(),
                  bytes.size());
  const iovec parts[] = {{const_cast<char*>(head.data()), head.size()},
                         {const_cast<char*>(bytes.data()), bytes.size()}};
  [[maybe_unused]] const ssize_t ignored = ::writev(file_.get(), parts, 2);
}

}  // namespace postern::net
