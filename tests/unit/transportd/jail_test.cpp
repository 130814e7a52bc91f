// The jail from the inside: what a process that has entered it can still do. Each case enters it in
// a child and tells by its exit status, since there is no way back.
#include "master/transportd/jail.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <functional>
#include <string>

#include "lib/base/fd.h"
#include "lib/base/random.h"

namespace postern::transportd {
namespace {

enum Verdict { refused = 0, done = 1, otherwise = 2, no_jail = 3 };

/// EPERM comes from the filter, EACCES from Landlock.
int verdict_of(long result) {
  if (result >= 0) return done;
  return errno == EPERM || errno == EACCES ? refused : otherwise;
}

class JailTest : public testing::Test {
 protected:
  JailTest() : root_(testing::TempDir() + "jail-" + random_hex(8)) {
    std::filesystem::create_directory(root_);
    std::filesystem::permissions(root_, std::filesystem::perms(0777));
  }
  ~JailTest() override { std::filesystem::remove_all(root_); }

  /// The exit status of a child that enters the jail and then does `act`.
  int inside(const std::function<int()>& act) {
    const pid_t child = fork();
    if (child == 0) {
      const bool entered = enter_jail({.user = "nobody", .root = root_}).has_value();
      _exit(entered ? act() : no_jail);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }

  std::string root_;
};

#define EXPECT_REFUSED(call) EXPECT_EQ(inside([&] { return verdict_of(call); }), refused) << #call
#define EXPECT_ALLOWED(call) EXPECT_EQ(inside([&] { return verdict_of(call); }), done) << #call

TEST_F(JailTest, NoFileCanBeOpenedMadeOrRemoved) {
  EXPECT_REFUSED(open("/", O_RDONLY | O_DIRECTORY));
  EXPECT_REFUSED(open("/file", O_CREAT | O_WRONLY, 0600));
  EXPECT_REFUSED(open("../../etc/passwd", O_RDONLY));
  EXPECT_REFUSED(mkdir("/folder", 0700));
  EXPECT_REFUSED(unlink("/file"));
  EXPECT_REFUSED(rename("/a", "/b"));
  EXPECT_REFUSED(symlink("/etc/passwd", "/link"));
  EXPECT_REFUSED(chmod("/", 0777));
  EXPECT_REFUSED(mount("none", "/", "tmpfs", 0, nullptr));
}

TEST_F(JailTest, NoConnectionCanBeMade) {
  EXPECT_REFUSED(socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
  const Fd before{socket(AF_INET, SOCK_STREAM, 0)};
  const sockaddr_in to{.sin_family = AF_INET, .sin_port = 9, .sin_addr = {}, .sin_zero = {}};
  EXPECT_REFUSED(connect(before.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to));
  EXPECT_REFUSED(bind(before.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to));
  EXPECT_REFUSED(listen(before.get(), 1));
}

TEST_F(JailTest, NoProgramCanBeStartedAndNoOtherProcessTouched) {
  char* const none[] = {nullptr};
  EXPECT_REFUSED(execve("/bin/true", none, none));
  EXPECT_REFUSED(syscall(SYS_process_vm_readv, getppid(), nullptr, 0, nullptr, 0, 0));
#if !defined(__SANITIZE_ADDRESS__)  // its leak check needs these
  EXPECT_REFUSED(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0));
  EXPECT_REFUSED(ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr));
  EXPECT_REFUSED(kill(getppid(), 0));
  EXPECT_REFUSED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
#endif
}

TEST_F(JailTest, TheWayBackIsShut) {
  EXPECT_REFUSED(setuid(0));
  EXPECT_REFUSED(chroot("."));
  EXPECT_REFUSED(syscall(SYS_unshare, 0x10000000));  // CLONE_NEWUSER
}

TEST_F(JailTest, WhatARelayNeedsIsThere) {
  std::array<int, 2> pair{};
  EXPECT_ALLOWED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()));
  const Fd epoll{epoll_create1(0)};
  epoll_event event{};
  EXPECT_ALLOWED(epoll_wait(epoll.get(), &event, 1, 0));
  EXPECT_EQ(inside([] {
              void* const more = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return more == MAP_FAILED ? otherwise : done;
            }),
            done);
}

}  // namespace
}  // namespace postern::transportd
