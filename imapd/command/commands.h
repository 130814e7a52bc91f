// The command classes; each has its steps in the file of its name. See command.h for what the
// steps are, table.cpp for when each is legal.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "imapd/command/command.h"
#include "imapd/number_set.h"

namespace postern::imap {

struct Noop {
  static void respond(const Nothing&, Context&);
};

struct Capability {
  static void respond(const Nothing&, Context&);
};

struct Logout {
  static Completion respond(const Nothing&, Context&);
};

struct Id {
  struct Request {
    std::vector<std::pair<std::string, std::string>> fields;
  };
  static Result<Request> parse(Cursor& in);
  static void respond(const Request&, Context&);
};

struct Enable {
  struct Request {
    std::vector<std::string> names;
  };
  static Result<Request> parse(Cursor& in);
  static void respond(const Request&, Context&);
};

}  // namespace postern::imap
