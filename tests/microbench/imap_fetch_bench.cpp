// How fast a session formats FETCH answers: messages a second into a socket that another thread
// empties, for the forms that clients ask for most. Usage: bench_imap_fetch [MESSAGES]
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "tests/unit/imapd/live.h"

namespace {

using namespace postern;        // NOLINT(google-build-using-namespace)
using namespace postern::imap;  // NOLINT(google-build-using-namespace)

void fill(LiveServer& server, int count) {
  Client anna(server, "anna");
  for (int done = 0; done < count; done += 500) {
    std::string command = "APPEND INBOX";
    for (int i = 0; i < 500; ++i) {
      const std::string octets = message(done + i);
      command += " {" + std::to_string(octets.size()) + "+}\r\n" + octets;
    }
    if (anna.run(command).find("TAG OK") == std::string::npos) std::abort();
  }
}

double seconds_of(LiveServer& server, const std::string& state, const std::string& command) {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) std::abort();
  const int size = 1 << 20;
  ::setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  std::thread reader([fd = fds[1]] {
    std::string buffer(1 << 20, '\0');
    while (::recv(fd, buffer.data(), buffer.size(), 0) > 0) {
    }
  });
  service::Session session;
  session.facts.service = "imap";
  session.facts.loopback = true;
  session.stream = Fd(fds[0]);
  session.state = state;
  session.unread = "b " + command + "\r\n";
  Lately lately(*server.meta, server.options);
  const Backend backend{*server.store,  *server.meta, *server.auth,
                        server.options, lately,       *server.events};
  const auto begin = std::chrono::steady_clock::now();
  {
    Session served(std::move(session), *server.runtime, backend);
    static_cast<void>(served.serve());
  }
  const auto end = std::chrono::steady_clock::now();
  reader.join();
  ::close(fds[1]);
  return std::chrono::duration<double>(end - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 100000;
  LiveServer server;
  fill(server, count);
  Client anna(server, "anna");
  anna.run("EXAMINE INBOX");
  const std::string state = anna.outcome().parked.state;
  for (const char* items :
       {"(UID FLAGS)", "(UID FLAGS INTERNALDATE RFC822.SIZE)", "ENVELOPE", "BODYSTRUCTURE",
        "BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority "
        "References Newsgroups In-Reply-To Content-Type Reply-To)]",
        "BODY.PEEK[]"}) {
    double best = 1e9;
    for (int i = 0; i < 5; ++i)
      best = std::min(best, seconds_of(server, state, std::string("FETCH 1:* ") + items));
    std::printf("%-40.40s %8.3f M messages/s\n", items, count / best / 1e6);
  }
  for (const char* keys : {"UNSEEN", "SUBJECT nothing", "BODY nothing"})
    std::printf("SEARCH %-33s %8.3f M messages/s\n", keys,
                count / seconds_of(server, state, std::string("SEARCH ") + keys) / 1e6);
  return 0;
}
