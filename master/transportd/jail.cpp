#include "master/transportd/jail.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "lib/base/fd.h"
#include "lib/log/log.h"

namespace postern::transportd {
namespace {

// Found by running handshakes, resumption, relays, reloads and stops under a logging filter; the
// rest are what glibc's malloc, time and exit paths use.
constexpr std::array kAllowed{SCMP_SYS(read),          SCMP_SYS(write),
                              SCMP_SYS(readv),         SCMP_SYS(writev),
                              SCMP_SYS(pread64),       SCMP_SYS(recvfrom),
                              SCMP_SYS(recvmsg),       SCMP_SYS(sendto),
                              SCMP_SYS(sendmsg),       SCMP_SYS(shutdown),
                              SCMP_SYS(accept),        SCMP_SYS(accept4),
                              SCMP_SYS(socketpair),    SCMP_SYS(setsockopt),
                              SCMP_SYS(getsockopt),    SCMP_SYS(getsockname),
                              SCMP_SYS(getpeername),   SCMP_SYS(close),
                              SCMP_SYS(fcntl),         SCMP_SYS(fstat),
                              SCMP_SYS(newfstatat),    SCMP_SYS(lseek),
                              SCMP_SYS(epoll_wait),    SCMP_SYS(epoll_pwait),
                              SCMP_SYS(epoll_ctl),     SCMP_SYS(poll),
                              SCMP_SYS(ppoll),         SCMP_SYS(getpid),
                              SCMP_SYS(gettid),        SCMP_SYS(tgkill),
                              SCMP_SYS(getrandom),     SCMP_SYS(mmap),
                              SCMP_SYS(munmap),        SCMP_SYS(mremap),
                              SCMP_SYS(madvise),       SCMP_SYS(mprotect),
                              SCMP_SYS(brk),           SCMP_SYS(futex),
                              SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
                              SCMP_SYS(gettimeofday),  SCMP_SYS(time),
                              SCMP_SYS(rt_sigaction),  SCMP_SYS(rt_sigprocmask),
                              SCMP_SYS(rt_sigreturn),  SCMP_SYS(restart_syscall),
                              SCMP_SYS(exit),          SCMP_SYS(exit_group)};

// With AddressSanitizer also what it calls to check an address, to report, and to look for leaks.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::array kOfSanitizer{SCMP_SYS(pipe),        SCMP_SYS(pipe2), SCMP_SYS(sigaltstack),
                                  SCMP_SYS(sched_yield), SCMP_SYS(clone), SCMP_SYS(ptrace),
                                  SCMP_SYS(wait4),       SCMP_SYS(prctl), SCMP_SYS(kill)};
#else
constexpr std::array<int, 0> kOfSanitizer{};
#endif

Result<void> become(const Jail& jail) {
  const passwd* user = getpwnam(jail.user.c_str());
  if (user == nullptr) return fail(Errc::no_such_user, "no system user '{}'", jail.user);
  const uid_t uid = user->pw_uid;
  const gid_t gid = user->pw_gid;
  if (chroot(jail.root.c_str()) != 0 || chdir("/") != 0) return errno_error("chroot", jail.root);
  if (setgroups(0, nullptr) != 0) return errno_error("setgroups", jail.user);
  if (setresgid(gid, gid, gid) != 0) return errno_error("setresgid", jail.user);
  if (setresuid(uid, uid, uid) != 0) return errno_error("setresuid", jail.user);
  return {};
}

/// No path can be opened, made or changed any more.
Result<void> forget_the_file_system() {
  landlock_ruleset_attr rules{};
  rules.handled_access_fs = (1ULL << 13) - 1;  // all accesses of Landlock's first version
  const Fd ruleset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0)));
  if (!ruleset) {
    LOG(warning, "transportd.no_landlock", {"error", errno_error("landlock", "ruleset").text});
    return {};
  }
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0)
    return errno_error("landlock_restrict_self", "");
  return {};
}

struct ReleaseFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};

Result<void> filter_system_calls() {
  const std::unique_ptr<void, ReleaseFilter> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return fail(Errc::io, "seccomp_init failed");
  const auto allow = [&](int call) -> Result<void> {
    const int error = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
    if (error < 0) return errno_error("seccomp_rule_add", std::to_string(call), -error);
    return {};
  };
  for (const int call : kAllowed) TRY(allow(call));
  for (const int call : kOfSanitizer) TRY(allow(call));
  if (const int error = seccomp_load(filter.get()); error < 0)
    return errno_error("seccomp_load", "", -error);
  return {};
}

}  // namespace

Result<void> enter_jail(const Jail& jail) {
  if (geteuid() == 0) TRY(become(jail));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error("no_new_privs", "");
  TRY(forget_the_file_system());
  return filter_system_calls();
}

}  // namespace postern::transportd
