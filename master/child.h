// Starting other programs: descriptors, environment, user.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "lib/base/result.h"

namespace postern::master {

/// The system user of all processes but master.
struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  bool change = false;  // started as root: children become this user
};
/// @error no_such_user  started as root, and the user doesn't exist
Result<Account> find_account(const std::string& user);

struct Command {
  std::vector<std::string> words;                  // the first is the program's path
  std::map<std::string, std::string> environment;  // added to master's own
  std::vector<int> descriptors;                    // kept open under their numbers
};

/// Starts it. A program that can't be executed ends with EX_OSFILE at once.
/// @error io
Result<pid_t> spawn(const Command& command, const Account& account);

/// "a b  c" as words; a bare program name is looked for in `beside` first.
std::vector<std::string> words_of(const std::string& text, const std::string& beside);

}  // namespace postern::master
