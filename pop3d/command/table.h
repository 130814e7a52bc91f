// The table of POP3 commands: one row each, with the state in which it is legal.
#pragma once

#include <string_view>

#include "pop3d/connection.h"

namespace postern::pop3d {

class Pop3;

/// What follows the keyword. `given` tells "AUTH" from "AUTH ", which Outlook sends.
struct Argument {
  std::string_view text;
  bool given = false;
};

enum class In : std::uint8_t { authorization, transaction, any };
constexpr In in(State state) {
  return state == State::authorization ? In::authorization : In::transaction;
}

struct Command {
  std::string_view name;  // upper case
  In in;
  void (*run)(Pop3&, Argument);
};

/// The row of `name` (upper case), or null.
const Command* find_command(std::string_view name);

// One file each in this folder; messages.cpp has those that only look at the maildrop.
void run_apop(Pop3& session, Argument argument);
void run_auth(Pop3& session, Argument argument);
void run_capa(Pop3& session, Argument argument);
void run_dele(Pop3& session, Argument argument);
void run_lang(Pop3& session, Argument argument);
void run_list(Pop3& session, Argument argument);
void run_noop(Pop3& session, Argument argument);
void run_pass(Pop3& session, Argument argument);
void run_quit(Pop3& session, Argument argument);
void run_retr(Pop3& session, Argument argument);
void run_rset(Pop3& session, Argument argument);
void run_stat(Pop3& session, Argument argument);
void run_stls(Pop3& session, Argument argument);
void run_top(Pop3& session, Argument argument);
void run_uidl(Pop3& session, Argument argument);
void run_user(Pop3& session, Argument argument);
void run_utf8(Pop3& session, Argument argument);

}  // namespace postern::pop3d
