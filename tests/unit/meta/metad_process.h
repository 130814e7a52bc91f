// A metad of the test's own: started as master starts it, with an inherited listening socket.
#pragma once

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>

#include "lib/base/fd.h"
#include "lib/meta/client.h"

namespace postern::meta {

class MetadProcess {
 public:
  /// Everything in `directory`; not started yet.
  explicit MetadProcess(const std::string& directory)
      : socket_(directory + "/metad.sock"), config_(directory + "/postern.toml") {
    const std::string text = "[meta]\ndirectory = \"" + directory +
                             "/home\"\ncache = \"8MiB\"\n[log]\ntarget = \"stderr\"\n"
                             "level = \"warning\"\n";
    EXPECT_TRUE(replace_file(config_, text));
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_.get(), 128), 0);
  }
  ~MetadProcess() {
    if (pid_ > 0) stop();
  }

  void start() {
    const std::string fd = std::to_string(listener_.get());
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::setenv("POSTERN_METAD_FD", fd.c_str(), 1);
    ::execl(POSTERN_METAD, POSTERN_METAD, "--config", config_.c_str(), nullptr);
    ::_exit(127);
  }
  /// The exit status as waitpid() gives it.
  int end(int signal) {
    ::kill(pid_, signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }
  int stop() { return end(SIGTERM); }

  [[nodiscard]] std::unique_ptr<Client> client() const {
    return std::make_unique<Client>(socket_, std::chrono::seconds(20));
  }
  [[nodiscard]] const std::string& socket() const { return socket_; }

 private:
  std::string socket_;
  std::string config_;
  Fd listener_;
  pid_t pid_ = -1;
};

}  // namespace postern::meta
