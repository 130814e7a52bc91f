// What one process that does TLS itself reaches: the measure for transfers through transportd.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/bench/load/connection.h"

namespace postern::bench {
namespace {

constexpr std::string_view kDone = "\r\nzq1x OK\r\n";
constexpr std::size_t kPiece = 64 << 10;  // as servers write

/// Answers each line with `octets` and the line kDone, until the client goes.
void serve(int listener, const Options& options, std::size_t octets) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, options.text("cert", "").c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, options.text("key", "").c_str(), SSL_FILETYPE_PEM) != 1)
    die("--cert and --key: can't use these");
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, accept(listener, nullptr, nullptr));
  if (SSL_accept(ssl) != 1) die("TLS handshake failed");
  const std::string piece(kPiece, 'x');
  char line[64];
  while (SSL_read(ssl, line, sizeof line) > 0) {
    for (std::size_t sent = 0; sent < octets; sent += kPiece)
      SSL_write(ssl, piece.data(), static_cast<int>(std::min(kPiece, octets - sent)));
    SSL_write(ssl, kDone.data(), static_cast<int>(kDone.size()));
  }
}

int listen_on_any_port(int& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(fd, 1) != 0)
    die("no port to listen on");
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

/// --cert FILE --key FILE --mib N --repeat R: MiB a second from a process of its own that writes N
/// MiB from memory into its TLS connection, R times; the client is the one of all other cases.
void run_tls_reference(const Options& options) {
  const auto mib = static_cast<std::size_t>(options.number("mib", 100));
  Address address{.tls = true};
  const int listener = listen_on_any_port(address.port);
  const pid_t server = fork();
  if (server == 0) {
    serve(listener, options, mib << 20U);
    std::_Exit(0);
  }
  close(listener);
  TlsResumption tls;
  const int repeat = options.number("repeat", 5);
  std::vector<double> rates;
  {
    Connection connection{address, &tls};
    for (int i = 0; i < repeat; ++i) {
      const Stopwatch watch;
      connection.send("GO\r\n");
      connection.until_last_line("zq1x ");
      rates.push_back(static_cast<double>(mib) / watch.seconds());
    }
  }
  kill(server, SIGKILL);
  waitpid(server, nullptr, 0);
  Json{}.add("mib_per_s", percentile(rates, 0.5)).print();
}

}  // namespace postern::bench
