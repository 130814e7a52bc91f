#include "master/child.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "lib/base/text.h"

namespace postern::master {
namespace {

bool become(const Account& account) {
  if (!account.change) return true;
  return initgroups(account.name.c_str(), account.gid) == 0 && setgid(account.gid) == 0 &&
         setuid(account.uid) == 0;
}

[[noreturn]] void execute(const Command& command, const Account& account) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!become(account)) _exit(EX_NOPERM);
  for (const int fd : command.descriptors) fcntl(fd, F_SETFD, 0);
  for (const auto& [name, value] : command.environment) setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> words;
  for (const std::string& word : command.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  umask(077);
  execvp(words[0], words.data());
  std::fprintf(stderr, "master: %s: %s\n", words[0], std::strerror(errno));
  _exit(EX_OSFILE);
}

}  // namespace

Result<Account> find_account(const std::string& user) {
  Account account;
  account.name = user;
  account.uid = geteuid();
  account.gid = getegid();
  if (geteuid() != 0) return account;
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr)
    return fail(Errc::no_such_user, "server.user: there is no system user '{}'", user);
  account.uid = entry->pw_uid;
  account.gid = entry->pw_gid;
  account.change = true;
  return account;
}

Result<pid_t> spawn(const Command& command, const Account& account) {
  const pid_t pid = fork();
  if (pid < 0) return errno_error("fork", command.words.front());
  if (pid == 0) execute(command, account);
  return pid;
}

std::vector<std::string> words_of(const std::string& text, const std::string& beside) {
  std::vector<std::string> words;
  for (const std::string_view word : split(text, ' '))
    if (!word.empty()) words.emplace_back(word);
  if (!words.empty() && words.front().find('/') == std::string::npos) {
    const std::string ours = beside + "/" + words.front();
    if (access(ours.c_str(), X_OK) == 0) words.front() = ours;
  }
  return words;
}

}  // namespace postern::master
