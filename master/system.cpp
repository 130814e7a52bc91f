#include "master/system.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "lib/base/text.h"

namespace postern::master {
namespace {

constexpr int kFirstActivated = 3;  // SD_LISTEN_FDS_START

/// Where a listening socket is bound, as Endpoint::text writes it.
std::string bound_to(int fd) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  net::Endpoint endpoint;
  if (address.sun_family == AF_UNIX) {
    endpoint.kind = net::Endpoint::Kind::unix_path;
    endpoint.host = address.sun_path;
    return endpoint.text();
  }
  const auto local = net::local_address(fd);
  if (!local) return {};
  endpoint.kind = local->host.find(':') == std::string::npos ? net::Endpoint::Kind::ipv4
                                                             : net::Endpoint::Kind::ipv6;
  endpoint.host = local->host;
  endpoint.port = local->port;
  return endpoint.text();
}

}  // namespace

Result<void> make_directory(const std::string& path, mode_t mode, const Account& account) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return {};
    return fail(Errc::io, "{} is not a directory", path);
  }
  const auto slash = path.find_last_of('/');
  if (slash != std::string::npos && slash != 0)
    TRY(make_directory(path.substr(0, slash), 0755, account));
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return errno_error("mkdir", path);
  if (::chmod(path.c_str(), mode) != 0) return errno_error("chmod", path);
  if (account.change && ::chown(path.c_str(), account.uid, account.gid) != 0)
    return errno_error("chown", path);
  return {};
}

Result<Fd> lock_pid_file(const std::string& path) {
  Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)};
  if (!file) return errno_error("open", path);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
    const auto holder = read_file(path, 64);
    return fail(Errc::in_use, "{} is locked: master runs already (pid {})", path,
                holder ? trim(*holder) : "unknown");
  }
  const std::string text = fmt::format("{}\n", getpid());
  if (::ftruncate(file.get(), 0) != 0) return errno_error("ftruncate", path);
  TRY(write_all(file.get(), text));
  return file;
}

void notify_system(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || *path == '\0') return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::strlen(path);
  if (size >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, size);
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract socket
  const Fd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
           reinterpret_cast<const sockaddr*>(&address), length);
}

std::int64_t watchdog_period() {
  const char* micros = std::getenv("WATCHDOG_USEC");
  const auto number = micros != nullptr ? parse_u64(micros) : std::nullopt;
  return number ? static_cast<std::int64_t>(*number / 2000) : 0;
}

ActivatedSockets::ActivatedSockets() {
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  if (pid == nullptr || count == nullptr) return;
  if (parse_u64(pid) != static_cast<std::uint64_t>(getpid())) return;
  const int end = kFirstActivated + static_cast<int>(parse_u32(count).value_or(0));
  for (int fd = kFirstActivated; fd < end; ++fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    sockets_.push_back({Fd{fd}, bound_to(fd)});
  }
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDS");
}

Fd ActivatedSockets::take(const net::Endpoint& endpoint) {
  for (Socket& socket : sockets_)
    if (socket.fd && socket.bound == endpoint.text()) return std::move(socket.fd);
  return {};
}

}  // namespace postern::master
